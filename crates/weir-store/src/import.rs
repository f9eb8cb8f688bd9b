//! Reading an export, which anybody may have made: see [`crate::export`] for the format.
//!
//! The lockfile comes first and decides which lines follow; anything else is refused. Each tree and file is
//! checked against its digest as it streams and appears in the store whole, so an import that fails
//! in the middle leaves those that came before, and can be tried again.

use std::io::{self, BufRead, BufReader, Read};

use weir_model::lockfile::{LockfileError, MAX_BYTES};
use weir_model::{Digest, Lockfile, Sha256, TreeDigest};
use weir_tree::Limits;

use crate::error::StoreError;
use crate::export::{FIRST_LINE, LAST_LINE, line};
use crate::file::{file_item, receive_whole};
use crate::session::Session;
use crate::tree::tree_item;
use crate::uses::{files_of, trees_of};

/// A line is read up to here. The longest that an export has is `tree`, a digest and a number.
const MAX_LINE_BYTES: u64 = 128;

/// What was imported.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportReport {
    /// The lockfile whose content this is.
    pub lock: Lockfile,
    /// The trees that were not in the store before.
    pub trees: Vec<TreeDigest>,
    /// The files that were not in the store before.
    pub files: Vec<Sha256>,
    /// How many trees and files were there already.
    pub present: u64,
}

/// Why an export could not be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is something else.
    #[error("not an export: its first line is not `{FIRST_LINE}`")]
    NotAnExport,
    /// It was made by a newer program.
    #[error("the export is of format `{found}`, this program knows `{FIRST_LINE}`: a newer weir is needed")]
    Newer {
        /// Its first line.
        found: String,
    },
    /// Its lockfile does not read.
    #[error("the lockfile in the export cannot be read")]
    Lockfile(#[from] LockfileError),
    /// Its lockfile is not what was exported, no text, or too long.
    #[error("the lockfile in the export is {what}")]
    BadLockfile {
        /// What is wrong with it.
        what: &'static str,
    },
    /// It goes on with something that its lockfile does not name next.
    #[error("the export should go on with `{expected}`, and goes on with `{got}`")]
    Unexpected {
        /// How the line should begin.
        expected: String,
        /// How it does.
        got: String,
    },
    /// It ends too early.
    #[error("the export ends in the middle, in `{within}`")]
    Truncated {
        /// What was being read.
        within: String,
    },
    /// It goes on after its end.
    #[error("the export goes on after its end")]
    TrailingBytes,
    /// It cannot be read from where it comes from.
    #[error("cannot read the export")]
    Read(#[source] io::Error),
    /// A tree or file in it is wrong, or the store cannot be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Session {
    /// Brings everything in an export into the store.
    ///
    /// # Errors
    ///
    /// When it is not an export, or anything in it is not what its lockfile names. What came before the
    /// fault is in the store, verified.
    pub fn import(&self, export: impl Read, limits: &Limits) -> Result<ImportReport, ImportError> {
        let mut export = Export { reader: BufReader::new(export) };
        let lock = export.lockfile()?;
        let (trees, files) = (trees_of(&lock), files_of(&lock));
        let mut report = ImportReport { lock, trees: Vec::new(), files: Vec::new(), present: 0 };
        for digest in &trees {
            match self.import_tree(&mut export, digest, limits)? {
                Entry::New => report.trees.push(*digest),
                Entry::Present => report.present += 1,
            }
        }
        for (digest, bytes) in &files {
            match self.import_file(&mut export, digest, *bytes)? {
                Entry::New => report.files.push(*digest),
                Entry::Present => report.present += 1,
            }
        }
        export.end()?;
        Ok(report)
    }

    fn import_tree<R: Read>(
        &self,
        export: &mut Export<R>,
        digest: &TreeDigest,
        limits: &Limits,
    ) -> Result<Entry, ImportError> {
        let expected = format!("tree {}", digest.to_hex());
        let bytes = export.entry(&expected)?;
        let item = tree_item(digest);
        let _lock = self.lock(&item)?;
        if self.tree(digest)?.is_some() {
            return export.skip(bytes, expected).map(|()| Entry::Present);
        }
        let pack = export.reader.by_ref().take(bytes);
        let draft = self.store().unpack(digest, Some(bytes), limits, pack)?;
        draft.store(self.store())?;
        Ok(Entry::New)
    }

    fn import_file<R: Read>(
        &self,
        export: &mut Export<R>,
        digest: &Sha256,
        bytes: u64,
    ) -> Result<Entry, ImportError> {
        let expected = format!("file {}", digest.to_hex());
        match export.entry(&expected)? {
            said if said == bytes => {}
            said => {
                let [expected, got] = [bytes, said].map(|bytes| line(&expected, bytes).trim_end().to_owned());
                return Err(ImportError::Unexpected { expected, got });
            }
        }
        let item = file_item(digest);
        let _lock = self.lock(&item)?;
        if self.file(digest)?.is_some() {
            return export.skip(bytes, expected).map(|()| Entry::Present);
        }
        let content = export.reader.by_ref().take(bytes);
        receive_whole(self, &item, digest, bytes, content)?;
        Ok(Entry::New)
    }
}

enum Entry {
    New,
    Present,
}

/// An export being read.
struct Export<R> {
    reader: BufReader<R>,
}

impl<R: Read> Export<R> {
    /// The first two lines and the lockfile.
    fn lockfile(&mut self) -> Result<Lockfile, ImportError> {
        match self.line()?.as_str() {
            FIRST_LINE => {}
            found if found.starts_with("weir-export v") => {
                return Err(ImportError::Newer { found: found.to_owned() });
            }
            _ => return Err(ImportError::NotAnExport),
        }
        let (wanted, bytes) = self.digest_and_length()?;
        if bytes > MAX_BYTES as u64 {
            return Err(ImportError::BadLockfile { what: "too long" });
        }
        let mut text = Vec::new();
        self.reader.by_ref().take(bytes).read_to_end(&mut text).map_err(ImportError::Read)?;
        if (text.len() as u64) < bytes {
            return Err(ImportError::Truncated { within: "lock".into() });
        }
        if Sha256::of(&text) != wanted {
            return Err(ImportError::BadLockfile { what: "not the one that was exported" });
        }
        let text = String::from_utf8(text).map_err(|_| ImportError::BadLockfile { what: "not UTF-8" })?;
        Ok(Lockfile::parse(&text)?)
    }

    /// The line of the lockfile: nothing tells beforehand which one comes.
    fn digest_and_length(&mut self) -> Result<(Sha256, u64), ImportError> {
        let line = self.line()?;
        let said = line.strip_prefix("lock ").and_then(|said| said.split_once(' '));
        let said =
            said.and_then(|(digest, bytes)| Some((Digest::from_hex(digest).ok()?, bytes.parse().ok()?)));
        match said {
            Some(said) => Ok(said),
            None if line.is_empty() => Err(ImportError::Truncated { within: "lock".into() }),
            None => Err(ImportError::Unexpected { expected: "lock".into(), got: line }),
        }
    }

    /// A line of which all but the number is known. Answers with the number.
    fn entry(&mut self, expected: &str) -> Result<u64, ImportError> {
        let line = self.line()?;
        let number = line.strip_prefix(expected).and_then(|rest| rest.strip_prefix(' '));
        match number.and_then(|number| number.parse().ok()) {
            Some(bytes) => Ok(bytes),
            None if line.is_empty() => Err(ImportError::Truncated { within: expected.to_owned() }),
            None => Err(ImportError::Unexpected { expected: expected.to_owned(), got: line }),
        }
    }

    /// The last line, and nothing after it.
    fn end(&mut self) -> Result<(), ImportError> {
        match self.line()? {
            line if line == LAST_LINE => {}
            line if line.is_empty() => return Err(ImportError::Truncated { within: LAST_LINE.into() }),
            got => return Err(ImportError::Unexpected { expected: LAST_LINE.into(), got }),
        }
        match self.reader.fill_buf().map_err(ImportError::Read)? {
            [] => Ok(()),
            _ => Err(ImportError::TrailingBytes),
        }
    }

    /// One line without its end, in printable form; nothing where the export ends before the line does.
    fn line(&mut self) -> Result<String, ImportError> {
        let mut line = Vec::new();
        self.reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line).map_err(ImportError::Read)?;
        match line.strip_suffix(b"\n") {
            Some(line) => Ok(line.escape_ascii().to_string()),
            None if (line.len() as u64) < MAX_LINE_BYTES => Ok(String::new()),
            None => Ok(line.escape_ascii().to_string()),
        }
    }

    fn skip(&mut self, bytes: u64, within: String) -> Result<(), ImportError> {
        let skipped = io::copy(&mut self.reader.by_ref().take(bytes), &mut io::sink());
        match skipped.map_err(ImportError::Read)? {
            skipped if skipped == bytes => Ok(()),
            _ => Err(ImportError::Truncated { within }),
        }
    }
}
