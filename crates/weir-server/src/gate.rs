//! What a server adds to the policy of a registry: where a folder has owners and modes of files, a server has accounts.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use weir_cedar::{FolderPolicies, PolicySet, behind_server};
use weir_fs::Folder;
use weir_model::Sha256;
use weir_policy::{Decision, Gate, OtherPolicies, Principal, Request, Target, Verb};
use weir_wire::ADMINISTRATORS;

/// The policy of a registry behind a server: its own set, or that of a folder. Nobody changes anything who has not signed in, whatever
/// the set says.
pub(crate) struct ServerGate {
    registry: FolderPolicies,
    reads: RwLock<Reads>,
}

/// Who may read, as it was decided by the set in force. Nearly every request asks it, and evaluating a set takes longer than all else
/// of a small answer.
#[derive(Default)]
struct Reads {
    /// Whether what is decided depends on the time. Where it does, it lasts a second.
    timed: bool,
    /// That second.
    at: Timestamp,
    in_force: Option<Sha256>,
    /// How often another set came into force: what was decided by one before is not to be remembered.
    turn: u64,
    decided: HashMap<Principal, Decision>,
}

/// So many are remembered, and then anew. A token can only narrow what somebody does beyond reading, so it makes no difference here.
const MOST_READERS: usize = 4096;

impl ServerGate {
    /// That of the registry in `folder`.
    pub(crate) fn open(folder: &Folder) -> Self {
        let registry = FolderPolicies::open(folder.path());
        let reads = Reads { timed: registry.asks_the_time(Verb::Read), ..Reads::default() };
        Self { registry, reads: RwLock::new(reads) }
    }

    /// Has a set ready that is about to be put in force.
    pub(crate) fn prepare(&self, set: PolicySet) {
        self.registry.prepare(set);
    }

    /// The set that decides, if the registry has one of its own.
    pub(crate) fn set(&self) -> Option<Arc<PolicySet>> {
        self.registry.set()
    }

    /// What `told` makes of the decision on who may read.
    fn decide_read<T>(&self, request: &Request<'_>, told: impl Fn(&Decision) -> T) -> T {
        let (who, at) = (request.caller.principal(), request.caller.at());
        let reads = self.reads.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(decision) = reads.decided.get(who).filter(|_| reads.last_until(at)) {
            return told(decision);
        }
        let turn = reads.turn;
        drop(reads);
        // Which rule came nearest takes long to find out, and who may not know of the registry would see by that that there is one.
        let decision = match self.registry.permits(request) {
            true => self.registry.decide(request),
            false => Decision {
                allowed: false,
                policy: "server-reading".into(),
                reason: "the policy does not let them read it".to_owned(),
            },
        };
        let mut reads = self.reads.write().unwrap_or_else(PoisonError::into_inner);
        if reads.turn == turn {
            if !reads.last_until(at) || reads.decided.len() >= MOST_READERS {
                reads.decided = HashMap::new();
            }
            reads.at = at;
            reads.decided.insert(who.clone(), decision.clone());
        }
        told(&decision)
    }
}

/// Whether it is asked who may read, which is remembered.
fn is_reading(request: &Request<'_>) -> bool {
    request.verb == Verb::Read && request.target == Target::Registry
}

impl Gate for ServerGate {
    fn decide(&self, request: &Request<'_>) -> Decision {
        if is_reading(request) {
            return self.decide_read(request, Decision::clone);
        }
        behind_server(request, ADMINISTRATORS, || self.registry.decide(request))
    }

    fn permits(&self, request: &Request<'_>) -> bool {
        if is_reading(request) {
            return self.decide_read(request, |decision| decision.allowed);
        }
        self.decide(request).allowed
    }

    fn wants_approvals(&self, request: &Request<'_>) -> bool {
        *request.caller.principal() != Principal::Anonymous && self.registry.wants_approvals(request)
    }

    fn forbids(&self, request: &Request<'_>) -> bool {
        self.registry.forbids(request)
    }

    fn follow(&self, in_force: Option<&Sha256>) -> Result<(), OtherPolicies> {
        // Reading a set can take long: who asks meanwhile is answered by the one before.
        let followed = self.registry.follow(in_force);
        let timed = self.registry.asks_the_time(Verb::Read);
        let mut reads = self.reads.write().unwrap_or_else(PoisonError::into_inner);
        if followed.is_err() || reads.in_force.as_ref() != in_force {
            let turn = reads.turn + 1;
            *reads = Reads { timed, in_force: in_force.copied(), turn, ..Reads::default() };
        }
        followed
    }
}

impl Reads {
    /// Whether what was decided is so still.
    fn last_until(&self, at: Timestamp) -> bool {
        !self.timed || self.at == at
    }
}

/// Many ask the same gate.
pub(crate) struct Shared(pub(crate) Arc<ServerGate>);

impl Gate for Shared {
    fn decide(&self, request: &Request<'_>) -> Decision {
        self.0.decide(request)
    }

    fn permits(&self, request: &Request<'_>) -> bool {
        self.0.permits(request)
    }

    fn wants_approvals(&self, request: &Request<'_>) -> bool {
        self.0.wants_approvals(request)
    }

    fn forbids(&self, request: &Request<'_>) -> bool {
        self.0.forbids(request)
    }

    fn follow(&self, in_force: Option<&Sha256>) -> Result<(), OtherPolicies> {
        self.0.follow(in_force)
    }
}
