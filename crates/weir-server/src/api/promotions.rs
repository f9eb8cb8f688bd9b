//! Promotions: out of a registry, and into it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use weir_policy::Caller;
use weir_promote::{PromoteError, refuse_withdrawn_in};
use weir_registry::{Batch, Receipt, Registry as _};
use weir_requests::{Kept, RequestError, Requests, Waiting};
use weir_webhooks::MOST_NAMED;
use weir_wire::AccountName;
use weir_wire::promotion::{KeptPromotion, PromotionCheck, PromotionRequest, PromotionRequests};
use weir_wire::webhooks::{WebhookData, WebhookEvent};

use super::{Asked, SignedDocument, json};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::{Code, Problem};
use crate::registries::RegistryName;
use crate::telling;

/// So many releases can be asked about at once.
const MOST_RELEASES: usize = 2_000;

/// `POST …/checks/promote`: whether releases may go up from here. That they may is written down: what comes of it, no other route
/// of this registry will tell.
pub(crate) async fn check(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
    SignedDocument(asked_for): SignedDocument<PromotionCheck>,
) -> Result<Response, Problem> {
    let PromotionCheck { releases, into } = asked_for;
    if releases.len() > MOST_RELEASES {
        let detail = format!("at most {MOST_RELEASES} releases can be asked about at once");
        return Err(Problem::new(Code::TooLarge, detail));
    }
    let asked = Asked::of(&app, &asker, &name).await?;
    let first = releases.first().map(ToString::to_string).unwrap_or_default();
    let accounting = Accounting::of(&app, &asker, Some(&name), "promote").about(first);
    let came = asked.carry_out(move |registry| registry.may_promote(&releases, &into)).await;
    accounting.note(came).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST …/promotions`: has a batch of promotions wait until others have approved it; where none need to, it is carried out.
pub(crate) async fn request(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
    SignedDocument(batch): SignedDocument<Batch>,
) -> Result<Response, Problem> {
    let asked = Asked::of(&app, &asker, &name).await?;
    weir_requests::check(&batch).map_err(|error| told(&error))?;
    let accounting = Accounting::of(&app, &asker, Some(&name), "promotion-requested");
    let accounting = accounting.about(subject(&batch));
    let looked_at = batch.clone();
    let waits = asked.carry_out(move |registry| registry.waits_for_approval(&looked_at)).await;
    match waits {
        Ok(true) => {}
        Ok(false) => {
            let accounting = Accounting::of(&app, &asker, Some(&name), "batch");
            let came = asked.carry_out(move |registry| registry.submit(&batch)).await;
            let receipt = accounting.note_batch(came, |receipt| &receipt.outcomes).await?;
            return Ok(json(
                StatusCode::OK,
                &KeptPromotion { request: None, receipt: Some(receipt), already: false },
            ));
        }
        Err(problem) => return accounting.note(Err(problem)).await,
    }
    let (actor, now) = (asked.actor.clone(), asker.at);
    let kept = on_requests(&app, move |requests| requests.keep(&name, &actor, &batch, now)).await;
    // What waits already is written down, and told, once.
    if let Ok(Kept { waiting: Waiting { request, .. }, already: true }) = kept {
        return Ok(json(
            StatusCode::OK,
            &KeptPromotion { request: Some(request), receipt: None, already: true },
        ));
    }
    let Kept { waiting: Waiting { request, .. }, .. } = accounting.note(kept).await?;
    tell(&app, &asker, asked.served.name.as_str(), WebhookEvent::PromotionRequested, &request, None).await;
    Ok(json(StatusCode::CREATED, &KeptPromotion { request: Some(request), receipt: None, already: false }))
}

/// `GET …/promotions`: those that wait, as far as they are for who asks: their own, and what they may approve.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    let asked = Asked::of(&app, &asker, &name).await?;
    asker.speaker()?;
    let waiting = waiting(&app, &asked).await?;
    let requests = waiting.into_iter().map(|seen| seen.request).collect();
    Ok(json(StatusCode::OK, &PromotionRequests { requests }))
}

/// A promotion that waits, to who may see it.
pub(crate) struct Seen {
    pub(crate) request: PromotionRequest,
    /// Whether they may approve it.
    pub(crate) approvable: bool,
    /// Whether they did.
    pub(crate) approved: bool,
}

/// The promotions that wait, as far as they are for who asks.
pub(crate) async fn waiting(app: &Arc<App>, asked: &Asked) -> Result<Vec<Seen>, Problem> {
    let name = asked.served.name.to_string();
    let waiting = on_requests(app, move |requests| requests.waiting(&name)).await?;
    let batches: Vec<Batch> = waiting.iter().map(|waiting| waiting.batch.clone()).collect();
    let approvable = asked.carry_out(move |registry| registry.approvable(&batches)).await?;
    let seen = waiting.into_iter().zip(approvable).map(|(waiting, approvable)| {
        let is_own = waiting.request.by == asked.actor;
        let approved = waiting.request.is_approved_by(&asked.actor);
        Seen { request: waiting.request, approvable: approvable && !is_own, approved }
    });
    Ok(seen.filter(|seen| seen.approvable || seen.request.by == asked.actor).collect())
}

/// `POST …/promotions/{request}/approvals`: approves one, and carries it out if that is enough.
pub(crate) async fn approve(
    State(app): State<Arc<App>>,
    Path((name, id)): Path<(String, String)>,
    asker: Asker,
) -> Result<Response, Problem> {
    let asked = Asked::of(&app, &asker, &name).await?;
    Ok(json(StatusCode::OK, &approved(&app, &asker, &asked, &id, None).await?))
}

/// Approves a promotion, and carries it out if that is enough. Why is written down where it is said.
pub(crate) async fn approved(
    app: &Arc<App>,
    asker: &Asker,
    asked: &Asked,
    id: &str,
    reason: Option<String>,
) -> Result<KeptPromotion, Problem> {
    // A person says so, and no program that has a token of theirs.
    asker.person()?;
    let name = asked.served.name.as_str();
    let found = found(app, asked, name, id).await?;
    let accounting = Accounting::of(app, asker, Some(name), "promotion-approved").because(reason.clone());
    let accounting = accounting.about(subject_of(&found));
    let batch = found.batch.clone();
    let may = asked.carry_out(move |registry| registry.may_approve(&batch)).await;
    let (registry, request) = (name.to_owned(), id.to_owned());
    let (actor, now) = (asked.actor.clone(), asker.at);
    let may = match may {
        Ok(()) => still_offered(app, asker, found.request.clone(), now).await,
        refused => refused,
    };
    let approved = match may {
        Ok(()) => on_requests(app, move |kept| kept.approve(&registry, &request, &actor, now)).await,
        Err(problem) => Err(problem),
    };
    let already = matches!(approved, Ok(Kept { already: true, .. }));
    let Kept { waiting, .. } = match already {
        // What was done before is written down already.
        true => approved?,
        false => accounting.note(approved).await?,
    };
    if !already {
        tell(app, asker, name, WebhookEvent::PromotionApproved, &waiting.request, reason).await;
    }
    // Also where nothing is new: what enough have approved may have failed to come in then.
    let receipt = carry_out(app, asker, asked, name, &waiting).await.map_err(|problem| {
        problem.although(&format!(
            "your approval is kept, and what was approved was not carried out (`weir approve {}` tries that again)",
            waiting.request.id
        ))
    })?;
    Ok(KeptPromotion { request: Some(waiting.request), receipt, already })
}

/// Refuses what the registry below has withdrawn while it waited.
async fn still_offered(
    app: &Arc<App>,
    asker: &Asker,
    request: PromotionRequest,
    at: Timestamp,
) -> Result<(), Problem> {
    let looking = app.clone();
    match blocking(move || below(&looking, &request, at)).await {
        Below::Offered | Below::Unknown => Ok(()),
        Below::Withdrawn { registry, reason } => {
            let reason = match app.visible(asker, registry.as_str()).await {
                Ok(_) => &reason,
                Err(_) => WITHDRAWN_BELOW,
            };
            let detail = format!("{reason}: refuse the promotion, or wait until that is taken back there");
            Err(Problem::new(Code::Conflict, detail))
        }
    }
}

/// What is told of a promotion that cannot be approved, to who may not read the registry that it comes from.
pub(crate) const WITHDRAWN_BELOW: &str =
    "what waits is not offered any longer in the registry that it comes from, which you may not read";

/// What has become of a promotion in the registry that it comes from.
pub(crate) enum Below {
    /// All of it is offered there still.
    Offered,
    /// Something of it is not, for a reason that is for those who may read that registry.
    Withdrawn {
        /// The registry, by the name that it has here.
        registry: RegistryName,
        /// Why.
        reason: String,
    },
    /// Nobody can tell: this server does not serve that registry, or who asked may not read it any more.
    Unknown,
}

/// Looks into the registry that a promotion comes from, if this server serves it, with the eyes of who asked for it. Waits for the disk.
pub(crate) fn below(app: &App, request: &PromotionRequest, at: Timestamp) -> Below {
    let Some(owner) = caller(app, &request.by, at) else { return Below::Unknown };
    let mut names = app.registries.names().unwrap_or_default();
    // Most are served under the name by which they call themselves.
    names.sort_by_key(|name| name.as_str() != request.from);
    for name in names {
        let found =
            app.registries.known(&name).map_or_else(|| app.registries.find(&name), |found| Ok(Some(found)));
        let Ok(Some(served)) = found else { continue };
        let Ok(registrar) = app.registries.registrar(&served) else { continue };
        let acting = registrar.acting_for(owner.clone());
        let Ok(view) = acting.view() else { continue };
        // A registry is known by its key: others may call themselves what they like.
        if !view.keys().keys().iter().any(|key| key.to_string() == request.key) {
            continue;
        }
        return match refuse_withdrawn_in(view.index(), request) {
            Ok(()) => Below::Offered,
            Err(error @ PromoteError::Withdrawn { .. }) => {
                let reason = format!("{error} in the registry `{}`, from which it comes", request.from);
                Below::Withdrawn { registry: name, reason }
            }
            Err(error @ PromoteError::NotBelow { .. }) => {
                Below::Withdrawn { registry: name, reason: error.to_string() }
            }
            Err(error) => {
                tracing::warn!(registry = %name, %error, "the registry that a promotion comes from could not be looked into");
                Below::Unknown
            }
        };
    }
    Below::Unknown
}

/// `POST …/promotions/{request}/withdrawal`: takes one back, or turns it down: who asked for it may, and who may approve it.
pub(crate) async fn withdraw(
    State(app): State<Arc<App>>,
    Path((name, id)): Path<(String, String)>,
    asker: Asker,
) -> Result<Response, Problem> {
    let asked = Asked::of(&app, &asker, &name).await?;
    Ok(json(StatusCode::OK, &withdrawn(&app, &asker, &asked, &id, None).await?))
}

/// Takes a promotion back, or turns it down. Why is written down where it is said.
pub(crate) async fn withdrawn(
    app: &Arc<App>,
    asker: &Asker,
    asked: &Asked,
    id: &str,
    reason: Option<String>,
) -> Result<PromotionRequest, Problem> {
    asker.speaker()?;
    let name = asked.served.name.as_str();
    let found = found(app, asked, name, id).await?;
    let accounting = Accounting::of(app, asker, Some(name), "promotion-withdrawn").because(reason.clone());
    let accounting = accounting.about(subject_of(&found));
    let may = match found.request.by == asked.actor {
        true => Ok(()),
        false => asked.carry_out(move |registry| registry.may_approve(&found.batch)).await,
    };
    let (registry, request) = (name.to_owned(), id.to_owned());
    let ended = match may {
        Ok(()) => on_requests(app, move |requests| requests.end(&registry, &request)).await,
        Err(problem) => Err(problem),
    };
    let request = accounting.note(ended).await?.request;
    tell(app, asker, name, WebhookEvent::PromotionWithdrawn, &request, reason).await;
    Ok(request)
}

/// Tells those who are to be told what became of a promotion.
async fn tell(
    app: &Arc<App>,
    asker: &Asker,
    name: &str,
    event: WebhookEvent,
    request: &PromotionRequest,
    reason: Option<String>,
) {
    let data = WebhookData {
        registry: Some(name.to_owned()),
        by: Some(asker.actor()),
        promotion: Some(request.id.clone()),
        releases: request.releases.iter().take(MOST_NAMED).cloned().collect(),
        from: Some(request.from.clone()),
        reason,
        ..WebhookData::default()
    };
    telling::tell(app, event, asker.at, data).await;
}

/// A request that is for who asks: who neither asked for it nor may approve it is told what is told of none.
async fn found(app: &Arc<App>, asked: &Asked, name: &str, id: &str) -> Result<Waiting, Problem> {
    let (registry, request) = (name.to_owned(), id.to_owned());
    let waiting = on_requests(app, move |requests| requests.find(&registry, &request)).await?;
    let batches = [waiting.batch.clone()];
    let approvable = asked.carry_out(move |registry| registry.approvable(&batches)).await?;
    match waiting.request.by == asked.actor || approvable == [true] {
        true => Ok(waiting),
        false => {
            Err(told(&RequestError::None(id.chars().filter(char::is_ascii_alphanumeric).take(40).collect())))
        }
    }
}

/// Carries a promotion out for who asked for it, by what the policy says now and with the approvals of those who may still give
/// them; nothing if more are wanted.
async fn carry_out(
    app: &Arc<App>,
    asker: &Asker,
    asked: &Asked,
    name: &str,
    waiting: &Waiting,
) -> Result<Option<Receipt>, Problem> {
    let (owner, at) = (waiting.request.by.clone(), asker.at);
    let approvers: Vec<String> =
        waiting.request.approvals.iter().map(|approval| approval.by.clone()).collect();
    let accounts = app.clone();
    let callers = blocking(move || {
        let found = |actor: &String| caller(&accounts, actor, at);
        (found(&owner), approvers.iter().filter_map(found).collect::<Vec<_>>())
    });
    let (owner, approvers) = callers.await;
    let gone = || Problem::new(Code::Conflict, "who asked for it may not sign in any longer: take it back");
    let owner = owner.ok_or_else(gone)?;
    let accounting = Accounting::of(app, asker, Some(name), "batch").on_behalf_of(owner.actor());
    let batch = waiting.batch.clone();
    let came = asked.carry_out(move |registry| {
        let mut approved_by = Vec::new();
        for approver in approvers {
            if registry.instead_for(approver.clone()).may_approve(&batch).is_ok() {
                approved_by.push(approver.actor().to_owned());
            }
        }
        let acting = registry.instead_for(owner);
        match acting.submit_approved(&batch, &approved_by) {
            Err(error) if error.code() == weir_registry::Code::NeedsApproval => Ok(None),
            done => done.map(Some),
        }
    });
    let came = match came.await {
        Ok(None) => return Ok(None),
        Ok(Some(receipt)) => Ok(receipt),
        Err(problem) => Err(problem),
    };
    let accounting = accounting.about(subject_of(waiting));
    let receipt = accounting.note_batch(came, |receipt| &receipt.outcomes).await?;
    let (registry, id) = (name.to_owned(), waiting.request.id.clone());
    match on_requests(app, move |requests| requests.end(&registry, &id)).await {
        // Somebody else approved it at the same moment: it was carried out once.
        Ok(_) | Err(_) => Ok(Some(receipt)),
    }
}

/// A user as the policy knows them now, if they may still sign in.
fn caller(app: &App, actor: &str, at: Timestamp) -> Option<Caller> {
    let name: AccountName = actor.strip_prefix("user:")?.parse().ok()?;
    let user = app.accounts.user(&name).ok().filter(|user| !user.disabled)?;
    Some(Caller::new(user.principal(), at))
}

/// What a batch is about, in a few words: what was asked for comes after what it needs. It begins with that, for what happened to a package
/// is found by how a subject begins.
fn subject(batch: &Batch) -> String {
    let mut releases = batch.intents.iter().rev().filter_map(weir_registry::Intent::published);
    match (releases.next(), releases.count()) {
        (None, _) => String::new(),
        (Some(asked), 0) => asked.to_string(),
        (Some(asked), more) => format!("{asked} and {more} more"),
    }
}

/// What a promotion that waits is about, and as which request.
fn subject_of(waiting: &Waiting) -> String {
    format!("{}, as {}", subject(&waiting.batch), waiting.request.id)
}

/// Does something with what waits, on a thread that may block.
async fn on_requests<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&Requests) -> Result<T, RequestError> + Send + 'static,
) -> Result<T, Problem> {
    let app = app.clone();
    blocking(move || work(&app.requests)).await.map_err(|error| told(&error))
}

fn told(error: &RequestError) -> Problem {
    let detail = error.to_string();
    match error {
        RequestError::None(_) => Problem::new(Code::NotFound, detail),
        RequestError::Unusable(_) => Problem::new(Code::BadDocument, detail),
        RequestError::TooMany { .. } => Problem::new(Code::Conflict, detail),
        RequestError::OwnRequest => Problem::new(Code::NotAllowed, detail),
        RequestError::Strange(_)
        | RequestError::Database(_)
        | RequestError::Json(_)
        | RequestError::Io(_) => Problem::internal(error),
    }
}
