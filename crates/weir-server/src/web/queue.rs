//! What waits for a decision, and deciding it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use weir_model::{Range, ReleaseId, WithdrawalVerb};
use weir_web::{BelowIt, Done, MOST_QUEUED, QueuePage, WaitingPromotion, address, seen};
use weir_wire::promotion::{KeptPromotion, PromotionRequest};
use weir_wire::upstream::{Ask, Asked as AskedFor};

use super::account::go_told;
use super::acting::may;
use super::form::{CHANGED, Form, instead, unreadable};
use super::reading::visible;
use super::{Visitor, answer};
use crate::accounting::Accounting;
use crate::api::promotions::{Below, Seen};
use crate::api::{Asked, ask, promotions};
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::{Code, Problem};

/// So often the registry is asked whether a quarantine may be taken back, and the one below whether it offers still what waits: of the
/// others it is told when somebody decides.
const MOST_ASKED: usize = 25;

/// `GET /{registry}/-/queue`
pub(crate) async fn queue(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let asked = Asked::of_visitor(&app, &visitor.asker, &name).await?;
    let signed_in = !visitor.asker.is_anonymous();
    let waiting = if signed_in { promotions::waiting(&app, &asked).await? } else { Vec::new() };
    let (frame, now) = (visitor.frame_of(&name), visitor.asker.at);
    let above = above_what_is_held(&asked).await?;
    let keys = above.values().chain(waiting.iter().map(|waiting| &waiting.request.key)).cloned().collect();
    let shown_here = shown_here(&app, &visitor, &keys).await?;
    let (looking, at, shown) = (app.clone(), visitor.asker.at, shown_here.clone());
    let waiting: Vec<WaitingPromotion> = blocking(move || {
        let looked_at = |seen| looked_at(&looking, &shown, seen, at);
        waiting.into_iter().enumerate().map(looked_at).collect()
    })
    .await;
    let page = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let held = view.index().held(MOST_QUEUED + 1)?;
        let quarantined = view.index().quarantined_releases(MOST_QUEUED + 1)?;
        drop(view);
        let quarantined = quarantined.into_iter().enumerate().map(|(place, view)| {
            let verbs = || may(acting, &view.release.id, view.standing());
            let may = signed_in && place < MOST_ASKED && verbs().contains(&WithdrawalVerb::Unquarantine);
            (view, may)
        });
        let quarantined: Vec<_> = quarantined.collect();
        let page = QueuePage {
            frame: &frame,
            held: &held,
            above: &above,
            shown_here: &shown_here,
            promotions: &waiting,
            quarantined: &quarantined,
            now,
        };
        Ok(page.page())
    });
    answer(&visitor, StatusCode::OK, page.await?)
}

/// The keys of the registries above one, by the name they have there, where something is held of them: nothing else leads there.
async fn above_what_is_held(asked: &Asked) -> Result<BTreeMap<String, String>, Problem> {
    let above = asked.carry_out(|acting| {
        let view = acting.view()?;
        if view.index().held(1)?.is_empty() {
            return Ok(None);
        }
        Ok(view.index().facts()?.upstreams)
    });
    Ok(above.await?.unwrap_or_default().into_iter().map(|above| (above.name, above.key)).collect())
}

/// The registries of these keys that this server shows to whoever looks: by key, the name that they have here.
async fn shown_here(
    app: &Arc<App>,
    visitor: &Visitor,
    wanted: &BTreeSet<String>,
) -> Result<BTreeMap<String, String>, Problem> {
    let mut shown = BTreeMap::new();
    if wanted.is_empty() {
        return Ok(shown);
    }
    for name in visible(app, visitor).await? {
        let other = Asked::of_visitor(app, &visitor.asker, &name).await?;
        let keys = other.carry_out(|acting| {
            Ok(acting.view()?.keys().keys().iter().map(ToString::to_string).collect::<Vec<_>>())
        });
        // One that cannot be read just now is shown nowhere.
        let Ok(keys) = keys.await else { continue };
        shown.extend(keys.into_iter().filter(|key| wanted.contains(key)).map(|key| (key, name.clone())));
    }
    Ok(shown)
}

/// A promotion that waits, and what has become of it in the registry that it comes from.
fn looked_at(
    app: &App,
    shown_here: &BTreeMap<String, String>,
    (place, seen): (usize, Seen),
    at: Timestamp,
) -> WaitingPromotion {
    let Seen { request, approvable, approved } = seen;
    let below = match place < MOST_ASKED && approvable {
        true => promotions::below(app, &request, at),
        false => return WaitingPromotion { request, approvable, approved, below: BelowIt::Unasked },
    };
    let below = match below {
        Below::Offered => BelowIt::Offered,
        Below::Withdrawn { reason, .. } if shown_here.contains_key(&request.key) => {
            BelowIt::Withdrawn(reason)
        }
        Below::Withdrawn { .. } => BelowIt::Withdrawn(promotions::WITHDRAWN_BELOW.to_owned()),
        Below::Unknown => BelowIt::Unknown,
    };
    WaitingPromotion { request, approvable, approved, below }
}

/// `POST /{registry}/-/queue/admit`: a release that is held comes in, if the policy lets whoever asks have it in.
pub(crate) async fn admit(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let asker = &form.visitor.asker;
    let asked = Asked::of(&app, asker, &name).await?;
    asker.speaker()?;
    let id: ReleaseId = form.read("release")?;
    let reason = why(&form)?;
    let meant = id.clone();
    let held = asked.carry_out(move |acting| {
        let held = acting.view()?.index().held_of(&meant.name)?;
        Ok(held.into_iter().find(|held| held.hold.id == meant))
    });
    if form.saw_another(&held.await?.as_ref().map(seen::hold).unwrap_or_default())? {
        drop(asked);
        return shown_instead(app, name, &form, StatusCode::CONFLICT, CHANGED).await;
    }
    let wanted = AskedFor { name: id.name.clone(), range: Range::exact(&id.version), fluid: false };
    let what = Ask {
        requirements: vec![wanted],
        platform: id.platform.clone(),
        prefer: vec![id.clone()],
        ..Ask::default()
    };
    let refused = match brought(&app, asker, &asked, what, reason, &id).await {
        Ok(()) => {
            let done = Done::said(format!("`{id}` was admitted: whoever reads `{name}` gets it"));
            return Ok(go_told(&app, &form.visitor, &address::release(&name, &id), done));
        }
        Err(problem) => problem,
    };
    Accounting::of(&app, asker, Some(&name), ask::ADMITTED).about(id.to_string()).note(Err(refused)).await
}

/// Has a release that is held brought in. That it came is written down where everything is that comes from above.
async fn brought(
    app: &Arc<App>,
    asker: &Asker,
    asked: &Asked,
    what: Ask,
    reason: String,
    id: &ReleaseId,
) -> Result<(), Problem> {
    ask::asked_above(app, asker, asked, what, Some(reason)).await?;
    let wanted = id.clone();
    let found = asked.carry_out(move |acting| {
        let view = acting.view()?;
        Ok((view.index().release(&wanted)?.is_some(), view.index().held_of(&wanted.name)?))
    });
    match found.await? {
        (true, _) => Ok(()),
        (false, held) => Err(held_still(id, held.into_iter().find(|held| held.hold.id == *id))),
    }
}

fn held_still(id: &ReleaseId, held: Option<weir_index::HeldRelease>) -> Problem {
    match held {
        Some(held) => {
            let detail = format!("`{id}` is held still: {}", held.hold.reason);
            Problem::new(Code::NotAllowed, detail).by_policy(held.hold.policy)
        }
        None => Problem::new(
            Code::Conflict,
            format!("`{id}` did not come in: the registry above has it no longer, or what it needs is held"),
        ),
    }
}

/// `POST /{registry}/-/queue/approve`
pub(crate) async fn approve(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let (asked, request, reason) = of_promotion(&app, &name, &form).await?;
    // Others may have approved it meanwhile, and that changes nothing; but it is the form of a page that showed what it is.
    form.seen()?;
    let done = promotions::approved(&app, &form.visitor.asker, &asked, &request, Some(reason)).await;
    drop(asked);
    match done {
        Ok(KeptPromotion { already: true, receipt: None, .. }) => {
            let told = format!(
                "you have approved `{request}` already, and nothing was changed: it waits for others"
            );
            shown_instead(app, name, &form, StatusCode::OK, &told).await
        }
        Ok(KeptPromotion { request: kept, receipt, .. }) => {
            let what = kept.map_or(request, |kept| what(&kept));
            let came = match receipt {
                Some(_) => "and that was enough: it is here now",
                None => "and it waits for others",
            };
            decided(app, name, &form, Ok(format!("you approved {what}, {came}"))).await
        }
        Err(problem) => decided(app, name, &form, Err(problem)).await,
    }
}

/// What a promotion is of.
fn what(request: &PromotionRequest) -> String {
    match request.releases.as_slice() {
        [] => format!("`{}`", request.id),
        [one] => format!("`{one}`"),
        [others @ .., asked] => format!("`{asked}` and {} more", others.len()),
    }
}

/// `POST /{registry}/-/queue/refuse`
pub(crate) async fn refuse(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let (asked, request, reason) = of_promotion(&app, &name, &form).await?;
    let found = promotions::waiting(&app, &asked).await?;
    let seen = form.seen()?;
    // Who turns it down knows who has approved it.
    let is_another = |waits: &Seen| waits.request.id == request && seen::promotion(&waits.request) != seen;
    let done = match found.iter().any(is_another) {
        true => Err(Problem::new(Code::Conflict, CHANGED)),
        false => promotions::withdrawn(&app, &form.visitor.asker, &asked, &request, Some(reason)).await,
    };
    let done = done.map(|ended| {
        let became = if ended.by == asked.actor { "is taken back" } else { "is refused" };
        format!("the promotion of {} {became}", what(&ended))
    });
    drop(asked);
    decided(app, name, &form, done).await
}

/// Where whoever decided is led: back to what waits, which says what was done. If it waits no longer, or is another by now, that is told
/// there.
async fn decided(
    app: Arc<App>,
    name: String,
    form: &Form,
    done: Result<String, Problem>,
) -> Result<Response, Problem> {
    match done {
        Ok(done) => Ok(go_told(&app, &form.visitor, &address::queue(&name), Done::said(done))),
        Err(problem) if matches!(problem.status(), StatusCode::CONFLICT | StatusCode::NOT_FOUND) => {
            shown_instead(app, name, form, problem.status(), problem.detail()).await
        }
        Err(problem) => Err(problem),
    }
}

/// The queue as it is now, with what is told of a form.
async fn shown_instead(
    app: Arc<App>,
    name: String,
    form: &Form,
    status: StatusCode,
    notice: &str,
) -> Result<Response, Problem> {
    instead(status, queue(State(app), Path(name), form.visitor.told(notice)).await)
}

async fn of_promotion(app: &Arc<App>, name: &str, form: &Form) -> Result<(Asked, String, String), Problem> {
    let asked = Asked::of(app, &form.visitor.asker, name).await?;
    form.visitor.asker.speaker()?;
    let request = form.required("request")?;
    Ok((asked, request.to_owned(), why(form)?))
}

/// Who decides for others says why.
fn why(form: &Form) -> Result<String, Problem> {
    form.reason().ok_or_else(|| unreadable("say why: whoever asks about it later reads that"))
}
