//! Reading documents of OSV, by its [schema](https://ossf.github.io/osv-schema/) and its rules for evaluating ranges.
//!
//! A document may speak of packages of many ecosystems; what counts here is what it says of `Weir`. Fields that are not known are passed
//! over, for the schema grows; what is known and cannot be read is an error, for an advisory that is half understood protects nobody.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Advisory, Affected, AffectedRange, RangeEnd, Severity};
use crate::canonical::canonical_json;
use crate::{NameError, PackageName, Sha256, Version, VersionError};

/// What documents call the ecosystem of Weir's packages.
pub const ECOSYSTEM: &str = "Weir";

/// The longest document, in bytes.
pub const LONGEST_DOCUMENT: u64 = 1 << 20;

/// So many packages, ranges with their events, and versions may be told of in one document.
const MOST_PACKAGES: usize = 512;
const MOST_EVENTS: usize = 4096;
const MOST_VERSIONS: usize = 4096;

/// So many aliases are kept, and so many characters of a summary: the rest is in the document.
const MOST_ALIASES: usize = 16;
const LONGEST_SUMMARY: usize = 300;

/// A record has room for what is said of packages, and for who says it.
const LONGEST_TOLD: usize = 60_000;

/// Why a document is no advisory on packages of Weir.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OsvError {
    /// It is too long.
    #[error("it has {bytes} bytes, and an advisory at most {LONGEST_DOCUMENT}")]
    TooLong {
        /// How long it is.
        bytes: u64,
    },
    /// It is no JSON, is nested too deep, or lacks what every document has.
    #[error("it is no document of OSV: {0}")]
    NotOsv(String),
    /// It is called something that nothing can be called.
    #[error("`id`: {0}")]
    Id(String),
    /// It speaks of other ecosystems only.
    #[error("it says nothing of packages of the ecosystem `{ECOSYSTEM}`")]
    OtherEcosystems,
    /// It names something that is no package.
    #[error("`affected[{place}].package.name`: {error}")]
    Name {
        /// Which entry of `affected`.
        place: usize,
        /// What is wrong with it.
        #[source]
        error: NameError,
    },
    /// It names something that is no version.
    #[error("`affected[{place}]`: {error}")]
    Version {
        /// Which entry of `affected`.
        place: usize,
        /// What is wrong with it.
        #[source]
        error: VersionError,
    },
    /// It does not say which versions are affected, or not by an order of versions.
    #[error(
        "`affected[{place}]` does not say which versions of `{name}` are affected: `ranges` of the type `SEMVER` or `ECOSYSTEM`, or `versions`"
    )]
    NoVersions {
        /// Which entry of `affected`.
        place: usize,
        /// The package.
        name: PackageName,
    },
    /// It says more than is taken in.
    #[error("it says more than is taken in: {0}")]
    TooMuch(String),
}

/// A document, as far as it is read.
#[derive(Deserialize)]
struct Document {
    id: String,
    modified: Timestamp,
    #[serde(default)]
    withdrawn: Option<Timestamp>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    details: Option<String>,
    #[serde(default)]
    severity: Vec<Scored>,
    #[serde(default)]
    affected: Vec<Entry>,
    #[serde(default)]
    database_specific: Option<serde_json::Value>,
}

/// A severity, such as a CVSS vector.
#[derive(Deserialize)]
struct Scored {
    score: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    package: Option<Package>,
    #[serde(default)]
    severity: Vec<Scored>,
    #[serde(default)]
    ranges: Vec<Ranged>,
    #[serde(default)]
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Ranged {
    #[serde(rename = "type")]
    sort: String,
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    introduced: Option<String>,
    #[serde(default)]
    fixed: Option<String>,
    #[serde(default)]
    last_affected: Option<String>,
    #[serde(default)]
    limit: Option<String>,
}

impl Advisory {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// When it is none, says nothing of packages of Weir, or says more than is taken in.
    pub fn from_osv(bytes: &[u8]) -> Result<Self, OsvError> {
        if bytes.len() as u64 > LONGEST_DOCUMENT {
            return Err(OsvError::TooLong { bytes: bytes.len() as u64 });
        }
        let document: Document =
            serde_json::from_slice(bytes).map_err(|error| OsvError::NotOsv(error.to_string()))?;
        refuse_too_much(&document)?;
        let ours: Vec<(usize, &Entry, &Package)> = document
            .affected
            .iter()
            .enumerate()
            .filter_map(|(place, entry)| Some((place, entry, entry.package.as_ref()?)))
            .filter(|(_, _, package)| package.ecosystem == ECOSYSTEM)
            .collect();
        if ours.is_empty() {
            return Err(OsvError::OtherEcosystems);
        }
        let mut affected: BTreeMap<PackageName, Affected> = BTreeMap::new();
        let mut scores: Vec<&Scored> = document.severity.iter().collect();
        for (place, entry, package) in ours {
            let name: PackageName = package.name.parse().map_err(|error| OsvError::Name { place, error })?;
            scores.extend(&entry.severity);
            let one = affected.entry(name.clone()).or_insert_with(|| Affected {
                name: name.clone(),
                ranges: Vec::new(),
                versions: Vec::new(),
            });
            let (ranges, versions) = versions_of(place, entry)?;
            if ranges.is_empty() && versions.is_empty() {
                return Err(OsvError::NoVersions { place, name });
            }
            one.ranges.extend(ranges);
            one.versions.extend(versions);
            one.versions.sort_unstable();
            one.versions.dedup();
        }
        let first_line = |text: &String| text.lines().map(str::trim).find(|line| !line.is_empty()).map(cut);
        let advisory = Self {
            id: document.id.parse().map_err(OsvError::Id)?,
            document: Sha256::of(bytes),
            modified: document.modified,
            withdrawn: document.withdrawn,
            severity: severity(&scores, document.database_specific.as_ref()),
            summary: document.summary.iter().chain(&document.details).find_map(first_line),
            aliases: document.aliases.iter().take(MOST_ALIASES).map(|alias| cut(alias)).collect(),
            affected: affected.into_values().collect(),
        };
        let told = canonical_json(&advisory).map_err(|error| OsvError::NotOsv(error.to_string()))?.len();
        if told > LONGEST_TOLD {
            return Err(OsvError::TooMuch(format!(
                "what it says of packages comes to {told} bytes, and a record has room for {LONGEST_TOLD}"
            )));
        }
        Ok(advisory)
    }
}

fn refuse_too_much(document: &Document) -> Result<(), OsvError> {
    let too_many = |count: usize, most: usize, what: &str| match count > most {
        true => Err(OsvError::TooMuch(format!("it has {count} {what}, and {most} are allowed"))),
        false => Ok(()),
    };
    let affected = &document.affected;
    let events = affected.iter().flat_map(|entry| &entry.ranges).map(|range| range.events.len().max(1));
    too_many(affected.len(), MOST_PACKAGES, "affected packages")?;
    too_many(events.sum(), MOST_EVENTS, "events of ranges")?;
    too_many(affected.iter().map(|entry| entry.versions.len()).sum(), MOST_VERSIONS, "versions")
}

/// Some text, cut to what is kept of it, on one line.
fn cut(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_SUMMARY).collect()
}

/// The ranges and the versions of one entry.
fn versions_of(place: usize, entry: &Entry) -> Result<(Vec<AffectedRange>, Vec<Version>), OsvError> {
    let wrong = |error| OsvError::Version { place, error };
    let mut ranges = Vec::new();
    // Those of a version control system name commits, which nobody here can put in order.
    for range in entry.ranges.iter().filter(|range| matches!(&*range.sort, "SEMVER" | "ECOSYSTEM")) {
        ranges.extend(runs(&range.events).map_err(wrong)?);
    }
    let versions = entry.versions.iter().map(|version| version.parse()).collect::<Result<_, _>>();
    Ok((ranges, versions.map_err(wrong)?))
}

/// What happens at a version. At one version a fix comes first and what is affected last, so that what is introduced anew where
/// something was fixed is affected, and a range may hold a single version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Fixed,
    Introduced,
    Last,
}

/// The runs of versions that events make, by the algorithm of the schema: events in the order of versions, each of which begins a run or
/// ends one.
fn runs(events: &[Event]) -> Result<Vec<AffectedRange>, VersionError> {
    let mut turns: Vec<(Option<Version>, Turn)> = Vec::new();
    let mut limits: Vec<Version> = Vec::new();
    let mut unlimited = true;
    for event in events {
        if let Some(introduced) = &event.introduced {
            let from = if introduced == "0" { None } else { Some(introduced.parse()?) };
            turns.push((from, Turn::Introduced));
        }
        if let Some(fixed) = &event.fixed {
            turns.push((Some(fixed.parse()?), Turn::Fixed));
        }
        if let Some(last) = &event.last_affected {
            turns.push((Some(last.parse()?), Turn::Last));
        }
        match event.limit.as_deref() {
            None | Some("*") => {}
            Some(limit) => {
                limits.push(limit.parse()?);
                unlimited = false;
            }
        }
    }
    turns.sort();
    let limit = if unlimited { None } else { limits.into_iter().max() };
    let mut runs = Vec::new();
    let mut open: Option<Option<Version>> = None;
    for (version, turn) in turns {
        match (turn, open.take(), version) {
            (Turn::Introduced, None, from) => open = Some(from),
            (Turn::Introduced, Some(from), _) => open = Some(from),
            (Turn::Fixed, Some(from), Some(fixed)) => {
                runs.push(AffectedRange { from, end: RangeEnd::Fixed(fixed) });
            }
            (Turn::Last, Some(from), Some(last)) => {
                runs.push(AffectedRange { from, end: RangeEnd::Last(last) });
            }
            (Turn::Fixed | Turn::Last, _, _) => {}
        }
    }
    runs.extend(open.map(|from| AffectedRange { from, end: RangeEnd::Open }));
    if let Some(limit) = limit {
        runs.retain(|run| run.from.as_ref().is_none_or(|from| *from < limit));
        for run in &mut runs {
            if ends_after(&run.end, &limit) {
                run.end = RangeEnd::Fixed(limit.clone());
            }
        }
    }
    Ok(runs)
}

fn ends_after(end: &RangeEnd, limit: &Version) -> bool {
    match end {
        RangeEnd::Open => true,
        RangeEnd::Fixed(fixed) => fixed > limit,
        RangeEnd::Last(last) => last.cmp(limit) != Ordering::Less,
    }
}

/// The worst of what CVSS vectors come to. Where there is none, the word for it that some databases write beside.
fn severity(scores: &[&Scored], beside: Option<&serde_json::Value>) -> Option<Severity> {
    let scored =
        scores.iter().filter_map(|scored| named(scored.score.parse::<cvss::Cvss>().ok()?.severity()));
    scored.max().or_else(|| {
        let word = beside?.get("severity")?.as_str()?.to_ascii_lowercase();
        if word == "moderate" { Some(Severity::Medium) } else { word.parse().ok() }
    })
}

fn named(severity: cvss::Severity) -> Option<Severity> {
    match severity {
        cvss::Severity::None => None,
        cvss::Severity::Low => Some(Severity::Low),
        cvss::Severity::Medium => Some(Severity::Medium),
        cvss::Severity::High => Some(Severity::High),
        cvss::Severity::Critical => Some(Severity::Critical),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Advisory, LONGEST_DOCUMENT, OsvError, Severity};

    fn document(affected: &serde_json::Value) -> Vec<u8> {
        json!({"id": "ACME-1", "modified": "2026-01-02T03:04:05Z", "affected": affected})
            .to_string()
            .into_bytes()
    }

    fn of_events(events: &serde_json::Value) -> Result<String, OsvError> {
        let package = json!({"ecosystem": "Weir", "name": "acme/str"});
        let affected = json!([{"package": package, "ranges": [{"type": "SEMVER", "events": events}]}]);
        Advisory::from_osv(&document(&affected)).map(|advisory| advisory.affected[0].to_string())
    }

    #[test]
    fn events_make_runs_of_versions_in_whatever_order_they_stand() {
        for (events, runs) in [
            (json!([{"introduced": "0"}]), "all versions"),
            (json!([{"fixed": "1.2.0"}, {"introduced": "0"}]), "<1.2.0"),
            (json!([{"introduced": "1.0.0", "fixed": "1.2.0"}]), ">=1.0.0 <1.2.0"),
            (json!([{"introduced": "1.0.0"}, {"last_affected": "1.0.0"}]), ">=1.0.0 <=1.0.0"),
            (
                json!([{"introduced": "1.0.0"}, {"fixed": "1.0.5"}, {"introduced": "2.0.0"}, {"fixed": "2.0.1"}]),
                ">=1.0.0 <1.0.5, >=2.0.0 <2.0.1",
            ),
            (json!([{"introduced": "0"}, {"limit": "2.0.0"}]), "<2.0.0"),
            (json!([{"introduced": "0"}, {"limit": "*"}]), "all versions"),
            (
                json!([{"introduced": "1.0.0"}, {"fixed": "1.2.0"}, {"introduced": "1.2.0"}]),
                ">=1.0.0 <1.2.0, >=1.2.0",
            ),
        ] {
            assert_eq!(of_events(&events).as_deref(), Ok(runs), "{events}");
        }
    }

    #[test]
    fn severity_is_that_of_the_worst_vector_or_the_word_beside() {
        let told = |beside: serde_json::Value| {
            let mut whole: serde_json::Value = serde_json::from_slice(&document(&json!([{
                "package": {"ecosystem": "Weir", "name": "acme/str"}, "versions": ["1.0.0"],
            }])))
            .unwrap();
            whole.as_object_mut().unwrap().extend(beside.as_object().unwrap().clone());
            Advisory::from_osv(whole.to_string().as_bytes()).unwrap().severity
        };
        let vector = |text: &str| json!({"severity": [{"type": "CVSS", "score": text}]});
        assert_eq!(told(json!({})), None);
        assert_eq!(told(vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")), Some(Severity::Critical));
        assert_eq!(told(vector("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N")), Some(Severity::Low));
        assert_eq!(
            told(vector("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N")),
            Some(Severity::Critical)
        );
        for nonsense in ["", "CVSS:3.1/AV:N", "CVSS:4.0/AV:N", "CVSS:9.9/AV:N", "AV:N", "high", "a/b:c"] {
            assert_eq!(told(vector(nonsense)), None, "{nonsense}");
        }
        assert_eq!(told(json!({"database_specific": {"severity": "MODERATE"}})), Some(Severity::Medium));
    }

    #[test]
    fn what_cannot_be_understood_is_refused_and_says_where() {
        let ours = |rest: serde_json::Value| {
            let mut entry = json!({"package": {"ecosystem": "Weir", "name": "acme/str"}});
            entry.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            Advisory::from_osv(&document(&json!([entry]))).unwrap_err().to_string()
        };
        assert!(ours(json!({"versions": ["one"]})).starts_with("`affected[0]`: `one` is not a version"));
        assert!(ours(json!({})).contains("does not say which versions of `acme/str` are affected"));
        assert!(
            ours(json!({"ranges": [{"type": "GIT", "events": [{"introduced": "abc"}]}]}))
                .contains("does not say")
        );
        let npm = json!([{"package": {"ecosystem": "npm", "name": "left-pad"}, "versions": ["1.0.0"]}]);
        assert_eq!(Advisory::from_osv(&document(&npm)), Err(OsvError::OtherEcosystems));
    }

    #[test]
    fn what_is_huge_or_deep_is_refused() {
        let long = vec![b' '; usize::try_from(LONGEST_DOCUMENT).unwrap() + 1];
        assert!(matches!(Advisory::from_osv(&long), Err(OsvError::TooLong { .. })));
        let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
        assert!(matches!(Advisory::from_osv(&deep), Err(OsvError::NotOsv(_))));
        let events: Vec<_> = (0..5000).map(|n| json!({"introduced": format!("{n}.0.0")})).collect();
        assert!(matches!(of_events(&json!(events)), Err(OsvError::TooMuch(_))));
        let versions: Vec<String> =
            (0..4000).map(|n| format!("1.0.{n}-a-pre-release-with-a-long-name")).collect();
        let package = json!({"ecosystem": "Weir", "name": "acme/str"});
        let told = Advisory::from_osv(&document(&json!([{"package": package, "versions": versions}])));
        assert!(matches!(told, Err(OsvError::TooMuch(_))));
    }
}
