//! From the text of a manifest to a [`Manifest`].

use std::collections::BTreeMap;
use std::str::FromStr as _;

use toml_edit::{Document, DocumentMut, Item, TableLike, Value};

use super::error::ManifestError;
use super::fields::Fields;
use super::{
    GitTag, MAX_BYTES, Manifest, Package, Prefer, Reference, RegistryAddress, Requirement, Source, is_web,
};
use crate::address::holds_secret;
use crate::name::is_reference_name;
use crate::unseen::Named as _;
use crate::unseen::{is_harmless, is_unseen};
use crate::{KindName, PackageName, Platform, PlatformError, Range, Scope, Version};

const TABLES: &[&str] = &[
    "package",
    "dependencies",
    "build-dependencies",
    "dev-dependencies",
    "platforms",
    "prefer",
    "references",
    "registries",
    "aliases",
    "override",
    "bin",
    "scripts",
];
const PACKAGE: &[&str] = &[
    "name",
    "version",
    "kind",
    "platform",
    "license",
    "description",
    "authors",
    "homepage",
    "repository",
    "keywords",
    "include",
    "exclude",
];
const DEPENDENCY: &[&str] = &["range", "fluid", "registry", "path", "git", "tag", "manifest"];
const REFERENCE: &[&str] = &["url", "mirrors", "sha256", "size", "unpack", "fluid"];
const REGISTRY: &[&str] = &["url", "key", "default"];

/// Each is resolved for whenever the lockfile is made.
const MAX_PLATFORMS: usize = 32;

pub(super) fn manifest(text: &str) -> Result<Manifest, ManifestError> {
    if text.len() > MAX_BYTES {
        return Err(ManifestError::new(text, None, format!("the manifest is longer than {MAX_BYTES} bytes")));
    }
    let document = Document::parse(text)
        .map_err(|error| ManifestError::new(text, error.span(), error.message().to_owned()))?;
    refuse_unseen(text, document.as_table())?;
    let root = Fields::new(text, document.as_table(), "the manifest");
    let known: Vec<&str> = TABLES.iter().copied().chain(kind_table_names()).collect();
    root.only(&known)?;

    let mut dependencies = Vec::new();
    for (table, scope) in
        [("dependencies", Scope::Run), ("build-dependencies", Scope::Build), ("dev-dependencies", Scope::Dev)]
    {
        dependencies.extend(requirements(text, &root, table, scope)?);
    }
    refuse_twice(text, &dependencies)?;
    Ok(Manifest {
        package: package(&root)?,
        prefer: prefer(&root)?,
        platforms: platforms(&root)?,
        dependencies,
        references: references(text, &root)?,
        registries: registries(text, &root)?,
        aliases: aliases(&root)?,
        overrides: requirements(text, &root, "override", Scope::Run)?,
        bin: commands(&root)?,
        scripts: root.string_map("scripts")?,
        kind_tables: kind_tables(document.clone()),
    })
}

fn prefer(root: &Fields<'_>) -> Result<Option<Prefer>, ManifestError> {
    match root.string("prefer")?.as_deref() {
        None => Ok(None),
        Some("here") => Ok(Some(Prefer::Here)),
        Some("newest") => Ok(Some(Prefer::Newest)),
        Some(_) => Err(root.error("prefer", "`prefer` is `here` or `newest`")),
    }
}

fn platforms(root: &Fields<'_>) -> Result<Vec<Platform>, ManifestError> {
    let key = "platforms";
    let mut platforms = Vec::new();
    for text in root.strings(key)? {
        let platform: Platform =
            text.parse().map_err(|error: PlatformError| root.error(key, error.to_string()))?;
        if platform.is_any() {
            return Err(root.error(key, "`any` is no platform that something runs on"));
        }
        if platforms.contains(&platform) {
            return Err(root.error(key, format!("`{platform}` is there twice")));
        }
        platforms.push(platform);
    }
    if platforms.len() > MAX_PLATFORMS {
        return Err(root.error(key, format!("there are more than {MAX_PLATFORMS} platforms")));
    }
    Ok(platforms)
}

/// Names have no character that nobody sees, and texts none that a terminal would obey: both are shown to people, who
/// decide by what they see.
fn refuse_unseen(text: &str, table: &dyn TableLike) -> Result<(), ManifestError> {
    let fields = Fields::new(text, table, "the manifest");
    for (key, item) in table.iter() {
        if let Some(unseen) = key.chars().find(|&character| is_unseen(character)) {
            let message = format!("a name has the character {}, which nobody sees", unseen.named());
            return Err(fields.error(key, message));
        }
        match item {
            Item::ArrayOfTables(tables) => {
                tables.iter().try_for_each(|table| refuse_unseen(text, table))?;
            }
            Item::Value(value) => refuse_unseen_value(text, &fields, key, value)?,
            Item::Table(table) => refuse_unseen(text, table)?,
            Item::None => {}
        }
    }
    Ok(())
}

fn refuse_unseen_value(
    text: &str,
    fields: &Fields<'_>,
    key: &str,
    value: &Value,
) -> Result<(), ManifestError> {
    match value {
        Value::String(string) => {
            if holds_secret(string.value()) {
                let message = format!("`{key}` has an address with a user or a password in it");
                let help = "leave them out: git asks its credential helpers, and what is published is for all to read";
                return Err(fields.error(key, message).help(Some(help.into())));
            }
            let shown = string.value().replace('\t', " ");
            if is_harmless(&shown) {
                return Ok(());
            }
            Err(fields.error(
                key,
                format!("`{key}` has a character that a terminal would obey, or that nobody sees"),
            ))
        }
        Value::Array(values) => {
            values.iter().try_for_each(|value| refuse_unseen_value(text, fields, key, value))
        }
        Value::InlineTable(table) => refuse_unseen(text, table),
        _ => Ok(()),
    }
}

fn package(root: &Fields<'_>) -> Result<Package, ManifestError> {
    let Some(fields) = root.table("package")? else { return Ok(Package::default()) };
    fields.only(PACKAGE)?;
    Ok(Package {
        name: fields.parsed("name")?,
        version: fields.parsed("version")?,
        kind: fields.parsed("kind")?.unwrap_or_default(),
        platform: fields.parsed("platform")?.unwrap_or_default(),
        license: one_line(&fields, "license")?,
        description: one_line(&fields, "description")?,
        authors: fields.strings("authors")?,
        homepage: web_address(&fields, "homepage")?,
        repository: one_line(&fields, "repository")?,
        keywords: fields.strings("keywords")?,
        include: fields.strings("include")?,
        exclude: fields.strings("exclude")?,
    })
}

/// Text that goes into the log and onto terminals: one line, no control characters, bounded.
fn one_line(fields: &Fields<'_>, key: &str) -> Result<Option<String>, ManifestError> {
    const LONGEST: usize = 1024;
    let text = fields.string(key)?;
    if let Some(text) = &text {
        if text.chars().any(char::is_control) {
            return Err(fields.error(key, format!("`{key}` must be one line without control characters")));
        }
        if text.len() > LONGEST {
            return Err(fields.error(key, format!("`{key}` is longer than {LONGEST} bytes")));
        }
    }
    Ok(text)
}

/// An address that a browser may be sent to: pages that show packages make links of it.
fn web_address(fields: &Fields<'_>, key: &str) -> Result<Option<String>, ManifestError> {
    let address = one_line(fields, key)?;
    match &address {
        Some(address) if !is_web(address) => {
            Err(fields.error(key, format!("`{key}` must be an `https://` or `http://` address")))
        }
        _ => Ok(address),
    }
}

fn requirements(
    text: &str,
    root: &Fields<'_>,
    table: &str,
    scope: Scope,
) -> Result<Vec<Requirement>, ManifestError> {
    let children = root.children(table)?;
    let Some(fields) = root.table(table)? else { return Ok(Vec::new()) };
    let lines = fields.lines(children.iter().map(|(name, _)| *name));
    let read = |(child, line)| requirement(text, &fields, table, child, scope, line);
    children.into_iter().zip(lines).map(read).collect()
}

fn requirement(
    text: &str,
    parent: &Fields<'_>,
    table: &str,
    (name, item): (&str, &Item),
    scope: Scope,
    line: usize,
) -> Result<Requirement, ManifestError> {
    let package = PackageName::from_str(name).map_err(|error| parent.error(name, error.to_string()))?;
    if item.is_str() {
        let range = parent.parsed(name)?.unwrap_or_else(Range::any);
        return Ok(Requirement {
            name: package,
            range,
            scope,
            fluid: false,
            registry: None,
            source: Source::Registry,
            line,
        });
    }
    let Some(inner) = item.as_table_like() else {
        let message = format!("`{name}` in `[{table}]` must be a range such as \"^1.2\", or a table");
        return Err(parent.error(name, message));
    };
    let fields = Fields::new(text, inner, format!("`{name}`"));
    refuse_words_of_others(&fields)?;
    fields.only(DEPENDENCY)?;
    let source = source(&fields)?;
    let range = match (fields.parsed("range")?, &source) {
        (Some(range), _) => range,
        (None, Source::Git { tag, .. }) => range_of_tag(&fields, tag)?,
        (None, Source::Path(_)) => Range::any(),
        (None, Source::Registry) => {
            let message = format!("`{name}` needs a `range`, a `path`, or a `git` address with a `tag`");
            return Err(parent.error(name, message));
        }
    };
    let registry = fields.string("registry")?;
    if registry.is_some() && source != Source::Registry {
        return Err(fields.error("registry", "a dependency from a `path` or from `git` has no `registry`"));
    }
    Ok(Requirement { name: package, range, scope, fluid: fields.flag("fluid")?, registry, source, line })
}

/// Words of other package managers, for what there is under another word here, or is not.
fn refuse_words_of_others(fields: &Fields<'_>) -> Result<(), ManifestError> {
    const COMMIT: &str =
        "name a tag, or the whole commit in its place: `tag = \"<40 digits>\"` and a `range`";
    for (word, message, help) in [
        ("branch", "a dependency from `git` has a `tag`: a branch names something else tomorrow", COMMIT),
        ("rev", "a dependency from `git` has a `tag`, not a `rev`", COMMIT),
        (
            "package",
            "a dependency is called what its package is called: there are no aliases",
            "write the package's own name before the `=`",
        ),
    ] {
        if fields.string(word)?.is_some() {
            return Err(fields.error(word, message).help(Some(help.into())));
        }
    }
    Ok(())
}

fn source(fields: &Fields<'_>) -> Result<Source, ManifestError> {
    let manifest = text_of(&fields.children("manifest")?);
    match (fields.string("path")?, fields.string("git")?, fields.string("tag")?) {
        (None, Some(url), Some(tag)) => Ok(Source::Git { tag: GitTag { url, tag }, manifest }),
        _ if manifest.is_some() => {
            Err(fields.error("manifest", "only of a dependency from `git` is said what its manifest says"))
        }
        (None, None, None) => Ok(Source::Registry),
        (Some(path), None, None) => Ok(Source::Path(path)),
        (None, Some(_), None) => Err(fields.error("git", "a dependency from `git` needs a `tag`")),
        (None, None, Some(_)) => Err(fields.error("tag", "a `tag` needs the `git` address it is found at")),
        (Some(_), _, _) => {
            Err(fields.error("path", "a dependency has a `path` or a `git` address, not both"))
        }
    }
}

/// Fields as a document of their own; nothing where there are none.
fn text_of(fields: &[(&str, &Item)]) -> Option<String> {
    let mut document = DocumentMut::new();
    for (name, item) in fields {
        let item = (*item).clone().into_table().map_or_else(|other| other, Item::Table);
        document.insert(name, item);
    }
    (!fields.is_empty()).then(|| document.to_string())
}

fn range_of_tag(fields: &Fields<'_>, git: &GitTag) -> Result<Range, ManifestError> {
    let version = Version::from_tag(&git.tag).map_err(|error| {
        fields
            .error("tag", format!("the tag `{}` does not name a version: {error}", git.tag))
            .help(Some("give the version it stands for: `range = \"=1.2.3\"`".into()))
    })?;
    Ok(Range::exact(&version))
}

fn refuse_twice(text: &str, requirements: &[Requirement]) -> Result<(), ManifestError> {
    let mut seen = BTreeMap::new();
    for requirement in requirements {
        if let Some(line) = seen.insert((&requirement.name, requirement.scope), requirement.line) {
            let mut error =
                ManifestError::new(text, None, format!("`{}` is asked for twice", requirement.name));
            error.line = line;
            return Err(error);
        }
    }
    Ok(())
}

fn references(text: &str, root: &Fields<'_>) -> Result<Vec<Reference>, ManifestError> {
    let Some(parent) = root.table("references")? else { return Ok(Vec::new()) };
    let mut references = Vec::new();
    let children = root.children("references")?;
    let lines = parent.lines(children.iter().map(|(name, _)| *name));
    for ((name, item), line) in children.into_iter().zip(lines) {
        let Some(inner) = item.as_table_like() else {
            return Err(parent.error(name, format!("`references.{name}` must be a table with a `url`")));
        };
        if !is_reference_name(name) {
            let message = format!(
                "`{}` is not a name of a reference: letters, digits, `-`, `_` and `.`, a letter or digit first, at most 64",
                name.named()
            );
            return Err(parent.error(name, message));
        }
        let fields = Fields::new(text, inner, format!("`[references.{name}]`"));
        fields.only(REFERENCE)?;
        let mut mirrors: Vec<String> = fields.string("url")?.into_iter().collect();
        mirrors.extend(fields.strings("mirrors")?);
        let reference = Reference {
            name: name.to_owned(),
            mirrors,
            sha256: fields.parsed("sha256")?,
            size: fields.number("size")?,
            unpack: fields.flag("unpack")?,
            fluid: fields.flag("fluid")?,
            line,
        };
        if reference.mirrors.is_empty() {
            return Err(parent.error(name, format!("`references.{name}` needs a `url`, or `mirrors`")));
        }
        if reference.sha256.is_none() && !reference.fluid {
            return Err(parent
                .error(
                    name,
                    format!("`references.{name}` needs a `sha256`, so that its bytes can be checked"),
                )
                .help(Some(format!(
                    "`weir add --reference {name} {}` fills it in; or `fluid = true` if the bytes may move",
                    reference.mirrors[0]
                ))));
        }
        references.push(reference);
    }
    Ok(references)
}

fn registries(text: &str, root: &Fields<'_>) -> Result<BTreeMap<String, RegistryAddress>, ManifestError> {
    let Some(parent) = root.table("registries")? else { return Ok(BTreeMap::new()) };
    let mut registries = BTreeMap::new();
    for (name, item) in root.children("registries")? {
        let address = if let Some(url) = item.as_str() {
            RegistryAddress { url: url.to_owned(), key: None, default: false }
        } else {
            let Some(inner) = item.as_table_like() else {
                return Err(parent.error(
                    name,
                    format!("`registries.{name}` must be an address, or a table with a `url`"),
                ));
            };
            let fields = Fields::new(text, inner, format!("`[registries.{name}]`"));
            fields.only(REGISTRY)?;
            let url = fields.string("url")?;
            let url = url.ok_or_else(|| parent.error(name, format!("`registries.{name}` needs a `url`")))?;
            RegistryAddress { url, key: fields.string("key")?, default: fields.flag("default")? }
        };
        registries.insert(name.to_owned(), address);
    }
    if registries.values().filter(|address| address.default).count() > 1 {
        return Err(root.error("registries", "only one registry can be the default"));
    }
    Ok(registries)
}

fn aliases(root: &Fields<'_>) -> Result<BTreeMap<String, String>, ManifestError> {
    let aliases = root.string_map("aliases")?;
    for owner in aliases.iter().flat_map(|(old, new)| [old, new]) {
        PackageName::from_str(&format!("{owner}/name")).map_err(|reason| {
            root.error("aliases", format!("`{}` in `[aliases]` is no owner: {reason}", owner.named()))
        })?;
    }
    Ok(aliases)
}

fn commands(root: &Fields<'_>) -> Result<BTreeMap<String, String>, ManifestError> {
    let bin = root.string_map("bin")?;
    for name in bin.keys() {
        if name.is_empty() || name.contains('/') || name.starts_with('.') {
            let message = format!("`{}` in `[bin]` is not the name of a command", name.named());
            return Err(root.error("bin", message));
        }
    }
    Ok(bin)
}

fn kind_table_names() -> impl Iterator<Item = &'static str> {
    KindName::ALL.into_iter().flat_map(KindName::tables).copied()
}

/// The text of each table that belongs to a kind, as if it were a document of its own.
fn kind_tables(document: Document<&str>) -> BTreeMap<String, String> {
    let mut document = document.into_mut();
    let take = |name: &str| {
        let table = document.remove(name)?.into_table().ok()?;
        Some((name.to_owned(), DocumentMut::from(table).to_string()))
    };
    kind_table_names().filter_map(take).collect()
}
