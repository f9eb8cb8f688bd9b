//! The gate of a folder: which set it decides by, and when it decides by none.

use weir_cedar::{FolderPolicies, PolicyFiles};
use weir_model::Sha256;
use weir_policy::{Decision, Gate as _, Verb};

use crate::{files, question, user};

fn decided(gate: &FolderPolicies, verb: Verb) -> Decision {
    question(user("ann", &[]), verb).ask(|request| gate.decide(request))
}

fn write(root: &std::path::Path, text: &str) -> Sha256 {
    let set = files(&[("rules.cedar", text)]);
    set.write(root).unwrap();
    set.digest().unwrap()
}

const ALL: &str = "@id(\"all\") permit (principal, action, resource);";
const READ: &str = "@id(\"read\") permit (principal, action == Action::\"read\", resource);";

#[test]
fn without_files_it_is_the_gate_of_folders_and_follows_a_log_without_a_set() {
    let root = tempfile::tempdir().unwrap();
    let gate = FolderPolicies::open(root.path());
    assert_eq!(decided(&gate, Verb::Publish).policy, "folder-write");
    assert_eq!(gate.follow(None), Ok(()));
    let error = gate.follow(Some(&Sha256::of("x"))).unwrap_err();
    assert!(error.to_string().contains("and there is none in its folder"), "{error}");
}

#[test]
fn a_set_that_is_put_in_force_while_it_runs_is_taken_up() {
    let root = tempfile::tempdir().unwrap();
    let gate = FolderPolicies::open(root.path());
    let first = write(root.path(), ALL);
    // Files alone change nothing for who decides by what is in force already; who comes new does not know that set.
    assert_eq!(gate.follow(None), Ok(()));
    assert_eq!(decided(&gate, Verb::Publish).policy, "folder-write");
    assert_eq!(FolderPolicies::open(root.path()).follow(None).unwrap_err().found, Some(first));
    assert_eq!(gate.follow(Some(&first)), Ok(()));
    assert_eq!(decided(&gate, Verb::Publish).policy, "all");
    let second = write(root.path(), READ);
    assert_eq!(gate.follow(Some(&first)), Ok(()));
    assert_eq!(decided(&gate, Verb::Publish).policy, "all");
    assert_eq!(FolderPolicies::open(root.path()).follow(Some(&first)).unwrap_err().found, Some(second));
    assert_eq!(gate.follow(Some(&second)), Ok(()));
    assert!(!decided(&gate, Verb::Publish).allowed && decided(&gate, Verb::Read).allowed);
}

#[test]
fn files_that_are_no_set_permit_nothing_even_if_the_log_names_their_digest() {
    let root = tempfile::tempdir().unwrap();
    let broken = write(root.path(), "@id(\"all\") permit (principal, action, resource)");
    let gate = FolderPolicies::open(root.path());
    for verb in Verb::ALL {
        let decision = decided(&gate, verb);
        assert_eq!((decision.allowed, &*decision.policy), (false, "policy-files"));
    }
    assert!(gate.follow(Some(&broken)).is_err());
    assert!(PolicyFiles::read(root.path()).is_ok());
}
