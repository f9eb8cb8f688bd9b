//! Another policy set: in the log from here on, and where the gate reads it.

use weir_model::descriptor::PolicySummary;
use weir_model::{Action, Sha256};
use weir_policy::{Authorized, Caller, FolderGate, Request, Verb, authorize};

use super::Registrar;
use crate::error::SubmitError;
use crate::ports::Entry;
use crate::replica::read_descriptor;

/// What became of a policy set that was to be put in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPolicy {
    /// The digest of the set that was in force before, if there was one.
    pub before: Option<Sha256>,
    /// Whether it is another one now.
    pub changed: bool,
    /// The rule that permitted it.
    pub policy: String,
}

impl Registrar {
    /// Puts a set in force: `write` brings its files to where the gate reads them, the log names its digest, and the descriptor
    /// says so. It is asked of the set in force; where that cannot be known any more, because its files are others than the log
    /// names, it is as in a folder without policies: who has the key may do it.
    ///
    /// Cut short between the files and the log, it leaves a registry that refuses changes until it is done again.
    ///
    /// # Errors
    ///
    /// When the caller may not, or something cannot be written.
    pub fn set_policy(
        &self,
        caller: &Caller,
        set: &PolicySummary,
        write: &mut dyn FnMut() -> std::io::Result<()>,
    ) -> Result<SetPolicy, SubmitError> {
        let mut writer = self.turn(self.replica()?)?;
        let before = writer.promises.policy.as_ref().map(|(digest, _)| *digest);
        let permit = self.may_govern(caller, before.as_ref())?;
        write()?;
        self.fault("policy:written");
        let changed = before != Some(set.digest);
        if changed {
            let batch = ulid::Ulid::generate().to_string();
            let entry = Entry::new(&permit, &batch, Action::Policy { digest: set.digest })?;
            writer.append(&permit, &[entry])?;
        }
        let mut descriptor = read_descriptor(&*self.source())?;
        descriptor.policy = Some(set.clone());
        self.ports.sequencer.describe(&permit, &descriptor)?;
        Ok(SetPolicy { before, changed, policy: permit.decision().policy.clone().into_owned() })
    }

    fn may_govern(&self, caller: &Caller, in_force: Option<&Sha256>) -> Result<Authorized, SubmitError> {
        match self.gate.follow(in_force) {
            Ok(()) => self.permit(caller, Verb::Govern),
            Err(_) => Ok(authorize(&FolderGate, Request::of_registry(caller, Verb::Govern))?),
        }
    }
}
