//! Ranges against the vectors in `vectors/ranges.json` and against the `semver` crate.

use std::ops::RangeBounds as _;

use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde::Deserialize;

use super::{Range, RangeError};
use crate::Version;

#[derive(Deserialize)]
struct Vectors {
    ranges: Vec<Vector>,
    refused: Vec<String>,
}

#[derive(Deserialize)]
struct Vector {
    range: String,
    canonical: String,
    inside: Vec<Version>,
    outside: Vec<Version>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../vectors/ranges.json")).unwrap()
}

fn in_intervals(range: &Range, version: &Version) -> bool {
    range.intervals().iter().any(|interval| interval.contains(version))
}

fn message(text: &str) -> String {
    text.parse::<Range>().unwrap_err().to_string()
}

#[test]
fn ranges_accept_what_the_vectors_say_and_nothing_else() {
    for vector in vectors().ranges {
        let range: Range = vector.range.parse().unwrap();
        assert_eq!(range.canonical(), vector.canonical);
        assert_eq!(range.to_string(), vector.range);
        assert_eq!(range.is_empty(), vector.inside.is_empty(), "{range}");
        for version in vector.inside {
            assert!(range.contains(&version), "{range} does not contain {version}");
            assert!(in_intervals(&range, &version), "no interval of {range} contains {version}");
        }
        for version in vector.outside {
            assert!(!range.contains(&version), "{range} contains {version}");
        }
    }
}

#[test]
fn the_vectors_agree_with_the_semver_crate_where_it_reads_them() {
    let read = |vector: Vector| Some((semver::VersionReq::parse(&vector.range).ok()?, vector));
    for (theirs, vector) in vectors().ranges.into_iter().filter_map(read) {
        assert!(vector.inside.iter().all(|version| theirs.matches(version.as_semver())), "{}", vector.range);
        assert!(
            !vector.outside.iter().any(|version| theirs.matches(version.as_semver())),
            "{}",
            vector.range
        );
    }
}

#[test]
fn what_is_no_range_is_refused() {
    for text in vectors().refused {
        assert!(text.parse::<Range>().is_err(), "{text}");
    }
}

#[test]
fn errors_say_what_was_probably_meant() {
    assert!(message(">=1 <3").contains("did you mean `>=1, <3`?"), "{}", message(">=1 <3"));
    assert!(message("^v1.2").contains("did you mean `^1.2`?"), "{}", message("^v1.2"));
    assert!(message("1.0 <= v < 2.0").contains("did you mean `>=1.0, <2.0`?"));
    assert!(message("1.2.3+linux").contains("build metadata"));
    assert!(message("^1 ||").contains("write `*`"));
}

#[test]
fn length_alternatives_and_comparators_are_bounded() {
    assert!(matches!("1".repeat(2000).parse::<Range>(), Err(RangeError::TooLong { length: 2000 })));
    let alternatives = vec!["1"; 33].join("||");
    assert!(matches!(alternatives.parse::<Range>(), Err(RangeError::TooManyAlternatives { count: 33 })));
    let comparators = vec![">1"; 33].join(",");
    assert!(matches!(comparators.parse::<Range>(), Err(RangeError::TooManyComparators { count: 33 })));
    assert!(vec![">1"; 32].join(",").parse::<Range>().is_ok());
}

#[test]
fn ranges_are_equal_when_their_canonical_texts_are() {
    let range = |text: &str| text.parse::<Range>().unwrap();
    assert_eq!(range("1.2"), range("^ 1.2"));
    assert_ne!(range("^1.2"), range(">=1.2, <2"));
    let version = Version::new(1, 2, 3);
    assert_eq!(Range::caret(&version), range("1.2.3"));
    assert_eq!(Range::exact(&version), range("=1.2.3"));
    assert_eq!(Range::any(), range("*"));
}

#[test]
fn overlapping_and_touching_alternatives_become_one_interval() {
    let count = |text: &str| text.parse::<Range>().unwrap().intervals().len();
    assert_eq!(count("^1 || >=1.5, <1.9"), 1);
    assert_eq!(count("<1.0.0-0 || >=1.0.0-0"), 1);
    assert_eq!(count("^3 || ^1"), 2);
    assert_eq!(count(">=2, <1"), 0);
    assert_eq!(count("^1.0.0-beta"), 1);
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..4u64, 1 => Just(u64::MAX), 1 => Just(u64::MAX - 1)]
}

fn prerelease() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just(""), 1 => Just("-0"), 1 => Just("-alpha"), 1 => Just("-alpha.1"), 1 => Just("-rc.1")]
}

fn version() -> impl Strategy<Value = Version> {
    (number(), number(), number(), prerelease())
        .prop_map(|(major, minor, patch, pre)| format!("{major}.{minor}.{patch}{pre}").parse().unwrap())
}

fn comparator() -> impl Strategy<Value = String> {
    let operator = prop_oneof![
        Just(""),
        Just("^"),
        Just("~"),
        Just("="),
        Just("<"),
        Just("<="),
        Just(">"),
        Just(">="),
        Just("> ")
    ];
    let partial = prop_oneof![
        4 => (number(), number(), number(), prerelease()).prop_map(|(a, b, c, pre)| format!("{a}.{b}.{c}{pre}")),
        1 => (number(), number()).prop_map(|(a, b)| format!("{a}.{b}")),
        1 => number().prop_map(|a| a.to_string()),
    ];
    let wildcard = prop_oneof![
        (number(), number()).prop_map(|(a, b)| format!("{a}.{b}.*")),
        number().prop_map(|a| format!("{a}.*")),
    ];
    prop_oneof![6 => (operator, partial).prop_map(|(op, version)| format!("{op}{version}")), 1 => wildcard]
}

fn comparators() -> impl Strategy<Value = String> {
    proptest::collection::vec(comparator(), 1..4).prop_map(|parts| parts.join(", "))
}

proptest! {
    #[test]
    fn within_cargos_language_every_answer_is_the_semver_crates(
        text in comparators(),
        versions in proptest::collection::vec(version(), 16),
    ) {
        let ours: Range = text.parse().unwrap();
        let theirs = semver::VersionReq::parse(&text).unwrap();
        for version in versions {
            prop_assert_eq!(ours.contains(&version), theirs.matches(version.as_semver()), "{} {}", text, version);
        }
    }

    #[test]
    fn intervals_hold_every_version_the_range_contains_and_no_other_release(
        parts in proptest::collection::vec(comparators(), 1..4),
        versions in proptest::collection::vec(version(), 16),
    ) {
        let range: Range = parts.join(" || ").parse().unwrap();
        for version in versions {
            let inside = in_intervals(&range, &version);
            prop_assert!(inside || !range.contains(&version), "{} {}", range, version);
            prop_assert!(!inside || version.is_prerelease() || range.contains(&version), "{} {}", range, version);
        }
    }

    #[test]
    fn intervals_are_sorted_and_disjoint(parts in proptest::collection::vec(comparators(), 1..5)) {
        use std::ops::Bound::{Excluded, Included, Unbounded};
        let range: Range = parts.join(" || ").parse().unwrap();
        for pair in range.intervals().windows(2) {
            let apart = match (&pair[0].1, &pair[1].0) {
                (Unbounded, _) | (_, Unbounded) => false,
                (Excluded(end), Excluded(start)) => end <= start,
                (Included(end) | Excluded(end), Included(start) | Excluded(start)) => end < start,
            };
            prop_assert!(apart, "{} {:?}", range, pair);
        }
    }

    #[test]
    fn a_canonical_text_reads_back_as_the_same_range(parts in proptest::collection::vec(comparators(), 1..4)) {
        let range: Range = parts.join("||").parse().unwrap();
        let again: Range = range.canonical().parse().unwrap();
        prop_assert_eq!(again.canonical(), range.canonical());
        prop_assert_eq!(again, range);
    }

    #[test]
    fn no_text_makes_reading_panic(text in "[-0-9.*xv^~=<>|, +]{0,40}") {
        let _ = text.parse::<Range>();
        let _ = text.parse::<Version>();
    }
}
