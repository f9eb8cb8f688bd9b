//! Content taken in, withheld, damaged, interrupted and fetched.

use std::fs::Permissions;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use weir_log::{Faults, FolderSource, Source, SourceError};
use weir_model::{Digest, Sha256, TreeDigest, Unobserved};
use weir_tree::{DeltaParts, Selection, read_folder, write_pack};

use super::chunks::cut;
use super::{
    Chunk, ChunkList, ContentError, ContentFolder, Delta, Fetched, NoChunks, OldVersion, Stated, Stored,
    chunk_list_path, chunk_path, fetch_file, file_path, held_path, open_pack, pack_note_path, pack_path,
};
use crate::ports::{Listing, Object, Objects as _};

const MIB: usize = 1 << 20;
const STREAMS: NonZeroUsize = NonZeroUsize::new(4).unwrap();

struct Site {
    folder: TempDir,
    content: ContentFolder,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("registry")).unwrap();
        let content = ContentFolder::new(folder.path().join("registry"));
        Self { folder, content }
    }

    fn registry(&self) -> PathBuf {
        self.folder.path().join("registry")
    }

    fn at(&self, path: &str) -> PathBuf {
        self.registry().join(path)
    }

    /// Removes what is there of some files.
    fn lose(&self, paths: &[String]) {
        for path in paths {
            let _ = fs_err::remove_file(self.at(path));
        }
    }

    fn stored(&self) -> Vec<Stored> {
        self.content.list().unwrap().whole().unwrap().into_iter().map(|(stored, _)| stored).collect()
    }

    fn has(&self, object: Object) -> bool {
        self.content.find(object).unwrap().is_some()
    }

    fn source(&self) -> FolderSource {
        FolderSource::new(self.registry())
    }

    /// A file beside the registry, and its digest.
    fn file(&self, name: &str, bytes: &[u8]) -> (PathBuf, Sha256) {
        let path = self.folder.path().join(name);
        fs_err::write(&path, bytes).unwrap();
        (path, Digest::of(bytes))
    }

    /// A pack of a tree with one file.
    fn pack(&self, text: &str) -> (PathBuf, TreeDigest) {
        self.pack_at(text, 3)
    }

    /// The same, compressed at this level.
    fn pack_at(&self, text: &str, level: i32) -> (PathBuf, TreeDigest) {
        let tree = tempfile::tempdir().unwrap();
        fs_err::write(tree.path().join("file.txt"), text).unwrap();
        let manifest = read_folder(tree.path(), &Selection::everything()).unwrap();
        let path = self.folder.path().join(format!("{}.pack", manifest.digest().short()));
        write_pack(tree.path(), &manifest, fs_err::File::create(&path).unwrap(), level).unwrap();
        (path, manifest.digest())
    }

    fn fetch(&self, sha256: &Sha256, size: usize) -> Result<Vec<u8>, ContentError> {
        let to = self.folder.path().join("fetched");
        fetch_file(&self.source(), sha256, size as u64, &NoChunks, &to, STREAMS, &|_| {})?;
        Ok(fs_err::read(to).unwrap())
    }
}

fn opened(path: &Path) -> fs_err::File {
    fs_err::File::open(path).unwrap()
}

/// Bytes that do not repeat and do not compress.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn cut_all(bytes: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    cut(bytes, |chunk, _| -> io::Result<()> {
        chunks.push(chunk);
        Ok(())
    })
    .unwrap();
    chunks
}

/// Counts what is read through it, and can break.
struct Counting {
    inner: FolderSource,
    bytes: Arc<AtomicU64>,
    /// Breaks each stream after this many bytes.
    breaks_after: Option<u64>,
}

struct CountedRead {
    inner: Box<dyn Read + Send>,
    bytes: Arc<AtomicU64>,
    left: Option<u64>,
}

impl Read for CountedRead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = match self.left {
            Some(0) => return Err(io::ErrorKind::ConnectionReset.into()),
            Some(left) => buffer.len().min(left as usize),
            None => buffer.len(),
        };
        let read = self.inner.read(&mut buffer[..most])?;
        self.left = self.left.map(|left| left - read as u64);
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Source for Counting {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let bytes = self.inner.read(path, limit)?;
        self.bytes.fetch_add(bytes.as_ref().map_or(0, Vec::len) as u64, Ordering::Relaxed);
        Ok(bytes)
    }

    fn open(&self, path: &str, offset: u64) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        let (bytes, left) = (Arc::clone(&self.bytes), self.breaks_after);
        let inner = self.inner.open(path, offset)?;
        Ok(inner.map(|inner| Box::new(CountedRead { inner, bytes, left }) as Box<dyn Read + Send>))
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

fn counting(site: &Site, breaks_after: Option<u64>) -> Counting {
    Counting { inner: site.source(), bytes: Arc::default(), breaks_after }
}

#[test]
fn a_pack_is_taken_in_once_and_served_as_it_came() {
    let site = Site::new();
    let (path, tree) = site.pack("hello");
    assert!(!site.has(Object::Pack(tree)));
    site.content.put_pack(&mut opened(&path), &tree).unwrap();
    site.content.put_pack(&mut opened(&path), &tree).unwrap();

    let pack = fs_err::read(&path).unwrap();
    assert_eq!(fs_err::read(site.at(&pack_path(&tree))).unwrap(), pack);
    let held = site.content.find(Object::Pack(tree)).unwrap().unwrap();
    assert_eq!((held.size, held.withheld), (pack.len() as u64, false));
    assert_eq!(
        site.content.verify_pack(&tree, &Stated::size(pack.len() as u64), false, &Unobserved).unwrap(),
        pack.len() as u64
    );
    let mut end = Vec::new();
    open_pack(&site.source(), &tree, 5).unwrap().unwrap().read_to_end(&mut end).unwrap();
    assert_eq!(end, pack[5..]);
    assert!(open_pack(&site.source(), &Digest::of("other"), 0).unwrap().is_none());
}

#[test]
fn a_pack_that_is_not_of_its_tree_leaves_nothing_behind() {
    let site = Site::new();
    let (path, tree) = site.pack("hello");
    let pack = fs_err::read(&path).unwrap();
    let truncated = site.file("truncated", &pack[..pack.len() - 3]).0;
    let longer = site.file("longer", &[&pack[..], b"!"].concat()).0;
    let garbage = site.file("garbage", b"no pack").0;
    for (path, tree) in [(&path, Digest::of("x")), (&truncated, tree), (&longer, tree), (&garbage, tree)] {
        let error = site.content.put_pack(&mut opened(path), &tree).unwrap_err();
        assert!(matches!(error, ContentError::BadPack { .. }) && error.is_integrity(), "{error}");
    }
    assert_eq!(site.stored(), []);
}

#[test]
fn a_withheld_pack_is_not_served_and_does_not_come_back_by_being_uploaded() {
    let site = Site::new();
    let (path, tree) = site.pack("bad news");
    let size = fs_err::metadata(&path).unwrap().len();
    site.content.withhold_pack(&tree).unwrap();
    site.content.put_pack(&mut opened(&path), &tree).unwrap();
    for _ in 0..2 {
        site.content.withhold_pack(&tree).unwrap();
        assert!(open_pack(&site.source(), &tree, 0).unwrap().is_none());
        assert!(site.has(Object::Pack(tree)));
        site.content.put_pack(&mut opened(&path), &tree).unwrap();
        assert_eq!(site.stored(), [Stored::Pack { tree, size, held: true }]);
        site.content.verify_pack(&tree, &Stated::size(size), true, &Unobserved).unwrap();
        assert!(matches!(
            site.content.verify_pack(&tree, &Stated::size(size), false, &Unobserved),
            Err(ContentError::OutOfReach { .. })
        ));
    }
    site.content.restore_pack(&tree).unwrap();
    site.content.restore_pack(&tree).unwrap();
    assert_eq!(site.stored(), [Stored::Pack { tree, size, held: false }]);

    fs_err::create_dir_all(site.at(".held").join(&tree.to_hex()[..2])).unwrap();
    fs_err::copy(&path, site.at(&held_path(&tree))).unwrap();
    let both = site.content.verify_pack(&tree, &Stated::size(size), true, &Unobserved);
    assert!(matches!(both, Err(ContentError::StillServed { .. })));
    site.lose(&[pack_path(&tree), held_path(&tree)]);
    assert!(!site.has(Object::Pack(tree)));
}

#[test]
fn what_is_withheld_and_locked_is_open_to_who_writes_and_withheld_to_no_one_else() {
    for (root, held, lock) in [
        (0o755, 0o700, 0o644),
        (0o750, 0o700, 0o640),
        (0o775, 0o770, 0o664),
        (0o2775, 0o2770, 0o664),
        (0o777, 0o770, 0o666),
    ] {
        let site = Site::new();
        fs_err::set_permissions(site.registry(), Permissions::from_mode(root)).unwrap();
        let (path, tree) = site.pack("bad news");
        site.content.put_pack(&mut opened(&path), &tree).unwrap();
        site.content.withhold_pack(&tree).unwrap();
        let mode = |path: &str| fs_err::metadata(site.at(path)).unwrap().mode() & 0o7777;
        assert_eq!(mode(".held"), held, "{root:o}");
        assert_eq!(mode(&held_path(&tree)[..8]), root, "what is in it is made as everywhere");

        fs_err::write(site.at(".content.lock"), "").unwrap();
        fs_err::set_permissions(site.at(".content.lock"), Permissions::from_mode(0o600)).unwrap();
        site.content.collect_chunks().unwrap();
        assert_eq!(mode(".content.lock"), lock, "{root:o}");
    }
}

#[test]
fn who_may_not_see_what_is_withheld_is_told_and_cannot_serve_it_again() {
    let site = Site::new();
    let ((bad, withheld), (good, served)) = (site.pack("bad news"), site.pack("good news"));
    site.content.put_pack(&mut opened(&bad), &withheld).unwrap();
    site.content.put_pack(&mut opened(&good), &served).unwrap();
    site.content.withhold_pack(&withheld).unwrap();
    for (path, mode) in [(site.folder.path().to_path_buf(), 0o755), (site.at(".held"), 0o000)] {
        fs_err::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    fs_err::set_permissions(site.registry(), Permissions::from_mode(0o777)).unwrap();
    as_somebody_else(|| {
        let Listing { stored, closed } = site.content.list().unwrap();
        assert_eq!((stored.len(), closed.len()), (1, 1));
        assert!(closed[0].to_string().contains(".held"), "{}", closed[0]);
        assert!(site.content.list().unwrap().whole().unwrap_err().is_closed());
        assert!(
            site.content.verify_pack(&withheld, &Stated::size(1), true, &Unobserved).unwrap_err().is_closed()
        );
        assert!(site.content.put_pack(&mut opened(&bad), &withheld).unwrap_err().is_closed());
    });
    fs_err::set_permissions(site.at(".held"), Permissions::from_mode(0o700)).unwrap();
    assert!(open_pack(&site.source(), &withheld, 0).unwrap().is_none());
}

/// On a thread that modes hold for also where the test runs as root, to whom everything is open.
fn as_somebody_else(look: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            if rustix::process::geteuid().is_root() {
                rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(65534)).unwrap();
            }
            look();
        });
        looking.join().unwrap();
    });
}

/// Quarantines a tree at the moment its pack gets its name.
struct HoldsMeanwhile {
    content: ContentFolder,
    tree: TreeDigest,
    held: PathBuf,
    pack: PathBuf,
}

impl Faults for HoldsMeanwhile {
    fn at(&self, point: &'static str) {
        if point == "content:written" {
            // Another writer had put it there, and it was withheld at once.
            fs_err::create_dir_all(self.held.parent().unwrap()).unwrap();
            fs_err::copy(&self.pack, &self.held).unwrap();
            self.content.withhold_pack(&self.tree).unwrap();
        }
    }
}

#[test]
fn a_tree_quarantined_while_its_pack_is_uploaded_stays_withheld() {
    let site = Site::new();
    let (pack, tree) = site.pack("bad news");
    let held = site.at(&held_path(&tree));
    let faults = HoldsMeanwhile { content: site.content.clone(), tree, held, pack: pack.clone() };
    site.content.clone().with_faults(Arc::new(faults)).put_pack(&mut opened(&pack), &tree).unwrap();
    assert!(open_pack(&site.source(), &tree, 0).unwrap().is_none());
    assert!(site.has(Object::Pack(tree)));
}

#[test]
fn many_writers_of_the_same_objects_lose_nothing() {
    let site = Site::new();
    let packs: Vec<_> = (0..4).map(|number| site.pack(&format!("pack {number}"))).collect();
    let (large, sha256) = site.file("large", &noise(1, 17 * MIB));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                packs.iter().for_each(|(path, tree)| site.content.put_pack(&mut opened(path), tree).unwrap());
            });
        }
        for _ in 0..3 {
            scope.spawn(|| site.content.put_file(&mut opened(&large), &sha256).unwrap());
        }
        scope.spawn(|| site.content.collect_chunks().unwrap());
    });
    assert_eq!(site.content.verify_file(&sha256, None, false, &Unobserved).unwrap(), 17 * MIB as u64);
    let objects = site.stored();
    assert_eq!(objects.iter().filter(|object| matches!(object, Stored::Pack { .. })).count(), 4);
    assert!(!objects.iter().any(|object| matches!(object, Stored::Unfinished { .. } | Stored::Stray { .. })));
}

#[test]
fn small_files_lie_whole_and_large_ones_in_chunks() {
    let site = Site::new();
    let (small, large) = (noise(1, 16 * MIB), noise(2, 16 * MIB + 1));
    for bytes in [&small, &large, &Vec::new()] {
        let (path, sha256) = site.file("file", bytes);
        assert!(!site.has(Object::File(sha256)));
        site.content.put_file(&mut opened(&path), &sha256).unwrap();
        assert!(site.has(Object::File(sha256)));
        assert_eq!(site.content.verify_file(&sha256, None, false, &Unobserved).unwrap(), bytes.len() as u64);
        assert!(site.fetch(&sha256, bytes.len()).unwrap() == *bytes);
        assert_eq!(site.at(&file_path(&sha256)).exists(), bytes.len() <= 16 * MIB);
        assert_eq!(site.at(&chunk_list_path(&sha256)).exists(), bytes.len() > 16 * MIB);
    }
    let (path, _) = site.file("file", &large);
    let wrong = site.content.put_file(&mut opened(&path), &Digest::of("x"));
    assert!(matches!(wrong, Err(ContentError::BadFile { .. })));
}

#[test]
fn a_new_version_of_a_data_set_transfers_its_difference() {
    let site = Site::new();
    let old = noise(3, 48 * MIB);
    // A row inserted near the start, one changed in the middle, some appended: everything has moved.
    let mut new = old.clone();
    new.splice(5 * MIB..5 * MIB, *b"one more row\n");
    new[30 * MIB..30 * MIB + 100].fill(7);
    new.extend_from_slice(&noise(4, 500_000));
    let (old_path, old_digest) = site.file("old", &old);
    let (new_path, new_digest) = site.file("new", &new);
    site.content.put_file(&mut opened(&old_path), &old_digest).unwrap();
    site.content.put_file(&mut opened(&new_path), &new_digest).unwrap();

    let source = counting(&site, None);
    let to = site.folder.path().join("to");
    let had = OldVersion::open(&old_path).unwrap();
    let size = new.len() as u64;
    let fetched = fetch_file(&source, &new_digest, size, &had, &to, STREAMS, &|_| {}).unwrap();
    assert!(fs_err::read(&to).unwrap() == new);
    assert_eq!(fetched.transferred, source.bytes.load(Ordering::Relaxed));
    let share = fetched.transferred as f64 / size as f64;
    println!("{} of {size} bytes travelled: {:.1} %", fetched.transferred, share * 100.0);
    assert!(share < 0.15, "{:.1} % travelled", share * 100.0);

    // The registry keeps the difference only, too.
    let stored: u64 = site.stored().iter().fold(0, |sum, object| match object {
        Stored::Chunk { size, .. } => sum + size,
        _ => sum,
    });
    assert!(stored < old.len() as u64 + size * 15 / 100);
}

#[test]
fn an_interrupted_fetch_goes_on_where_it_was() {
    let site = Site::new();
    for (length, breaks_after) in [(20 * MIB, 2 * MIB), (MIB, MIB / 2)] {
        let bytes = noise(5, length);
        let (path, sha256) = site.file("file", &bytes);
        site.content.put_file(&mut opened(&path), &sha256).unwrap();
        let to = site.folder.path().join(format!("to-{length}"));
        let fetch =
            |source: &Counting| fetch_file(source, &sha256, length as u64, &NoChunks, &to, STREAMS, &|_| {});
        let breaking = counting(&site, Some(breaks_after as u64));
        let error = fetch(&breaking).unwrap_err();
        assert!(matches!(error, ContentError::Source(SourceError::NotReadable { .. })), "{error}");

        let fetched = fetch(&counting(&site, None)).unwrap();
        assert!(fetched.resumed > 0 && fetched.transferred < length as u64, "{fetched:?}");
        assert!(fs_err::read(&to).unwrap() == bytes);
        assert_eq!(fetch(&counting(&site, None)).unwrap().resumed, length as u64);

        // A poisoned partial file is overcome.
        fs_err::write(&to, noise(6, length / 3)).unwrap();
        fetch(&counting(&site, None)).unwrap();
        assert!(fs_err::read(&to).unwrap() == bytes);
    }
}

#[test]
fn a_registry_that_sends_something_else_is_not_believed() {
    let site = Site::new();
    let bytes = noise(7, 18 * MIB);
    let (path, sha256) = site.file("large", &bytes);
    site.content.put_file(&mut opened(&path), &sha256).unwrap();
    let chunks = cut_all(&bytes);
    let chunk = site.at(&chunk_path(&chunks[2].digest));
    let good = fs_err::read(&chunk).unwrap();

    for bad in [&noise(8, good.len())[..], &good[..good.len() - 1], &[&good[..], b"!"].concat()] {
        fs_err::write(&chunk, bad).unwrap();
        let error = site.fetch(&sha256, bytes.len()).unwrap_err();
        assert!(matches!(error, ContentError::BadChunk { .. }) && error.is_integrity(), "{error}");
        let error = site.content.verify_file(&sha256, None, false, &Unobserved).unwrap_err();
        let names_it = matches!(error, ContentError::BadChunk { .. } | ContentError::BadChunkSize { .. });
        assert!(names_it, "{error}");
    }
    fs_err::remove_file(&chunk).unwrap();
    assert!(matches!(site.fetch(&sha256, bytes.len()), Err(ContentError::Absent { .. })));
    // Uploading the file again, once its list is gone, mends it.
    site.lose(&[file_path(&sha256), chunk_list_path(&sha256)]);
    site.content.put_file(&mut opened(&path), &sha256).unwrap();
    assert!(site.fetch(&sha256, bytes.len()).unwrap() == bytes);

    // A list whose chunks are sound but make another file.
    let mut swapped = chunks.clone();
    swapped.swap(0, 1);
    let list = ChunkList::new(sha256, bytes.len() as u64, swapped).to_text();
    fs_err::write(site.at(&chunk_list_path(&sha256)), list).unwrap();
    fs_err::remove_file(site.folder.path().join("fetched")).unwrap();
    assert!(matches!(site.fetch(&sha256, bytes.len()), Err(ContentError::BadFile { .. })));
    assert!(matches!(
        site.content.verify_file(&sha256, None, false, &Unobserved),
        Err(ContentError::BadFile { .. })
    ));

    let (path, sha256) = site.file("small", b"12345");
    site.content.put_file(&mut opened(&path), &sha256).unwrap();
    assert!(matches!(site.fetch(&sha256, 4), Err(ContentError::BadSize { .. })));
    assert!(matches!(site.fetch(&sha256, 6), Err(ContentError::BadSize { .. })));
    // The partial file of the last attempt had the right bytes by now.
    assert_eq!(site.fetch(&sha256, 5).unwrap(), b"12345");
    fs_err::remove_file(site.folder.path().join("fetched")).unwrap();
    fs_err::write(site.at(&file_path(&sha256)), b"54321").unwrap();
    assert!(matches!(site.fetch(&sha256, 5), Err(ContentError::BadFile { .. })));
    assert!(matches!(
        site.content.verify_file(&sha256, None, false, &Unobserved),
        Err(ContentError::BadFile { .. })
    ));
}

#[test]
fn collecting_takes_the_chunks_that_no_file_is_made_of() {
    let site = Site::new();
    let (one, two) = (noise(9, 17 * MIB), noise(10, 17 * MIB));
    let [(first, first_digest), (second, second_digest)] = [site.file("one", &one), site.file("two", &two)];
    site.content.put_file(&mut opened(&first), &first_digest).unwrap();
    site.content.put_file(&mut opened(&second), &second_digest).unwrap();
    assert_eq!(site.content.collect_chunks().unwrap(), 0);
    site.lose(&[file_path(&first_digest), chunk_list_path(&first_digest)]);
    assert_eq!(site.content.collect_chunks().unwrap(), one.len() as u64);
    assert_eq!(site.content.verify_file(&second_digest, None, false, &Unobserved).unwrap(), two.len() as u64);
}

#[test]
fn the_chunks_of_a_withheld_file_are_kept_with_it() {
    let site = Site::new();
    let bytes = noise(11, 17 * MIB);
    let (path, sha256) = site.file("large", &bytes);
    site.content.put_file(&mut opened(&path), &sha256).unwrap();
    site.content.withhold_file(&sha256).unwrap();
    assert!(!site.at(&chunk_list_path(&sha256)).exists());
    assert_eq!(site.content.collect_chunks().unwrap(), 0);
    site.content.put_file(&mut opened(&path), &sha256).unwrap();
    assert!(!site.at(&chunk_list_path(&sha256)).exists(), "uploading it again does not bring it back");
    assert_eq!(site.content.verify_file(&sha256, None, true, &Unobserved).unwrap(), bytes.len() as u64);
    site.content.restore_file(&sha256).unwrap();
    assert!(site.fetch(&sha256, bytes.len()).unwrap() == bytes);
}

/// Starts collecting as soon as the first chunk has its name, long before its list is there.
struct CollectsMeanwhile {
    content: ContentFolder,
    collector: Mutex<Option<std::thread::JoinHandle<u64>>>,
}

impl Faults for CollectsMeanwhile {
    fn at(&self, point: &'static str) {
        let mut collector = self.collector.lock().unwrap();
        if point == "content:renamed" && collector.is_none() {
            let content = self.content.clone();
            *collector = Some(std::thread::spawn(move || content.collect_chunks().unwrap()));
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
}

#[test]
fn collecting_waits_for_a_file_that_is_being_taken_in() {
    let site = Site::new();
    let (path, sha256) = site.file("large", &noise(13, 17 * MIB));
    let faults = Arc::new(CollectsMeanwhile { content: site.content.clone(), collector: Mutex::default() });
    site.content.clone().with_faults(faults.clone()).put_file(&mut opened(&path), &sha256).unwrap();
    let collector = faults.collector.lock().unwrap().take().unwrap();
    assert_eq!(collector.join().unwrap(), 0);
    site.content.verify_file(&sha256, None, false, &Unobserved).unwrap();
}

#[test]
fn what_no_writer_puts_there_is_listed_as_such() {
    let site = Site::new();
    let hex = Sha256::of("x").to_hex();
    let shard = &hex[..2];
    let strays = [
        "pack/loose".to_owned(),
        format!("pack/{shard}/{hex}"),
        format!("pack/{shard}/{hex}.zst.old"),
        format!("file/00/{hex}"),
        format!("chunk/{shard}/{}", hex.to_uppercase()),
        format!("file/{shard}/é"),
    ];
    for path in strays.iter().map(String::as_str).chain([".tmp/half"]) {
        fs_err::create_dir_all(site.at(path).parent().unwrap()).unwrap();
        fs_err::write(site.at(path), b"").unwrap();
    }
    let listed: Vec<_> = site.stored().iter().map(ToString::to_string).collect();
    for path in &strays {
        assert!(listed.contains(&format!("`{path}`")), "{path}: {listed:?}");
    }
    assert!(listed.contains(&"the unfinished `.tmp/half`".to_owned()));
    assert_eq!(listed.len(), strays.len() + 1);
}

/// Panics at the `countdown`-th point, as a crash would stop the process there.
struct StopsAt {
    countdown: AtomicU32,
    passed: Mutex<Vec<&'static str>>,
}

impl Faults for StopsAt {
    fn at(&self, point: &'static str) {
        self.passed.lock().unwrap().push(point);
        if self.countdown.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::panic::resume_unwind(Box::new(point));
        }
    }
}

#[test]
fn a_writer_stopped_at_any_point_leaves_nothing_false_and_the_retry_succeeds() {
    let bytes = noise(11, 17 * MIB);
    // Every point of the pack and of the first chunks, then samples: chunks are alike.
    for countdown in (1..6).chain((6..).step_by(15)) {
        let site = Site::new();
        let (large, sha256) = site.file("large", &bytes);
        let (pack, tree) = site.pack("hello");
        let faults = Arc::new(StopsAt { countdown: countdown.into(), passed: Mutex::default() });
        let stopping = site.content.clone().with_faults(faults.clone());
        let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            stopping.put_pack(&mut opened(&pack), &tree).unwrap();
            stopping.put_file(&mut opened(&large), &sha256).unwrap();
        }));
        // Whatever has a name is sound.
        let size = fs_err::metadata(&pack).unwrap().len();
        assert!(
            !site.has(Object::Pack(tree))
                || site.content.verify_pack(&tree, &Stated::size(size), false, &Unobserved).is_ok()
        );
        assert!(
            !site.has(Object::File(sha256))
                || site.content.verify_file(&sha256, None, false, &Unobserved).is_ok()
        );
        for object in site.stored() {
            if let Stored::Chunk { digest, .. } = object {
                assert_eq!(Digest::of(fs_err::read(site.at(&chunk_path(&digest))).unwrap()), digest);
            }
        }
        site.content.put_pack(&mut opened(&pack), &tree).unwrap();
        site.content.put_file(&mut opened(&large), &sha256).unwrap();
        site.content.verify_file(&sha256, None, false, &Unobserved).unwrap();
        if stopped.is_ok() {
            let passed = faults.passed.lock().unwrap();
            assert!(super::POINTS.iter().all(|point| passed.contains(point)), "{passed:?}");
            return;
        }
        assert!(countdown < 100, "it never ends");
    }
}

/// Two packs that are held, compressed at this level, and the delta from the first to the second, which is held as well.
fn with_delta(site: &Site, level: i32) -> (Delta, Vec<u8>) {
    let text: String = noise(3, 20_000).iter().map(|byte| format!("{byte} ")).collect();
    let (old, from) = site.pack_at(&text, level);
    let (new, to) = site.pack_at(&format!("{text}\n"), level);
    site.content.put_pack(&mut opened(&old), &from).unwrap();
    site.content.put_pack(&mut opened(&new), &to).unwrap();
    let delta = Delta { from, to };
    let packs = || [from, to].map(|tree| super::open_held_pack(&site.content, &tree).unwrap());
    let [mut one, mut other] = packs();
    let parts = DeltaParts::between(&mut one, &mut other).unwrap().unwrap();
    let [mut one, mut other] = packs();
    let mut bytes = Vec::new();
    weir_tree::write_delta(&mut one, &mut other, parts, &mut bytes).unwrap().unwrap();
    site.content.put_delta(&mut &*bytes, &delta).unwrap();
    (delta, fs_err::read(new).unwrap())
}

/// The pack of a tree as it is read, whole or made again.
fn read_pack(site: &Site, tree: TreeDigest) -> Vec<u8> {
    let mut bytes = Vec::new();
    site.content.open(Object::Pack(tree), 0).unwrap().unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_pack_that_would_not_come_out_byte_for_byte_is_kept() {
    for (level, is_compacted) in [(12, true), (9, true), (5, false)] {
        let site = Site::new();
        let (delta, pack) = with_delta(&site, level);
        assert_eq!(site.content.compact(&delta).unwrap().is_some(), is_compacted, "{level}");
        assert_eq!(site.at(&pack_path(&delta.to)).exists(), !is_compacted);
        assert_eq!(read_pack(&site, delta.to), pack);
        let held = site.content.find(Object::Pack(delta.to)).unwrap().unwrap();
        assert_eq!(held.size, pack.len() as u64);
        assert_eq!(held.made_of, is_compacted.then_some(delta.from));
        // It is taken in no second time.
        site.content.put_pack(&mut &*pack, &delta.to).unwrap();
        assert_eq!(site.at(&pack_path(&delta.to)).exists(), !is_compacted);
    }
}

#[test]
fn what_is_compacted_or_made_whole_is_there_wherever_it_is_stopped() {
    let mut points = 0;
    for compacts in [true, false] {
        for countdown in 1.. {
            let site = Site::new();
            let (delta, pack) = with_delta(&site, 12);
            if !compacts {
                site.content.compact(&delta).unwrap().unwrap();
            }
            let faults = Arc::new(StopsAt { countdown: countdown.into(), passed: Mutex::default() });
            let stopping = site.content.clone().with_faults(faults);
            let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match compacts {
                true => stopping.compact(&delta).map(drop).unwrap(),
                false => stopping.make_whole(&delta.to).unwrap(),
            }));
            assert_eq!(read_pack(&site, delta.to), pack, "{countdown}");
            let stated = Stated::size(pack.len() as u64);
            site.content.verify_pack(&delta.to, &stated, false, &Unobserved).unwrap();
            // Whatever was left, it can be whole.
            site.content.make_whole(&delta.to).unwrap();
            assert_eq!(fs_err::read(site.at(&pack_path(&delta.to))).unwrap(), pack);
            assert!(!site.stored().iter().any(|stored| matches!(stored, Stored::Made { .. })));
            if stopped.is_ok() {
                break;
            }
            points += 1;
        }
    }
    assert_eq!(points, 4, "a file is written, and then one");
}

#[test]
fn a_pack_is_as_lost_as_what_it_is_made_of_and_can_be_given_back() {
    for what in ["the delta", "the base"] {
        let site = Site::new();
        let (delta, pack) = with_delta(&site, 12);
        site.content.compact(&delta).unwrap().unwrap();
        let path = if what == "the base" { pack_path(&delta.from) } else { super::delta_path(&delta) };
        fs_err::remove_file(site.at(&path)).unwrap();
        assert_eq!(site.content.find(Object::Pack(delta.to)).unwrap(), None, "{what}");
        let stated = Stated::size(pack.len() as u64);
        let error = site.content.verify_pack(&delta.to, &stated, false, &Unobserved).unwrap_err();
        assert!(error.to_string().contains(&delta.from.to_string()), "{what}: {error}");
        site.content.make_whole(&delta.to).unwrap_err();
        // Whoever has it gives it back.
        site.content.put_pack(&mut &*pack, &delta.to).unwrap();
        site.content.verify_pack(&delta.to, &stated, false, &Unobserved).unwrap();
    }
}

#[test]
fn a_pack_that_comes_out_with_other_bytes_is_told_and_not_written() {
    let site = Site::new();
    let (delta, pack) = with_delta(&site, 12);
    site.content.compact(&delta).unwrap().unwrap();
    let path = site.at(&pack_note_path(&delta.to));
    let note = fs_err::read_to_string(&path).unwrap();
    fs_err::write(&path, note.replace("level 12", "level 9")).unwrap();
    let stated = Stated::size(pack.len() as u64);
    let error = site.content.verify_pack(&delta.to, &stated, false, &Unobserved).unwrap_err();
    assert!(error.is_integrity() && error.to_string().contains("wrong size"), "{error}");
    let error = site.content.make_whole(&delta.to).unwrap_err();
    assert!(error.is_integrity() && error.to_string().contains("wrong size"), "{error}");
    assert!(path.exists() && !site.at(&pack_path(&delta.to)).exists());
    // A release that is withdrawn is out of reach in any case.
    site.content.withhold_pack(&delta.to).unwrap();
    assert!(!path.exists());
    assert_eq!(site.content.find(Object::Pack(delta.to)).unwrap(), None);
}

#[test]
fn a_note_that_lies_is_refused() {
    let site = Site::new();
    let (delta, pack) = with_delta(&site, 12);
    site.content.compact(&delta).unwrap().unwrap();
    let path = site.at(&pack_note_path(&delta.to));
    let note = fs_err::read_to_string(&path).unwrap();
    let here = delta.from.to_hex();
    for lie in [
        String::new(),
        note.replace("v1", "v2"),
        note.replace(&here, "../../etc/passwd"),
        note.replace("level 12", "level 22"),
        note.replace("level 12", "level -7"),
        note.replace("bytes ", "bytes -"),
        format!("{note}more\n"),
        "x".repeat(300),
    ] {
        fs_err::write(&path, &lie).unwrap();
        assert!(site.content.open(Object::Pack(delta.to), 0).is_err(), "{lie}");
        assert_eq!(site.content.find(Object::Pack(delta.to)).unwrap(), None, "{lie}");
    }
    // Whoever has the pack gives it back.
    site.content.put_pack(&mut &*pack, &delta.to).unwrap();
    assert_eq!(read_pack(&site, delta.to), pack);
    assert!(!path.exists());
    fs_err::remove_file(site.at(&pack_path(&delta.to))).unwrap();
    // It names itself, a tree that is not here, or fewer bytes than the delta has.
    for lie in [
        note.replace(&here, &delta.to.to_hex()),
        note.replace(&here, &TreeDigest::of("x").to_hex()),
        note.replace(&format!("bytes {}", pack.len()), "bytes 3"),
    ] {
        fs_err::write(&path, &lie).unwrap();
        assert!(site.content.open(Object::Pack(delta.to), 0).is_err(), "{lie}");
    }
}

#[test]
fn a_chunk_list_that_is_too_long_is_a_lie_like_any_other() {
    let site = Site::new();
    let bytes = noise(12, 18 * MIB);
    let (path, sha256) = site.file("large", &bytes);
    site.content.put_file(&mut opened(&path), &sha256).unwrap();
    fs_err::write(site.at(&chunk_list_path(&sha256)), vec![b'x'; 1 << 20]).unwrap();
    let to = site.folder.path().join("to");
    let size = bytes.len() as u64;
    let fetched = fetch_file(&site.source(), &sha256, size, &NoChunks, &to, STREAMS, &|_| {});
    assert!(matches!(&fetched, Err(ContentError::BadList { .. })), "{fetched:?}");
    assert!(fetched.unwrap_err().is_integrity());
}

#[test]
fn a_chunk_list_reads_back_and_everything_else_is_refused() {
    let of = Digest::of("file");
    let chunk = |bytes: &str, offset, size| Chunk { digest: Digest::of(bytes), offset, size };
    let list = ChunkList::new(of, 1_300_000, vec![chunk("a", 0, 1_000_000), chunk("b", 1_000_000, 300_000)]);
    let text = list.to_text();
    assert_eq!(ChunkList::parse(text.as_bytes(), &of, Some(1_300_000)).unwrap(), list);
    assert!(text.len() as u64 <= ChunkList::longest(1_300_000));

    let other_size = ChunkList::parse(text.as_bytes(), &of, Some(1_300_001));
    assert!(matches!(other_size, Err(ContentError::BadSize { .. })));
    let hex = Sha256::of("a").to_hex();
    for (bad, reason) in [
        (text.replace("v1", "v2"), "this program reads `weir-chunks v1`"),
        (text.trim_end().to_owned(), "cut off"),
        (text.replace(&of.to_hex(), &hex), "another file"),
        (text.replace(" 300000\n", " 300001\n"), "add up"),
        (text.replace(" 300000\n", " 0300000\n"), "not a digest and a size"),
        (text.replace(" 300000\n", " +300000\n"), "not a digest and a size"),
        (format!("{text}{hex} 0\n"), "empty or too large"),
        (format!("{text}{hex} 99999999999\n"), "empty or too large"),
        (format!("{text}\n"), "not a digest and a size"),
        (format!("weir-chunks v1\n{} 20\n{hex} 10\n{hex} 10\n", of.to_hex()), "too small"),
        (String::new(), "cut off"),
    ] {
        let error = ChunkList::parse(bad.as_bytes(), &of, None).unwrap_err().to_string();
        assert!(error.contains(reason), "{bad:?}: {error}");
    }
    assert!(ChunkList::parse(b"\xff\n", &of, None).is_err());
}

/// Where files are cut is part of the format: registries and clients of all versions must agree.
#[test]
fn the_cut_of_a_known_file_never_changes() {
    let chunks = cut_all(&noise(42, 8 * MIB));
    let sizes: Vec<_> = chunks.iter().map(|chunk| chunk.size).collect();
    assert_eq!(sizes.iter().map(|size| *size as usize).sum::<usize>(), 8 * MIB);
    assert_eq!(sizes, [1_084_246, 1_282_419, 447_182, 2_159_678, 974_508, 1_258_469, 1_182_106]);
}

#[test]
fn what_was_fetched_is_counted_by_where_it_came_from() {
    let site = Site::new();
    let bytes = noise(12, 18 * MIB);
    let (path, sha256) = site.file("large", &bytes);
    site.content.put_file(&mut opened(&path), &sha256).unwrap();
    let to = site.folder.path().join("to");
    let most = AtomicU64::new(0);
    let fetch = |local: &dyn super::LocalChunks| {
        fetch_file(&site.source(), &sha256, bytes.len() as u64, local, &to, STREAMS, &|bytes| {
            most.fetch_max(bytes, Ordering::Relaxed);
        })
        .unwrap()
    };
    let list = fs_err::metadata(site.at(&chunk_list_path(&sha256))).unwrap().len();
    let size = bytes.len() as u64;
    let cold = fetch(&NoChunks);
    assert_eq!(cold, Fetched { resumed: 0, reused: 0, transferred: size + list });
    assert_eq!(most.load(Ordering::Relaxed), size);
    assert_eq!(fetch(&NoChunks), Fetched { resumed: size, reused: 0, transferred: list });
    remove(&to);
    let warm = fetch(&OldVersion::open(&path).unwrap());
    assert_eq!(warm, Fetched { resumed: 0, reused: size, transferred: list });
}

fn remove(path: &Path) {
    fs_err::remove_file(path).unwrap();
}
