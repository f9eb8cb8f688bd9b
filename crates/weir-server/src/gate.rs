//! What a server adds to the policy of a registry: where a folder has owners and modes of files, a server has accounts.

use weir_cedar::FolderPolicies;
use weir_fs::Folder;
use weir_model::Sha256;
use weir_policy::{Decision, Gate, OtherPolicies, Principal, Request, Verb};
use weir_wire::ADMINISTRATORS;

/// The rule of a folder without a set of its own, by which whoever can write it may do anything. Behind a server nobody can: it
/// permits what a member of a team may, and no more.
const FOLDER_WRITE: &str = "folder-write";

/// The policy of a registry behind a server: its own set, or that of a folder. Nobody changes anything who has not signed in, whatever
/// the set says.
pub(crate) struct ServerGate {
    registry: FolderPolicies,
}

impl ServerGate {
    /// That of the registry in `folder`.
    pub(crate) fn open(folder: &Folder) -> Self {
        Self { registry: FolderPolicies::open(folder.path()) }
    }
}

impl Gate for ServerGate {
    fn decide(&self, request: &Request<'_>) -> Decision {
        let refused = |policy: &'static str, reason: &str| Decision {
            allowed: false,
            policy: policy.into(),
            reason: reason.to_owned(),
        };
        let who = request.caller.principal();
        if request.verb != Verb::Read && *who == Principal::Anonymous {
            return refused("server-sign-in", "who changes a registry must have signed in");
        }
        let decision = self.registry.decide(request);
        let governs = matches!(request.verb, Verb::Collect | Verb::Describe | Verb::Govern);
        let is_administrator = || who.is(&format!("group:{ADMINISTRATORS}"));
        if decision.allowed && governs && decision.policy == FOLDER_WRITE && !is_administrator() {
            return refused("server-administrators", "only administrators look after the registry itself");
        }
        decision
    }

    fn wants_approvals(&self, request: &Request<'_>) -> bool {
        *request.caller.principal() != Principal::Anonymous && self.registry.wants_approvals(request)
    }

    fn follow(&self, in_force: Option<&Sha256>) -> Result<(), OtherPolicies> {
        self.registry.follow(in_force)
    }
}

/// Many ask the same gate.
pub(crate) struct Shared(pub(crate) std::sync::Arc<ServerGate>);

impl Gate for Shared {
    fn decide(&self, request: &Request<'_>) -> Decision {
        self.0.decide(request)
    }

    fn wants_approvals(&self, request: &Request<'_>) -> bool {
        self.0.wants_approvals(request)
    }

    fn follow(&self, in_force: Option<&Sha256>) -> Result<(), OtherPolicies> {
        self.0.follow(in_force)
    }
}
