//! Paths inside a tree.
//!
//! A tree must mean the same files on every machine, so a path is refused unless every common file
//! system can hold it as it is: relative, `/` between parts, NFC, and no part that some system reads as
//! something else (`..`, `NUL.txt`, `name.`). The rules are those of `formats.md`, "Trees and packs".

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::str::FromStr;

use unicode_normalization::{UnicodeNormalization, is_nfc};
use weir_model::unseen::is_unseen;

/// The longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 4096;
/// The longest part of a path, in bytes.
pub const MAX_PART_BYTES: usize = 255;
/// The most parts of a path.
pub const MAX_DEPTH: usize = 128;

/// A path inside a tree, relative to its root. Ordered by its bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Box<str>);

/// Why a text is not the path of a file in a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` cannot be a path in a tree: {reason}", .path.escape_debug())]
pub struct PathError {
    /// What was read, cut to a printable length.
    pub path: String,
    /// What is wrong with it.
    pub reason: PathReason,
}

/// What is wrong with a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathReason {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// It starts with `/`.
    #[error("it is absolute")]
    Absolute,
    /// Longer than [`MAX_PATH_BYTES`].
    #[error("it has {bytes} bytes, and {MAX_PATH_BYTES} are allowed")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// More parts than [`MAX_DEPTH`].
    #[error("it has more than {MAX_DEPTH} parts")]
    TooDeep,
    /// Two slashes in a row, or one at the end.
    #[error("it has an empty part")]
    EmptyPart,
    /// `.` or `..`.
    #[error("it has the part `{part}`")]
    Dots {
        /// The part.
        part: String,
    },
    /// A part is longer than [`MAX_PART_BYTES`].
    #[error("one part has {bytes} bytes, and {MAX_PART_BYTES} are allowed")]
    PartTooLong {
        /// How long the part is.
        bytes: usize,
    },
    /// `\`, `:`, a control character, or one that changes how others are shown or that nobody sees.
    #[error("it has the character {character:?}")]
    Character {
        /// The character.
        character: char,
    },
    /// A part ends with a dot or a space, which Windows drops.
    #[error("the part `{part}` ends with a dot or a space")]
    TrailingDotOrSpace {
        /// The part.
        part: String,
    },
    /// A part that Windows reads as a device, such as `NUL` or `com1.txt`.
    #[error("the part `{part}` is the name of a device on Windows")]
    Device {
        /// The part.
        part: String,
    },
    /// A part that some file system takes for the folder of a repository, whose settings may name programs to run.
    #[error("the part `{part}` is the folder of a repository on some system")]
    Repository {
        /// The part.
        part: String,
    },
    /// The same text has another spelling in Unicode.
    #[error("it is not in Unicode's normal form C, in which it is `{normal}`")]
    NotNormal {
        /// The right spelling.
        normal: String,
    },
    /// Bytes that are no text.
    #[error("it is not UTF-8")]
    NotUtf8,
}

impl TreePath {
    /// Checks that `text` can be the path of a file in a tree.
    ///
    /// # Errors
    ///
    /// The first rule of `formats.md` that `text` breaks.
    pub fn new(text: &str) -> Result<Self, PathError> {
        match check(text) {
            Ok(()) => Ok(Self(text.into())),
            Err(reason) => Err(PathError::new(text, reason)),
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parts between the slashes.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The folder that the file is in, or `None` at the root.
    pub fn folder(&self) -> Option<&str> {
        self.0.rsplit_once('/').map(|(folder, _)| folder)
    }

    /// The last part.
    pub fn file_name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&*self.0, |(_, name)| name)
    }

    /// The path as it is seen from `folder`, which is one of those above it; `None` if it is not.
    pub fn below(&self, folder: &str) -> Option<Self> {
        // What is behind a slash of a path keeps every rule that the path keeps.
        self.0.strip_prefix(folder)?.strip_prefix('/').map(|rest| Self(rest.into()))
    }

    /// The path as a file system that ignores case keeps it: two of them that are equal are one file there.
    pub fn folded(&self) -> Cow<'_, str> {
        folded(&self.0)
    }

    /// How many folders the file is below the root.
    pub fn depth(&self) -> usize {
        self.0.bytes().filter(|&byte| byte == b'/').count()
    }
}

impl PathError {
    pub(crate) fn new(path: &str, reason: PathReason) -> Self {
        Self { path: path.chars().take(200).collect(), reason }
    }

    pub(crate) fn not_utf8(path: &[u8]) -> Self {
        Self::new(&String::from_utf8_lossy(path), PathReason::NotUtf8)
    }
}

fn check(text: &str) -> Result<(), PathReason> {
    if text.is_empty() {
        return Err(PathReason::Empty);
    }
    if text.starts_with('/') {
        return Err(PathReason::Absolute);
    }
    if text.len() > MAX_PATH_BYTES {
        return Err(PathReason::TooLong { bytes: text.len() });
    }
    let mut depth = 0;
    for part in text.split('/') {
        check_part(part)?;
        depth += 1;
    }
    if depth > MAX_DEPTH {
        return Err(PathReason::TooDeep);
    }
    if !text.is_ascii() && !is_nfc(text) {
        return Err(PathReason::NotNormal { normal: text.nfc().collect() });
    }
    Ok(())
}

fn check_part(part: &str) -> Result<(), PathReason> {
    match part {
        "" => return Err(PathReason::EmptyPart),
        "." | ".." => return Err(PathReason::Dots { part: part.to_owned() }),
        _ => {}
    }
    if is_repository(part) {
        return Err(PathReason::Repository { part: part.to_owned() });
    }
    if part.len() > MAX_PART_BYTES {
        return Err(PathReason::PartTooLong { bytes: part.len() });
    }
    if let Some(character) = part.chars().find(|&c| is_unseen(c) || c == '\\' || c == ':') {
        return Err(PathReason::Character { character });
    }
    if part.ends_with(['.', ' ']) {
        return Err(PathReason::TrailingDotOrSpace { part: part.to_owned() });
    }
    if is_device(part) {
        return Err(PathReason::Device { part: part.to_owned() });
    }
    Ok(())
}

/// Whether some file system takes this name for the folder of a repository of git or Mercurial, where settings name programs
/// that every look at the files runs. As git guards itself: case is ignored, HFS+ ignores characters that nobody sees,
/// NTFS drops dots and spaces at the end and what is behind a colon, and has short names.
/// Source: `is_hfs_dotgit` and `is_ntfs_dotgit` in git.
pub(crate) fn is_repository(part: &str) -> bool {
    const NAMES: [&str; 4] = [".git", "git~1", ".hg", "hg~1"];
    let seen = if part.is_ascii() {
        Cow::Borrowed(part)
    } else {
        Cow::Owned(part.chars().filter(|&character| !is_unseen(character)).collect())
    };
    let name = seen.split(':').next().unwrap_or(&seen).trim_end_matches(['.', ' ']);
    NAMES.iter().any(|repository| name.eq_ignore_ascii_case(repository))
}

/// Whether Windows opens a device for this name. It looks at what is before the first dot only, and
/// counts the superscript digits one to three as digits.
/// Source: "Naming Files, Paths, and Namespaces" in the Windows documentation.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end_matches(' ');
    let is = |device: &str| stem.eq_ignore_ascii_case(device);
    if is("con") || is("prn") || is("aux") || is("nul") || is("conin$") || is("conout$") {
        return true;
    }
    let Some((prefix, number)) = stem.split_at_checked(3) else { return false };
    let numbered = prefix.eq_ignore_ascii_case("com") || prefix.eq_ignore_ascii_case("lpt");
    let mut digits = number.chars();
    let digit = matches!(digits.next(), Some('0'..='9' | '¹' | '²' | '³'));
    numbered && digit && digits.next().is_none()
}

/// The form in which two names, or paths, are equal if a file system that ignores case takes them for one:
/// Unicode's full case folding, then normal form C.
pub fn folded(name: &str) -> Cow<'_, str> {
    if !name.is_ascii() {
        let fold = unicase::UniCase::unicode(name).to_folded_case();
        return Cow::Owned(fold.nfc().collect());
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(name.to_ascii_lowercase());
    }
    Cow::Borrowed(name)
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for TreePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl AsRef<str> for TreePath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl AsRef<std::path::Path> for TreePath {
    fn as_ref(&self) -> &std::path::Path {
        std::path::Path::new(&*self.0)
    }
}

impl Borrow<str> for TreePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::{PathReason, TreePath, folded, is_repository};

    #[test]
    fn ordinary_paths_are_accepted_as_they_are() {
        let deep = vec!["d"; 128].join("/");
        for text in [
            "a",
            "a/b.c",
            ".hidden/.x",
            "a b/ c",
            "Größe/日本",
            "nullable",
            "com10",
            "COMPORT",
            "a..b",
            "...x",
            ".gitignore",
            ".github/x",
            "git",
            "x.git",
            "❤\u{fe0f}",
            &deep,
        ] {
            assert_eq!(TreePath::new(text).map(|path| path.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn paths_that_some_system_reads_otherwise_are_refused() {
        let (long_part, long) = ("p".repeat(256), vec!["p".repeat(100); 41].join("/"));
        let deep = vec!["d"; 129].join("/");
        for text in [
            "",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/./b",
            "a/../b",
            "../a",
            "a\\b",
            "c:",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "a\u{85}b",
            "a.",
            "a /b",
            "a./b",
            "NUL",
            "nul.txt",
            "a/Com1",
            "com1.tar.gz",
            "LPT¹",
            "con .txt",
            "CONIN$",
            "e\u{301}",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{200f}",
            ".git",
            ".git/config",
            "sub/.GiT/config",
            "git~1/config",
            "GIT~1",
            ".git./x",
            ".git /x",
            ".git::$INDEX_ALLOCATION/x",
            ".g\u{200c}it/x",
            ".hg/hgrc",
            "HG~1/hgrc",
            &long_part,
            &long,
            &deep,
        ] {
            assert!(TreePath::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_folder_of_a_repository_is_known_in_every_spelling() {
        for name in [".git", ".GIT", "git~1", ".git. .", ".git:x", "\u{feff}.gi\u{200d}t", ".Hg"] {
            assert!(is_repository(name), "{name}");
        }
        for name in ["git", ".gitmodules", "x.git", "git~2x", ".hgignore", ""] {
            assert!(!is_repository(name), "{name}");
        }
    }

    #[test]
    fn a_decomposed_name_is_told_its_right_spelling() {
        let error = TreePath::new("cafe\u{301}").expect_err("decomposed");
        assert_eq!(error.reason, PathReason::NotNormal { normal: "café".into() });
    }

    #[test]
    fn a_path_is_seen_from_the_folders_above_it_alone() {
        let path = TreePath::new("lib/cmake/z.cmake").unwrap();
        let below = |folder| path.below(folder).map(|path| path.to_string());
        assert_eq!(below("lib"), Some("cmake/z.cmake".into()));
        assert_eq!(below("lib/cmake"), Some("z.cmake".into()));
        for folder in ["", "li", "lib/", "lib/c", "lib/cmake/z.cmake", "bin"] {
            assert_eq!(below(folder), None, "{folder}");
        }
    }

    #[test]
    fn folding_joins_what_a_file_system_that_ignores_case_joins() {
        for (one, other) in
            [("README", "readme"), ("STRASSE", "straße"), ("ΣΑΣ", "σας"), ("É", "é"), ("ſ", "S")]
        {
            assert_eq!(folded(one), folded(other));
        }
        assert_ne!(folded("a-b"), folded("a_b"));
    }
}
