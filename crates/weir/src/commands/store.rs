//! `weir store …`: what this machine keeps, once for all projects.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use serde_json::json;
use weir_model::path_text::text;
use weir_reach::{Amount, Counter, Work};
use weir_store::{GcPlan, ImportError, Item, Mended, Scope};

use crate::arguments::DryRun;
use crate::context::Context;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{Cell, bytes, count, harmless};

/// Look at, check and clean what this machine keeps
#[derive(Debug, Subcommand)]
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
    let folder = context.session()?.store_folder();
    context
        .output
        .answer(&json!({ "path": text(&folder) }), |page| page.line(folder.display().to_string()))?;
    Ok(ExitCode::SUCCESS)
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(text).collect()
}

fn list(context: &Context) -> Result<ExitCode, Failure> {
    let listing = context.session()?.open_store()?.list()?;
    let days = |used: Option<SystemTime>| {
        used.and_then(|used| used.elapsed().ok()).map(|age| age.as_secs() / 86_400)
    };
    let trees = listing.trees.iter().map(|tree| {
        let (size, files) = tree.size.unzip();
        json!({"tree": tree.digest, "files": files, "bytes": size, "unused_days": days(tree.used), "projects": texts(&tree.projects)})
    });
    let files = listing.files.iter().map(|file| {
        json!({"file": file.digest, "bytes": file.bytes, "unused_days": days(file.used), "projects": texts(&file.projects)})
    });
    let value = json!({ "trees": trees.collect::<Vec<_>>(), "files": files.collect::<Vec<_>>() });
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
    let value = json!({ "items": report.items, "bytes": report.bytes, "problems": problems });
    context.output.answer(&value, |page| {
        let (good, bad) = (page.palette.good, page.palette.bad);
        for problem in &problems {
            page.line(format!("{bad}✗{bad:#} {}", harmless(problem)));
        }
        if problems.is_empty() {
            page.line(format!(
                "{good}✓{good:#} Verified {}, {}",
                count(report.items, "tree"),
                bytes(report.bytes)
            ));
        }
    })?;
    if !problems.is_empty() {
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
    let value = json!({ "files": report.files, "linked": report.linked, "saved": report.saved });
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
    let removed: Vec<_> =
        report.removed.iter().map(|(item, size)| json!({"item": name(item), "bytes": size})).collect();
    let freed: u64 = report.removed.iter().map(|(_, size)| size).sum();
    let value = json!({
        "dry_run": false, "removed": removed, "bytes": freed, "kept": plan.keep.len(), "forgotten": texts(&report.forgotten),
    });
    context.output.show(&value, |page| {
        for folder in &report.forgotten {
            page.line(format!("Forgot the project `{}`, which is gone", folder.display()));
        }
        page.line(format!(
            "Removed {} ({}), kept {}",
            count(removed.len(), "item"),
            bytes(freed),
            plan.keep.len()
        ));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn show_plan(context: &Context, plan: &GcPlan) -> Result<ExitCode, Failure> {
    let remove: Vec<_> =
        plan.remove.iter().map(|(item, size)| json!({"item": name(item), "bytes": size})).collect();
    let value = json!({
        "dry_run": true, "removed": remove, "bytes": plan.bytes(), "kept": plan.keep.len(),
        "forgotten": plan.forget.iter().map(|project| text(&project.path)).collect::<Vec<_>>(),
    });
    context.output.show(&value, |page| {
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
    let told: Vec<_> = report
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
            (name(item), word)
        })
        .collect();
    let value = json!({
        "items": told.iter().map(|(item, word)| json!({"item": item, "outcome": word})).collect::<Vec<_>>(),
        "sound": !unmended,
    });
    context.output.show(&value, |page| {
        for (item, word) in &told {
            page.line(format!("{item}: {}", harmless(word)));
        }
        if told.is_empty() {
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
    let report = store.session().and_then(|using| using.export(lock, &file))?;
    let value =
        json!({ "file": text(&file), "trees": report.trees, "files": report.files, "bytes": report.bytes });
    context.output.show(&value, |page| {
        let trees = count(report.trees, "package");
        page.line(format!("Exported {trees} to `{}` ({})", arguments.file.display(), bytes(report.bytes)));
    })?;
    Ok(ExitCode::SUCCESS)
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
    let value = json!({
        "trees": report.trees, "files": report.files, "present": report.present,
    });
    context.output.show(&value, |page| {
        let new = count(report.trees.len() + report.files.len(), "item");
        page.line(format!("Imported {new}, {} were here already", report.present));
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
