//! An `elm.json` as the text of a `weir.toml`, for what is brought from a tag.

use std::collections::BTreeMap;

use toml_edit::{DocumentMut, Item, Table};
use weir_kind::{Foreign, KindError, OwnManifest as _, PackageFiles, read_text};
use weir_model::Scope;

use crate::elm_json::{FILE_NAME, MAX_BYTES};
use crate::own_manifest::ElmManifest;

pub(super) fn read(files: &dyn PackageFiles) -> Result<Option<Foreign>, KindError> {
    let Some(text) = read_text(files, FILE_NAME, MAX_BYTES as u64)? else { return Ok(None) };
    let said = ElmManifest.read(&text)?;
    let mut package = Table::new();
    let text_of = |value: &Option<String>| value.clone();
    let fields = [
        ("name", said.package.name.as_ref().map(ToString::to_string)),
        ("version", said.package.version.as_ref().map(ToString::to_string)),
        ("kind", Some(said.package.kind.to_string())),
        ("license", text_of(&said.package.license)),
        ("description", text_of(&said.package.description)),
    ];
    for (field, value) in fields {
        if let Some(value) = value {
            package.insert(field, value.into());
        }
    }
    let mut document = DocumentMut::new();
    document.insert("package", Item::Table(package));
    for (table, scope) in [("dependencies", Scope::Run), ("dev-dependencies", Scope::Dev)] {
        let needed = said.dependencies.iter().filter(|needed| needed.scope == scope);
        let needed: BTreeMap<&str, String> =
            needed.map(|needed| (needed.name.as_str(), needed.range.to_string())).collect();
        let mut entries = Table::new();
        for (name, range) in needed {
            entries.insert(name, range.into());
        }
        document.insert(table, Item::Table(entries));
    }
    Ok(Some(Foreign { file: files.place(FILE_NAME), manifest: document.to_string(), warnings: Vec::new() }))
}
