//! What a machine's groups look like, and groups of this machine where it lets any be made.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Group, Hierarchy, Version, hierarchies, lock, new_folder, sweep};
use crate::limits::Limit;

#[test]
fn the_place_of_a_user_session_is_beside_its_own_group() {
    let mounts = "25 30 0:23 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n\
        26 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
    let groups = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/term.scope\n";
    let own = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/term.scope";
    let expected =
        Hierarchy { version: Version::Two, controllers: Vec::new(), own: own.into(), is_top: false };
    assert_eq!(hierarchies(mounts, groups), [expected]);
}

#[test]
fn of_version_1_each_controller_has_a_place_of_its_own_and_only_at_the_top() {
    let mounts = "36 35 0:33 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n\
        37 35 0:34 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
        38 35 0:35 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n\
        39 35 0:36 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
    let groups = "9:name=systemd:/\n8:pids:/\n4:memory:/other/owner\n0::/\n";
    let found = hierarchies(mounts, groups);
    let places: Vec<_> = found.into_iter().filter(|one| one.version == Version::One).collect();
    let places: Vec<_> = places.into_iter().filter_map(Hierarchy::of_version_one).collect();
    let seen: Vec<_> =
        places.iter().map(|place| (place.folder.to_str().unwrap(), place.pids, place.memory)).collect();
    assert_eq!(seen, [("/sys/fs/cgroup/pids", true, false), ("/sys/fs/cgroup/systemd", false, false)]);
}

#[test]
fn a_container_sees_its_part_as_the_top_and_what_is_outside_is_no_place() {
    let mount = "37 35 0:34 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
    let found = hierarchies(mount, "4:memory:/docker/1\n");
    assert!(found[0].is_top && found[0].own == Path::new("/sys/fs/cgroup/memory"), "{found:?}");
    assert_eq!(hierarchies(mount, "4:memory:/elsewhere\n"), []);
    let mount = "37 35 0:34 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
    assert_eq!(hierarchies(mount, "0::/../outside\n"), []);
}

/// A group with these bounds, if this machine lets any be made that counts processes.
fn group(processes: u32) -> Option<Group> {
    let group = Group::make(processes, 1 << 40).filter(Group::bounds_processes);
    if group.is_none() {
        eprintln!("no control groups can be made here: nothing was tested");
    }
    group
}

/// Starts a shell that waits for a line before it does this, and puts it into the group meanwhile.
fn run_in(group: &Group, text: &str) -> Option<std::process::Child> {
    let text = format!("read -r go; {text}");
    let mut shell = Command::new("/bin/sh")
        .args(["-c", &text])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    if group.take_in(shell.id()).is_err() {
        eprintln!("nothing may be moved into control groups here: nothing was tested");
        shell.kill().unwrap();
        shell.wait().unwrap();
        return None;
    }
    std::io::Write::write_all(&mut shell.stdin.take().unwrap(), b"\n").unwrap();
    Some(shell)
}

#[test]
fn a_fork_bomb_never_has_more_processes_than_it_may_and_all_of_them_end() {
    let Some(group) = group(60) else { return };
    let Some(mut shell) = run_in(&group, "bomb() { bomb | bomb & }; bomb; sleep 86394.25") else { return };
    while group.over().is_none() {
        std::thread::yield_now();
    }
    assert_eq!(group.over(), Some(Limit::Processes(60)));
    let counting = group.folders.iter().find(|folder| folder.place.pids).unwrap();
    let peak = fs_err::read_to_string(counting.path.join("pids.peak"));
    group.end();
    shell.wait().unwrap();
    assert_eq!(group.processes().len(), 0);
    // The most that there ever were at once, since Linux 6.1.
    if let Ok(peak) = peak {
        assert!(peak.trim().parse::<u32>().unwrap() <= 62, "{peak}");
    }
    let paths: Vec<_> = group.folders.iter().map(|folder| folder.path.clone()).collect();
    drop(group);
    assert!(paths.iter().all(|path| !path.exists()));
}

#[test]
fn what_runs_away_from_its_parents_is_ended_with_the_group() {
    let Some(group) = group(60) else { return };
    let away = "for i in 1 2 3; do setsid sh -c 'trap \"\" TERM HUP; sleep 86393.25' >/dev/null 2>&1 & done";
    let Some(mut shell) = run_in(&group, away) else { return };
    shell.wait().unwrap();
    assert!(!group.processes().is_empty());
    assert_eq!(group.over(), None);
    group.end();
    assert!(group.processes().is_empty());
}

#[test]
fn what_a_killed_program_left_is_swept_and_what_is_used_is_not() {
    let Some(used) = group(60) else { return };
    let place = used.folders[0].place.folder.clone();
    let Some((left, lock_of_left)) = new_folder(&place) else { return };
    let Some(mut shell) = run_in(&used, "sleep 86392.25") else { return };
    fs_err::write(left.join("cgroup.procs"), shell.id().to_string()).unwrap();
    // Who is killed holds no lock any more.
    drop(lock_of_left);
    // Another program may sweep at the same time, and have it locked for that moment.
    while left.exists() {
        sweep(&place);
    }
    assert!(used.folders[0].path.exists());
    assert!(!shell.wait().unwrap().success(), "it was ended");
    assert!(lock(&used.folders[0].path).is_none(), "it is locked");
}

/// The place beside a group with these bounds.
fn beside(pids: &str, memory: &str) -> Option<super::Place> {
    let place = tempfile::tempdir().unwrap();
    let own = place.path().join("term.scope");
    fs_err::create_dir(&own).unwrap();
    fs_err::write(place.path().join("cgroup.subtree_control"), "cpu memory pids\n").unwrap();
    fs_err::write(own.join("pids.max"), pids).unwrap();
    fs_err::write(own.join("memory.max"), memory).unwrap();
    Hierarchy { version: Version::Two, controllers: Vec::new(), own, is_top: false }.of_version_two()
}

#[test]
fn nothing_is_made_beside_a_group_whose_bounds_it_would_escape() {
    let free = beside("max\n", "max\n").unwrap();
    assert!(free.pids && free.memory && free.most_processes.is_none());
    assert_eq!(beside("18974\n", "max\n").unwrap().most_processes, Some(18974));
    assert_eq!(beside("18974\n", "4294967296\n"), None);
}
