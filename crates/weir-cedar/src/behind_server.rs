//! What a server adds to the policy of a registry: where a folder has owners and modes of files, a server has accounts.
//!
//! The server decides by it, and whoever asks what it would decide is told by it.

use weir_policy::{Decision, Principal, Request, Verb};

use crate::explain::Explanation;
use crate::set::PolicySet;

/// The rule of a folder without a set of its own, by which whoever can write it may do anything. Behind a server nobody can: it
/// permits what a member of a team may, and no more.
const FOLDER_WRITE: &str = "folder-write";

/// What is decided behind a server whose governing group is `administrators`, where `by_policy` is what the registry's policy says.
/// Nobody changes anything who has not signed in, whatever that is.
pub fn behind_server(
    request: &Request<'_>,
    administrators: &str,
    by_policy: impl FnOnce() -> Decision,
) -> Decision {
    let who = request.caller.principal();
    if request.verb != Verb::Read && *who == Principal::Anonymous {
        return refused("server-sign-in", "who changes a registry must have signed in");
    }
    let decision = by_policy();
    let governs = matches!(request.verb, Verb::Collect | Verb::Describe | Verb::Advise | Verb::Govern);
    let is_administrator = || who.is(&format!("group:{administrators}"));
    if decision.allowed && governs && decision.policy == FOLDER_WRITE && !is_administrator() {
        return refused("server-administrators", "only administrators look after the registry itself");
    }
    decision
}

fn refused(policy: &'static str, reason: &str) -> Decision {
    Decision { allowed: false, policy: policy.into(), reason: reason.to_owned() }
}

impl PolicySet {
    /// Decides as a server does whose governing group is `administrators`, and says why in full. Where a rule of the server decides,
    /// none of the set does.
    pub fn explain_behind_server(&self, request: &Request<'_>, administrators: &str) -> Explanation {
        let explained = self.explain(request);
        let by_policy = || Decision {
            allowed: explained.allowed,
            policy: explained.rule.clone().into(),
            reason: explained.reason.clone(),
        };
        let Decision { allowed, policy, reason } = behind_server(request, administrators, by_policy);
        if policy == explained.rule {
            return explained;
        }
        Explanation {
            allowed,
            rule: policy.into_owned(),
            reason,
            deciding: Vec::new(),
            failed: explained.failed,
            nearest: Vec::new(),
        }
    }
}
