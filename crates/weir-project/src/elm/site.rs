//! The package site of Elm, as the registries of a project have it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use weir_elm_protocol::{Asked, Listed, Listing, ReleaseFile, all_packages, files, releases, search, since};
use weir_elm_proxy::Site;
use weir_git::Take;
use weir_log::Source;
use weir_model::manifest::GitTag;
use weir_model::{PackageName, Version, chain};
use weir_reach::{Connection, ReachError, Session, places_of_unmarked};
use weir_tree::copy_tree;

use crate::belongs::{Belongs, belongs};
use crate::choose::locked_registries;
use crate::error::ProjectError;
use crate::project::Project;
use crate::publish::{PreparedPackage, PublishOptions, publish_packages};

/// Where the compiler is told that archives are.
const PLACE: &str = "https://package.elm-lang.org";

/// What the compiler is answered in one run.
pub(super) struct Answers {
    session: Session,
    /// The folder that is published from.
    folder: PathBuf,
    listed: Vec<Listed>,
    /// Which registry has a package.
    belongs: BTreeMap<PackageName, usize>,
    /// Names that several have, though it is not one package.
    ambiguous: BTreeSet<PackageName>,
    registries: Vec<Registry>,
}

struct Registry {
    connection: Mutex<Connection>,
    source: Arc<dyn Source>,
}

/// Which registry somebody means where several have a name: as for any command, the one that was locked or is named in the manifest, and
/// the one that was named for this once.
pub(super) struct Meant<'a> {
    /// The project that the compiler is started in.
    pub(super) project: Option<&'a Project>,
    /// Whether the first registry was named for this once.
    pub(super) all_of_first: bool,
}

impl Meant<'_> {
    /// The places of those that are meant, among `connections`, by package.
    fn places(&self, connections: &[Connection]) -> BTreeMap<PackageName, usize> {
        let place = |is_it: &dyn Fn(&Connection) -> bool| connections.iter().position(is_it);
        let mut places = BTreeMap::new();
        for (name, own_name) in self.project.map(locked_registries).unwrap_or_default() {
            if let Some(place) = place(&|connection| connection.replica.name() == own_name) {
                places.insert(name, place);
            }
        }
        let said = self.project.iter().flat_map(|project| &project.manifest.dependencies);
        for requirement in said {
            let Some(name) = &requirement.registry else { continue };
            if let Some(place) = place(&|connection| connection.known.name == *name) {
                places.insert(requirement.name.clone(), place);
            }
        }
        places
    }
}

impl Answers {
    /// Those of registries, nearest first, for a compiler.
    pub(super) fn new(
        session: Session,
        connections: Vec<Connection>,
        compiler: &Version,
        folder: PathBuf,
        meant: &Meant<'_>,
    ) -> Result<Self, ProjectError> {
        let places_meant = meant.places(&connections);
        let of_project = |connection: &Connection| {
            meant
                .project
                .is_some_and(|project| project.manifest.registries.contains_key(&connection.known.name))
        };
        let of_project: Vec<bool> = connections.iter().map(of_project).collect();
        let asked = connections.first().map(|first| places_of_unmarked(first, &of_project)).transpose()?;
        let asked = asked.unwrap_or_default().into_iter().map(|place| (place, &connections[place]));
        let asked: Vec<(usize, &Connection)> = asked.collect();
        let whose = |name: &PackageName| -> Result<Belongs, ProjectError> {
            if let Some(place) = places_meant.get(name) {
                return Ok(Belongs::To(*place));
            }
            let first = connections.first().filter(|_| meant.all_of_first);
            let has_it = first.map(|first| first.replica.index().kind_of(name)).transpose();
            if has_it.map_err(ReachError::from)?.flatten().is_some() {
                return Ok(Belongs::To(0));
            }
            Ok(belongs(&asked, name).map_err(ReachError::from)?)
        };
        let mut answers = Self {
            session,
            folder,
            listed: Vec::new(),
            belongs: BTreeMap::new(),
            ambiguous: BTreeSet::new(),
            registries: Vec::new(),
        };
        let mut known: BTreeMap<PackageName, Belongs> = BTreeMap::new();
        for (place, connection) in connections.iter().enumerate() {
            let index = connection.replica.index();
            let mut listing = Listing::default();
            listing.follow(index).map_err(std::io::Error::other)?;
            let places = listing.of_compiler(compiler);
            for listed in listing.offered(&places) {
                let name = &listed.id.name;
                let known = match known.get(name) {
                    Some(known) => *known,
                    None => *known.entry(name.clone()).or_insert(whose(name)?),
                };
                match known {
                    Belongs::To(owner) if owner == place => {
                        answers.belongs.insert(name.clone(), place);
                        answers.listed.push(listed.clone());
                    }
                    Belongs::ToSeveral(..) => {
                        answers.ambiguous.insert(name.clone());
                    }
                    Belongs::To(_) | Belongs::ToNobody => {}
                }
            }
        }
        let registry = |connection: Connection| {
            let source = connection.source.clone();
            Registry { connection: Mutex::new(connection), source }
        };
        answers.registries = connections.into_iter().map(registry).collect();
        Ok(answers)
    }

    /// The names that the compiler is not shown.
    pub(super) fn ambiguous(&self) -> impl Iterator<Item = &PackageName> {
        self.ambiguous.iter()
    }

    fn file(
        &self,
        name: &PackageName,
        version: &Version,
        file: ReleaseFile,
    ) -> Result<Option<Vec<u8>>, String> {
        let Some(registry) = self.belongs.get(name).and_then(|place| self.registries.get(*place)) else {
            return Ok(None);
        };
        let view = {
            let connection = registry.connection.lock().unwrap_or_else(PoisonError::into_inner);
            files::find(connection.replica.index(), name, version)
        };
        let Some(view) = view.map_err(told)? else { return Ok(None) };
        let wanted = if file == ReleaseFile::Endpoint { ReleaseFile::Archive } else { file };
        let read = files::read(&*registry.source, &view, wanted).map_err(told)?;
        Ok(read.map(|bytes| match file {
            ReleaseFile::Endpoint => {
                let archive = ReleaseFile::Archive.file_name();
                let url = format!("{PLACE}/packages/{name}/{version}/{archive}");
                files::endpoint(&url, &bytes).into_bytes()
            }
            _ => bytes,
        }))
    }

    /// The package as the tag has it, and its commit. Who publishes may have moved the tag since they tried last.
    fn tagged(&self, version: &Version) -> Result<(PreparedPackage, String), ProjectError> {
        let tag = GitTag { url: ".".into(), tag: version.to_string() };
        let tag = weir_git::at(&tag, &self.folder);
        let git = self.session.git();
        let take = Take::Package(None);
        git.forget(&tag, &take);
        let store = self.session.open_store()?.session()?;
        let fetched = git.fetch(&store, &tag, &take)?;
        let stored = store.tree(&fetched.tree)?;
        let stored =
            stored.ok_or_else(|| ProjectError::NotFound(format!("the files of the tag {version}")))?;
        Ok((PreparedPackage::read_all(&self.session, stored.path())?, fetched.commit))
    }
}

impl Site for Answers {
    fn answer(&self, asked: &Asked) -> Result<Option<bytes::Bytes>, String> {
        let listed = || self.listed.iter();
        Ok(match asked {
            Asked::AllPackages => Some(all_packages(listed()).into()),
            Asked::Since(count) => {
                let told = usize::try_from(*count).unwrap_or(usize::MAX).min(self.listed.len());
                Some(since(self.listed[told..].iter()).into())
            }
            Asked::Search => Some(search(listed()).into()),
            Asked::Releases(name) => releases(listed(), name).map(Into::into),
            Asked::Capabilities => None,
            Asked::File(name, version, file) => self.file(name, version, *file)?.map(Into::into),
        })
    }

    fn commit(&self, _: &PackageName, version: &Version) -> Result<String, String> {
        self.tagged(version).map(|(_, commit)| commit).map_err(told)
    }

    fn sources(&self, name: &PackageName, version: &Version) -> Result<bytes::Bytes, String> {
        let (package, _) = self.tagged(version).map_err(told)?;
        let archive = files::archive_of(package.folder(), &package.package.tree, name, version);
        archive.map(Into::into).map_err(told)
    }

    fn publish(&self, name: &PackageName, version: &Version, docs: &[u8]) -> Result<(), String> {
        let publish = || {
            let (package, _) = self.tagged(version)?;
            let id = &package.package.id;
            if (&id.name, &id.version) != (name, version) {
                return Err(ProjectError::Usage(format!(
                    "the tag `{version}` is of `{id}`, not of `{name} {version}`"
                )));
            }
            let staged = tempfile::tempdir()?;
            let files = staged.path().join("files");
            copy_tree(package.folder(), &package.package.tree, &files)?;
            fs_err::write(files.join(ReleaseFile::Docs.file_name()), docs)?;
            let package = PreparedPackage::staged(&self.session, staged)?;
            let project = Project::open(&self.folder, &self.session.owners)?;
            let options = PublishOptions::default();
            publish_packages(&self.session, Some(&project), &[package], Vec::new(), &self.folder, &options)
        };
        publish().map(drop).map_err(told)
    }
}

/// An error as the compiler's user is told it.
fn told(error: impl std::error::Error) -> String {
    chain(&error).to_string()
}
