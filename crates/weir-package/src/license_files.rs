//! Which licence a folder has, by the texts in it.

use std::path::Path;

use spdx::detection::scan::Scanner;
use spdx::detection::{Store, TextData};
use weir_fs::Folder;
use weir_model::License;

/// How the names of files with licences begin.
const NAMES: [&str; 4] = ["LICENSE", "LICENCE", "COPYING", "UNLICENSE"];

/// The most of such files that are read, and the longest that one may be.
const MOST: usize = 8;
const LONGEST: u64 = 256 << 10;

/// How like the text of a licence a file must be, from 0 to 1. The licences of Pixar and of Apache, without its appendix,
/// are alike by 0.98, and a wrong licence is worse than none.
const CONFIDENCE: f32 = 0.99;

/// The licence whose text is in a folder; alternatives where there are several, as in Rust's `LICENSE-MIT` and `LICENSE-APACHE`.
/// Nothing where no file is a licence that SPDX knows, or one is none: then its owner knows better.
pub fn detect_license(folder: &Path) -> Option<License> {
    let folder = Folder::open(folder).ok()?;
    let mut names: Vec<String> = folder
        .entries()
        .ok()?
        .into_iter()
        .filter_map(|entry| entry.name.into_string().ok())
        .filter(|name| NAMES.iter().any(|beginning| name.to_ascii_uppercase().starts_with(beginning)))
        .collect();
    names.sort_unstable();
    if names.is_empty() || names.len() > MOST {
        return None;
    }
    let known = Store::load_inline().ok()?;
    let scanner = Scanner::new(&known).confidence_threshold(CONFIDENCE);
    let mut found = Vec::new();
    for name in &names {
        let text = folder.read_text(name, LONGEST).ok()?;
        let license = match scanner.scan(&TextData::new(&text)).license {
            Some(license) => license.name.to_owned(),
            None if is_apache(&text) => APACHE.to_owned(),
            None => return None,
        };
        if !found.contains(&license) {
            found.push(license);
        }
    }
    found.join(" OR ").parse().ok()
}

/// The licence that is as often without its appendix as with it, and then too like another to be told by likeness to the whole.
const APACHE: &str = "Apache-2.0";

/// Its text, without the appendix.
const APACHE_TERMS: &str = include_str!("../../../LICENSE-APACHE");

/// Whether a text is that of Apache, with or without its appendix: it has that title, and the same terms.
fn is_apache(text: &str) -> bool {
    const TITLE: [&str; 7] = ["Apache", "License", "Version", "2.0,", "January", "2004", "http"];
    const END: &str = "END OF TERMS AND CONDITIONS";
    let terms = |text: &str| TextData::new(text.split(END).next().unwrap_or(text));
    let mut words = text.split_whitespace();
    let titled = TITLE.iter().all(|title| words.next().is_some_and(|word| word.starts_with(title)));
    titled && terms(text).match_score(&terms(APACHE_TERMS)) >= CONFIDENCE
}

#[cfg(test)]
mod tests {
    use super::detect_license as detect;

    const MIT: &str = include_str!("../../../LICENSE-MIT");
    const ZERO_BSD: &str = "Permission to use, copy, modify, and/or distribute this software for any purpose with or without \
        fee is hereby granted.\n\nTHE SOFTWARE IS PROVIDED \"AS IS\" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO \
        THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE \
        FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, \
        DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN \
        CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.\n";
    /// Without its appendix.
    const APACHE: &str = include_str!("../../../LICENSE-APACHE");

    fn detected(files: &[(&str, &str)]) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs_err::write(folder.path().join(name), text).unwrap();
        }
        detect(folder.path()).map(|license| license.to_string())
    }

    #[test]
    fn a_licence_is_known_by_its_text_and_several_are_alternatives() {
        assert_eq!(detected(&[("LICENSE", ZERO_BSD)]).as_deref(), Some("0BSD"));
        assert_eq!(detected(&[("licence.md", MIT)]).as_deref(), Some("MIT"));
        assert_eq!(
            detected(&[("LICENSE-MIT", MIT), ("LICENSE-0BSD", ZERO_BSD)]).as_deref(),
            Some("0BSD OR MIT")
        );
        assert_eq!(detected(&[("LICENSE", APACHE)]).as_deref(), Some("Apache-2.0"));
        assert_eq!(
            detected(&[("LICENSE-MIT", MIT), ("LICENSE-APACHE", APACHE)]).as_deref(),
            Some("Apache-2.0 OR MIT")
        );
    }

    #[test]
    fn what_is_no_known_licence_gives_none() {
        assert_eq!(detected(&[]), None);
        assert_eq!(detected(&[("LICENSE", "Ask Ann.")]), None);
        assert_eq!(detected(&[("LICENSE", MIT), ("LICENSE-2", "Ask Ann.")]), None);
        assert_eq!(detected(&[("README", MIT)]), None);
        let pixar = APACHE.replacen("Apache License", "Modified Apache 2.0 License", 1);
        assert_eq!(detected(&[("LICENSE", &pixar)]), None, "it might be another's");
        let changed = APACHE.replace("Contributor", "Friend of Ann's");
        assert_eq!(detected(&[("LICENSE", &changed)]), None, "it says something else");
    }
}
