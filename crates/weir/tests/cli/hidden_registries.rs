//! How long an answer takes tells nobody that there is a registry which they may not see.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use weir_testkit::{Sandbox, WeirServer};

use crate::empty;
use crate::server_accounts::{post, user};

const TEAM: &str = include_str!("../../../weir-cedar/src/sets/team.cedar");

/// A difference that is noticed over a network, and far less than reading the rules takes that the tests set.
const NOTICED: Duration = Duration::from_millis(60);

/// So many other threads have something to do.
const OTHER_WORK: usize = 8;

/// What of that shows in one answer and not in another, by chance.
const BY_CHANCE: Duration = Duration::from_millis(120);

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

/// The same that take more than a second to be read.
fn slow_rules(t: &Sandbox, round: usize) -> String {
    t.write("policy/team.cedar", TEAM);
    let mut files = "policy set policy/team.cedar".to_owned();
    for file in 0..6 {
        let rule = |number: usize| {
            let groups = (0..12).map(|group| format!("principal in Group::\"g{group}-{number}\""));
            let groups = groups.collect::<Vec<_>>().join(" || ");
            format!(
                "@id(\"r{round}-{file}-{number}\") permit (principal, action == Action::\"read\", resource) when {{ {groups} }};\n"
            )
        };
        t.write(format!("policy/slow{file}.cedar"), (0..80).map(rule).collect::<String>());
        files += &format!(" policy/slow{file}.cedar");
    }
    files
}

/// How much longer a stranger waits at most for what is said of the hidden registry while `set` puts a set in force, and a little after.
fn waits_longer(t: &Sandbox, server: &WeirServer, set: &str) -> Duration {
    let is_set = AtomicBool::new(false);
    let done = || is_set.load(Ordering::Acquire);
    std::thread::scope(|scope| {
        let setting = scope.spawn(|| {
            t.weir_in("", set).succeeds();
            std::thread::sleep(Duration::from_millis(2000));
        });
        // On a machine with other work, reading a set takes far longer than a set is believed to be in force unseen.
        for _ in 0..OTHER_WORK {
            scope.spawn(|| {
                while !done() {
                    std::hint::spin_loop();
                }
            });
        }
        let mut longest = [Duration::ZERO; 2];
        while !setting.is_finished() {
            for (longest, registry) in longest.iter_mut().zip(["team", "nothing"]) {
                *longest = refused(server, registry).max(*longest);
            }
        }
        is_set.store(true, Ordering::Release);
        longest[0].saturating_sub(longest[1])
    })
}

#[test]
fn while_a_server_reads_a_policy_whom_the_one_before_refuses_waits_for_nothing() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    t.weir_in("", "policy set --built-in team").succeeds();
    let more = noticed(|round| waits_longer(&t, &server, &slow_rules(&t, round)));
    assert!(more < BY_CHANCE, "{more:?}");
}

#[test]
fn while_it_reads_what_another_program_set_too() {
    let t = empty();
    let server = WeirServer::start(&t, "data", &[]);
    t.weir_in("", "registry init data/registries/team --name team").succeeds();
    let by_another = |typed: &str| format!("--registry ./data/registries/team {typed}");
    t.weir_in("", &by_another("policy set --built-in team")).succeeds();
    std::thread::sleep(Duration::from_millis(3000));
    let more = noticed(|round| waits_longer(&t, &server, &by_another(&slow_rules(&t, round))));
    assert!(more < BY_CHANCE, "{more:?}");
}

#[test]
fn what_is_for_everybody_takes_as_long_however_many_registries_are_hidden() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    let token = user(&t, &server, "bob", "--group admins");
    let usual = |path: &str| {
        let once = |_| {
            let began = Instant::now();
            assert_eq!(server.ask("GET", path, &["Accept: text/html"]).status, 200);
            began.elapsed()
        };
        let mut took: Vec<Duration> = (0..200).map(once).collect();
        took.sort_unstable();
        took[took.len() / 4]
    };
    let paths = ["/", "/.well-known/weir"];
    let few = paths.map(usual);
    for number in 0..150 {
        let wanted = serde_json::json!({ "name": format!("hidden-{number}") });
        let made = post(&server, "/api/v1/registries", Some(&token), &wanted);
        assert_eq!(made.status, 201, "{}", made.text());
    }
    std::thread::sleep(Duration::from_millis(2000));
    let many = paths.map(usual);
    for ((path, few), many) in paths.into_iter().zip(few).zip(many) {
        assert!(many < few + few / 2 + Duration::from_micros(500), "{path}: {few:?}, and {many:?} with more");
    }
    // And what somebody makes is there at once for who may see it.
    let mine = format!("Authorization: Bearer {token}");
    for name in ["hidden-149", "late"] {
        if name == "late" {
            post(&server, "/api/v1/registries", Some(&token), &serde_json::json!({ "name": name }));
        }
        let known = server.ask("GET", "/.well-known/weir", &[&mine]).text();
        assert!(known.contains(&format!("\"{name}\"")), "{name}: {known}");
    }
    assert!(!server.ask("GET", "/.well-known/weir", &[]).text().contains("hidden-"));
}
