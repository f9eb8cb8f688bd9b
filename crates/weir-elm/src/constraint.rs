//! Ranges in Elm's form, `1.0.0 <= v < 2.0.0`.

use std::ops::Bound;

use weir_model::{Range, Version};

/// The range from a version to the next that may break what worked with it: `1.2.3 <= v < 2.0.0`.
pub fn until_next_major(version: &Version) -> Range {
    let next = Version::new(version.major().saturating_add(1), 0, 0);
    format!("{version} <= v < {next}").parse().unwrap_or_else(|_| Range::exact(version))
}

/// A range as Elm writes it; `None` where it is not of the versions between two.
pub fn written(range: &Range) -> Option<String> {
    let intervals = range.intervals();
    let [(low, high)] = intervals.as_slice() else { return None };
    let (low, above) = match low {
        Bound::Included(low) => (low, "<="),
        Bound::Excluded(low) => (low, "<"),
        Bound::Unbounded => return None,
    };
    let (high, below) = match high {
        Bound::Included(high) => (high.clone(), "<="),
        Bound::Excluded(high) => (high.clone(), "<"),
        Bound::Unbounded => return None,
    };
    // `<2.0.0` ends before the pre-releases of 2.0.0, which Elm does not have.
    let plain = |version: &Version| version.without_prerelease();
    Some(format!("{} {above} v {below} {}", plain(low), plain(&high)))
}

#[cfg(test)]
mod tests {
    use super::{until_next_major, written};

    #[test]
    fn a_range_between_two_versions_has_elms_form() {
        for (range, elm) in [
            ("^1.2.3", Some("1.2.3 <= v < 2.0.0")),
            ("1.0.0 <= v < 3.0.0", Some("1.0.0 <= v < 3.0.0")),
            ("=1.2.3", Some("1.2.3 <= v <= 1.2.3")),
            ("~1.2", Some("1.2.0 <= v < 1.3.0")),
            (">1.0.0, <=1.4.0", Some("1.0.0 < v <= 1.4.0")),
            ("*", None),
            (">=1", None),
            ("^1 || ^3", None),
        ] {
            assert_eq!(written(&range.parse().unwrap()).as_deref(), elm, "{range}");
        }
    }

    #[test]
    fn a_version_is_good_until_the_next_major() {
        let until = |version: &str| until_next_major(&version.parse().unwrap()).to_string();
        assert_eq!(until("1.0.5"), "1.0.5 <= v < 2.0.0");
        assert_eq!(until("0.3.0"), "0.3.0 <= v < 1.0.0");
    }
}
