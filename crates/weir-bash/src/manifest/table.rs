//! The `[bash]` table of `weir.toml`.

use std::collections::BTreeMap;

use toml_edit::{DocumentMut, Item, Table, TableLike};

use super::{
    BashManifest, MAX_ENTRIES, ManifestError, RenameWish, RenameWishes, check_name, check_option, check_path,
    check_slug, check_value, check_variable,
};

pub(super) const FIELDS: &[&str] = &[
    "slug",
    "source",
    "bin",
    "completion",
    "man",
    "environment",
    "options",
    "shopt",
    "keep",
    "state",
    "rename",
];

/// Reads the text of a `[bash]` table, with or without its heading.
pub fn read_table_text(text: &str) -> Result<BashManifest, ManifestError> {
    let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        ManifestError::Syntax { file: "weir.toml", reason: error.to_string() }
    })?;
    match document.get("bash") {
        Some(item) => match item.as_table() {
            Some(table) => read_table(table),
            None => Err(ManifestError::WrongType { field: "bash".into(), expected: "a table" }),
        },
        None => read_table(document.as_table()),
    }
}

/// Reads the `[bash]` table of a `weir.toml`.
pub fn read_table(table: &Table) -> Result<BashManifest, ManifestError> {
    let mut manifest = BashManifest::default();
    for (field, item) in table {
        match field {
            "slug" => manifest.slugs = strings(field, item, check_slug_of)?,
            "source" => manifest.source = strings(field, item, check_path)?,
            "bin" => manifest.bin = strings(field, item, check_path)?,
            "completion" => manifest.completion = strings(field, item, check_path)?,
            "man" => manifest.man = strings(field, item, check_path)?,
            "environment" => manifest.environment = environment(field, item)?,
            "options" => manifest.options = switches(field, item)?,
            "shopt" => manifest.shopt = switches(field, item)?,
            "keep" => manifest.keep = strings(field, item, checked(check_name))?,
            "state" => manifest.state = strings(field, item, checked(check_name))?,
            "rename" => manifest.rename = wishes(field, item)?,
            _ => {
                let nearest = weir_model::nearest(field, FIELDS.iter().copied());
                return Err(ManifestError::UnknownField { table: "bash", field: field.into(), nearest });
            }
        }
    }
    Ok(manifest)
}

/// `"all"` or `"none"` for all packages, or a table that says so of some.
fn wishes(field: &str, item: &Item) -> Result<RenameWishes, ManifestError> {
    let wrong = || ManifestError::WrongType {
        field: field.into(),
        expected: "`\"all\"`, `\"none\"`, or a table that says one of them of packages",
    };
    let wish = |text: Option<&str>| match text {
        Some("all") => Ok(RenameWish::All),
        Some("none") => Ok(RenameWish::None),
        _ => Err(wrong()),
    };
    let Some(table) = item.as_table_like() else {
        return Ok(RenameWishes { all: Some(wish(item.as_str())?), ..RenameWishes::default() });
    };
    let mut wishes = RenameWishes::default();
    for (name, value) in table.iter().take(MAX_ENTRIES) {
        name.parse::<weir_model::PackageName>()
            .map_err(|_| ManifestError::bad(field, name, "is not the name of a package"))?;
        wishes.packages.insert(name.to_owned(), wish(value.as_str())?);
    }
    Ok(wishes)
}

fn check_slug_of(_: &str, slug: &str) -> Result<String, ManifestError> {
    check_slug(slug).map(|()| slug.to_owned())
}

fn checked(
    check: impl Fn(&str, &str) -> Result<(), ManifestError>,
) -> impl Fn(&str, &str) -> Result<String, ManifestError> {
    move |field, text| check(field, text).map(|()| text.to_owned())
}

/// A string, or an array of strings.
pub(super) fn strings(
    field: &str,
    item: &Item,
    check: impl Fn(&str, &str) -> Result<String, ManifestError>,
) -> Result<Vec<String>, ManifestError> {
    let wrong =
        || ManifestError::WrongType { field: field.into(), expected: "a string or an array of strings" };
    if let Some(one) = item.as_str() {
        return Ok(vec![check(field, one)?]);
    }
    let array = item.as_array().ok_or_else(wrong)?;
    if array.len() > MAX_ENTRIES {
        return Err(ManifestError::bad(field, &array.len().to_string(), "entries are too many"));
    }
    array.iter().map(|value| check(field, value.as_str().ok_or_else(wrong)?)).collect()
}

/// An array of names that are on, or a table of names with `true`, `false`, `"on"` or `"off"`.
pub(super) fn switches(field: &str, item: &Item) -> Result<BTreeMap<String, bool>, ManifestError> {
    let wrong = || ManifestError::WrongType {
        field: field.into(),
        expected: "an array of names, or a table of names that are true or false",
    };
    if item.is_array() {
        return Ok(strings(field, item, checked(check_option))?
            .into_iter()
            .map(|name| (name, true))
            .collect());
    }
    let table: &dyn TableLike = item.as_table_like().ok_or_else(wrong)?;
    let mut switches = BTreeMap::new();
    for (name, value) in table.iter().take(MAX_ENTRIES) {
        check_option(field, name)?;
        let on = match (value.as_bool(), value.as_str()) {
            (Some(on), _) => on,
            (_, Some("on")) => true,
            (_, Some("off")) => false,
            _ => return Err(wrong()),
        };
        switches.insert(name.to_owned(), on);
    }
    Ok(switches)
}

pub(super) fn environment(field: &str, item: &Item) -> Result<BTreeMap<String, String>, ManifestError> {
    let wrong = || ManifestError::WrongType { field: field.into(), expected: "a table of strings" };
    let table: &dyn TableLike = item.as_table_like().ok_or_else(wrong)?;
    let mut environment = BTreeMap::new();
    for (name, value) in table.iter().take(MAX_ENTRIES) {
        check_variable(field, name)?;
        let value = value.as_str().ok_or_else(wrong)?;
        check_value(field, value)?;
        environment.insert(name.to_owned(), value.to_owned());
    }
    Ok(environment)
}
