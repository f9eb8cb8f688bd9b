//! bpkg's `bpkg.json`, and the `package.json` that it also reads.
//!
//! A `package.json` may as well be npm's, which carries real Bash projects too: there `scripts`
//! is an object, and commands are in `bin` or in the folder that `directories.bin` names. Its `files` are what is
//! packed, installers among them: of those only what a library is loaded by is sourced. So it is where a package
//! has commands and several files: they are parts of a program.

use serde_json::{Map, Value};

use super::{ForeignManifest, GitRequirement, MAX_ENTRIES, ManifestError, check_path};

/// Reads a `bpkg.json` or a `package.json`.
///
/// # Errors
///
/// If it is not a JSON object. Anything else that is wrong with it is a warning, and left out.
pub fn read_bpkg(text: &str) -> Result<ForeignManifest, ManifestError> {
    let syntax = |reason: String| ManifestError::Syntax { file: "bpkg.json", reason };
    let value: Value = serde_json::from_str(text).map_err(|error| syntax(error.to_string()))?;
    let Value::Object(fields) = value else { return Err(syntax("it is not an object".into())) };
    let mut manifest = ForeignManifest::default();
    let string = |name: &str| {
        fields
            .get(name)
            .and_then(Value::as_str)
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    manifest.name = string("name");
    manifest.version = string("version").map(|version| version.trim_start_matches('v').to_owned());
    manifest.description = string("description");
    manifest.license = string("license");
    manifest.authors.extend(string("author"));
    match fields.get("scripts") {
        Some(Value::Array(scripts)) => manifest.bash.bin = paths("scripts", scripts, &mut manifest.warnings),
        Some(Value::String(script)) => {
            manifest.bash.bin = paths("scripts", &[Value::String(script.clone())], &mut manifest.warnings);
        }
        _ => {}
    }
    read_bin(&fields, &mut manifest);
    if let Some(Value::Array(files)) = fields.get("files") {
        let shell = |value: &&Value| {
            value.as_str().is_some_and(|path| path.ends_with(".sh") || path.ends_with(".bash"))
        };
        let is_npm = matches!(fields.get("scripts"), Some(Value::Object(_)));
        let has_commands = !manifest.bash.bin.is_empty();
        let files: Vec<Value> = files.iter().filter(shell).cloned().collect();
        // The files of a library are the library; those of a program are its parts, which it loads itself.
        let are_parts = is_npm || (has_commands && files.len() > 1);
        let (files, others): (Vec<Value>, Vec<Value>) = files.into_iter().partition(|value| {
            !are_parts || value.as_str().is_some_and(|path| is_entry(path, manifest.name.as_deref()))
        });
        let others: Vec<&str> = others.iter().filter_map(Value::as_str).collect();
        manifest.warnings.extend(not_sourced(&others));
        manifest.bash.source = paths("files", &files, &mut manifest.warnings);
    }
    read_dependencies(&fields, &mut manifest);
    if fields.contains_key("install") {
        manifest
            .warnings
            .push("`install`: nothing of a package is run when it is installed: it is ignored".into());
    }
    Ok(manifest)
}

/// The most files that are told one by one.
const MOST_TOLD: usize = 3;

/// Tells of files that are packed, and not sourced.
fn not_sourced(files: &[&str]) -> Option<String> {
    let name = |file: &&str| -> String {
        format!("`{}`", file.chars().filter(|c| !c.is_control()).take(160).collect::<String>())
    };
    let named: Vec<String> = files.iter().take(MOST_TOLD).map(name).collect();
    match files.len() {
        0 => None,
        1 => Some(format!("`files`: {} is packed, and not sourced", named[0])),
        count if count <= MOST_TOLD => {
            Some(format!("`files`: {} are packed, and not sourced", named.join(", ")))
        }
        count => {
            Some(format!("`files`: {count} shell files are packed, and not sourced: {}, …", named.join(", ")))
        }
    }
}

/// Whether a file is what a library is loaded by: `load`, `index`, or named as the package is.
fn is_entry(path: &str, package: Option<&str>) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let package = package.map(|package| package.rsplit('/').next().unwrap_or_default());
    matches!(stem, "load" | "index") || package == Some(stem)
}

fn read_bin(fields: &Map<String, Value>, manifest: &mut ForeignManifest) {
    let found: Vec<Value> = match fields.get("bin") {
        Some(Value::String(path)) => vec![Value::String(path.clone())],
        Some(Value::Object(commands)) => commands.values().cloned().collect(),
        _ => folder(fields, "bin"),
    };
    manifest.bash.bin.extend(paths("bin", &found, &mut manifest.warnings));
    let man: Vec<Value> = match fields.get("man") {
        Some(Value::String(path)) => vec![Value::String(path.clone())],
        Some(Value::Array(pages)) => pages.clone(),
        _ => folder(fields, "man"),
    };
    manifest.bash.man = paths("man", &man, &mut manifest.warnings);
}

/// What `directories` says of a sort of file.
fn folder(fields: &Map<String, Value>, sort: &str) -> Vec<Value> {
    let named = fields.get("directories").and_then(|folders| folders.get(sort));
    named.filter(|folder| folder.is_string()).cloned().into_iter().collect()
}

fn read_dependencies(fields: &Map<String, Value>, manifest: &mut ForeignManifest) {
    // In npm's files the scripts are an object, and dependencies are names of npm's registry.
    let Some(Value::Object(dependencies)) = fields.get("dependencies") else { return };
    if matches!(fields.get("scripts"), Some(Value::Object(_))) {
        if !dependencies.is_empty() {
            manifest.warnings.push("`dependencies` are packages of npm: they are left out".into());
        }
        return;
    }
    for (name, reference) in dependencies.iter().take(MAX_ENTRIES) {
        let reference = reference.as_str().unwrap_or_default().trim();
        let text = match reference {
            "" | "*" | "latest" | "master" | "main" => name.clone(),
            reference => format!("{name}@{reference}"),
        };
        match text.parse::<GitRequirement>() {
            Ok(requirement) => manifest.dependencies.push(requirement),
            Err(error) => manifest.warnings.push(format!("`dependencies`: {error}: it is left out")),
        }
    }
}

fn paths(field: &str, values: &[Value], warnings: &mut Vec<String>) -> Vec<String> {
    let mut paths = Vec::new();
    for value in values.iter().take(MAX_ENTRIES) {
        match value.as_str().map(|path| check_path(field, path.trim())) {
            Some(Ok(path)) => paths.push(path),
            Some(Err(error)) => warnings.push(format!("{error}: it is left out")),
            None => warnings.push(format!("`{field}` holds something that is not a string: it is left out")),
        }
    }
    paths
}
