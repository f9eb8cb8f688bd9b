//! A package: what it says of itself, how it is used, and its releases.

use std::collections::BTreeMap;

use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;
use weir_index::{HeldRelease, KnownAdvisory, PackageView, ReleaseView, WithdrawnNeed};
use weir_model::{PackageName, Version};
use weir_wire::downloads::DownloadCounts;

use super::release::{build, documents_modules, facts};
use super::rows::{AdvisoryRow, Fact, NeedRow, ReleaseRow, State};
use super::statistics::{Period, downloads_chart};
use crate::chart::{Chart, Point};
use crate::frame::{Frame, Page, PageError};
use crate::readme::Readme;
use crate::use_it::{Step, steps};
use crate::{address, said};

/// So many releases are listed; the rest is folded away.
const LISTED: usize = 8;

/// So many releases are told of at all.
const MOST_RELEASES: usize = 200;

/// Of so many versions the size is drawn, the newest.
const MOST_SIZES: usize = 40;

/// So many packages that need this one are told of: whoever makes the page asks for no more.
pub const DEPENDENTS: usize = 40;

/// What the page is made of.
#[derive(Debug)]
pub struct PackagePage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The package.
    pub package: &'a PackageView,
    /// Its newest release that is offered, or where none is, the newest.
    pub chosen: Option<&'a ReleaseView>,
    /// What is withdrawn of each of its dependencies, in their order.
    pub withdrawn_needs: &'a [Option<WithdrawnNeed>],
    /// To whom its owner belongs.
    pub holders: &'a [String],
    /// The first of the packages that need it, by name.
    pub dependents: &'a [PackageName],
    /// Releases of registries above that policy keeps out, the newest first.
    pub held: &'a [HeldRelease],
    /// How often it was downloaded, on which days of a time; nothing where that is not known.
    pub downloads: Option<(Period, &'a [(Date, DownloadCounts)])>,
    /// The advisories on it.
    pub advisories: &'a [KnownAdvisory],
    /// What the chosen release says of itself.
    pub readme: Option<&'a Readme>,
    /// Now.
    pub now: Timestamp,
}

#[derive(Template)]
#[template(path = "package.html")]
struct Package<'a> {
    frame: &'a Frame,
    owner: &'a str,
    short: &'a str,
    owner_href: String,
    version: String,
    version_href: String,
    description: String,
    kind: &'static str,
    state: Option<State>,
    steps: Vec<Step>,
    readme: Option<&'a Readme>,
    readme_href: String,
    facts: Vec<Fact>,
    needs: Vec<NeedRow>,
    releases: Vec<ReleaseRow>,
    older: Vec<ReleaseRow>,
    untold: usize,
    held: Vec<HeldRow>,
    advisories: Vec<AdvisoryRow>,
    dependents: Vec<(String, String)>,
    more_dependents: u64,
    downloads: Option<Downloads>,
    sizes: Option<Chart>,
    modules: String,
}

struct Downloads {
    told: String,
    chart: Option<Chart>,
}

struct HeldRow {
    build: String,
    reason: String,
    policy: String,
    until: String,
}

impl PackagePage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let registry = self.frame.registry();
        let name = &self.package.name;
        let (owner, short) = name.as_str().split_once('/').unwrap_or(("", name.as_str()));
        let all = self.package.releases.iter().chain(&self.package.removed);
        let mut releases: Vec<ReleaseRow> =
            all.take(MOST_RELEASES).map(|view| ReleaseRow::new(registry, view, self.now)).collect();
        let number = self.package.releases.len() + self.package.removed.len();
        let older = releases.split_off(releases.len().min(LISTED));
        let dependents = self.dependents.iter();
        let dependents = dependents.map(|name| (name.to_string(), address::package(registry, name)));
        let chosen = self.chosen;
        let needed = chosen.map(|view| view.release.dependencies.as_slice()).unwrap_or_default();
        Page::write(&Package {
            frame: self.frame,
            owner,
            short,
            owner_href: address::search(registry, &[("owner", owner)]),
            version: chosen.map(|view| view.release.id.version.to_string()).unwrap_or_default(),
            version_href: chosen.map(|view| address::release(registry, &view.release.id)).unwrap_or_default(),
            description: chosen
                .and_then(|view| view.release.description.as_deref())
                .map(said::line)
                .unwrap_or_default(),
            kind: self.package.kind.as_str(),
            state: chosen.and_then(State::of),
            steps: match self.package.newest() {
                Some(view) => steps(view, registry, &self.frame.location()),
                None => Vec::new(),
            },
            readme: self.readme,
            readme_href: match (self.readme, chosen) {
                (Some(readme), Some(view)) => address::file(registry, &view.release.id, &readme.path),
                _ => String::new(),
            },
            facts: self.facts(),
            needs: NeedRow::all(registry, needed, self.withdrawn_needs),
            held: self.held.iter().take(LISTED).map(held).collect(),
            advisories: self
                .advisories
                .iter()
                .map(|known| {
                    let version = self.chosen.map(|view| &view.release.id.version);
                    AdvisoryRow::of(known, &self.package.name, version)
                })
                .collect(),
            untold: number.saturating_sub(MOST_RELEASES),
            releases,
            older,
            dependents: dependents.collect(),
            more_dependents: self.package.dependents.saturating_sub(self.dependents.len() as u64),
            downloads: self.downloads.map(|(period, downloads)| told(period, downloads)),
            sizes: self.sizes(),
            modules: match chosen {
                Some(view) if documents_modules(view) => address::modules(registry, &view.release.id, None),
                _ => String::new(),
            },
        })
    }

    /// How large its versions are that are not removed: for the platform of the chosen release, each as it was built last.
    fn sizes(&self) -> Option<Chart> {
        let platform = &self.chosen?.release.id.platform;
        let mut sizes: BTreeMap<&Version, (u32, u64)> = BTreeMap::new();
        let releases = self.package.releases.iter().map(|view| &view.release);
        for release in releases.filter(|release| release.id.platform == *platform) {
            let size = sizes.entry(&release.id.version).or_default();
            *size = (*size).max((release.id.revision, release.unpacked));
        }
        // One alone is told by its facts.
        let points: Vec<Point> = sizes
            .iter()
            .skip(sizes.len().saturating_sub(MOST_SIZES))
            .map(|(version, (_, bytes))| Point { name: version.to_string(), amounts: vec![*bytes] })
            .collect();
        if points.len() < 2 {
            return None;
        }
        Chart::new("Unpacked bytes, version by version", "Version", &["unpacked"], &points, said::bytes)
    }

    fn facts(&self) -> Vec<Fact> {
        let holders: Vec<&str> = self.holders.iter().map(|who| said::who(who)).collect();
        let mut rows = self.chosen.map(|view| facts(view, self.frame.registry())).unwrap_or_default();
        rows.extend(Fact::new("owner", holders.join(", ")));
        rows
    }
}

fn told(period: Period, downloads: &[(Date, DownloadCounts)]) -> Downloads {
    let total =
        downloads.iter().fold(DownloadCounts::default(), |sum, (_, counts)| sum.plus(*counts)).total();
    Downloads {
        told: format!("{} in {}", said::count(total, "download"), said::count(period.days(), "day")),
        chart: downloads_chart("By sort of caller", period, downloads),
    }
}

fn held(HeldRelease { hold, .. }: &HeldRelease) -> HeldRow {
    HeldRow {
        build: build(&hold.id),
        reason: said::line(&hold.reason),
        policy: said::line(&hold.policy),
        until: hold.until.map(said::day).unwrap_or_default(),
    }
}
