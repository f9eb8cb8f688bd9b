//! Looking after registries: making, showing, auditing, renewing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use weir_cedar::{FolderPolicies, PolicyFiles};
use weir_fs::Folder;
use weir_index::{Claim, RegistryFacts, Stats};
use weir_log::{FolderSource, Source};
use weir_model::Sha256;
use weir_model::descriptor::Descriptor;
use weir_policy::{Caller, Decision, FolderGate, Gate, OtherPolicies, Request, Target, Verb};
use weir_registry::content::ContentFolder;
use weir_registry::{
    AuditStep, KeyFolder, Look, NewRegistry, OpenError, Registrar, Registry as _, RegistryAudit, Replica,
    SubmitError, audit, folder_ports, is_free,
};

use crate::connect::{address, connect, open_folder_by, open_for_writing, open_remote, source_of};
use crate::credentials::credential_for;
use crate::error::ReachError;
use crate::lower::Lower;
use crate::observe::{Amount, Event, Work};
use crate::registries::{ManifestRegistries, find, is_http};
use crate::session::Session;
use crate::upstream::{folder_registrar, unsigned_above};

/// A registry that was made.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct MadeRegistry {
    /// Where it is.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub folder: PathBuf,
    /// What it says of itself.
    pub descriptor: Descriptor,
    /// Where its key is.
    #[serde(serialize_with = "weir_model::path_text::path")]
    pub key: PathBuf,
}

/// Makes a registry in a folder.
///
/// # Errors
///
/// When there is something in the folder already, or files cannot be written.
pub fn registry_init(
    session: &Session,
    folder: &Path,
    new: &NewRegistry,
) -> Result<MadeRegistry, ReachError> {
    // One after the other: who comes second finds a registry, and not the half of one.
    let root = Folder::make(folder).map_err(std::io::Error::from)?;
    let _turn = root.lock(|| {}).map_err(std::io::Error::from)?;
    if !is_free(folder)? && !folder.join(weir_registry::DESCRIPTOR).exists() {
        return Err(SubmitError::from(OpenError::NotEmpty(folder.display().to_string())).into());
    }
    let keys = session.home.keys();
    let ports = folder_ports(folder, &keys)?;
    let caller = Caller::new(session.principal.clone(), session.now);
    let descriptor = Registrar::init(&ports, &session.home.replicas(), &FolderGate, &caller, new)?;
    let signed_by = weir_registry::parse_keys(&descriptor.keys).map_err(SubmitError::from)?;
    let key = KeyFolder::new(keys, &ports.location).path(&signed_by.keys()[0]);
    Ok(MadeRegistry { folder: fs_err::canonicalize(folder)?, descriptor, key })
}

/// What there is to know of a registry.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ShownRegistry {
    /// The name it is known by here.
    pub known_as: String,
    /// Where it is.
    pub location: String,
    /// What it says of itself.
    pub descriptor: Descriptor,
    /// The keys that are pinned for it.
    pub pinned: Vec<String>,
    /// Its newest checkpoint, as it is signed.
    pub checkpoint: String,
    /// When that was signed.
    pub signed_at: Option<jiff::Timestamp>,
    /// When it expires.
    pub expires: Option<jiff::Timestamp>,
    /// How much there is in it.
    pub stats: Stats,
    /// What its log says of it.
    pub facts: RegistryFacts,
    /// To whom owners belong.
    pub owners: Vec<Claim>,
    /// Whether this machine can write to it.
    pub can_write: bool,
}

/// Whether a registry over HTTP takes anything from here: it is a server's, and the user has signed in. Whether its policy permits it
/// is known when it is asked.
fn may_write_there(session: &Session, location: &str) -> Result<bool, ReachError> {
    if session.offline {
        return Ok(false);
    }
    Ok(credential_for(session, address(location)?.origin())?.is_some()
        && open_remote(session, location).is_ok())
}

/// Shows a registry.
///
/// # Errors
///
/// When it cannot be reached, or is not believed.
pub fn registry_show(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    which: Option<&str>,
    folder: &Path,
) -> Result<ShownRegistry, ReachError> {
    let known = find(session, project, which, folder)?;
    let mut connection = connect(session, &known)?;
    if !session.offline {
        // A registry that changes its keys signs with the old ones as well for a while: nothing but its description tells of the new ones.
        connection.replica.describe_again(&*connection.source)?;
    }
    let replica = &connection.replica;
    let checkpoint = replica.checkpoint();
    let keys = KeyFolder::new(session.home.keys(), &known.location);
    // All that is told is of one moment.
    let _reading = replica.index().reading()?;
    Ok(ShownRegistry {
        known_as: known.name,
        descriptor: replica.descriptor().clone(),
        pinned: replica.keys().keys().iter().map(ToString::to_string).collect(),
        checkpoint: checkpoint.map(|checkpoint| checkpoint.note().to_owned()).unwrap_or_default(),
        signed_at: checkpoint.and_then(weir_log::Checkpoint::time),
        expires: checkpoint.and_then(weir_log::Checkpoint::expires),
        stats: replica.index().stats()?,
        facts: replica.index().facts()?,
        owners: replica.index().owners()?,
        can_write: match is_http(&known.location) {
            true => may_write_there(session, &known.location)?,
            false => keys.has_any(replica.keys().keys()),
        },
        location: known.location,
    })
}

/// What is demanded of a registry.
#[derive(Debug, Clone, Copy, Default)]
pub struct Verify {
    /// Whether the bytes of its content are read also over HTTP.
    pub read: bool,
    /// Whether it must be closed even if it does not promise to be.
    pub closed: bool,
}

/// Recomputes a registry: its log, its view, its promises, and its content. Of one that is served over HTTP,
/// whether the content is there.
///
/// # Errors
///
/// When it cannot be audited at all. What is wrong with it is in the report.
pub fn registry_verify(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    which: Option<&str>,
    folder: &Path,
    how: Verify,
) -> Result<RegistryAudit, ReachError> {
    let known = find(session, project, which, folder)?;
    // What is looked at is as it is: only what is found to be damaged is brought from above again.
    let source: Arc<dyn Source> = match is_http(&known.location) {
        true => source_of(session, &known.location)?,
        false => Arc::new(FolderSource::new(&known.location)),
    };
    let replica = Replica::open(&session.home.replicas(), &known.location, &*source, known.key.as_deref())?;
    let folder = ContentFolder::new(&known.location);
    let look = match is_http(&known.location) {
        false => Look::Held(&folder),
        true if how.read => Look::Bytes,
        true => Look::Presence,
    };
    let observer = |step: &AuditStep| {
        session.report(&match *step {
            AuditStep::Begin { objects, bytes } => {
                Event::Began { work: Work::Verifying { objects }, amount: Amount::Bytes(bytes) }
            }
            AuditStep::Done { bytes } => Event::Advanced { by: bytes },
        });
    };
    let mut report = audit(&*source, replica.keys(), how.closed, look, &observer)?;
    if !report.problems.is_empty() && !is_http(&known.location) && !session.offline {
        let root = Path::new(&known.location);
        let registrar = folder_registrar(session, root)?;
        let caller = Caller::new(session.principal.clone(), session.now);
        let mended = Lower { session, registrar: &registrar, root, caller: &caller }.mend_all()?;
        if !mended.is_empty() {
            report = audit(&*source, replica.keys(), how.closed, look, &observer)?;
            report.mended = mended;
        }
    }
    // What was seen before must still be its beginning: an audit alone cannot know.
    let mut replica = replica;
    if let Err(error) = replica.sync(&*source, session.now) {
        report.problems.push(error.to_string());
    }
    if !is_http(&known.location) {
        let facts = replica.index().facts()?;
        report.unsigned = unsigned_above(session, &facts, Path::new(&known.location))?;
        let in_force = facts.policy;
        report
            .problems
            .extend(policy_differs(Path::new(&known.location), in_force.map(|(digest, _)| digest)));
    }
    Ok(report)
}

/// What of a registry's policy files is not as its log says.
fn policy_differs(root: &Path, in_force: Option<Sha256>) -> Option<String> {
    let files = match PolicyFiles::read(root) {
        Ok(files) => files,
        Err(error) => return Some(format!("the policy files cannot be read: {error}")),
    };
    let digest = files.digest();
    if digest == in_force {
        return None;
    }
    let told = |digest: Option<Sha256>| digest.map_or("none".into(), |digest| digest.to_string());
    Some(format!(
        "the policy files are the set {}, but the log says {}, which counts",
        told(digest),
        told(in_force)
    ))
}

/// Signs a registry's log anew, so that it does not expire.
///
/// # Errors
///
/// When the registry cannot be written to.
pub fn registry_renew(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    which: Option<&str>,
    folder: &Path,
) -> Result<String, ReachError> {
    let known = find(session, project, which, folder)?;
    let registry = open_for_writing(session, &known)?;
    Ok(registry.renew()?)
}

/// Gives a registry a new key.
///
/// # Errors
///
/// When the registry cannot be written to, or the old key is not here.
pub fn registry_rotate_key(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    which: Option<&str>,
    folder: &Path,
) -> Result<Descriptor, ReachError> {
    let known = find(session, project, which, folder)?;
    if is_http(&known.location) || session.offline {
        return Ok(open_for_writing(session, &known)?.rotate_key()?);
    }
    let policies = FolderPolicies::open(Path::new(&known.location));
    Ok(open_folder_by(session, &known, Box::new(ByKey(policies)))?.rotate_key()?)
}

/// The policy of a folder for whoever gives its registry a new key. Only who has the key that signs for it can, and no policy binds them:
/// they could write any other into the log. So none is asked for what has to be done in a hurry, when a key has leaked.
struct ByKey(FolderPolicies);

impl Gate for ByKey {
    fn decide(&self, request: &Request<'_>) -> Decision {
        match (request.verb, &request.target) {
            (Verb::Describe, Target::Registry) => Decision {
                allowed: true,
                policy: "key-holder".into(),
                reason: "whoever has the key of a registry says which one comes after it".into(),
            },
            _ => self.0.decide(request),
        }
    }

    fn follow(&self, in_force: Option<&Sha256>) -> Result<(), OtherPolicies> {
        self.0.follow(in_force)
    }
}

/// A registry whose key signs for it at another place from now on.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct BoundKey {
    /// Its name.
    pub name: String,
    /// Where the key signs now.
    pub place: String,
    /// Where it signed before.
    pub before: Vec<String>,
}

/// Where the keys of a registry in a folder sign, and where it is: what [`registry_bind`] would change.
///
/// # Errors
///
/// When it cannot be reached, is not in a folder, or this machine has no key of it.
pub fn registry_binding(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    which: Option<&str>,
    folder: &Path,
) -> Result<BoundKey, ReachError> {
    binding(session, project, which, folder, false)
}

/// Has the key of a registry sign at the place where the registry is, and no longer where it was made.
///
/// # Errors
///
/// As [`registry_binding`].
pub fn registry_bind(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    which: Option<&str>,
    folder: &Path,
) -> Result<BoundKey, ReachError> {
    binding(session, project, which, folder, true)
}

fn binding(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    which: Option<&str>,
    folder: &Path,
    carry_out: bool,
) -> Result<BoundKey, ReachError> {
    let known = find(session, project, which, folder)?;
    if is_http(&known.location) {
        return Err(ReachError::KeyElsewhere { location: known.location });
    }
    let source = source_of(session, &known.location)?;
    let replica = Replica::open(&session.home.replicas(), &known.location, &*source, known.key.as_deref())?;
    let keys = KeyFolder::new(session.home.keys(), &known.location);
    let trusted = replica.keys().keys();
    let before = if carry_out { keys.bind(trusted) } else { keys.places(trusted) };
    let before = before.map_err(SubmitError::from)?;
    Ok(BoundKey { name: replica.name().to_owned(), place: known.location, before })
}
