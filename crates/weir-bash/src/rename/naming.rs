//! The new names: how a release is marked in an identifier.
//!
//! A release's *mark* is its version in identifier characters: `0.12.0` is `0_12_0`. With its
//! slug it makes the release's *prefix*, `core_0_12_0`:
//!
//! | what | before | after |
//! | --- | --- | --- |
//! | function with the slug | `core.print_info` | `core_0_12_0.print_info` |
//! | the same, spelled otherwise | `bash-toml.parse` | `bash-toml_0_3_1.parse` |
//! | function without it | `helper` | `core_0_12_0__helper` |
//! | global variable | `___stack___` | `___stack____core_0_12_0` |
//!
//! Every new name is the old one with identifier characters inserted at one place. No two old
//! names get one new name: the first form keeps a character behind the prefix that is no
//! identifier character, the second has `__` there, and both keep all of the old name.

/// A version in identifier characters; no two versions give the same.
///
/// The three numbers are joined by `_`; of a pre-release, `.` becomes `_`, `-` becomes `Zh`, and `Z` becomes
/// `ZZ`; any other character, which no version has, becomes `Zx`, its number in hexadecimal, and `Z_`.
pub fn version_mark(version: &str) -> String {
    let (numbers, rest) = match version.split_once('-') {
        Some((numbers, rest)) => (numbers, Some(rest)),
        None => (version, None),
    };
    let mut mark = String::with_capacity(version.len());
    push_identifier(&mut mark, numbers);
    if let Some(rest) = rest {
        mark.push('_');
        push_identifier(&mut mark, rest);
    }
    mark
}

fn push_identifier(mark: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '.' => mark.push('_'),
            '-' => mark.push_str("Zh"),
            'Z' => mark.push_str("ZZ"),
            c if c.is_ascii_alphanumeric() => mark.push(c),
            c => mark.push_str(&format!("Zx{:x}Z_", u32::from(c))),
        }
    }
}

/// What a renamed package's variables end with, after a `_`: its first slug and its mark, as an identifier.
pub(crate) fn variable_suffix(slug: &str, mark: &str) -> String {
    let slug = slug.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    format!("_{}_{mark}", slug.collect::<String>())
}

/// How far a name spells a slug that ends there, `-` and `_` being alike: what follows must not be able to go on.
pub(crate) fn spelled_slug(name: &[u8], slug: &str) -> Option<usize> {
    let slug = slug.as_bytes();
    let alike = |a: u8, b: u8| a == b || (matches!(a, b'-' | b'_') && matches!(b, b'-' | b'_'));
    let spelled = name.len() >= slug.len() && name.iter().zip(slug).all(|(a, b)| alike(*a, *b));
    let ends = name
        .get(slug.len())
        .is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'_' && *next < 0x80);
    (spelled && ends && !slug.is_empty()).then_some(slug.len())
}

/// As [`spelled_slug`], followed by one of the separators that only names of functions have: `.` or `:`.
pub(crate) fn spelled_prefix(name: &[u8], slug: &str) -> Option<usize> {
    spelled_slug(name, slug).filter(|end| matches!(name.get(*end), Some(b'.' | b':')))
}

/// A new name: what to insert, and after how many bytes of the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Insertion {
    pub(crate) at: usize,
    pub(crate) text: String,
}

impl Insertion {
    pub(crate) fn apply(&self, name: &[u8]) -> Vec<u8> {
        [&name[..self.at], self.text.as_bytes(), &name[self.at..]].concat()
    }

    /// The insertion that makes `new` of `old`, if one does.
    pub(crate) fn between(old: &[u8], new: &[u8]) -> Option<Self> {
        let same = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let added = new.len().checked_sub(old.len())?;
        let text = new.get(same..same + added)?;
        (new[same + added..] == old[same..]).then_some(())?;
        Some(Self { at: same, text: String::from_utf8(text.to_vec()).ok()? })
    }
}

/// The new name of a function of a package with these slugs, or `None` if it bears the mark already.
pub(crate) fn rename_function(name: &[u8], slugs: &[String], mark: &str) -> Option<Insertion> {
    if slugs.iter().any(|slug| is_marked(name, slug, mark)) {
        return None;
    }
    if let Some(at) = slugs.iter().find_map(|slug| spelled_slug(name, slug)) {
        return Some(Insertion { at, text: format!("_{mark}") });
    }
    let slug = slugs.first()?;
    Some(Insertion { at: 0, text: format!("{slug}_{mark}__") })
}

fn is_marked(name: &[u8], slug: &str, mark: &str) -> bool {
    let prefix = format!("{slug}_{mark}");
    spelled_slug(name, &prefix).is_some() || name.starts_with(format!("{prefix}__").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{Insertion, rename_function, spelled_prefix, version_mark};
    use std::collections::HashSet;

    fn renamed(name: &str, slug: &str) -> Option<String> {
        let insertion = rename_function(name.as_bytes(), &[slug.into()], "1_2_0")?;
        Some(String::from_utf8(insertion.apply(name.as_bytes())).unwrap())
    }

    #[test]
    fn no_two_versions_share_a_mark() {
        let versions = [
            "1.0.0",
            "1.0.0-rc.1",
            "1.0.0-rc-1",
            "1.0.0-rcZ1",
            "1.0.0-rcZh1",
            "1.0.0-rc.-1",
            "1.0.0-rc-.1",
            "10.0.0",
        ];
        let marks: HashSet<String> = versions.iter().map(|version| version_mark(version)).collect();
        assert_eq!(marks.len(), versions.len());
        assert!(marks.iter().all(|mark| mark.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')));
        assert_eq!(version_mark("0.12.0"), "0_12_0");
    }

    #[test]
    fn a_function_keeps_its_spelling_behind_the_new_prefix() {
        assert_eq!(renamed("core.print", "core").unwrap(), "core_1_2_0.print");
        assert_eq!(renamed("bash-toml::parse", "bash_toml").unwrap(), "bash-toml_1_2_0::parse");
        assert_eq!(renamed("helper", "core").unwrap(), "core_1_2_0__helper");
        assert_eq!(renamed("core_print", "core").unwrap(), "core_1_2_0__core_print");
    }

    #[test]
    fn a_name_that_bears_the_mark_is_left_alone() {
        assert_eq!(renamed("core_1_2_0.print", "core"), None);
        assert_eq!(renamed("core_1_2_0__helper", "core"), None);
    }

    #[test]
    fn a_slug_that_begins_another_slug_does_not_claim_its_functions() {
        assert_eq!(spelled_prefix(b"core_x.a", "core"), None);
        assert_eq!(spelled_prefix(b"bash-toml.a", "bash"), None);
        assert_eq!(spelled_prefix(b"core.a", "core_x"), None);
        assert_eq!(spelled_prefix(b"bash-toml.a", "bash_toml"), Some(9));
    }

    #[test]
    fn an_insertion_is_found_between_old_and_new() {
        let insertion = Insertion::between(b"core.x", b"core_1_2_0.x").unwrap();
        assert_eq!((insertion.at, insertion.text.as_str()), (4, "_1_2_0"));
        assert_eq!(Insertion::between(b"core.x", b"other"), None);
    }
}
