//! Work that takes long: it says how far it is, and what breaks off goes on from there.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use weir_testkit::{Misbehaviour, Sandbox, StaticServer, Terminal};

use crate::empty;

const MIB: u64 = 1 << 20;

/// Bytes that no compression makes fewer.
fn noise(bytes: u64) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = Vec::new();
    while (noise.len() as u64) < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise
}

/// A project that needs `acme/maps`, whose one file has 4 MiB, from a registry on the web; and the path and the bytes of its pack.
fn maps() -> (Sandbox, StaticServer, String, u64) {
    let t = empty();
    t.registry("org");
    let folder = t.package("acme/maps", "1.0.0").kind("data").write();
    t.write(format!("{folder}/maps.bin"), noise(4 * MIB));
    t.weir_in("", &format!("publish {folder}")).succeeds();
    let server = StaticServer::serve(t.path("org")).expect("a port is free");
    t.weir_in("", "registry remove org").succeeds();
    t.weir_in("", &format!("registry add web {} --default", server.url())).succeeds();
    t.project(&["acme/maps = ^1"]);
    t.weir("lock").succeeds();
    let lock = t.read("app/weir.lock");
    let (_, tree) = lock.split_once("tree = \"blake3:").expect("it is locked");
    let pack = format!("/pack/{}/{}.zst", &tree[..2], &tree[..64]);
    let bytes = fs_err::metadata(t.path(format!("org{pack}"))).expect("it was published").len();
    (t, server, pack, bytes)
}

fn start(t: &Sandbox, typed: &str) -> Child {
    let words: Vec<String> = typed.split(' ').map(str::to_owned).collect();
    let mut command = t.command("app", &words, &[]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it can be started")
}

/// The unfinished downloads in the store, with their bytes.
fn unfinished(t: &Sandbox) -> Vec<(PathBuf, u64)> {
    let Ok(entries) = fs_err::read_dir(t.path("home/weir/store/tmp")) else { return Vec::new() };
    let parts = entries.flatten().filter(|entry| entry.path().extension().is_some_and(|end| end == "part"));
    parts.map(|entry| (entry.path(), entry.metadata().map_or(0, |found| found.len()))).collect()
}

/// Waits until so much of a download is on the disk.
fn wait_for(t: &Sandbox, bytes: u64) {
    while unfinished(t).first().is_none_or(|(_, here)| *here < bytes) {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The bytes of a file, of what is at `place` in the project.
fn installed(t: &Sandbox) -> Vec<u8> {
    fs_err::read(t.path("app/weir_packages/packages/acme/maps/maps.bin")).expect("it is installed")
}

#[test]
fn a_download_that_was_killed_goes_on_from_where_it_was() {
    let (t, server, pack, bytes) = maps();
    server.misbehave_times(&pack, 1, Misbehaviour::Stall(3 * MIB));
    let mut killed = start(&t, "install");
    wait_for(&t, 3 * MIB);
    killed.kill().expect("it runs");
    killed.wait().expect("it was started");
    let before = server.body_bytes();
    t.weir("install").succeeds();
    let asked = server.seen().pop().expect("it was asked");
    assert_eq!((asked.path.as_str(), asked.header("range")), (pack.as_str(), Some("bytes=3145728-")));
    assert_eq!(server.body_bytes() - before, bytes - 3 * MIB);
    assert_eq!(installed(&t), noise(4 * MIB));
    assert_eq!(unfinished(&t), []);
}

#[test]
fn a_download_whose_connection_broke_too_often_goes_on_the_next_time() {
    let (t, server, pack, bytes) = maps();
    // Less than what counts as going on, as often as it is tried.
    server.misbehave(&pack, Misbehaviour::Truncate(200 << 10));
    let run = t.weir("install").fails_with(1);
    assert!(run.stderr.contains("closed the connection early"), "{run}");
    let (_, here) = unfinished(&t).pop().expect("it is kept");
    assert_eq!(here, 4 * (200 << 10));
    server.behave(&pack);
    let before = server.body_bytes();
    t.weir("install").succeeds();
    assert_eq!(server.body_bytes() - before, bytes - here);
    assert_eq!(installed(&t), noise(4 * MIB));
}

#[test]
fn what_is_left_of_a_download_is_not_believed() {
    let (t, server, pack, bytes) = maps();
    server.misbehave(&pack, Misbehaviour::Truncate(200 << 10));
    t.weir("install").fails_with(1);
    let (part, here) = unfinished(&t).pop().expect("it is kept");
    let mut wrong = fs_err::read(&part).expect("it is ours");
    wrong[100_000] ^= 1;
    fs_err::write(&part, wrong).expect("it is ours");
    server.behave(&pack);
    let before = server.body_bytes();
    t.weir("install").succeeds();
    let again = server.body_bytes() - before;
    assert!(again >= bytes && again <= bytes - here + bytes, "{again} of {bytes}");
    assert_eq!(installed(&t), noise(4 * MIB));
}

#[test]
fn a_server_that_knows_no_ranges_sends_all_of_it() {
    let (t, server, pack, _) = maps();
    server.misbehave(&pack, Misbehaviour::Truncate(200 << 10));
    t.weir("install").fails_with(1);
    server.misbehave(&pack, Misbehaviour::NoRange);
    t.weir("install").succeeds();
    assert_eq!(installed(&t), noise(4 * MIB));
}

#[test]
fn a_link_in_the_place_of_an_unfinished_download_is_refused() {
    let (t, server, pack, _) = maps();
    server.misbehave(&pack, Misbehaviour::Truncate(200 << 10));
    t.weir("install").fails_with(1);
    let (part, _) = unfinished(&t).pop().expect("it is kept");
    fs_err::remove_file(&part).expect("it is ours");
    t.write("elsewhere", "kept");
    std::os::unix::fs::symlink(t.path("elsewhere"), &part).expect("the store is ours");
    server.behave(&pack);
    assert_ne!(t.weir("install").code, 0);
    assert_eq!(t.read("elsewhere"), "kept");
}

#[test]
fn collecting_takes_unfinished_downloads_that_are_old_enough() {
    let (t, server, pack, _) = maps();
    server.misbehave(&pack, Misbehaviour::Truncate(200 << 10));
    t.weir("install").fails_with(1);
    t.weir("store gc").succeeds();
    assert_eq!(unfinished(&t).len(), 1);
    t.weir("store gc --unused-for 0").succeeds();
    assert_eq!(unfinished(&t), []);
}

#[test]
fn an_interrupted_download_says_that_it_goes_on_and_does() {
    let (t, server, pack, bytes) = maps();
    server.misbehave_times(&pack, 1, Misbehaviour::Stall(3 * MIB));
    let mut terminal = Terminal::start(t.command("app", &["install".into()], &[]), 100);
    wait_for(&t, 3 * MIB);
    terminal.see(|lines| lines.iter().any(|line| line.contains("Fetching 1 release")));
    terminal.interrupt();
    let (code, left) = terminal.end();
    assert_eq!(code, 130);
    assert_eq!(left, ["Interrupted. Nothing is half done: the same command goes on from here."]);
    let before = server.body_bytes();
    t.weir("install").succeeds();
    assert_eq!(server.body_bytes() - before, bytes - 3 * MIB);
}

#[test]
fn a_terminal_that_can_do_nothing_is_not_drawn_on() {
    let (t, server, pack, _) = maps();
    server.misbehave_times(&pack, 1, Misbehaviour::Stall(3 * MIB));
    let terminal = Terminal::start(t.command("app", &["install".into()], &[("TERM", "dumb")]), 100);
    wait_for(&t, 3 * MIB);
    // Longer than it takes before anything is drawn.
    std::thread::sleep(Duration::from_millis(600));
    terminal.interrupt();
    let (code, all) = terminal.end_with_all();
    assert_eq!(code, 130);
    assert_eq!(all, "Interrupted. Nothing is half done: the same command goes on from here.\r\n");
}

#[test]
fn what_does_not_go_on_from_where_it_was_stopped_does_not_say_so() {
    let (t, server, _, _) = maps();
    server.misbehave("/checkpoint", Misbehaviour::Silence);
    let before = server.seen().len();
    let terminal = Terminal::start(t.command("app", &["update".into()], &[]), 100);
    while server.seen().len() == before {
        std::thread::sleep(Duration::from_millis(2));
    }
    terminal.interrupt();
    let (code, left) = terminal.end();
    assert_eq!((code, left), (130, vec!["Interrupted. Nothing is half done.".to_owned()]));
}

#[test]
fn how_far_a_download_is_fits_one_line_of_a_terminal_of_any_width() {
    let (t, server, pack, _) = maps();
    server.misbehave_times(&pack, 1, Misbehaviour::Stall(3 * MIB));
    let mut terminal = Terminal::start(t.command("app", &["install".into()], &[]), 80);
    terminal.see(|lines| lines.iter().any(|line| line.contains("3.0 MiB of 4.0 MiB")));
    for columns in [20, 21, 300, 40, 33, 120, 60, 20, 200] {
        terminal.resize(columns);
        let is_bar = |line: &str| match columns {
            0..40 => line.ends_with("74 %") || line.ends_with("75 %"),
            _ => line.contains("3.0 MiB of 4.0 MiB") || line.contains("74 %") || line.contains("75 %"),
        };
        let wide = usize::from(columns);
        let lines = terminal.see(|lines| {
            matches!(lines, [line] if is_bar(line) && (columns < 120 || line.contains('━')) && line.chars().count() < wide)
        });
        assert_eq!(terminal.cursor(), (0, 0), "at {columns}: {lines:?}");
    }
    terminal.interrupt();
    let (_, left) = terminal.end();
    assert!(!left.concat().contains('━'), "{left:#?}");
}

#[test]
fn where_nobody_looks_nothing_is_drawn() {
    let (t, server, pack, _) = maps();
    server.misbehave(&pack, Misbehaviour::Truncate(200 << 10));
    let run = t.weir("install").fails_with(1);
    assert!(!run.stderr.contains("Fetching") && !run.stderr.contains('\u{1b}'), "{run}");
}
