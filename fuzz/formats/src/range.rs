//! Ranges, versions, names and platforms: the first line is a range, the others are versions.

use std::ops::RangeBounds as _;

use weir_model::{PackageName, Platform, Range, ReleaseId, Version};

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default();
    words(first);
    let Ok(range) = first.parse::<Range>() else { return };
    assert_eq!(range.to_string().parse::<Range>().as_ref(), Ok(&range));
    let canonical: Range = range.canonical().parse().expect("the canonical spelling is a range");
    assert_eq!(canonical.canonical(), range.canonical());
    let intervals = range.intervals();
    for version in lines.filter_map(|line| line.parse::<Version>().ok()) {
        assert_eq!(version.to_string().parse::<Version>().as_ref(), Ok(&version));
        let within = intervals.iter().any(|interval| interval.contains(&version));
        assert_eq!(range.contains(&version), canonical.contains(&version));
        if range.contains(&version) {
            assert!(within, "{range} contains {version}, and no interval does");
        } else if !version.is_prerelease() {
            assert!(!within, "{range} does not contain {version}, and an interval does");
        }
    }
}

fn words(text: &str) {
    if let Ok(name) = text.parse::<PackageName>() {
        assert_eq!(format!("{}/{}", name.owner(), name.name()), text);
    }
    if let Ok(platform) = text.parse::<Platform>() {
        assert_eq!(platform.to_string().parse::<Platform>(), Ok(platform));
    }
    if let Ok(id) = text.parse::<ReleaseId>() {
        assert_eq!(id.to_string().parse::<ReleaseId>().as_ref(), Ok(&id));
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let versions = "0.0.3\n0.2.9\n1.2.3\n1.2.3-rc.1\n2.0.0-0\n3.4.5-alpha.10.x-y\n";
    let ranges = [
        "*",
        "1",
        "^1.2",
        "~1.2.3",
        "1.2.*",
        "=1.2.3",
        ">=1, <3",
        ">=1.2.3-rc.1, <2 || ^0.0.3",
        "1.0.0 <= v < 2.0.0",
        "acme/greet 1.2.3-rc.1 x86-64-debian-12 revision 3",
        "x86-64-debian-12",
    ];
    ranges.iter().map(|range| format!("{range}\n{versions}").into_bytes()).collect()
}
