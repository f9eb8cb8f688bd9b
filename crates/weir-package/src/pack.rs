//! The files of a package in its pack.

use std::cell::RefCell;
use std::io::{self, Cursor, Read, Seek as _, Write as _};
use std::path::PathBuf;

use tempfile::SpooledTempFile;
use weir_fs::{FsError, Sort};
use weir_kind::{FileContent, PackageFiles};
use weir_model::TreeDigest;
use weir_tree::{Expected, Limits, Mode, PackFiles, TreeError, TreeManifest};

/// Files up to this size are held in memory; a larger one goes into a temporary file that has no name.
const IN_MEMORY: usize = 4 << 20;

/// What begins to read a pack.
pub(crate) type Open<'a> = dyn Fn() -> Result<Box<dyn Read + Send>, TreeError> + 'a;

/// A pack as the files of a package. It is read from its beginning again when a file is asked for that was passed over.
pub(crate) struct Unpacked<'a> {
    open: &'a Open<'a>,
    tree: TreeManifest,
    reader: RefCell<PackFiles<Box<dyn Read + Send>>>,
    /// What was wrong with the pack; whoever asked for a file was told so too, in less precise words.
    failed: RefCell<Option<TreeError>>,
}

impl<'a> Unpacked<'a> {
    pub(crate) fn new(tree: &TreeDigest, open: &'a Open<'a>) -> Result<Self, TreeError> {
        let reader = begin(tree, open)?;
        let manifest = reader.manifest().clone();
        Ok(Self { open, tree: manifest, reader: RefCell::new(reader), failed: RefCell::new(None) })
    }

    pub(crate) fn tree(&self) -> &TreeManifest {
        &self.tree
    }

    /// What was wrong with the pack, if anything was.
    pub(crate) fn failure(&self) -> Option<TreeError> {
        self.failed.take()
    }

    fn content(&self, path: &str) -> Result<SpooledTempFile, TreeError> {
        let mut reader = self.reader.borrow_mut();
        if reader.is_behind(path) {
            *reader = begin(&self.tree.digest(), self.open)?;
        }
        let mut content = SpooledTempFile::new(IN_MEMORY);
        let kept = |source: io::Error| TreeError::Io { path: path.into(), source };
        reader.content(path, |piece| content.write_all(piece).map_err(kept))?;
        content.rewind().map_err(kept)?;
        Ok(content)
    }
}

fn begin(tree: &TreeDigest, open: &Open<'_>) -> Result<PackFiles<Box<dyn Read + Send>>, TreeError> {
    PackFiles::open(open()?, &Expected { tree: *tree, pack_bytes: None }, &Limits::default())
}

impl PackageFiles for Unpacked<'_> {
    fn open(&self, path: &str) -> Result<Option<Box<dyn FileContent>>, FsError> {
        let Some(entry) = self.tree.entry(path) else { return Ok(None) };
        if entry.mode == Mode::Link {
            return Err(FsError::Link { path: path.into() });
        }
        if entry.size == 0 {
            return Ok(Some(Box::new(Cursor::new([]))));
        }
        match self.content(path) {
            Ok(content) => Ok(Some(Box::new(content))),
            Err(error) => {
                let source = io::Error::other(error.to_string());
                self.failed.borrow_mut().get_or_insert(error);
                Err(FsError::Io { path: path.into(), source })
            }
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, FsError> {
        let folder = folder.trim_matches('/');
        if self.tree.entry(folder).is_some() {
            return Err(FsError::Other { path: folder.into(), found: Sort::File, wanted: Sort::Folder });
        }
        let above = if matches!(folder, "" | ".") { String::new() } else { format!("{folder}/") };
        let below = self.tree.entries().iter().filter_map(|entry| entry.path.as_str().strip_prefix(&above));
        let mut names: Vec<String> =
            below.map(|path| path.split('/').next().unwrap_or(path).to_owned()).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn place(&self, path: &str) -> PathBuf {
        path.into()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _, Seek as _, SeekFrom};

    use weir_fs::FsError;
    use weir_kind::{PackageFiles as _, read_text};
    use weir_tree::{Selection, TreeError, read_folder, write_pack};

    use super::Unpacked;

    fn pack(files: &[(&str, &[u8])]) -> (weir_model::TreeDigest, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, bytes).unwrap();
        }
        fs_err::os::unix::fs::symlink("a", folder.path().join("link")).unwrap();
        let tree = read_folder(folder.path(), &Selection::everything()).unwrap();
        let mut pack = Vec::new();
        write_pack(folder.path(), &tree, &mut pack, 3).unwrap();
        (tree.digest(), pack)
    }

    #[test]
    fn files_of_a_pack_are_read_in_any_order_and_from_any_place() {
        let large = vec![7; 5 << 20];
        let (tree, pack) = pack(&[("a", b"one"), ("d/b", &large), ("d/e/c", b""), ("weir.toml", b"two")]);
        let open = || Ok::<Box<dyn std::io::Read + Send>, TreeError>(Box::new(Cursor::new(pack.clone())));
        let files = Unpacked::new(&tree, &open).unwrap();
        let text = |path| read_text(&files, path, 100).unwrap();
        assert_eq!(text("weir.toml").as_deref(), Some("two"));
        assert_eq!(text("a").as_deref(), Some("one"));
        assert_eq!(text("a").as_deref(), Some("one"));
        assert_eq!(text("d/e/c").as_deref(), Some(""));
        assert_eq!(text("none"), None);
        let mut content = files.open("d/b").unwrap().unwrap();
        content.seek(SeekFrom::End(-2)).unwrap();
        let mut end = Vec::new();
        content.read_to_end(&mut end).unwrap();
        assert_eq!(end, [7, 7]);
        assert!(matches!(read_text(&files, "d/b", 100), Err(FsError::TooLarge { .. })));
        assert!(matches!(read_text(&files, "link", 100), Err(FsError::Link { .. })));
        assert_eq!(files.list("d").unwrap(), ["b", "e"]);
        assert_eq!(files.list(".").unwrap(), ["a", "d", "link", "weir.toml"]);
        assert_eq!(files.list("none").unwrap(), Vec::<String>::new());
        assert!(files.failure().is_none());
    }

    #[test]
    fn a_pack_that_is_damaged_is_told_as_such() {
        let (tree, mut pack) = pack(&[("weir.toml", b"two")]);
        pack.truncate(pack.len() - 3);
        let open = || Ok::<Box<dyn std::io::Read + Send>, TreeError>(Box::new(Cursor::new(pack.clone())));
        let files = Unpacked::new(&tree, &open);
        let error = match files {
            Err(error) => error,
            Ok(files) => {
                read_text(&files, "weir.toml", 100).unwrap_err();
                files.failure().unwrap()
            }
        };
        assert!(error.is_integrity(), "{error}");
    }
}
