//! A file of a release, as text.

use askama::Template;
use weir_index::ReleaseView;

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

/// What the page is made of.
#[derive(Debug)]
pub struct FilePage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The release.
    pub view: &'a ReleaseView,
    /// The path of the file.
    pub path: &'a str,
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
            path: self.path,
            size: said::bytes(self.size),
            raw: address::raw_file(registry, id, self.path),
            text: text.map(|text| pieces(self.path, text)),
            numbers: (1..=lines).map(|line| format!("{line}\n")).collect(),
            cut,
            is_far: *self.shown == Shown::Far,
        })
    }
}
