//! From the text of an `elm.json` to what it says.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::{Map, Value};
use weir_model::{PackageName, Range, Version};

use super::exposed::Exposed;
use super::twice::Once;
use super::{Application, ElmJson, ElmJsonError, MAX_BYTES, Package};
use crate::module::is_module_name;
use crate::name::{refused_name, refused_version};

/// The longest `summary`, in bytes, as Elm has it.
const MAX_SUMMARY: usize = 80;

/// The most modules that a package exposes, and the most folders that an application has.
const MOST: usize = 10_000;

type Found<T> = Result<T, ElmJsonError>;

pub(super) fn elm_json(text: &str) -> Found<ElmJson> {
    if text.len() > MAX_BYTES {
        return Err(error(format!("it is longer than {MAX_BYTES} bytes")));
    }
    let Once(value) = serde_json::from_str(text).map_err(|broken| unreadable(text, &broken))?;
    let Value::Object(mut fields) = value else {
        return Err(error("it must be a JSON object, `{ \"type\": … }`"));
    };
    match take::<String>(&mut fields, "type")?.as_str() {
        "package" => package(text, fields).map(ElmJson::Package),
        "application" => application(fields).map(ElmJson::Application),
        other => Err(error(format!(
            "its `type` is `{}`, and there are two of them: `application`, for a program, and `package`, for what others use",
            shown(other)
        ))),
    }
}

fn package(text: &str, mut fields: Map<String, Value>) -> Found<Package> {
    let name: PackageName = parsed(&mut fields, "name", "a name is `author/project`")?;
    check_name(&name)?;
    let version = version("version", &take::<String>(&mut fields, "version")?)?;
    let summary: String = take(&mut fields, "summary")?;
    if summary.len() > MAX_SUMMARY || summary.chars().any(char::is_control) {
        return Err(error(format!("its `summary` must be one line of at most {MAX_SUMMARY} bytes")));
    }
    fields.remove("exposed-modules").ok_or_else(|| lacks("exposed-modules"))?;
    let exposed_as_written = exposed(text)?;
    Ok(Package {
        name,
        summary,
        license: take(&mut fields, "license")?,
        version,
        exposed_modules: exposed_as_written.modules(),
        elm_version: compilers(&take::<String>(&mut fields, "elm-version")?)?,
        dependencies: ranges(&mut fields, "dependencies")?,
        test_dependencies: ranges(&mut fields, "test-dependencies")?,
        exposed_as_written,
        others: fields,
    })
}

fn application(mut fields: Map<String, Value>) -> Found<Application> {
    let source_directories: Vec<String> = take(&mut fields, "source-directories")?;
    if source_directories.is_empty() || source_directories.len() > MOST {
        return Err(error("its `source-directories` must name a folder, such as `src`"));
    }
    if let Some(bad) = source_directories.iter().find(|folder| folder.chars().any(char::is_control)) {
        return Err(error(format!("its `source-directories` name `{}`, which is no folder", shown(bad))));
    }
    let elm_version = version("elm-version", &take::<String>(&mut fields, "elm-version")?)?;
    let (direct, indirect) = pins(&mut fields, "dependencies")?;
    let (test_direct, test_indirect) = pins(&mut fields, "test-dependencies")?;
    let application = Application {
        source_directories,
        elm_version,
        direct,
        indirect,
        test_direct,
        test_indirect,
        others: fields,
    };
    refuse_twice(&application)?;
    Ok(application)
}

/// In an application a package stands in one place.
fn refuse_twice(application: &Application) -> Found<()> {
    let Application { direct, indirect, test_direct, test_indirect, .. } = application;
    let mut seen = BTreeMap::new();
    for (place, pins) in [
        ("dependencies.direct", direct),
        ("dependencies.indirect", indirect),
        ("test-dependencies.direct", test_direct),
        ("test-dependencies.indirect", test_indirect),
    ] {
        for name in pins.keys() {
            if let Some(first) = seen.insert(name, place) {
                return Err(error(format!(
                    "`{name}` stands in `{first}` and in `{place}`: an application has one version of a package, in one place"
                )));
            }
        }
    }
    Ok(())
}

/// Only the exposed modules, whose order a JSON object in memory may not keep.
#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
struct OnlyExposed {
    exposed_modules: Exposed,
}

fn exposed(text: &str) -> Found<Exposed> {
    let only: OnlyExposed = serde_json::from_str(text)
        .map_err(|reason| error(format!("its `exposed-modules` are not as they should be: {reason}")))?;
    let modules = only.exposed_modules.modules();
    if modules.len() > MOST {
        return Err(error(format!("it exposes more than {MOST} modules")));
    }
    match modules.iter().find(|module| !is_module_name(module)) {
        None => Ok(only.exposed_modules),
        Some(module) => Err(error(format!(
            "`{}` among its `exposed-modules` is no name of a module, such as `Json.Decode`",
            shown(module)
        ))),
    }
}

fn ranges(fields: &mut Map<String, Value>, field: &str) -> Found<BTreeMap<PackageName, Range>> {
    let packages = fields.remove(field).ok_or_else(|| lacks(field))?;
    each(packages, field)?
        .map(|entry| {
            let (name, text) = entry?;
            let range = between(&text).ok_or_else(|| {
                error(format!(
                    "`{name}` in its `{field}` is `{}`, and should be like `1.0.0 <= v < 2.0.0`",
                    shown(&text)
                ))
            })?;
            Ok((name, range))
        })
        .collect()
}

fn compilers(text: &str) -> Found<Range> {
    between(text).ok_or_else(|| {
        error(format!("its `elm-version` is `{}`: for example `0.19.0 <= v < 0.20.0`", shown(text)))
    })
}

/// A range in the only form that the compiler reads, `1.0.0 <= v < 2.0.0`, with versions in it.
fn between(text: &str) -> Option<Range> {
    // With one blank between the words, and no other anywhere.
    let words: Vec<&str> = text.split(' ').collect();
    let [low, above, "v", below, high] = *words.as_slice() else { return None };
    let is_sign = |word: &str| matches!(word, "<" | "<=");
    let plain = |text: &str| text.parse().ok().filter(|version| refused_version(version).is_none());
    let (low, high): (Version, Version) = (plain(low)?, plain(high)?);
    let is_some = low < high || (low == high && above == "<=" && below == "<=");
    if is_sign(above) && is_sign(below) && is_some { text.parse().ok() } else { None }
}

type Pins = BTreeMap<PackageName, Version>;

fn pins(fields: &mut Map<String, Value>, field: &str) -> Found<(Pins, Pins)> {
    let mut inner = match fields.remove(field) {
        None => Map::new(),
        Some(Value::Object(inner)) => inner,
        Some(_) => return Err(error(format!("its `{field}` must have `direct` and `indirect` packages"))),
    };
    let pins = |inner: &mut Map<String, Value>, which: &str| {
        let Some(packages) = inner.remove(which) else { return Ok(Pins::new()) };
        let pin = |entry: Found<(PackageName, String)>| {
            let (name, text) = entry?;
            let version = version(&format!("{field}.{which}.{name}"), &text)?;
            Ok((name, version))
        };
        each(packages, &format!("{field}.{which}"))?.map(pin).collect::<Found<Pins>>()
    };
    let both = (pins(&mut inner, "direct")?, pins(&mut inner, "indirect")?);
    match inner.keys().next() {
        None => Ok(both),
        Some(other) => Err(error(format!(
            "its `{field}` have `{}`, where an application has `direct` and `indirect` ones",
            shown(other)
        ))),
    }
}

/// The packages of a field, each with the text behind it.
fn each(packages: Value, field: &str) -> Found<impl Iterator<Item = Found<(PackageName, String)>>> {
    let Value::Object(packages) = packages else {
        return Err(error(format!("its `{field}` must be an object, `{{ \"elm/core\": … }}`")));
    };
    let field = field.to_owned();
    Ok(packages.into_iter().map(move |(name, value)| {
        let name =
            PackageName::from_str(&name).map_err(|reason| error(format!("in its `{field}`, {reason}")))?;
        check_name(&name)?;
        match value {
            Value::String(text) => Ok((name, text)),
            _ => Err(error(format!("`{name}` in its `{field}` must be a text in quotes"))),
        }
    }))
}

fn check_name(name: &PackageName) -> Found<()> {
    match refused_name(name) {
        None => Ok(()),
        Some(reason) => Err(error(format!("`{name}` is a name that Elm cannot read: {reason}"))),
    }
}

fn version(field: &str, text: &str) -> Found<Version> {
    let version = Version::from_str(text).map_err(|_| {
        error(format!("its `{field}` is `{}`, and should be a version such as `1.0.0`", shown(text)))
    })?;
    match refused_version(&version) {
        None => Ok(version),
        Some(reason) => Err(error(format!("its `{field}` is `{version}`: {reason}"))),
    }
}

fn parsed<T: FromStr>(fields: &mut Map<String, Value>, field: &str, like: &str) -> Found<T> {
    let text: String = take(fields, field)?;
    text.parse().map_err(|_| error(format!("its `{field}` is `{}`: {like}", shown(&text))))
}

/// Takes a field out, so that what remains is what nobody knows.
fn take<T: serde::de::DeserializeOwned>(fields: &mut Map<String, Value>, field: &str) -> Found<T> {
    let value = fields.remove(field).ok_or_else(|| lacks(field))?;
    serde_json::from_value(value)
        .map_err(|reason| error(format!("its `{field}` is not as it should be: {reason}")))
}

fn lacks(field: &str) -> ElmJsonError {
    error(format!("it has no `{field}`"))
}

fn unreadable(text: &str, broken: &serde_json::Error) -> ElmJsonError {
    let mark = text
        .lines()
        .position(|line| ["<<<<<<<", ">>>>>>>", "======="].iter().any(|mark| line.starts_with(mark)));
    match mark {
        Some(line) => error(format!(
            "line {} has a mark of a merge that is not finished. Choose one side, remove the marks, and run this again",
            line + 1
        )),
        None if text.trim().is_empty() => {
            error("it is empty. `weir init --kind elm` and `elm init` each write a first one")
        }
        None if broken.is_data() => error(format!("{broken}. Keep the one that you mean")),
        None => error(format!(
            "it is not the JSON that I expected: {broken}. Is there a comma or a quote too many or too few?"
        )),
    }
}

/// As the compiler tells its users.
fn error(message: impl std::fmt::Display) -> ElmJsonError {
    ElmJsonError { message: format!("I ran into a problem with this file: {message}") }
}

/// Text of a stranger's, short and harmless.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}
