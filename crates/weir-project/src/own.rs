//! A project whose manifest is that of its ecosystem's own tools, such as `elm.json`; a `weir.toml` beside it adds what that has no word for.

use std::collections::{BTreeMap, BTreeSet};

use weir_fs::Folder;
use weir_kind::{Chosen, OwnManifest, Said};
use weir_kinds::own_manifests;
use weir_model::manifest::{Reference, RegistryAddress, Requirement, Source, edit::Editor};
use weir_model::{Lockfile, Manifest, PackageName, Range, Scope, Version};

use crate::error::ProjectError;
use crate::files::MAX_MANIFEST;
use crate::moving::Moving;

/// The manifest of an ecosystem's own tools, as it is and as it is about to be.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    manifest: &'static dyn OwnManifest,
    /// What its file has.
    text: String,
    said: Said,
    /// What is asked for in it; in memory only, until it is settled.
    asked: Vec<Requirement>,
    /// What its file is to have, once something was chosen.
    settled: Option<String>,
}

impl Own {
    /// The one in a folder, if there is one that `beside` does not stand for something else than.
    pub(crate) fn find(files: &Folder, beside: &Manifest) -> Result<Option<Self>, ProjectError> {
        for manifest in own_manifests().filter(|manifest| manifest.is_beside(beside)) {
            let Some(text) = files.find_text(manifest.file(), MAX_MANIFEST)? else { continue };
            let said = manifest.read(&text)?;
            let asked = said.dependencies.clone();
            return Ok(Some(Self { manifest, text, said, asked, settled: None }));
        }
        Ok(None)
    }

    /// The name of its file.
    pub(crate) fn file(&self) -> &'static str {
        self.manifest.file()
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What it asks for now, with what a `weir.toml` beside it says.
    pub(crate) fn with(&self, beside: Manifest) -> Manifest {
        Said { dependencies: self.asked.clone(), ..self.said.clone() }.with(beside)
    }

    /// The exact versions that it names.
    pub(crate) fn pins(&self) -> &BTreeMap<PackageName, Version> {
        &self.said.pins
    }

    /// The tools that releases are written for, and the versions of them that will do.
    pub(crate) fn tools(&self) -> &BTreeMap<PackageName, Vec<Version>> {
        &self.said.tools
    }

    pub(crate) fn asked(&self) -> &[Requirement] {
        &self.asked
    }

    /// Whether something is asked for here, by its text or because whoever has such a manifest needs it.
    pub(crate) fn asks(&self, requirement: &Requirement) -> bool {
        self.asked.contains(requirement) || self.said.implied.contains(requirement)
    }

    /// Asks for something else, in memory.
    pub(crate) fn ask(&mut self, asked: Vec<Requirement>) {
        self.asked = asked;
    }

    /// Lets what is asked for exactly, and may move, move a little. Says whether there is anything of the kind.
    pub(crate) fn loosen(&mut self, moving: Moving<'_>) -> bool {
        let mut loosened = false;
        for asked in self.asked.iter_mut().filter(|asked| moving.moves(&asked.name)) {
            if let Some(pin) = self.said.pins.get(&asked.name)
                && asked.range == Range::exact(pin)
            {
                asked.range = self.manifest.loosened(pin);
                loosened = true;
            }
        }
        loosened
    }

    /// Works out what its file is to say when `lock` was chosen, and what a `weir.toml` beside it has to.
    pub(crate) fn settle(
        &mut self,
        lock: &Lockfile,
        beside: &BTreeSet<&PackageName>,
    ) -> Result<Vec<Requirement>, ProjectError> {
        let chosen = lock.releases.iter().map(|release| Chosen {
            id: release.id(),
            kind: release.kind,
            facts: &release.facts,
            dependencies: release.dependencies.iter().map(|on| on.0.clone()).collect(),
            beside: beside.contains(&release.name),
        });
        let chosen: Vec<Chosen<'_>> = chosen.collect();
        let settled = self.manifest.settle(&self.text, &self.asked, &chosen)?;
        self.settled = Some(settled.text);
        let (moved, asked) = std::mem::take(&mut self.asked)
            .into_iter()
            .partition(|asked| settled.beside.contains(&asked.name));
        self.asked = asked;
        Ok(moved)
    }

    /// The text that its file is to have and has not.
    pub(crate) fn unwritten(&self) -> Option<&str> {
        self.settled.as_deref().filter(|settled| *settled != self.text)
    }

    /// Its file has what it is to have.
    pub(crate) fn written(&mut self) {
        if let Some(settled) = self.settled.take() {
            self.text = settled;
        }
    }
}

/// The manifests of a project being changed: what a tool's own can say goes there, and all else into `weir.toml`.
pub(crate) struct Editing {
    editor: Editor,
    asked: Option<Vec<Requirement>>,
}

/// Manifests that were changed and are not taken yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Edited {
    /// The text of `weir.toml`.
    pub(crate) text: String,
    /// What is asked for in a tool's own manifest.
    pub(crate) asked: Option<Vec<Requirement>>,
}

impl Editing {
    pub(crate) fn new(editor: Editor, own: Option<&Own>) -> Self {
        Self { editor, asked: own.map(|own| own.asked.clone()) }
    }

    pub(crate) fn finish(self) -> Edited {
        Edited { text: self.editor.into_text(), asked: self.asked }
    }

    pub(crate) fn set_dependency(&mut self, requirement: &Requirement) {
        let is_plain =
            requirement.source == Source::Registry && !requirement.fluid && requirement.registry.is_none();
        match &mut self.asked {
            Some(asked) if is_plain => {
                asked.retain(|other| other.name != requirement.name);
                asked.push(requirement.clone());
            }
            _ => self.editor.set_dependency(requirement),
        }
    }

    /// Asks for something in `weir.toml` in any case.
    pub(crate) fn ask_beside(&mut self, requirement: &Requirement) {
        self.editor.set_dependency(requirement);
    }

    pub(crate) fn remove_dependency(&mut self, name: &PackageName) {
        if let Some(asked) = &mut self.asked {
            asked.retain(|other| other.name != *name);
        }
        self.editor.remove_dependency(name);
    }

    pub(crate) fn set_range(&mut self, name: &PackageName, scope: Scope, range: &Range) {
        let asked = self.asked.iter_mut().flatten().find(|asked| asked.name == *name && asked.scope == scope);
        if let Some(asked) = asked {
            asked.range = range.clone();
        }
        self.editor.set_range(name, scope, range);
    }

    pub(crate) fn set_reference(&mut self, reference: &Reference) {
        self.editor.set_reference(reference);
    }

    pub(crate) fn remove_reference(&mut self, name: &str) {
        self.editor.remove_reference(name);
    }

    pub(crate) fn set_registry(&mut self, name: &str, address: &RegistryAddress) {
        self.editor.set_registry(name, address);
    }

    pub(crate) fn remove_registry(&mut self, name: &str) {
        self.editor.remove_registry(name);
    }
}
