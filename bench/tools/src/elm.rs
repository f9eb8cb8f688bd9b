//! The public Elm registry of 2020, as pubgrub's `test-examples` have it in `elm-packages-2020.ron`: what each release needs, its compiler
//! among that.

use std::collections::BTreeMap;
use std::path::Path;

use pubgrub::{OfflineDependencyProvider, Ranges, SemanticVersion};
use weir_model::Range;

use crate::Anything;

/// The package that stands for the compiler. It is the one without an owner.
pub const COMPILER: &str = "elm";

/// From one version, included, to another, excluded.
pub type Intervals = Vec<(String, Option<String>)>;

/// What a release needs, by name.
pub type Needs = BTreeMap<String, Intervals>;

/// Packages, their versions, and what each needs.
pub type Data = BTreeMap<String, BTreeMap<String, Needs>>;

/// The same for the bare `pubgrub` crate, in memory.
pub type Bare<'a> = OfflineDependencyProvider<&'a str, Ranges<SemanticVersion>>;

/// Reads the file.
pub fn read(path: &Path) -> Result<Data, Anything> {
    Ok(ron::from_str(&fs_err::read_to_string(path)?)?)
}

/// The data for the bare `pubgrub` crate.
pub fn bare(data: &Data) -> Result<Bare<'_>, Anything> {
    let mut provider = Bare::new();
    for (package, versions) in data {
        for (version, needs) in versions {
            let needs = needs.iter().map(|(name, intervals)| Ok((name.as_str(), bare_range(intervals)?)));
            let needs = needs.collect::<Result<Vec<_>, Anything>>()?;
            provider.add_dependencies(package, version.parse::<SemanticVersion>()?, needs);
        }
    }
    Ok(provider)
}

/// What a release needs of one package, as a range of the bare crate.
pub fn bare_range(intervals: &Intervals) -> Result<Ranges<SemanticVersion>, Anything> {
    let mut set = Ranges::empty();
    for (low, high) in intervals {
        let low: SemanticVersion = low.parse()?;
        set = set.union(&match high {
            Some(high) => Ranges::between(low, high.parse::<SemanticVersion>()?),
            None => Ranges::higher_than(low),
        });
    }
    Ok(set)
}

/// Each release as a root for it.
pub fn bare_roots(data: &Data) -> Result<Vec<(&str, SemanticVersion)>, Anything> {
    let mut roots = Vec::new();
    for (package, versions) in data {
        for version in versions.keys() {
            roots.push((package.as_str(), version.parse()?));
        }
    }
    Ok(roots)
}

/// What a release needs of one package, as a range of ours.
pub fn range(intervals: &Intervals) -> Result<Range, Anything> {
    Ok(if intervals.is_empty() { "<0.0.0".parse()? } else { written(intervals).parse()? })
}

/// The same as Elm writes it.
pub fn written(intervals: &Intervals) -> String {
    let parts: Vec<String> = intervals
        .iter()
        .map(|(low, high)| match high {
            Some(high) => format!("{low} <= v < {high}"),
            None => format!(">={low}"),
        })
        .collect();
    parts.join(" || ")
}
