//! The names that a path below a folder is made of.

use std::ffi::OsStr;
use std::path::{Component, Path};

use crate::{FsError, Result};

/// The names of `path`, which must all be plain: no `..`, no `/` at its start. An empty path has none.
pub(crate) fn names(path: &Path) -> Result<Vec<&OsStr>> {
    path.components()
        .filter(|part| !matches!(part, Component::CurDir))
        .map(|part| match part {
            Component::Normal(name) => Ok(name),
            _ => Err(FsError::Outside { path: path.to_owned() }),
        })
        .collect()
}

/// The last name of `path`, and the path of the folder it is in.
pub(crate) fn split(path: &Path) -> Result<(&Path, &OsStr)> {
    let outside = || FsError::Outside { path: path.to_owned() };
    match path.components().next_back() {
        Some(Component::Normal(name)) => Ok((path.parent().unwrap_or(Path::new("")), name)),
        _ => Err(outside()),
    }
}

/// Whether a name is one of [`unforeseen`].
pub(crate) fn is_unforeseen(name: &OsStr) -> bool {
    let hex = name.to_str().and_then(|name| name.strip_prefix(".weir-"));
    hex.is_some_and(|hex| {
        hex.len() == 24 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// A name that nobody can foresee.
pub(crate) fn unforeseen() -> std::io::Result<String> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes).map_err(|error| std::io::Error::other(error.to_string()))?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!(".weir-{hex}"))
}
