//! The groups that a set itself puts people into: `groups.toml` beside its rules.

use std::collections::{BTreeMap, BTreeSet};

use crate::files::GROUPS_FILE;
use crate::problem::Problem;
use weir_model::unseen::Named as _;

/// Groups that a file can have.
const MAX_GROUPS: usize = 256;

/// People that a group can have.
const MAX_MEMBERS: usize = 4096;

/// Longest name of a group or a person, in bytes.
const MAX_NAME: usize = 128;

/// Who is in which group by the set's own word. A server knows more groups; a folder without one knows only these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Groups(BTreeMap<String, BTreeSet<String>>);

impl Groups {
    /// Reads `groups.toml`: a list of names of users for each group.
    pub(crate) fn read(text: &str) -> Result<Self, Problem> {
        let whole = |message: String| Problem::of_file(GROUPS_FILE, message);
        let groups: BTreeMap<String, BTreeSet<String>> = toml_edit::de::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            Problem::at(GROUPS_FILE, text, at, format!("it is no list of groups: {}", error.message()))
        })?;
        if groups.len() > MAX_GROUPS {
            return Err(whole(format!("there are {} groups, {MAX_GROUPS} are allowed", groups.len())));
        }
        for (group, people) in &groups {
            if people.len() > MAX_MEMBERS {
                let told =
                    format!("`{}` has {} people, {MAX_MEMBERS} are allowed", group.named(), people.len());
                return Err(whole(told));
            }
            if let Some(name) = std::iter::once(group).chain(people).find(|name| !is_name(name)) {
                return Err(whole(format!("`{}` is no name of a group or a user", name.named())));
            }
        }
        Ok(Self(groups))
    }

    /// The groups that a user is in.
    pub fn of<'a>(&'a self, user: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(_, people)| people.contains(user)).map(|(group, _)| group.as_str())
    }

    /// All of them, and who is in them.
    pub fn all(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.0
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME
        && !name.contains(':')
        && !name
            .chars()
            .any(|character| character.is_whitespace() || weir_model::unseen::is_unseen(character))
}
