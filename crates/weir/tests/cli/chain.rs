//! The chain of three tiers, as `bench/hierarchy/chain` has a new user run it.

use std::process::Command;

#[test]
fn the_chain_of_a_laptop_a_team_and_the_public_registry_runs_as_its_script_says() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../bench/hierarchy/chain");
    let run = Command::new(script).env("WEIR", env!("CARGO_BIN_EXE_weir")).output().unwrap();
    let (said, failed) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{said}\n{failed}");
    assert!(said.trim_end().ends_with("All of it is as it must be."), "{said}\n{failed}");
}
