//! Which registries there are, and which one a name comes from.
//!
//! A registry has a name, by which `registry = "…"` means it. Names are given in the project's
//! `[registries]` and in the user's configuration; the project's win. One of them may be the default.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use weir_model::manifest::RegistryAddress;
use weir_model::{PackageName, manifest, nearest};

use crate::error::ProjectError;
use crate::files::replace;
use crate::project::Project;
use crate::session::Session;

/// A registry that is known by a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownRegistry {
    /// Its name.
    pub name: String,
    /// Where it is: an absolute folder, or an `http(s)://` address.
    pub location: String,
    /// The key its checkpoints must be signed with, if it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Whether unmarked dependencies come from it.
    pub default: bool,
    /// Owners of repositories that were renamed, old to new: whose tags are published under the new name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub aliases: BTreeMap<String, String>,
    /// The file that names it, or `--registry`.
    pub from: String,
}

/// The user's configuration, `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    registries: BTreeMap<String, ConfigRegistry>,
    #[serde(default)]
    http: ConfigHttp,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ConfigHttp {
    /// Certificates of authorities besides those that are known to everybody.
    ca_file: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ConfigRegistry {
    Plain(String),
    Table {
        url: String,
        #[serde(default)]
        key: Option<String>,
        #[serde(default)]
        default: bool,
        #[serde(default)]
        aliases: BTreeMap<String, String>,
    },
}

/// Every registry that is known to the project and to the user, by name; the default one first.
///
/// # Errors
///
/// When the user's configuration cannot be read.
pub fn registries(session: &Session, project: Option<&Project>) -> Result<Vec<KnownRegistry>, ProjectError> {
    let mut known: BTreeMap<String, KnownRegistry> = BTreeMap::new();
    for (name, address, aliases) in read_config(&session.home.config_file())? {
        let from = session.home.config_file().display().to_string();
        let registry = known_registry(name.clone(), &address, session.home.data(), from);
        known.insert(name, KnownRegistry { aliases, ..registry });
    }
    if let Some(project) = project {
        let own_default = project.manifest.registries.values().any(|address| address.default);
        if own_default {
            known.values_mut().for_each(|registry| registry.default = false);
        }
        for (name, address) in &project.manifest.registries {
            let registry = known_registry(name.clone(), address, &project.folder, manifest::FILE_NAME.into());
            known.insert(name.clone(), registry);
        }
    }
    let mut known: Vec<_> = known.into_values().collect();
    // Where there is only one, it is the default.
    if let [only] = known.as_mut_slice() {
        only.default = true;
    }
    known.sort_by_key(|registry| !registry.default);
    Ok(known)
}

fn known_registry(name: String, address: &RegistryAddress, folder: &Path, from: String) -> KnownRegistry {
    let location = location(&address.url, folder);
    let aliases = BTreeMap::new();
    KnownRegistry { name, location, key: address.key.clone(), default: address.default, aliases, from }
}

/// An address as it is remembered: `http(s)://` without a slash at the end, or an absolute folder.
pub(crate) fn location(address: &str, folder: &Path) -> String {
    if is_http(address) {
        return address.trim_end_matches('/').to_owned();
    }
    let path = folder.join(address.strip_prefix("file://").unwrap_or(address));
    fs_err::canonicalize(&path).unwrap_or(path).display().to_string()
}

/// Refuses an address with a scheme that no registry is reached by: it would be taken for a folder of that name.
fn check_scheme(address: &str) -> Result<(), ProjectError> {
    let Some((scheme, _)) = address.split_once("://") else { return Ok(()) };
    if matches!(scheme, "http" | "https" | "file") {
        return Ok(());
    }
    let reason = "a registry is a folder, or is reached by `https://`, `http://` or `file://`".into();
    Err(ProjectError::BadAddress { address: address.into(), reason })
}

/// Whether a location is reached over HTTP.
pub(crate) fn is_http(location: &str) -> bool {
    location.starts_with("http://") || location.starts_with("https://")
}

/// The registry that `wanted` names: a known name, or a folder or address of its own. Nothing named
/// means the session's, or the default.
pub(crate) fn find(
    session: &Session,
    project: Option<&Project>,
    wanted: Option<&str>,
    folder: &Path,
) -> Result<KnownRegistry, ProjectError> {
    let known = registries(session, project)?;
    let wanted = wanted.or(session.registry.as_deref());
    let Some(wanted) = wanted else {
        let default = known.into_iter().find(|registry| registry.default);
        return default.ok_or_else(|| ProjectError::NoRegistry { wanted: "this folder".into() });
    };
    if let Some(registry) = known.iter().find(|registry| registry.name == wanted) {
        return Ok(registry.clone());
    }
    let looks_like_a_place = is_http(wanted) || wanted.contains(['/', '.']) || folder.join(wanted).is_dir();
    if !looks_like_a_place {
        let similar = nearest(wanted, known.iter().map(|registry| registry.name.as_str())).map(str::to_owned);
        return Err(ProjectError::UnknownRegistry { name: wanted.into(), similar });
    }
    check_scheme(wanted)?;
    let location = location(wanted, folder);
    if !is_http(&location) && Path::new(&location).is_file() {
        let reason = "it is a file, and a registry is a folder".into();
        return Err(ProjectError::BadAddress { address: wanted.into(), reason });
    }
    let same = known.into_iter().find(|registry| registry.location == location);
    let (key, aliases) = same.map(|registry| (registry.key, registry.aliases)).unwrap_or_default();
    Ok(KnownRegistry {
        name: wanted.into(),
        location,
        key,
        default: true,
        aliases,
        from: "--registry".into(),
    })
}

/// The registries that a project's packages come from: all that are known and, in place of the default one, the
/// one that the session names.
pub(crate) fn in_use(session: &Session, project: &Project) -> Result<Vec<KnownRegistry>, ProjectError> {
    let mut known = registries(session, Some(project))?;
    if session.registry.is_some() {
        let named = find(session, Some(project), None, &project.folder)?;
        known.retain(|registry| registry.name != named.name && registry.location != named.location);
        known.iter_mut().for_each(|registry| registry.default = false);
        known.insert(0, KnownRegistry { default: true, ..named });
    }
    Ok(known)
}

/// A registry's name, its address, and owners of repositories that were renamed.
type Configured = (String, RegistryAddress, BTreeMap<String, String>);

/// The file with an organisation's own authorities, if the user's configuration names one: relative to where that is.
pub(crate) fn own_authorities(session: &Session) -> Result<Option<PathBuf>, ProjectError> {
    let path = session.home.config_file();
    let folder = path.parent().unwrap_or(Path::new("."));
    Ok(read_config_file(&path)?.http.ca_file.map(|file| folder.join(file)))
}

fn read_config_file(path: &Path) -> Result<Config, ProjectError> {
    let text = match fs_err::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Config::default()),
        text => text?,
    };
    toml_edit::de::from_str(&text)
        .map_err(|error| ProjectError::Config { path: path.into(), reason: error.message().to_owned() })
}

fn read_config(path: &Path) -> Result<Vec<Configured>, ProjectError> {
    let bad = |reason: String| ProjectError::Config { path: path.into(), reason };
    let config = read_config_file(path)?;
    let configured = config.registries.into_iter().map(|(name, registry)| {
        let (address, aliases) = match registry {
            ConfigRegistry::Plain(url) => {
                (RegistryAddress { url, key: None, default: false }, BTreeMap::new())
            }
            ConfigRegistry::Table { url, key, default, aliases } => {
                (RegistryAddress { url, key, default }, aliases)
            }
        };
        for owner in aliases.iter().flat_map(|(old, new)| [old, new]) {
            format!("{owner}/name").parse::<PackageName>().map_err(|reason| {
                bad(format!("`registries.{name}.aliases`: `{}` is no owner: {reason}", owner.escape_debug()))
            })?;
        }
        Ok((name, address, aliases))
    });
    configured.collect()
}

/// Names a registry, in the project's manifest or else in the user's configuration.
///
/// # Errors
///
/// When the name is no name, the address no address, or the file cannot be written.
pub fn registry_add(
    session: &Session,
    project: Option<&mut Project>,
    name: &str,
    address: &RegistryAddress,
    folder: &Path,
) -> Result<KnownRegistry, ProjectError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(plain) {
        return Err(ProjectError::Usage(format!(
            "`{name}` is not a name for a registry: letters, digits, `-` and `_` are"
        )));
    }
    check_scheme(&address.url)?;
    if let Some(key) = &address.key {
        weir_registry::parse_keys(std::slice::from_ref(key))?;
    }
    match project {
        Some(project) => {
            let text = edited(&project.text, &project.manifest_path(), |editor| {
                editor.set_registry(name, address);
            })?;
            project.set_text(text)?;
            project.write_manifest()?;
            Ok(known_registry(name.into(), address, &project.folder, manifest::FILE_NAME.into()))
        }
        None => {
            let path = session.home.config_file();
            // A configuration is for every folder: a relative one would mean something else elsewhere.
            let address = RegistryAddress { url: location(&address.url, folder), ..address.clone() };
            edit_config(&path, |editor| editor.set_registry(name, &address))?;
            Ok(known_registry(name.into(), &address, folder, path.display().to_string()))
        }
    }
}

/// Forgets a registry's name, where the project or else the user's configuration gives it; and what this machine
/// knows of the registry, its pinned key included.
///
/// # Errors
///
/// When nothing is named so, or a file cannot be written.
pub fn registry_remove(
    session: &Session,
    project: Option<&mut Project>,
    name: &str,
) -> Result<KnownRegistry, ProjectError> {
    let known = registries(session, project.as_deref())?;
    let Some(registry) = known.iter().find(|registry| registry.name == name) else {
        let similar = nearest(name, known.iter().map(|registry| registry.name.as_str())).map(str::to_owned);
        return Err(ProjectError::UnknownRegistry { name: name.into(), similar });
    };
    match project {
        Some(project) if registry.from == manifest::FILE_NAME => {
            let text = edited(&project.text, &project.manifest_path(), |editor| {
                editor.remove_registry(name);
            })?;
            project.set_text(text)?;
            project.write_manifest()?;
        }
        _ => edit_config(&session.home.config_file(), |editor| {
            editor.remove_registry(name);
        })?,
    }
    let elsewhere = known.iter().any(|other| other.name != name && other.location == registry.location);
    if !elsewhere {
        session.home.replicas().forget(&registry.location)?;
    }
    Ok(registry.clone())
}

fn edit_config(path: &Path, edit: impl FnOnce(&mut manifest::edit::Editor)) -> Result<(), ProjectError> {
    let text = match fs_err::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        text => text?,
    };
    let text = edited(&text, path, edit)?;
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    Ok(replace(path, text.as_bytes())?)
}

/// A TOML text after an edit that keeps its comments.
pub(crate) fn edited(
    text: &str,
    path: &Path,
    edit: impl FnOnce(&mut manifest::edit::Editor),
) -> Result<String, ProjectError> {
    let mut editor = manifest::edit::Editor::new(text).map_err(|error| ProjectError::Manifest {
        path: path.into(),
        text: text.into(),
        error: Box::new(error),
    })?;
    edit(&mut editor);
    Ok(editor.into_text())
}
