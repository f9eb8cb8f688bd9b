//! `weir policy …`: who may do what in a registry, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use weir_cedar::{BuiltIn, Effect, Near, PolicyFiles, Problem, RULES, Rule, SETS, find};
use weir_model::{KindName, Platform, ReleaseId};
use weir_policy::{DoneTo, Principal, Target, Verb};
use weir_project::Project;
use weir_reach::{
    CheckedPolicy, ExplainWhat, ExplainedPolicy, GivenFacts, SetHow, ShownPolicy, Simulated, Since,
    WhichRegistry,
};

use crate::arguments::{DryRun, PackageAtVersion, any_kind};
use crate::context::Context;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{Cell, Page, count, harmless, harmless_line};

/// Show, check, change and question the policies of a registry
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    Show(ShowArguments),
    Check(CheckArguments),
    Set(SetArguments),
    Test(TestArguments),
    Explain(Box<ExplainArguments>),
    Simulate(SimulateArguments),
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Show(arguments) => show(context, &arguments),
        Command::Check(arguments) => check(context, &arguments),
        Command::Set(arguments) => set(context, &arguments),
        Command::Test(arguments) => test(context, &arguments),
        Command::Explain(arguments) => explain(context, *arguments),
        Command::Simulate(arguments) => simulate(context, &arguments),
    }
}

/// Show the policies in force: each rule, who put them there, and when
#[derive(Debug, Args)]
#[command(after_help = examples!("weir policy show", "weir policy show org --json"))]
pub(crate) struct ShowArguments {
    /// A name, a folder or an address; the default registry where nothing is said
    #[arg(value_name = "REGISTRY")]
    which: Option<String>,
}

/// Check policy files: what is wrong, where, and what was probably meant
#[derive(Debug, Args)]
#[command(after_help = examples!("weir policy check", "weir policy check policy/team.cedar policy/groups.toml"))]
pub(crate) struct CheckArguments {
    /// Files (`*.cedar`, `groups.toml`, and cases in other `*.toml`) or folders; the registry's own where nothing is said
    files: Vec<PathBuf>,
}

/// A set: of files, or one that comes with the program.
#[derive(Debug, Args)]
struct Chosen {
    /// Files (`*.cedar`, `groups.toml`, and cases in other `*.toml`) or folders
    files: Vec<PathBuf>,
    /// A set that comes with the program
    #[arg(long, value_name = "NAME", value_parser = built_in(&SETS))]
    built_in: Option<String>,
    /// Add a rule that comes with the program; may be repeated
    #[arg(long = "with", value_name = "RULE", value_parser = built_in(&RULES))]
    with: Vec<String>,
}

fn built_in(among: &'static [BuiltIn]) -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(among.iter().map(|built_in| built_in.name))
}

/// Put a policy set in force
///
/// It is checked, tested by the cases beside it, written into the registry's folder, and named in its log, which its key signs.
/// From then on it decides on every change. Groups that the registry has stay where the files have none.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir policy set --built-in team",
    "weir policy set --built-in curated --with licenses --with size",
    "weir policy set policy/team.cedar policy/groups.toml --dry-run",
))]
pub(crate) struct SetArguments {
    #[command(flatten)]
    chosen: Chosen,
    /// Also a set by which you could not change the policies again
    #[arg(long)]
    lock_out: bool,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Have a policy set decide the cases that are written beside it
#[derive(Debug, Args)]
#[command(after_help = examples!("weir policy test", "weir policy test policy"))]
pub(crate) struct TestArguments {
    /// Files or folders; the registry's own where nothing is said
    files: Vec<PathBuf>,
}

/// Say whether somebody may do something, which rules decide, and what is missing
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir policy explain publish acme/str@1.0.0",
    "weir policy explain publish acme/str@1.0.0 --as user:bob --group team --license GPL-3.0-only",
    "weir policy explain govern --as user:bob",
))]
pub(crate) struct ExplainArguments {
    /// What is done
    #[arg(value_parser = action())]
    action: Verb,
    /// To what: a release (`owner/name@version`), an owner, or nothing for the registry
    target: Option<String>,
    /// Who does it: `anonymous`, `user:NAME` or `workload:SUBJECT`; you, where nothing is said. A user of a server is in the groups that it
    /// says, where you may see that
    #[arg(long = "as", value_name = "WHO")]
    who: Option<Principal>,
    /// A group that they are in; may be repeated
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// Of a workload, who vouches for it
    #[arg(long, value_name = "ADDRESS", default_value = "")]
    issuer: String,
    /// Of a workload, what else is said of it: `NAME=VALUE`; may be repeated
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<String>,
    /// The release's platform
    #[arg(long)]
    platform: Option<Platform>,
    /// The release's kind
    #[arg(long, value_parser = any_kind())]
    kind: Option<KindName>,
    /// The release's licence
    #[arg(long)]
    license: Option<String>,
    /// Bytes of its pack
    #[arg(long, value_name = "BYTES")]
    size: Option<u64>,
    /// Bytes of its files
    #[arg(long, value_name = "BYTES")]
    unpacked: Option<u64>,
    /// How many files it has
    #[arg(long, value_name = "NUMBER")]
    files: Option<u64>,
    /// Ask these files instead of the registry's own; may be repeated
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
}

fn action() -> impl TypedValueParser<Value = Verb> {
    PossibleValuesParser::new(Verb::ALL.map(Verb::as_str)).try_map(|word| word.parse::<Verb>())
}

/// Replay what was published against a changed set, and show what would differ
///
/// People are in the groups that each set itself says: those of a server are not in the log.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir policy simulate policy-new --since 2026-11-01",
    "weir policy simulate --built-in curated --with licenses --since 0",
))]
pub(crate) struct SimulateArguments {
    #[command(flatten)]
    chosen: Chosen,
    /// From which record, day or time on
    #[arg(long, value_name = "SIZE-OR-DATE")]
    since: Since,
}

/// The files of a command that takes some, or else the registry's own.
fn files_or_own(
    context: &Context,
    files: &[PathBuf],
    own: impl FnOnce() -> Result<PolicyFiles, Failure>,
) -> Result<PolicyFiles, Failure> {
    if files.is_empty() {
        return own();
    }
    let paths: Vec<PathBuf> = files.iter().map(|path| context.path(path)).collect::<Result<_, _>>()?;
    Ok(weir_reach::policy_files_named(&paths)?)
}

impl Chosen {
    fn files(&self, context: &Context) -> Result<PolicyFiles, Failure> {
        let named = self.built_in.iter().map(|name| (&SETS[..], name));
        let rules = self.with.iter().map(|name| (&RULES[..], name));
        let built_in: Vec<_> = named.chain(rules).filter_map(|(among, name)| find_in(among, name)).collect();
        if self.built_in.is_some() && !self.files.is_empty() {
            return Err(Failure::usage("files and `--built-in` are two sets: name one"));
        }
        if self.built_in.is_none() && self.files.is_empty() {
            return Err(Failure::usage("no set is named").with_help("name files, or `--built-in NAME`"));
        }
        let own = files_or_own(context, &self.files, || Ok(PolicyFiles::default()))?;
        let files = own.all().chain(built_in.iter().map(|built_in| built_in.file()));
        Ok(PolicyFiles::new(files).map_err(weir_reach::ReachError::from)?)
    }
}

fn find_in(among: &'static [BuiltIn], name: &str) -> Option<&'static BuiltIn> {
    find(among, name)
}

fn show(context: &Context, arguments: &ShowArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let (project, folder) = (context.project_if_any()?, context.folder()?);
    let which = WhichRegistry {
        project: project.as_ref().map(Project::registries),
        named: arguments.which.as_deref(),
        folder: &folder,
    };
    let shown = weir_reach::policy_show(&session, which)?;
    context.output.answer(&shown, |page| show_policy(page, &shown))?;
    Ok(if shown.files_match == Some(false) { failure::ending(Exit::Integrity) } else { ExitCode::SUCCESS })
}

fn show_policy(page: &mut Page, shown: &ShownPolicy) {
    let bad = page.palette.bad;
    page.heading(&shown.registry);
    let digest = shown
        .digest
        .map_or_else(|| "none of its own: what every folder goes by".to_owned(), |digest| digest.to_string());
    page.facts(&[
        ("set", shown.summary.clone()),
        ("digest", digest),
        ("set by", shown.by.clone().unwrap_or_default()),
        ("since", shown.at.map(|at| at.to_string()).unwrap_or_default()),
        ("files", shown.files.join(", ")),
    ]);
    if shown.files_match == Some(false) {
        page.line(format!("{bad}✗{bad:#} The files are not the set in force: nothing is changed here until `weir policy set`"));
    }
    show_problems(page, &shown.problems);
    show_rules(page, &shown.rules);
    for (group, people) in &shown.groups {
        let people: Vec<&str> = people.iter().map(String::as_str).collect();
        page.line(format!("group {}: {}", harmless(group), harmless(&people.join(", "))));
    }
    if shown.files_match.is_none() {
        page.line("Its rules are in its folder, which cannot be seen from here");
    }
}

fn show_rules(page: &mut Page, rules: &[Rule]) {
    let (good, bad, name, faint) =
        (page.palette.good, page.palette.bad, page.palette.name, page.palette.faint);
    let row = |rule: &Rule| {
        let effect = match rule.effect {
            Effect::Permit => Cell::new("permit", good),
            Effect::Forbid => Cell::new("forbid", bad),
        };
        let place = format!("{}:{}", rule.file, rule.line);
        let reason = rule.reason.as_deref().unwrap_or_default();
        vec![effect, Cell::new(&rule.id, name), Cell::new(place, faint), Cell::plain(reason)]
    };
    page.entries(rules.iter().map(row).collect());
}

fn show_problems(page: &mut Page, problems: &[Problem]) {
    let bad = page.palette.bad;
    for problem in problems {
        page.line(format!("{bad}✗{bad:#} {}", harmless(&problem.to_string())));
    }
}

/// The registry's own files: what a command that names none is about.
fn own_files(context: &Context) -> Result<PolicyFiles, Failure> {
    let session = context.session()?;
    let (project, folder) = (context.project_if_any()?, context.folder()?);
    let which =
        WhichRegistry { project: project.as_ref().map(Project::registries), named: None, folder: &folder };
    Ok(weir_reach::policy_files(&session, which)?)
}

fn check(context: &Context, arguments: &CheckArguments) -> Result<ExitCode, Failure> {
    let files = files_or_own(context, &arguments.files, || own_files(context))?;
    let checked = weir_reach::policy_check(&files);
    context.output.answer(&checked, |page| show_checked(page, &checked))?;
    Ok(if checked.problems.is_empty() { ExitCode::SUCCESS } else { failure::ending(Exit::Failed) })
}

fn show_checked(page: &mut Page, checked: &CheckedPolicy) {
    let good = page.palette.good;
    show_problems(page, &checked.problems);
    if checked.problems.is_empty() {
        let (rules, cases) = (count(checked.rules.len(), "rule"), count(checked.cases, "case"));
        page.line(format!("{good}✓{good:#} A set of {rules}, with {cases} beside it"));
        show_rules(page, &checked.rules);
    }
}

fn set(context: &Context, arguments: &SetArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let (project, folder) = (context.project_if_any()?, context.folder()?);
    let which =
        WhichRegistry { project: project.as_ref().map(Project::registries), named: None, folder: &folder };
    let files = arguments.chosen.files(context)?;
    let how = SetHow { dry_run: arguments.dry_run.dry_run, lock_out: arguments.lock_out };
    let change = weir_reach::policy_set(&session, which, files, how)?;
    context.output.act(how.dry_run, &change, |page| {
        let good = page.palette.good;
        let word = match (change.changed, how.dry_run) {
            (true, false) => format!("{good}In force{good:#} in"),
            (true, true) => "Would be in force in".to_owned(),
            (false, _) => "In force already in".to_owned(),
        };
        page.line(format!("{word} `{}`: {}", harmless(&change.registry), harmless(&change.summary)));
        page.line(format!("{} (`{}`)", change.digest, change.files.join("`, `")));
        if change.cases > 0 {
            page.line(format!("It decides as its {} say", count(change.cases, "case")));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn test(context: &Context, arguments: &TestArguments) -> Result<ExitCode, Failure> {
    let files = files_or_own(context, &arguments.files, || own_files(context))?;
    let tested = weir_reach::policy_test(&files)?;
    context.output.answer(&tested, |page| {
        let (good, bad) = (page.palette.good, page.palette.bad);
        for case in &tested.cases {
            let name = harmless(&case.name);
            if case.passed {
                page.line(format!("{good}✓{good:#} {name}"));
            } else {
                page.line(format!("{bad}✗{bad:#} {name} ({})", case.file));
                let expected = harmless(&case.expected).into_owned();
                page.line(format!(
                    "    expected {expected}, decided {}: {}",
                    harmless(&case.decided),
                    harmless_line(&case.reason)
                ));
            }
        }
        page.line(format!("{} passed, {} failed", tested.passed, tested.failed));
    })?;
    Ok(if tested.failed == 0 { ExitCode::SUCCESS } else { failure::ending(Exit::Failed) })
}

fn explain(context: &Context, arguments: ExplainArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let (project, folder) = (context.project_if_any()?, context.folder()?);
    let which =
        WhichRegistry { project: project.as_ref().map(Project::registries), named: None, folder: &folder };
    let files = files_or_own(context, &arguments.policy, || own_files(context))?;
    let who = match &arguments.who {
        Some(who) => weir_reach::policy_member(&session, which, who.clone())?,
        None => weir_reach::policy_asker(&session, which)?,
    };
    let what = ExplainWhat {
        target: target(&arguments)?,
        principal: principal(&arguments, who)?,
        verb: arguments.action,
        facts: GivenFacts {
            kind: arguments.kind,
            license: arguments.license,
            size: arguments.size,
            unpacked: arguments.unpacked,
            files: arguments.files,
        },
    };
    let explained = weir_reach::policy_explain(&session, which, &files, what)?;
    context.output.answer(&explained, |page| show_explained(page, &explained))?;
    Ok(ExitCode::SUCCESS)
}

/// Who is asked about, with what is said of them.
fn principal(arguments: &ExplainArguments, who: Principal) -> Result<Principal, Failure> {
    let in_groups: BTreeSet<String> = arguments.groups.iter().cloned().collect();
    Ok(match who {
        Principal::Anonymous => Principal::Anonymous,
        Principal::User { name, groups } => {
            Principal::User { name, groups: groups.into_iter().chain(in_groups).collect() }
        }
        Principal::Workload { issuer, subject, .. } => Principal::Workload {
            issuer: if arguments.issuer.is_empty() { issuer } else { arguments.issuer.clone() },
            subject,
            claims: claims(&arguments.claims)?,
            acts_for: in_groups.iter().map(|group| format!("group:{group}")).collect(),
        },
    })
}

/// Claims, as they are typed.
pub(super) fn claims(given: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |claim: &String| {
        let (name, value) = claim.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    given
        .iter()
        .map(|claim| pair(claim).ok_or_else(|| Failure::usage(format!("`{claim}` is not `NAME=VALUE`"))))
        .collect()
}

/// What an action is done to; which sort of thing that is, the action says.
fn target(arguments: &ExplainArguments) -> Result<Target, Failure> {
    let wrong = |wanted: &str| Failure::usage(format!("`{}` is done to {wanted}", arguments.action.as_str()));
    let given = arguments.target.as_deref();
    match arguments.action.is_done_to() {
        DoneTo::Registry => match given {
            None => Ok(Target::Registry),
            Some(_) => Err(wrong("the registry as a whole, which needs no name")),
        },
        DoneTo::Owner => {
            let given = given.ok_or_else(|| wrong("an owner: name one"))?;
            given
                .parse()
                .map(Target::Owner)
                .map_err(|error: weir_model::NameError| Failure::usage(error.to_string()))
        }
        DoneTo::Release => {
            let given = given.ok_or_else(|| wrong("a release: name one, as `owner/name@1.0.0`"))?;
            let PackageAtVersion { name, version } =
                given.parse().map_err(|error: String| Failure::usage(error))?;
            let platform = arguments.platform.clone().unwrap_or_default();
            Ok(Target::Release(ReleaseId { name, version, platform, revision: 0 }))
        }
    }
}

fn show_explained(page: &mut Page, explained: &ExplainedPolicy) {
    let (good, bad, faint) = (page.palette.good, page.palette.bad, page.palette.faint);
    let answer = &explained.answer;
    let who = harmless(&explained.who).into_owned();
    let what = format!("`{}` {}", explained.action, explained.target);
    if answer.allowed {
        page.line(format!("{good}Yes{good:#}: `{who}` may {what}"));
    } else {
        page.line(format!("{bad}No{bad:#}: `{who}` may not {what}"));
    }
    page.line(format!("{} (policy `{}`)", harmless_line(&answer.reason), answer.rule));
    if let Some(holders) = &explained.owner_belongs_to {
        page.line(format!("The owner belongs to {}", harmless(&holders.join(", "))));
    }
    show_rules(page, &answer.deciding);
    for failed in &answer.failed {
        page.line(format!("{bad}✗{bad:#} `{}` cannot be evaluated: {}", failed.id, harmless(&failed.told)));
    }
    for near in &answer.nearest {
        show_near(page, near);
    }
    if !answer.nearest.is_empty() {
        page.line(format!("{faint}What would permit it, the nearest first; ✗ does not hold{faint:#}"));
    }
}

fn show_near(page: &mut Page, near: &Near) {
    let (bad, name, faint) = (page.palette.bad, page.palette.name, page.palette.faint);
    let reason = near.reason.as_deref().unwrap_or_default();
    page.line(format!(
        "{name}{}{name:#} {faint}{}:{}{faint:#} {}",
        near.id,
        near.file,
        near.line,
        harmless_line(reason)
    ));
    for missing in &near.missing {
        page.line(format!("  {bad}✗{bad:#} {}", harmless(&missing.clause)));
        for value in &missing.values {
            page.line(format!("      {faint}{}{faint:#}", harmless(value)));
        }
        if let Some(error) = &missing.error {
            page.line(format!("      {}", harmless(error)));
        }
    }
}

fn simulate(context: &Context, arguments: &SimulateArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let (project, folder) = (context.project_if_any()?, context.folder()?);
    let which =
        WhichRegistry { project: project.as_ref().map(Project::registries), named: None, folder: &folder };
    let changed = arguments.chosen.files(context)?;
    let present = own_files(context)?;
    let simulated = weir_reach::policy_simulate(&session, which, &present, &changed, arguments.since)?;
    context.output.answer(&simulated, |page| show_simulated(page, &simulated))?;
    Ok(ExitCode::SUCCESS)
}

fn show_simulated(page: &mut Page, simulated: &Simulated) {
    let (good, bad) = (page.palette.good, page.palette.bad);
    for one in &simulated.differences {
        let word =
            if one.permitted { format!("{good}permit{good:#}") } else { format!("{bad}forbid{bad:#}") };
        let by = harmless(&one.by).into_owned();
        page.line(format!(
            "{word} `{}` by {by}, {}: {} (policy `{}`)",
            one.release,
            one.at,
            harmless_line(&one.reason),
            one.rule
        ));
    }
    let publications = count(simulated.publications, "publication");
    page.line(format!(
        "{publications}: {} decided as now, {} otherwise",
        simulated.same, simulated.different
    ));
    let faint = page.palette.faint;
    page.line(format!(
        "{faint}Not replayed: {} from registries above or below, and what was held, withdrawn or approved{faint:#}",
        count(simulated.not_replayed, "release")
    ));
}
