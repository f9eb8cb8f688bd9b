//! Measures what the store adds to unpacking, how fast it checks, and what its small operations cost.
//!
//! `cargo run --release -p weir-store --example measure -- <an empty folder on a fresh file system>`
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a program that measures, for a person to read"
)]

use std::convert::Infallible;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use weir_model::{Hasher, TreeDigest, of};
use weir_store::{Options, Scope, Session, Store};
use weir_tree::{Expected, Limits, Selection};

const TREES: u32 = 100;
const FILES: u32 = 200;
const THREADS: usize = 2;

struct Pack {
    tree: TreeDigest,
    bytes: Arc<Vec<u8>>,
}

fn main() {
    let folder = std::env::args_os().nth(1).expect("give an empty folder");
    let folder = Path::new(&folder);
    let packs: Vec<Pack> = (0..TREES).map(|number| pack(folder, number)).collect();
    // In turns, so that both see the same weather; the first turn warms up.
    let mut bare = Vec::new();
    let mut stored = Vec::new();
    for turn in 0..6 {
        bare.push(time(|| unpack_bare(&packs, &folder.join(format!("bare-{turn}")))));
        stored.push(time(|| unpack_stored(&packs, &folder.join(format!("store-{turn}")))));
    }
    let (bare, stored) = (median(bare), median(stored));
    println!("unpack {TREES} x {FILES}: bare {bare:?}, store {stored:?}, ratio {:.3}", ratio(stored, bare));

    let store = Store::open(&folder.join("store-0"), Options::default()).unwrap();
    let session = store.session().unwrap();
    let each = |work: &dyn Fn(&Session)| time(|| (0..1000).for_each(|_| work(&session))) / 1000;
    println!("look-up: {:?}", each(&|session| drop(session.tree(&packs[0].tree).unwrap())));
    println!("session: {:?}", each(&|_| drop(store.session().unwrap())));
    println!("open: {:?}", each(&|_| drop(Store::open(store.root(), Options::default()).unwrap())));
    let lock = "x".repeat(50_000);
    session.register_project(folder, &lock).unwrap();
    println!(
        "register again (50 kB): {:?}",
        each(&|session| session.register_project(folder, &lock).unwrap())
    );
    println!("verify small files: {}", verify_speed(&session));
    println!(
        "optimise: {:?} for {:?}",
        time(|| println!("{:?}", session.optimise().unwrap())),
        TREES * FILES
    );

    let big = Store::open(&folder.join("big"), Options::default()).unwrap();
    let session = big.session().unwrap();
    fill_big(&session, folder);
    println!("verify 32 MiB files: {}", verify_speed(&session));
    println!("verify 32 MiB files: {}", verify_speed(&session));
}

fn verify_speed(session: &Session) -> String {
    let mut speeds = Vec::new();
    for _ in 0..3 {
        let hash = hash_speed();
        let start = Instant::now();
        let report = session.verify(Scope::Everything).unwrap();
        assert!(report.broken.is_empty());
        speeds.push((report.bytes as f64 / start.elapsed().as_secs_f64() / 1e6, hash));
    }
    speeds.sort_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)));
    let (speed, hash) = speeds[1];
    format!("{speed:.0} MB/s, SHA-256 on {THREADS} cores {hash:.0} MB/s, ratio {:.2}", speed / hash)
}

/// MB/s of hashing memory on two threads.
fn hash_speed() -> f64 {
    let block = vec![7_u8; 1 << 20];
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut hasher = Hasher::<of::Entry>::new();
                (0..256).for_each(|_| hasher.update(&block));
                std::hint::black_box(hasher.finish())
            });
        }
    });
    (THREADS << 28) as f64 / start.elapsed().as_secs_f64() / 1e6
}

fn fill_big(session: &Session, folder: &Path) {
    for number in 0..16_u8 {
        let source = folder.join(format!("big-source-{number}"));
        fs_err::create_dir(&source).unwrap();
        fs_err::write(source.join("data"), vec![number; 32 << 20]).unwrap();
        session.add_folder(&source, &Selection::everything(), &Limits::default()).unwrap();
    }
}

fn pack(folder: &Path, number: u32) -> Pack {
    let source = folder.join(format!("source-{number}"));
    for file in 0..FILES {
        let path = source.join(format!("lib/part-{}/file-{file}.txt", file / 20));
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        let line = format!("line of file {file} of package {}\n", if file % 4 == 0 { 0 } else { number });
        fs_err::write(path, line.repeat(40 + file as usize % 30)).unwrap();
    }
    let manifest = weir_tree::read_folder(&source, &Selection::everything()).unwrap();
    let mut bytes = Vec::new();
    weir_tree::write_pack(&source, &manifest, &mut bytes, 3).unwrap();
    Pack { tree: manifest.digest(), bytes: Arc::new(bytes) }
}

fn in_parallel(packs: &[Pack], work: impl Fn(&Pack) + Sync) {
    thread::scope(|scope| {
        for part in packs.chunks(packs.len().div_ceil(THREADS)) {
            scope.spawn(|| part.iter().for_each(&work));
        }
    });
}

fn unpack_bare(packs: &[Pack], folder: &Path) {
    fs_err::create_dir(folder).unwrap();
    in_parallel(packs, |pack| {
        let expected = Expected { tree: pack.tree, pack_bytes: Some(pack.bytes.len() as u64) };
        let destination = folder.join(pack.tree.to_hex());
        weir_tree::unpack(pack.bytes.as_slice(), &expected, &Limits::default(), &destination).unwrap();
    });
}

fn unpack_stored(packs: &[Pack], folder: &Path) {
    let session = Store::open(folder, Options::default()).unwrap().session().unwrap();
    in_parallel(packs, |pack| {
        let fetch = || -> Result<Box<dyn std::io::Read + Send>, Infallible> {
            Ok(Box::new(Cursor::new(pack.bytes.as_ref().clone())))
        };
        let size = Some(pack.bytes.len() as u64);
        session.ensure_tree(&pack.tree, size, &Limits::default(), fetch).unwrap();
    });
}

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.remove(0);
    times.sort();
    times[times.len() / 2]
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}
