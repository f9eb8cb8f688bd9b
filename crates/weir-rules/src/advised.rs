//! What advisories know against a release: the one place where versions are matched.

use weir_model::advisory::{Advisory, Affected, AffectedRange, RangeEnd, Severity};
use weir_model::{PackageName, Version};

/// Whether an advisory says that a version of a package is affected. One that its authors took back says so of none.
pub fn is_affected(advisory: &Advisory, name: &PackageName, version: &Version) -> bool {
    advisory.withdrawn.is_none()
        && advisory.affected.iter().any(|affected| affected.name == *name && has(affected, version))
}

fn has(affected: &Affected, version: &Version) -> bool {
    affected.versions.contains(version) || affected.ranges.iter().any(|range| contains(range, version))
}

fn contains(range: &AffectedRange, version: &Version) -> bool {
    let begins = range.from.as_ref().is_none_or(|from| from <= version);
    begins
        && match &range.end {
            RangeEnd::Fixed(fixed) => version < fixed,
            RangeEnd::Last(last) => version <= last,
            RangeEnd::Open => true,
        }
}

/// As how bad an advisory counts where something is decided by that: one that does not say it as the worst, for nobody has said that it is
/// less.
pub fn counts_as(said: Option<Severity>) -> Severity {
    said.unwrap_or(Severity::Critical)
}

/// How bad the worst is that advisories know against a version, if they know anything.
pub fn worst<'a>(
    advisories: impl IntoIterator<Item = &'a Advisory>,
    name: &PackageName,
    version: &Version,
) -> Option<Severity> {
    advisories
        .into_iter()
        .filter(|one| is_affected(one, name, version))
        .map(|one| counts_as(one.severity))
        .max()
}

/// The lowest version above `version` where an advisory says that a package is mended, if it says so.
pub fn fixed_in<'a>(advisory: &'a Advisory, name: &PackageName, version: &Version) -> Option<&'a Version> {
    let ranges =
        advisory.affected.iter().filter(|affected| affected.name == *name).flat_map(|one| &one.ranges);
    let fixes = ranges.filter_map(|range| match &range.end {
        RangeEnd::Fixed(fixed) => Some(fixed),
        RangeEnd::Last(_) | RangeEnd::Open => None,
    });
    fixes.filter(|fixed| *fixed > version && !is_affected(advisory, name, fixed)).min()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use weir_model::advisory::Advisory;
    use weir_model::{PackageName, Version};

    use super::{fixed_in, is_affected};

    fn advisory(events: &str) -> Advisory {
        let text = format!(
            r#"{{"id": "A-1", "modified": "2026-01-01T00:00:00Z", "affected": [{{
                "package": {{"ecosystem": "Weir", "name": "acme/str"}}, "ranges": [{{"type": "SEMVER", "events": [{events}]}}]
            }}]}}"#
        );
        Advisory::from_osv(text.as_bytes()).unwrap()
    }

    fn name() -> PackageName {
        "acme/str".parse().unwrap()
    }

    #[test]
    fn a_fix_ends_what_is_affected_and_a_pre_release_of_it_is_affected_still() {
        let one = advisory(r#"{"introduced": "1.0.0"}, {"fixed": "1.2.0"}"#);
        let affected = |version: &str| is_affected(&one, &name(), &version.parse().unwrap());
        assert!(affected("1.0.0") && affected("1.1.9") && affected("1.2.0-rc.1"));
        assert!(!affected("0.9.0") && !affected("1.0.0-rc.1") && !affected("1.2.0"));
        assert!(!is_affected(&one, &"acme/other".parse().unwrap(), &"1.0.0".parse().unwrap()));
        assert_eq!(fixed_in(&one, &name(), &"1.1.0".parse().unwrap()), Some(&"1.2.0".parse().unwrap()));
    }

    #[test]
    fn the_fix_of_an_older_line_is_none_for_a_newer_one() {
        let one = advisory(
            r#"{"introduced": "1.0.0"}, {"fixed": "1.0.5"}, {"introduced": "2.0.0"}, {"fixed": "2.0.1"}"#,
        );
        assert_eq!(fixed_in(&one, &name(), &"2.0.0".parse().unwrap()), Some(&"2.0.1".parse().unwrap()));
        assert_eq!(fixed_in(&one, &name(), &"1.0.0".parse().unwrap()), Some(&"1.0.5".parse().unwrap()));
    }

    /// The algorithm of the schema, word for word, for events that each stand at a version of their own.
    fn by_the_schema(events: &[(bool, u64)], version: u64) -> bool {
        let mut sorted = events.to_vec();
        sorted.sort_by_key(|(_, at)| *at);
        let mut vulnerable = false;
        for (introduced, at) in sorted {
            if introduced && version >= at {
                vulnerable = true;
            } else if !introduced && version >= at {
                vulnerable = false;
            }
        }
        vulnerable
    }

    proptest! {
        #[test]
        fn whatever_the_events_it_is_what_the_schema_says(
            events in prop::collection::btree_map(1u64..20, any::<bool>(), 1..8),
            version in 0u64..22,
        ) {
            let events: Vec<(bool, u64)> = events.into_iter().map(|(at, introduced)| (introduced, at)).collect();
            prop_assume!(events.iter().any(|(introduced, _)| *introduced));
            let told: Vec<String> = events
                .iter()
                .map(|(introduced, at)| format!(r#"{{"{}": "{at}.0.0"}}"#, if *introduced { "introduced" } else { "fixed" }))
                .collect();
            let affected = is_affected(&advisory(&told.join(",")), &name(), &Version::new(version, 0, 0));
            prop_assert_eq!(affected, by_the_schema(&events, version));
        }
    }
}
