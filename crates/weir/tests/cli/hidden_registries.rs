//! How long an answer takes tells nobody that there is a registry which they may not see.

use std::time::{Duration, Instant};

use weir_testkit::{Sandbox, WeirServer};

use crate::empty;

const TEAM: &str = include_str!("../../../weir-cedar/src/sets/team.cedar");

/// A difference that is noticed over a network, and far less than reading the rules takes that the tests set.
const NOTICED: Duration = Duration::from_millis(60);

/// Files of a set that keeps strangers out, and takes long to read and to explain.
fn many_rules(t: &Sandbox, round: usize) -> String {
    let rule = |number: usize| {
        format!(
            "@id(\"r{round}-{number}\")\n@reason(\"some may\")\npermit (principal in Group::\"g{number}\", action == Action::\"read\", resource)\nwhen {{ principal in Group::\"h{number}\" }};\n"
        )
    };
    t.write("policy/team.cedar", TEAM);
    t.write("policy/many.cedar", (0..250).map(rule).collect::<String>());
    "policy set policy/team.cedar policy/many.cedar".to_owned()
}

fn refused(server: &WeirServer, registry: &str) -> Duration {
    let began = Instant::now();
    let reply = server.ask("GET", &format!("/{registry}/checkpoint"), &[]);
    let took = began.elapsed();
    assert_eq!(reply.status, 404, "{}", reply.text());
    took
}

/// How much longer the answer takes for one that is hidden: the least of a few, as the machine has other work, too.
fn noticed(mut once: impl FnMut(usize) -> Duration) -> Duration {
    (0..3).map(&mut once).min().unwrap_or_default()
}

#[test]
fn the_first_request_after_a_policy_was_set_takes_as_long_as_one_for_a_registry_that_is_not_there() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    let more = noticed(|round| {
        t.weir_in("", &many_rules(&t, round)).succeeds();
        refused(&server, "team").saturating_sub(refused(&server, "nothing"))
    });
    assert!(more < NOTICED, "{more:?}");
}

#[test]
fn what_another_program_set_is_read_before_somebody_asks() {
    let t = empty();
    let server = WeirServer::start(&t, "data", &[]);
    t.weir_in("", "registry init data/registries/team --name team").succeeds();
    let more = noticed(|round| {
        t.weir_in("", &format!("--registry ./data/registries/team {}", many_rules(&t, round))).succeeds();
        // By then nobody believes any longer what was in force before.
        std::thread::sleep(Duration::from_millis(3000));
        refused(&server, "team").saturating_sub(refused(&server, "nothing"))
    });
    assert!(more < NOTICED, "{more:?}");
}

#[test]
fn until_a_server_knows_its_registries_who_asks_for_another_waits_as_long() {
    let t = empty();
    let mut server = Some(WeirServer::start(&t, "data", &[]));
    t.weir_in("", "registry init data/registries/team --name team").succeeds();
    t.weir_in("", &format!("--registry ./data/registries/team {}", many_rules(&t, 0))).succeeds();
    let mut first = |registry: &str| {
        let again = server.take().expect("it runs");
        let again = again.killed_and_started(&t, "data");
        let took = refused(&again, registry);
        server = Some(again);
        took
    };
    let more = noticed(|_| first("team").saturating_sub(first("nothing")));
    assert!(more < NOTICED, "{more:?}");
}
