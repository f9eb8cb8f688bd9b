//! From the text of a `weir.toml` to a [`Recipe`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml_edit::{Document, Value};
use weir_model::manifest::{Fields, Requirement, Source};
use weir_model::{Digest, KindName, Manifest, ManifestError, Scope, Sha256, nearest};

use super::{BuildLimits, Recipe, RecipeError, Settings, SourceSpec, System, check, limits};
use crate::Variant;

const RECIPE: &[&str] = &[
    "source",
    "patches",
    "system",
    "script",
    "targets",
    "defines",
    "environment",
    "variants",
    "release",
    "debug",
    "system-libraries",
    "tools",
    "timeout",
    "memory",
    "disk",
    "processes",
];
const SOURCE: &[&str] = &["url", "mirrors", "sha256", "git", "tag", "submodules", "path", "subfolder"];
const SETTINGS: &[&str] = &["defines", "environment"];

impl Recipe {
    /// Reads a recipe from the text of a `weir.toml`.
    ///
    /// `file` is where the text is, for messages; `folder` is what its paths are relative to. No file is read.
    /// Dependencies of scope `dev` are left out: a recipe has no use for them.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, with its place and, where a word was mistyped, the nearest known one.
    pub fn parse(text: &str, file: &Path, folder: &Path) -> Result<Self, RecipeError> {
        read(text, file, folder).map_err(|error| RecipeError {
            file: file.to_owned(),
            text: text.to_owned(),
            error: Box::new(error),
        })
    }
}

fn read(text: &str, file: &Path, folder: &Path) -> Result<Recipe, ManifestError> {
    let manifest = Manifest::parse(text)?;
    // Read again for the places of what is in `[recipe]`, which the manifest does not keep.
    let document = Document::parse(text).expect("what reads as a manifest is TOML");
    let root = Fields::new(text, document.as_table(), "the manifest");
    let recipe = root.table("recipe")?.ok_or_else(|| {
        root.error("package", "there is no table `[recipe]`")
            .help(Some("`[recipe]` says from which `source` and by which `system` it is built".into()))
    })?;
    recipe.only(RECIPE)?;

    let package = &manifest.package;
    let name = package.name.clone().ok_or_else(|| root.error("package", "a recipe needs a `name`"))?;
    let version =
        package.version.clone().ok_or_else(|| root.error("package", "a recipe needs a `version`"))?;
    refuse_what_a_recipe_cannot_have(&manifest, &root)?;

    let system = system(&recipe)?;
    let (source, subfolder) = source(&recipe)?;
    let variants = variants(&recipe)?;
    let Settings { defines, environment } = settings(&recipe, &system)?;
    Ok(Recipe {
        dependencies: dependencies(&manifest, &root)?,
        name,
        version,
        license: package.license.clone(),
        description: package.description.clone(),
        folder: folder.to_owned(),
        file: file.to_owned(),
        source,
        subfolder,
        patches: checked_list(&recipe, "patches", check::inside)?,
        of_variant: settings_of_variants(&recipe, &system, &variants)?,
        system,
        defines,
        environment,
        variants,
        system_libraries: sorted_list(&recipe, "system-libraries", check::system_library)?,
        tools: sorted_list(&recipe, "tools", check::tool)?,
        limits: limits(&recipe)?,
    })
}

fn refuse_what_a_recipe_cannot_have(manifest: &Manifest, root: &Fields<'_>) -> Result<(), ManifestError> {
    if manifest.package.kind != KindName::Native {
        let message =
            format!("a recipe builds packages of the kind `native`, not `{}`", manifest.package.kind);
        return Err(root
            .error("package", message)
            .help(Some("write `kind = \"native\"` in `[package]`".into())));
    }
    if !manifest.package.platform.is_any() {
        return Err(root.error("package", "a recipe names no `platform`: it is that of the build root"));
    }
    if !manifest.references.is_empty() {
        let help = "what it is built from is the `source` of `[recipe]`";
        return Err(root.error("references", "a recipe has no `[references]`").help(Some(help.into())));
    }
    if !manifest.bin.is_empty() {
        let help = "what its build installs in `bin/` are its commands";
        return Err(root.error("bin", "a recipe has no `[bin]`").help(Some(help.into())));
    }
    Ok(())
}

fn dependencies(manifest: &Manifest, root: &Fields<'_>) -> Result<Vec<Requirement>, ManifestError> {
    let needed = manifest.dependencies.iter().filter(|needed| needed.scope != Scope::Dev);
    let checked = needed.map(|needed| {
        let table = if needed.scope == Scope::Build { "build-dependencies" } else { "dependencies" };
        let fields = root.table(table)?.expect("a requirement was read from its table");
        let wrong = |what: String| Err(fields.error(needed.name.as_str(), what));
        let name = &needed.name;
        if manifest.package.name.as_ref() == Some(name) {
            return wrong(format!("`{name}` needs itself"));
        }
        if needed.source != Source::Registry || needed.registry.is_some() {
            return wrong(format!(
                "`{name}` must come from the repository that the recipe is built for: give a range only"
            ));
        }
        if needed.fluid {
            return wrong(format!(
                "`{name}` cannot be fluid: what is built is bound to what it was built against"
            ));
        }
        Ok(needed.clone())
    });
    checked.collect()
}

fn system(recipe: &Fields<'_>) -> Result<System, ManifestError> {
    let Some(name) = recipe.string("system")? else {
        let help = format!("one of: {}", System::NAMES.join(", "));
        return Err(recipe.error("system", "`[recipe]` needs a `system` that builds it").help(Some(help)));
    };
    let script = recipe.string("script")?;
    let targets = checked_list(recipe, "targets", check::target)?;
    if script.is_some() && name != "script" {
        return Err(recipe.error("script", format!("a `script` needs `system = \"script\"`, not `{name}`")));
    }
    if !targets.is_empty() && name != "make" {
        return Err(recipe.error("targets", format!("`targets` need `system = \"make\"`, not `{name}`")));
    }
    match (name.as_str(), script) {
        ("cmake", _) => Ok(System::Cmake),
        ("meson", _) => Ok(System::Meson),
        ("autotools", _) => Ok(System::Autotools),
        ("make", _) => Ok(System::Make { targets }),
        ("script", Some(file)) => {
            check::inside(&file).map_err(|reason| recipe.error("script", reason))?;
            Ok(System::Script { file })
        }
        ("script", None) => {
            Err(recipe.error("system", "`system = \"script\"` needs a `script`, a file beside the recipe"))
        }
        _ => {
            let help = match nearest(&name, System::NAMES) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("one of: {}", System::NAMES.join(", ")),
            };
            let message = format!("`{}` is not a build system", name.escape_debug());
            Err(recipe.error("system", message).help(Some(help)))
        }
    }
}

fn source(recipe: &Fields<'_>) -> Result<(SourceSpec, Option<String>), ManifestError> {
    const FORMS: &str =
        "`{ url = \"…\", sha256 = \"…\" }`, `{ git = \"…\", tag = \"…\" }` or `{ path = \"…\" }`";
    let Some(fields) = recipe.table_titled("source", "`source`")? else {
        let error = recipe.error("source", "`[recipe]` needs a `source`");
        return Err(error.help(Some(format!("one of {FORMS}"))));
    };
    fields.only(SOURCE)?;
    let subfolder = checked(&fields, "subfolder", check::inside)?;
    let url = checked(&fields, "url", check::archive_address)?;
    let mut mirrors = checked_list(&fields, "mirrors", check::archive_address)?;
    let sha256 = sha256(&fields)?;
    let git = checked(&fields, "git", check::git_address)?;
    let tag = checked(&fields, "tag", check::tag)?;
    let submodules = fields.flag("submodules")?;
    let path = checked(&fields, "path", check::source_path)?;
    if submodules && git.is_none() {
        let message = "`submodules` are those of a `git` repository";
        return Err(fields.error("submodules", message));
    }
    let is_archive = url.is_some() || !mirrors.is_empty();
    let source = match (is_archive, sha256, git, tag, path) {
        (true, Some(sha256), None, None, None) => {
            mirrors.splice(0..0, url);
            SourceSpec::Archive { mirrors, sha256 }
        }
        (true, None, None, None, None) => {
            let key = if url.is_some() { "url" } else { "mirrors" };
            let message = "an archive needs a `sha256`, so that its bytes can be checked";
            return Err(fields.error(key, message).help(Some("`sha256sum FILE` prints it".into())));
        }
        (false, None, Some(url), Some(tag), None) => SourceSpec::Git { url, tag, submodules },
        (false, None, Some(_), None, None) => {
            return Err(fields.error("git", "a `git` repository needs a `tag`"));
        }
        (false, None, None, None, Some(path)) => SourceSpec::Path(path),
        (false, None, None, None, None) => {
            return Err(recipe
                .error("source", "`source` names nothing")
                .help(Some(format!("one of {FORMS}"))));
        }
        _ => {
            return Err(recipe
                .error("source", "`source` says more than one thing")
                .help(Some(format!("exactly one of {FORMS}"))));
        }
    };
    Ok((source, subfolder))
}

/// With its prefix, or as `sha256sum` prints it.
fn sha256(fields: &Fields<'_>) -> Result<Option<Sha256>, ManifestError> {
    let Some(text) = fields.string("sha256")? else { return Ok(None) };
    let read = if text.starts_with("sha256:") { text.parse() } else { Digest::from_hex(&text) };
    read.map(Some).map_err(|error| fields.error("sha256", error.to_string()))
}

fn variants(recipe: &Fields<'_>) -> Result<Vec<Variant>, ManifestError> {
    let names = recipe.strings("variants")?;
    if names.is_empty() && recipe.iter().all(|(key, _)| key != "variants") {
        return Ok(Variant::ALL.to_vec());
    }
    let mut variants = BTreeSet::new();
    for name in &names {
        let variant: Variant = name.parse().map_err(|error| {
            let near = nearest(name, Variant::ALL.map(Variant::as_str));
            recipe
                .error("variants", format!("{error}"))
                .help(near.map(|nearest| format!("did you mean `{nearest}`?")))
        })?;
        if !variants.insert(variant) {
            return Err(recipe.error("variants", format!("`{variant}` is named twice")));
        }
    }
    if variants.is_empty() {
        return Err(recipe.error("variants", "`variants` must name at least one: `release`, `debug`"));
    }
    Ok(variants.into_iter().collect())
}

fn settings_of_variants(
    recipe: &Fields<'_>,
    system: &System,
    variants: &[Variant],
) -> Result<BTreeMap<Variant, Settings>, ManifestError> {
    let mut of_variant = BTreeMap::new();
    for variant in Variant::ALL {
        let Some(fields) = recipe.table_titled(variant.as_str(), format!("`[recipe.{variant}]`"))? else {
            continue;
        };
        fields.only(SETTINGS)?;
        if !variants.contains(&variant) {
            let message = format!("`[recipe.{variant}]` is for a variant that `variants` leaves out");
            return Err(recipe.error(variant.as_str(), message));
        }
        let settings = settings(&fields, system)?;
        if !settings.is_empty() {
            of_variant.insert(variant, settings);
        }
    }
    Ok(of_variant)
}

fn settings(fields: &Fields<'_>, system: &System) -> Result<Settings, ManifestError> {
    Ok(Settings { defines: defines(fields, system)?, environment: environment(fields)? })
}

fn defines(parent: &Fields<'_>, system: &System) -> Result<BTreeMap<String, String>, ManifestError> {
    let Some(fields) = parent.table_titled("defines", "`defines`")? else { return Ok(BTreeMap::new()) };
    bounded(parent, "defines", fields.iter().count())?;
    let entries = fields.iter().map(|(name, item)| {
        check::define(system, name).map_err(|reason| bad_name(&fields, "a setting", name, reason))?;
        let value = match item.as_value() {
            Some(Value::String(text)) => text.value().clone(),
            Some(Value::Integer(number)) => number.value().to_string(),
            Some(Value::Boolean(value)) => system.boolean(*value.value()).to_owned(),
            _ => return Err(fields.wrong_type(name, "a string, a whole number, `true` or `false`")),
        };
        check::value(&value).map_err(|reason| fields.error(name, format!("`{name}`: {reason}")))?;
        Ok((name.to_owned(), value))
    });
    entries.collect()
}

fn environment(parent: &Fields<'_>) -> Result<BTreeMap<String, String>, ManifestError> {
    let Some(fields) = parent.table_titled("environment", "`environment`")? else {
        return Ok(BTreeMap::new());
    };
    bounded(parent, "environment", fields.iter().count())?;
    let entries = fields.iter().map(|(name, item)| {
        check::variable(name).map_err(|reason| bad_name(&fields, "a variable", name, reason))?;
        let Some(value) = item.as_str() else { return Err(fields.wrong_type(name, "a string")) };
        check::value(value).map_err(|reason| fields.error(name, format!("`{name}`: {reason}")))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    entries.collect()
}

fn bad_name(fields: &Fields<'_>, what: &str, name: &str, reason: String) -> ManifestError {
    let shown: String = name.chars().take(80).collect();
    let message = format!("`{}` cannot be the name of {what} of a recipe", shown.escape_debug());
    fields.error(name, message).help(Some(reason))
}

fn sorted_list(recipe: &Fields<'_>, key: &str, check: Check) -> Result<Vec<String>, ManifestError> {
    let names = checked_list(recipe, key, check)?;
    let mut sorted = BTreeSet::new();
    for name in names {
        if let Some(twice) = sorted.replace(name) {
            return Err(recipe.error(key, format!("`{twice}` is named twice")));
        }
    }
    Ok(sorted.into_iter().collect())
}

fn limits(recipe: &Fields<'_>) -> Result<BuildLimits, ManifestError> {
    let mut asked = BuildLimits::default();
    let wrong = |key: &'static str| move |reason: String| recipe.error(key, format!("`{key}`: {reason}"));
    if let Some(text) = recipe.string("timeout")? {
        asked.time = limits::time(&text).map_err(wrong("timeout"))?;
    }
    if let Some(text) = recipe.string("memory")? {
        asked.memory = limits::bytes(&text).map_err(wrong("memory"))?;
    }
    if let Some(text) = recipe.string("disk")? {
        asked.disk = limits::bytes(&text).map_err(wrong("disk"))?;
    }
    if let Some(count) = recipe.number("processes")? {
        asked.processes = limits::processes(count).map_err(wrong("processes"))?;
    }
    Ok(asked)
}

type Check = fn(&str) -> Result<(), String>;

fn checked(fields: &Fields<'_>, key: &str, check: Check) -> Result<Option<String>, ManifestError> {
    let text = fields.string(key)?;
    if let Some(text) = &text {
        check(text).map_err(|reason| fields.error(key, format!("`{key}`: {reason}")))?;
    }
    Ok(text)
}

fn checked_list(fields: &Fields<'_>, key: &str, check: Check) -> Result<Vec<String>, ManifestError> {
    let list = fields.strings(key)?;
    bounded(fields, key, list.len())?;
    for text in &list {
        check(text).map_err(|reason| {
            let shown: String = text.chars().take(80).collect();
            fields.error(key, format!("`{}` in `{key}`: {reason}", shown.escape_debug()))
        })?;
    }
    Ok(list)
}

fn bounded(fields: &Fields<'_>, key: &str, count: usize) -> Result<(), ManifestError> {
    if count > check::MAX_ENTRIES {
        let message = format!("`{key}` has {count} entries: at most {} are allowed", check::MAX_ENTRIES);
        return Err(fields.error(key, message));
    }
    Ok(())
}
