//! What the modules of an Elm package offer, and what they say of it.

use askama::Template;
use weir_elm::api::{Documentation, EntryDocs, ModuleDocs, Piece};
use weir_index::ReleaseView;
use weir_model::ReleaseId;

use super::release::build;
use crate::frame::{Frame, Page, PageError};
use crate::readme::Readme;
use crate::{address, said};

/// The most bytes of a page that a module takes.
const MOST: usize = 90 << 10;

/// So many modules are named.
const MOST_MODULES: usize = 300;

/// The longest thing that is offered which is shown whole, in characters.
const LONGEST: usize = 2000;

/// What the page is made of.
#[derive(Debug)]
pub struct ModulesPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The release.
    pub view: &'a ReleaseView,
    /// Its `docs.json`, where it has one that can be read.
    pub docs: Option<&'a str>,
    /// The module that is asked for; else the first.
    pub module: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "modules.html")]
struct Modules<'a> {
    frame: &'a Frame,
    package: String,
    package_href: String,
    build: String,
    release_href: String,
    failed: String,
    modules: Vec<Choice>,
    more_modules: usize,
    name: String,
    pieces: Vec<Shown>,
    cut: bool,
}

struct Choice {
    name: String,
    href: String,
    chosen: bool,
}

/// A piece, as it is shown: text, or what is offered with what is said of it.
struct Shown {
    written: String,
    html: String,
}

impl ModulesPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let registry = self.frame.registry();
        let id = &self.view.release.id;
        let (docs, failed) = match self.docs.map(|docs| Documentation::parse(docs.as_bytes())) {
            None => (Documentation::default(), "it has no documentation here: it was published where there was no compiler, its files are withheld, or it is too large for a page".to_owned()),
            Some(Err(error)) => (Documentation::default(), error.to_string()),
            Some(Ok(docs)) if docs.modules.is_empty() => (docs, "it offers no module".to_owned()),
            Some(Ok(docs)) => (docs, String::new()),
        };
        let asked = docs.modules.iter().find(|module| Some(module.name.as_str()) == self.module);
        let chosen = asked.or(docs.modules.first());
        let (pieces, cut) = chosen.map(|module| shown(registry, id, module)).unwrap_or_default();
        let choice = |module: &ModuleDocs| Choice {
            name: said::line(&module.name),
            href: address::modules(registry, id, Some(&module.name)),
            chosen: chosen.is_some_and(|chosen| chosen.name == module.name),
        };
        Page::write(&Modules {
            frame: self.frame,
            package: id.name.to_string(),
            package_href: address::package(registry, &id.name),
            build: build(id),
            release_href: address::release(registry, id),
            failed: said::line(&failed),
            modules: docs.modules.iter().take(MOST_MODULES).map(choice).collect(),
            more_modules: docs.modules.len().saturating_sub(MOST_MODULES),
            name: chosen.map(|module| said::line(&module.name)).unwrap_or_default(),
            pieces,
            cut,
        })
    }
}

/// The pieces of a module that make a page that is not too large, and whether there are more.
fn shown(registry: &str, id: &ReleaseId, module: &ModuleDocs) -> (Vec<Shown>, bool) {
    let mut left = MOST;
    let mut pieces = Vec::new();
    for piece in &module.pieces {
        let (written, text) = match piece {
            Piece::Text(text) => (String::new(), text),
            Piece::Entry(EntryDocs { written, comment, .. }) => (cut(written), comment),
        };
        // Its name says that it is CommonMark; what it leads to is sought beside `docs.json`.
        let html = match text.trim() {
            "" => String::new(),
            text => Readme::beside_others(registry, id, "docs.md", text).html,
        };
        let size = written.len() + html.len() + 100;
        if size > left {
            return (pieces, true);
        }
        left -= size;
        pieces.push(Shown { written, html });
    }
    (pieces, false)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
