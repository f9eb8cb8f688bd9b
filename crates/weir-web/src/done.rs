//! What came of a form, as the page says it that comes after it; of what was made, also what is shown to nobody later.

use weir_wire::people::Invited;

use crate::{address, said};

/// What came of a form that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What was done, and to what, in words of the server; what stands between backquotes is code.
    words: String,
    /// What was made, and what each is for.
    secrets: Vec<(String, String)>,
}

impl Done {
    /// Something was done.
    pub fn said(words: impl Into<String>) -> Self {
        Self { words: words.into(), secrets: Vec::new() }
    }

    /// A token was made.
    pub fn token(name: &str, secret: &str) -> Self {
        let words = format!("the token `{name}` was made; whoever uses it sends this");
        Self::said(words).with("", secret)
    }

    /// A webhook has another secret, or its first.
    pub fn webhook(name: &str, secret: &str, is_new: bool) -> Self {
        let what = if is_new { "was made" } else { "has another secret, and what it had is good no longer" };
        let words = format!("the webhook `{name}` {what}; the receiver knows this server by it");
        Self::said(words).with("", secret)
    }

    /// Somebody was invited, at a server whose scheme and host are `origin`, and where `by_password` one will do.
    pub fn invited(
        origin: &str,
        Invited { name, invitation, expires, again }: &Invited,
        by_password: bool,
    ) -> Self {
        let until = said::time(*expires);
        let words = match again {
            false => {
                let how = if by_password { "choose a password and sign in" } else { "sign in by a provider" };
                format!(
                    "`{name}` is invited until {until} UTC: send them this link, with which they {how}; it is good once, and one from before is good no longer"
                )
            }
            true => format!(
                "`{name}` is a user already and stays in their groups: with this link they choose another password until {until} UTC, once, and are signed out everywhere else"
            ),
        };
        let link = format!("{origin}{}", address::accept(invitation));
        let command = format!("weir login {origin} --user {name} --invitation {invitation}");
        let done = Self::said(words).with("", link);
        if by_password { done.with("Or, at a terminal:", command) } else { done }
    }

    fn with(mut self, about: &str, secret: impl Into<String>) -> Self {
        self.secrets.push((about.to_owned(), secret.into()));
        self
    }

    /// Whether something is in it that is not shown again.
    pub fn is_secret(&self) -> bool {
        !self.secrets.is_empty()
    }

    pub(crate) fn words(&self) -> Vec<(bool, String)> {
        said::marked(&said::sentence(&self.words))
    }

    pub(crate) fn secrets(&self) -> &[(String, String)] {
        &self.secrets
    }
}
