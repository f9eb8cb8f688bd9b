//! What a release reaches: who has it, if it turns out to be bad.

use askama::Template;
use weir_index::{Impact, ReachedPackage};
use weir_model::{PackageName, ReleaseId, Version};
use weir_rules::Standing;

use super::release::build;
use crate::frame::{Frame, Page, PageError};
use crate::{address, said};

/// So many packages are told of.
const MOST: usize = 200;

/// So many steps of a way are shown.
const STEPS: usize = 4;

/// What the page is made of.
#[derive(Debug)]
pub struct ImpactPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The package.
    pub name: &'a PackageName,
    /// The version.
    pub version: &'a Version,
    /// What it reaches.
    pub impact: &'a Impact,
}

#[derive(Template)]
#[template(path = "impact.html")]
struct Reached<'a> {
    frame: &'a Frame,
    package: String,
    package_href: String,
    version: String,
    version_href: String,
    told: String,
    complete: bool,
    rows: Vec<Row>,
    more: usize,
}

struct Row {
    name: String,
    build: String,
    href: String,
    when: &'static str,
    now: bool,
    sure: &'static str,
    through: String,
}

impl ImpactPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let registry = self.frame.registry();
        let Impact { releases, now, packages, complete, .. } = self.impact;
        let mut sorted: Vec<&ReachedPackage> = packages.iter().collect();
        sorted.sort_by_key(|package| (!package.now, !package.sure, package.way.len()));
        let told = match packages.len() as u64 {
            0 => format!("Nothing in the registry {registry} needs it."),
            reached => format!(
                "It reaches {} of {}, the newest of {now} of them.",
                said::count(*releases, "release"),
                said::count(reached, "package")
            ),
        };
        Page::write(&Reached {
            frame: self.frame,
            package: self.name.to_string(),
            package_href: address::package(registry, self.name),
            version: self.version.to_string(),
            version_href: address::version(registry, self.name, self.version),
            told,
            complete: *complete,
            rows: sorted.iter().take(MOST).map(|package| row(registry, package)).collect(),
            more: sorted.len().saturating_sub(MOST),
        })
    }
}

fn row(registry: &str, package: &ReachedPackage) -> Row {
    Row {
        name: package.id.name.to_string(),
        build: build(&package.id),
        href: address::release(registry, &package.id),
        when: match (package.now, package.standing) {
            (true, _) => "now",
            (false, Standing::Offered) => "earlier",
            (false, standing) => standing.as_str(),
        },
        now: package.now,
        sure: if package.sure { "baked" } else { "by ranges" },
        through: through(&package.way),
    }
}

/// What lies between a release and the one that was asked about; nothing of those that need it directly.
fn through(way: &[ReleaseId]) -> String {
    let between = way.get(1..way.len().saturating_sub(1)).unwrap_or_default();
    let mut steps: Vec<String> = between.iter().take(STEPS).map(ToString::to_string).collect();
    if let Some(more) = between.len().checked_sub(STEPS).filter(|more| *more > 0) {
        steps.push(format!("{more} more"));
    }
    steps.join(", ")
}
