//! What a server adds to the policy of a registry: where a folder has owners and modes of files, a server has accounts.

use weir_policy::{Decision, Gate, Principal, Request, Verb};
use weir_wire::ADMINISTRATORS;

/// The policy of a registry behind a server: nobody changes anything who has not signed in, and only administrators look after
/// the registry itself.
pub(crate) struct ServerGate {
    registry: Box<dyn Gate>,
}

impl ServerGate {
    /// Adds to the policy `registry`.
    pub(crate) fn over(registry: Box<dyn Gate>) -> Self {
        Self { registry }
    }
}

impl Gate for ServerGate {
    fn decide(&self, request: &Request<'_>) -> Decision {
        let refused = |policy: &'static str, reason: &str| Decision {
            allowed: false,
            policy: policy.into(),
            reason: reason.to_owned(),
        };
        match (request.verb, request.caller.principal()) {
            (Verb::Read, _) => self.registry.decide(request),
            (_, Principal::Anonymous) => {
                refused("server-sign-in", "who changes a registry must have signed in")
            }
            (Verb::Collect | Verb::Describe, who) if !who.is(&format!("group:{ADMINISTRATORS}")) => {
                refused("server-administrators", "only administrators look after the registry itself")
            }
            _ => self.registry.decide(request),
        }
    }
}
