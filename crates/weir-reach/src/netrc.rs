//! The user's `netrc`, as curl and git read it: words, in which `machine` begins an entry.

use std::io;
use std::path::Path;

/// The largest file that is read, in bytes.
const MAX_NETRC: u64 = 1 << 20;

/// The user and the password for a host; those of `default` where none names it.
pub(crate) fn find(path: &Path, host: &str) -> Result<Option<(String, String)>, io::Error> {
    match weir_fs::read_text(path, MAX_NETRC) {
        Err(error) if error.is_not_found() => Ok(None),
        text => Ok(parse(&text?, host)),
    }
}

fn parse(text: &str, host: &str) -> Option<(String, String)> {
    let mut words =
        text.lines().take_while(|line| !line.trim_start().starts_with("macdef")).flat_map(|line| {
            let line = line.trim_start();
            if line.starts_with('#') { "" } else { line }.split_whitespace()
        });
    let (mut is_meant, mut user, mut password) = (false, None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if is_meant && password.is_some() {
                    break;
                }
                is_meant = word == "default" || words.next().is_some_and(|name| name == host);
                (user, password) = (None, None);
            }
            "login" => user = words.next(),
            "password" => password = words.next(),
            _ => {}
        }
    }
    let found = (user.unwrap_or_default().to_owned(), password?.to_owned());
    is_meant.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_entry_of_the_host_counts_and_then_the_default() {
        let text = "# mine\nmachine a.example login ann password one\nmachine b.example\n  login bob\n  password two\ndefault login any password three\nmacdef x\nmachine c.example password no\n";
        let found = |host| parse(text, host).map(|(user, password)| format!("{user} {password}"));
        assert_eq!(found("a.example"), Some("ann one".into()));
        assert_eq!(found("b.example"), Some("bob two".into()));
        assert_eq!(found("c.example"), Some("any three".into()));
        assert_eq!(parse("machine a.example login ann", "a.example"), None);
        assert_eq!(parse("machine b.example password x", "a.example"), None);
        assert_eq!(parse("machine", "a.example"), None);
    }
}
