//! The built-in policies of a registry that is a folder.

use crate::{Decision, Gate, Request, Verb};

/// The policies of a plain folder: what the file system allows, except to act for an owner that
/// belongs to somebody else.
#[derive(Debug, Clone, Copy, Default)]
pub struct FolderGate;

impl Gate for FolderGate {
    fn decide(&self, request: &Request) -> Decision {
        if request.verb == Verb::Read {
            return Decision {
                allowed: true,
                policy: "folder-read",
                reason: "whoever can read the folder may read the registry".into(),
            };
        }
        match &request.owner_belongs_to {
            Some(people) if !people.contains(&request.actor) => Decision {
                allowed: false,
                policy: "owner-claim",
                reason: format!("the owner belongs to {}", people.join(", ")),
            },
            Some(_) => Decision {
                allowed: true,
                policy: "owner-claim",
                reason: format!("the owner belongs to {}", request.actor),
            },
            None => Decision {
                allowed: true,
                policy: "folder-write",
                reason: "whoever can write the folder and has its key may change the registry".into(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FolderGate;
    use crate::{Request, Target, Verb, authorize};

    fn request(actor: &str, verb: Verb, people: Option<&[&str]>) -> Request {
        Request {
            actor: actor.into(),
            verb,
            target: Target::Release("acme/greet 1.0.0".parse().unwrap()),
            owner_belongs_to: people.map(|people| people.iter().map(|&p| p.to_owned()).collect()),
        }
    }

    #[test]
    fn an_owner_nobody_claimed_is_open_to_whoever_can_write_the_folder() {
        let permission = authorize(&FolderGate, request("user:ann", Verb::Publish, None)).unwrap();
        assert_eq!(permission.decision().policy, "folder-write");
    }

    #[test]
    fn a_claimed_owner_is_closed_to_others_and_the_refusal_says_whose_it_is() {
        let refusal =
            authorize(&FolderGate, request("user:bob", Verb::Publish, Some(&["user:ann"]))).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "`user:bob` may not publish `acme/greet 1.0.0`: the owner belongs to user:ann (policy `owner-claim`)"
        );
        assert!(authorize(&FolderGate, request("user:ann", Verb::Yank, Some(&["user:ann"]))).is_ok());
        assert!(authorize(&FolderGate, request("user:bob", Verb::Read, Some(&["user:ann"]))).is_ok());
    }
}
