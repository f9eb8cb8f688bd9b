//! On the way to an identity provider.

use askama::Template;

use crate::frame::{Frame, Page, PageError};

/// What the page is made of.
#[derive(Debug)]
pub struct LeavingPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// What the provider is called.
    pub title: &'a str,
    /// Where it is.
    pub to: &'a str,
}

#[derive(Template)]
#[template(path = "leaving.html")]
struct Leaving<'a> {
    frame: &'a Frame,
    title: &'a str,
    to: &'a str,
}

impl LeavingPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let Self { frame, title, to } = *self;
        Page::write(&Leaving { frame, title, to })
    }
}
