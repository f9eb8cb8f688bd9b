//! What this machine has built, by input digest. The tree is in the store, under a note of that; beside it stand
//! the log, the provenance and what was found out while it was built.
//!
//! ```text
//! builds/<digest>/made.json         what was found out; written before the tree is in the store
//! builds/<digest>/log               what the build printed
//! builds/<digest>/provenance.json   the in-toto statement
//! builds/tmp/                       builds under way
//! logs/<package>-<digest>.log       the log of a build that failed
//! ```

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use weir_kind::Facts;
use weir_model::{InputDigest, ReleaseId};
use weir_native::Finding;

use crate::error::RepoError;
use weir_reach::Session;
use weir_reach::replace;

/// Where a machine keeps what it knows of its builds.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    data: PathBuf,
}

/// What was found out while something was built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Made {
    /// What the kind found out about it.
    pub(crate) facts: Facts,
    /// What is doubtful about it.
    pub(crate) findings: Vec<Finding>,
    /// Settings of its recipe that its build system has no use for.
    pub(crate) unused: Vec<String>,
    /// When it began.
    pub(crate) started: Timestamp,
    /// When it ended.
    pub(crate) finished: Timestamp,
}

impl Made {
    /// How long it took.
    pub(crate) fn seconds(&self) -> f64 {
        self.finished.duration_since(self.started).as_secs_f64()
    }
}

impl Records {
    pub(crate) fn new(session: &Session) -> Self {
        Self { data: session.home.data().to_owned() }
    }

    fn folder(&self, input_digest: &InputDigest) -> PathBuf {
        self.data.join("builds").join(input_digest.to_hex())
    }

    /// The log of what was built.
    pub(crate) fn log(&self, input_digest: &InputDigest) -> PathBuf {
        self.folder(input_digest).join("log")
    }

    /// The provenance of what was built.
    pub(crate) fn provenance(&self, input_digest: &InputDigest) -> PathBuf {
        self.folder(input_digest).join("provenance.json")
    }

    /// Where a build writes its log. There it stays if the build fails.
    pub(crate) fn log_under_way(
        &self,
        id: &ReleaseId,
        input_digest: &InputDigest,
    ) -> Result<PathBuf, RepoError> {
        let folder = self.data.join("logs");
        fs_err::create_dir_all(&folder)?;
        let name =
            format!("{}-{}-{}-{}.log", id.name.owner(), id.name.name(), id.version, input_digest.short());
        Ok(folder.join(name))
    }

    /// Where builds go on. What processes that are no more left there is removed.
    pub(crate) fn workshop(&self) -> Result<PathBuf, RepoError> {
        let folder = self.data.join("builds").join("tmp");
        fs_err::create_dir_all(&folder)?;
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let pid = name.to_str().and_then(|name| name.split('-').next()).and_then(|pid| pid.parse().ok());
            if pid.is_some_and(|pid: u32| !Path::new("/proc").join(pid.to_string()).exists()) {
                weir_build::remove_scratch(&entry.path())?;
            }
        }
        Ok(folder)
    }

    /// What was found out while the build with this input digest was made.
    pub(crate) fn made(&self, input_digest: &InputDigest) -> Option<Made> {
        let text = fs_err::read(self.folder(input_digest).join("made.json")).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Keeps what was found out about a build that succeeded, and its log.
    pub(crate) fn keep(
        &self,
        id: &ReleaseId,
        input_digest: &InputDigest,
        made: &Made,
    ) -> Result<(), RepoError> {
        fs_err::create_dir_all(self.folder(input_digest))?;
        fs_err::rename(self.log_under_way(id, input_digest)?, self.log(input_digest))?;
        let text = serde_json::to_vec_pretty(made).map_err(std::io::Error::other)?;
        Ok(replace(&self.folder(input_digest).join("made.json"), &text)?)
    }

    /// Keeps the provenance of a build.
    pub(crate) fn keep_provenance(
        &self,
        input_digest: &InputDigest,
        statement: &[u8],
    ) -> Result<(), RepoError> {
        Ok(replace(&self.provenance(input_digest), statement)?)
    }
}
