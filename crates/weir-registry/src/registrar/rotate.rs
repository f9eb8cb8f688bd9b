//! A new key: the old one signs for it, and stays.

use weir_log::{Signers, TrustedKeys, VerifyingKey};
use weir_model::Action;
use weir_model::descriptor::Descriptor;
use weir_model::record::Description;
use weir_policy::Authorized;

use super::{Registrar, Writer, stamp};
use crate::error::SubmitError;
use crate::ports::Entry;

impl Registrar {
    /// Gives the registry a new key. All keys stay where they are kept, so a crash in between loses none: readers always find
    /// a chain from the key they know to one that signs, and rotating again completes it.
    pub(crate) fn rotate_key(&self, permit: &Authorized) -> Result<Descriptor, SubmitError> {
        let mut writer = self.writer()?;
        let trusted = writer.replica.keys().clone();
        let keys = &self.ports.keys;
        // Several may be trusted; the one that is kept here vouches.
        let old = kept(&keys.signers(trusted.keys())?);
        let new = keys.generate(permit, trusted.origin())?;
        let note = keys.vouch(permit, &old, &new)?;
        let description = Description { keys: Some(vec![new.to_string()]), ..Description::default() };
        let batch = ulid::Ulid::generate().to_string();
        writer.append(permit, &[Entry::new(permit, &batch, Action::Describe(description))?])?;
        let mut descriptor = writer.replica.descriptor().clone();
        let Writer { turn, replica, promises } = writer;
        drop(turn);
        let signers: Signers = keys.signers(&[old.clone(), new.clone()])?;
        let turn = self.ports.sequencer.turn(signers, &TrustedKeys::new([old])?)?;
        let mut writer = Writer { turn, replica, promises };
        let stamp = stamp(permit.at(), &writer.promises);
        writer.sign(permit, &stamp)?;
        descriptor.keys = vec![new.to_string()];
        descriptor.rotations.push(note);
        self.ports.sequencer.describe(permit, &descriptor)?;
        Ok(descriptor)
    }
}

fn kept(signers: &Signers) -> VerifyingKey {
    signers.trusted().keys().first().expect("a set of signers is never empty").clone()
}
