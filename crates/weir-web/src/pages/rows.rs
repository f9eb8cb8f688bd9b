//! What several pages show a row of: releases, dependencies, facts.

use jiff::Timestamp;
use weir_index::{KnownAdvisory, ReleaseView, Withdrawn, WithdrawnNeed};
use weir_model::{Dependency, PackageName, Scope, Version};
use weir_rules::{Standing, is_affected};

use super::release::build;
use crate::{address, said};

/// A release in a list.
pub(crate) struct ReleaseRow {
    pub(crate) name: String,
    /// Its version, and where they are not the usual, its platform and revision.
    pub(crate) build: String,
    pub(crate) href: String,
    pub(crate) kind: &'static str,
    pub(crate) day: String,
    pub(crate) ago: String,
    pub(crate) description: String,
    pub(crate) state: Option<State>,
}

/// A standing that is not the usual one.
pub(crate) struct State {
    pub(crate) word: &'static str,
    pub(crate) reason: String,
    pub(crate) by: String,
    pub(crate) day: String,
    pub(crate) advisory: String,
}

/// An advisory on a package.
pub(crate) struct AdvisoryRow {
    pub(crate) id: String,
    pub(crate) severity: &'static str,
    pub(crate) versions: String,
    pub(crate) summary: String,
    /// Whether the release that the page is about is affected.
    pub(crate) here: bool,
}

impl AdvisoryRow {
    /// An advisory on the package `name`, for a page about `version` of it.
    pub(crate) fn of(known: &KnownAdvisory, name: &PackageName, version: Option<&Version>) -> Self {
        let advisory = &known.advisory;
        let affected = advisory.affected.iter().filter(|affected| affected.name == *name);
        let versions: Vec<String> = affected.map(ToString::to_string).collect();
        Self {
            id: advisory.id.to_string(),
            severity: match (advisory.withdrawn, advisory.severity) {
                (Some(_), _) => "withdrawn",
                (None, Some(severity)) => severity.as_str(),
                (None, None) => "severity unknown",
            },
            versions: said::line(&versions.join(", ")),
            summary: advisory.summary.as_deref().map(said::line).unwrap_or_default(),
            here: version.is_some_and(|version| is_affected(advisory, name, version)),
        }
    }
}

/// A package that is needed.
pub(crate) struct NeedRow {
    pub(crate) name: String,
    pub(crate) href: String,
    pub(crate) range: String,
    /// The release it was fixed to.
    pub(crate) baked: String,
    pub(crate) baked_href: String,
    /// What it is needed for, where that is not its use.
    pub(crate) scope: &'static str,
    /// What is withdrawn of it.
    pub(crate) withdrawn: Option<Mark>,
}

/// That something is withdrawn, in a word, and where it is said why.
pub(crate) struct Mark {
    pub(crate) word: &'static str,
    /// What it is said of, where that is not beside it.
    pub(crate) build: String,
    pub(crate) reason: String,
    pub(crate) href: String,
}

impl Mark {
    pub(crate) fn new(registry: &str, withdrawn: &WithdrawnNeed) -> Self {
        Self {
            word: withdrawn.standing.as_str(),
            build: build(&withdrawn.id),
            reason: withdrawn.reason.as_deref().map(said::line).unwrap_or_default(),
            href: address::release(registry, &withdrawn.id),
        }
    }
}

/// What is known of something, in a word and a value.
pub(crate) struct Fact {
    pub(crate) word: &'static str,
    pub(crate) value: String,
    pub(crate) href: String,
    /// Whether it is for machines.
    pub(crate) code: bool,
}

impl ReleaseRow {
    pub(crate) fn new(registry: &str, view: &ReleaseView, now: Timestamp) -> Self {
        let release = &view.release;
        let name = release.id.name.to_string();
        let build = release.id.to_string()[name.len() + 1..].to_owned();
        Self {
            build,
            href: address::release(registry, &release.id),
            kind: release.kind.as_str(),
            day: said::day(view.mark.at),
            ago: said::ago(view.mark.at, now),
            description: said::line(release.description.as_deref().unwrap_or_default()),
            state: State::of(view),
            name,
        }
    }
}

impl State {
    /// That of a release that is not simply offered.
    pub(crate) fn of(view: &ReleaseView) -> Option<Self> {
        let Withdrawn { mark, reason, advisory, because, .. } = view.withdrawn()?;
        let reason = match (reason, because) {
            (Some(reason), _) => reason.clone(),
            (None, Some(because)) => format!("because {because} left"),
            (None, None) => String::new(),
        };
        Some(Self {
            word: view.standing().as_str(),
            reason,
            by: said::who(&mark.by).to_owned(),
            day: said::day(mark.at),
            advisory: advisory.clone().unwrap_or_default(),
        })
    }

    /// What it means to whoever uses the release.
    pub(crate) fn means(&self) -> &'static str {
        match self.word {
            word if word == Standing::Yanked.as_str() => {
                "Lockfiles that have it still get it; nothing new takes it."
            }
            word if word == Standing::Quarantined.as_str() => "Nobody gets it, whoever asks.",
            _ => "It is gone from what is offered. The log still says what it was.",
        }
    }
}

impl NeedRow {
    /// The dependencies of a release, of each of which is told what is withdrawn of it.
    pub(crate) fn all(
        registry: &str,
        dependencies: &[Dependency],
        withdrawn: &[Option<WithdrawnNeed>],
    ) -> Vec<Self> {
        let told = withdrawn.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        dependencies.iter().zip(told).map(|(one, withdrawn)| Self::new(registry, one, withdrawn)).collect()
    }

    fn new(registry: &str, dependency: &Dependency, withdrawn: Option<&WithdrawnNeed>) -> Self {
        let Dependency { name, range, scope, baked } = dependency;
        let release = dependency.baked_id();
        Self {
            name: name.to_string(),
            href: address::package(registry, name),
            range: range.to_string(),
            baked: baked.as_ref().map(|baked| baked.version.to_string()).unwrap_or_default(),
            baked_href: release.map(|id| address::release(registry, &id)).unwrap_or_default(),
            scope: scope_word(*scope),
            withdrawn: withdrawn.map(|withdrawn| Mark::new(registry, withdrawn)),
        }
    }
}

/// What something is needed for, where that is not its use.
pub(crate) fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::Run => "",
        Scope::Build => "to build",
        Scope::Dev => "to develop",
    }
}

impl Fact {
    /// Nothing, if there is no value.
    pub(crate) fn new(word: &'static str, value: impl Into<String>) -> Option<Self> {
        let value = value.into();
        (!value.is_empty()).then(|| Self { word, value, href: String::new(), code: false })
    }

    /// The same as a link.
    pub(crate) fn to(self, href: String) -> Self {
        Self { href, ..self }
    }

    /// The same for machines.
    pub(crate) fn code(self) -> Self {
        Self { code: true, ..self }
    }
}
