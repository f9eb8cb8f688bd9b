//! `basalt.toml`, as the packages of `bash-bastion` have it.

use toml_edit::{DocumentMut, Item, Table};

use super::table::{environment, strings, switches};
use super::{ForeignManifest, GitRequirement, ManifestError, check_path, check_slug};

/// Reads a `basalt.toml`.
///
/// # Errors
///
/// If it is not TOML. Anything else that is wrong with it is a warning, and left out.
pub fn read_basalt(text: &str) -> Result<ForeignManifest, ManifestError> {
    let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
        ManifestError::Syntax { file: "basalt.toml", reason: error.to_string() }
    })?;
    let mut manifest = ForeignManifest::default();
    if let Some(package) = document.get("package").and_then(Item::as_table) {
        read_package(package, &mut manifest);
    } else {
        manifest.warnings.push("there is no table `package`".into());
    }
    if let Some(run) = document.get("run").and_then(Item::as_table) {
        read_run(run, &mut manifest);
    }
    for (field, _) in document.iter().filter(|(field, _)| !matches!(*field, "package" | "run")) {
        manifest.warnings.push(format!("the table `{field}` is not known: it is ignored"));
    }
    Ok(manifest)
}

fn read_package(package: &Table, manifest: &mut ForeignManifest) {
    for (field, item) in package {
        let text = item.as_str().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        match field {
            "name" => manifest.name = text,
            "version" => manifest.version = text.map(|text| text.trim_start_matches('v').to_owned()),
            "description" => manifest.description = text,
            "license" | "licence" => manifest.license = text,
            "authors" => manifest.authors = lenient(field, item, manifest, |_, text| Ok(text.to_owned())),
            "slug" => {
                if item.is_array() {
                    manifest.warnings.push(
                        "`package.slug` is an array: its entries are all taken, the first as the main one"
                            .into(),
                    );
                }
                manifest.bash.slugs = lenient("package.slug", item, manifest, |_, slug| {
                    check_slug(slug).map(|()| slug.to_owned())
                });
            }
            "lang" | "type" => {}
            _ => manifest.warnings.push(format!("`package.{field}` is not known: it is ignored")),
        }
    }
}

fn read_run(run: &Table, manifest: &mut ForeignManifest) {
    for (field, item) in run {
        match field {
            "dependencies" => {
                let found = lenient("run.dependencies", item, manifest, |_, text| Ok(text.to_owned()));
                for text in found {
                    match text.parse::<GitRequirement>() {
                        Ok(requirement) => manifest.dependencies.push(requirement),
                        Err(error) => {
                            manifest.warnings.push(format!("`run.dependencies`: {error}: it is left out"));
                        }
                    }
                }
            }
            "sourceDirs" => manifest.bash.source = lenient("run.sourceDirs", item, manifest, check_path),
            "binDirs" => manifest.bash.bin = lenient("run.binDirs", item, manifest, check_path),
            "completionDirs" => {
                manifest.bash.completion = lenient("run.completionDirs", item, manifest, check_path);
            }
            "manDirs" => manifest.bash.man = lenient("run.manDirs", item, manifest, check_path),
            "builtinDirs" => {
                if !lenient("run.builtinDirs", item, manifest, check_path).is_empty() {
                    manifest.warnings.push(
                        "`run.builtinDirs`: loadable builtins are compiled code: they are not loaded".into(),
                    );
                }
            }
            "shellEnvironment" => {
                let read = environment("run.shellEnvironment", item);
                manifest.bash.environment = warned(read, manifest);
            }
            "setOptions" => {
                let read = switches("run.setOptions", item);
                manifest.bash.options = warned(read, manifest);
            }
            "shoptOptions" => {
                let read = switches("run.shoptOptions", item);
                manifest.bash.shopt = warned(read, manifest);
            }
            _ => manifest.warnings.push(format!("`run.{field}` is not known: it is ignored")),
        }
    }
}

fn warned<T: Default>(read: Result<T, ManifestError>, manifest: &mut ForeignManifest) -> T {
    read.unwrap_or_else(|error| {
        manifest.warnings.push(format!("{error}: it is ignored"));
        T::default()
    })
}

/// The entries of a list that are as they should be; a warning for each that is not.
fn lenient(
    field: &str,
    item: &Item,
    manifest: &mut ForeignManifest,
    check: impl Fn(&str, &str) -> Result<String, ManifestError>,
) -> Vec<String> {
    let all = warned(strings(field, item, |_, text| Ok(text.to_owned())), manifest);
    let mut good = Vec::new();
    for text in all {
        match check(field, text.trim()) {
            Ok(text) => good.push(text),
            Err(error) => manifest.warnings.push(format!("{error}: it is left out")),
        }
    }
    good
}
