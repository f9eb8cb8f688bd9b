//! What is at an address, and what Weir can do there: found out by asking, without believing or keeping anything.

use std::path::Path;

use serde::{Deserialize, Serialize};
use weir_client::{Credential, HttpClient, Message, Method, Reply, Url};
use weir_model::KindName;
use weir_model::descriptor::{Descriptor, PolicySummary};
use weir_registry::DESCRIPTOR;
use weir_wire::api::{Capabilities, CapabilityLimits, LEVEL};

use crate::connect::{address, http_client};
use crate::credentials::credential_for;
use crate::error::{Offline, ReachError};
use crate::registries::{ManifestRegistries, find, is_http};
use crate::session::Session;

/// The longest descriptor that is read, in bytes.
const MAX_DESCRIPTOR: u64 = 1 << 20;

/// What an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// A registry that a server of Weir serves.
    ServedRegistry,
    /// A registry of Weir that is served as plain files.
    PlainFiles,
    /// A registry of Weir in a folder.
    Folder,
    /// A server of Weir.
    Server,
    /// A registry of Elm packages, as the Elm compiler asks it.
    Elm,
    /// A registry of containers and other artifacts (OCI distribution).
    Oci,
    /// Something that is no registry of these.
    Other,
    /// Nothing.
    Nothing,
}

/// What was found at an address.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Discovered {
    /// The address.
    pub location: String,
    /// What it is.
    pub is: Place,
    /// What Weir can do there.
    pub can: Vec<String>,
    /// The name that the registry calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The level of the protocol that it speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<u32>,
    /// What it can do beyond being read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// The kinds of package it takes; all where none is named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<KindName>,
    /// What nobody may exceed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<CapabilityLimits>,
    /// Who signs for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// The policy in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicySummary>,
    /// How people sign in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sign_in: Vec<String>,
    /// Of a server, the registries that it tells of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub registries: Vec<String>,
}

/// What a host says of itself, at `/.well-known/weir`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Host {
    weir: u32,
    level: u32,
    #[serde(default)]
    sign_in: Vec<String>,
    #[serde(default)]
    registries: Vec<HostRegistry>,
}

#[derive(Deserialize)]
struct HostRegistry {
    path: String,
}

/// Finds out what is at an address, or at that of a registry which is known by a name.
///
/// # Errors
///
/// When nothing of that name is known, or it cannot be asked.
pub fn discover(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    named: Option<&str>,
    folder: &Path,
) -> Result<Discovered, ReachError> {
    let location = match named {
        Some(address) if is_http(address) => address.trim_end_matches('/').to_owned(),
        named => find(session, project, named, folder)?.location,
    };
    if !is_http(&location) {
        return Ok(of_folder(&location));
    }
    if session.offline {
        return Err(Offline::needs(format!("finding out what is at {location}")).into());
    }
    let base = address(&location)?;
    let probe =
        Probe { credential: credential_for(session, base.origin())?, client: http_client(session)?, base };
    probe.look(location)
}

fn of_folder(location: &str) -> Discovered {
    let descriptor = weir_fs::read(Path::new(location).join(DESCRIPTOR), MAX_DESCRIPTOR).ok();
    match descriptor.and_then(|bytes| serde_json::from_slice::<Descriptor>(&bytes).ok()) {
        Some(descriptor) => Discovered {
            can: vec![
                "install, search, verify".to_owned(),
                "publish and withdraw, where its key is on this machine".to_owned(),
            ],
            ..described(location.to_owned(), Place::Folder, descriptor)
        },
        None => Discovered::new(location.to_owned(), Place::Nothing),
    }
}

struct Probe {
    client: HttpClient,
    base: Url,
    credential: Option<Credential>,
}

impl Probe {
    fn look(&self, location: String) -> Result<Discovered, ReachError> {
        let descriptor = self.document::<Descriptor>(DESCRIPTOR)?;
        if let Some(found) = self.document::<Capabilities>("api/v1")?.filter(|found| found.weir == 1) {
            let known = match descriptor {
                Some(descriptor) => described(location, Place::ServedRegistry, descriptor),
                None => Discovered {
                    name: Some(found.name.clone()),
                    ..Discovered::new(location, Place::ServedRegistry)
                },
            };
            let host = self.host_above()?;
            let mut can = vec!["install, search, verify".to_owned()];
            can.push(match (found.level == LEVEL, &self.credential) {
                (false, _) => {
                    format!("nothing more: it speaks level {}, and this program {LEVEL}", found.level)
                }
                (true, Some(_)) => "publish and withdraw, as far as its policy lets you".to_owned(),
                (true, None) => "publish and withdraw, once you have signed in: `weir login`".to_owned(),
            });
            return Ok(Discovered {
                can,
                level: Some(found.level),
                features: found.features,
                limits: Some(found.limits),
                sign_in: host.map(|host| host.sign_in).unwrap_or_default(),
                ..known
            });
        }
        if let Some(descriptor) = descriptor {
            let can = vec!["install, search, verify".to_owned()];
            return Ok(Discovered { can, ..described(location, Place::PlainFiles, descriptor) });
        }
        if let Some(host) = self.document::<Host>(".well-known/weir")?.filter(|host| host.weir == 1) {
            let registries = host.registries.iter().map(|registry| format!("{location}{}", registry.path));
            return Ok(Discovered {
                can: vec!["sign in, and whatever its registries allow".to_owned()],
                level: Some(host.level),
                registries: registries.collect(),
                sign_in: host.sign_in,
                ..Discovered::new(location, Place::Server)
            });
        }
        self.look_for_others(location)
    }

    /// What other programs ask.
    fn look_for_others(&self, location: String) -> Result<Discovered, ReachError> {
        let packages = self.document::<std::collections::BTreeMap<String, Vec<String>>>("all-packages")?;
        if packages.is_some_and(|packages| packages.keys().all(|name| name.matches('/').count() == 1)) {
            let can = vec!["nothing yet: Weir does not read the registries of Elm's own protocol".to_owned()];
            return Ok(Discovered { can, ..Discovered::new(location, Place::Elm) });
        }
        let oci = self.ask("v2/")?;
        let is_oci =
            oci.header("docker-distribution-api-version").is_some_and(|api| api.contains("registry/2"));
        let is_there = (200..300).contains(&self.ask("")?.status);
        Ok(match (is_oci, is_there) {
            (true, _) => {
                let can = vec!["nothing: it has containers, and no packages of Weir".to_owned()];
                Discovered { can, ..Discovered::new(location, Place::Oci) }
            }
            (false, true) => Discovered::new(location, Place::Other),
            (false, false) => Discovered::new(location, Place::Nothing),
        })
    }

    /// What the host of a registry says of itself.
    fn host_above(&self) -> Result<Option<Host>, ReachError> {
        match self.base.above() {
            Some(base) => {
                let Self { client, credential, .. } = self;
                Self { base, client: client.clone(), credential: credential.clone() }
                    .document(".well-known/weir")
            }
            None => Ok(None),
        }
    }

    /// A document of the form that is looked for, if there is one.
    fn document<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ReachError> {
        let reply = self.ask(path)?;
        Ok(Some(reply)
            .filter(|reply| reply.status == 200)
            .and_then(|reply| serde_json::from_slice(&reply.body).ok()))
    }

    fn ask(&self, path: &str) -> Result<Reply, ReachError> {
        let url = if path.is_empty() { Ok(self.base.clone()) } else { self.base.below(path) };
        let url = url.map_err(|error| ReachError::BadAddress {
            address: self.base.to_string(),
            reason: error.to_string(),
        })?;
        let credential = self.credential.as_ref();
        let message = Message {
            method: Method::Get,
            url,
            credential,
            headers: Vec::new(),
            body: &[],
            repeatable: true,
        };
        Ok(self.client.exchange(&message)?)
    }
}

fn described(location: String, is: Place, descriptor: Descriptor) -> Discovered {
    Discovered {
        name: Some(descriptor.name),
        level: Some(descriptor.level),
        features: descriptor.features,
        kinds: descriptor.kinds,
        keys: descriptor.keys,
        policy: descriptor.policy,
        ..Discovered::new(location, is)
    }
}

impl Discovered {
    fn new(location: String, is: Place) -> Self {
        Self {
            location,
            is,
            can: Vec::new(),
            name: None,
            level: None,
            features: Vec::new(),
            kinds: Vec::new(),
            limits: None,
            keys: Vec::new(),
            policy: None,
            sign_in: Vec::new(),
            registries: Vec::new(),
        }
    }
}
