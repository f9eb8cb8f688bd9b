//! The registries above one: naming, showing and forgetting them, for a registry in a folder and for one that a server serves.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use weir_cedar::FolderPolicies;
use weir_index::{Cursor, HeldRelease, RegistryFacts, Stats};
use weir_model::address::{holds_secret, without_secrets};
use weir_model::record::Upstream;
use weir_policy::Caller;
use weir_registry::{
    Registrar, Replica, ReplicaError, SubmitError, UpstreamAddresses, check_upstream, folder_ports,
};
use weir_wire::upstream::{UpstreamChange, UpstreamDocument, WantedUpstream};

use crate::ask::must_go_on;
use crate::connect::{Connection, connect, open_remote};
use crate::error::{Offline, ReachError};
use crate::foreign::{self, is_foreign, transcript_of};
use crate::policy::WhichRegistry;
use crate::registries::{KnownRegistry, check_scheme, is_http, location};
use crate::session::Session;

/// The registries above one, the nearest first.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Upstreams {
    /// The registry, by its own name.
    pub registry: String,
    /// Those above it.
    pub upstreams: Vec<UpstreamDocument>,
}

/// What there is to know of a registry above another.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ShownUpstream {
    /// The registry below it, by its own name.
    pub registry: String,
    /// What the lower one says of it.
    pub upstream: UpstreamDocument,
    /// Up to where the lower one's log has admitted from it, if it ever did.
    pub admitted_to: Option<Cursor>,
    /// Entries of its log now; nothing where it is not reached from here.
    pub records: Option<u64>,
    /// How much there is in it.
    pub stats: Option<Stats>,
    /// The registries above it in turn.
    pub above: Vec<String>,
    /// Why it is not reached from here.
    pub unreached: Option<String>,
    /// Of one that is none of Weir's, what vouches for what it says.
    pub trust: Option<String>,
}

/// The registries above one.
///
/// # Errors
///
/// When the registry is not reached or not believed, or what it says of its upstreams cannot be read.
pub fn upstreams(session: &Session, which: WhichRegistry<'_>) -> Result<Upstreams, ReachError> {
    let connection = connect(session, &which.find(session)?)?;
    let upstreams = upstreams_of(session, &connection)?;
    Ok(Upstreams { registry: connection.replica.name().to_owned(), upstreams })
}

/// The registries above one that is connected. Addresses are told by whoever keeps it: of one that is served as plain files, or to
/// whom nobody has signed in, they are not known.
///
/// # Errors
///
/// When what it says of them cannot be read.
pub fn upstreams_of(session: &Session, connection: &Connection) -> Result<Vec<UpstreamDocument>, ReachError> {
    let facts = connection.replica.index().facts()?;
    if facts.upstreams().is_empty() {
        return Ok(Vec::new());
    }
    let location = &connection.known.location;
    if !is_http(location) {
        return upstreams_in(&facts, Path::new(location));
    }
    let nothing_said = || documents(&facts, &UpstreamAddresses::default());
    if session.offline {
        return Ok(nothing_said());
    }
    let told = open_remote(session, location).ok().and_then(|remote| remote.upstreams().ok());
    let Some(told) = told else { return Ok(nothing_said()) };
    // The log counts: what the server says beside it is only where they are.
    let mut known = nothing_said();
    for document in &mut known {
        let same = told.upstreams.iter().find(|other| other.name == document.name);
        document.address = same.and_then(|same| same.address.clone());
    }
    Ok(known)
}

/// The registries above the one in the folder `root`, of which its log says `facts`.
///
/// # Errors
///
/// When the file with their addresses cannot be used.
pub fn upstreams_in(facts: &RegistryFacts, root: &Path) -> Result<Vec<UpstreamDocument>, ReachError> {
    Ok(documents(facts, &UpstreamAddresses::read(root)?))
}

/// A registry above one, as it was last seen from this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenUpstream {
    /// Which one.
    pub upstream: UpstreamDocument,
    /// Up to which entry of its log the one below has admitted, if it ever did.
    pub admitted_to: Option<u64>,
    /// What was last known of it; nothing where it was never reached from here.
    pub seen: Option<LastSeen>,
}

/// What was last known of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSeen {
    /// Entries of its log.
    pub records: u64,
    /// When that was signed.
    pub signed: Option<Timestamp>,
    /// The registries above it in turn.
    pub above: Vec<String>,
}

/// The registries above the one in the folder `root`, and what is known of them, without asking any.
///
/// # Errors
///
/// When the file with their addresses cannot be used.
pub fn upstreams_seen(
    session: &Session,
    facts: &RegistryFacts,
    root: &Path,
) -> Result<Vec<SeenUpstream>, ReachError> {
    let seen = |upstream: UpstreamDocument| SeenUpstream {
        admitted_to: facts.cursor(&upstream.name).map(|cursor| cursor.size),
        seen: last_seen(session, &upstream),
        upstream,
    };
    Ok(upstreams_in(facts, root)?.into_iter().map(seen).collect())
}

/// What is known of an upstream without asking. What cannot be read is as good as not known: it is only told.
fn last_seen(session: &Session, upstream: &UpstreamDocument) -> Option<LastSeen> {
    let location = upstream.address.as_deref()?;
    let replica = Replica::offline(&session.home.replicas(), location, Some(&upstream.key)).ok()?;
    let facts = replica.index().facts().ok()?;
    let checkpoint = replica.checkpoint()?;
    Some(LastSeen {
        records: checkpoint.size(),
        signed: checkpoint.time(),
        above: facts.upstreams().iter().map(|above| above.name.clone()).collect(),
    })
}

fn documents(facts: &RegistryFacts, addresses: &UpstreamAddresses) -> Vec<UpstreamDocument> {
    facts.upstreams().iter().map(|above| document(above, addresses)).collect()
}

fn document(above: &Upstream, addresses: &UpstreamAddresses) -> UpstreamDocument {
    UpstreamDocument {
        name: above.name.clone(),
        address: addresses.of(&above.name).map(str::to_owned),
        key: above.key.clone(),
        mode: above.mode,
        only: above.only.clone(),
    }
}

/// What a registry keeps out of what is above it.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HeldReleases {
    /// The registry, by its own name.
    pub registry: String,
    /// Each release that is held, by name; at most 10,000.
    pub held: Vec<HeldRelease>,
}

/// What a registry keeps out of what is above it, as its log says.
///
/// # Errors
///
/// When the registry is not reached or not believed.
pub fn registry_held(session: &Session, which: WhichRegistry<'_>) -> Result<HeldReleases, ReachError> {
    const MOST: usize = 10_000;
    let connection = connect(session, &which.find(session)?)?;
    let held = connection.replica.index().held(MOST)?;
    Ok(HeldReleases { registry: connection.replica.name().to_owned(), held })
}

/// An upstream, as a registry that can be connected; `root` is the folder of the registry below, if it is in one. Of an upstream that is
/// none of Weir's it is the transcript, which is there.
///
/// # Errors
///
/// [`ReachError::NoAddress`] when nobody has said where it is; [`ReachError::NotWeirs`] when it is none of Weir's, and its transcript is
/// elsewhere.
pub fn known_upstream(
    registry: &str,
    above: &UpstreamDocument,
    root: Option<&Path>,
) -> Result<KnownRegistry, ReachError> {
    let address = above.address.as_ref().ok_or_else(|| ReachError::NoAddress {
        registry: registry.to_owned(),
        upstream: above.name.clone(),
    })?;
    let location = match (is_foreign(address), root) {
        (false, _) => address.clone(),
        (true, Some(root)) => transcript_of(root, address).display().to_string(),
        (true, None) => {
            let reason = "what it has is read where the registry below it is".into();
            return Err(ReachError::NotWeirs { location: address.clone(), reason });
        }
    };
    Ok(known_at(above.name.clone(), location, Some(above.key.clone())))
}

fn known_at(name: String, location: String, key: Option<String>) -> KnownRegistry {
    let from = weir_registry::UPSTREAMS_FILE.to_owned();
    KnownRegistry { name, location, key, default: false, aliases: std::collections::BTreeMap::new(), from }
}

/// The upstreams that are none of Weir's of the registry in the folder `root`, each with what vouches for what it says.
///
/// # Errors
///
/// When the file with their addresses cannot be used.
pub(crate) fn unsigned_above(
    session: &Session,
    facts: &RegistryFacts,
    root: &Path,
) -> Result<Vec<String>, ReachError> {
    let mut unsigned = Vec::new();
    for above in upstreams_in(facts, root)? {
        let Some(address) = above.address.filter(|address| is_foreign(address)) else { continue };
        let transcript = transcript_of(root, &address).display().to_string();
        if let Some(foreign) = foreign::Above::of_transcript(session, &transcript)? {
            unsigned.push(format!("`{}` at {address}: {}", above.name, foreign.trust()));
        }
    }
    Ok(unsigned)
}

/// One of them, and how it stands.
///
/// # Errors
///
/// Those of [`upstreams`]; [`SubmitError::UnknownUpstream`] when there is none of that name.
pub fn upstream_show(
    session: &Session,
    which: WhichRegistry<'_>,
    name: &str,
) -> Result<ShownUpstream, ReachError> {
    let connection = connect(session, &which.find(session)?)?;
    let registry = connection.replica.name().to_owned();
    let facts = connection.replica.index().facts()?;
    let upstreams = upstreams_of(session, &connection)?;
    let upstream = upstreams
        .iter()
        .find(|above| above.name == name)
        .cloned()
        .ok_or_else(|| unknown(&registry, name, facts.upstreams()))?;
    let admitted_to = facts.cursor(name).cloned();
    let root = (!is_http(&connection.known.location)).then(|| Path::new(&connection.known.location));
    let mut shown = ShownUpstream {
        registry,
        upstream,
        admitted_to,
        records: None,
        stats: None,
        above: Vec::new(),
        unreached: None,
        trust: None,
    };
    let reached =
        known_upstream(&shown.registry, &shown.upstream, root).and_then(|known| connect(session, &known));
    match reached {
        Ok(above) => {
            shown.unreached = must_go_on(&facts, name, &above).err().map(|error| error.to_string());
            let foreign = foreign::Above::of_transcript(session, &above.known.location)?;
            shown.trust = foreign.map(|foreign| foreign.trust());
            let stats = above.replica.index().stats()?;
            shown.records = Some(stats.records);
            shown.stats = Some(stats);
            let facts = above.replica.index().facts()?;
            shown.above = facts.upstreams().iter().map(|above| above.name.clone()).collect();
        }
        Err(error) => shown.unreached = Some(error.to_string()),
    }
    Ok(shown)
}

fn unknown(registry: &str, name: &str, there: &[Upstream]) -> SubmitError {
    SubmitError::UnknownUpstream {
        registry: registry.to_owned(),
        name: name.to_owned(),
        there: there.iter().map(|above| above.name.clone()).collect(),
    }
}

/// Changes the registries above one; gives the list in force then.
///
/// # Errors
///
/// When the one to be named is not reached, not believed, or cannot be above this one; when there is none of the name; when one may
/// not, or something cannot be written.
pub fn upstream_change(
    session: &Session,
    which: WhichRegistry<'_>,
    change: &UpstreamChange,
) -> Result<Upstreams, ReachError> {
    let known = which.find(session)?;
    if session.offline {
        return Err(Offline::needs(format!("asking the registry {}", known.location)).into());
    }
    if let UpstreamChange::Add(WantedUpstream { key: Some(key), .. }) = change {
        weir_registry::parse_keys(std::slice::from_ref(key))?;
    }
    if is_http(&known.location) {
        let told = open_remote(session, &known.location)?.change_upstreams(change)?;
        let connection = connect(session, &known)?;
        return Ok(Upstreams { registry: connection.replica.name().to_owned(), upstreams: told.upstreams });
    }
    let root = PathBuf::from(&known.location);
    if !root.is_dir() {
        return Err(ReplicaError::NoRegistry(known.location).into());
    }
    let change = match change {
        UpstreamChange::Add(wanted) => {
            let address = location(&wanted.address, which.folder);
            UpstreamChange::Add(WantedUpstream { address, ..wanted.clone() })
        }
        remove @ UpstreamChange::Remove { .. } => remove.clone(),
    };
    let registrar = folder_registrar(session, &root)?;
    let caller = Caller::new(session.principal.clone(), session.now);
    change_upstreams(session, &registrar, &root, &caller, &change)
}

/// What writes to the registry in the folder `root`.
pub(crate) fn folder_registrar(session: &Session, root: &Path) -> Result<Arc<Registrar>, ReachError> {
    let ports = folder_ports(root, &session.home.keys())?;
    let gate = Box::new(FolderPolicies::open(root));
    Ok(Arc::new(Registrar::open(ports, &session.home.replicas(), gate)?))
}

/// Changes the registries above the one that `registrar` writes to, and that is kept in the folder `root`.
///
/// # Errors
///
/// Those of [`upstream_change`].
pub fn change_upstreams(
    session: &Session,
    registrar: &Registrar,
    root: &Path,
    caller: &Caller,
    change: &UpstreamChange,
) -> Result<Upstreams, ReachError> {
    let facts = registrar.facts(caller)?;
    let registry = facts.name.clone().unwrap_or_default();
    let addresses = UpstreamAddresses::read(root)?;
    let (list, addresses) = match change {
        UpstreamChange::Add(wanted) => {
            let (met, is_another) = meet(session, &facts, root, wanted)?;
            let instead = is_another.then(|| met.name.clone());
            let addresses = addresses.with(&met.name, Some(wanted.address.trim_end_matches('/')));
            let first = wanted.first;
            let is_meant = wanted.key.is_some();
            let put = |list: Vec<Upstream>| {
                let another = list.iter().find(|above| above.name == met.name && above.key != met.key);
                match another.filter(|_| !is_meant) {
                    Some(above) => Err(SubmitError::NoUpstream {
                        upstream: met.name.clone(),
                        registry: registry.clone(),
                        reason: format!(
                            "another registry of that name is above it already, with the key {}; `--key {}` says that this one is meant",
                            above.key, met.key
                        ),
                    }),
                    None => Ok(with(list, met.clone(), first)),
                }
            };
            let list =
                registrar.set_upstreams(caller, &put, &mut |_| addresses.write(root), instead.as_deref())?;
            (list, addresses)
        }
        UpstreamChange::Remove { name } => {
            let addresses = addresses.with(name, None);
            let take = |mut list: Vec<Upstream>| {
                let there = list.len();
                let known = list.clone();
                list.retain(|above| above.name != *name);
                if list.len() == there { Err(unknown(&registry, name, &known)) } else { Ok(list) }
            };
            (registrar.set_upstreams(caller, &take, &mut |_| addresses.write(root), None)?, addresses)
        }
    };
    let upstreams = list.iter().map(|above| document(above, &addresses)).collect();
    Ok(Upstreams { registry, upstreams })
}

/// Meets a registry that is to be above another: it is reached, and believed from now on. With it comes whether it takes the place of another
/// of its name, from which something was admitted.
fn meet(
    session: &Session,
    facts: &RegistryFacts,
    root: &Path,
    wanted: &WantedUpstream,
) -> Result<(Upstream, bool), ReachError> {
    let registry = facts.name.as_deref().unwrap_or_default();
    if !is_foreign(&wanted.address) {
        check_scheme(&wanted.address)?;
    }
    if holds_secret(&wanted.address) {
        let reason = "it holds a user or a password, which would be kept for all to read".into();
        let address = without_secrets(&wanted.address).into_owned();
        return Err(ReachError::BadAddress { address, reason });
    }
    if let Some(key) = &wanted.key {
        weir_registry::parse_keys(std::slice::from_ref(key))?;
    }
    let location = match foreign::Above::meet(session, root, &wanted.address)? {
        Some(foreign) => foreign.transcript().display().to_string(),
        None => wanted.address.clone(),
    };
    let known = known_at(wanted.address.clone(), location, wanted.key.clone());
    let above = connect(session, &known)?;
    let name = above.replica.name().to_owned();
    check_upstream(registry, &name, &above.replica.index().facts()?)?;
    refuse_circle(session, registry, &above)?;
    let key = above.replica.keys().keys().first().map(ToString::to_string).unwrap_or_default();
    let is_another = match facts.cursor(&name) {
        Some(before) => !above.replica.went_through(&*above.source, before.size, before.root)?,
        None => false,
    };
    if is_another && wanted.key.is_none() {
        return Err(another(facts, name, &key));
    }
    let key = wanted.key.clone().unwrap_or(key);
    let met = Upstream { name, key, mode: wanted.mode, only: wanted.only.clone() };
    Ok((met, is_another))
}

/// What is told of a registry that has the name of one that was above before, and is not that one: owners are bound to the name, and would come
/// from whoever has it now.
fn another(facts: &RegistryFacts, name: String, key: &str) -> ReachError {
    let reason = format!(
        "another registry of that name was above it before, and what came from there is bound to the name; `--key {key}` says that this one is to have it from now on"
    );
    let registry = facts.name.clone().unwrap_or_default();
    SubmitError::NoUpstream { upstream: name, registry, reason }.into()
}

/// Refuses a registry that the one it is to be above is above itself, through others. Those in folders are looked through, and of those
/// on servers what their logs name: an address that a server tells is not followed. A circle that cannot be seen like this is found
/// when somebody asks through it.
fn refuse_circle(session: &Session, registry: &str, above: &Connection) -> Result<(), ReachError> {
    let name = above.replica.name().to_owned();
    let mut seen = BTreeSet::from([name.clone()]);
    let mut waiting = Vec::new();
    let further_up = |connection: &Connection| -> Result<Vec<UpstreamDocument>, ReachError> {
        let facts = connection.replica.index().facts()?;
        match is_http(&connection.known.location) {
            true => Ok(documents(&facts, &UpstreamAddresses::default())),
            false => upstreams_in(&facts, Path::new(&connection.known.location)),
        }
    };
    waiting.extend(further_up(above)?);
    while let Some(next) = waiting.pop() {
        if next.name == registry {
            let reason = "it is below this one itself, through others, and registries stand above one another in no circle";
            let registry = registry.to_owned();
            return Err(SubmitError::NoUpstream { upstream: name, registry, reason: reason.into() }.into());
        }
        if seen.len() < MOST_LOOKED_INTO && seen.insert(next.name.clone()) {
            // A foreign one has nothing above it.
            let connected = known_upstream(registry, &next, None).and_then(|known| connect(session, &known));
            // One that is not reached shows nothing.
            waiting.extend(connected.and_then(|connected| further_up(&connected)).unwrap_or_default());
        }
    }
    Ok(())
}

/// So many registries further up are looked into for a circle.
const MOST_LOOKED_INTO: usize = 64;

/// A list with one more, or with one that is in it already as it is now.
fn with(mut list: Vec<Upstream>, one: Upstream, first: bool) -> Vec<Upstream> {
    let there = list.iter().position(|above| above.name == one.name);
    let at = match (first, there) {
        (true, _) => 0,
        (false, Some(there)) => there,
        (false, None) => list.len(),
    };
    list.retain(|above| above.name != one.name);
    list.insert(at, one);
    list
}
