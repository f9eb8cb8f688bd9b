//! `weir registry show` and `capabilities`: what a registry is, and what is at an address.

use std::process::ExitCode;

use clap::Args;
use weir_model::KindName;
use weir_project::Project;
use weir_reach::{Place, ShownRegistry};

use super::Which;
use crate::context::Context;
use crate::failure::{self, Exit, Failure};
use crate::help::examples;
use crate::output::{bytes, harmless};

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

pub(super) fn show(context: &Context, arguments: &WhichArguments) -> Result<ExitCode, Failure> {
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

pub(super) fn capabilities(
    context: &Context,
    arguments: &CapabilitiesArguments,
) -> Result<ExitCode, Failure> {
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
