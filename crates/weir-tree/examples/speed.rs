//! How fast trees are unpacked and verified, against `tar -x` and against SHA-256 in memory.
//!
//! `cargo run --release -p weir-tree --example speed -- <an empty folder on a fresh file system>`

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use weir_tree::{Expected, Limits, Selection, TreeManifest, read_folder, unpack, verify_folder, write_pack};

const PACKAGES: usize = 100;
const FILES: usize = 200;
const ROUNDS: usize = 7;
const THREADS: usize = 2;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

struct Package {
    pack: PathBuf,
    manifest: TreeManifest,
}

#[expect(clippy::print_stdout, reason = "an example shows what it measured")]
fn main() -> Outcome<()> {
    let home = PathBuf::from(std::env::args().nth(1).ok_or("name an empty folder")?);
    let packages = prepare(&home)?;
    let (mut ours, mut tars) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        ours.push(timed(|| unpack_all(&packages, &home.join(format!("ours-{round}"))))?);
        tars.push(timed(|| untar(&home, &home.join(format!("tar-{round}"))))?);
    }
    let (ours, tar) = (median(ours), median(tars));
    println!(
        "unpack {PACKAGES} × {FILES}: {ours:.1?}; tar -x: {tar:.1?}; ratio {:.2}",
        ours.div_duration_f64(tar)
    );

    let big = home.join("big");
    fs_err::create_dir(&big)?;
    for number in 0..16_u8 {
        fs_err::write(big.join(format!("{number}")), vec![number; 32 << 20])?;
    }
    let manifest = read_folder(&big, &Selection::everything())?;
    let verified =
        median((0..5).map(|_| timed(|| Ok(verify_folder(&big, &manifest)?))).collect::<Outcome<_>>()?);
    let memory = median((0..5).map(|_| timed(|| hash_in_memory(512 << 20))).collect::<Outcome<_>>()?);
    println!(
        "verify 512 MiB: {verified:.1?}; SHA-256 in memory: {memory:.1?}; {:.2} of its speed",
        memory.div_duration_f64(verified)
    );
    Ok(())
}

/// Makes the packages' folders, packs, and one tar of everything.
fn prepare(home: &Path) -> Outcome<Vec<Package>> {
    let from = home.join("from");
    let mut packages = Vec::new();
    for package in 0..PACKAGES {
        let root = from.join(format!("package-{package}"));
        for number in 0..FILES {
            let folder = root.join(format!("lib/part-{}", number / 20));
            fs_err::create_dir_all(&folder)?;
            let text = format!("module {package}.{number}: some lines that look like source code\n")
                .repeat(5 + number % 30);
            fs_err::write(folder.join(format!("file-{number}.js")), text)?;
        }
        let manifest = read_folder(&root, &Selection::everything())?;
        let pack = home.join(format!("{package}.pack"));
        write_pack(&root, &manifest, fs_err::File::create(&pack)?, 9)?;
        packages.push(Package { pack, manifest });
    }
    let made =
        Command::new("tar").arg("-C").arg(&from).arg("-cf").arg(home.join("all.tar")).arg(".").status()?;
    if !made.success() {
        return Err("tar failed".into());
    }
    Ok(packages)
}

fn unpack_all(packages: &[Package], to: &Path) -> Outcome<()> {
    fs_err::create_dir(to)?;
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), String> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(package) = packages.get(index) else { return Ok(()) };
            let pack = fs_err::File::open(&package.pack).map_err(|error| error.to_string())?;
            let expected = Expected { tree: package.manifest.digest(), pack_bytes: None };
            unpack(pack, &expected, &Limits::default(), &to.join(index.to_string()))
                .map_err(|error| error.to_string())?;
        }
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..THREADS).map(|_| scope.spawn(work)).collect();
        work()?;
        others.into_iter().try_for_each(|other| other.join().map_err(|_| "a thread panicked".to_owned())?)
    })?;
    Ok(())
}

fn untar(home: &Path, to: &Path) -> Outcome<()> {
    fs_err::create_dir(to)?;
    let status = Command::new("tar").arg("-C").arg(to).arg("-xf").arg(home.join("all.tar")).status()?;
    if status.success() { Ok(()) } else { Err("tar failed".into()) }
}

fn hash_in_memory(bytes: usize) -> Outcome<()> {
    let piece = vec![7_u8; 1 << 20];
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut hasher = weir_model::Hasher::<weir_model::of::Entry>::new();
                for _ in 0..bytes / THREADS / piece.len() {
                    hasher.update(&piece);
                }
                hasher.finish()
            });
        }
    });
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<Duration> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
