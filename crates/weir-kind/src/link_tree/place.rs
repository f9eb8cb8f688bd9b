//! Texts that name the folder they lie in.

use std::io;
use std::path::Path;

use memchr::memmem;
use weir_tree::TreePath;

/// A path that is written into scripts must mean itself to all that read them. `file` is one that it is written into.
pub(super) fn check(seen: &Path, file: &TreePath) -> io::Result<()> {
    let is_syntax = |c: &char| c.is_control() || "\"'`$\\;&|<>()*?[]{}!#".contains(*c);
    let problem = match seen.to_str() {
        None => "is not UTF-8".to_owned(),
        Some(text) if !seen.is_absolute() => format!("is not absolute: `{text}`"),
        Some(text) => match text.chars().find(is_syntax) {
            Some(character) => format!("has the character {character:?}"),
            None => return Ok(()),
        },
    };
    let message = format!(
        "`{}` must name the folder that it is in, and `{}` {problem}, which it could not be trusted to hold; \
         choose a folder with a plainer name",
        file,
        seen.display()
    );
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}

/// `text` with `to` in place of the path `path`, where that is a whole path or is followed by `/`, and
/// not a part of a longer name.
pub fn replace_path(text: &[u8], path: &str, to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut copied = 0;
    for at in find_path(text, path) {
        replaced.extend_from_slice(&text[copied..at]);
        replaced.extend_from_slice(to);
        copied = at + path.len();
    }
    replaced.extend_from_slice(&text[copied..]);
    replaced
}

/// Where `text` has the path `path`: alone or followed by `/`, and not as part of a longer name.
pub fn find_path<'t>(text: &'t [u8], path: &'t str) -> impl Iterator<Item = usize> + 't {
    let goes_on = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    memmem::find_iter(text, path.as_bytes()).filter(move |at| !text.get(at + path.len()).is_some_and(goes_on))
}
