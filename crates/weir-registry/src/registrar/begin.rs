//! A new registry.

use weir_index::RegistryFacts;
use weir_log::{Checkpoint, MAX_CHECKPOINT, Origin, Signers, TrustedKeys, VerifyingKey};
use weir_model::descriptor::{DESCRIPTOR_VERSION, Descriptor};
use weir_model::record::Description;
use weir_model::{Action, KindName};
use weir_policy::{Authorized, Caller, Gate, Request, Verb, authorize};

use super::{Registrar, stamp};
use crate::error::{OpenError, SubmitError};
use crate::ports::{Entry, PortError, Ports};
use crate::replica::{DESCRIPTOR, ReplicaHome};
use crate::trust::Pin;

/// What a new registry is to be.
#[derive(Debug, Clone)]
pub struct NewRegistry {
    /// Its name: the origin of its log.
    pub name: Origin,
    /// Whether it promises a closed world.
    pub closed: bool,
    /// The kinds of package it takes; all kinds where none is named.
    pub kinds: Vec<KindName>,
    /// For how many seconds a checkpoint is valid, if not for ever.
    pub validity: Option<u64>,
}

impl Registrar {
    /// Makes a registry with a key of its own. What an earlier attempt left that was cut short is no obstacle.
    ///
    /// # Errors
    ///
    /// When there is a registry already, or another's log, or something cannot be written.
    pub fn init(
        ports: &Ports,
        home: &ReplicaHome,
        gate: &dyn Gate,
        caller: &Caller,
        new: &NewRegistry,
    ) -> Result<Descriptor, SubmitError> {
        let permit = authorize(gate, Request::of_registry(caller, Verb::Describe))?;
        let source = ports.sequencer.source();
        if source.find(DESCRIPTOR).map_err(crate::ReplicaError::from)?.is_some() {
            return Err(OpenError::Exists(ports.location.clone()).into());
        }
        let key = match begun(ports, &new.name)? {
            Some(key) => key,
            None => ports.keys.generate(&permit, &new.name)?,
        };
        let signers = ports.keys.signers(&[key])?;
        begin_log(ports, &permit, &signers, new)?;
        let descriptor = new.descriptor(&signers);
        ports.sequencer.describe(&permit, &descriptor)?;
        let (location, keys) = (ports.location.clone(), descriptor.keys.clone());
        let pin = Pin { location, origin: descriptor.name.clone(), keys };
        home.trust.set(&pin).map_err(crate::ReplicaError::from)?;
        Ok(descriptor)
    }
}

/// The promises are in the log before there is a descriptor, by which the registry is found. An attempt that was cut short
/// may have said them before: what is said last counts.
fn begin_log(
    ports: &Ports,
    permit: &Authorized,
    signers: &Signers,
    new: &NewRegistry,
) -> Result<(), SubmitError> {
    let stamp = stamp(permit.at(), &RegistryFacts { validity: new.validity, ..RegistryFacts::default() });
    match ports.sequencer.create(permit, signers, &stamp) {
        Ok(()) | Err(PortError::Exists) => {}
        Err(error) => return Err(error.into()),
    }
    let trusted = signers.trusted();
    let mut turn = ports.sequencer.turn(signers.clone(), &trusted)?;
    let source = ports.sequencer.source();
    let note =
        source.read("checkpoint", MAX_CHECKPOINT).map_err(crate::ReplicaError::from)?.unwrap_or_default();
    let after = Checkpoint::verify(&note, &trusted).map_err(weir_log::WriteError::from)?;
    let batch = ulid::Ulid::generate().to_string();
    let entry = Entry::new(permit, &batch, Action::Describe(new.described()))?;
    turn.append(permit, &after, &[entry], &stamp)?;
    Ok(())
}

/// The key of a log that an attempt to make the registry has begun; it must be one of those kept here.
fn begun(ports: &Ports, name: &Origin) -> Result<Option<VerifyingKey>, SubmitError> {
    let source = ports.sequencer.source();
    let read = source.read("checkpoint", MAX_CHECKPOINT).map_err(crate::ReplicaError::from)?;
    let Some(note) = read else { return Ok(None) };
    for key in ports.keys.kept(name)? {
        if Checkpoint::verify(&note, &TrustedKeys::new([key.clone()])?).is_ok() {
            return Ok(Some(key));
        }
    }
    Err(OpenError::NotEmpty(ports.location.clone()).into())
}

impl NewRegistry {
    fn described(&self) -> Description {
        Description {
            name: Some(self.name.to_string()),
            closed: Some(self.closed),
            kinds: Some(self.kinds.clone()),
            validity: Some(self.validity.unwrap_or_default()),
            ..Description::default()
        }
    }

    fn descriptor(&self, signers: &Signers) -> Descriptor {
        Descriptor {
            weir: DESCRIPTOR_VERSION,
            level: 1,
            name: self.name.to_string(),
            url: None,
            keys: signers.trusted().keys().iter().map(ToString::to_string).collect(),
            rotations: Vec::new(),
            kinds: self.kinds.clone(),
            features: Vec::new(),
            policy: None,
            upstreams: Vec::new(),
            closed: self.closed,
            validity: self.validity,
        }
    }
}
