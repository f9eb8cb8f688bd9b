//! Secrets in addresses: `https://name:password@host/`.
//!
//! Whoever writes one into a manifest publishes it, and whoever prints one puts it into logs. So no address may hold one, and
//! none is shown.

use std::borrow::Cow;
use std::ops::Range;

/// Whether an address holds a password, or a user of a web address, which is often a token.
pub fn holds_secret(address: &str) -> bool {
    secrets(address).next().is_some()
}

/// `text` with asterisks in place of every secret of an address in it.
pub fn without_secrets(text: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(text);
    for secret in secrets(text) {
        let stars = "*".repeat(secret.len());
        shown.to_mut().replace_range(secret, &stars);
    }
    shown
}

/// The bytes of each secret: what is between `://` and `@`, of a web address all of it, of others what is behind a colon.
fn secrets(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices("://").filter_map(|(at, mark)| {
        let start = at + mark.len();
        let ends = |c: char| c.is_whitespace() || "/?#\\\"'`<>(){}|^".contains(c);
        let authority = text[start..].split(ends).next().unwrap_or_default();
        let user = &authority[..authority.rfind('@')?];
        let from = if is_web(&text[..at]) { 0 } else { user.find(':')? + 1 };
        let is_hidden = user[from..].bytes().all(|byte| byte == b'*');
        (!is_hidden).then(|| start + from..start + user.len())
    })
}

/// Whether a text ends with the scheme of a web address.
fn is_web(before: &str) -> bool {
    let scheme = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{holds_secret, without_secrets};

    #[test]
    fn secrets_of_addresses_are_not_shown() {
        for (text, shown) in [
            ("https://ann:secret@host.example/x.git", "https://**********@host.example/x.git"),
            ("fatal: 'HTTPS://token@host.example/': no", "fatal: 'HTTPS://*****@host.example/': no"),
            ("ssh://git:pw@host.example/x", "ssh://git:**@host.example/x"),
            ("two http://a@h/ and http://b:c@h/", "two http://*@h/ and http://***@h/"),
            ("http://us@er:p@h/", "http://*******@h/"),
        ] {
            assert_eq!(without_secrets(text), shown);
            assert!(holds_secret(text));
        }
        for text in
            ["ssh://git@host.example/x", "git@host.example:x", "https://host.example/a@b", "a://b", ""]
        {
            assert_eq!(without_secrets(text), text);
            assert!(!holds_secret(text));
        }
    }

    proptest! {
        #[test]
        fn nothing_else_of_a_text_changes(text in any::<String>()) {
            let shown = without_secrets(&text);
            prop_assert_eq!(shown.len(), text.len());
            prop_assert!(!holds_secret(&shown));
        }
    }
}
