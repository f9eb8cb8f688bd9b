//! `elm.json`: what it says, read strictly and written as `elm` writes it.

mod exposed;
mod read;
mod twice;
mod write;

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use weir_model::{PackageName, Range, Version};

use exposed::Exposed;

/// The name of the file.
pub const FILE_NAME: &str = "elm.json";

/// The longest that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// What an `elm.json` says.
#[derive(Debug, Clone, PartialEq)]
pub enum ElmJson {
    /// Of a package.
    Package(Package),
    /// Of an application.
    Application(Application),
}

/// A package: what others use, by ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    /// `author/project`.
    pub name: PackageName,
    /// One line that says what it is.
    pub summary: String,
    /// An SPDX licence identifier.
    pub license: String,
    /// Of the next release.
    pub version: Version,
    /// The modules that others see, in the order written.
    pub exposed_modules: Vec<String>,
    /// The compilers that will do.
    pub elm_version: Range,
    /// What it needs.
    pub dependencies: BTreeMap<PackageName, Range>,
    /// What its tests need besides.
    pub test_dependencies: BTreeMap<PackageName, Range>,
    /// The exposed modules as they were written.
    exposed_as_written: Exposed,
    /// Fields that Elm does not know.
    others: Map<String, Value>,
}

/// An application: a program, with the exact version of everything in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    /// The folders that its modules are looked for in, in that order.
    pub source_directories: Vec<String>,
    /// The compiler's.
    pub elm_version: Version,
    /// What its own modules import from.
    pub direct: BTreeMap<PackageName, Version>,
    /// What that needs.
    pub indirect: BTreeMap<PackageName, Version>,
    /// What its tests import from besides.
    pub test_direct: BTreeMap<PackageName, Version>,
    /// What that needs besides.
    pub test_indirect: BTreeMap<PackageName, Version>,
    /// Fields that Elm does not know.
    others: Map<String, Value>,
}

/// Why a text is no `elm.json`, as an Elm user would be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ElmJsonError {
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl ElmJson {
    /// Reads an `elm.json`.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, ElmJsonError> {
        read::elm_json(text)
    }

    /// The text, as `elm` writes it: four spaces for each level, packages sorted.
    pub fn to_text(&self) -> String {
        write::elm_json(self)
    }
}

/// The lines of an `elm.json` in which something is named.
pub(crate) struct Lines<'a>(BTreeMap<&'a str, usize>);

impl<'a> Lines<'a> {
    /// Notes where each word in quotes stands first.
    pub(crate) fn of(text: &'a str) -> Self {
        let mut lines = BTreeMap::new();
        for (line, text) in text.lines().enumerate() {
            for quoted in text.split('"').skip(1).step_by(2) {
                lines.entry(quoted).or_insert(line + 1);
            }
        }
        Self(lines)
    }

    /// The line, from 1, that first names a package; 1 where none does.
    pub(crate) fn of_package(&self, name: &PackageName) -> usize {
        self.0.get(name.as_str()).copied().unwrap_or(1)
    }
}

#[cfg(test)]
mod tests;
