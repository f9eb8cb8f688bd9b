//! Sets and rules that come with the program, to be used as they are or as the beginning of one's own.

use crate::files::{PolicyFile, PolicyFiles};

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
pub const RULES: [BuiltIn; 9] = [
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
        name: "no-advisories",
        summary: "nothing against which an advisory of high severity or above is known",
        text: include_str!("rules/no-advisories.cedar"),
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

/// A part of a set: a file of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is called: its file, without the ending.
    pub name: String,
    /// What it says, in a sentence, where it is one that comes with the program and nobody changed it.
    pub summary: Option<&'static str>,
}

impl PolicyFiles {
    /// Its parts: first those that come with the program as sets, then the others, each by name.
    pub fn parts(&self) -> Vec<Part> {
        let name = |file: &str| file.strip_suffix(".cedar").unwrap_or(file).to_owned();
        let part = |(file, text): (&str, &str)| {
            let name = name(file);
            let known = find(&SETS, &name).or_else(|| find(&RULES, &name));
            let unchanged = known.filter(|built_in| built_in.text == text);
            Part { name, summary: unchanged.map(|built_in| built_in.summary) }
        };
        let mut parts: Vec<Part> = self.rules().map(part).collect();
        parts.sort_by_key(|part| find(&SETS, &part.name).is_none());
        parts
    }
}

impl BuiltIn {
    /// It, as a file of a set.
    pub fn file(&self) -> PolicyFile {
        PolicyFile { name: format!("{}.cedar", self.name), text: self.text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::{PolicyFiles, RULES, SETS, find};

    #[test]
    fn a_part_that_nobody_changed_says_what_it_says_and_another_does_not() {
        let cooldown = find(&RULES, "cooldown").expect("it comes with the program");
        let mut changed = find(&RULES, "size").expect("it comes with the program").file();
        changed.text.push_str("// ours\n");
        let open = find(&SETS, "open").expect("it comes with the program");
        let files =
            PolicyFiles::new([cooldown.file(), changed, open.file()]).expect("they are files of a set");
        let parts: Vec<_> = files.parts().into_iter().map(|part| (part.name, part.summary)).collect();
        assert_eq!(
            parts,
            [
                ("open".to_owned(), Some(open.summary)),
                ("cooldown".to_owned(), Some(cooldown.summary)),
                ("size".to_owned(), None),
            ]
        );
    }
}
