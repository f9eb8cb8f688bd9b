//! Which registries there are, for whoever asks.

use askama::Template;
use jiff::Timestamp;
use weir_index::Stats;

use crate::frame::{Frame, Page, PageError};
use crate::{address, said};

/// A registry that whoever asks may see.
#[derive(Debug, Clone)]
pub struct HomeRegistry {
    /// The name it is served under.
    pub name: String,
    /// How much is in it; nothing, if it cannot be read now.
    pub stats: Option<Stats>,
    /// When its log was signed last.
    pub signed: Option<Timestamp>,
}

/// What the page is made of.
#[derive(Debug)]
pub struct HomePage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The registries, by name.
    pub registries: &'a [HomeRegistry],
    /// Now.
    pub now: Timestamp,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    frame: &'a Frame,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    href: String,
    packages: String,
    withdrawn: String,
    signed: String,
}

impl HomePage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let rows = self.registries.iter().map(|registry| Row {
            name: registry.name.clone(),
            href: address::registry(&registry.name),
            packages: registry.stats.map_or_else(
                || "cannot be read now".to_owned(),
                |stats| {
                    format!(
                        "{}, {}",
                        said::count(stats.packages, "package"),
                        said::count(stats.offered, "release")
                    )
                },
            ),
            withdrawn: registry.stats.map(withdrawn).unwrap_or_default(),
            signed: registry.signed.map(|at| said::ago(at, self.now)).unwrap_or_default(),
        });
        Page::write(&Home { frame: self.frame, rows: rows.collect() })
    }
}

/// What of a registry is not offered.
pub(crate) fn withdrawn(stats: Stats) -> String {
    let parts = [(stats.yanked, "yanked"), (stats.quarantined, "quarantined")];
    let said: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    said.join(", ")
}
