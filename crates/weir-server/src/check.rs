//! What would keep a server from what it is there for, found without starting it. Nothing is written, and a server that runs is not
//! disturbed: so it can be asked before that is started anew.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use weir_cedar::{PolicyFiles, PolicySet};
use weir_log::Checkpoint;
use weir_model::descriptor::Descriptor;
use weir_registry::DESCRIPTOR;

use crate::data::DataFolder;
use crate::identity_providers::IdentityProviders;
use crate::lacks::{CHECKPOINT, Lack, can_sign, cannot_be_served, descriptor, has_log};
use crate::outside::Outside;
use crate::registries::{Registries, RegistryName};
use crate::serve::acceptor;
use crate::settings::Settings;

/// What was looked at, and what is wrong with it.
#[derive(Debug)]
pub struct Checked {
    /// The registries that would be served.
    pub registries: Vec<String>,
    /// What is wrong; nothing, if a server could begin and do all that it is there for.
    pub wrong: Vec<Wrong>,
    /// What keeps it from nothing, and may be otherwise than whoever runs it thinks.
    pub noted: Vec<Wrong>,
}

/// Something that is wrong, or that somebody should know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What, and why.
    pub reason: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl From<Lack> for Wrong {
    fn from(Lack { reason, help, .. }: Lack) -> Self {
        Self { reason, help }
    }
}

fn wrong(reason: String) -> Wrong {
    Wrong { reason, help: None }
}

/// Looks at what a server would begin with: its settings, which were read already, and its data.
pub fn check(data: &DataFolder, settings: &Settings, outside: &Outside) -> Checked {
    let mut found: Vec<Wrong> = Vec::new();
    let client = outside.client(settings.openid.allow_loopback);
    found.extend(
        settings
            .tls
            .as_ref()
            .and_then(|tls| acceptor(data.root(), tls).err())
            .map(|error| wrong(error.to_string())),
    );
    found.extend(IdentityProviders::new(settings, data, client).err().map(|error| wrong(error.to_string())));
    // What is not there yet is made at the start.
    found.extend(
        data.folders().into_iter().filter(|path| path.exists()).filter_map(|path| can_write(&path).err()),
    );
    found.extend(data.files().into_iter().filter_map(|path| can_open(&path).err()));
    let names = match data.registries().exists().then(|| Registries::new(data).and_then(|all| all.names())) {
        Some(Ok(names)) => names,
        Some(Err(error)) => {
            found.push(wrong(format!("the registries cannot be listed: {error}")));
            Vec::new()
        }
        None => Vec::new(),
    };
    let mut noted: Vec<Wrong> = (!data.root().exists())
        .then(|| Wrong {
            reason: format!(
                "`{}` is not there: the start makes it, with nothing in it",
                data.root().display()
            ),
            help: Some("if a server ran on it before, it is somewhere else".to_owned()),
        })
        .into_iter()
        .collect();
    for name in &names {
        found.extend(can_sign(data, name).err().map(Wrong::from));
        match has_log(data, name) {
            Ok(log) => found.extend(
                is_usable(data, name, &log).err().map(|reason| wrong(cannot_be_served(name, &reason))),
            ),
            Err(lack) => found.push(lack.into()),
        }
        noted.extend(is_open(data, name).then(|| Wrong {
            reason: open_to_all(name),
            help: Some(format!(
                "`WEIR_HOME={} weir --registry {} policy set --built-in team`, as the user of the server; `--built-in open` for one that everybody reads",
                data.root().display(),
                data.registries().join(name.as_str()).display()
            )),
        }));
    }
    found.extend(halves(data).into_iter().map(|name| Wrong {
        reason: format!(
            "`{}` is half of a registry and is not served: it has a log and no `{DESCRIPTOR}`",
            data.registries().join(name.as_str()).display()
        ),
        help: Some(format!(
            "if `weir registry create {name}` was cut short, the same command goes on with it; if `{DESCRIPTOR}` was lost, put it back from a copy"
        )),
    }));
    Checked { registries: names.iter().map(ToString::to_string).collect(), wrong: found, noted }
}

/// Whether a registry has no policy set of its own, as folders have none: behind a server that lets everybody read it.
pub(crate) fn is_open(data: &DataFolder, name: &RegistryName) -> bool {
    let root = data.registries().join(name.as_str());
    // One that cannot be read is no set, and lets nobody do anything.
    PolicyFiles::read(&root).is_ok_and(|files| files.digest().is_none())
        && descriptor(&root).is_ok_and(|descriptor| descriptor.policy.is_none())
}

/// What that means, for whoever runs the server.
pub(crate) fn open_to_all(name: &RegistryName) -> String {
    format!(
        "the registry `{name}` has no policy set of its own: everybody may read it, and whoever has signed in may publish into it"
    )
}

/// The folders with a registry's name that have its log, and not what describes it.
fn halves(data: &DataFolder) -> Vec<RegistryName> {
    let entries = fs_err::read_dir(data.registries()).into_iter().flatten().flatten();
    let half = |entry: fs_err::DirEntry| {
        let name = RegistryName::parse(entry.file_name().to_str()?)?;
        let has = |file: &str| entry.path().join(file).exists();
        (has(CHECKPOINT) && !has(DESCRIPTOR)).then_some(name)
    };
    let mut halves: Vec<RegistryName> = entries.filter_map(half).collect();
    halves.sort_unstable();
    halves
}

/// Whether files can be made in a folder. One is, without a name: it is gone by itself.
fn can_write(folder: &Path) -> Result<(), Wrong> {
    let made = tempfile::tempfile_in(folder).map(drop);
    made.map_err(|error| wrong(format!("nothing can be written in `{}`: {error}", folder.display())))
}

/// Whether a file can be read and written, if it is there.
fn can_open(file: &PathBuf) -> Result<(), Wrong> {
    match std::fs::OpenOptions::new().read(true).write(true).open(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(wrong(format!("`{}` cannot be opened: {error}", file.display())))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Whether readers take what a registry has, whose log is there: why not, in words.
fn is_usable(data: &DataFolder, name: &RegistryName, log: &Checkpoint) -> Result<(), String> {
    let root = data.registries().join(name.as_str());
    if let Some(expires) = log.expires().filter(|expires| *expires < Timestamp::now()) {
        return Err(format!("its checkpoint expired at {expires}: sign it anew with `weir registry renew`"));
    }
    policy(&root, &descriptor(&root)?)
}

/// Whether the files of the policy are a set, and the one that is in force.
fn policy(root: &Path, descriptor: &Descriptor) -> Result<(), String> {
    let unusable = |error: &dyn std::fmt::Display| format!("its policy cannot be used: {error}");
    let files = PolicyFiles::read(root).map_err(|error| unusable(&error))?;
    let Some(digest) = files.digest() else {
        return match &descriptor.policy {
            None => Ok(()),
            Some(_) => Err("the files of its policy are not there".to_owned()),
        };
    };
    PolicySet::new(&files).map_err(|error| unusable(&error))?;
    match descriptor.policy.as_ref().is_some_and(|in_force| in_force.digest == digest) {
        true => Ok(()),
        false => Err("the files of its policy are not those in force: they were changed by other means than `weir policy set`".to_owned()),
    }
}
