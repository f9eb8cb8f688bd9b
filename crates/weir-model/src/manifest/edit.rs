//! Changing a manifest's text while keeping its comments, order and spacing.

use toml_edit::{DocumentMut, Item, Table, Value};

use super::{ManifestError, Reference, RegistryAddress, Requirement, Source};
use crate::{PackageName, Range, Scope, Version};

/// A manifest being changed. Every change keeps what it does not touch, byte for byte.
#[derive(Debug, Clone)]
pub struct Editor {
    document: DocumentMut,
    ends: LineEnds,
}

/// How the lines of a text end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineEnds {
    are_crlf: bool,
}

impl LineEnds {
    /// Those of a text: of several sorts, Unix's.
    pub fn of(text: &str) -> Self {
        let all = text.matches('\n').count();
        Self { are_crlf: all > 0 && text.matches("\r\n").count() == all }
    }

    /// The same text, whose lines end with a newline alone, with these ends.
    pub fn on(self, text: String) -> String {
        if self.are_crlf { text.replace("\r\n", "\n").replace('\n', "\r\n") } else { text }
    }
}

impl Editor {
    /// Starts from the text of a manifest.
    ///
    /// # Errors
    ///
    /// When the text is not TOML.
    pub fn new(text: &str) -> Result<Self, ManifestError> {
        let document = text.parse().map_err(|error: toml_edit::TomlError| {
            ManifestError::new(text, error.span(), error.message().to_owned())
        })?;
        Ok(Self { document, ends: LineEnds::of(text) })
    }

    /// The text as it stands now.
    pub fn into_text(self) -> String {
        self.ends.on(self.document.to_string())
    }

    /// Asks for a package, or changes how it is asked for.
    pub fn set_dependency(&mut self, requirement: &Requirement) {
        let table = self.table(scope_table(requirement.scope));
        let value = requirement_value(requirement);
        match table.get_mut(requirement.name.as_str()).and_then(Item::as_value_mut) {
            Some(old) => replace_value(old, value),
            None => {
                table.insert(requirement.name.as_str(), Item::Value(value));
            }
        }
    }

    /// Changes only the range of a dependency that is already asked for; says whether it was found.
    pub fn set_range(&mut self, name: &PackageName, scope: Scope, range: &Range) -> bool {
        let Some(item) =
            self.document.get_mut(scope_table(scope)).and_then(|table| table.get_mut(name.as_str()))
        else {
            return false;
        };
        let target = if item.is_table_like() {
            item.as_table_like_mut().and_then(|table| table.get_mut("range"))
        } else {
            Some(item)
        };
        match target.and_then(Item::as_value_mut) {
            Some(old) => {
                replace_value(old, range.to_string().into());
                true
            }
            None => false,
        }
    }

    /// Stops asking for a package, in every scope; says whether it was asked for.
    pub fn remove_dependency(&mut self, name: &PackageName) -> bool {
        let mut found = false;
        for scope in [Scope::Run, Scope::Build, Scope::Dev] {
            if let Some(table) = self.document.get_mut(scope_table(scope)).and_then(Item::as_table_like_mut) {
                found |= table.remove(name.as_str()).is_some();
            }
        }
        found
    }

    /// Names an external file, or changes what is said of it.
    pub fn set_reference(&mut self, reference: &Reference) {
        let references = self.table("references");
        references.set_implicit(true);
        let entry = references.entry(&reference.name).or_insert_with(|| Item::Table(Table::new()));
        let Some(table) = entry.as_table_like_mut() else { return };
        if let Some(url) = reference.mirrors.first() {
            table.insert("url", toml_edit::value(url));
        }
        if reference.mirrors.len() > 1 {
            let others: toml_edit::Array = reference.mirrors[1..].iter().map(String::as_str).collect();
            table.insert("mirrors", toml_edit::value(others));
        }
        if let Some(sha256) = reference.sha256 {
            table.insert("sha256", toml_edit::value(sha256.to_string()));
        }
        if let Some(size) = reference.size {
            table.insert("size", toml_edit::value(i64::try_from(size).unwrap_or(i64::MAX)));
        }
        for (key, flag) in [("unpack", reference.unpack), ("fluid", reference.fluid)] {
            if flag {
                table.insert(key, toml_edit::value(true));
            }
        }
    }

    /// Stops naming an external file; says whether it was named.
    pub fn remove_reference(&mut self, name: &str) -> bool {
        let Some(references) = self.document.get_mut("references").and_then(Item::as_table_like_mut) else {
            return false;
        };
        let found = references.remove(name).is_some();
        if references.is_empty() {
            self.document.remove("references");
        }
        found
    }

    /// Sets `package.version`.
    pub fn set_version(&mut self, version: &Version) {
        let table = self.table("package");
        match table.get_mut("version").and_then(Item::as_value_mut) {
            Some(old) => replace_value(old, version.to_string().into()),
            None => {
                table.insert("version", toml_edit::value(version.to_string()));
            }
        }
    }

    /// Names a registry. If it is to be the default one, no other is.
    pub fn set_registry(&mut self, name: &str, address: &RegistryAddress) {
        let table = self.table("registries");
        if address.default {
            for (_, other) in table.iter_mut() {
                if let Some(other) = other.as_table_like_mut() {
                    other.remove("default");
                }
            }
        }
        // What a person wrote beside the address stays.
        let old = table.get_mut(name).and_then(Item::as_table_like_mut);
        let aliases = old.and_then(|old| old.remove("aliases")).and_then(|aliases| aliases.into_value().ok());
        let value = if address.key.is_none() && !address.default && aliases.is_none() {
            Value::from(address.url.as_str())
        } else {
            let mut value = toml_edit::InlineTable::new();
            value.insert("url", address.url.as_str().into());
            if let Some(aliases) = aliases {
                value.insert("aliases", aliases);
            }
            if let Some(key) = &address.key {
                value.insert("key", key.as_str().into());
            }
            if address.default {
                value.insert("default", true.into());
            }
            Value::InlineTable(value)
        };
        table.insert(name, Item::Value(value));
    }

    /// Forgets a registry; says whether it was named.
    pub fn remove_registry(&mut self, name: &str) -> bool {
        self.document
            .get_mut("registries")
            .and_then(Item::as_table_like_mut)
            .is_some_and(|table| table.remove(name).is_some())
    }

    fn table(&mut self, name: &str) -> &mut Table {
        let item = self.document.entry(name).or_insert_with(|| Item::Table(Table::new()));
        if !item.is_table() {
            // An inline table, or something that the strict reader refuses anyway.
            let table = std::mem::take(item).into_table().unwrap_or_default();
            *item = Item::Table(table);
        }
        item.as_table_mut().expect("it was made a table just above")
    }
}

const fn scope_table(scope: Scope) -> &'static str {
    match scope {
        Scope::Run => "dependencies",
        Scope::Build => "build-dependencies",
        Scope::Dev => "dev-dependencies",
    }
}

fn requirement_value(requirement: &Requirement) -> Value {
    if !requirement.fluid && requirement.registry.is_none() && requirement.source == Source::Registry {
        return requirement.range.to_string().into();
    }
    let mut table = toml_edit::InlineTable::new();
    match &requirement.source {
        Source::Registry => {
            table.insert("range", requirement.range.to_string().into());
        }
        Source::Path(path) => {
            table.insert("path", path.into());
        }
        Source::Git { tag, manifest } => {
            table.insert("git", tag.url.as_str().into());
            table.insert("tag", tag.tag.as_str().into());
            let manifest = manifest.as_deref().and_then(|text| text.parse::<DocumentMut>().ok());
            if let Some(document) = manifest {
                table.insert("manifest", Value::InlineTable(document.as_table().clone().into_inline_table()));
            }
        }
    }
    if requirement.fluid {
        table.insert("fluid", true.into());
    }
    if let Some(registry) = &requirement.registry {
        table.insert("registry", registry.into());
    }
    Value::InlineTable(table)
}

/// Replaces a value and keeps the spacing and the comment around it.
fn replace_value(old: &mut Value, new: Value) {
    let decor = old.decor().clone();
    *old = new;
    *old.decor_mut() = decor;
}
