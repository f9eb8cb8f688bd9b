//! `weir registry …`: registries, as this machine knows them and as their keepers keep them.

mod adopt;
mod carry;
mod compact;
mod deltas;
mod held;
mod retention;
mod site;
mod upstream;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use weir_log::Origin;
use weir_model::KindName;
use weir_model::manifest::RegistryAddress;
use weir_project::Project;
use weir_reach::{KnownRegistry, Place, ShownRegistry, Verify};
use weir_registry::{Collect, NewRegistry, RegistryAudit, Why};
use weir_wire::people::WantedRegistry;

use super::login::reach;
use super::token::ServerOption;
use crate::arguments::{DryRun, handled_kind};
use crate::context::Context;
use crate::documents::registry::{KnownRegistries, Renewed};
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{Cell, Page, bytes, count, harmless};
use crate::question;

/// Make, name, look at and keep registries
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(InitArguments),
    Create(CreateArguments),
    #[command(visible_alias = "ls")]
    List(ListArguments),
    Add(AddArguments),
    #[command(visible_alias = "rm")]
    Remove(RemoveArguments),
    Show(WhichArguments),
    Capabilities(CapabilitiesArguments),
    Verify(VerifyArguments),
    Gc(GcArguments),
    Deltas(deltas::DeltasArguments),
    Compact(compact::CompactArguments),
    Renew(RenewArguments),
    RotateKey(RotateKeyArguments),
    Bind(BindArguments),
    #[command(subcommand)]
    Upstream(upstream::Command),
    Held(held::Arguments),
    Adopt(adopt::Arguments),
    #[command(subcommand)]
    Retention(retention::Command),
    Site(site::Arguments),
    Export(carry::ExportArguments),
    Import(carry::ImportArguments),
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(arguments) => init(context, arguments),
        Command::Create(arguments) => create(context, arguments),
        Command::List(_) => list(context),
        Command::Add(arguments) => add(context, arguments),
        Command::Remove(arguments) => remove(context, &arguments),
        Command::Show(arguments) => show(context, &arguments),
        Command::Capabilities(arguments) => capabilities(context, &arguments),
        Command::Verify(arguments) => verify(context, &arguments),
        Command::Gc(arguments) => gc(context, &arguments),
        Command::Deltas(arguments) => deltas::run(context, &arguments),
        Command::Compact(arguments) => compact::run(context, &arguments),
        Command::Renew(arguments) => renew(context, &arguments),
        Command::RotateKey(arguments) => rotate_key(context, &arguments),
        Command::Bind(arguments) => bind(context, &arguments),
        Command::Upstream(command) => upstream::run(context, command),
        Command::Held(_) => held::run(context),
        Command::Adopt(arguments) => adopt::run(context, arguments),
        Command::Retention(command) => retention::run(context, command),
        Command::Site(arguments) => site::run(context, &arguments),
        Command::Export(arguments) => carry::export(context, arguments),
        Command::Import(arguments) => carry::import(context, &arguments),
    }
}

/// Make a registry in a folder
///
/// The folder is all there is to it: any web server can serve it for reading. The key that signs for
/// it is made and kept in this machine's home; only who has it can publish.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir registry init /srv/registry --name org --default",
    "weir registry init registry --name org --closed",
))]
pub(crate) struct InitArguments {
    /// The folder; empty, or not there yet
    folder: PathBuf,
    /// Its name, by which manifests and checkpoints mean it; the folder's where nothing is said
    #[arg(long)]
    name: Option<String>,
    /// Promise never to show a release whose dependency is missing
    #[arg(long)]
    closed: bool,
    /// Take only packages of this kind; may be repeated. All kinds where nothing is said
    #[arg(long = "kind", value_name = "KIND", value_parser = handled_kind())]
    kinds: Vec<KindName>,
    /// Have checkpoints expire after this many days, so that a mirror that stands still shows
    #[arg(long, value_name = "DAYS")]
    expires: Option<u32>,
    /// Also make it the one that this user's projects use where they name none
    #[arg(long)]
    default: bool,
    /// Go on without asking where another registry has the name
    #[arg(long, short)]
    yes: bool,
}

/// Make a registry on a server: for its administrators
///
/// The key that signs for it is made and kept by the server.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir registry create team --server https://weir.example",
    "weir registry create internal --closed --kind native",
    "weir registry create public --policy open",
))]
pub(crate) struct CreateArguments {
    /// Its name: the part of its address, and the name that manifests and checkpoints mean it by
    name: String,
    /// Promise never to show a release whose dependency is missing
    #[arg(long)]
    closed: bool,
    /// Take only packages of this kind; may be repeated. All kinds where nothing is said
    #[arg(long = "kind", value_name = "KIND", value_parser = handled_kind())]
    kinds: Vec<KindName>,
    /// Have checkpoints expire after this many days, so that a mirror that stands still shows
    #[arg(long, value_name = "DAYS")]
    expires: Option<u32>,
    /// The built-in policy set that it goes by at first: `team`, `closed`, `open`, `curated` or `folder`
    #[arg(long, value_name = "SET", default_value = "team")]
    policy: String,
    #[command(flatten)]
    server: ServerOption,
}

/// Which registry.
#[derive(Debug, Args)]
struct Which {
    /// A name, a folder or an address; the default registry where nothing is said
    #[arg(value_name = "REGISTRY")]
    which: Option<String>,
}

/// List the registries that are known here
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry list"))]
pub(crate) struct ListArguments {}

/// Name a registry, for the project or, with `--user`, for this user
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir registry add org https://weir.example/org --default",
    "weir registry add local ../registry --key org+1c2d3e4f+AbC…",
))]
pub(crate) struct AddArguments {
    /// The name
    name: String,
    /// A folder, or an address
    #[arg(value_name = "FOLDER-OR-ADDRESS")]
    url: String,
    /// The key that must sign for it; trusted on first use where nothing is said
    #[arg(long)]
    key: Option<String>,
    /// Make it the one that unmarked dependencies come from
    #[arg(long)]
    default: bool,
    /// Name it in this user's configuration, for all projects
    #[arg(long)]
    user: bool,
    /// Go on without asking where another registry has the name
    #[arg(long, short)]
    yes: bool,
}

/// Forget a registry's name, and what is known of it here
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry remove org"))]
pub(crate) struct RemoveArguments {
    /// The name
    name: String,
}

/// Show what a registry is, offers and is signed by
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry show", "weir registry show https://weir.example/org"))]
pub(crate) struct WhichArguments {
    #[command(flatten)]
    which: Which,
}

/// Find out what is at an address, and what Weir can do there
///
/// It is asked, and nothing is believed or kept: a server of Weir, a registry that it serves or that is served as plain files, a folder, a
/// registry of Elm packages or of containers, or none of these.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir registry capabilities https://weir.example/org",
    "weir registry capabilities https://weir.example --json",
))]
pub(crate) struct CapabilitiesArguments {
    #[command(flatten)]
    which: Which,
}

/// Recompute everything a registry claims: its log, its view, its content and its promises
///
/// Of a registry in a folder every byte is read. One that is served over HTTP is asked whether it has all that
/// its log names, in the right sizes, and nothing that is quarantined; `--content` has all of it fetched and checked.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry verify org", "weir registry verify https://weir.example/org --content"))]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    which: Which,
    /// Read the bytes of all content also over HTTP: everything the registry offers travels
    #[arg(long)]
    content: bool,
}

/// Remove from a registry's storage what it need not hold
///
/// That is what interrupted publications left behind, once it is a day old, and with `--removed-for` also
/// what belongs to removed releases only. Quarantined content stays. What is removed cannot be offered
/// again, except by a build that gives the same bytes.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry gc --dry-run", "weir registry gc org --removed-for 90"))]
pub(crate) struct GcArguments {
    #[command(flatten)]
    which: Which,
    /// Also the content of releases that were removed so many days ago, or earlier
    #[arg(long, value_name = "DAYS")]
    removed_for: Option<u32>,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Sign a registry's log anew, so that it does not expire while nothing is published
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry renew org"))]
pub(crate) struct RenewArguments {
    #[command(flatten)]
    which: Which,
}

/// Give a registry a new key; the old one vouches for it
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry rotate-key org"))]
pub(crate) struct RotateKeyArguments {
    #[command(flatten)]
    which: Which,
    /// Go on without asking
    #[arg(long, short)]
    yes: bool,
}

/// Have this machine's key sign for a registry where it is now, after it was moved
///
/// A key signs for the folder that its registry was made in. A copy of that folder is not the registry: whoever
/// publishes into both makes two logs of one name, which readers refuse.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir registry bind /srv/moved"))]
pub(crate) struct BindArguments {
    #[command(flatten)]
    which: Which,
    /// Go on without asking
    #[arg(long, short)]
    yes: bool,
}

fn init(context: &Context, arguments: InitArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let folder = context.path(&arguments.folder)?;
    let name = match arguments.name {
        Some(name) => name,
        None => folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    };
    let new = NewRegistry {
        name: Origin::new(&name).map_err(|error| Failure::usage(error.to_string()))?,
        closed: arguments.closed,
        kinds: arguments.kinds,
        validity: arguments.expires.map(|days| 24 * 3600 * u64::from(days)),
    };
    must_be_free(context, &name, &folder.display().to_string(), arguments.yes)?;
    let made = weir_reach::registry_init(&session, &folder, &new)?;
    if arguments.default {
        let address = RegistryAddress { url: folder.display().to_string(), key: None, default: true };
        weir_project::registry_add(&session, None, &name, &address, &folder)?;
    }
    context.output.show(&made, |page| {
        let good = page.palette.good;
        page.line(format!("{good}Made{good:#} the registry `{name}` in `{}`", folder.display()));
        page.line(format!("Its key is in `{}`: who has it can publish; keep a copy", made.key.display()));
        if arguments.default {
            page.line("It is the default registry of this user's projects now");
        } else {
            page.line(format!("To use it: `weir registry add {name} {} --default`", folder.display()));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn list(context: &Context) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let registries = weir_reach::registries(&session, project.as_ref().map(Project::registries))?;
    let known = KnownRegistries { registries };
    context.output.answer(&known, |page| {
        if known.registries.is_empty() {
            page.line("No registry is known: `weir registry add NAME FOLDER-OR-ADDRESS`");
        }
        let (faint, name) = (page.palette.faint, page.palette.name);
        let row = |registry: &KnownRegistry| {
            vec![
                Cell::new(&registry.name, name),
                Cell::plain(&registry.location),
                Cell::new(if registry.default { "default" } else { "" }, faint),
                Cell::new(&registry.from, faint),
            ]
        };
        page.table(&[], known.registries.iter().map(row).collect());
    })?;
    Ok(ExitCode::SUCCESS)
}

fn add(context: &Context, arguments: AddArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let mut project = if arguments.user { None } else { context.project_if_any()? };
    let address = RegistryAddress { url: arguments.url, key: arguments.key, default: arguments.default };
    let folder = context.folder()?;
    must_be_free(context, &arguments.name, &address.url, arguments.yes)?;
    must_be_there(&address.url, &folder)?;
    let added = weir_project::registry_add(&session, project.as_mut(), &arguments.name, &address, &folder)?;
    context.output.show(&added, |page| {
        page.line(format!("`{}` is `{}` now, in `{}`", added.name, added.location, added.from));
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A registry that is a folder is one.
fn must_be_there(address: &str, folder: &Path) -> Result<(), Failure> {
    let location = weir_reach::location(address, folder);
    if address.contains("://") && !address.starts_with("file://") || Path::new(&location).is_dir() {
        return Ok(());
    }
    Err(Failure::not_found(format!("there is no folder `{location}`"))
        .with_help(format!("to make a registry there: `weir registry init {address}`")))
}

fn remove(context: &Context, arguments: &RemoveArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let mut project = context.project_if_any()?;
    let removed = weir_project::registry_remove(&session, project.as_mut(), &arguments.name)?;
    context.output.show(&removed, |page| {
        page.line(format!(
            "`{}` is no longer known, nor what was known of `{}`",
            removed.name, removed.location
        ));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn show(context: &Context, arguments: &WhichArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let which = arguments.which.which.as_deref();
    let shown = weir_reach::registry_show(
        &session,
        project.as_ref().map(Project::registries),
        which,
        &context.folder()?,
    )?;
    context.output.answer(&shown, |page| {
        let yes = |what: bool| if what { "yes" } else { "no" }.to_owned();
        page.heading(&shown.descriptor.name);
        page.facts(&[
            ("at", shown.location.clone()),
            ("records", shown.stats.records.to_string()),
            ("packages", shown.stats.packages.to_string()),
            ("releases", releases(&shown.stats)),
            ("content", bytes(shown.stats.size)),
            ("closed", yes(shown.facts.is_closed())),
            ("kinds", kinds(shown.facts.kinds())),
            ("policy", policy(&shown)),
            ("upstreams", upstreams(&shown)),
            ("signed", shown.signed_at.map(|at| at.to_string()).unwrap_or_default()),
            ("expires", shown.expires.map(|at| at.to_string()).unwrap_or_default()),
            ("keys", shown.pinned.join(", ")),
            ("writable", yes(shown.can_write)),
        ]);
    })?;
    Ok(ExitCode::SUCCESS)
}

fn upstreams(shown: &ShownRegistry) -> String {
    let above = shown.facts.upstreams().iter().map(|above| format!("{} ({})", above.name, above.mode));
    above.collect::<Vec<_>>().join(", ")
}

fn policy(shown: &ShownRegistry) -> String {
    let Some((digest, _)) = &shown.facts.policy else { return "folder".into() };
    let summary = shown.descriptor.policy.as_ref().filter(|policy| policy.digest == *digest);
    format!(
        "{} ({})",
        summary.map(|policy| policy.summary.as_str()).unwrap_or("a set of its own"),
        digest.short()
    )
}

fn capabilities(context: &Context, arguments: &CapabilitiesArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let which = arguments.which.which.as_deref();
    let registries = project.as_ref().map(Project::registries);
    let found = weir_reach::discover(&session, registries, which, &context.folder()?)?;
    context.output.answer(&found, |page| {
        page.line(format!("{}: {}", harmless(&found.location), place(found.is)));
        let list = |texts: &[String]| harmless(&texts.join(", ")).to_string();
        let mut facts = Vec::new();
        facts.extend(found.name.as_ref().map(|name| ("name", harmless(name).to_string())));
        facts.extend(found.level.map(|level| ("level", level.to_string())));
        for (word, texts) in
            [("features", &found.features), ("sign in", &found.sign_in), ("registries", &found.registries)]
        {
            facts.extend((!texts.is_empty()).then(|| (word, list(texts))));
        }
        if matches!(found.is, Place::ServedRegistry | Place::PlainFiles | Place::Folder) {
            facts.push(("kinds", kinds(&found.kinds)));
            facts.push(("keys", list(&found.keys)));
        }
        facts.extend(found.policy.as_ref().map(|policy| ("policy", harmless(&policy.summary).to_string())));
        facts.extend(
            found.limits.map(|limits| ("one upload", format!("at most {}", bytes(limits.upload_bytes)))),
        );
        page.facts(&facts);
        for can in &found.can {
            page.line(format!("can: {can}"));
        }
    })?;
    let exit = if found.is == Place::Nothing { failure::ending(Exit::NotFound) } else { ExitCode::SUCCESS };
    Ok(exit)
}

fn place(is: Place) -> &'static str {
    match is {
        Place::ServedRegistry => "a registry, on a server of Weir",
        Place::PlainFiles => "a registry of Weir, served as plain files",
        Place::Folder => "a registry of Weir, in a folder",
        Place::Server => "a server of Weir",
        Place::Elm => "a registry of Elm packages",
        Place::Oci => "a registry of containers and other artifacts (OCI)",
        Place::Other => "something else than a registry that Weir knows",
        Place::Nothing => "nothing",
    }
}

fn kinds(kinds: &[KindName]) -> String {
    if kinds.is_empty() {
        return "all".into();
    }
    kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn releases(stats: &weir_index::Stats) -> String {
    let withdrawn =
        [("yanked", stats.yanked), ("quarantined", stats.quarantined), ("removed", stats.removed)];
    let withdrawn = withdrawn.iter().filter(|(_, number)| *number > 0);
    let withdrawn: String = withdrawn.map(|(word, number)| format!(", {number} {word}")).collect();
    format!("{} offered{withdrawn}", stats.offered)
}

fn verify(context: &Context, arguments: &VerifyArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let which = arguments.which.which.as_deref();
    let folder = context.folder()?;
    let how = Verify { read: arguments.content, closed: false };
    let audit = weir_reach::registry_verify(
        &session,
        project.as_ref().map(Project::registries),
        which,
        &folder,
        how,
    )?;
    show_audit(context, &audit)
}

/// What an audit found, and the exit code that says whether that is well.
pub(super) fn show_audit(context: &Context, audit: &RegistryAudit) -> Result<ExitCode, Failure> {
    context.output.answer(audit, |page| {
        let (good, bad) = (page.palette.good, page.palette.bad);
        for mended in &audit.mended {
            page.line(format!("{good}Mended{good:#} {}", harmless(mended)));
        }
        for problem in &audit.problems {
            page.line(format!("{bad}✗{bad:#} {}", harmless(problem)));
        }
        for unknown in &audit.unanswered {
            page.line(format!("{bad}?{bad:#} {}", harmless(unknown)));
        }
        let sound = audit.problems.is_empty() && audit.unanswered.is_empty();
        let sign = if sound { format!("{good}✓{good:#} Verified") } else { "Read".into() };
        let log = format!("{sign} {}, {}", count(audit.entries, "record"), count(audit.releases, "release"));
        if audit.content_listed || audit.objects > 0 {
            let objects = count(audit.objects, "object");
            page.line(format!("{log}, {objects} of content ({})", bytes(audit.bytes)));
        } else {
            page.line(log);
        }
        page.line(format!("root {}", audit.root));
        show_unread(page, audit);
        if !audit.kept.is_empty() {
            page.line(format!(
                "Removed releases still have {}: `weir registry gc --removed-for DAYS`",
                count(audit.kept.len(), "object")
            ));
        }
        if !audit.unused.is_empty() {
            page.line(format!(
                "Interrupted publications left {}, harmless: `weir registry gc`",
                count(audit.unused.len(), "object")
            ));
        }
    })?;
    Ok(if !audit.problems.is_empty() {
        failure::ending(Exit::Integrity)
    } else if !audit.unanswered.is_empty() {
        failure::ending(Exit::Failed)
    } else {
        ExitCode::SUCCESS
    })
}

/// What an audit could not see, so that nobody takes it for seen.
fn show_unread(page: &mut Page, audit: &RegistryAudit) {
    if audit.present > 0 {
        page.line(format!(
            "Content is there, {} ({}), and was not read: `--content` reads it",
            count(audit.present, "object"),
            bytes(audit.present_bytes)
        ));
    }
    if !audit.unanswered.is_empty() {
        let unanswered = count(audit.unanswered.len(), "object");
        page.line(format!("Not known of {unanswered}: no answer came, or it may not be looked at"));
    }
    if audit.unasked > 0 {
        page.line(format!("{} more were not asked for after that", audit.unasked));
    }
    for unsigned in &audit.unsigned {
        page.line(format!("Admitted from above as it came, unsigned: {}", harmless(unsigned)));
    }
    if !audit.above.is_empty() {
        page.line(format!(
            "Not held here yet, and fetched from above when it is first needed: {} of content",
            count(audit.above.len(), "object")
        ));
    }
    if !audit.elsewhere.is_empty() {
        page.line(format!(
            "Not held here, and not promised: {} that references name, which whoever needs them fetches from where those say",
            count(audit.elsewhere.len(), "file")
        ));
    }
    if !audit.content_listed {
        page.line("What else is held cannot be seen from here: that takes the registry's whole folder");
    }
}

fn gc(context: &Context, arguments: &GcArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let which = arguments.which.which.as_deref();
    let ago = |days| SignedDuration::from_hours(24 * i64::from(days));
    let before = |days| session.now.checked_sub(ago(days)).unwrap_or(Timestamp::MIN);
    let removed_before = arguments.removed_for.map(before);
    let what = Collect { removed_before, dry_run: arguments.dry_run.dry_run };
    let collected = weir_reach::registry_gc(
        &session,
        project.as_ref().map(Project::registries),
        which,
        &context.folder()?,
        &what,
    )?;
    context.output.act(collected.dry_run, &collected, |page| {
        let (would, did) =
            if collected.dry_run { ("Would remove", "Would free") } else { ("Removed", "Freed") };
        for object in &collected.objects {
            let why = match object.why {
                Why::Unfinished => "its writer was stopped",
                Why::Unnamed => "named by no release",
                Why::Removed => "of removed releases only",
            };
            page.line(format!("{would} {} ({}): {why}", harmless(&object.what), bytes(object.bytes)));
        }
        for pack in &collected.put_right {
            let word = if collected.dry_run { "Would put right" } else { "Put right" };
            page.line(format!("{word} {}: a crash had left it in the wrong place", harmless(pack)));
        }
        page.line(format!("{did} {}", bytes(collected.bytes)));
        if collected.kept > 0 {
            page.line(format!(
                "Removed releases still have {} ({}): `--removed-for DAYS` takes those too",
                count(collected.kept, "object"),
                bytes(collected.kept_bytes)
            ));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn create(context: &Context, arguments: CreateArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    let wanted = WantedRegistry {
        name: arguments.name,
        closed: arguments.closed,
        kinds: arguments.kinds,
        validity: arguments.expires.map(|days| u64::from(days) * 24 * 60 * 60),
        policy: Some(arguments.policy),
    };
    let descriptor = reached.server.create_registry(&wanted)?;
    context.output.show(&descriptor, |page| {
        page.line(format!("Made the registry `{0}` at {1}/{0}", wanted.name, reached.place()));
        for key in &descriptor.keys {
            page.line(format!("  signed by {}", harmless(key)));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn renew(context: &Context, arguments: &RenewArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let which = arguments.which.which.as_deref();
    let renewed = weir_reach::registry_renew(
        &session,
        project.as_ref().map(Project::registries),
        which,
        &context.folder()?,
    )?;
    context.output.show(&Renewed { checkpoint: renewed }, |page| page.line("Signed anew"))?;
    Ok(ExitCode::SUCCESS)
}

fn rotate_key(context: &Context, arguments: &RotateKeyArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let which = arguments.which.which.as_deref();
    let (folder, registries) = (context.folder()?, project.as_ref().map(Project::registries));
    let shown = weir_reach::registry_show(&session, registries, which, &folder)?;
    let question = format!(
        "The registry `{}` in `{}` gets a new key in place of {}. Go on?",
        shown.descriptor.name,
        shown.location,
        shown.pinned.join(", ")
    );
    question::must_agree(&context.output, arguments.yes, &question)?;
    let descriptor = weir_reach::registry_rotate_key(&session, registries, which, &folder)?;
    context.output.show(&descriptor, |page| {
        page.line(format!(
            "The registry `{}` has a new key, and the old one vouches for it",
            descriptor.name
        ));
        for key in &descriptor.keys {
            page.line(format!("  {key}"));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn bind(context: &Context, arguments: &BindArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let which = arguments.which.which.as_deref();
    let (folder, registries) = (context.folder()?, project.as_ref().map(Project::registries));
    let binding = weir_reach::registry_binding(&session, registries, which, &folder)?;
    let question = format!(
        "The key of the registry `{}` signs for `{}`. Have it sign for `{}` instead?",
        binding.name,
        binding.before.join("`, `"),
        binding.place
    );
    question::must_agree(&context.output, arguments.yes, &question)?;
    let bound = weir_reach::registry_bind(&session, registries, which, &folder)?;
    context.output.show(&bound, |page| {
        page.line(format!("The key of the registry `{}` signs for `{}` now", bound.name, bound.place));
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A name that another registry has is given to this one only if a person agrees.
fn must_be_free(context: &Context, name: &str, address: &str, yes: bool) -> Result<(), Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let known = weir_reach::registries(&session, project.as_ref().map(Project::registries))?;
    let place = weir_reach::location(address, &context.folder()?);
    let Some(other) = known.iter().find(|known| known.name == name && known.location != place) else {
        return Ok(());
    };
    let question = format!(
        "`{name}` is the registry `{}`, in `{}`. Give the name to `{place}`?",
        other.location, other.from
    );
    question::must_agree(&context.output, yes, &question)
}
