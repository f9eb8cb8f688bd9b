//! What is found out about a package before it is published.

use std::collections::BTreeSet;
use std::io::Read as _;

use weir_kind::{Inspection, KindError, PackageFiles, read_text};
use weir_model::Manifest;
use weir_tree::{Mode, TreeManifest, TreePath};

use super::facts::ElmFacts;
use crate::api::{Api, Sources};
use crate::code::{code, imports, named};
use crate::elm_json::{ElmJson, FILE_NAME, MAX_BYTES};
use crate::module::{Header, is_module_name};
use crate::name::{may_have_kernel, refused_name, refused_version};

/// What the compiler makes of the comments of a package.
pub(super) const DOCS: &str = "docs.json";

/// The largest that is read, in bytes.
pub(super) const MAX_DOCS: u64 = 64 << 20;

/// What modules of JavaScript begin with.
const KERNEL: &str = "Elm.Kernel.";

/// How much of a module is read to tell what it imports and whether it has ports: what stands before that are comments.
const HEAD: u64 = 256 << 10;

pub(super) fn inspect(
    files: &dyn PackageFiles,
    manifest: &Manifest,
    tree: &TreeManifest,
) -> Result<Inspection, KindError> {
    let text = read_text(files, FILE_NAME, MAX_BYTES as u64)?;
    let text = text.ok_or_else(|| {
        KindError::NotAllowed(format!("an Elm package has an `{FILE_NAME}`, and this has none"))
    })?;
    let bad = |reason: String| KindError::BadFile { path: files.place(FILE_NAME), reason };
    let said = ElmJson::parse(&text).map_err(|error| bad(error.to_string()))?;
    check_identity(manifest)?;
    let mut warnings = Vec::new();
    let sources = match &said {
        ElmJson::Package(_) => vec!["src".to_owned()],
        ElmJson::Application(application) => application.source_directories.clone(),
    };
    let sources = sources_inside(sources, &mut warnings);
    let mut facts = match said {
        ElmJson::Package(package) => {
            if package.dependencies.contains_key(&package.name) {
                return Err(bad(format!("`{}` needs itself: the compiler never ends on that", package.name)));
            }
            for module in &package.exposed_modules {
                let path = source_of(module);
                if tree.entry(&path).is_none_or(|entry| entry.mode == Mode::Link) {
                    return Err(bad(format!(
                        "it exposes the module `{module}`, and there is no file `{path}`"
                    )));
                }
                let head = head_of(files, &path)?.unwrap_or_default();
                let code = code(&head);
                let named = named(&code);
                // What begins with a very long comment is for the compiler to read.
                if named != Some(module) && (named.is_some() || (head.len() as u64) < HEAD) {
                    let said = named.map_or_else(
                        || "does not say so".to_owned(),
                        |named| format!("says that it is `{}`", harmless_word(named)),
                    );
                    return Err(bad(format!("`{path}` has to be the module `{module}`, and {said}")));
                }
            }
            if tree.entry("README.md").is_none() {
                warnings.push("it has no `README.md`: Elm's own tools show that first".into());
            }
            ElmFacts {
                elm: package.elm_version,
                application: false,
                modules: package.exposed_modules,
                ports: Vec::new(),
                sources: Vec::new(),
                pins: std::collections::BTreeMap::new(),
            }
        }
        ElmJson::Application(application) => {
            let mut pins = application.direct;
            pins.extend(application.indirect);
            ElmFacts {
                elm: format!("{0} <= v <= {0}", application.elm_version)
                    .parse()
                    .map_err(|error: weir_model::RangeError| bad(error.to_string()))?,
                application: true,
                modules: Vec::new(),
                ports: Vec::new(),
                sources: sources.clone(),
                pins,
            }
        }
    };
    let is_elms = manifest.package.name.as_ref().is_some_and(may_have_kernel);
    facts.ports = with_ports(files, tree, &sources, is_elms)?;
    if facts.is_source() && !facts.application {
        warnings.push(format!(
            "it has modules with ports ({}): the compiler takes them in an application only, so Weir hands it to applications as a folder of modules, and packages cannot use it",
            facts.ports.join(", ")
        ));
        facts.sources = sources;
    }
    if !facts.is_source() {
        check_docs(files, &facts)?;
    }
    facts.check().map_err(KindError::NotAllowed)?;
    Ok(Inspection { facts: facts.into_facts(), warnings })
}

/// Documentation that comes along tells of the modules that are exposed, and of no others, what their sources say: tools show it, and versions
/// are judged by it.
fn check_docs(files: &dyn PackageFiles, facts: &ElmFacts) -> Result<(), KindError> {
    let Some(text) = read_text(files, DOCS, MAX_DOCS)? else { return Ok(()) };
    let bad = |reason: String| KindError::BadFile { path: files.place(DOCS), reason };
    let api = Api::parse(text.as_bytes()).map_err(|error| bad(error.to_string()))?;
    let exposed: BTreeSet<&str> = facts.modules.iter().map(String::as_str).collect();
    let told: BTreeSet<&str> = api.modules().collect();
    match exposed.symmetric_difference(&told).next() {
        // A package that could not be documented has an empty one, perhaps.
        Some(_) if told.is_empty() => Ok(()),
        Some(module) if told.contains(module) => {
            Err(bad(format!("it tells of the module `{module}`, which `{FILE_NAME}` does not expose")))
        }
        Some(module) => {
            Err(bad(format!("it does not tell of the module `{module}`, which `{FILE_NAME}` exposes")))
        }
        None => {
            let mut sources = Sources::new(|module: &str| match is_module_name(module) {
                true => read_text(files, &source_of(module), MAX_DOCS),
                false => Ok(None),
            });
            facts.modules.iter().try_for_each(|module| match api.contradiction(module, &mut sources)? {
                None => Ok(()),
                Some(why) => Err(bad(format!(
                    "of `{}`, {why}. Was it made before something changed? `elm make --docs={DOCS}` makes it anew; \
                     and without the file, `weir publish` has the compiler make it",
                    source_of(module)
                ))),
            })
        }
    }
}

/// The file of a module that is exposed.
fn source_of(module: &str) -> String {
    format!("src/{}.elm", module.replace('.', "/"))
}

/// What the compiler could not read is not published.
fn check_identity(manifest: &Manifest) -> Result<(), KindError> {
    let package = &manifest.package;
    let name = package.name.as_ref().and_then(|name| Some((name.to_string(), refused_name(name)?)));
    let version =
        package.version.as_ref().and_then(|version| Some((version.to_string(), refused_version(version)?)));
    match name.or(version) {
        None => Ok(()),
        Some((what, reason)) => Err(KindError::NotAllowed(format!("Elm cannot read `{what}`: {reason}"))),
    }
}

/// The folders of modules that lie in the package; what lies elsewhere cannot be published.
fn sources_inside(sources: Vec<String>, warnings: &mut Vec<String>) -> Vec<String> {
    let mut inside = Vec::new();
    for folder in sources {
        let plain = folder.trim_end_matches('/').trim_start_matches("./").to_owned();
        match plain.parse::<TreePath>() {
            Ok(_) => inside.push(plain),
            Err(_) => warnings.push(format!(
                "the source directory `{}` lies outside, and is not published",
                folder.escape_debug()
            )),
        }
    }
    inside
}

/// The beginning of a module; nothing if it is not there.
fn head_of(files: &dyn PackageFiles, path: &str) -> Result<Option<String>, KindError> {
    let Some(content) = files.open(path)? else { return Ok(None) };
    let mut head = Vec::new();
    content.take(HEAD).read_to_end(&mut head)?;
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}

/// Text of a stranger's, short and harmless.
fn harmless_word(text: &str) -> String {
    text.chars().take(100).flat_map(char::escape_debug).collect()
}

/// The files with ports below `sources`. What imports from JavaScript, and what only Elm itself may be, is refused, unless the package is one of Elm's.
fn with_ports(
    files: &dyn PackageFiles,
    tree: &TreeManifest,
    sources: &[String],
    is_elms: bool,
) -> Result<Vec<String>, KindError> {
    let is_source = |path: &str| {
        let below =
            |folder: &String| path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'));
        path.ends_with(".elm") && sources.iter().any(below)
    };
    let mut ports = Vec::new();
    for entry in
        tree.entries().iter().filter(|entry| entry.mode != Mode::Link && is_source(entry.path.as_str()))
    {
        let path = entry.path.as_str();
        let Some(head) = head_of(files, path)? else { continue };
        if !is_elms && let Some(kernel) = imports(&code(&head)).find(|module| module.starts_with(KERNEL)) {
            return Err(KindError::NotAllowed(format!(
                "`{path}` imports `{kernel}`, which is JavaScript: Elm's compiler takes that in Elm's own packages only"
            )));
        }
        match Header::read(&head) {
            Header::Port => ports.push(path.to_owned()),
            Header::Effect if !is_elms => {
                return Err(KindError::NotAllowed(format!(
                    "`{path}` is an effect module: Elm's compiler takes that in Elm's own packages only"
                )));
            }
            Header::Effect | Header::Plain => {}
        }
    }
    Ok(ports)
}
