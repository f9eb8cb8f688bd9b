//! What lies in the storage against what the log names: audited, and collected.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use weir_model::{BuildFacts, Digest, Sha256, SourceFact, Unobserved, WithdrawalVerb};
use weir_policy::{Caller, FolderGate, Principal};
use weir_registry::content::{CHUNKED_ABOVE, chunk_list_path, file_path, pack_path};
use weir_registry::{Collect, Collected, Draft, Intent, Look, Registry, RegistryAudit, Why, audit};

use crate::world::{World, now, package, withdraw};

pub(crate) fn publish(draft: &Draft) -> Intent {
    Intent::Publish(Box::new(draft.clone()))
}

pub(crate) fn put_file(registry: &dyn Registry, bytes: &[u8]) -> Sha256 {
    registry.put_file(&Digest::of(bytes), &mut &*bytes).unwrap();
    Digest::of(bytes)
}

/// A built release with all its evidence uploaded, none of which another release has.
pub(crate) fn built(world: &World, registry: &dyn Registry, id: &str) -> Draft {
    let source = world.draft(registry, id, &[], "the source of");
    let mut draft = crate::world::built(registry, id);
    let file = |what: &str| Some(put_file(registry, format!("{what} of {id}").as_bytes()));
    draft.recipe = file("recipe");
    draft.toolchain = file("toolchain");
    let facts = BuildFacts {
        source: Some(SourceFact { tree: source.tree, size: source.size }),
        provenance: file("provenance"),
        log: file("log"),
        ..BuildFacts::default()
    };
    facts.insert_into(&mut draft.facts);
    draft
}

/// A table of a manifest that names an external file.
pub(crate) fn reference(name: &str, sha256: &Sha256) -> String {
    format!("[references.{name}]\nurl = \"https://host.example/{name}\"\nsha256 = \"{sha256}\"\n")
}

pub(crate) fn audited(world: &World) -> RegistryAudit {
    let replica = world.fresh_replica();
    let source = weir_log::FolderSource::new(world.folder());
    audit(&source, replica.keys(), true, Look::Held(&world.content()), &Unobserved).unwrap()
}

/// The same of a registry that can only be asked for what is known by name.
pub(crate) fn asked(world: &World, look: Look<'_>) -> RegistryAudit {
    let replica = world.fresh_replica();
    let source = weir_log::FolderSource::new(world.folder());
    audit(&source, replica.keys(), true, look, &Unobserved).unwrap()
}

/// The files of packs, files and chunks, and what is unfinished, below the registry.
fn stored(world: &World) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders: Vec<PathBuf> =
        ["pack", ".held", "file", "chunk", ".tmp", "snapshot"].map(|part| world.folder().join(part)).into();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs_err::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(world.folder()).unwrap().to_owned());
            }
        }
    }
    found
}

/// Makes everything in the storage look as if it was written so many hours ago.
pub(crate) fn hours_pass(world: &World, hours: u64) {
    for path in stored(world) {
        let file = fs_err::OpenOptions::new().append(true).open(world.folder().join(path)).unwrap();
        let then: SystemTime = now().into();
        file.file().set_modified(then - Duration::from_secs(hours * 3600)).unwrap();
    }
}

pub(crate) fn collect(world: &World, removed_before: Option<Timestamp>, dry_run: bool) -> Collected {
    world.open().collect(&Collect { removed_before, dry_run }).unwrap()
}

fn why(collected: &Collected) -> Vec<Why> {
    let mut why: Vec<_> = collected.objects.iter().map(|object| object.why).collect();
    why.sort_unstable();
    why
}

#[test]
fn what_cannot_be_listed_is_asked_for_by_name_chunks_of_large_files_too() {
    let world = World::new(true);
    let registry = world.open();
    let large = vec![7; CHUNKED_ABOVE as usize + 1];
    let sha256 = put_file(&registry, &large);
    let references = format!("{}{}", reference("held", &sha256), reference("left", &Digest::of("elsewhere")));
    let referring = package(&registry, "acme/data 1.0.0", "", &references, &[]);
    world.submit(vec![publish(&built(&world, &registry, "acme/a 1.0.0")), publish(&referring)]).unwrap();
    let present = asked(&world, Look::Presence);
    assert_eq!((present.problems.as_slice(), present.objects, present.present), ([].as_slice(), 0, 8));
    assert_eq!((present.content_checked, present.content_listed), (false, false));
    let read = asked(&world, Look::Bytes);
    assert_eq!((read.problems.as_slice(), read.objects, read.present), ([].as_slice(), 8, 0));
    assert_eq!((read.content_checked, read.content_listed), (true, false));

    let chunk = stored(&world).into_iter().find(|path| path.starts_with("chunk")).unwrap();
    let chunk = world.folder().join(chunk);
    let bytes = fs_err::read(&chunk).unwrap();
    fs_err::write(&chunk, vec![0; bytes.len()]).unwrap();
    assert!(asked(&world, Look::Presence).problems.is_empty());
    assert!(asked(&world, Look::Bytes).problems[0].contains("has other bytes"));
    fs_err::write(&chunk, b"short").unwrap();
    assert!(asked(&world, Look::Presence).problems[0].contains("has 5 bytes instead of"));
    fs_err::remove_file(&chunk).unwrap();
    for look in [Look::Presence, Look::Bytes] {
        assert!(asked(&world, look).problems[0].contains("is not in the registry"), "{look:?}");
    }
}

#[test]
fn an_audit_reads_all_that_a_build_left_behind_and_names_what_is_missing_or_damaged() {
    let world = World::new(true);
    let registry = world.open();
    let draft = built(&world, &registry, "acme/a 1.0.0");
    world.submit(vec![publish(&draft)]).unwrap();
    let sound = audited(&world);
    assert_eq!((sound.problems.len(), sound.objects), (0, 6));
    assert_eq!((sound.kept.len(), sound.unused.len(), sound.content_checked), (0, 0, true));

    let facts = BuildFacts::read(&draft.facts).unwrap().unwrap();
    let source = pack_path(&facts.source.unwrap().tree);
    let parts = [
        ("the content", pack_path(&draft.tree)),
        ("the source", source),
        ("the recipe", file_path(&draft.recipe.unwrap())),
        ("the description of the toolchain", file_path(&draft.toolchain.unwrap())),
        ("the provenance", file_path(&facts.provenance.unwrap())),
        ("the build log", file_path(&facts.log.unwrap())),
    ];
    for (what, path) in parts {
        let path = world.folder().join(path);
        let bytes = fs_err::read(&path).unwrap();
        fs_err::remove_file(&path).unwrap();
        let missing = audited(&world).problems;
        assert!(missing.len() == 1 && missing[0].starts_with(what), "{missing:?}");
        assert!(missing[0].ends_with("is not in the registry"), "{missing:?}");
        let mut damaged = bytes.clone();
        *damaged.last_mut().unwrap() ^= 1;
        fs_err::write(&path, damaged).unwrap();
        let damaged = audited(&world).problems;
        assert!(damaged.len() == 1 && damaged[0].starts_with(what), "{damaged:?}");
        fs_err::write(&path, bytes).unwrap();
    }
}

#[test]
fn what_only_removed_releases_name_is_told_from_what_nothing_names() {
    let world = World::new(true);
    let registry = world.open();
    let (gone, stays) = (built(&world, &registry, "acme/a 1.0.0"), built(&world, &registry, "acme/b 1.0.0"));
    world.submit(vec![publish(&gone), publish(&stays)]).unwrap();
    world.submit(vec![withdraw(WithdrawalVerb::Remove, "acme/a 1.0.0")]).unwrap();
    let found = audited(&world);
    assert_eq!((found.problems.len(), found.kept.len(), found.unused.len()), (0, 6, 0), "{found:?}");
    let stray = world.draft(&registry, "acme/c 1.0.0", &[], "");
    let found = audited(&world);
    assert_eq!((found.kept.len(), found.unused), (6, vec![format!("the pack of the tree {}", stray.tree)]));
}

#[test]
fn collecting_takes_what_nothing_names_and_on_request_what_only_removed_releases_name() {
    let world = World::new(true);
    let registry = world.open();
    let (gone, stays) = (built(&world, &registry, "acme/a 1.0.0"), built(&world, &registry, "acme/b 1.0.0"));
    world.submit(vec![publish(&gone), publish(&stays)]).unwrap();
    world.submit(vec![withdraw(WithdrawalVerb::Remove, "acme/a 1.0.0")]).unwrap();
    let named = stored(&world);
    world.draft(&registry, "acme/c 1.0.0", &[], "");
    put_file(&registry, &vec![7; usize::try_from(CHUNKED_ABOVE).unwrap() + 1]);
    fs_err::write(world.folder().join(".tmp/.tmpAbCdEf"), "half a pa").unwrap();

    // What is young may belong to a publication that is under way.
    hours_pass(&world, 23);
    assert_eq!(collect(&world, None, false).objects, []);
    hours_pass(&world, 25);
    let all = stored(&world);
    let would = collect(&world, None, true);
    assert_eq!(stored(&world), all);
    let did = collect(&world, None, false);
    assert_eq!(Collected { dry_run: true, ..did.clone() }, would);
    // A pack, a list of chunks, the chunk that it names as often as it takes, and the last one.
    assert_eq!(why(&did), [Why::Unfinished, Why::Unnamed, Why::Unnamed, Why::Unnamed, Why::Unnamed]);
    assert_eq!((did.kept, stored(&world)), (6, named.clone()));

    // The release was removed at this moment, not before it.
    assert_eq!(collect(&world, Some(now()), false).objects, []);
    let did = collect(&world, Some(now() + Duration::from_secs(1)), false);
    assert_eq!(why(&did), [Why::Removed; 6]);
    let found = audited(&world);
    assert_eq!((found.problems.len(), found.kept.len(), found.unused.len(), found.objects), (0, 0, 0, 6));
}

#[test]
fn what_is_shared_with_a_release_that_stays_is_not_collected() {
    let world = World::new(true);
    let registry = world.open();
    let first = built(&world, &registry, "acme/a 1.0.0");
    let mut again = first.clone();
    again.id.revision = 1;
    world.submit(vec![publish(&first), publish(&again)]).unwrap();
    let one = weir_registry::Withdraw::exactly(WithdrawalVerb::Remove, "acme/a 1.0.0".parse().unwrap());
    world.submit(vec![Intent::Withdraw(one)]).unwrap();
    hours_pass(&world, 25);
    assert_eq!(collect(&world, Some(Timestamp::MAX), false), Collected::default());
    assert_eq!(audited(&world).problems, Vec::<String>::new());
}

#[test]
fn quarantined_content_stays_even_when_its_release_is_removed() {
    let world = World::new(false);
    let draft = world.draft(&world.open(), "acme/a 1.0.0", &[], "");
    world.submit(vec![publish(&draft)]).unwrap();
    world.submit(vec![withdraw(WithdrawalVerb::Quarantine, "acme/a 1.0.0")]).unwrap();
    let found = audited(&world);
    assert_eq!((found.problems.len(), found.kept.len(), found.objects), (0, 0, 1), "{found:?}");
    world.submit(vec![withdraw(WithdrawalVerb::Remove, "acme/a 1.0.0")]).unwrap();
    hours_pass(&world, 25);
    assert_eq!(collect(&world, Some(Timestamp::MAX), false).objects, []);
    let found = audited(&world);
    assert_eq!((found.problems.len(), found.kept.len()), (0, 1), "{found:?}");
    assert!(stored(&world).iter().any(|path| path.starts_with(".held")));
}

#[test]
fn a_pack_that_a_crash_left_within_reach_is_put_out_of_it() {
    let world = World::new(false);
    let draft = world.draft(&world.open(), "acme/a 1.0.0", &[], "");
    world.submit(vec![publish(&draft)]).unwrap();
    let served = world.folder().join(pack_path(&draft.tree));
    let bytes = fs_err::read(&served).unwrap();
    world.submit(vec![withdraw(WithdrawalVerb::Quarantine, "acme/a 1.0.0")]).unwrap();
    fs_err::write(&served, bytes).unwrap();
    let problems = audited(&world).problems;
    assert!(problems.len() == 1 && problems[0].contains("served all the same"), "{problems:?}");
    assert_eq!(collect(&world, None, false).put_right.len(), 1);
    assert_eq!(audited(&world).problems, Vec::<String>::new());
    assert!(!served.exists());
}

/// Stops a collector after it has taken out so many objects.
struct StopAfter(AtomicUsize);

impl weir_log::Faults for StopAfter {
    fn at(&self, point: &'static str) {
        if point == "collect:removed" && self.0.fetch_sub(1, Ordering::Relaxed) == 0 {
            std::panic::panic_any("crash");
        }
    }
}

#[test]
fn a_collector_that_is_stopped_has_collected_less_and_the_next_goes_on() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let expected = {
        let world = World::new(true);
        rubbish(&world);
        collect(&world, Some(Timestamp::MAX), false);
        stored(&world)
    };
    for stop in 0.. {
        let world = World::new(true);
        rubbish(&world);
        let stopped = world.open_with(
            Box::new(FolderGate),
            Arc::new(StopAfter(AtomicUsize::new(stop))),
            Caller::new(Principal::user("ann"), now()),
        );
        let all = Collect { removed_before: Some(Timestamp::MAX), dry_run: false };
        let ended = catch_unwind(AssertUnwindSafe(|| stopped.collect(&all).unwrap()));
        drop(stopped);
        assert_eq!(audited(&world).problems, Vec::<String>::new(), "stopped after {stop}");
        collect(&world, Some(Timestamp::MAX), false);
        assert_eq!(stored(&world), expected, "stopped after {stop}");
        if ended.is_ok() {
            assert!(stop >= 8, "{stop}");
            break;
        }
    }
    std::panic::set_hook(hook);
}

/// A release that stays, one that was removed, and a large file that nothing names.
fn rubbish(world: &World) {
    let registry = world.open();
    let (gone, stays) = (built(world, &registry, "acme/a 1.0.0"), built(world, &registry, "acme/b 1.0.0"));
    world.submit(vec![publish(&gone), publish(&stays)]).unwrap();
    world.submit(vec![withdraw(WithdrawalVerb::Remove, "acme/a 1.0.0")]).unwrap();
    put_file(&registry, &vec![7; usize::try_from(CHUNKED_ABOVE).unwrap() + 1]);
    fs_err::write(world.folder().join(".tmp/.tmpAbCdEf"), "half a pa").unwrap();
    hours_pass(world, 25);
}

#[test]
fn a_snapshot_that_is_gone_or_damaged_is_told() {
    let world = World::new(false);
    let registry = world.open();
    let one = world.draft(&registry, "acme/p 1.0.0", &[], "");
    let of = |number| Draft { id: format!("acme/p 1.0.0 revision {number}").parse().unwrap(), ..one.clone() };
    let drafts: Vec<Draft> = (0..1100).map(of).collect();
    world.submit(drafts.iter().map(publish).collect()).unwrap();
    let keys = world.fresh_replica().keys().clone();
    let content = world.content();
    let looked = |look| {
        let source = weir_log::FolderSource::new(world.folder());
        audit(&source, &keys, false, look, &Unobserved).unwrap()
    };
    let all = || Look::Held(&content);
    assert_eq!(looked(all()).problems, Vec::<String>::new());
    let snapshot = stored(&world).into_iter().find(|path| path.starts_with("snapshot")).unwrap();
    let path = world.folder().join(snapshot);
    let mut bytes = fs_err::read(&path).unwrap();
    bytes[100] ^= 1;
    fs_err::write(&path, bytes).unwrap();
    for audit in [looked(all()), looked(Look::Bytes)] {
        assert!(audit.problems.len() == 1 && audit.problems[0].contains("snapshot"), "{:?}", audit.problems);
    }
    fs_err::remove_file(&path).unwrap();
    for audit in [looked(all()), looked(Look::Presence), looked(Look::Bytes)] {
        assert!(audit.problems.len() == 1 && audit.problems[0].contains("is not in"), "{:?}", audit.problems);
    }
}

/// What the log says of external files: which were here when the release was registered.
#[test]
fn a_lost_external_file_is_told_from_one_that_never_was_here() {
    let world = World::new(false);
    let registry = world.open();
    let large = vec![7; CHUNKED_ABOVE as usize + 1];
    let (small, large) = (put_file(&registry, b"small"), put_file(&registry, &large));
    let elsewhere = Digest::of("elsewhere");
    let references = [("small", small), ("large", large), ("left", elsewhere)]
        .map(|(name, sha256)| reference(name, &sha256));
    let draft = package(&registry, "acme/data 1.0.0", "", &references.concat(), &[]);
    world.submit(vec![publish(&draft)]).unwrap();
    let looked = || {
        let content = world.content();
        [asked(&world, Look::Held(&content)), asked(&world, Look::Presence), asked(&world, Look::Bytes)]
    };
    for audit in looked() {
        assert_eq!((audit.problems, audit.elsewhere), (Vec::new(), vec![format!("the file {elsewhere}")]));
    }
    let a_chunk = stored(&world).into_iter().find(|path| path.starts_with("chunk")).unwrap();
    for (name, path, lost) in [
        ("small", PathBuf::from(file_path(&small)), "the file"),
        ("large", chunk_list_path(&large).into(), "the file"),
        ("large", a_chunk, "the chunk"),
    ] {
        let bytes = fs_err::read(world.folder().join(&path)).unwrap();
        fs_err::remove_file(world.folder().join(&path)).unwrap();
        for audit in looked() {
            let told = &audit.problems[0];
            assert!(
                told.starts_with(&format!("the external file `{name}` of `acme/data 1.0.0`: {lost}")),
                "{told}"
            );
            assert!(audit.problems.len() == 1 && told.ends_with("is not in the registry"), "{told}");
            assert_eq!(audit.elsewhere, [format!("the file {elsewhere}")]);
        }
        fs_err::write(world.folder().join(&path), bytes).unwrap();
    }
}

/// Ten gigabytes of zeros, a device without an end, and what a link leads to are not read.
#[test]
fn no_more_of_a_file_is_read_than_is_said_of_it_and_nothing_but_files() {
    let world = World::new(true);
    let draft = built(&world, &world.open(), "acme/a 1.0.0");
    world.submit(vec![publish(&draft)]).unwrap();
    let outside = world.root.path().join("outside");
    for path in [file_path(&draft.recipe.unwrap()), pack_path(&draft.tree)] {
        let path = world.folder().join(path);
        let bytes = fs_err::read(&path).unwrap();
        fs_err::write(&outside, &bytes).unwrap();
        let huge = || fs_err::File::create(&path).unwrap().file().set_len(10 << 30).unwrap();
        let link = |to: &std::path::Path| fs_err::os::unix::fs::symlink(to, &path).unwrap();
        let device = || link("/dev/zero".as_ref());
        let elsewhere = || link(&outside);
        let pipe = || {
            let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
            rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        };
        for put in [&huge as &dyn Fn(), &device, &elsewhere, &pipe] {
            fs_err::remove_file(&path).unwrap();
            put();
            let content = world.content();
            for look in [Look::Held(&content), Look::Bytes] {
                let found = asked(&world, look);
                assert_eq!(found.problems.len() + found.unanswered.len(), 1, "{look:?}: {found:?}");
            }
        }
        fs_err::remove_file(&path).unwrap();
        fs_err::write(&path, bytes).unwrap();
    }
    assert_eq!(audited(&world).problems, Vec::<String>::new());
}
