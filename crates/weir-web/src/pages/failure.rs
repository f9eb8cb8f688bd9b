//! What could not be done: what, why, and what to do.

use askama::Template;

use crate::frame::{Frame, Page, PageError};
use crate::said;

/// What the page is made of.
#[derive(Debug)]
pub struct FailurePage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The status of HTTP.
    pub status: u16,
    /// What went wrong, in a line.
    pub title: &'a str,
    /// Why.
    pub detail: &'a str,
    /// The rule that decided, where one did.
    pub policy: Option<&'a str>,
    /// The code that never changes.
    pub code: &'a str,
    /// Whether it may be otherwise for somebody who has signed in.
    pub sign_in: bool,
    /// Where a form is that could not be carried out.
    pub back: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "failure.html")]
struct Failure<'a> {
    frame: &'a Frame,
    title: &'a str,
    detail: Vec<(bool, String)>,
    policy: &'a str,
    code: &'a str,
    sign_in: bool,
    back: &'a str,
    advice: &'static str,
}

impl FailurePage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        Page::write(&Failure {
            frame: self.frame,
            title: self.title,
            detail: said::marked(&said::sentence(self.detail)),
            policy: self.policy.unwrap_or_default(),
            code: self.code,
            sign_in: self.sign_in && self.frame.user.is_none(),
            back: self.back.unwrap_or_default(),
            advice: match self.status {
                429 | 503 => "Try again in a moment.",
                500 => "Whoever runs the server finds the reason in its log.",
                _ => "",
            },
        })
    }
}
