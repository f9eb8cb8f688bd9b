//! What is wrong with a repository or a tag, in words, and what sort of thing that is.

use std::fmt;

/// What sort of thing is wrong with a repository or a tag: what whoever asked can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// What was asked for can be no address, or no tag.
    Name,
    /// Nobody answers, or not in time.
    Unreached,
    /// Whoever answers does not let this user in.
    Refused,
    /// There is no such repository, or nothing of that name in it.
    Absent,
    /// What is there cannot be kept.
    Content,
}

/// A complaint in words, git's or ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) fault: Fault,
    pub(crate) reason: String,
}

impl Complaint {
    /// A complaint of git when it asked a host, by what it says first. It is told to say so in English.
    pub(crate) fn of_host(reason: String) -> Self {
        const UNREACHED: [&str; 8] = [
            "unable to access",
            "unable to connect",
            "unable to look up",
            "ssh: connect to",
            "ssh: Could not resolve",
            "Connection timed out",
            "Connection reset",
            "and was ended",
        ];
        let says = |text: &str| reason.contains(text);
        let fault = if says("error: 401") || says("error: 403") {
            Fault::Refused
        } else if UNREACHED.into_iter().any(says) {
            Fault::Unreached
        } else {
            Fault::Absent
        };
        Self { fault, reason }
    }

    /// A complaint about what was asked for.
    pub(crate) fn of_name(reason: String) -> Self {
        Self { fault: Fault::Name, reason }
    }

    /// A complaint about what came.
    pub(crate) fn of_content(reason: String) -> Self {
        Self { fault: Fault::Content, reason }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::{Complaint, Fault};

    #[test]
    fn who_cannot_be_reached_is_told_from_what_is_not_there() {
        let of = |said: &str| Complaint::of_host(said.to_owned()).fault;
        let access = "fatal: unable to access 'https://h.example/a/b/':";
        assert_eq!(of(&format!("{access} Could not resolve host: h.example")), Fault::Unreached);
        assert_eq!(of(&format!("{access} Failed to connect to h.example port 443")), Fault::Unreached);
        assert_eq!(of(&format!("{access} The requested URL returned error: 500")), Fault::Unreached);
        assert_eq!(of(&format!("{access} The requested URL returned error: 403")), Fault::Refused);
        assert_eq!(of("ssh: connect to host h.example port 22: Connection refused"), Fault::Unreached);
        assert_eq!(of("fatal: repository 'https://h.example/a/b/' not found"), Fault::Absent);
        assert_eq!(of("fatal: couldn't find remote ref refs/tags/v9"), Fault::Absent);
    }
}
