//! The built-in policies of a registry that is a folder.

use crate::{Decision, Gate, Request, Verb};

/// The policies of a plain folder: what the file system allows, except to act for an owner that
/// belongs to somebody else.
#[derive(Debug, Clone, Copy, Default)]
pub struct FolderGate;

impl Gate for FolderGate {
    fn decide(&self, request: &Request<'_>) -> Decision {
        if request.verb == Verb::Read {
            return Decision {
                allowed: true,
                policy: "folder-read".into(),
                reason: "whoever can read the folder may read the registry".into(),
            };
        }
        match &request.owner_belongs_to {
            Some(people) if !people.iter().any(|who| request.caller.principal().is(who)) => Decision {
                allowed: false,
                policy: "owner-claim".into(),
                reason: format!("the owner belongs to {}", people.join(", ")),
            },
            Some(_) => Decision {
                allowed: true,
                policy: "owner-claim".into(),
                reason: format!("the owner belongs to {}", request.caller.actor()),
            },
            None => Decision {
                allowed: true,
                policy: "folder-write".into(),
                reason: "whoever can write the folder and has its key may change the registry".into(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FolderGate;
    use crate::{Authorized, Caller, Denied, Principal, Request, Target, Verb, authorize};

    fn ask(name: &str, verb: Verb, people: Option<&[&str]>) -> Result<Authorized, Denied> {
        let caller = Caller::new(Principal::user(name), jiff::Timestamp::UNIX_EPOCH);
        let request = Request {
            caller: &caller,
            verb,
            target: Target::Release("acme/greet 1.0.0".parse().unwrap()),
            owner_belongs_to: people.map(|people| people.iter().map(|&p| p.to_owned()).collect()),
            release: None,
        };
        authorize(&FolderGate, request)
    }

    #[test]
    fn an_owner_nobody_claimed_is_open_to_whoever_can_write_the_folder() {
        let permission = ask("ann", Verb::Publish, None).unwrap();
        assert_eq!((permission.actor(), &*permission.decision().policy), ("user:ann", "folder-write"));
    }

    #[test]
    fn a_claimed_owner_is_closed_to_others_and_the_refusal_says_whose_it_is() {
        let denied = ask("bob", Verb::Publish, Some(&["user:ann"])).unwrap_err();
        assert_eq!(
            denied.to_string(),
            "`user:bob` may not publish `acme/greet 1.0.0`: the owner belongs to user:ann (policy `owner-claim`)"
        );
        assert!(ask("ann", Verb::Yank, Some(&["user:ann"])).is_ok());
        assert!(ask("bob", Verb::Read, Some(&["user:ann"])).is_ok());
    }
}
