//! What a delta between two folders costs, beside the pack, and beside what sharing whole files or chunks would cost.
//!
//! `cargo run --release -p weir-tree --example delta -- NAME OLD NEW [NAME OLD NEW …]`: one line each, told as JSON.

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use weir_model::Digest;
use weir_tree::{
    DeltaParts, Expected, ExpectedDelta, Limits, PackFiles, Selection, TreeManifest, apply_delta,
    read_folder, unpack, write_delta, write_pack,
};

/// The level that `weir publish` packs with.
const LEVEL: i32 = 12;
/// Of so many the shortest time is told: what others do on the machine only lengthens it.
const ROUNDS: usize = 25;

/// Bytes of a chunk: least, on average, most. Smaller ones than those of references, or no package would have two.
const CHUNK: (usize, usize, usize) = (4 << 10, 16 << 10, 64 << 10);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[expect(clippy::print_stdout, reason = "an example shows what it measured")]
fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    for triple in arguments.chunks(3) {
        let [name, old, new] = triple else { return Err("a name, an old and a new folder".into()) };
        println!("{}", measure(name, Path::new(old), Path::new(new))?);
    }
    Ok(())
}

fn measure(name: &str, old: &Path, new: &Path) -> Outcome<String> {
    let everything = Selection::everything();
    let (old_tree, new_tree) = (read_folder(old, &everything)?, read_folder(new, &everything)?);
    let (old_pack, new_pack) = (packed(old, &old_tree)?, packed(new, &new_tree)?);
    let began = Instant::now();
    let mut delta = Vec::new();
    let both = || Outcome::Ok((opened(&old_pack, &old_tree)?, opened(&new_pack, &new_tree)?));
    let (mut from, mut to) = both()?;
    let parts = DeltaParts::between(&mut from, &mut to)?;
    let (mut from, mut to) = both()?;
    let made = match parts {
        Some(parts) => write_delta(&mut from, &mut to, parts, &mut delta)?,
        None => None,
    };
    let making = began.elapsed();

    let home = tempfile::tempdir()?;
    let base = home.path().join("base");
    unpack(&old_pack[..], &expected(&old_tree), &Limits::default(), &base)?;
    let (mut unpacking, mut applying) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (one, other) = (home.path().join(format!("u{round}")), home.path().join(format!("a{round}")));
        let began = Instant::now();
        unpack(&new_pack[..], &expected(&new_tree), &Limits::default(), &one)?;
        unpacking.push(began.elapsed());
        if made.is_some() {
            let most_bytes = u64::MAX;
            let which = ExpectedDelta { from: old_tree.digest(), to: new_tree.digest(), most_bytes };
            let began = Instant::now();
            apply_delta(&delta[..], &base, &old_tree, &which, &Limits::default(), &other)?;
            applying.push(began.elapsed());
        }
    }
    let (files, chunks) = (whole_files(new, &old_tree, &new_tree)?, chunks(&old_pack, &new_pack)?);
    Ok(format!(
        r#"{{"name":"{name}","unpacked":{},"pack":{},"delta":{},"files":{files},"chunks":{chunks},"making-ms":{},"unpacking-ms":{},"applying-ms":{}}}"#,
        new_tree.unpacked_size(),
        new_pack.len(),
        made.map_or_else(|| "null".to_owned(), |made| made.bytes.to_string()),
        making.as_millis(),
        least(unpacking),
        least(applying),
    ))
}

fn packed(root: &Path, tree: &TreeManifest) -> Outcome<Vec<u8>> {
    let mut pack = Vec::new();
    write_pack(root, tree, &mut pack, LEVEL)?;
    Ok(pack)
}

fn expected(tree: &TreeManifest) -> Expected {
    Expected { tree: tree.digest(), pack_bytes: None }
}

fn opened<'p>(pack: &'p [u8], tree: &TreeManifest) -> Outcome<PackFiles<&'p [u8]>> {
    Ok(PackFiles::open(pack, &expected(tree), &Limits::default())?)
}

/// What would travel if the files that are new did, in one stream, and the manifest.
fn whole_files(root: &Path, old: &TreeManifest, new: &TreeManifest) -> Outcome<usize> {
    let known: HashSet<_> = old.entries().iter().map(|entry| entry.digest).collect();
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
    encoder.write_all(new.to_text().as_bytes())?;
    for entry in new.entries().iter().filter(|entry| !known.contains(&entry.digest)) {
        let path = root.join(&entry.path);
        if !path.is_symlink() {
            encoder.write_all(&fs_err::read(path)?)?;
        }
    }
    Ok(encoder.finish()?.len())
}

/// What would travel if the chunks that are new did, each compressed by itself.
fn chunks(old: &[u8], new: &[u8]) -> Outcome<usize> {
    let cut = |pack: &[u8]| -> Outcome<Vec<Vec<u8>>> {
        let mut stream = Vec::new();
        zstd::Decoder::new(pack)?.read_to_end(&mut stream)?;
        let cutter = fastcdc::v2020::FastCDC::new(&stream, CHUNK.0, CHUNK.1, CHUNK.2);
        Ok(cutter.map(|chunk| stream[chunk.offset..chunk.offset + chunk.length].to_vec()).collect())
    };
    let digest = |chunk: &Vec<u8>| Digest::<weir_model::of::Chunk>::of(chunk);
    let known: HashSet<_> = cut(old)?.iter().map(digest).collect();
    let mut bytes = 0;
    for chunk in cut(new)? {
        bytes += 40;
        if !known.contains(&digest(&chunk)) {
            bytes += zstd::bulk::compress(&chunk, LEVEL)?.len();
        }
    }
    Ok(bytes)
}

fn least(times: Vec<Duration>) -> String {
    let least = times.into_iter().min();
    least.map_or_else(|| "null".to_owned(), |time| format!("{:.2}", time.as_secs_f64() * 1e3))
}
