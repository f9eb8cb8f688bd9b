//! `weir store …`: what this machine keeps, once for all projects.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use weir_model::Lockfile;
use weir_model::path_text::texts;
use weir_reach::{Amount, Counter, Work};
use weir_store::{GcPlan, ImportError, Item, Mended, Scope};

use crate::arguments::DryRun;
use crate::context::Context;
use crate::documents::store as documents;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{Cell, bytes, count, harmless};

/// Look at, check and clean what this machine keeps
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    Path(PathArguments),
    #[command(visible_alias = "ls")]
    List(ListArguments),
    Verify(VerifyArguments),
    Repair(RepairArguments),
    Optimise(OptimiseArguments),
    Gc(GcArguments),
    Export(ExportArguments),
    Import(ImportArguments),
}

/// Print where the store is
#[derive(Debug, Args)]
#[command(after_help = examples!("du -sh \"$(weir store path)\""))]
pub(crate) struct PathArguments {}

/// List what is in the store, and which projects use it
#[derive(Debug, Args)]
#[command(after_help = examples!("weir store list"))]
pub(crate) struct ListArguments {}

/// Check every file in the store against its digest
#[derive(Debug, Args)]
#[command(after_help = examples!("weir store verify"))]
pub(crate) struct VerifyArguments {}

/// Check the store, and fetch again what is damaged
///
/// From any registry that is known here; and what came from a git tag, from there. In a project, its lockfile
/// says so too.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir store repair"))]
pub(crate) struct RepairArguments {}

/// Share equal files of different packages, to save space
#[derive(Debug, Args)]
#[command(visible_alias = "optimize", after_help = examples!("weir store optimise"))]
pub(crate) struct OptimiseArguments {}

/// Remove what no project uses
///
/// The lockfiles of the projects that were installed on this machine say what is used. What was used a
/// short time ago stays, and so do unfinished downloads that were gone on with.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir store gc --dry-run", "weir store gc --unused-for 0"))]
pub(crate) struct GcArguments {
    /// Keep what was used during the last so many days
    #[arg(long, value_name = "DAYS", default_value_t = 14)]
    unused_for: u32,
    #[command(flatten)]
    dry_run: DryRun,
}

/// Write everything that the project's lockfile names into one file
///
/// `weir store import` brings it to a machine without a network.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir store export app.weir"))]
pub(crate) struct ExportArguments {
    /// The file to write
    file: PathBuf,
}

/// Bring in a file that `weir store export` wrote; every byte is verified
#[derive(Debug, Args)]
#[command(after_help = examples!("weir store import app.weir && weir install --offline"))]
pub(crate) struct ImportArguments {
    /// The file to read
    file: PathBuf,
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Path(_) => path(context),
        Command::List(_) => list(context),
        Command::Verify(_) => verify(context),
        Command::Repair(_) => repair(context),
        Command::Optimise(_) => optimise(context),
        Command::Gc(arguments) => gc(context, &arguments),
        Command::Export(arguments) => export(context, &arguments),
        Command::Import(arguments) => import(context, &arguments),
    }
}

fn path(context: &Context) -> Result<ExitCode, Failure> {
    let document = documents::StorePath { path: context.session()?.store_folder() };
    context.output.answer(&document, |page| page.line(document.path.display().to_string()))?;
    Ok(ExitCode::SUCCESS)
}

fn list(context: &Context) -> Result<ExitCode, Failure> {
    let listing = context.session()?.open_store()?.list()?;
    let days = |used: Option<SystemTime>| {
        used.and_then(|used| used.elapsed().ok()).map(|age| age.as_secs() / 86_400)
    };
    let trees = listing.trees.iter().map(|tree| {
        let (bytes, files) = tree.size.unzip();
        let (unused_days, projects) = (days(tree.used), texts(&tree.projects));
        documents::StoredTree { tree: tree.digest, files, bytes, unused_days, projects }
    });
    let files = listing.files.iter().map(|file| {
        let (unused_days, projects) = (days(file.used), texts(&file.projects));
        documents::StoredFile { file: file.digest, bytes: file.bytes, unused_days, projects }
    });
    let value = documents::StoreList { trees: trees.collect(), files: files.collect() };
    context.output.answer(&value, |page| {
        let used = |used| match days(used) {
            Some(0) => "today".to_owned(),
            Some(days) => format!("{} ago", count(days, "day")),
            None => String::new(),
        };
        let row = |what: &str, digest: String, size: Option<u64>, at, projects: &[PathBuf]| {
            let projects: Vec<_> = projects.iter().map(|folder| folder.display().to_string()).collect();
            vec![
                Cell::plain(what),
                Cell::plain(digest),
                Cell::plain(format!("{:>9}", size.map_or_else(|| "damaged".into(), bytes))),
                Cell::plain(used(at)),
                Cell::plain(if projects.is_empty() { "no project".into() } else { projects.join(", ") }),
            ]
        };
        let trees = listing.trees.iter().map(|tree| {
            row("tree", tree.digest.short(), tree.size.map(|(bytes, _)| bytes), tree.used, &tree.projects)
        });
        let files = listing
            .files
            .iter()
            .map(|file| row("file", file.digest.short(), Some(file.bytes), file.used, &file.projects));
        let rows: Vec<_> = trees.chain(files).collect();
        if rows.is_empty() {
            page.line("The store is empty");
        } else {
            page.table(&["what", "digest", "size", "used", "by"], rows);
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn verify(context: &Context) -> Result<ExitCode, Failure> {
    let store = context.session()?.open_store()?;
    let using = store.session()?;
    let report = using.verify(Scope::Everything)?;
    let problems: Vec<_> = report.broken.iter().map(weir_project::describe_broken).collect();
    let value = documents::StoreVerified { items: report.items, bytes: report.bytes, problems };
    context.output.answer(&value, |page| {
        let (good, bad) = (page.palette.good, page.palette.bad);
        for problem in &value.problems {
            page.line(format!("{bad}✗{bad:#} {}", harmless(problem)));
        }
        if value.problems.is_empty() {
            page.line(format!(
                "{good}✓{good:#} Verified {}, {}",
                count(report.items, "tree"),
                bytes(report.bytes)
            ));
        }
    })?;
    if !value.problems.is_empty() {
        context.output.note("`weir store repair` fetches what is damaged again");
        return Ok(failure::ending(Exit::Integrity));
    }
    Ok(ExitCode::SUCCESS)
}

fn name(item: &Item) -> String {
    match item {
        Item::Tree(digest) => format!("tree {}", digest.short()),
        Item::File(digest) => format!("file {}", digest.short()),
        Item::Derivation(digest) => format!("note {}", digest.short()),
    }
}

fn optimise(context: &Context) -> Result<ExitCode, Failure> {
    let store = context.session()?.open_store()?;
    let report = store.session().and_then(|using| using.optimise())?;
    let value = documents::StoreOptimised { files: report.files, linked: report.linked, saved: report.saved };
    context.output.show(&value, |page| {
        let linked = count(report.linked, "file");
        page.line(format!(
            "Looked at {}: {linked} shared, {} saved",
            count(report.files, "file"),
            bytes(report.saved)
        ));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn gc(context: &Context, arguments: &GcArguments) -> Result<ExitCode, Failure> {
    const DAY: Duration = Duration::from_hours(24);
    let session = context.session()?;
    let store = session.open_store()?;
    session.begin(Work::Collecting, Amount::Unknown);
    let plan = store.gc_plan(DAY * arguments.unused_for)?;
    for project in &plan.unreadable {
        let text = format!(
            "nothing is removed: what `{}` uses is not known: {}",
            project.path.display(),
            project.reason
        );
        context.output.warn(&text);
    }
    if arguments.dry_run.dry_run {
        return show_plan(context, &plan);
    }
    let report = store.gc_apply(&plan)?;
    let value = documents::StoreCollected {
        dry_run: false,
        removed: removed_items(&report.removed),
        bytes: report.removed.iter().map(|(_, size)| size).sum(),
        kept: plan.keep.len(),
        forgotten: texts(&report.forgotten),
    };
    context.output.show(&value, |page| {
        for folder in &value.forgotten {
            page.line(format!("Forgot the project `{}`, which is gone", harmless(folder)));
        }
        page.line(format!(
            "Removed {} ({}), kept {}",
            count(value.removed.len(), "item"),
            bytes(value.bytes),
            value.kept
        ));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn removed_items(items: &[(Item, u64)]) -> Vec<documents::RemovedItem> {
    items.iter().map(|(item, bytes)| documents::RemovedItem { item: name(item), bytes: *bytes }).collect()
}

fn show_plan(context: &Context, plan: &GcPlan) -> Result<ExitCode, Failure> {
    let value = documents::StoreCollected {
        dry_run: true,
        removed: removed_items(&plan.remove),
        bytes: plan.bytes(),
        kept: plan.keep.len(),
        forgotten: texts(plan.forget.iter().map(|project| &project.path)),
    };
    context.output.answer(&value, |page| {
        for project in &plan.forget {
            page.line(format!("Would forget the project `{}`, which is gone", project.path.display()));
        }
        for (item, size) in &plan.remove {
            page.line(format!("Would remove {} ({})", name(item), bytes(*size)));
        }
        page.line(format!("Would free {}, keep {}", bytes(plan.bytes()), count(plan.keep.len(), "item")));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn repair(context: &Context) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project_if_any()?;
    let report = weir_project::store_repair(&session, project.as_ref())?;
    let mut unmended = false;
    let items: Vec<_> = report
        .items
        .iter()
        .map(|(item, mended)| {
            let (word, mended) = match mended {
                Mended::Replaced => ("fetched again".to_owned(), true),
                Mended::ManifestRestored => ("its manifest was restored".into(), true),
                Mended::Removed => ("removed; `weir install` makes it again".into(), true),
                Mended::Kept if session.offline => {
                    ("still damaged: offline, nothing is fetched".into(), false)
                }
                Mended::Kept => {
                    ("still damaged: no registry and no git tag that is known here has it".into(), false)
                }
                Mended::Failed(error) => (format!("still damaged: {error}"), false),
            };
            unmended |= !mended;
            documents::RepairedItem { item: name(item), outcome: word }
        })
        .collect();
    let value = documents::StoreRepaired { items, sound: !unmended };
    context.output.show(&value, |page| {
        for documents::RepairedItem { item, outcome } in &value.items {
            page.line(format!("{item}: {}", harmless(outcome)));
        }
        if value.items.is_empty() {
            page.line("Nothing to repair: everything is what it should be");
        }
    })?;
    Ok(if unmended { failure::ending(Exit::Integrity) } else { ExitCode::SUCCESS })
}

fn export(context: &Context, arguments: &ExportArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let project = context.project()?;
    let lock = project.locked()?;
    let file = context.path(&arguments.file)?;
    let store = session.open_store()?;
    let using = store.session()?;
    let missing = using.missing(lock)?;
    if !missing.is_empty() {
        return Err(not_here(lock, &missing));
    }
    let report = using.export(lock, &file)?;
    let (trees, files, bytes_of_it) = (report.trees, report.files, report.bytes);
    let value = documents::StoreExported { file, trees, files, bytes: bytes_of_it };
    context.output.show(&value, |page| {
        let trees = count(report.trees, "package");
        page.line(format!("Exported {trees} to `{}` ({})", arguments.file.display(), bytes(report.bytes)));
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What of a lockfile cannot be exported, for it is not in the store.
fn not_here(lock: &Lockfile, missing: &weir_store::Missing) -> Failure {
    const SHOWN: usize = 5;
    let releases =
        lock.releases.iter().filter(|release| release.tree.is_some_and(|tree| missing.trees.contains(&tree)));
    let of_releases = lock.releases.iter().flat_map(|release| &release.references);
    let references = lock.references.iter().chain(of_releases);
    let references = references.filter(|reference| missing.files.contains(&reference.sha256));
    let names: Vec<String> = releases
        .map(|release| format!("`{}`", release.id()))
        .chain(references.map(|reference| format!("the reference `{}`", reference.name)))
        .collect();
    let mut shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    shown.extend((names.len() > SHOWN).then(|| format!("{} more", names.len() - SHOWN)));
    let is = if names.len() == 1 { "is" } else { "are" };
    Failure::not_found(format!("{} {is} not in the store", shown.join(", ")))
        .with_help("`weir install` brings what the lockfile names")
}

fn import(context: &Context, arguments: &ImportArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let export = fs_err::File::open(context.file(&arguments.file)?)?;
    let store = session.open_store()?;
    session.begin(Work::Importing, Amount::Bytes(export.metadata()?.len()));
    let export = Counter::new(&session).read(export);
    let using = store.session()?;
    let report = using
        .import(export, &weir_tree::Limits::default())
        .map_err(|error| import_error(error, &arguments.file))?;
    let value =
        documents::StoreImported { trees: report.trees, files: report.files, present: report.present };
    context.output.show(&value, |page| {
        let new = count(value.trees.len() + value.files.len(), "item");
        page.line(format!("Imported {new}, {} were here already", value.present));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn import_error(error: ImportError, file: &std::path::Path) -> Failure {
    let what = format!("`{}` cannot be imported", file.display());
    match error {
        ImportError::Store(error) => error.into(),
        ImportError::Read(_) | ImportError::Newer { .. } => Failure::failed(what).caused_by(&error),
        _ => Failure::integrity(what).caused_by(&error),
    }
}
