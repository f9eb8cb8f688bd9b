//! Licences, as [SPDX expressions](https://spdx.github.io/spdx-spec/v3.0/annexes/spdx-license-expressions/).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use spdx::{Expression, ParseMode};

use crate::nearest;

/// A valid SPDX licence expression, such as `MIT OR Apache-2.0`.
///
/// Identifiers are those of the SPDX list, deprecated ones (`GPL-2.0`) among them, and `LicenseRef-…` for a licence that
/// is not on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct License(String);

/// Longest expression, in bytes: it goes into every record of a package.
const LONGEST: usize = 1024;

/// Deprecated identifiers stand in the files of many; everything else is as the specification has it.
const MODE: ParseMode = ParseMode { allow_deprecated: true, ..ParseMode::STRICT };

/// Why a text is no licence expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LicenseError {
    /// A part of it is not what stands there in an SPDX expression.
    #[error("`{text}` is no SPDX licence expression: `{part}`: {reason}")]
    NotSpdx {
        /// The text.
        text: String,
        /// The part at fault.
        part: String,
        /// What is wrong with it.
        reason: String,
        /// What was probably meant: a valid expression.
        meant: Option<String>,
    },
    /// It is longer than 1024 bytes.
    #[error("a licence expression is at most {LONGEST} bytes, this has {0}")]
    Long(usize),
}

impl LicenseError {
    /// What to write in its place.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::NotSpdx { meant: Some(meant), .. } => Some(format!("write `license = \"{meant}\"`")),
            Self::NotSpdx { meant: None, .. } => Some(
                "https://spdx.org/licenses lists them; `LicenseRef-NAME` stands for one that is not there"
                    .into(),
            ),
            Self::Long(_) => None,
        }
    }
}

impl License {
    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The licences that stand in it, each once, with its exception: `MIT`, `GPL-2.0-only WITH Classpath-exception-2.0`.
    pub fn ids(&self) -> BTreeSet<String> {
        let expression = Expression::parse_mode(&self.0, MODE);
        let required = |expression: &Expression| {
            expression.requirements().map(|required| required.req.to_string()).collect()
        };
        expression.as_ref().map(required).unwrap_or_default()
    }
}

impl FromStr for License {
    type Err = LicenseError;

    fn from_str(text: &str) -> Result<Self, LicenseError> {
        if text.len() > LONGEST {
            return Err(LicenseError::Long(text.len()));
        }
        match Expression::parse_mode(text, MODE) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => {
                let part = text.get(error.span.clone()).filter(|part| !part.is_empty()).unwrap_or(text);
                Err(LicenseError::NotSpdx {
                    text: text.to_owned(),
                    part: part.to_owned(),
                    reason: error.reason.to_string(),
                    meant: meant(text, part),
                })
            }
        }
    }
}

impl fmt::Display for License {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What somebody says whose work nobody may use: npm's word for that is one letter from a licence by which everybody may.
const NONE: [&str; 5] = ["unlicensed", "proprietary", "commercial", "all rights reserved", "none"];

/// Families of licences that differ in what they allow: nobody knows which one is meant.
const FAMILIES: [&str; 7] = ["bsd", "gpl", "lgpl", "agpl", "cc", "cc-by", "creative commons"];

/// What somebody meant who wrote `mit/Apache 2`: the same in the words of SPDX, or the identifier that is most like
/// the part at fault. Nothing that was written is left out.
fn meant(text: &str, part: &str) -> Option<String> {
    let plain = text.trim().to_ascii_lowercase();
    if NONE.contains(&&*plain) {
        return Some("LicenseRef-Proprietary".to_owned());
    }
    if FAMILIES.contains(&&*plain) {
        return None;
    }
    let is_whole = |meant: &str| joints(meant) == joints(text) && Expression::parse_mode(meant, MODE).is_ok();
    if let Ok(Some(canonical)) = Expression::canonicalize(text)
        && is_whole(&canonical)
    {
        return Some(canonical);
    }
    let known = || spdx::identifiers::LICENSES.iter().map(|license| license.name);
    [text, part].into_iter().find_map(|wrong| {
        let right = nearest(wrong, known())?;
        Some(text.replacen(wrong, right, 1)).filter(|meant| is_whole(meant))
    })
}

/// In how many places a text joins licences.
fn joints(text: &str) -> usize {
    let is_word = |word: &&str| ["and", "or", "with"].iter().any(|joint| word.eq_ignore_ascii_case(joint));
    text.split_whitespace().filter(is_word).count() + text.matches(['/', ',']).count()
}

#[cfg(test)]
mod tests {
    use super::{License, LicenseError};

    fn meant(text: &str) -> Option<String> {
        match text.parse::<License>() {
            Err(LicenseError::NotSpdx { meant, .. }) => meant,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn expressions_of_the_specification_are_licences() {
        for text in [
            "MIT",
            "MIT OR Apache-2.0",
            "(GPL-2.0-only WITH Classpath-exception-2.0) AND BSD-3-Clause",
            "LicenseRef-Acme",
            "GPL-2.0",
        ] {
            assert_eq!(text.parse::<License>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn the_licences_of_an_expression_are_told_each_once() {
        let ids = |text: &str| text.parse::<License>().unwrap().ids().into_iter().collect::<Vec<_>>();
        assert_eq!(ids("MIT OR Apache-2.0 OR MIT"), ["Apache-2.0", "MIT"]);
        assert_eq!(
            ids("(GPL-2.0-only WITH Classpath-exception-2.0) AND LicenseRef-Acme"),
            ["GPL-2.0-only WITH Classpath-exception-2.0", "LicenseRef-Acme"]
        );
    }

    #[test]
    fn what_is_none_is_refused_with_what_was_meant() {
        assert_eq!(meant("mit"), Some("MIT".into()));
        assert_eq!(meant("MIT/Apache-2.0"), Some("MIT OR Apache-2.0".into()));
        assert_eq!(meant("Apache 2.0"), Some("Apache-2.0".into()));
        assert_eq!(meant("Apache-2"), Some("Apache-2.0".into()));
        assert_eq!(meant("Foo"), None);
        assert_eq!(meant("(MIT"), Some("MIT".into()));
        // No more is given away than was written, and no more is asked for.
        assert_eq!(meant("UNLICENSED"), Some("LicenseRef-Proprietary".into()));
        assert_eq!(meant("proprietary"), Some("LicenseRef-Proprietary".into()));
        assert_eq!(meant("MIT AND FooXyz"), None);
        assert_eq!(meant("MIT OR"), None);
        assert_eq!(meant("BSD"), None);
        assert_eq!(meant("GPL"), None);
    }

    #[test]
    fn nothing_that_is_written_makes_it_panic() {
        for text in
            ["", " ", "(", ")", "MIT OR", "OR MIT", "MIT WITH", "é", "MIT é", "+", "🦀 OR MIT", "\u{0}"]
        {
            assert!(text.parse::<License>().is_err(), "{text:?}");
        }
        assert_eq!("M".repeat(2000).parse::<License>(), Err(LicenseError::Long(2000)));
    }
}
