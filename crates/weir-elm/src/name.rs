//! Which names and versions Elm can read.

use weir_model::{PackageName, Version};

/// The largest number in a version that `registry.dat` has room for.
const LARGEST: u64 = 0xffff;

/// Whether the compiler takes JavaScript of its own, "kernel code", in a package: in those of Elm itself.
pub fn may_have_kernel(name: &PackageName) -> bool {
    matches!(name.owner(), "elm" | "elm-explorations")
}

/// What Elm's own parser refuses in a name, if anything: it takes fewer than Weir.
pub(crate) fn refused_name(name: &PackageName) -> Option<&'static str> {
    let words = |part: &str, good: fn(char) -> bool| {
        part.split('-').all(|word| !word.is_empty() && word.chars().all(good))
    };
    if !words(name.owner(), |c| c.is_ascii_alphanumeric()) {
        return Some("an author has letters, digits, and single `-` between them");
    }
    let project = name.name();
    if !project.starts_with(|c: char| c.is_ascii_lowercase())
        || !words(project, |c| c.is_ascii_lowercase() || c.is_ascii_digit())
    {
        return Some(
            "the name after the `/` has lower case letters, digits, and single `-` between them, a letter first",
        );
    }
    None
}

/// What Elm's own parser refuses in a version, if anything.
pub(crate) fn refused_version(version: &Version) -> Option<&'static str> {
    if version.is_prerelease() {
        return Some("a version of Elm has three numbers and nothing after them");
    }
    let numbers = [version.major(), version.minor(), version.patch()];
    (numbers.into_iter().max() > Some(LARGEST)).then_some("no number in a version of Elm is above 65535")
}

#[cfg(test)]
mod tests {
    use super::{refused_name, refused_version};

    #[test]
    fn what_elm_cannot_read_is_told() {
        let takes = |name: &str| refused_name(&name.parse().unwrap()).is_none();
        assert!(takes("elm/core") && takes("NoRedInk/elm-json-decode-pipeline") && takes("a1/x2"));
        for bad in
            ["acme/Str", "acme/str_x", "acme/1st", "acme/str-", "ac_me/str", "ac--me/str", "acme/str.x"]
        {
            assert!(!takes(bad), "{bad}");
        }
        let reads = |version: &str| refused_version(&version.parse().unwrap()).is_none();
        assert!(reads("1.0.0") && reads("65535.0.1"));
        assert!(!reads("1.0.0-beta") && !reads("65536.0.0"));
    }
}
