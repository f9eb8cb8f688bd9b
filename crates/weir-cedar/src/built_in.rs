//! Sets and rules that come with the program, to be used as they are or as the beginning of one's own.

use crate::files::PolicyFile;

/// A set, or a rule to be added to one.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// What it is called.
    pub name: &'static str,
    /// What it says, in a sentence.
    pub summary: &'static str,
    /// It, in Cedar.
    pub text: &'static str,
}

/// What a registry without a set of its own goes by.
pub const FOLDER: &str = "folder";

/// The sets.
pub const SETS: [BuiltIn; 5] = [
    BuiltIn {
        name: FOLDER,
        summary: "what the file system allows, except to act for an owner that belongs to others",
        text: include_str!("sets/folder.cedar"),
    },
    BuiltIn {
        name: "open",
        summary: "everybody reads, whoever is signed in publishes under owners that are theirs or nobody's",
        text: include_str!("sets/open.cedar"),
    },
    BuiltIn {
        name: "team",
        summary: "the group `team` reads and publishes, `admins` do the rest, nobody else sees it",
        text: include_str!("sets/team.cedar"),
    },
    BuiltIn {
        name: "curated",
        summary: "everybody reads, `curators` decide what comes in, and everything has a licence",
        text: include_str!("sets/curated.cedar"),
    },
    BuiltIn {
        name: "closed",
        summary: "`readers` read, `publishers` publish, `admins` do the rest, nobody else sees it",
        text: include_str!("sets/closed.cedar"),
    },
];

/// The rules that can be added to any set: they only forbid.
pub const RULES: [BuiltIn; 8] = [
    BuiltIn {
        name: "licenses",
        summary: "only licences of a list come in",
        text: include_str!("rules/licenses.cedar"),
    },
    BuiltIn {
        name: "size",
        summary: "nothing comes in that is larger than this",
        text: include_str!("rules/size.cedar"),
    },
    BuiltIn {
        name: "kinds",
        summary: "only packages of these kinds come in",
        text: include_str!("rules/kinds.cedar"),
    },
    BuiltIn {
        name: "no-shadowing",
        summary: "no new name that can be mistaken for another, nothing from above under an owner of this registry",
        text: include_str!("rules/no-shadowing.cedar"),
    },
    BuiltIn {
        name: "signed-only",
        summary: "only what a workload published, or what has provenance",
        text: include_str!("rules/signed-only.cedar"),
    },
    BuiltIn {
        name: "cooldown",
        summary: "what a registry above has published is admitted a week later",
        text: include_str!("rules/cooldown.cedar"),
    },
    BuiltIn {
        name: "two-approvals",
        summary: "nothing is promoted into this registry that two others did not approve",
        text: include_str!("rules/two-approvals.cedar"),
    },
    BuiltIn {
        name: "elm-canonical",
        summary: "versions of Elm packages are what their changes ask for, the first is 1.0.0",
        text: include_str!("rules/elm-canonical.cedar"),
    },
];

/// The one of `among` that has this name.
pub fn find(among: &'static [BuiltIn], name: &str) -> Option<&'static BuiltIn> {
    among.iter().find(|built_in| built_in.name == name)
}

impl BuiltIn {
    /// It, as a file of a set.
    pub fn file(&self) -> PolicyFile {
        PolicyFile { name: format!("{}.cedar", self.name), text: self.text.to_owned() }
    }
}
