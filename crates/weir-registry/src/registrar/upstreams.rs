//! The registries above this one: named in the log, with whom to trust for them and what of them comes down.

use weir_model::record::{Description, Hold, Unhold, Upstream};
use weir_model::{Action, Sha256};
use weir_policy::{Caller, Verb};

use super::Registrar;
use crate::error::SubmitError;
use crate::ports::Entry;
use crate::replica::read_descriptor;

/// The most registries that one may have right above it.
const MOST: usize = 64;

impl Registrar {
    /// Has the registry name other upstreams: `change` makes the new list of the one in force, the nearest first, and `write` keeps
    /// where they are reached before the log names them. Gives the list in force then. `instead` is the name of a registry that takes the place of one of the
    /// same name from which something was admitted: it is looked through from its beginning.
    ///
    /// # Errors
    ///
    /// When the caller may not govern the registry, `change` refuses, or something cannot be written.
    pub fn set_upstreams(
        &self,
        caller: &Caller,
        change: &dyn Fn(Vec<Upstream>) -> Result<Vec<Upstream>, SubmitError>,
        write: &mut dyn FnMut(&[Upstream]) -> std::io::Result<()>,
        instead: Option<&str>,
    ) -> Result<Vec<Upstream>, SubmitError> {
        let mut writer = self.writer()?;
        let permit = self.permit(caller, Verb::Govern)?;
        let before = writer.promises.upstreams().to_vec();
        let after = change(before.clone())?;
        if after.len() > MOST {
            return Err(SubmitError::NoUpstream {
                upstream: after.last().map(|last| last.name.clone()).unwrap_or_default(),
                registry: writer.promises.name.clone().unwrap_or_default(),
                reason: format!("a registry has at most {MOST}"),
            });
        }
        write(&after)?;
        self.fault("upstreams:written");
        let begins_anew = instead.map(looked_through_to_nothing);
        if after != before || begins_anew.is_some() {
            let description = Description { upstreams: Some(after.clone()), ..Description::default() };
            let batch = ulid::Ulid::generate().to_string();
            let mut entries = vec![Entry::new(&permit, &batch, Action::Describe(description))?];
            if let Some(action) = begins_anew {
                entries.push(Entry::new(&permit, &batch, action)?);
            }
            // What was held of a registry that is above no longer is waited for by nobody.
            for held in writer.replica.index().held(usize::MAX)? {
                let Hold { id, registry, .. } = held.hold;
                if after.iter().all(|above| above.name != registry) {
                    let reason = "that registry is above this one no longer".into();
                    entries.push(Entry::new(
                        &permit,
                        &batch,
                        Action::Unhold(Unhold { id, registry, reason }),
                    )?);
                }
            }
            writer.append(&permit, &entries)?;
        }
        let mut descriptor = read_descriptor(&*self.source())?;
        let names: Vec<String> = after.iter().map(|above| above.name.clone()).collect();
        if descriptor.upstreams != names {
            descriptor.upstreams = names;
            self.ports.sequencer.describe(&permit, &descriptor)?;
        }
        Ok(after)
    }
}

/// That nothing of a registry was looked through yet.
fn looked_through_to_nothing(registry: &str) -> Action {
    let root = Sha256::from_bytes(*weir_log::Hash::EMPTY.as_bytes());
    Action::Upstream { registry: registry.to_owned(), size: 0, root }
}
