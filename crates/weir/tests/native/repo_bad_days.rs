//! Builds that fail, and programs that are stopped: the registry stays as it was, and what was built is not lost.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use weir_testkit::{Sandbox, StaticServer};

use crate::recipes::{
    built_now, checkpoint, five, json, library, offered, plain, recipe_set, releases, weir,
};

#[test]
fn a_build_that_fails_changes_nothing_and_the_next_time_only_what_is_left_is_built() {
    let t = recipe_set();
    five(&t);
    library(&t, "png", "1.6.39").needs("zlib", "^1").first("echo looking around\nexit 3").write();
    let before = checkpoint(&t);
    let failed = weir(&t, "repo add --all --builds 1").fails_with(7);
    let log = failed.stderr.split("all it printed is in `").nth(1).and_then(|rest| rest.split('`').next());
    assert!(fs_err::read_to_string(log.unwrap()).unwrap().contains("looking around"), "{failed}");
    insta::assert_snapshot!(plain(&t, &failed), @"
    $ weir repo add --all --builds 1
    In the registry `org`, for [PLATFORM]:
    builds  1  base/zlib 1.2.13  asked for
            2  base/curl 7.88.1  asked for
            3  base/fmt 9.1.0    asked for
            4  base/png 1.6.39   asked for
            5  base/view 2.0.0   asked for
    -- stderr
    Building `base/zlib 1.2.13`
    Built `base/zlib 1.2.13` in [TIME]
    Building `base/curl 7.88.1`
    Built `base/curl 7.88.1` in [TIME]
    Building `base/png 1.6.39`
    Failed to build `base/png 1.6.39`; 1 other cannot be built without it
    base/png 1.6.39: release, build: exit code 3
      │ looking around
      all it printed is in `[ROOT]/home/weir/logs/base-png-1.6.39-[SHORT].log`
    Not tried: base/fmt 9.1.0, base/view 2.0.0

      × `base/png 1.6.39 [PLATFORM]` could not be built: release, build: exit code 3; 2 more were not tried
      help: the registry is as it was; run the same command again when it is mended: what was built is kept
    -- exit code 7
    ");
    assert_eq!(checkpoint(&t), before);

    five(&t);
    let planned = json(&t, "repo plan add --all");
    let ready: Vec<String> =
        planned["plan"]["ready"].as_array().unwrap().iter().map(crate::recipes::release).collect();
    let left: Vec<String> =
        releases(&planned["plan"]["builds"]).into_iter().filter(|id| !ready.contains(id)).collect();
    assert!(ready.contains(&"zlib 1.2.13".to_owned()) && left.contains(&"png 1.6.39".to_owned()));
    assert_eq!(built_now(&json(&t, "repo add --all")), left);
    assert_eq!(offered(&t).len(), 5);
}

#[test]
fn with_keep_going_everything_is_built_that_does_not_need_what_failed() {
    let t = recipe_set();
    five(&t);
    library(&t, "curl", "7.88.1").needs("zlib", "^1").first("exit 1").write();
    let failed = json(&t, "repo add --all --keep-going");
    assert_eq!(failed["error"]["code"], "build-failed");
    assert_eq!(releases(&failed["error"]["builds"]["failed"]), ["curl 7.88.1"]);
    assert_eq!(failed["error"]["builds"]["built"], 3);
    let skipped = failed["error"]["builds"]["skipped"].as_array().unwrap();
    assert_eq!(skipped.iter().map(crate::recipes::release).collect::<Vec<_>>(), ["view 2.0.0"]);
}

#[test]
fn what_was_built_before_and_is_quarantined_now_is_not_reused_and_not_built_in_vain() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").write();
    library(&t, "curl", "7.88.1").needs("zlib", "^1.2").write();
    weir(&t, "repo add base/zlib").succeeds();
    weir(&t, "quarantine base/zlib@1.2.13 --reason 'steals keys'").succeeds();
    let before = checkpoint(&t);
    // This machine and the registry both have it still.
    let planned = json(&t, "repo plan add base/curl");
    assert_eq!(planned["plan"]["ready"], serde_json::json!([]), "{planned:#}");
    let refused = weir(&t, "repo add base/curl").fails_with(4);
    assert!(refused.stderr.contains("which is quarantined"), "{refused}");
    assert!(!refused.stderr.contains("Built"), "{refused}");
    weir(&t, "build base/curl").fails_with(4);
    assert_eq!(checkpoint(&t), before);
    // Another source is another build.
    library(&t, "zlib", "1.2.13").number(2).write();
    weir(&t, "repo add base/curl").succeeds();
}

#[test]
fn what_a_registry_serves_over_http_is_not_built_again() {
    let t = recipe_set();
    five(&t);
    weir(&t, "repo add --all").succeeds();
    let server = StaticServer::serve(t.path("org")).unwrap();
    let typed = format!("--json build base/view --registry {}", server.url());
    let elsewhere = [("WEIR_HOME", &*t.path("home/other").display().to_string())];
    let run = t.weir_with("recipes", &typed, &elsewhere).succeeds();
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let how: Vec<&str> =
        document["built"].as_array().unwrap().iter().map(|built| built["how"].as_str().unwrap()).collect();
    assert_eq!(how, ["published"; 4], "{document:#}");
}

#[test]
fn a_dependency_that_is_not_declared_is_not_there() {
    let t = recipe_set();
    library(&t, "zlib", "1.2.13").write();
    library(&t, "curl", "7.88.1").uses("zlib").write();
    weir(&t, "repo add base/zlib").succeeds();
    let failed = weir(&t, "repo add base/curl").fails_with(7);
    assert!(failed.stderr.contains("zlib.h"), "{failed}");
    library(&t, "curl", "7.88.1").needs("zlib", "*").write();
    weir(&t, "repo add base/curl").succeeds();
}

/// Starts the program among the recipes.
fn start(t: &Sandbox, words: &[&str]) -> Child {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let mut command = t.command("recipes", &words, &[]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until something is so; what is waited for happens, or the test fails.
#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < end, "it never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The processes that a process started, and those that these started.
fn descendants(process: u32) -> Vec<u32> {
    let mut all = Vec::new();
    let mut pending = vec![process];
    while let Some(process) = pending.pop() {
        for task in fs_err::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten() {
            let children = fs_err::read_to_string(task.path().join("children")).unwrap_or_default();
            let children: Vec<u32> =
                children.split_whitespace().map(|child| child.parse().unwrap()).collect();
            pending.extend(&children);
            all.extend(children);
        }
    }
    all
}

fn has_sleeping(processes: &[u32]) -> bool {
    let words = |process| fs_err::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    processes.iter().any(|process| words(process).starts_with(b"sleep\0"))
}

/// One that nobody has waited for yet does not run any more.
fn is_running(process: u32) -> bool {
    let status = fs_err::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    status.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
}

/// A library whose build goes on until it is stopped.
fn endless(t: &Sandbox) {
    library(t, "slow", "1.0.0").needs("zlib", "*").first("sleep 1000 & sleep 1000").write();
}

#[test]
fn stopped_by_ctrl_c_in_the_middle_of_a_build_nothing_is_left_and_the_next_run_goes_on() {
    for contained in [true, false] {
        let t = recipe_set();
        library(&t, "zlib", "1.2.13").write();
        endless(&t);
        let mut words = vec!["repo", "add", "--all"];
        words.extend(if contained { None } else { Some("--no-sandbox") });
        let before = checkpoint(&t);
        let mut child = start(&t, &words);
        until("the second build begins", || has_sleeping(&descendants(child.id())));
        let running = descendants(child.id());
        Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        // It has waited for all of this itself.
        assert!(!running.iter().any(|process| is_running(*process)), "processes are left");
        assert_eq!(fs_err::read_dir(t.path("home/weir/builds/tmp")).unwrap().count(), 0, "folders are left");
        assert_eq!(checkpoint(&t), before);

        library(&t, "slow", "1.0.0").needs("zlib", "*").write();
        let words = words.join(" ");
        assert_eq!(built_now(&json(&t, &words)), ["slow 1.0.0"]);
    }
}

#[test]
fn interrupted_while_two_are_built_it_starts_no_third_even_if_it_is_to_keep_going() {
    let t = recipe_set();
    for name in ["one", "two"] {
        library(&t, name, "1.0.0").first("sleep 1000 & sleep 1000").write();
    }
    library(&t, "zero", "1.0.0").write();
    let mut child = start(&t, &["repo", "add", "--all", "--builds", "2", "--keep-going"]);
    let mut seen = Vec::new();
    until("both builds wait", || {
        seen = descendants(child.id());
        seen.iter().filter(|process| has_sleeping(&[**process])).count() >= 4
    });
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!seen.iter().any(|process| is_running(*process)), "processes are left");
    assert_eq!(fs_err::read_dir(t.path("home/weir/builds/tmp")).unwrap().count(), 0, "folders are left");
    let planned = json(&t, "repo plan add --all");
    assert!(planned["plan"]["ready"].as_array().is_none_or(Vec::is_empty), "{planned}");
}

#[test]
fn verbose_shows_every_line_that_a_build_prints_in_order() {
    let t = recipe_set();
    library(&t, "talker", "1.0.0").first("seq -f 'line %.0f of many' 1 20000").write();
    let run = weir(&t, "build base/talker --verbose").succeeds();
    let lines: Vec<&str> =
        run.stderr.lines().filter_map(|line| line.strip_prefix("base/talker: line ")).collect();
    assert_eq!(lines.len(), 20_000);
    let number = |line: &&str| line.split(' ').next().unwrap().parse::<usize>().unwrap();
    assert!(lines.iter().map(number).eq(1..=20_000));
}

fn kills() -> u32 {
    std::env::var("WEIR_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

#[test]
fn whatever_moment_an_action_is_killed_at_the_registry_shows_the_old_or_the_new_state() {
    let t = recipe_set();
    five(&t);
    let started = Instant::now();
    weir(&t, "repo add --all").succeeds();
    let whole = started.elapsed();
    let mut killed = 0;
    for round in 0..kills() {
        let version = format!("1.3.{round}");
        let old = offered(&t);
        library(&t, "zlib", &version).number(round).write();
        let mut child = start(&t, &["repo", "update", "base/zlib"]);
        // Moments that sweep over the whole, without a source of chance: a failure can be repeated.
        let moment = whole * ((round * 7919) % 1000) / 1000;
        std::thread::sleep(moment);
        killed += u32::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        child.wait().unwrap();
        let now = offered(&t);
        let is_new = now.contains(&format!("zlib {version}"));
        assert!(now == old || is_new, "{now:?}");
        weir(&t, "repo verify").succeeds();
        weir(&t, "repo update base/zlib").succeeds();
        assert!(offered(&t).contains(&format!("zlib {version}")));
        weir(&t, "repo verify").succeeds();
    }
    assert!(killed > 0, "nothing was killed: the moments no longer fit the machine");
}

#[test]
fn two_at_once_build_nothing_twice_and_both_end_well() {
    let t = recipe_set();
    five(&t);
    let children =
        [start(&t, &["--json", "repo", "add", "--all"]), start(&t, &["--json", "repo", "add", "--all"])];
    let mut built = Vec::new();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        built.extend(built_now(&serde_json::from_str(&said).unwrap()));
    }
    built.sort();
    assert_eq!(built, ["curl 7.88.1", "fmt 9.1.0", "png 1.6.39", "view 2.0.0", "zlib 1.2.13"]);
    assert_eq!(offered(&t).len(), 5);
    weir(&t, "repo verify").succeeds();
}

#[test]
fn on_a_terminal_it_asks_before_more_leaves_than_was_named() {
    let t = recipe_set();
    five(&t);
    weir(&t, "repo add base/curl").succeeds();
    library(&t, "zlib", "1.3.1").write();
    let before = checkpoint(&t);
    let run = t.weir_on_a_terminal("recipes", "repo update base/zlib", "n\n");
    assert!(run.stdout.contains("Go on? [y/N]") && run.stdout.contains("nothing was changed"), "{run}");
    assert_eq!((run.code, checkpoint(&t)), (130, before));
    t.weir_on_a_terminal("recipes", "repo update base/zlib", "y\n").succeeds();
    // Nothing else leaves with these: there is nothing to ask.
    let run = t.weir_on_a_terminal("recipes", "repo add base/png", "").succeeds();
    assert!(!run.stdout.contains("Go on?"), "{run}");
    let run = t.weir_on_a_terminal("recipes", "repo remove base/png", "y\n").succeeds();
    assert!(run.stdout.contains("Go on? [y/N]"), "{run}");
    assert_eq!(offered(&t), ["curl 7.88.1 revision 1", "zlib 1.3.1"]);
}
