//! Content of what was admitted: fetched from above when it is first needed, by one fetch however many ask, and held from then on; and
//! once more when it was damaged here.

use std::io::Read;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use weir_fs::Folder;
use weir_log::{FolderSource, Found, Source, SourceError};
use weir_policy::Caller;
use weir_registry::content::{open_file, open_kept_pack};
use weir_registry::{Face, FromAbove, Object, Registrar, ReplicaError, SubmitError};

use crate::connect::source_of;
use crate::error::ReachError;
use crate::lower::Lower;
use crate::session::Session;
use crate::upstream::{folder_registrar, known_upstream, upstreams_in};

/// How many parts of a large file are fetched at a time.
const STREAMS: NonZeroUsize = NonZeroUsize::new(4).unwrap();

impl Lower<'_> {
    /// Brings a piece of content of a release that was admitted from above, if it is not here: by exactly one fetch, for who comes
    /// meanwhile waits and finds it. Whether it is here afterwards: nothing is brought that no release of this registry consists of.
    ///
    /// # Errors
    ///
    /// When the registry above is not reached or does not have it, what it sends is something else, or it cannot be written here.
    pub fn pull(&self, object: Object) -> Result<bool, ReachError> {
        match self.registrar.from_above(self.caller, object)? {
            Some(piece) => self.bring(&piece, false),
            None => Ok(false),
        }
    }

    /// Has a piece of content brought again that is damaged here, or of which a part is lost; whether it was.
    ///
    /// # Errors
    ///
    /// As for [`Lower::pull`].
    pub fn mend(&self, object: Object) -> Result<bool, ReachError> {
        match self.registrar.from_above(self.caller, object)? {
            Some(piece) => self.bring(&piece, true),
            None => Ok(false),
        }
    }

    /// Brings a piece of content, unless it is here; with `damaged`, only if it is here and not as it must be.
    pub(crate) fn bring(&self, piece: &FromAbove, damaged: bool) -> Result<bool, ReachError> {
        let Some(source) = self.source_above(piece)? else { return Ok(false) };
        let folder = Folder::open(self.root).map_err(std::io::Error::from)?;
        let waiting = folder.make_folder(".pull").map_err(std::io::Error::from)?;
        // One lock for many pieces: what waits in vain waits for a download.
        let lock = waiting.lock_file(turn(piece.object)).map_err(std::io::Error::from)?;
        lock.lock()?;
        match damaged {
            true if !self.registrar.is_damaged(self.caller, piece)? => return Ok(false),
            false if self.is_here(piece)? => return Ok(true),
            _ => {}
        }
        let from = match piece.object {
            Object::Pack(tree) => open_kept_pack(&*source, &tree, piece.size)?,
            Object::File(sha256) => open_file(&*source, &sha256, piece.size, STREAMS)?,
            Object::Delta(_) | Object::Snapshot(_) => None,
        };
        let Some(mut from) = from else {
            return Err(SourceError::NotReadable {
                what: format!("{}: {}", source.describe(), told(piece).replace('`', "")),
                reason: "the registry above does not have it".into(),
            }
            .into());
        };
        if damaged {
            self.registrar.take_out_damaged(self.caller, piece)?;
        }
        self.registrar.take_in(self.caller, piece, &mut from)?;
        Ok(true)
    }

    pub(crate) fn is_here(&self, piece: &FromAbove) -> Result<bool, ReachError> {
        let held = self.registrar.ports().objects.find(piece.object)?;
        Ok(held.is_some_and(|held| !held.withheld))
    }

    /// The files of the registry above that has a piece of content; nothing if it is above no longer.
    fn source_above(&self, piece: &FromAbove) -> Result<Option<Arc<dyn Source>>, ReachError> {
        let facts = self.registrar.facts(self.caller)?;
        let registry = facts.name.clone().unwrap_or_default();
        let upstreams = upstreams_in(&facts, self.root)?;
        let Some(upstream) = upstreams.into_iter().find(|above| above.name == piece.registry) else {
            return Ok(None);
        };
        Ok(Some(source_of(self.session, &known_upstream(&registry, &upstream, Some(self.root))?.location)?))
    }

    /// Brings all content that came with what was admitted and is not here yet; how many pieces. One that cannot be brought keeps no other away: the
    /// session is told of each.
    ///
    /// # Errors
    ///
    /// Of those of [`Lower::pull`] the first, when everything else was brought.
    pub(crate) fn bring_all(&self) -> Result<u64, ReachError> {
        let (mut brought, mut failed) = (0, None);
        for piece in self.registrar.all_from_above(self.caller)? {
            match self
                .is_here(&piece)
                .and_then(|here| if here { Ok(false) } else { self.bring(&piece, false) })
            {
                Ok(new) => brought += u64::from(new),
                Err(error) => {
                    let reason = weir_model::chain(&error);
                    self.session.warn(format!("{} could not be brought: {reason}", told(&piece)));
                    failed.get_or_insert(error);
                }
            }
        }
        failed.map_or(Ok(brought), Err)
    }

    /// Has all content brought again that came from above and is damaged here; tells each piece that was. Of what could not be
    /// brought the session is told.
    ///
    /// # Errors
    ///
    /// When what there is cannot be known.
    pub(crate) fn mend_all(&self) -> Result<Vec<String>, ReachError> {
        let mut all = Vec::new();
        for piece in self.registrar.all_from_above(self.caller)? {
            match self.bring(&piece, true) {
                Ok(false) => {}
                Ok(true) => all.push(format!("{}, from `{}`", told(&piece), piece.registry)),
                // What is still wrong is told by whoever looks once more; here is told why.
                Err(error) => self.session.warn(format!(
                    "{} could not be brought again: {}",
                    told(&piece),
                    weir_model::chain(&error)
                )),
            }
        }
        Ok(all)
    }
}

/// A piece of content, in words.
fn told(piece: &FromAbove) -> String {
    let release = &piece.release;
    match piece.object {
        Object::Pack(tree) => format!("the pack {tree} of `{release}`"),
        Object::File(sha256) => format!("the file {sha256} of `{release}`"),
        Object::Delta(_) | Object::Snapshot(_) => format!("content of `{release}`"),
    }
}

/// The name of the lock that pieces like this one wait for.
fn turn(object: Object) -> String {
    let hex = match object {
        Object::Pack(tree) => tree.to_hex(),
        Object::File(sha256) | Object::Snapshot(sha256) => sha256.to_hex(),
        Object::Delta(delta) => delta.to.to_hex(),
    };
    hex[..2].to_owned()
}

/// The files of a registry in a folder that others are above.
pub(crate) struct PullingSource {
    session: Session,
    root: PathBuf,
    files: FolderSource,
    /// What writes to the registry, once something is missing.
    registrar: OnceLock<Arc<Registrar>>,
}

impl PullingSource {
    pub(crate) fn new(session: &Session, root: &Path) -> Self {
        let files = FolderSource::new(root);
        Self { session: session.clone(), root: root.to_owned(), files, registrar: OnceLock::new() }
    }

    /// Does something with what may bring content here.
    fn pulling<T>(
        &self,
        path: &str,
        work: impl FnOnce(&Lower<'_>) -> Result<T, ReachError>,
    ) -> Result<T, SourceError> {
        let failed = |error: ReachError| match error {
            ReachError::Source(error)
            | ReachError::Replica(ReplicaError::Source(error))
            | ReachError::Submit(SubmitError::Unreachable(error)) => error,
            error => SourceError::NotReadable {
                what: format!("{}/{path}", self.root.display()),
                reason: weir_model::chain(&error),
            },
        };
        let registrar = match self.registrar.get() {
            Some(registrar) => registrar,
            None => {
                let opened = folder_registrar(&self.session, &self.root).map_err(failed)?;
                self.registrar.get_or_init(|| opened)
            }
        };
        let caller = Caller::new(self.session.principal.clone(), self.session.now);
        let session = &self.session;
        work(&Lower { session, registrar, root: &self.root, caller: &caller }).map_err(failed)
    }

    /// A piece of content that is not here yet: from above, where it is held from then on if this folder can be written.
    fn pulled<T>(
        &self,
        path: &str,
        here: impl Fn(&dyn Source) -> Result<Option<T>, SourceError>,
    ) -> Result<Option<T>, SourceError> {
        let found = here(&self.files)?;
        let object = Face::parse(path).and_then(Object::of_face).filter(|_| !self.session.offline);
        let Some(object) = object.filter(|_| found.is_none()) else { return Ok(found) };
        if is_writable(&self.root) {
            return match self.pulling(path, |lower| lower.pull(object))? {
                true => here(&self.files),
                false => Ok(None),
            };
        }
        let above =
            self.pulling(path, |lower| match lower.registrar.from_above(lower.caller, object)? {
                Some(piece) => lower.source_above(&piece),
                None => Ok(None),
            })?;
        above.map_or(Ok(None), |above| here(&*above))
    }
}

impl Source for PullingSource {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        self.pulled(path, |source| source.read(path, limit))
    }

    fn open(&self, path: &str, offset: u64) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        self.pulled(path, |source| source.open(path, offset))
    }

    fn find(&self, path: &str) -> Result<Option<Found>, SourceError> {
        self.files.find(path)
    }

    fn mend(&self, path: &str) -> Result<bool, SourceError> {
        match Face::parse(path).and_then(Object::of_face).filter(|_| !self.session.offline) {
            Some(object) if is_writable(&self.root) => self.pulling(path, |lower| lower.mend(object)),
            _ => Ok(false),
        }
    }

    fn describe(&self) -> String {
        self.files.describe()
    }
}

fn is_writable(root: &Path) -> bool {
    rustix::fs::access(root, rustix::fs::Access::WRITE_OK).is_ok()
}
