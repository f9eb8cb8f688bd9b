//! Pages about who may what: the policy of a registry, what happened, and who there is.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use weir_accounts::Accounts;
use weir_cedar::{FOLDER, Facts, PolicyFile, PolicyFiles, PolicySet, Question, SETS};
use weir_index::Index;
use weir_model::{ReleaseId, Version};
use weir_policy::{DoneTo, Principal, ReleaseFacts, Target, Verb};
use weir_registry::SubmitError;
use weir_web::{ActivityPage, Answer, Asked as AskedOf, PeoplePage, PolicyPage, address};
use weir_wire::activity::ActivityQuery;
use weir_wire::people::{ChangeUser, Invite, Invited};

use super::account::{administrators_only, go};
use super::form::{Form, unreadable};
use super::{Visitor, answer, pairs};
use crate::api::{Asked, people};
use crate::app::App;
use crate::files::blocking;
use crate::problem::Problem;

/// So many events are on a page.
const EVENTS: u32 = 50;

/// `GET /{registry}/-/policy`, and with `?who=…&verb=…&what=…` what it says to a question.
pub(crate) async fn policy(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let asked = Asked::of_visitor(&app, &visitor.asker, &name).await?;
    let question = question(query.as_deref().unwrap_or_default());
    let (frame, served, now) = (visitor.frame_of(&name), asked.served.clone(), visitor.asker.at);
    let signed_in = !visitor.asker.is_anonymous();
    let page = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let in_force = view.index().facts()?.policy;
        let files = PolicyFiles::read(served.folder.path()).map_err(std::io::Error::other)?;
        let own = files.digest().is_some();
        let files = if own { files } else { folder_files()? };
        let set = PolicySet::new(&files).map_err(std::io::Error::other)?;
        let rules: Vec<_> = set.rules().cloned().collect();
        // Who may do what is for who may act; its sentence is for all.
        let shown: Vec<PolicyFile> = if signed_in { files.all().collect() } else { Vec::new() };
        let asks = signed_in && !question.who.is_empty();
        let answered = asks.then(|| decide(&set, &question, view.index(), now)).transpose()?;
        let page = PolicyPage {
            frame: &frame,
            summary: &set.summary(),
            digest: in_force.map(|(digest, _)| digest.to_string()),
            rules: if signed_in { &rules } else { &[] },
            files: &shown,
            asked: &question,
            answer: answered.as_ref(),
        };
        Ok(page.page())
    });
    answer(&visitor, StatusCode::OK, page.await?)
}

/// The set that a registry without one goes by, as files.
fn folder_files() -> Result<PolicyFiles, SubmitError> {
    let files = PolicyFiles::new(SETS.iter().filter(|set| set.name == FOLDER).map(weir_cedar::BuiltIn::file));
    Ok(files.map_err(std::io::Error::other)?)
}

fn question(query: &str) -> AskedOf {
    let mut asked = AskedOf::default();
    for (name, value) in pairs(query) {
        let value: String = value.trim().chars().take(200).collect();
        match &*name {
            "who" => asked.who = value,
            "verb" => asked.verb = value,
            "what" => asked.what = value,
            _ => {}
        }
    }
    asked
}

/// What the set says to a question, or why it is none.
fn decide(set: &PolicySet, asked: &AskedOf, index: &Index, at: Timestamp) -> Result<Answer, SubmitError> {
    let (verb, principal) = match (asked.verb.parse::<Verb>(), asked.who.parse::<Principal>()) {
        (Ok(verb), Ok(principal)) => (verb, principal),
        (Err(error), _) => return Ok(Answer::Unclear(error)),
        (_, Err(error)) => return Ok(Answer::Unclear(error.to_string())),
    };
    let target = match target(verb, &asked.what) {
        Ok(target) => target,
        Err(reason) => return Ok(Answer::Unclear(reason)),
    };
    let id = match &target {
        Target::Release(id) => Some(id),
        Target::Registry | Target::Owner(_) => None,
    };
    let claim = target.owner().map(|owner| index.owner(&owner)).transpose()?.flatten();
    let question = Question {
        facts: id.map(|id| facts(index, id)).transpose()?,
        principal,
        verb,
        target,
        owner_belongs_to: claim.map(|claim| claim.who),
        at,
    };
    Ok(Answer::Decided(Box::new(question.ask(|request| set.explain(request)))))
}

fn target(verb: Verb, what: &str) -> Result<Target, String> {
    match verb.is_done_to() {
        DoneTo::Registry => Ok(Target::Registry),
        DoneTo::Owner => what
            .parse()
            .map(Target::Owner)
            .map_err(|_| format!("`{}` is done to an owner: name one", verb.as_str())),
        DoneTo::Release => {
            let named = what
                .split_once('@')
                .and_then(|(name, version)| Some((name.parse().ok()?, version.parse::<Version>().ok()?)));
            let (name, version) = named.ok_or_else(|| {
                format!("`{}` is done to a release: name one, as `owner/name@1.0.0`", verb.as_str())
            })?;
            Ok(Target::Release(ReleaseId {
                name,
                version,
                platform: weir_model::Platform::default(),
                revision: 0,
            }))
        }
    }
}

/// What is known of a release, or of one that nobody published, nothing special.
fn facts(index: &Index, id: &ReleaseId) -> Result<Facts, SubmitError> {
    let Some(view) = index.release(id)? else {
        return Ok(Facts::of_kind(index.kind_of(&id.name)?.unwrap_or_default()));
    };
    let facts = ReleaseFacts::from(&view.release).published_at(view.mark.at).into();
    Ok(Facts { upstream: view.origin.map(|origin| origin.registry), ..facts })
}

/// `GET /-/activity`
pub(crate) async fn activity(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Problem> {
    administrators_only(&visitor)?;
    let mut wanted = ActivityQuery { limit: Some(EVENTS), ..ActivityQuery::default() };
    for (name, value) in pairs(query.as_deref().unwrap_or_default()) {
        let value = value.trim();
        let said = || Some(value.chars().take(200).collect::<String>()).filter(|said| !said.is_empty());
        match &*name {
            "by" => wanted.actor = said(),
            "about" => wanted.subject = said(),
            "registry" => wanted.registry = said(),
            "refused" => wanted.refused = true,
            "before" => wanted.before = value.parse().ok(),
            _ => {}
        }
    }
    let query = wanted.clone();
    let found =
        blocking(move || app.activity.query(&query)).await.map_err(|error| Problem::internal(&error))?;
    let frame = visitor.frame();
    answer(&visitor, StatusCode::OK, ActivityPage { frame: &frame, query: &wanted, activity: &found }.page())
}

/// `GET /-/people`
pub(crate) async fn people_page(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Problem> {
    show(&app, &visitor, StatusCode::OK, None).await
}

/// `POST /-/people/invite`
pub(crate) async fn invite(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let invite = Invite { name: form.read("name")?, groups: form.list("groups")? };
    let invited = people::invited(&app, &form.visitor.asker, invite).await?;
    show(&app, &form.visitor, StatusCode::CREATED, Some(&invited)).await
}

/// `POST /-/people/change`
pub(crate) async fn change(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let name = form.field("name").unwrap_or_default().to_owned();
    let change = match form.field("what") {
        Some("groups") => ChangeUser { groups: Some(form.list("groups")?), disabled: None },
        Some("disable") => ChangeUser { groups: None, disabled: Some(true) },
        Some("enable") => ChangeUser { groups: None, disabled: Some(false) },
        _ => return Err(unreadable("it is not said what is to become of the user")),
    };
    people::changed(&app, &form.visitor.asker, name, change).await?;
    Ok(go(address::PEOPLE))
}

async fn show(
    app: &Arc<App>,
    visitor: &Visitor,
    status: StatusCode,
    invited: Option<&Invited>,
) -> Result<Response, Problem> {
    administrators_only(visitor)?;
    let users = people::on_accounts(app, Accounts::users).await?;
    let frame = visitor.frame();
    let page = PeoplePage { frame: &frame, users: &users, invited, now: visitor.asker.at };
    answer(visitor, status, page.page())
}
