//! The policy of a registry: its rules, what it says to a question, and another set in its place.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use weir_cedar::{
    Facts, MAX_FILES, PolicyError, PolicyFile, PolicyFiles, PolicySet, Question, TestError, TestedSet,
};
use weir_index::Index;
use weir_model::{ReleaseId, Version};
use weir_policy::{DoneTo, Principal, ReleaseFacts, Target, Verb};
use weir_reach::{Log, PolicyDifference, Simulated, Since, folder_files, simulate_on};
use weir_registry::{Acting, SubmitError};
use weir_web::{
    Answer, Asked as AskedOf, Changing, Differs, Done, PolicyPage, Simulation, SimulationFailed, address,
};
use weir_wire::policy::{PolicyDocument, PolicyInForce, PolicyText};

use super::account::go_told;
use super::form::{LargeForm, with_plain_lines};
use super::{Visitor, answer, pairs};
use crate::api::Asked;
use crate::api::policy::{may_govern, put_in_force};
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::{Code, Problem};
use crate::registries::Served;

/// So many of the newest entries of a log are replayed for a page: `weir policy simulate` replays all.
const REPLAYED: u64 = 20_000;

/// What is told whoever changes a set that was replaced meanwhile.
const STALE: &str = "it has changed since you looked, and nothing was done: another set is in force now, and its rules are below. What you wrote is there still: bring into it what is new, and simulate it again";

/// `GET /{registry}/-/policy`, and with `?who=…&verb=…&what=…` what it says to a question.
pub(crate) async fn policy(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let question = question(query.as_deref().unwrap_or_default());
    show(&app, &visitor, &name, question, None).await
}

/// `POST /{registry}/-/policy/simulate`: what a changed set would have said of what was published. Nothing is changed.
pub(crate) async fn simulate(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    LargeForm(form): LargeForm,
) -> Result<Response, Problem> {
    let asked = Asked::of(&app, &form.visitor.asker, &name).await?;
    may_govern(&form.visitor.asker, &asked).await?;
    let texts = texts(|field| form.as_typed(field));
    let (own, changed, registry) = (asked.served.clone(), texts.clone(), name.clone());
    let seen = form.seen()?.to_owned();
    let replayed = asked.carry_out(move |acting| {
        let present = files_in_force(own.folder.path())?;
        Ok(match seen != said_digest(&present) {
            true => None,
            false => Some(replay(acting, &registry, &present, changed)),
        })
    });
    let simulated = replayed.await?;
    drop(asked);
    let changed = match simulated {
        None => Changed::stale(texts),
        Some(simulated) => Changed {
            texts,
            status: if simulated.is_ok() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY },
            simulated: Some(simulated),
        },
    };
    show(&app, &form.visitor, &name, AskedOf::default(), Some(changed)).await
}

/// `POST /{registry}/-/policy/set`: puts a set in force that was simulated before.
pub(crate) async fn set(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    LargeForm(form): LargeForm,
) -> Result<Response, Problem> {
    let asker = &form.visitor.asker;
    let asked = Asked::of(&app, asker, &name).await?;
    let texts = texts(|field| form.as_typed(field));
    let seen = form.seen()?.to_owned();
    let problem = match put(&app, asker, &asked, texts.clone(), form.field("simulated"), seen).await {
        Ok(Some(PolicyInForce { changed, .. })) => {
            let when = if changed { "now" } else { "already" };
            let done = Done::said(format!("the set that you simulated is in force {when}, in `{name}`"));
            return Ok(go_told(&app, &form.visitor, &address::policy(&name), done));
        }
        Ok(None) => {
            drop(asked);
            let stale = Changed::stale(texts);
            return show(&app, &form.visitor, &name, AskedOf::default(), Some(stale)).await;
        }
        Err(problem) => problem,
    };
    // What somebody wrote is shown again with what is wrong with it. Who may not govern has no form on the page.
    let governs = may_govern(asker, &asked).await.is_ok();
    if !governs || !problem.status().is_client_error() {
        return Err(problem);
    }
    drop(asked);
    let failed = Err(SimulationFailed { reason: problem.detail().to_owned(), ..SimulationFailed::default() });
    let changed = Changed { texts, simulated: Some(failed), status: problem.status() };
    show(&app, &form.visitor, &name, AskedOf::default(), Some(changed)).await
}

/// A set as somebody typed it, and what came of that.
struct Changed {
    texts: Vec<PolicyFile>,
    /// Nothing, where another set came into force meanwhile.
    simulated: Option<Result<Simulation, SimulationFailed>>,
    status: StatusCode,
}

impl Changed {
    /// What somebody typed who looked at a set that is in force no longer.
    fn stale(texts: Vec<PolicyFile>) -> Self {
        Self { texts, simulated: None, status: StatusCode::CONFLICT }
    }
}

/// Puts the files of a form in force, if they are those that were simulated, and `seen` is in force still; else nothing.
async fn put(
    app: &Arc<App>,
    asker: &Asker,
    asked: &Asked,
    texts: Vec<PolicyFile>,
    simulated: Option<&str>,
    seen: String,
) -> Result<Option<PolicyInForce>, Problem> {
    let digest = PolicyFiles::new(texts.clone()).ok().and_then(|files| files.digest());
    if simulated != digest.map(|digest| digest.to_string()).as_deref() {
        return Err(Problem::new(
            Code::Conflict,
            "this set is another than the one that was simulated: simulate it first, and see what would differ",
        ));
    }
    let files = texts.into_iter().map(|PolicyFile { name, text }| PolicyText { name, text });
    let document = PolicyDocument { files: files.collect(), lock_out: false };
    let served = asked.served.clone();
    let is_meant = move || Ok(seen == said_digest(&files_in_force(served.folder.path())?));
    put_in_force(app, asker, asked, document, is_meant).await
}

/// The digest of a set, as its form brings it along.
fn said_digest(files: &PolicyFiles) -> String {
    files.digest().map(|digest| digest.to_string()).unwrap_or_default()
}

/// The files of a form. One without text is none any longer.
fn texts<'f>(typed: impl Fn(&str) -> &'f str) -> Vec<PolicyFile> {
    let file = |number: usize| {
        let (name, text) = (typed(&format!("name-{number}")), typed(&format!("text-{number}")));
        PolicyFile { name: name.trim().to_owned(), text: with_plain_lines(text) }
    };
    (0..=MAX_FILES).map(file).filter(|file| !file.text.trim().is_empty()).collect()
}

/// What would differ, or why the set is none.
fn replay(
    acting: &Acting,
    registry: &str,
    present: &PolicyFiles,
    changed: Vec<PolicyFile>,
) -> Result<Simulation, SimulationFailed> {
    let failed = |error: &dyn std::error::Error| SimulationFailed {
        reason: error.to_string(),
        ..SimulationFailed::default()
    };
    let wrong = |PolicyError { problems }| SimulationFailed { problems, ..SimulationFailed::default() };
    let changed = PolicyFiles::new(changed).map_err(wrong)?;
    // Its cases, too: what they say must hold before it can be put in force.
    let set = TestedSet::new(&changed).map_err(|error| match error {
        TestError::Files(error) => wrong(error),
        TestError::Cases { .. } => failed(&error),
    });
    let set = set?.into_set();
    let digest = set.digest().to_string();
    let present = PolicySet::new(present).map_err(|error| failed(&error))?;
    let view = acting.view().map_err(|error| failed(&error))?;
    let entries = view.index().position().map_err(|error| failed(&error))?.size;
    let keys = view.keys().clone();
    // Others may look meanwhile.
    drop(view);
    let source = acting.source().map_err(|error| failed(&error))?;
    let log = Log { registry, source: &*source, keys: &keys };
    let since = entries.saturating_sub(REPLAYED);
    let told = simulate_on(log, present, set, Since::Size(since)).map_err(|error| failed(&error))?;
    let Simulated { publications, not_replayed, different, differences, .. } = told;
    let differs = differences.into_iter().map(|one| {
        let PolicyDifference { index, at, by, release, permitted, rule, reason, rule_now } = one;
        Differs { index, at, by, release, permitted, rule, reason, rule_now }
    });
    Ok(Simulation { digest, since, publications, not_replayed, different, differs: differs.collect() })
}

/// The files by which a registry goes: its own, or those that every folder goes by.
fn files_in_force(root: &std::path::Path) -> Result<PolicyFiles, SubmitError> {
    let files = PolicyFiles::read(root).map_err(std::io::Error::other)?;
    Ok(if files.digest().is_some() { files } else { folder_files().map_err(std::io::Error::other)? })
}

/// The set that these files are. Reading one takes long, and is done already for the one that decides, and once for all that have none.
fn read_already(served: &Served, files: &PolicyFiles) -> Result<Arc<PolicySet>, SubmitError> {
    static FOLDER: OnceLock<Arc<PolicySet>> = OnceLock::new();
    let is_it = |set: &Arc<PolicySet>| files.digest().as_ref() == Some(set.digest());
    if let Some(set) = served.policy_set().or_else(|| FOLDER.get().cloned()).filter(is_it) {
        return Ok(set);
    }
    let set = Arc::new(PolicySet::new(files).map_err(std::io::Error::other)?);
    if PolicyFiles::read(served.folder.path()).is_ok_and(|own| own.digest().is_none()) {
        let _ = FOLDER.set(set.clone());
    }
    Ok(set)
}

async fn show(
    app: &Arc<App>,
    visitor: &Visitor,
    name: &str,
    question: AskedOf,
    changed: Option<Changed>,
) -> Result<Response, Problem> {
    // What was typed stays, and is simulated anew before it comes into the place of another set than the one that was looked at.
    let is_stale = changed.as_ref().is_some_and(|changed| changed.simulated.is_none());
    let visitor = &if is_stale { visitor.told(STALE) } else { visitor.clone() };
    let asked = Asked::of_visitor(app, &visitor.asker, name).await?;
    let signed_in = !visitor.asker.is_anonymous();
    let governs = signed_in && may_govern(&visitor.asker, &asked).await.is_ok();
    // How often a rule decided is told of what happened on the server: to those who may know that.
    let decided = match governs {
        true => {
            let (app, name) = (app.clone(), name.to_owned());
            let counted = blocking(move || app.activity.decided(&name)).await;
            counted.map_err(|error| Problem::internal(&error))?
        }
        false => BTreeMap::new(),
    };
    let status = changed.as_ref().map_or(StatusCode::OK, |changed| changed.status);
    let whom = whom(app, &visitor.asker, &question.who).await?;
    let (frame, served, now) = (visitor.frame_of(name), asked.served.clone(), visitor.asker.at);
    let page = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let in_force = view.index().facts()?.policy;
        let files = files_in_force(served.folder.path())?;
        let set = read_already(&served, &files)?;
        let rules: Vec<_> = set.rules().cloned().collect();
        // Who may do what is for who may act; its sentence is for all.
        let shown: Vec<PolicyFile> = if signed_in { files.all().collect() } else { Vec::new() };
        let asks = signed_in && !question.verb.is_empty();
        let answered = asks.then(|| decide(&set, &question, whom, view.index(), now)).transpose()?;
        let (texts, simulated) = changed.map(|changed| (changed.texts, changed.simulated)).unzip();
        let simulated = simulated.flatten();
        let changing = governs.then(|| Changing {
            files: texts.unwrap_or_else(|| shown.clone()),
            seen: said_digest(&files),
            in_force: if is_stale { &shown } else { &[] },
            simulated: simulated.as_ref(),
        });
        let page = PolicyPage {
            frame: &frame,
            summary: &set.summary(),
            parts: &files.parts(),
            digest: in_force.map(|(digest, _)| digest.to_string()),
            rules: if signed_in { &rules } else { &[] },
            decided: &decided,
            files: &shown,
            asked: &question,
            answer: answered.as_ref(),
            changing: changing.as_ref(),
        };
        Ok(page.page())
    });
    answer(visitor, status, page.await?)
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

/// Whom a question is about, in the groups that the server has them in: whoever asks, where they name nobody or themselves; others where an
/// administrator asks, and else in no group. Why it is nobody, in words, where it is.
async fn whom(app: &Arc<App>, asker: &Asker, who: &str) -> Result<Result<Principal, String>, Problem> {
    if let Some(own) = asker.audience().filter(|own| who.is_empty() || own.to_string() == who) {
        return Ok(Ok(own));
    }
    let named = match who.parse::<Principal>() {
        Ok(named) => named,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let name = match &named {
        Principal::User { name, .. } if asker.administrator().is_ok() => name.parse().ok(),
        _ => None,
    };
    let Some(name) = name else { return Ok(Ok(named)) };
    let app = app.clone();
    let user = blocking(move || app.accounts.user(&name)).await;
    Ok(Ok(user.map_or(named, |user| user.principal())))
}

/// What the set says to a question, or why it is none.
fn decide(
    set: &PolicySet,
    asked: &AskedOf,
    whom: Result<Principal, String>,
    index: &Index,
    at: Timestamp,
) -> Result<Answer, SubmitError> {
    let (verb, principal) = match (asked.verb.parse::<Verb>(), whom) {
        (Ok(verb), Ok(principal)) => (verb, principal),
        (Err(error), _) | (_, Err(error)) => return Ok(Answer::Unclear(error)),
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
    let advised = weir_registry::advised(index, None, id)?;
    Ok(Facts { advised, upstream: view.origin.map(|origin| origin.registry), ..facts })
}
