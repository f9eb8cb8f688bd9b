//! An entry of the log, and the proof that it is there.

use askama::Template;
use jiff::Timestamp;
use weir_log::InclusionProof;
use weir_model::{Action, Record};

use crate::frame::{Frame, Page, PageError};
use crate::{address, said};

/// What the page is made of.
#[derive(Debug)]
pub struct EntryPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The entry, byte for byte.
    pub entry: &'a [u8],
    /// The proof that the log holds it, which was checked.
    pub proof: &'a InclusionProof,
    /// Now.
    pub now: Timestamp,
}

#[derive(Template)]
#[template(path = "entry.html")]
struct Entry<'a> {
    frame: &'a Frame,
    index: u64,
    size: u64,
    what: String,
    by: String,
    at: String,
    ago: String,
    batch: String,
    json: String,
    proof: String,
    proof_href: String,
    before: String,
    next: String,
}

impl EntryPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let registry = self.frame.registry();
        let (index, size) = (self.proof.index(), self.proof.checkpoint().size());
        let record = Record::from_bytes(self.entry).ok();
        let json = serde_json::from_slice::<serde_json::Value>(self.entry)
            .and_then(|value| serde_json::to_string_pretty(&value))
            .unwrap_or_else(|_| String::from_utf8_lossy(self.entry).into_owned());
        Page::write(&Entry {
            frame: self.frame,
            index,
            size,
            what: record.as_ref().map(|record| done(&record.action)).unwrap_or_default(),
            by: record.as_ref().map(|record| record.by.clone()).unwrap_or_default(),
            at: record.as_ref().map(|record| said::time(record.at)).unwrap_or_default(),
            ago: record.as_ref().map(|record| said::ago(record.at, self.now)).unwrap_or_default(),
            batch: record.map(|record| record.batch).unwrap_or_default(),
            json,
            proof: self.proof.to_string(),
            proof_href: address::proof(registry, index),
            before: index.checked_sub(1).map(|before| address::entry(registry, before)).unwrap_or_default(),
            next: if index + 1 < size { address::entry(registry, index + 1) } else { String::new() },
        })
    }
}

/// What an entry does, in a line.
fn done(action: &Action) -> String {
    match action {
        Action::Publish { release } => format!("{} {} published", release.name, release.version),
        Action::Admit { release, from } => {
            format!("{} {} admitted from {}", release.name, release.version, from.registry)
        }
        Action::Withdraw(withdrawal) => format!("{} {}", withdrawal.id, withdrawal.verb.done()),
        Action::Claim { owner, who } => format!("{owner} belongs to {}", who.join(", ")),
        Action::Policy { digest } => format!("the policy set {} put in force", digest.short()),
        Action::Describe(_) => "the registry described".to_owned(),
        _ => String::new(),
    }
}
