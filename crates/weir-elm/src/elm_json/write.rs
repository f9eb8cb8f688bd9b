//! From what an `elm.json` says to its text.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Value};
use weir_model::{PackageName, Range, Version};

use super::exposed::Exposed;
use super::{Application, ElmJson, Package};
use crate::constraint::written;

/// The fields of a package, in Elm's order.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct PackageText<'a> {
    r#type: &'static str,
    name: &'a str,
    summary: &'a str,
    license: &'a str,
    version: &'a Version,
    exposed_modules: &'a Exposed,
    elm_version: String,
    dependencies: BTreeMap<Key<'a>, String>,
    test_dependencies: BTreeMap<Key<'a>, String>,
    #[serde(flatten)]
    others: &'a Map<String, Value>,
}

/// The fields of an application, in Elm's order.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ApplicationText<'a> {
    r#type: &'static str,
    source_directories: &'a [String],
    elm_version: &'a Version,
    dependencies: Pins<'a>,
    test_dependencies: Pins<'a>,
    #[serde(flatten)]
    others: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct Pins<'a> {
    direct: BTreeMap<Key<'a>, &'a Version>,
    indirect: BTreeMap<Key<'a>, &'a Version>,
}

/// A name in the order that Elm has them in: by author, then by project.
#[derive(PartialEq, Eq)]
struct Key<'a>(&'a PackageName);

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0.owner(), self.0.name()).cmp(&(other.0.owner(), other.0.name()))
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for Key<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

pub(super) fn elm_json(said: &ElmJson) -> String {
    match said {
        ElmJson::Package(package) => text(&of_package(package)),
        ElmJson::Application(application) => text(&of_application(application)),
    }
}

fn of_package(package: &Package) -> PackageText<'_> {
    PackageText {
        r#type: "package",
        name: package.name.as_str(),
        summary: &package.summary,
        license: &package.license,
        version: &package.version,
        exposed_modules: &package.exposed_as_written,
        elm_version: range(&package.elm_version),
        dependencies: ranges(&package.dependencies),
        test_dependencies: ranges(&package.test_dependencies),
        others: &package.others,
    }
}

fn of_application(application: &Application) -> ApplicationText<'_> {
    ApplicationText {
        r#type: "application",
        source_directories: &application.source_directories,
        elm_version: &application.elm_version,
        dependencies: Pins { direct: pins(&application.direct), indirect: pins(&application.indirect) },
        test_dependencies: Pins {
            direct: pins(&application.test_direct),
            indirect: pins(&application.test_indirect),
        },
        others: &application.others,
    }
}

fn ranges(ranges: &BTreeMap<PackageName, Range>) -> BTreeMap<Key<'_>, String> {
    ranges.iter().map(|(name, one)| (Key(name), range(one))).collect()
}

/// A range in Elm's form; as it was written where it has none.
fn range(range: &Range) -> String {
    written(range).unwrap_or_else(|| range.to_string())
}

fn pins(pins: &BTreeMap<PackageName, Version>) -> BTreeMap<Key<'_>, &Version> {
    pins.iter().map(|(name, version)| (Key(name), version)).collect()
}

fn text(value: &impl Serialize) -> String {
    let mut bytes = Vec::new();
    let mut serializer =
        serde_json::Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    value.serialize(&mut serializer).expect("texts under names are JSON, and memory takes them");
    bytes.push(b'\n');
    String::from_utf8(bytes).expect("JSON is text")
}
