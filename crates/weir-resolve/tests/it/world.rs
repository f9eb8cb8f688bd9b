//! A view written as text, one release a line:
//!
//! ```text
//! kind name version [revision] [yanked|here|quarantined=why|platform=text] -> need; need
//! ```
//!
//! A need is `name range`, or `name @version` (`name @version+revision`) for what is baked; `dev`
//! or `build` before it is its scope.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt::Write as _;

use weir_model::{
    Baked, Dependency, Digest, InputDigest, KindName, PackageName, Platform, Range, ReleaseId, Scope, Version,
};
use weir_resolve::{
    Candidate, Candidates, Fixed, Lock, Origin, Override, Replacement, Request, Requirement, Resolution,
    ResolveError, Resolver, Settings, Source, View,
};
use weir_rules::Standing;

#[derive(Default)]
pub(crate) struct World {
    packages: BTreeMap<PackageName, (KindName, Vec<Candidate>)>,
    needs: Vec<String>,
    /// The handles of the releases that are on this machine.
    here: BTreeSet<u64>,
}

pub(crate) fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

pub(crate) fn range(text: &str) -> Range {
    text.parse().unwrap()
}

pub(crate) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// `1.2.3` or `1.2.3+4` for revision 4.
fn revised(text: &str) -> (Version, u32) {
    match text.split_once('+') {
        Some((text, revision)) => (version(text), revision.parse().unwrap()),
        None => (version(text), 0),
    }
}

fn input_digest(name: &PackageName, version: &Version, revision: u32) -> InputDigest {
    Digest::of(format!("{name} {version} {revision}"))
}

impl World {
    pub(crate) fn new(text: &str) -> Self {
        let mut world = Self::default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            world.add(line);
        }
        world
    }

    pub(crate) fn add(&mut self, line: &str) {
        let (release, needs) = line.split_once("->").unwrap_or((line, ""));
        let mut words = release.split_ascii_whitespace();
        let kind: KindName = words.next().unwrap().parse().unwrap();
        let name = name(words.next().unwrap());
        let (version, revision) = revised(words.next().unwrap());
        let (mut standing, mut reason, mut platform) = (Standing::Offered, None, Platform::any());
        for word in words {
            match word.split_once('=') {
                Some(("platform", text)) => platform = text.parse().unwrap(),
                Some(("quarantined", why)) => {
                    standing = Standing::Quarantined;
                    reason = Some(why.replace('_', " ").into());
                }
                None if word == "here" => drop(self.here.insert(self.needs.len() as u64)),
                _ => {
                    assert_eq!(word, "yanked");
                    standing = Standing::Yanked;
                }
            }
        }
        let input_digest = input_digest(&name, &version, revision);
        let handle = self.needs.len() as u64;
        let candidate = Candidate { version, platform, revision, input_digest, standing, reason, handle };
        self.packages.entry(name).or_insert_with(|| (kind, Vec::new())).1.push(candidate);
        self.needs.push(needs.to_owned());
    }

    pub(crate) fn resolver(&self) -> Resolver<&Self> {
        self.resolver_with(Settings { platform: "x86-64-debian-12".parse().unwrap(), ..Settings::default() })
    }

    pub(crate) fn resolver_with(&self, settings: Settings) -> Resolver<&Self> {
        Resolver::new(self, settings).unwrap()
    }

    /// The resolution of requirements written `name range; name range`, as text.
    pub(crate) fn resolve(&self, requirements: &str) -> String {
        shown(&self.resolver(), requirements, None)
    }

    pub(crate) fn resolve_locked(&self, requirements: &str, lock: &Lock) -> String {
        shown(&self.resolver(), requirements, Some(lock))
    }

    pub(crate) fn resolution(&self, requirements: &str) -> Resolution {
        let requirements = self::requirements(requirements);
        self.resolver().resolve(Request { requirements: &requirements, lock: None }).unwrap()
    }
}

impl View for World {
    type Error = Infallible;

    fn candidates(
        &self,
        name: &PackageName,
        registry: Option<&str>,
    ) -> Result<Option<Candidates>, Infallible> {
        assert_ne!(name.name(), "broken", "nobody should ask");
        Ok(self.packages.get(name).map(|(kind, releases)| Candidates {
            kind: *kind,
            registry: registry.unwrap_or("org").into(),
            releases: releases.clone(),
        }))
    }

    fn dependencies(&self, _: &PackageName, candidate: &Candidate) -> Result<Vec<Dependency>, Infallible> {
        Ok(dependencies(&self.needs[candidate.handle as usize]))
    }

    fn is_here(&self, _: &PackageName, candidate: &Candidate) -> bool {
        self.here.contains(&candidate.handle)
    }

    fn elsewhere(&self, name: &PackageName, registry: &str) -> Vec<std::sync::Arc<str>> {
        let other = (name.name(), registry) == ("elsewhere", "org");
        other.then(|| "two".into()).into_iter().collect()
    }

    fn further_up(&self, name: &PackageName) -> Option<Version> {
        (name.name() == "above").then(|| Version::new(2, 0, 0))
    }

    fn similar_names(&self, name: &PackageName) -> Vec<PackageName> {
        self.packages.keys().filter(|other| other.name() == name.name()).cloned().collect()
    }
}

pub(crate) fn dependencies(text: &str) -> Vec<Dependency> {
    text.split(';').map(str::trim).filter(|need| !need.is_empty()).map(dependency).collect()
}

fn dependency(text: &str) -> Dependency {
    let (scope, text) = match text.split_once(' ') {
        Some(("dev", rest)) => (Scope::Dev, rest),
        Some(("build", rest)) => (Scope::Build, rest),
        _ => (Scope::Run, text),
    };
    let (name, wanted) = text.split_once(' ').unwrap();
    let (name, wanted) = (self::name(name), wanted.trim());
    match wanted.strip_prefix('@') {
        None => Dependency { name, range: range(wanted), scope, baked: None },
        Some(baked) => {
            let (version, revision) = revised(baked);
            let input_digest = input_digest(&name, &version, revision);
            let range = Range::caret(&version);
            let baked = Some(Baked { version, platform: Platform::any(), revision, input_digest });
            Dependency { name, range, scope, baked }
        }
    }
}

pub(crate) fn requirements(text: &str) -> Vec<Requirement> {
    let each = text.split(';').map(str::trim).filter(|one| !one.is_empty()).enumerate();
    each.map(|(index, one)| {
        let (one, fluid) = one.strip_prefix("fluid ").map_or((one, false), |one| (one, true));
        let (name, range) = one.split_once(' ').unwrap();
        let origin = Origin::new(format!("weir.toml:{}", index + 1));
        Requirement { name: self::name(name), range: self::range(range), registry: None, fluid, origin }
    })
    .collect()
}

/// A path dependency, `name version -> needs`.
pub(crate) fn path(kind: KindName, text: &str) -> Fixed {
    let (release, needs) = text.split_once("->").unwrap_or((text, ""));
    let (name, version) = release.trim().split_once(' ').unwrap();
    let (name, version) = (self::name(name), self::version(version));
    let label = format!("../{}", name.name()).into();
    let input_digest = Digest::of("path");
    let candidate = Candidate {
        version,
        platform: Platform::any(),
        revision: 0,
        input_digest,
        standing: Standing::Offered,
        reason: None,
        handle: 0,
    };
    Fixed { name, kind, candidate, dependencies: dependencies(needs), label }
}

pub(crate) fn replaced(name: &str, replacement: Replacement) -> Override {
    Override { name: self::name(name), replacement, origin: Origin::new("weir.toml:20") }
}

pub(crate) fn shown(resolver: &Resolver<&World>, requirements: &str, lock: Option<&Lock>) -> String {
    let requirements = self::requirements(requirements);
    match resolver.resolve(Request { requirements: &requirements, lock }) {
        Ok(resolution) => listed(&resolution),
        Err(ResolveError::Impossible(explanation)) => explanation.to_string(),
        Err(other) => panic!("{other}"),
    }
}

/// One line a release: what it is, and what it uses.
pub(crate) fn listed(resolution: &Resolution) -> String {
    let mut text = String::new();
    for node in &resolution.nodes {
        write!(text, "{}", node.id).unwrap();
        if let Source::Fixed(label) = &node.source {
            write!(text, " from {label}").unwrap();
        }
        if node.yanked {
            write!(text, " (yanked)").unwrap();
        }
        for (index, edge) in node.edges.iter().enumerate() {
            let separator = if index == 0 { " ->" } else { "," };
            write!(text, "{separator} {}", resolution.target(edge).id).unwrap();
            if let Some(range) = &edge.fluid {
                write!(text, " ({range})").unwrap();
            }
        }
        text.push('\n');
    }
    text
}

/// The versions chosen, in order: what most tests want to know.
pub(crate) fn ids(resolution: &Resolution) -> Vec<ReleaseId> {
    resolution.nodes.iter().map(|node| node.id.clone()).collect()
}
