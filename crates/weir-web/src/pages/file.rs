//! A file of a release, or a document about its build, as text.

use askama::Template;
use weir_index::ReleaseView;
use weir_model::Sha256;

use super::release::build;
use crate::frame::{Frame, Page, PageError};
use crate::highlight::{Piece, pieces};
use crate::{address, said};

/// What is shown of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Its text, or the beginning of it.
    Text {
        /// The text.
        text: String,
        /// Whether there is more.
        cut: bool,
    },
    /// It is no text.
    Binary,
    /// It is too far inside its pack to be read for a page.
    Far,
}

/// A file that a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhichFile<'a> {
    /// One of the release, by its path.
    Of(&'a str),
    /// A document that the release names as evidence of its build.
    Evidence {
        /// What it is, such as `recipe`.
        what: &'a str,
        /// By what it is named.
        sha256: &'a Sha256,
    },
}

/// What the page is made of.
#[derive(Debug)]
pub struct FilePage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The release.
    pub view: &'a ReleaseView,
    /// Which of its files.
    pub which: WhichFile<'a>,
    /// Its bytes.
    pub size: u64,
    /// What is shown of it.
    pub shown: &'a Shown,
}

#[derive(Template)]
#[template(path = "file.html")]
struct File<'a> {
    frame: &'a Frame,
    package: String,
    package_href: String,
    build: String,
    release_href: String,
    path: &'a str,
    size: String,
    raw: String,
    text: Option<Vec<Piece<'a>>>,
    numbers: String,
    cut: bool,
    is_far: bool,
}

impl FilePage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let registry = self.frame.registry();
        let id = &self.view.release.id;
        let (text, cut) = match self.shown {
            Shown::Text { text, cut } => (Some(text.as_str()), *cut),
            Shown::Binary | Shown::Far => (None, false),
        };
        let lines = text.map_or(0, |text| text.lines().count());
        Page::write(&File {
            frame: self.frame,
            package: id.name.to_string(),
            package_href: address::package(registry, &id.name),
            build: build(id),
            release_href: address::release(registry, id),
            path: self.which.title(),
            size: said::bytes(self.size),
            raw: match self.which {
                WhichFile::Of(path) => address::raw_file(registry, id, path),
                WhichFile::Evidence { sha256, .. } => address::raw_evidence(registry, id, sha256),
            },
            text: text.map(|text| pieces(self.which.name(), text)),
            numbers: (1..=lines).map(|line| format!("{line}\n")).collect(),
            cut,
            is_far: *self.shown == Shown::Far,
        })
    }
}

impl<'a> WhichFile<'a> {
    fn title(self) -> &'a str {
        match self {
            Self::Of(path) => path,
            Self::Evidence { what, .. } => what,
        }
    }

    /// The name by whose ending its language is known.
    fn name(self) -> &'a str {
        match self {
            Self::Of(path) => path,
            Self::Evidence { what: "recipe" | "toolchain" | "provenance", .. } => "document.json",
            Self::Evidence { what, .. } => what,
        }
    }
}
