//! Who there is on the server, and which groups they are in: for administrators.

use std::collections::BTreeSet;

use askama::Template;
use jiff::Timestamp;
use weir_wire::AccountName;
use weir_wire::people::{PendingInvitation, User};

use crate::frame::{Frame, Page, PageError};
use crate::{address, said, seen};

/// What the page is made of.
#[derive(Debug)]
pub struct PeoplePage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The users, by name.
    pub users: &'a [User],
    /// Who was invited and is no user yet.
    pub pending: &'a [PendingInvitation],
    /// Now.
    pub now: Timestamp,
}

#[derive(Template)]
#[template(path = "people.html")]
struct People<'a> {
    frame: &'a Frame,
    rows: Vec<Row>,
    pending: Vec<PendingRow>,
    uninvite: &'static str,
    invite: &'static str,
    trust: &'static str,
    change: &'static str,
}

struct Row {
    name: String,
    groups: String,
    claimed: Vec<String>,
    since: String,
    disabled: bool,
    administrator: bool,
    seen: String,
}

struct PendingRow {
    id: String,
    name: String,
    /// Whether it is for somebody who is a user already.
    again: bool,
    groups: String,
    expires: String,
}

impl PeoplePage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let rows = self.users.iter().map(|user| Row {
            name: user.name.to_string(),
            groups: listed(&user.groups.difference(&user.claimed).cloned().collect()),
            claimed: user.claimed.iter().map(ToString::to_string).collect(),
            since: said::ago(user.created, self.now),
            disabled: user.disabled,
            administrator: user.is_administrator(),
            seen: seen::user(user),
        });
        let pending = self.pending.iter().map(|one| PendingRow {
            id: one.id.clone(),
            name: one.name.as_ref().map_or_else(|| "whoever has it".to_owned(), ToString::to_string),
            again: one.again,
            groups: listed(&one.groups),
            expires: said::time(one.expires),
        });
        Page::write(&People {
            frame: self.frame,
            rows: rows.collect(),
            pending: pending.collect(),
            uninvite: address::UNINVITE,
            invite: address::INVITE,
            trust: address::TRUST,
            change: address::CHANGE_USER,
        })
    }
}

fn listed(groups: &BTreeSet<AccountName>) -> String {
    groups.iter().map(AccountName::as_str).collect::<Vec<_>>().join(", ")
}
