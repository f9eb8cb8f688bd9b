//! Three tiers, two of them servers, of which any is killed at any moment while something comes down.
//!
//! `WEIR_KILLS=300` kills each a hundred times; by default it is a few, so that the suite stays quick.

use std::process::Stdio;
use std::time::Duration;

use weir_testkit::WeirServer;

use crate::empty;

/// Who is killed, in turns.
#[derive(Debug, Clone, Copy)]
enum Tier {
    Laptop,
    Team,
    Public,
}

fn kills() -> usize {
    std::env::var("WEIR_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(9)
}

/// Delays that sweep over all that happens, without a source of chance: a failure can be repeated.
fn delay(round: usize) -> Duration {
    Duration::from_millis((round as u64 * 7919) % 700)
}

#[test]
fn whichever_tier_is_killed_at_whatever_moment_all_are_sound_and_the_retry_succeeds() {
    let t = empty();
    fs_err::create_dir_all(t.path("above/registries")).expect("the sandbox can be written");
    t.weir_in("", "registry init above/registries/public --name public").succeeds();
    let mut public = WeirServer::start(&t, "above", &[]);
    let mut team = WeirServer::with_team(&t, &[]);
    t.weir_in("", &format!("registry upstream add {}/public", public.url())).succeeds();
    t.registry("laptop");
    t.weir_in("", &format!("registry upstream add {}/team", team.url())).succeeds();

    for round in 0..kills() {
        let name = format!("lib/p{round}");
        let package = match round {
            0 => t.package(&name, "1.0.0"),
            _ => t.package(&name, "1.0.0").dependency(&format!("lib/p{}", round - 1), "^1"),
        };
        let folder = package.file("content.bin", &format!("{name}\n").repeat(20_000)).write();
        t.weir_in("", &format!("--registry ./above/registries/public publish {folder}")).succeeds();
        let _ = fs_err::remove_dir_all(t.path("app"));
        t.project(&[&format!("{name} = ^1")]);

        let tier = [Tier::Laptop, Tier::Team, Tier::Public][round % 3];
        let mut client = t
            .command("app", &["install".to_owned()], &[])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program can be run");
        std::thread::sleep(delay(round));
        match tier {
            Tier::Laptop => drop(client.kill()),
            Tier::Team => team = team.killed_and_started(&t, "data"),
            Tier::Public => public = public.killed_and_started(&t, "above"),
        }
        // Whether it could go on or not, it ends.
        client.wait().expect("it can be waited for");

        let run = t.weir("install");
        assert_eq!(run.code, 0, "round {round}, {tier:?}: {run}");
        assert!(t.read(format!("app/weir_packages/packages/{name}/content.bin")).starts_with(&name));
        if round % 9 == 8 {
            for registry in ["./above/registries/public", "./data/registries/team", "./laptop"] {
                t.weir_in("", &format!("registry verify {registry}")).succeeds();
            }
        }
    }
}
