//! Writing the folder.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use weir_fs::{Access, Durability, Folder, FsError};
use weir_index::{Index, IndexError, KnownAdvisory, PackageFilter, PackageView, ReleaseView};
use weir_log::Source;
use weir_model::PackageName;
use weir_registry::Replica;
use weir_registry::content::{shown_file, shown_tree};
use weir_web::{
    AboveRegistry, DEPENDENTS, Found, Frame, Looked, MAX_README, PAGE, PackagePage, Page, PageError, Readme,
    RegistryPage, ReleasePage, SITE_ASSETS, SearchPage, UNTIMED, address, picture_type,
};

use crate::place::{file_of, path_of};
use crate::relative::relative;
use crate::terms;

/// The file that lists all others of a site: by it a folder is known as one.
pub const MARK: &str = "weir-site.json";

/// The largest of those lists, in bytes.
const MAX_MARK: u64 = 256 << 20;

/// So many releases are new.
const NEW: usize = 12;

/// The largest picture of a README that is written, in bytes, and so many are of one.
const MOST_PICTURE: usize = 2 << 20;
const MOST_PICTURES: usize = 50;

/// What is written.
pub struct Site<'a> {
    /// What the registry is called.
    pub registry: &'a str,
    /// Where it can be reached, for those who are told how to use it; nothing where that is nobody's business.
    pub location: Option<&'a str>,
    /// Its view.
    pub replica: &'a Replica,
    /// Its files.
    pub source: &'a dyn Source,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Written {
    /// Files of the site.
    pub files: u64,
    /// How many of them were written: the others were the same already.
    pub changed: u64,
    /// How many were removed that are of the site no longer.
    pub removed: u64,
    /// Pages of packages.
    pub packages: u64,
    /// Pages of releases.
    pub releases: u64,
    /// Releases whose files could not be read, and whose pages say so.
    pub unread: u64,
}

/// Why a site was not written.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// Something else is in the folder.
    #[error("`{0}` holds something that is no site")]
    Taken(String),
    /// The view cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The folder cannot be read or written.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// A page cannot be written.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The index cannot be written.
    #[error("the index of the search cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// An address has no place in a folder.
    #[error("`{0}` cannot be the name of a file")]
    Name(String),
    /// The system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The list of a site's files.
#[derive(Serialize, Deserialize)]
struct Mark {
    #[serde(rename = "weir-site")]
    version: u32,
    /// Whether it was written to its end.
    complete: bool,
    files: BTreeSet<String>,
}

/// Writes the site of a registry into `folder`, in place of the one that is there.
///
/// # Errors
///
/// When something else is in the folder, or the registry or the folder cannot be read or written. What was written is a part of a site
/// then, and is completed by the next time.
pub fn write_site(site: &Site<'_>, folder: &Path) -> Result<Written, SiteError> {
    let root = Folder::make(folder)?;
    let before = before(&root, folder)?;
    let mut writer = Writer {
        site,
        root: &root,
        frame: Frame {
            registry: Some(site.registry.to_owned()),
            site: true,
            location: site.location.map(str::to_owned),
            ..Frame::default()
        },
        files: BTreeSet::new(),
        pictures: BTreeSet::new(),
        written: Written::default(),
        before: &before,
    };
    writer.all()?;
    let (mut written, files) = (writer.written, writer.files);
    for path in before.difference(&files) {
        written.removed += u64::from(root.remove_file(path)?);
    }
    root.replace(MARK, mark(true, &files)?, Access::Public, Durability::Durable)?;
    written.files = files.len() as u64;
    Ok(written)
}

fn mark(complete: bool, files: &BTreeSet<String>) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec_pretty(&Mark { version: 1, complete, files: files.clone() })
}

/// The files of the site that is there.
fn before(root: &Folder, folder: &Path) -> Result<BTreeSet<String>, SiteError> {
    let taken = || SiteError::Taken(folder.display().to_string());
    match root.find(MARK, MAX_MARK)? {
        Some(bytes) => {
            let mark: Mark = serde_json::from_slice(&bytes).map_err(|_| taken())?;
            match mark {
                Mark { version: 1, complete: true, files } => Ok(files),
                // What was written before it was interrupted is in no list.
                Mark { version: 1, complete: false, .. } => all_below(root),
                Mark { .. } => Err(taken()),
            }
        }
        None if root.entries()?.is_empty() => Ok(BTreeSet::new()),
        None => Err(taken()),
    }
}

/// Every file of a site, by its path.
fn all_below(root: &Folder) -> Result<BTreeSet<String>, SiteError> {
    let mut files = BTreeSet::new();
    let mut waiting = vec![String::new()];
    while let Some(below) = waiting.pop() {
        for entry in root.folder(&below)?.entries()? {
            let Some(name) = entry.name.to_str() else { continue };
            let path = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
            match entry.is_folder {
                true => waiting.push(path),
                false => drop(files.insert(path)),
            }
        }
    }
    files.remove(MARK);
    Ok(files)
}

struct Writer<'a> {
    site: &'a Site<'a>,
    root: &'a Folder,
    frame: Frame,
    files: BTreeSet<String>,
    /// Those of READMEs, as they are written in an address.
    pictures: BTreeSet<String>,
    before: &'a BTreeSet<String>,
    written: Written,
}

impl Writer<'_> {
    fn all(&mut self) -> Result<(), SiteError> {
        // What is begun is known as a site, however it ends.
        self.root.replace(MARK, mark(false, &BTreeSet::new())?, Access::Public, Durability::Durable)?;
        for (name, text) in SITE_ASSETS.iter() {
            self.file(&format!("{}/{name}", address::ASSETS), text.as_bytes())?;
        }
        let index = self.site.replica.index();
        // What a search finds and what the pages say is of one moment.
        let _still = index.reading()?;
        let mut summaries = Vec::new();
        let mut after: Option<PackageName> = None;
        loop {
            let page = index.list(&PackageFilter::default(), after.as_ref(), PAGE + 1)?;
            self.list(after.as_ref(), page.clone())?;
            let more = page.len() > PAGE;
            summaries.extend(page.into_iter().take(PAGE));
            if !more {
                break;
            }
            after = summaries.last().map(|package| package.name.clone());
        }
        for summary in &summaries {
            if let Some(package) = index.package(&summary.name)? {
                self.package(index, &package)?;
            }
        }
        let mut packages = Vec::with_capacity(summaries.len());
        for summary in summaries {
            let keywords = index.keywords(&summary.name)?;
            packages.push((summary, keywords));
        }
        for (path, bytes) in terms::index(packages)? {
            self.put(&path, &bytes)?;
        }
        self.registry(index)
    }

    /// A page of the list of all packages.
    fn list(
        &mut self,
        after: Option<&PackageName>,
        packages: Vec<weir_index::PackageSummary>,
    ) -> Result<(), SiteError> {
        let looked = Looked { after: after.map(ToString::to_string), ..Looked::default() };
        let address = match after {
            None => address::search(self.site.registry, &[]),
            Some(after) => address::search(self.site.registry, &[("after", after.as_str())]),
        };
        let found = Found::All(packages);
        let page = SearchPage { frame: &self.frame, looked: &looked, found: &found, held: &[] }.page()?;
        self.page(&address, page)
    }

    fn package(&mut self, index: &Index, package: &PackageView) -> Result<(), SiteError> {
        let chosen = package.newest().or(package.releases.first()).or(package.removed.first());
        let advisories = index.advisories_of(&package.name)?;
        let mut readme = None;
        for view in package.releases.iter().chain(&package.removed) {
            let text = self.release(index, package, view, &advisories)?;
            if chosen.is_some_and(|chosen| chosen.release.id == view.release.id) {
                readme =
                    text.map(|(path, text)| Readme::new(self.site.registry, &view.release.id, &path, &text));
                self.pictures(view, readme.as_ref())?;
            }
        }
        let owner = package.name.owner_name();
        let page = PackagePage {
            frame: &self.frame,
            package,
            chosen,
            withdrawn_needs: &match chosen {
                Some(chosen) => index.withdrawn_needs(&chosen.release)?,
                None => Vec::new(),
            },
            holders: &index.owner(&owner)?.map(|claim| claim.who).unwrap_or_default(),
            dependents: &index.needing(&package.name, DEPENDENTS)?,
            held: &index.held_of(&package.name)?,
            downloads: None,
            advisories: &advisories,
            readme: readme.as_ref(),
            now: UNTIMED,
        };
        let page = page.page()?;
        self.written.packages += 1;
        self.page(&address::package(self.site.registry, &package.name), page)
    }

    /// The pictures that a README shows, as far as they are ones that browsers decode and are not too large.
    fn pictures(&mut self, view: &ReleaseView, readme: Option<&Readme>) -> Result<(), SiteError> {
        for path in
            readme.map(|readme| readme.pictures.as_slice()).unwrap_or_default().iter().take(MOST_PICTURES)
        {
            let found = shown_file(self.site.source, &view.release, path, MOST_PICTURE + 1).ok().flatten();
            let Some(bytes) = found.and_then(|file| file.bytes).filter(|bytes| bytes.len() <= MOST_PICTURE)
            else {
                continue;
            };
            if picture_type(&bytes).is_some() {
                let file = self.file_of(&address::picture(self.site.registry, &view.release.id, path))?;
                self.put(&file, &bytes)?;
                self.pictures.insert(file);
            }
        }
        Ok(())
    }

    /// The page of a release; gives what its README says.
    fn release(
        &mut self,
        index: &Index,
        package: &PackageView,
        view: &ReleaseView,
        advisories: &[KnownAdvisory],
    ) -> Result<Option<(String, String)>, SiteError> {
        let tree = match view.standing().is_usable() {
            true => shown_tree(self.site.source, &view.release, MAX_README),
            false => Ok(None),
        };
        let tree = tree.unwrap_or_else(|_| {
            self.written.unread += 1;
            None
        });
        let version = &view.release.id.version;
        let builds = package.releases.iter().chain(&package.removed);
        let others: Vec<ReleaseView> =
            builds.filter(|other| other.release.id.version == *version).cloned().collect();
        let page = ReleasePage {
            frame: &self.frame,
            view,
            withdrawn_needs: &index.withdrawn_needs(&view.release)?,
            others: &others,
            advisories,
            files: tree.as_ref().map(|tree| tree.manifest.entries()),
            may: &[],
            now: UNTIMED,
        };
        let page = page.page()?;
        self.written.releases += 1;
        self.page(&address::release(self.site.registry, &view.release.id), page)?;
        Ok(tree.and_then(|tree| tree.readme))
    }

    fn registry(&mut self, index: &Index) -> Result<(), SiteError> {
        let policy = self.site.replica.descriptor().policy.as_ref();
        let facts = index.facts()?;
        let page = RegistryPage {
            frame: &self.frame,
            stats: &index.stats()?,
            facts: &facts,
            parts: &[],
            above: &AboveRegistry::of(&facts),
            policy: policy.map_or(weir_web::NO_POLICY, |set| set.summary.as_str()),
            checkpoint: self.site.replica.checkpoint(),
            newest: &index.newest_releases(NEW)?,
            now: UNTIMED,
        };
        let page = page.page()?;
        self.page(&address::registry(self.site.registry), page)
    }

    fn page(&mut self, address: &str, page: Page) -> Result<(), SiteError> {
        let file = self.file_of(address)?;
        let html = relative(&page.into_html(), self.site.registry, &file, &self.pictures);
        self.put(&file, html.as_bytes())
    }

    fn file(&mut self, address: &str, bytes: &[u8]) -> Result<(), SiteError> {
        let file = self.file_of(address)?;
        self.put(&file, bytes)
    }

    fn file_of(&self, address: &str) -> Result<String, SiteError> {
        file_of(self.site.registry, address).ok_or_else(|| SiteError::Name(address.to_owned()))
    }

    /// Puts a file in its place, unless it is there already.
    fn put(&mut self, file: &str, bytes: &[u8]) -> Result<(), SiteError> {
        let path = path_of(file).ok_or_else(|| SiteError::Name(file.to_owned()))?;
        let there = || self.root.find(&path, bytes.len() as u64 + 1).ok().flatten();
        let is_there = self.before.contains(&path) && there().as_deref() == Some(bytes);
        self.files.insert(path.clone());
        if is_there {
            return Ok(());
        }
        if let Some((above, _)) = path.rsplit_once('/') {
            self.root.make_folder(above)?;
        }
        self.root.replace(&path, bytes, Access::Public, Durability::Quick)?;
        self.written.changed += 1;
        Ok(())
    }
}
