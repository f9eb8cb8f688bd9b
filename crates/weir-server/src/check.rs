//! What would keep a server from what it is there for, found without starting it. Nothing is written, and a server that runs is not
//! disturbed: so it can be asked before that is started anew.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use weir_cedar::{PolicyFiles, PolicySet};
use weir_log::{Checkpoint, TrustedKeys};
use weir_model::descriptor::Descriptor;
use weir_registry::parse_keys;

use crate::data::DataFolder;
use crate::identity_providers::IdentityProviders;
use crate::lacks::{Lack, can_sign, descriptor};
use crate::outside::Outside;
use crate::registries::{Registries, RegistryName};
use crate::serve::acceptor;
use crate::settings::Settings;

/// The file of a registry that says, signed, how long its log is.
const CHECKPOINT: &str = "checkpoint";

/// The largest checkpoint that is looked at, in bytes.
const MAX_CHECKPOINT: u64 = 64 << 10;

/// What was looked at, and what is wrong with it.
#[derive(Debug)]
pub struct Checked {
    /// The registries that would be served.
    pub registries: Vec<String>,
    /// What is wrong; nothing, if a server could begin and do all that it is there for.
    pub wrong: Vec<Wrong>,
}

/// Something that is wrong.
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
    for name in &names {
        found.extend(can_sign(data, name).err().map(Wrong::from));
        found.extend(of_registry(data, name).err().map(|reason| Wrong {
            help: None,
            reason: format!("the registry `{name}` cannot be served as it is: {reason}"),
        }));
    }
    Checked { registries: names.iter().map(ToString::to_string).collect(), wrong: found }
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

/// What keeps a registry from being served, in words: its log, or its policy.
fn of_registry(data: &DataFolder, name: &RegistryName) -> Result<(), String> {
    let root = data.registries().join(name.as_str());
    let descriptor = descriptor(&root)?;
    let keys = parse_keys(&descriptor.keys).map_err(|error| error.to_string())?;
    signed(&root, &keys)?;
    policy(&root, &descriptor)
}

fn signed(root: &Path, keys: &TrustedKeys) -> Result<(), String> {
    let bytes = weir_fs::read(root.join(CHECKPOINT), MAX_CHECKPOINT).map_err(|error| error.to_string())?;
    let signed = Checkpoint::verify(&bytes, keys).map_err(|error| error.to_string())?;
    match signed.expires().filter(|expires| *expires < Timestamp::now()) {
        Some(expires) => {
            Err(format!("its checkpoint expired at {expires}: sign it anew with `weir registry renew`"))
        }
        None => Ok(()),
    }
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
