//! A registry as the log of one below it knows it. A machine that meets a registry for the first time, or has lost what it knew, believes what it
//! is shown; the log below says how far that registry was looked through, by whatever machine, and with which root.

use weir_index::Cursor;
use weir_log::Source;
use weir_model::Sha256;

use super::{Replica, ReplicaError, keep, recorded};

/// The file beside a view that names what was found to be the beginning of this log: a size and a root each line.
const GONE_THROUGH: &str = "gone-through";

/// So many are remembered: some for each registry of this machine that is below this one.
const MOST_REMEMBERED: usize = 16;

const MAX_REMEMBERED: u64 = 4096;

impl Replica {
    /// Refuses the registry as the one from which `below` has admitted, unless its log goes on from where that has looked it through.
    ///
    /// # Errors
    ///
    /// [`ReplicaError::NotAsBelow`] when it has fewer records now, or others; when its hashes cannot be read.
    pub fn must_go_on_from(
        &self,
        source: &dyn Source,
        seen: &Cursor,
        below: &str,
    ) -> Result<(), ReplicaError> {
        let path = self.home.folder(&self.location).join(GONE_THROUGH);
        let known = weir_fs::read(&path, MAX_REMEMBERED).unwrap_or_default();
        let known = String::from_utf8_lossy(&known);
        let mut known: Vec<&str> = known.lines().collect();
        let then = line(seen.size, &seen.root);
        let (size, root) =
            self.checkpoint.as_ref().map_or((0, weir_log::Hash::EMPTY), |now| (now.size(), now.root()));
        let now = line(size, &recorded(root));
        if then != now && !known.contains(&&*then) && !self.went_through(source, seen.size, seen.root)? {
            return Err(ReplicaError::NotAsBelow {
                location: self.location.clone(),
                below: below.to_owned(),
                size: seen.size,
                now: size,
            });
        }
        // What the log is now is its beginning from here on: the one below is about to say so, and is not to be proved right then.
        let new: Vec<&str> = [&*now, &*then].into_iter().filter(|line| !known.contains(line)).collect();
        if !new.is_empty() {
            known.splice(0..0, new);
            known.truncate(MOST_REMEMBERED);
            // It only saves asking again.
            let _ = keep(&path, format!("{}\n", known.join("\n")).as_bytes());
        }
        Ok(())
    }

    /// Forgets what was found to be the beginning of this log: what is about to be read may be another.
    pub(super) fn forget_where_it_went_through(&self) -> Result<(), std::io::Error> {
        match fs_err::remove_file(self.home.folder(&self.location).join(GONE_THROUGH)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn line(size: u64, root: &Sha256) -> String {
    format!("{size} {}", root.to_hex())
}
