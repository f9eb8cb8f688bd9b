//! What one batch of many releases costs: planned, and submitted to a registry in memory.
//!
//! ```text
//! batch packages|versions|chain COUNT
//! ```
//!
//! `packages`: each of another package, and needs three of those before it. `versions`: all of one package, but for
//! every tenth, which needs that one. `chain`: each needs the one before it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use weir_bench::{Anything, println_result};
use weir_fs::Folder;
use weir_log::{NoFaults, Origin};
use weir_model::KindName;
use weir_package::Package;
use weir_policy::{Caller, FolderGate, Principal};
use weir_registry::{Batch, Intent, Memory, NewRegistry, Registrar, Registry, ReplicaHome};
use weir_tree::{Selection, read_folder, write_pack};

fn main() -> Result<(), Anything> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [shape, count] = arguments.as_slice() else {
        return Err("usage: batch packages|versions|chain COUNT".into());
    };
    let folder = tempfile::tempdir()?;
    let ports = Memory::ports(&Arc::default(), "batch", Arc::new(NoFaults));
    let home = ReplicaHome::new(&folder.path().join("home"));
    let caller = Caller::new(Principal::user("ann"), Timestamp::now());
    let new = NewRegistry {
        name: Origin::new("batch")?,
        closed: true,
        kinds: vec![KindName::Generic],
        validity: None,
    };
    Registrar::init(&ports, &home, &FolderGate, &caller, &new)?;
    let registry = Arc::new(Registrar::open(ports, &home, Box::new(FolderGate))?).acting_for(caller);

    let package = folder.path().join("package");
    fs_err::create_dir(&package)?;
    let mut intents = Vec::new();
    for number in 0..count.parse()? {
        fs_err::write(package.join("weir.toml"), manifest(shape, number)?)?;
        let tree = read_folder(&package, &Selection::everything())?;
        let mut pack = Vec::new();
        write_pack(&package, &tree, &mut pack, 1)?;
        let size = registry.put_pack(&tree.digest(), &mut pack.as_slice())?;
        let draft = Package::read(&Folder::open(&package)?, tree)?.draft(size);
        intents.push(Intent::Publish(Box::new(draft)));
    }
    let batch = Batch { intents };

    let planned = cpu(|| registry.preview(&batch).map(drop))?;
    let submitted = cpu(|| registry.submit(&batch).map(drop))?;
    let again = cpu(|| registry.submit(&batch).map(drop))?;
    println_result(&format!(
        "{shape} {count}: planned in {:.2} s, submitted in {:.2} s, once more in {:.2} s of CPU time",
        planned.as_secs_f64(),
        submitted.as_secs_f64(),
        again.as_secs_f64()
    ));
    Ok(())
}

fn manifest(shape: &str, number: u64) -> Result<String, Anything> {
    let package = |number: u64| format!("owner-{}/widget-{number}", number % 500);
    let (name, version, needs): (_, _, BTreeSet<u64>) = match shape {
        "packages" => {
            let before = [1, number / 2, number / 3 + 7].map(|back| number.checked_sub(back));
            (package(number), 0, before.into_iter().flatten().filter(|one| *one != number).collect())
        }
        "versions" if number % 10 == 9 => (package(number), 0, BTreeSet::from([0])),
        "versions" => (package(0), number, BTreeSet::new()),
        "chain" => (package(number), 0, number.checked_sub(1).into_iter().collect()),
        other => return Err(format!("`{other}` is no shape").into()),
    };
    let needs: String = needs.into_iter().map(|one| format!("\"{}\" = \"^1\"\n", package(one))).collect();
    Ok(format!("[package]\nname = \"{name}\"\nversion = \"1.{version}.0\"\n\n[dependencies]\n{needs}"))
}

/// How long something keeps the processors busy.
fn cpu<E>(run: impl FnOnce() -> Result<(), E>) -> Result<Duration, E> {
    let now = || {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
    };
    let start = now();
    run()?;
    Ok(now() - start)
}
