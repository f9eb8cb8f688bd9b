//! Registries above that are none of Weir's: which sorts there are, how one is named, and where what they have is written down.
//!
//! One is named by an address with its sort before it, as `elm+https://package.elm-lang.org`. Below the folder of the registry that it is
//! above there is its transcript, a registry of Weir's that is not served: from there on it is connected and followed as any other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_elm_upstream::ElmSite;
use weir_fs::{Access, Durability, Folder};
use weir_git_upstream::GitRepositories;
use weir_log::Origin;
use weir_model::record::{Only, UpstreamMode};
use weir_model::{KindName, Sha256};
use weir_policy::{Caller, Principal};
use weir_registry::{DESCRIPTOR, NewRegistry};
use weir_upstream::{Foreign, Transcript};
use weir_wire::upstream::Ask;

use crate::admin::registry_init;
use crate::connect::{address, http_client};
use crate::error::ReachError;
use crate::registries::is_http;
use crate::session::Session;
use crate::upstream::folder_registrar;

/// A sort of registry that is none of Weir's.
struct Sort {
    /// What stands before its address.
    name: &'static str,
    /// What kinds of package it has; none where it may have any.
    kinds: &'static [KindName],
    /// The one at an address, and what a registry that stands for it is called; nothing is asked yet.
    open: fn(&Session, &str) -> Result<Opened, ReachError>,
}

/// A foreign registry, and what its transcript is called.
type Opened = (Box<dyn Foreign>, String);

/// All sorts that there are.
static SORTS: [Sort; 2] = [
    Sort {
        name: "elm",
        kinds: &[KindName::Elm],
        open: |session, at| {
            let url = address(at)?;
            let name = url.origin().host().to_owned();
            Ok((Box::new(ElmSite::new(url, http_client(session)?)), name))
        },
    },
    Sort {
        name: "git",
        kinds: &[],
        open: |_, at| {
            let repositories = GitRepositories::new(at)
                .map_err(|reason| ReachError::BadAddress { address: at.to_owned(), reason })?;
            let name = repositories.name();
            Ok((Box::new(repositories), name))
        },
    },
];

/// The folder of a registry with the transcripts of those above it that are none of Weir's.
const TRANSCRIPTS: &str = ".transcripts";

/// The folder of a transcript with what is no part of the registry.
const NOTES: &str = ".notes";

/// The file among the notes that says where the foreign registry is.
const ADDRESS: &str = "address";

/// The longest address.
const LONGEST: u64 = 4096;

/// In whose name a transcript is written, whoever asked: it belongs to nobody.
const SCRIBE: &str = "weir";

/// The sort that an address names, and the address without it; nothing of an address of Weir's.
fn sort_of(location: &str) -> Option<(&'static Sort, &str)> {
    let (name, address) = location.split_once('+')?;
    let sort = SORTS.iter().find(|sort| sort.name == name)?;
    is_http(address).then_some((sort, address))
}

/// Whether an address is that of a registry that is none of Weir's.
pub fn is_foreign(location: &str) -> bool {
    sort_of(location).is_some()
}

/// Where the transcript of a foreign registry is that is above the one in the folder `root`. Any address makes a name of a folder.
pub(crate) fn transcript_of(root: &Path, location: &str) -> PathBuf {
    root.join(TRANSCRIPTS).join(&Sha256::of(location.trim_end_matches('/')).to_hex()[..16])
}

/// A foreign registry that is above another.
pub(crate) struct Above {
    foreign: Box<dyn Foreign>,
    location: String,
    folder: PathBuf,
}

/// Whether the registry at a location is a transcript of what is none of Weir's.
pub(crate) fn is_transcript(location: &str) -> bool {
    !is_http(location) && Path::new(location).join(NOTES).join(ADDRESS).is_file()
}

impl Above {
    /// The one that the registry in `folder` is the transcript of, if it is one.
    pub(crate) fn of_transcript(session: &Session, folder: &str) -> Result<Option<Self>, ReachError> {
        if is_http(folder) {
            return Ok(None);
        }
        let folder = PathBuf::from(folder);
        match weir_fs::read_text(folder.join(NOTES).join(ADDRESS), LONGEST) {
            Ok(location) => Self::at(session, location.trim(), folder),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(std::io::Error::from(error).into()),
        }
    }

    fn at(session: &Session, location: &str, folder: PathBuf) -> Result<Option<Self>, ReachError> {
        let Some((sort, at)) = sort_of(location) else { return Ok(None) };
        let (foreign, _) = (sort.open)(session, at)?;
        Ok(Some(Self { foreign, location: location.to_owned(), folder }))
    }

    /// Names a foreign registry as one that is above the registry in the folder `root`: its transcript is begun, if there is none yet, and
    /// it is reached. Where it is named once more, it may be another one from now on: what was written down stays.
    pub(crate) fn meet(session: &Session, root: &Path, location: &str) -> Result<Option<Self>, ReachError> {
        let location = location.trim_end_matches('/');
        let Some((sort, at)) = sort_of(location) else { return Ok(None) };
        let folder = transcript_of(root, location);
        let (_, name) = (sort.open)(session, at)?;
        if !folder.join(DESCRIPTOR).exists() {
            let new = NewRegistry {
                name: Origin::new(&name)?,
                closed: false,
                kinds: sort.kinds.to_vec(),
                validity: None,
            };
            registry_init(session, &folder, &new)?;
        }
        let notes = notes_in(&folder)?;
        notes.replace(ADDRESS, location, Access::Usual, Durability::Durable).map_err(std::io::Error::from)?;
        let Some(above) = Self::at(session, location, folder)? else { return Ok(None) };
        above.foreign.begin_anew(&notes).map_err(|error| above.failed(error))?;
        let tell = |what| session.warn(what);
        above.write_down(session, &Ask::default(), UpstreamMode::OnDemand, &Only::default(), &tell)?;
        Ok(Some(above))
    }

    /// Where the transcript is.
    pub(crate) fn transcript(&self) -> &Path {
        &self.folder
    }

    /// What vouches for what it says, in words.
    pub(crate) fn trust(&self) -> String {
        self.foreign.trust()
    }

    /// Has what is asked for written into the transcript. One does so at a time.
    pub(crate) fn write_down(
        &self,
        session: &Session,
        what: &Ask,
        mode: UpstreamMode,
        only: &Only,
        tell: &dyn Fn(String),
    ) -> Result<u64, ReachError> {
        let notes = notes_in(&self.folder)?;
        let alone =
            notes.lock(|| session.warn(format!("waiting for another `weir` that asks `{}`", self.location)));
        let alone = alone.map_err(std::io::Error::from)?;
        let caller = Caller::new(Principal::user(SCRIBE), session.now);
        let registrar = folder_registrar(session, &self.folder)?;
        let transcript =
            Transcript { registrar: Arc::clone(&registrar), caller: &caller, notes: &notes, tell };
        let written =
            self.foreign.write_down(&transcript, what, mode, only).map_err(|error| self.failed(error));
        drop(alone);
        written
    }

    fn failed(&self, error: weir_upstream::ForeignError) -> ReachError {
        ReachError::Foreign { location: self.location.clone(), error: Box::new(error) }
    }
}

/// The folder of a transcript for what is no part of the registry.
fn notes_in(transcript: &Path) -> Result<Folder, ReachError> {
    let notes = Folder::open(transcript).and_then(|folder| folder.make_folder(NOTES));
    Ok(notes.map_err(std::io::Error::from)?)
}

#[cfg(test)]
mod tests {
    use super::is_foreign;

    #[test]
    fn a_foreign_registry_is_named_by_its_sort_and_its_address() {
        assert!(is_foreign("elm+https://package.elm-lang.org"));
        assert!(is_foreign("git+https://h.example/acme/str"));
        for none in [
            "https://package.elm-lang.org",
            "elm+file:///x",
            "git+/srv/acme/str",
            "git+ssh://x.example/acme/str",
            "elm",
            "a+b",
            "elm+../x",
        ] {
            assert!(!is_foreign(none), "{none}");
        }
    }
}
