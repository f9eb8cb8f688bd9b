//! Measures the index at the size of a real registry.
//!
//! ```text
//! cargo run --release -p weir-index --example scale -- [folder] [Debian package list]
//! ```
//!
//! Without a package list, 63,000 packages are made up; `/usr/lib/apt/apt-helper cat-file
//! /var/lib/apt/lists/*_Packages*` prints a real one.

#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use weir_index::{Index, LoadedSnapshot, PackageFilter, SnapshotLimits};
use weir_model::of::Subject;
use weir_model::{
    Action, Baked, Dependency, Digest, KindName, PackageName, Platform, Range, Record, Release, ReleaseId,
    Scope, Version,
};

type Anything = Box<dyn std::error::Error>;

fn main() -> Result<(), Anything> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(|| std::env::temp_dir().join("weir-scale"), PathBuf::from);
    let list = arguments.next().map(PathBuf::from);
    fs_err::create_dir_all(&folder)?;
    println!("## 20,000 packages x 10 versions, a batch each");
    many_releases(&folder.join("releases.sqlite"))?;
    match &list {
        Some(list) => println!("## {}", list.display()),
        None => println!("## 63,000 packages"),
    }
    many_packages(&folder.join("packages.sqlite"), list.as_deref())
}

fn many_releases(path: &Path) -> Result<(), Anything> {
    let mut chance = Chance(7);
    let log = log_of_releases(&mut chance)?;
    let mut index = fresh(path)?;
    fold(&mut index, &log)?;
    drop(index);
    println!("file: {} MB", fs_err::metadata(path)?.len() >> 20);
    opening(path, "owner-7/widget-4007")?;
    most_needed(path)?;

    let names: Vec<PackageName> =
        (0..100).map(|_| package_name(chance.below(20_000))).collect::<Result<_, _>>()?;
    timed("open, candidates of 100 packages, dependencies of their newest", 20, || {
        let index = Index::open_read_only(path)?;
        let _still = index.reading()?;
        for name in &names {
            let candidates = index.candidates(name)?.ok_or("unknown")?;
            black_box(index.dependencies(&candidates, &candidates.releases[0])?);
        }
        Ok(())
    })?;
    timed("open, candidates of 1,109 packages x 10 with every dependency", 5, || {
        let index = Index::open_read_only(path)?;
        let _still = index.reading()?;
        for number in 0..1109 {
            let candidates = index.candidates(&package_name(number * 17)?)?.ok_or("unknown")?;
            for candidate in &candidates.releases {
                black_box(index.dependencies(&candidates, candidate)?);
            }
        }
        Ok(())
    })?;

    let index = Index::open_read_only(path)?;
    let mut snapshot = Vec::new();
    let start = Instant::now();
    let summary = index.write_snapshot(b"frontier", &mut snapshot)?;
    println!(
        "snapshot: {} bytes, {:.1} a release, written in {:?}",
        snapshot.len(),
        snapshot.len() as f64 / summary.releases as f64,
        start.elapsed()
    );
    for (name, bytes) in summary.columns.iter().filter(|(_, bytes)| *bytes > 0) {
        println!("  {name:12} {bytes:>9}");
    }
    fs_err::write(path.with_extension("snapshot.zst"), &snapshot)?;
    let mut loaded = fresh(&path.with_extension("loaded"))?;
    let start = Instant::now();
    let LoadedSnapshot { fold, .. } = loaded.load_snapshot(snapshot.as_slice(), SnapshotLimits::default())?;
    println!("snapshot read in {:?}", start.elapsed());
    fold.finish(b"")?;
    println!("snapshot loaded in {:?}", start.elapsed());
    let start = Instant::now();
    println!("the same view: {}, compared in {:?}", loaded.dump()? == index.dump()?, start.elapsed());
    Ok(())
}

fn many_packages(path: &Path, list: Option<&Path>) -> Result<(), Anything> {
    let log = match list {
        Some(list) => log_of_debian(&fs_err::read(list)?)?,
        None => log_of_packages(&mut Chance(3))?,
    };
    let mut index = fresh(path)?;
    fold(&mut index, &log)?;
    println!("file: {} MB, {:?}", fs_err::metadata(path)?.len() >> 20, index.stats()?);
    for query in [
        "lib",
        "library",
        "library for",
        "l",
        "for",
        "the",
        "curl",
        "json parser",
        "python3 lib",
        "zlib1g",
        "nosuchword",
    ] {
        let mut shown = String::new();
        let label = format!("open and search `{query}`");
        timed(&label, 20, || {
            let index = Index::open_read_only(path)?;
            let results = index.search(query, &PackageFilter::default(), 20, 0)?;
            shown = format!(
                "{:?}: {:?}",
                results.total,
                results.hits.iter().take(4).map(|hit| hit.name.name()).collect::<Vec<_>>()
            );
            Ok(())
        })?;
        println!("    {shown}");
    }
    timed("open and find names like `libcurk4`", 5, || {
        black_box(Index::open_read_only(path)?.similar_names("libcurk4", 3)?);
        Ok(())
    })?;
    timed("open and add everything up", 5, || {
        black_box(Index::open_read_only(path)?.stats()?);
        Ok(())
    })?;
    most_needed(path)
}

/// What the package that most others need reaches: the largest answer there is.
fn most_needed(path: &Path) -> Result<(), Anything> {
    let index = Index::open_read_only(path)?;
    let all = index.list(&PackageFilter::default(), None, usize::MAX)?;
    let most = all.into_iter().max_by_key(|package| package.dependents).ok_or("no package")?;
    drop(index);
    let mut shown = String::new();
    timed(&format!("open and find all that `{}` reaches", most.name), 3, || {
        let impact = Index::open_read_only(path)?.impact(&most.name, None)?;
        shown = format!("{} releases of {} packages", impact.releases, impact.packages.len());
        Ok(())
    })?;
    println!("    needed by {} packages directly; reaches {shown}", most.dependents);
    Ok(())
}

fn fresh(path: &Path) -> Result<Index, Anything> {
    if path.exists() {
        fs_err::remove_file(path)?;
    }
    Ok(Index::open(path)?)
}

fn fold(index: &mut Index, log: &[Vec<u8>]) -> Result<(), Anything> {
    let start = Instant::now();
    let mut fold = index.begin()?;
    for (place, entry) in log.iter().enumerate() {
        fold.entry(place as u64, entry)?;
    }
    let read = start.elapsed();
    fold.finish(b"")?;
    let bytes: usize = log.iter().map(Vec::len).sum();
    println!("{} records, {} MB: folded in {:?} (entries {read:?})", log.len(), bytes >> 20, start.elapsed());
    let mut one_more = index.begin()?;
    let start = Instant::now();
    one_more.entry(
        log.len() as u64,
        &record(
            release("zz/one-more", 1, Vec::new(), "one more", &mut Chance(1))?,
            log.len() as u64,
            &mut Chance(9),
        )?,
    )?;
    one_more.finish(b"")?;
    println!("one more record: folded in {:?}", start.elapsed());
    Ok(())
}

fn opening(path: &Path, name: &str) -> Result<(), Anything> {
    let name: PackageName = name.parse()?;
    timed("open", 50, || Index::open_read_only(path).map(drop).map_err(Into::into))?;
    timed("open for writing", 50, || Index::open(path).map(drop).map_err(Into::into))?;
    timed("open and look one package up", 50, || {
        black_box(Index::open_read_only(path)?.package(&name)?.ok_or("unknown")?);
        Ok(())
    })
}

/// The median and the slowest of some runs.
fn timed(what: &str, runs: usize, mut run: impl FnMut() -> Result<(), Anything>) -> Result<(), Anything> {
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        let start = Instant::now();
        run()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let show = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
    println!("{what}: {} (slowest {})", show(times[runs / 2]), show(times[runs - 1]));
    Ok(())
}

/// Ten versions of 20,000 packages, in no order, each baked to releases that were there.
fn log_of_releases(chance: &mut Chance) -> Result<Vec<Vec<u8>>, Anything> {
    let mut order: Vec<u64> = (0..20_000).flat_map(|package| [package; 10]).collect();
    for place in (1..order.len()).rev() {
        order.swap(place, chance.below(place as u64 + 1) as usize);
    }
    let mut newest: BTreeMap<u64, Release> = BTreeMap::new();
    let mut log = Vec::with_capacity(order.len());
    for (index, package) in order.into_iter().enumerate() {
        let mut needs = Vec::new();
        for which in 0..package % 5 {
            // A few packages are needed by many.
            let needed = (package * 31 + which * 97) % if which == 0 { 100 } else { 20_000 };
            if needed != package
                && let Some(base) = newest.get(&needed)
            {
                needs.push(need(base)?);
            }
        }
        let before = newest.get(&package);
        let version = before.map_or(1, |release| release.id.version.minor() + 1);
        let description =
            format!("Number {package} of the widgets, made for {}", WORDS[package as usize % WORDS.len()]);
        let mut release = release(package_name(package)?.as_str(), version, needs, &description, chance)?;
        if let Some(before) = before {
            release.size = before.size + chance.below(before.size / 50 + 1);
            release.unpacked = release.size * 4 + chance.below(release.size / 20 + 1);
            release.files = before.files + chance.below(3);
        }
        log.push(record(release.clone(), index as u64, chance)?);
        newest.insert(package, release);
    }
    Ok(log)
}

/// Names of two words and descriptions of a dozen, with common and rare ones.
fn log_of_packages(chance: &mut Chance) -> Result<Vec<Vec<u8>>, Anything> {
    let mut log = Vec::new();
    for number in 0..63_000 {
        let word = |chance: &mut Chance| WORDS[chance.below(WORDS.len() as u64) as usize];
        let name =
            format!("debian/{}-{}{number}", if number % 2 == 0 { "lib" } else { word(chance) }, word(chance));
        let mut description = String::from("library");
        for _ in 0..10 {
            description = format!("{description} {}", word(chance));
        }
        let release = release(&name, 1, Vec::new(), &description, chance)?;
        log.push(record(release, number, chance)?);
    }
    Ok(log)
}

/// One release a package, with whatever it depends on at any version.
fn log_of_debian(list: &[u8]) -> Result<Vec<Vec<u8>>, Anything> {
    let mut chance = Chance(5);
    let mut log = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for paragraph in String::from_utf8_lossy(list).split("\n\n") {
        let field =
            |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let Some(name) = field("Package").map(debian_name).filter(|name| seen.insert(name.clone())) else {
            continue;
        };
        let depends =
            field("Depends").unwrap_or_default().split(',').filter_map(|one| one.split_whitespace().next());
        let needs: std::collections::BTreeSet<String> = depends.map(debian_name).collect();
        let needs = needs.iter().filter_map(|name| name.parse().ok());
        let needs =
            needs.map(|name| Dependency { name, range: Range::any(), scope: Scope::Run, baked: None });
        let release =
            release(&name, 1, needs.collect(), field("Description").unwrap_or_default(), &mut chance)?;
        log.push(record(release, log.len() as u64, &mut chance)?);
    }
    Ok(log)
}

fn debian_name(name: &str) -> String {
    let name: String = name.split(':').next().unwrap_or(name).replace('+', "x").chars().take(64).collect();
    format!("debian/{}", name.trim_end_matches('.'))
}

fn package_name(number: u64) -> Result<PackageName, weir_model::NameError> {
    format!("owner-{}/widget-{number}", number % 500).parse()
}

fn need(base: &Release) -> Result<Dependency, Anything> {
    let id = base.id.clone();
    let baked = Baked {
        version: id.version,
        platform: id.platform,
        revision: id.revision,
        input_digest: base.input_digest,
    };
    Ok(Dependency { name: id.name, range: "^1".parse()?, scope: Scope::Run, baked: Some(baked) })
}

fn release(
    name: &str,
    minor: u64,
    dependencies: Vec<Dependency>,
    description: &str,
    chance: &mut Chance,
) -> Result<Release, Anything> {
    let id = ReleaseId {
        name: name.parse()?,
        version: Version::new(1, minor, 0),
        platform: Platform::any(),
        revision: 0,
    };
    let size = 2_000 + chance.below(60_000);
    let mut release = Release {
        id,
        kind: KindName::Generic,
        tree: chance.digest(),
        size,
        unpacked: size * 4 + chance.below(size),
        files: 3 + chance.below(60),
        input_digest: chance.digest(),
        dependencies,
        references: Vec::new(),
        recipe: None,
        toolchain: None,
        license: Some("MIT".into()),
        description: Some(description.into()),
        kind_facts: serde_json::Map::new(),
    };
    release.input_digest = release.compute_input_digest();
    Ok(release)
}

fn record(release: Release, index: u64, chance: &mut Chance) -> Result<Vec<u8>, Anything> {
    let seconds = 1_700_000_000 + i64::try_from(index)? * 97;
    let at = jiff::Timestamp::from_second(seconds)?;
    let by = format!("user:person-{}", index % 40);
    Ok(Record {
        v: 1,
        batch: chance.ulid(seconds),
        at,
        by,
        action: Action::Publish { release: Box::new(release.into()) },
    }
    .to_bytes()?)
}

/// SplitMix64: the same chance in every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ value >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn digest<S: Subject>(&mut self) -> Digest<S> {
        Digest::of(self.next().to_le_bytes())
    }

    fn ulid(&mut self, seconds: i64) -> String {
        const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let value =
            (seconds as u128 * 1000) << 80 | (self.next() as u128) << 16 | u128::from(self.next() as u16);
        (0..26).rev().map(|place| char::from(ALPHABET[(value >> (place * 5)) as usize & 31])).collect()
    }
}

const WORDS: &[&str] = &[
    "json",
    "parser",
    "tools",
    "http",
    "client",
    "server",
    "data",
    "image",
    "sound",
    "for",
    "the",
    "of",
    "and",
    "with",
    "python3",
    "ruby",
    "fast",
    "small",
    "common",
    "runtime",
    "development",
    "files",
    "documentation",
    "shell",
    "network",
    "graphics",
    "text",
    "editor",
    "compiler",
    "debug",
    "symbols",
    "plugin",
    "theme",
    "fonts",
    "game",
    "science",
    "math",
    "matrix",
    "vector",
    "crypto",
    "hash",
    "archive",
    "compression",
    "database",
    "driver",
    "kernel",
    "module",
    "wrapper",
];
