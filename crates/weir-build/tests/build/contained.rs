//! Builds that mean harm, or only go wrong: contained, bounded, reported and cleaned up.

use std::os::unix::net::UnixListener;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use weir_build::{BuildError, FailureReason, Limit, Sandbox};
use weir_native::System;

use crate::world::World;

const SECOND: Duration = Duration::from_secs(1);

/// Processes of this machine whose command line holds these words.
fn running(words: &str) -> usize {
    let processes = fs_err::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs_err::read(process.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).replace('\0', " ").contains(words)).count()
}

/// How many seconds a process of this test sleeps, which is longer than any test takes. `about` and the process of the
/// test are in it, so that it is known among all processes of the machine, and no other checkout's is taken for it.
fn forever(about: u32) -> String {
    format!("{about}.{:010}", std::process::id())
}

#[test]
fn one_that_never_ends_is_stopped() {
    for sandbox in [None, Some(Sandbox::none())] {
        let long = forever(86399);
        let mut world = World::script(&format!("trap '' TERM INT HUP; while :; do sleep {long}; done"));
        world.recipe.limits.time = SECOND;
        world.sandbox = sandbox.unwrap_or(world.sandbox);
        let started = Instant::now();
        assert_eq!(world.reason(), FailureReason::Limit(Limit::Time(SECOND)));
        assert!(started.elapsed() < SECOND * 10);
        assert_eq!(running(&long), 0);
    }
}

#[test]
fn one_that_forks_without_end_is_stopped() {
    let long = forever(86398);
    let mut world = World::script(&format!("bomb() {{ bomb | bomb & }}; bomb; sleep {long}"));
    world.recipe.limits.processes = 100;
    assert_eq!(world.reason(), FailureReason::Limit(Limit::Processes(100)));
    assert_eq!(running(&long), 0);
}

#[test]
fn many_that_want_a_little_memory_each_are_stopped_together() {
    // Each of them is within what one process may have.
    let long = forever(86391);
    let mut world = World::script(&format!(
        "for i in 1 2 3 4; do python3 -c 'import time; all = bytearray(100 << 20); time.sleep({long})' & done; wait",
    ));
    world.recipe.limits.memory = 256 << 20;
    let reason = world.reason();
    assert_eq!(reason, FailureReason::Limit(Limit::Memory(256 << 20)));
    assert_eq!(reason.to_string(), "it used more than 268435456 bytes of memory");
    assert_eq!(running(&long), 0);
}

#[test]
fn memory_that_processes_share_is_counted_once() {
    let share = "import os, time\n\
        all = bytearray(b'x' * (100 << 20))\n\
        children = []\n\
        for i in range(4):\n \
         child = os.fork()\n \
         if child == 0:\n  time.sleep(0.5); os._exit(0)\n \
         children.append(child)\n\
        for child in children: os.waitpid(child, 0)\n";
    let mut world = World::script(&format!(
        "mkdir -p $PREFIX; cat > share.py <<'END'\n{share}END\npython3 share.py && echo whole > $PREFIX/seen"
    ));
    world.recipe.limits.memory = 320 << 20;
    assert_eq!(world.text("seen"), "whole\n");
}

#[test]
fn one_that_fills_the_disk_is_stopped_wherever_it_writes() {
    for place in ["/weir/build/file", "/tmp/file", "/weir/source/file", "/weir/prefix/file"] {
        let mut world = World::script(&format!(
            "i=0; while :; do i=$((i+1)); head -c 4000000 /dev/zero > {place}$i; done"
        ));
        world.recipe.limits.disk = 32 << 20;
        assert_eq!(world.reason(), FailureReason::Limit(Limit::Disk(32 << 20)), "{place}");
    }
}

#[test]
fn one_huge_file_and_files_without_a_name_fill_it_no_better() {
    let mut world = World::script("head -c 90000000 /dev/zero > /tmp/huge || true; sleep 86397.25");
    world.recipe.limits.disk = 32 << 20;
    assert_eq!(world.reason(), FailureReason::Limit(Limit::Disk(32 << 20)));

    let hidden = "python3 - <<'END'\nimport os\nopen_files = []\nwhile True:\n f = open('/tmp/x', 'wb'); os.unlink('/tmp/x')\n f.write(bytes(4000000)); f.flush(); open_files.append(f)\nEND\n";
    let mut world = World::script(hidden);
    world.recipe.limits.disk = 32 << 20;
    world.recipe.limits.time = SECOND * 30;
    assert_eq!(world.reason(), FailureReason::Limit(Limit::Disk(32 << 20)));
}

#[test]
fn a_million_empty_files_fill_it_too() {
    let mut world = World::script("python3 -c \"\nfor i in range(10**7): open('/tmp/%d' % i, 'w').close()\"");
    world.recipe.limits.disk = 1 << 20;
    assert_eq!(world.reason(), FailureReason::Limit(Limit::Disk(1 << 20)));
}

#[test]
fn endless_nesting_is_stopped() {
    let nest = "python3 -c \"\nimport os\nfor i in range(3000):\n os.mkdir('a'); os.chdir('a')\n\"; mkdir -p $PREFIX; touch $PREFIX/x";
    assert_eq!(World::script(nest).reason(), FailureReason::Limit(Limit::Depth));
}

#[test]
fn shared_memory_is_bounded() {
    let world = World::script(
        "mkdir -p $PREFIX; head -c 100000000 /dev/zero > /dev/shm/x || echo full > $PREFIX/seen",
    );
    assert_eq!(world.text("seen"), "full\n");
}

#[test]
fn one_that_wants_all_memory_gets_its_share() {
    let mut world =
        World::script("mkdir -p $PREFIX; python3 -c 'bytearray(600 << 20)' || echo refused > $PREFIX/seen");
    world.recipe.limits.memory = 512 << 20;
    assert_eq!(world.text("seen"), "refused\n");
}

#[test]
fn nothing_outside_its_folders_can_be_written_or_read() {
    let world = World::script(
        "mkdir -p $PREFIX; touch $PREFIX/seen\n\
         try() { if \"$@\" 2>/dev/null; then echo \"$*\" >> $PREFIX/seen; fi; }\n\
         write() { (cat $1 > /tmp/old && cat /tmp/old > $1) }\n\
         for folder in / /usr /usr/bin /etc /weir /weir/sysroot /weir/recipe /var /home /root /dev /proc/sys/kernel; do\n\
           try mkdir $folder/new\n\
           try touch $folder/new\n\
         done\n\
         try test -e $OUTSIDE\n\
         try mount -t tmpfs none /mnt\n\
         try unshare --user --mount true\n\
         try write /proc/sys/kernel/core_pattern\n\
         try write /proc/self/oom_score_adj\n\
         try chroot / true\n\
         try mknod /tmp/sda b 8 0\n\
         true",
    );
    let outside = world.at("outside");
    fs_err::write(&outside, "secret").unwrap();
    let world = world.environment("OUTSIDE", outside.to_str().unwrap());
    assert_eq!(world.text("seen"), "");
}

#[test]
fn no_socket_leads_out() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = tempfile::tempdir().unwrap();
    let _unix = UnixListener::bind(place.path().join("socket")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!(
        "mkdir -p $PREFIX; cat > c.py <<'END'\n\
         import socket, sys\n\
         for family, where in ((2, ('127.0.0.1', {port})), (2, ('192.0.2.1', 80)), (1, '{}/socket')):\n \
          try:\n  socket.socket(family).connect(where); print('connected', where)\n \
          except OSError as error: print('refused')\n\
         END\n\
         python3 c.py > $PREFIX/seen",
        place.path().display()
    );
    assert_eq!(World::script(&script).text("seen"), "refused\nrefused\nrefused\n");
}

#[test]
fn nobody_is_left_behind() {
    for sandbox in [None, Some(Sandbox::none())] {
        let long = forever(86396);
        let mut world = World::script(&format!(
            "D=${{DESTDIR-}}$PREFIX; mkdir -p $D; touch $D/x\n\
             setsid sh -c 'trap \"\" TERM HUP; sleep {long}' > /dev/null 2>&1 &\n\
             nohup sleep {long} > /dev/null 2>&1 &",
        ));
        world.sandbox = sandbox.unwrap_or(world.sandbox);
        world.built();
        assert_eq!(running(&long), 0);
    }
}

#[test]
fn gigabytes_of_output_keep_a_log_small_and_people_informed() {
    let mut world = World::script(
        "yes 'a line that is printed again and again' | head -c 24000000; echo; echo the end; exit 7",
    );
    world.recipe.limits.time = SECOND * 20;
    let failure = world.failed();
    assert_eq!(failure.reason, FailureReason::Exit(7));
    assert_eq!(failure.tail.last().map(String::as_str), Some("the end"));
    let log = world.log();
    assert!(
        log.len() < (17 << 20) && log.contains(" bytes left out\n") && log.ends_with("the end\n"),
        "{}",
        log.len()
    );
    let lines = world.seen.lines.lock().unwrap().len();
    assert!((1..10_000).contains(&lines), "{lines}");
}

#[test]
fn who_wants_every_line_sees_all_of_them_in_order() {
    let mut world = World::script("mkdir -p $PREFIX; touch $PREFIX/x; seq 1 200000; printf 'the end'");
    world.seen.wants_every_line = true;
    world.built();
    let lines = world.seen.lines.lock().unwrap();
    let expected = (1..=200_000).map(|number| number.to_string()).chain(["the end".to_owned()]);
    assert!(lines.iter().cloned().eq(expected), "{}", lines.len());
}

#[test]
fn one_that_is_killed_says_so() {
    assert_eq!(World::script("kill -9 $$").reason(), FailureReason::Signal(9));
}

#[test]
fn one_that_is_no_longer_wanted_ends() {
    let long = forever(86395);
    let world = World::script(&format!("sleep {long}"));
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            while running(&format!("sleep {long}")) == 0 {
                std::thread::yield_now();
            }
            world.cancel.store(true, Ordering::Relaxed);
        });
        world.build().unwrap_err()
    });
    assert!(matches!(error, BuildError::Cancelled { .. }), "{error}");
    assert_eq!(running(&long), 0);
    assert!(!world.at("scratch").exists());
}

#[test]
fn a_source_that_is_edited_stays_what_it_was() {
    let world = World::script("echo changed > zconf.h; rm gone; mkdir -p $PREFIX; cp zconf.h $PREFIX")
        .source("zconf.h", "as it was\n")
        .source("gone", "still here\n");
    assert_eq!(world.text("zconf.h"), "changed\n");
    assert_eq!(fs_err::read_to_string(world.at("source/zconf.h")).unwrap(), "as it was\n");
    assert!(world.at("source/gone").exists());
}

#[test]
fn folders_that_let_nobody_in_are_removed_and_kept_alike() {
    let world = World::script(
        "mkdir -p $PREFIX/a /tmp/b/c; touch $PREFIX/a/x; chmod 0 $PREFIX/a $PREFIX /tmp/b/c /tmp/b; echo done",
    );
    assert_eq!(world.text("a/x"), "");
    assert!(!world.at("scratch/work").exists());
}

const NASTY: &str =
    r#"a 'b' "c" $(touch /tmp/owned) `touch /tmp/owned` ${HOME} $HOME; touch /tmp/owned | & > \ * #"#;

#[test]
fn values_arrive_as_they_are() {
    let script =
        "mkdir -p $PREFIX; printf '%s\\n%s\\n' \"$VALUE\" \"$DEFINE\" > $PREFIX/seen; test ! -e /tmp/owned";
    let world = World::script(script).environment("VALUE", NASTY).define("DEFINE", NASTY);
    assert_eq!(world.text("seen"), format!("{NASTY}\n{NASTY}\n"));

    // As CMake writes strings: what its language gives a meaning is not what is tested here.
    let cmake = "cmake_minimum_required(VERSION 3.10)\nproject(x NONE)\n\
        file(WRITE ${CMAKE_BINARY_DIR}/seen \"${VALUE}\")\ninstall(FILES ${CMAKE_BINARY_DIR}/seen DESTINATION share)\n";
    let world = World::new(System::Cmake).source("CMakeLists.txt", cmake).define("VALUE", NASTY);
    assert_eq!(world.text("share/seen"), NASTY);

    let meson = "project('x')\noption = get_option('value')\n\
        configure_file(input : 'seen.in', output : 'seen', configuration : {'value' : option}, install : true, install_dir : 'share')\n";
    let world = World::new(System::Meson)
        .source("meson.build", meson)
        .source("meson_options.txt", "option('value', type : 'string')\n")
        .source("seen.in", "@value@")
        .define("value", NASTY);
    assert_eq!(world.text("share/seen"), NASTY);

    let configure = "#!/bin/sh\nfor word; do echo \"$word\"; done > words\n\
        printf 'all:\\ninstall:\\n\\tmkdir -p /weir/prefix; cp words /weir/prefix\\n' > Makefile\n";
    let world = World::new(System::Autotools).source("configure", configure).define("with-value", NASTY);
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs_err::set_permissions(world.at("source/configure"), std::fs::Permissions::from_mode(0o555))
            .unwrap();
    }
    assert!(world.text("words").ends_with(&format!("--with-value={NASTY}\n")));

    // A makefile that passes a value on to a program through the environment, as it should.
    let makefile = "all:\ninstall:\n\tmkdir -p $(PREFIX); printf '%s' \"$$VALUE\" > $(PREFIX)/seen; test ! -e /tmp/owned\n";
    let world =
        World::new(System::Make { targets: Vec::new() }).source("Makefile", makefile).define("VALUE", NASTY);
    assert_eq!(world.text("seen"), NASTY);
}

#[test]
fn names_that_would_be_something_else_are_refused() {
    let make = || World::new(System::Make { targets: Vec::new() }).source("Makefile", "all:\n");
    for world in [make().define("X!", "id"), make().environment("A=B", ""), make().define("--eval", "x")] {
        assert!(matches!(world.build().unwrap_err(), BuildError::Name { .. }));
    }
}
