//! Which registries there are, and which one a name comes from.
//!
//! A registry has a name, by which `registry = "…"` means it. Names are given in the project's
//! `[registries]` and in the user's configuration; the project's win. One of them may be the default.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use weir_client::Url;
use weir_fs::Folder;
use weir_model::address::{holds_secret, without_secrets};
use weir_model::manifest::RegistryAddress;
use weir_model::manifest::edit::Editor;
use weir_model::{ManifestError, PackageName, manifest, nearest};
use weir_registry::{Replica, ReplicaError};

use crate::connect::source_of;
use crate::error::ReachError;
use crate::files::replace;
use crate::foreign::is_foreign;
use crate::home::Home;
use crate::session::Session;

/// A registry that is known by a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
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

/// What a project's manifest says of registries.
#[derive(Debug, Clone, Copy)]
pub struct ManifestRegistries<'p> {
    /// The project's folder: relative addresses are meant from there.
    pub folder: &'p Path,
    /// Its `[registries]`, by name.
    pub named: &'p BTreeMap<String, RegistryAddress>,
}

/// The user's configuration, `config.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    registries: BTreeMap<String, ConfigRegistry>,
    #[serde(default)]
    http: ConfigHttp,
    /// What is taken where any release in range will do.
    #[serde(default)]
    prefer: weir_model::manifest::Prefer,
    /// Folders in which anybody's projects are used.
    #[serde(default, rename = "trusted-folders")]
    trusted_folders: Vec<PathBuf>,
}

/// How long a credential helper may take where nothing is said: it may ask the user for something.
const HELPING: Duration = Duration::from_secs(120);

/// The largest configuration that is read, in bytes.
const MAX_CONFIG: u64 = 4 << 20;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ConfigHttp {
    /// Certificates of authorities besides those that are known to everybody.
    ca_file: Option<PathBuf>,
    /// Seconds.
    timeout: Option<NonZeroU16>,
    /// A program that knows credentials, and its arguments.
    #[serde(default)]
    credential_helper: Vec<String>,
    /// Seconds that it may take, which is as long as somebody needs to unlock a keyring.
    credential_helper_timeout: Option<NonZeroU16>,
}

/// What a user's configuration says of requests.
pub(crate) struct HttpSettings {
    /// The file with an organisation's own authorities.
    pub(crate) authorities: Option<PathBuf>,
    /// How long to wait for a connection, an answer, or more of one.
    pub(crate) timeout: Option<Duration>,
    /// A program that knows credentials, and its arguments; empty where there is none.
    pub(crate) credential_helper: Vec<String>,
    /// How long that may take.
    pub(crate) credential_helper_timeout: Duration,
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
pub fn registries(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
) -> Result<Vec<KnownRegistry>, ReachError> {
    let mut known: BTreeMap<String, KnownRegistry> = BTreeMap::new();
    for (name, address, aliases) in read_config(&session.home.config_file())? {
        let from = session.home.config_file().display().to_string();
        let registry = known_registry(name.clone(), &address, session.home.data(), from);
        known.insert(name, KnownRegistry { aliases, ..registry });
    }
    if let Some(project) = project {
        let own_default = project.named.values().any(|address| address.default);
        if own_default {
            known.values_mut().for_each(|registry| registry.default = false);
        }
        for (name, address) in project.named {
            let mut registry =
                known_registry(name.clone(), address, project.folder, manifest::FILE_NAME.into());
            // Where both name the same place, what the user says of it still counts.
            if let Some(users) = known.get(name).filter(|users| users.location == registry.location) {
                registry.default |= users.default;
                registry.key = registry.key.or_else(|| users.key.clone());
                registry.aliases = users.aliases.clone();
            }
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

/// A registry as it is known by an address that is meant from `folder`.
pub fn known_registry(name: String, address: &RegistryAddress, folder: &Path, from: String) -> KnownRegistry {
    let location = location(&address.url, folder);
    let aliases = BTreeMap::new();
    KnownRegistry { name, location, key: address.key.clone(), default: address.default, aliases, from }
}

/// An address as it is remembered: `http(s)://` without a slash at the end, or an absolute folder.
pub fn location(address: &str, folder: &Path) -> String {
    if is_http(address) || is_foreign(address) {
        return address.trim_end_matches('/').to_owned();
    }
    let path = folder.join(address.strip_prefix("file://").unwrap_or(address));
    fs_err::canonicalize(&path).unwrap_or(path).display().to_string()
}

/// Refuses an address with a scheme that no registry is reached by: it would be taken for a folder of that name.
pub(crate) fn check_scheme(address: &str) -> Result<(), ReachError> {
    let Some((scheme, _)) = address.split_once("://") else { return Ok(()) };
    let host = address[scheme.len() + 3..].split(['/', '?', '#']).next().unwrap_or_default();
    if matches!(scheme, "http" | "https") && host.is_empty() {
        let reason = "it names no host".into();
        return Err(ReachError::BadAddress { address: address.into(), reason });
    }
    if matches!(scheme, "http" | "https" | "file") {
        return Ok(());
    }
    let reason = "a registry is a folder, or is reached by `https://`, `http://` or `file://`".into();
    Err(ReachError::BadAddress { address: address.into(), reason })
}

/// An address that is told to everybody: of the web, and without a secret in it.
///
/// # Errors
///
/// [`ReachError::BadAddress`] when it is none.
pub fn told_address(text: &str) -> Result<String, ReachError> {
    check_scheme(text)?;
    let bad = |reason: &str| {
        let address = without_secrets(text).into_owned();
        Err(ReachError::BadAddress { address, reason: reason.to_owned() })
    };
    if !is_http(text) {
        return bad("an address of the web begins with `https://` or `http://`");
    }
    if holds_secret(text) {
        return bad("it holds a user or a password, which would be told to everybody");
    }
    if let Err(error) = text.parse::<Url>() {
        return bad(&error.to_string());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Whether a location is reached over HTTP.
pub fn is_http(location: &str) -> bool {
    location.starts_with("http://") || location.starts_with("https://")
}

/// The registry that `wanted` names: a known name, or a folder or address of its own. Nothing named
/// means the session's, or the default.
///
/// # Errors
///
/// [`ReachError::NoRegistry`] when none is known, [`ReachError::UnknownRegistry`] and [`ReachError::BadAddress`] when
/// what is named is none, and what reading the user's configuration gives.
pub fn find(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    wanted: Option<&str>,
    folder: &Path,
) -> Result<KnownRegistry, ReachError> {
    let known = registries(session, project)?;
    let wanted = wanted.or(session.registry.as_deref());
    let Some(wanted) = wanted else {
        let default = known.into_iter().find(|registry| registry.default);
        return default.ok_or_else(|| ReachError::NoRegistry { wanted: "this folder".into() });
    };
    if let Some(registry) = known.iter().find(|registry| registry.name == wanted) {
        return Ok(registry.clone());
    }
    let looks_like_a_place = is_http(wanted) || wanted.contains(['/', '.']) || folder.join(wanted).is_dir();
    if !looks_like_a_place {
        return named(&known, wanted).cloned();
    }
    check_scheme(wanted)?;
    let location = location(wanted, folder);
    if !is_http(&location) && Path::new(&location).is_file() {
        let reason = "it is a file, and a registry is a folder".into();
        return Err(ReachError::BadAddress { address: wanted.into(), reason });
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
///
/// # Errors
///
/// Those of [`registries`] and [`find`].
pub fn in_use(session: &Session, project: ManifestRegistries<'_>) -> Result<Vec<KnownRegistry>, ReachError> {
    let mut known = registries(session, Some(project))?;
    if session.registry.is_some() {
        let mut named = find(session, Some(project), None, project.folder)?;
        // Who names a place may have a name for it, by which the project's lines mean it too.
        if let Some(same) = known.iter().find(|registry| registry.location == named.location) {
            named.name.clone_from(&same.name);
        }
        known.retain(|registry| registry.name != named.name && registry.location != named.location);
        known.iter_mut().for_each(|registry| registry.default = false);
        known.insert(0, KnownRegistry { default: true, ..named });
    }
    Ok(known)
}

/// A registry's name, its address, and owners of repositories that were renamed.
type Configured = (String, RegistryAddress, BTreeMap<String, String>);

/// What the user's configuration says of requests. A relative path is meant from where the configuration is.
pub(crate) fn http_settings(session: &Session) -> Result<HttpSettings, ReachError> {
    let path = session.home.config_file();
    let folder = path.parent().unwrap_or(Path::new("."));
    let ConfigHttp { ca_file, timeout, credential_helper, credential_helper_timeout } =
        read_config_file(&path)?.http;
    let seconds = |seconds: NonZeroU16| Duration::from_secs(seconds.get().into());
    Ok(HttpSettings {
        authorities: ca_file.map(|file| folder.join(file)),
        timeout: timeout.map(seconds),
        credential_helper,
        credential_helper_timeout: credential_helper_timeout.map_or(HELPING, seconds),
    })
}

/// What the user prefers where any release in range will do.
///
/// # Errors
///
/// When the user's configuration cannot be read.
pub fn preference(session: &Session) -> Result<weir_model::manifest::Prefer, ReachError> {
    Ok(read_config_file(&session.home.config_file())?.prefer)
}

/// The folders in which the user's configuration trusts anybody's projects.
///
/// # Errors
///
/// When the configuration cannot be read.
pub fn trusted_folders(home: &Home) -> Result<Vec<PathBuf>, ReachError> {
    Ok(read_config_file(&home.config_file())?.trusted_folders)
}

fn read_config_file(path: &Path) -> Result<Config, ReachError> {
    let text = match weir_fs::read_text(path, MAX_CONFIG) {
        Err(error) if error.is_not_found() => return Ok(Config::default()),
        text => text.map_err(std::io::Error::from)?,
    };
    toml_edit::de::from_str(&text)
        .map_err(|error| ReachError::Config { path: path.into(), reason: error.message().to_owned() })
}

fn read_config(path: &Path) -> Result<Vec<Configured>, ReachError> {
    let bad = |reason: String| ReachError::Config { path: path.into(), reason };
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

/// Refuses a name, an address or a key by which no registry can be known.
///
/// # Errors
///
/// [`ReachError::BadName`], [`ReachError::BadAddress`], or what is wrong with the key: also that this machine knows the
/// registry by another.
pub fn check_new(
    session: &Session,
    name: &str,
    address: &RegistryAddress,
    folder: &Path,
) -> Result<(), ReachError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(plain) {
        return Err(ReachError::BadName { name: name.into() });
    }
    check_scheme(&address.url)?;
    if holds_secret(&address.url) {
        let reason = "it holds a user or a password, which would be kept for all to read".into();
        return Err(ReachError::BadAddress { address: without_secrets(&address.url).into_owned(), reason });
    }
    if let Some(key) = &address.key {
        weir_registry::parse_keys(std::slice::from_ref(key))?;
        check_pinned(session, &location(&address.url, folder), key)?;
    }
    Ok(())
}

/// A key that is given for a registry which this machine knows already must be the one it is known by, or a newer one that it
/// vouches for.
fn check_pinned(session: &Session, location: &str, key: &str) -> Result<(), ReachError> {
    let home = session.home.replicas();
    if home.trust.pin(location).map_err(ReplicaError::from)?.is_none() {
        return Ok(());
    }
    if session.offline {
        Replica::offline(&home, location, Some(key))?;
    } else {
        Replica::open_remembered(&home, location, &*source_of(session, location)?, Some(key))?;
    }
    Ok(())
}

/// Names a registry in the user's configuration, where a relative folder is meant from `folder`.
///
/// # Errors
///
/// Those of [`check_new`]; [`ReachError::Config`] and [`ReachError::Io`] when the file cannot be changed.
pub fn registry_add(
    session: &Session,
    name: &str,
    address: &RegistryAddress,
    folder: &Path,
) -> Result<KnownRegistry, ReachError> {
    check_new(session, name, address, folder)?;
    let path = session.home.config_file();
    // A configuration is for every folder: a relative one would mean something else elsewhere.
    let address = RegistryAddress { url: location(&address.url, folder), ..address.clone() };
    edit_config(&path, |editor| editor.set_registry(name, &address))?;
    Ok(known_registry(name.into(), &address, folder, path.display().to_string()))
}

/// Takes a registry's name out of the user's configuration.
///
/// # Errors
///
/// [`ReachError::Config`] and [`ReachError::Io`] when the file cannot be changed.
pub fn registry_unname(session: &Session, name: &str) -> Result<(), ReachError> {
    edit_config(&session.home.config_file(), |editor| {
        editor.remove_registry(name);
    })
}

/// The registry of that name.
///
/// # Errors
///
/// [`ReachError::UnknownRegistry`] when nothing is named so.
pub fn named<'k>(known: &'k [KnownRegistry], name: &str) -> Result<&'k KnownRegistry, ReachError> {
    known.iter().find(|registry| registry.name == name).ok_or_else(|| {
        let similar = nearest(name, known.iter().map(|registry| registry.name.as_str())).map(str::to_owned);
        ReachError::UnknownRegistry { name: name.into(), similar }
    })
}

/// Forgets what this machine knows of a registry, its pinned key included, unless another of `known` is the same.
///
/// # Errors
///
/// [`ReachError::Io`] when it cannot be removed.
pub fn forget(session: &Session, known: &[KnownRegistry], gone: &KnownRegistry) -> Result<(), ReachError> {
    let elsewhere = known.iter().any(|other| other.name != gone.name && other.location == gone.location);
    if !elsewhere {
        session.home.replicas().forget(&gone.location)?;
    }
    Ok(())
}

/// Changes the user's configuration, one process after the other: nothing that another writes meanwhile is lost.
fn edit_config(path: &Path, edit: impl FnOnce(&mut Editor)) -> Result<(), ReachError> {
    let folder = Folder::make(path.parent().unwrap_or(Path::new("."))).map_err(std::io::Error::from)?;
    let _lock = folder.lock(|| {}).map_err(std::io::Error::from)?;
    let text = match weir_fs::read_text(path, MAX_CONFIG) {
        Err(error) if error.is_not_found() => String::new(),
        text => text.map_err(std::io::Error::from)?,
    };
    let bad = |error: ManifestError| ReachError::Config { path: path.into(), reason: error.to_string() };
    let mut editor = Editor::new(&text).map_err(bad)?;
    edit(&mut editor);
    Ok(replace(path, editor.into_text().as_bytes())?)
}
