//! What is around every page, and the door by which each goes out.

use askama::Template;
use weir_model::unseen::{Marks, is_mark, is_unseen};

use crate::done::Done;
use crate::{address, assets, said};

/// What is around a page: who looks, at which registry, and from where.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// Who has signed in.
    pub user: Option<String>,
    /// Whether they govern the server.
    pub administrator: bool,
    /// What every form that changes something brings along, to show that it comes from a page of this server.
    pub form: String,
    /// The registry whose page it is, by the name it is served under.
    pub registry: Option<String>,
    /// The address of the page, to come back to after signing in.
    pub here: String,
    /// Scheme and host of the server, such as `https://weir.example`.
    pub origin: String,
    /// What is in the search box.
    pub query: String,
    /// Whether it is a file of a site without a server: nobody signs in there.
    pub site: bool,
    /// What is told of a form that was sent from it, if it is shown in answer to one.
    pub notice: Option<String>,
    /// What came of a form that led to it.
    pub done: Option<Done>,
    /// Where the registry can be reached, if that is elsewhere than where the page is from.
    pub location: Option<String>,
}

/// A page, as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page(String);

/// A page that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("a page cannot be written: {0}")]
pub struct PageError(#[from] askama::Error);

impl Page {
    /// Writes a page. This is the only door: whatever a stranger wrote, and whichever template shows it, no character goes
    /// through that nobody sees or that turns the direction of others.
    pub(crate) fn write(template: &impl Template) -> Result<Self, PageError> {
        Ok(Self(visible(template.render()?)))
    }

    /// Its HTML.
    pub fn into_html(self) -> String {
        self.0
    }
}

/// The same text with `U+FFFD` for whatever is not seen, and for piles of marks. Ends of lines and tabs stay, and so do the joiners
/// that words of Persian and Hindi, and emoji of several people, are written with.
fn visible(text: String) -> String {
    let is_hidden = |c: char| is_unseen(c) && !matches!(c, '\n' | '\t' | '\u{200c}' | '\u{200d}');
    if !text.contains(|c: char| is_hidden(c) || is_mark(c)) {
        return text;
    }
    // What stands in one element is piled on what stands before it in another, whatever the tags between them say.
    let (mut shown, mut said) = (Marks::default(), Marks::default());
    let mut within_tag = false;
    let visible = |c: char| {
        within_tag = c == '<' || (within_tag && c != '>');
        match c {
            c if is_hidden(c) => Some('\u{fffd}'),
            '<' | '>' => Some(c),
            c if within_tag => said.shown(c),
            c => shown.shown(c),
        }
    };
    text.replace("\r\n", "\n").chars().filter_map(visible).collect()
}

impl Frame {
    pub(crate) fn style(&self) -> String {
        assets::style()
    }

    pub(crate) fn script(&self) -> String {
        if self.site { assets::site_script() } else { assets::script() }
    }

    pub(crate) fn icon(&self) -> String {
        assets::icon()
    }

    pub(crate) fn notice(&self) -> Vec<(bool, String)> {
        self.notice.as_deref().map(|notice| said::marked(&said::sentence(notice))).unwrap_or_default()
    }

    /// Who has signed in.
    pub(crate) fn user(&self) -> &str {
        self.user.as_deref().unwrap_or_default()
    }

    pub(crate) fn search(&self) -> String {
        address::search(self.registry(), &[])
    }

    pub(crate) fn sign_in(&self) -> String {
        address::sign_in(&self.here)
    }

    /// The name of the registry, on pages of one.
    pub(crate) fn registry(&self) -> &str {
        self.registry.as_deref().unwrap_or_default()
    }

    /// Where the registry is, for whoever adds it; nothing where a site does not say so.
    pub(crate) fn location(&self) -> String {
        match &self.location {
            Some(location) => location.clone(),
            None if self.site => String::new(),
            None => format!("{}/{}", self.origin, self.registry()),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_turns_or_hides_text_does_not_go_out() {
        let text = "a\u{202e}b\u{2066}c\u{200b}d\u{1b}e\tf\r\ng\u{200d}h".to_owned();
        assert_eq!(super::visible(text), "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\tf\ng\u{200d}h");
    }
}
