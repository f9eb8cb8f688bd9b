//! Looking after a registry's policies: showing, checking and changing them, and asking what they decide.

mod place;
mod simulate;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;
use weir_cedar::{
    CaseResult, Cases, Explanation, FOLDER, Facts, GROUPS_FILE, MAX_FILE, PolicyFile, PolicyFiles, PolicySet,
    Problem, Question, Rule, SETS, TestError, TestedSet,
};
use weir_fs::Folder;
use weir_model::Sha256;
use weir_policy::{Caller, Principal, ReleaseFacts, Target, Verb};
use weir_wire::ADMINISTRATORS;
use weir_wire::people::WhoAmI;

use self::place::PolicyPlace;
pub use self::simulate::{Log, PolicyDifference, Simulated, Since, policy_simulate, simulate_on};
use crate::connect::{Connection, connect};
use crate::error::{Offline, ReachError};
use crate::registries::{KnownRegistry, ManifestRegistries, find, is_http};
use crate::server::reach_server;
use crate::session::Session;

/// Which registry is meant, as somebody says it.
#[derive(Clone, Copy)]
pub struct WhichRegistry<'a> {
    /// The project that it may be named in.
    pub project: Option<ManifestRegistries<'a>>,
    /// Its name, folder or address; the default one where nothing is said.
    pub named: Option<&'a str>,
    /// Where relative paths begin.
    pub folder: &'a Path,
}

impl WhichRegistry<'_> {
    /// The registry that is meant.
    ///
    /// # Errors
    ///
    /// When none is known by what was said.
    pub fn known(&self, session: &Session) -> Result<KnownRegistry, ReachError> {
        self.find(session)
    }

    pub(crate) fn find(&self, session: &Session) -> Result<KnownRegistry, ReachError> {
        find(session, self.project, self.named, self.folder)
    }
}

/// The policies of a registry.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ShownPolicy {
    /// The name the registry is known by here.
    pub registry: String,
    /// What the set is, in a few words.
    pub summary: String,
    /// The digest in force, by the log; none where the registry has no set of its own and goes by `folder`.
    pub digest: Option<Sha256>,
    /// Who put it in force.
    pub by: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// Whether the files of its folder are the set in force; unknown of one that is read from elsewhere.
    pub files_match: Option<bool>,
    /// The names of the files.
    pub files: Vec<String>,
    /// The rules, in their order.
    pub rules: Vec<Rule>,
    /// Whom the set itself puts into which group.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// What is wrong with the files, if they are no set.
    pub problems: Vec<Problem>,
}

/// Shows the policies in force.
///
/// # Errors
///
/// When the registry cannot be reached, or is not believed.
pub fn policy_show(session: &Session, which: WhichRegistry<'_>) -> Result<ShownPolicy, ReachError> {
    let connection = connect(session, &which.find(session)?)?;
    let known = &connection.known;
    let in_force = connection.replica.index().facts()?.policy;
    let mut shown = ShownPolicy {
        registry: known.name.clone(),
        summary: connection
            .replica
            .descriptor()
            .policy
            .as_ref()
            .map(|policy| policy.summary.clone())
            .unwrap_or_default(),
        digest: in_force.as_ref().map(|(digest, _)| *digest),
        by: in_force.as_ref().map(|(_, mark)| mark.by.clone()),
        at: in_force.as_ref().map(|(_, mark)| mark.at),
        files_match: None,
        files: Vec::new(),
        rules: Vec::new(),
        groups: BTreeMap::new(),
        problems: Vec::new(),
    };
    if is_http(&known.location) && shown.digest.is_none() {
        shown.summary = FOLDER.into();
    }
    let Some(read) = PolicyPlace::files_if_readable(session, known)? else { return Ok(shown) };
    shown.files_match = Some(read.as_ref().is_ok_and(|files| files.digest() == shown.digest));
    let set = read.and_then(|files| {
        shown.files = files.all().map(|file| file.name).collect();
        let is_own = files.digest().is_some();
        if is_own { PolicySet::new(&files) } else { PolicySet::new(&folder_files()?) }
    });
    match set {
        Ok(set) => {
            shown.summary = set.summary();
            shown.rules = set.rules().cloned().collect();
            shown.groups = set.groups().all().clone();
        }
        Err(error) => shown.problems = error.problems,
    }
    Ok(shown)
}

/// The set that a registry without one goes by, as files.
///
/// # Errors
///
/// Never: it comes with the program.
pub fn folder_files() -> Result<PolicyFiles, weir_cedar::PolicyError> {
    PolicyFiles::new(SETS.iter().filter(|set| set.name == FOLDER).map(weir_cedar::BuiltIn::file))
}

/// The files of a registry in a folder; of one without a set, those of the set that it goes by.
///
/// # Errors
///
/// When it is no folder, or they cannot be read.
pub fn policy_files(session: &Session, which: WhichRegistry<'_>) -> Result<PolicyFiles, ReachError> {
    let files = PolicyPlace::of(session, &which.find(session)?)?.files()??;
    Ok(if files.digest().is_some() { files } else { folder_files()? })
}

/// Reads what a user names: files, and folders with files.
///
/// # Errors
///
/// When one cannot be read, or they are no files of a policy set.
pub fn policy_files_named(paths: &[PathBuf]) -> Result<PolicyFiles, ReachError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.exists() {
            return Err(ReachError::NoFile { path: path.clone() });
        }
        if path.is_dir() {
            let folder = Folder::open(path).map_err(std::io::Error::from)?;
            files.extend(PolicyFiles::read_folder(&folder)?.all());
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = weir_fs::read_text(path, MAX_FILE).map_err(std::io::Error::from)?;
        files.push(PolicyFile { name, text });
    }
    Ok(PolicyFiles::new(files)?)
}

/// What was found out about the files of a set.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct CheckedPolicy {
    /// The names of the files.
    pub files: Vec<String>,
    /// The digest that it would have in force, if there is nothing wrong with it.
    pub digest: Option<Sha256>,
    /// Its rules.
    pub rules: Vec<Rule>,
    /// How many cases are written beside it.
    pub cases: usize,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// Checks files against the schema; what is wrong is in the report.
pub fn policy_check(files: &PolicyFiles) -> CheckedPolicy {
    let mut checked = CheckedPolicy {
        files: files.all().map(|file| file.name).collect(),
        digest: None,
        rules: Vec::new(),
        cases: 0,
        problems: Vec::new(),
    };
    match PolicySet::new(files) {
        Ok(set) => {
            checked.digest = Some(*set.digest());
            checked.rules = set.rules().cloned().collect();
        }
        Err(error) => checked.problems.extend(error.problems),
    }
    match Cases::read(files) {
        Ok(cases) => checked.cases = cases.len(),
        Err(error) => checked.problems.extend(error.problems),
    }
    checked
}

/// What became of the cases of a set.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct TestedPolicy {
    /// How many came out as they must.
    pub passed: usize,
    /// How many did not.
    pub failed: usize,
    /// Each, in the order in which they are written.
    pub cases: Vec<CaseResult>,
}

/// Has a set decide the cases that are written beside it.
///
/// # Errors
///
/// When the files are no set, or a case cannot be read.
pub fn policy_test(files: &PolicyFiles) -> Result<TestedPolicy, ReachError> {
    let (set, cases) = (PolicySet::new(files)?, Cases::read(files)?);
    let cases = cases.run(&set);
    let passed = cases.iter().filter(|case| case.passed).count();
    Ok(TestedPolicy { passed, failed: cases.len() - passed, cases })
}

/// A set that was put in force, or would be.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PolicyChange {
    /// The name the registry is known by here.
    pub registry: String,
    /// What the set is, in a few words.
    pub summary: String,
    /// Its digest.
    pub digest: Sha256,
    /// The digest that was in force before, if there was one.
    pub before: Option<Sha256>,
    /// Whether it is another one now, or would be.
    pub changed: bool,
    /// Whether it was only looked at.
    pub dry_run: bool,
    /// The names of its files.
    pub files: Vec<String>,
    /// How many rules it has.
    pub rules: usize,
    /// How many cases it passes.
    pub cases: usize,
}

/// How a set is put in force.
#[derive(Debug, Clone, Copy, Default)]
pub struct SetHow {
    /// Only say what would happen.
    pub dry_run: bool,
    /// Also a set by which whoever sets it could not change it again.
    pub lock_out: bool,
}

/// Puts a set in force: checked, tested by its cases, written into the registry's folder, and named in its log. Groups that
/// the registry has stay where `files` has none; where neither has any, whoever sets it is in `admins`.
///
/// # Errors
///
/// When it is no set, fails a case, would lock out whoever sets it, is not permitted, or cannot be written.
pub fn policy_set(
    session: &Session,
    which: WhichRegistry<'_>,
    files: PolicyFiles,
    how: SetHow,
) -> Result<PolicyChange, ReachError> {
    let known = which.find(session)?;
    if session.offline {
        return Err(Offline::needs(format!("asking the registry {}", known.location)).into());
    }
    let place = PolicyPlace::of(session, &known)?;
    let who = place.principal(session)?;
    let files = with_groups(files, &place, &who)?;
    let set = TestedSet::new(&files).map_err(|error| match error {
        TestError::Files(error) => error.into(),
        TestError::Cases { failed } => ReachError::PolicyCases { failed },
    })?;
    if !how.lock_out {
        refuse_lock_out(&Caller::new(who, session.now), &set)?;
    }
    let summary = set.summary();
    let mut change = PolicyChange {
        registry: known.name.clone(),
        summary: summary.summary.clone(),
        digest: summary.digest,
        before: None,
        changed: false,
        dry_run: how.dry_run,
        files: files.all().map(|file| file.name).collect(),
        rules: set.set().rules().count(),
        cases: set.cases(),
    };
    if how.dry_run {
        let in_force = connect(session, &known)?.replica.index().facts()?.policy;
        change.before = in_force.map(|(digest, _)| digest);
        change.changed = change.before != Some(change.digest);
        return Ok(change);
    }
    let done = place.put(session, &files, &summary, how.lock_out)?;
    Ok(PolicyChange { before: done.before, changed: done.changed, ..change })
}

fn with_groups(files: PolicyFiles, place: &PolicyPlace, who: &Principal) -> Result<PolicyFiles, ReachError> {
    if files.groups().is_some() {
        return Ok(files);
    }
    // What is there may be no set, which is why another is to come; its groups may still be good.
    let there = place.files()?.ok().and_then(|there| there.groups().map(str::to_owned));
    let text = match (there, who) {
        (Some(text), _) => text,
        // A server knows groups of its own.
        (None, Principal::User { name, .. }) if asks_for_groups(&files) && !place.has_groups() => {
            format!("# Who is in which group, by this set's own word.\nadmins = [{}]\n", toml_text(name))
        }
        (None, _) => return Ok(files),
    };
    let groups = PolicyFile { name: GROUPS_FILE.into(), text };
    Ok(PolicyFiles::new(files.all().chain([groups]))?)
}

fn asks_for_groups(files: &PolicyFiles) -> bool {
    files.rules().any(|(_, text)| text.contains("Group::\"admins\""))
}

fn toml_text(text: &str) -> String {
    toml_edit::Value::from(text).to_string().trim().to_owned()
}

/// A set that nobody can change again is a mistake more often than a wish.
fn refuse_lock_out(caller: &Caller, set: &TestedSet) -> Result<(), ReachError> {
    let decision = set.can_be_changed_by(caller);
    match decision.allowed {
        true => Ok(()),
        false => Err(ReachError::PolicyLocksOut {
            who: caller.principal().to_string(),
            rule: decision.policy.into_owned(),
            reason: decision.reason,
        }),
    }
}

/// Who one is to a registry: to a server whoever has signed in there, in the groups that it knows; else who uses this machine.
///
/// # Errors
///
/// When nobody has signed in at the server, or it is not reached.
pub fn policy_asker(session: &Session, which: WhichRegistry<'_>) -> Result<Principal, ReachError> {
    match PolicyPlace::of(session, &which.find(session)?) {
        // Nobody signs in where there are only files.
        Err(ReachError::PoliciesElsewhere { .. }) => Ok(session.principal.clone()),
        place => place?.principal(session),
    }
}

/// Somebody by the name that a user has with the registry's server, in the groups that it has them in, as far as whoever asks may see
/// that: of themselves everybody may, of others who governs the server. Of a folder, and of whom nothing is seen, it is what was said.
///
/// # Errors
///
/// When the registry is not known.
pub fn policy_member(
    session: &Session,
    which: WhichRegistry<'_>,
    who: Principal,
) -> Result<Principal, ReachError> {
    let known = which.find(session)?;
    let Principal::User { name, groups } = &who else { return Ok(who) };
    if session.offline || !is_http(&known.location) {
        return Ok(who);
    }
    let Ok(reached) = reach_server(session, Some(&known.location)) else { return Ok(who) };
    let themselves = || match reached.server.whoami() {
        Ok(WhoAmI::User { user, .. }) => vec![user],
        Ok(WhoAmI::Workload { .. }) | Err(_) => Vec::new(),
    };
    let seen = reached.server.users().unwrap_or_else(|_| themselves());
    let theirs = seen.into_iter().find(|user| user.name.as_str() == name).map(|user| user.groups);
    let theirs = theirs.into_iter().flatten().map(String::from);
    Ok(Principal::User { name: name.clone(), groups: groups.iter().cloned().chain(theirs).collect() })
}

/// What somebody wants explained.
#[derive(Debug, Clone)]
pub struct ExplainWhat {
    /// Who acts.
    pub principal: Principal,
    /// What they do.
    pub verb: Verb,
    /// To what.
    pub target: Target,
    /// What the release is, as far as it is said; what is not is as the registry has it, or else nothing special.
    pub facts: GivenFacts,
}

/// Facts of a release that is asked about.
#[derive(Debug, Clone, Default)]
pub struct GivenFacts {
    /// Its kind.
    pub kind: Option<weir_model::KindName>,
    /// Its licence.
    pub license: Option<String>,
    /// Bytes of its pack.
    pub size: Option<u64>,
    /// Bytes of its files.
    pub unpacked: Option<u64>,
    /// How many files it has.
    pub files: Option<u64>,
}

/// The answer to "may they", with what it was asked on.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ExplainedPolicy {
    /// Who.
    pub who: String,
    /// The action.
    pub action: String,
    /// To what.
    pub target: String,
    /// To whom the owner belongs, where somebody claimed it.
    pub owner_belongs_to: Option<Vec<String>>,
    /// The answer, and why.
    pub answer: Explanation,
}

/// Answers whether somebody may do something, and why.
///
/// # Errors
///
/// When the registry cannot be read, or its files are no set.
pub fn policy_explain(
    session: &Session,
    which: WhichRegistry<'_>,
    files: &PolicyFiles,
    what: ExplainWhat,
) -> Result<ExplainedPolicy, ReachError> {
    let known = which.find(session)?;
    let connection = connect(session, &known)?;
    let is_served = PolicyPlace::is_served(session, &known)?;
    let set = PolicySet::new(files)?;
    let claim =
        what.target.owner().map(|owner| connection.replica.index().owner(&owner)).transpose()?.flatten();
    let question = Question {
        facts: facts(&connection, &what)?,
        principal: what.principal,
        verb: what.verb,
        target: what.target,
        owner_belongs_to: claim.map(|claim| claim.who),
        at: session.now,
    };
    Ok(ExplainedPolicy {
        who: question.principal.to_string(),
        action: question.verb.as_str().to_owned(),
        target: question.target.to_string(),
        answer: question.ask(|request| match is_served {
            true => set.explain_behind_server(request, ADMINISTRATORS),
            false => set.explain(request),
        }),
        owner_belongs_to: question.owner_belongs_to,
    })
}

/// What is known of a release: what was said, else what the registry has of it.
fn facts(connection: &Connection, what: &ExplainWhat) -> Result<Option<Facts>, ReachError> {
    let Target::Release(id) = &what.target else { return Ok(None) };
    let index = connection.replica.index();
    let there = index.release(id)?;
    let kind = index.kind_of(&id.name)?;
    let known = match &there {
        Some(view) => ReleaseFacts::from(&view.release).published_at(view.mark.at).into(),
        None => Facts::of_kind(kind.unwrap_or_default()),
    };
    let given = &what.facts;
    Ok(Some(Facts {
        kind: given.kind.unwrap_or(known.kind),
        license: given.license.clone().or(known.license),
        size: given.size.unwrap_or(known.size),
        unpacked: given.unpacked.unwrap_or(known.unpacked),
        files: given.files.unwrap_or(known.files),
        confusable: kind.is_none() && index.confusable_with(&id.name)?.is_some(),
        advised: weir_registry::advised(index, None, id)?,
        ..known
    }))
}
