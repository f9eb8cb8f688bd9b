//! Targets of symbolic links.
//!
//! A target is relative, and its `..` parts all come first: `../../lib/x`, but not `lib/../x`. There are at
//! most as many as the link has folders above it in the tree. That is enough to keep *chains* of links inside too,
//! without looking at any other link: a system starts a target in the link's real folder, walks up through real folders only
//! (nothing is below a link), and from there only down; where it meets another link on the way down it
//! starts again in that link's real folder. With `b -> sub`, `a -> b/../x` would leave the link's own reckoning; it is refused.
//! The argument also holds for several trees laid into one folder.

use weir_model::unseen::is_unseen;

use crate::path::{MAX_PATH_BYTES, TreePath};

/// The target of a symbolic link: relative, and inside the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkTarget(Box<str>);

/// Why a text cannot be the target of a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Nothing at all, or longer than a path may be.
    #[error("its target has {bytes} bytes; 1 to {MAX_PATH_BYTES} are allowed")]
    Length {
        /// How long it is.
        bytes: u64,
    },
    /// Bytes that are no text.
    #[error("its target is not UTF-8: `{target}`")]
    NotUtf8 {
        /// The target, as far as it can be shown.
        target: String,
    },
    /// `\`, a control character, or one that changes how others are shown or that nobody sees.
    #[error("its target has the character {character:?}")]
    Character {
        /// The character.
        character: char,
    },
    /// It starts with `/` or with a drive.
    #[error("its target is absolute: `{target}`")]
    Absolute {
        /// The target.
        target: String,
    },
    /// It leads out of the tree.
    #[error("its target leads out of the tree: `{target}`")]
    Outside {
        /// The target.
        target: String,
    },
    /// It has `..` after a name.
    #[error("its target has `..` after a name, which depends on where that name leads: `{target}`")]
    UpAfterDown {
        /// The target.
        target: String,
    },
}

impl LinkTarget {
    /// Checks that `target` can be the target of the link at `path`.
    ///
    /// # Errors
    ///
    /// When the target is not plain text, is absolute, or could lead out of the tree.
    pub fn new(path: &TreePath, target: &[u8]) -> Result<Self, LinkError> {
        if target.is_empty() || target.len() > MAX_PATH_BYTES {
            return Err(LinkError::Length { bytes: target.len() as u64 });
        }
        let Ok(text) = str::from_utf8(target) else {
            return Err(LinkError::NotUtf8 { target: String::from_utf8_lossy(target).into_owned() });
        };
        check(path.depth(), text)?;
        Ok(Self(text.into()))
    }

    /// The target as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check(depth: usize, target: &str) -> Result<(), LinkError> {
    if let Some(character) = target.chars().find(|&c| is_unseen(c) || c == '\\') {
        return Err(LinkError::Character { character });
    }
    let mut letters = target.bytes();
    let drive = letters.next().is_some_and(|b| b.is_ascii_alphabetic()) && letters.next() == Some(b':');
    if target.starts_with('/') || drive {
        return Err(LinkError::Absolute { target: target.to_owned() });
    }
    let (mut up, mut down) = (0, false);
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if down => return Err(LinkError::UpAfterDown { target: target.to_owned() }),
            ".." => up += 1,
            _ => down = true,
        }
    }
    if up > depth {
        return Err(LinkError::Outside { target: target.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{LinkError, LinkTarget};
    use crate::TreePath;

    fn check(path: &str, target: &str) -> Result<(), LinkError> {
        LinkTarget::new(&TreePath::new(path).expect("a path"), target.as_bytes()).map(drop)
    }

    #[test]
    fn a_target_inside_the_tree_is_accepted() {
        for (path, target) in
            [("a", "b"), ("a", "b/c"), ("d/a", "../b"), ("d/e/a", "../../x/y"), ("a", "./b"), ("d/a", "..")]
        {
            assert_eq!(check(path, target), Ok(()), "{path} -> {target}");
        }
    }

    #[test]
    fn a_target_that_could_leave_the_tree_is_refused() {
        for (path, target) in [
            ("a", ".."),
            ("a", "../b"),
            ("a", "/etc/passwd"),
            ("d/a", "../../b"),
            ("d/a", "./../../b"),
            ("a", ""),
            ("a", "b\\c"),
            ("a", "c:/x"),
            ("a", "b\0c"),
            ("a", "b\u{202e}c"),
        ] {
            assert!(check(path, target).is_err(), "{path} -> {target}");
        }
    }

    #[test]
    fn a_target_that_goes_up_again_through_another_link_is_refused() {
        // With `d/b -> ..`, which is inside, `d/b/../x` would be outside although it reads as `d/x`.
        assert!(matches!(check("d/a", "b/../x"), Err(LinkError::UpAfterDown { .. })));
    }
}
