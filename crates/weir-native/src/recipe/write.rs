//! From a [`Recipe`] to the text of a `weir.toml`, for recipes that come from elsewhere.

use std::collections::BTreeMap;

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value, value};
use weir_model::{KindName, Scope};

use super::{BuildLimits, Recipe, SourceSpec, System, limits};
use crate::Variant;

impl Recipe {
    /// The text of a `weir.toml` that reads as this recipe. What is as it would be anyway is not written.
    pub fn to_manifest_text(&self) -> String {
        let mut document = DocumentMut::new();
        document["package"] = Item::Table(self.package_table());
        for (key, scope) in [("dependencies", Scope::Run), ("build-dependencies", Scope::Build)] {
            let mut table = Table::new();
            for needed in self.dependencies.iter().filter(|needed| needed.scope == scope) {
                table[needed.name.as_str()] = value(needed.range.as_str());
            }
            if !table.is_empty() {
                document[key] = Item::Table(table);
            }
        }
        document["recipe"] = Item::Table(self.recipe_table());
        document.to_string()
    }

    fn package_table(&self) -> Table {
        let mut table = Table::new();
        table["name"] = value(self.name.as_str());
        table["version"] = value(self.version.to_string());
        table["kind"] = value(KindName::Native.as_str());
        for (key, text) in [("license", &self.license), ("description", &self.description)] {
            if let Some(text) = text {
                table[key] = value(text);
            }
        }
        table
    }

    fn recipe_table(&self) -> Table {
        let mut table = Table::new();
        table["source"] = value(self.source_table());
        put_list(&mut table, "patches", &self.patches);
        table["system"] = value(self.system.as_str());
        match &self.system {
            System::Make { targets } => put_list(&mut table, "targets", targets),
            System::Script { file } => table["script"] = value(file),
            System::Cmake | System::Meson | System::Autotools => {}
        }
        if self.variants != Variant::ALL {
            put_list(&mut table, "variants", self.variants.iter().map(|variant| variant.as_str()));
        }
        put_list(&mut table, "system-libraries", &self.system_libraries);
        put_list(&mut table, "tools", &self.tools);
        put_limits(&mut table, &self.limits);
        put_settings(&mut table, &self.defines, &self.environment);
        for (variant, settings) in &self.of_variant {
            let mut own = Table::new();
            put_settings(&mut own, &settings.defines, &settings.environment);
            table[variant.as_str()] = Item::Table(own);
        }
        table
    }

    fn source_table(&self) -> InlineTable {
        let mut table = InlineTable::new();
        match &self.source {
            SourceSpec::Git { url, tag, submodules } => {
                table.insert("git", url.into());
                table.insert("tag", tag.into());
                if *submodules {
                    table.insert("submodules", true.into());
                }
            }
            SourceSpec::Archive { mirrors, sha256 } => {
                if let Some((url, others)) = mirrors.split_first() {
                    table.insert("url", url.into());
                    if !others.is_empty() {
                        table.insert("mirrors", Value::Array(others.iter().collect()));
                    }
                }
                table.insert("sha256", sha256.to_string().into());
            }
            SourceSpec::Path(path) => {
                table.insert("path", path.into());
            }
        }
        if let Some(subfolder) = &self.subfolder {
            table.insert("subfolder", subfolder.into());
        }
        table
    }
}

fn put_list<T: Into<Value>>(table: &mut Table, key: &str, items: impl IntoIterator<Item = T>) {
    let array: Array = items.into_iter().collect();
    if !array.is_empty() {
        table[key] = value(array);
    }
}

fn put_limits(table: &mut Table, asked: &BuildLimits) {
    let usual = BuildLimits::default();
    if asked.time != usual.time {
        table["timeout"] = value(limits::written_time(asked.time));
    }
    if asked.memory != usual.memory {
        table["memory"] = value(limits::written_bytes(asked.memory));
    }
    if asked.disk != usual.disk {
        table["disk"] = value(limits::written_bytes(asked.disk));
    }
    if asked.processes != usual.processes {
        table["processes"] = value(i64::from(asked.processes));
    }
}

fn put_settings(
    table: &mut Table,
    defines: &BTreeMap<String, String>,
    environment: &BTreeMap<String, String>,
) {
    for (key, settings) in [("defines", defines), ("environment", environment)] {
        if !settings.is_empty() {
            let entries = settings.iter().map(|(name, text)| (name.as_str(), Item::from(Value::from(text))));
            table[key] = Item::Table(entries.collect());
        }
    }
}
