//! What becomes of an install tree so that it can lie anywhere: texts that name where it was built are made to name
//! where they are, and what cannot be is found.
//!
//! Files of pkg-config can say where they are themselves, so they are changed here, once. Other texts are noted in the
//! facts; who lays them out writes them anew (see [`weir_kind::LinkTree`]). Programs cannot be changed.

mod outside;
mod pkg_config;
mod run_path;
mod scan;
mod walk;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use weir_fs::{Access, Durability, Folder};
use weir_kind::{FileContent, KindError, MAX_REWRITTEN, PackageFiles, find_path, replace_path};
use weir_model::{Platform, ReleaseId};
use weir_tree::{LinkError, LinkTarget, PathError, TreeManifest, TreePath};

use crate::elf::{self, Elf, Others};
use crate::machine;
use crate::sysroot::entries_of;
use crate::{Finding, Level, NativeFacts, PREFIX, Variant, VariantFacts};
use scan::{Scan, scan};

/// Where a sandbox shows a build what it needs.
pub const SYSROOT: &str = "/weir/sysroot";

/// Where a sandbox shows a build the tools of its own that only build it.
pub const TOOLS: &str = "/weir/tools";

/// What was found out about an install tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    /// What goes into its record.
    pub facts: NativeFacts,
    /// What is wrong with it, doubtful, or was changed.
    pub findings: Vec<Finding>,
}

/// Paths that a build has seen, and that mean nothing elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildPlaces {
    /// Where what it needs was. In an installed package that is the same folder as its own.
    pub sysroots: Vec<String>,
    /// Where its source was, and where it was built.
    pub workplaces: Vec<String>,
}

impl Default for BuildPlaces {
    /// Those of a sandbox.
    fn default() -> Self {
        Self {
            sysroots: vec![SYSROOT.to_owned()],
            workplaces: ["/weir/build", "/weir/source", TOOLS, "/weir/wrappers"].map(str::to_owned).to_vec(),
        }
    }
}

/// An install tree that cannot become a package.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// There is nothing in it.
    #[error("nothing was installed: there is no file in `{}`", folder.display())]
    Empty {
        /// The folder.
        folder: PathBuf,
    },
    /// A file's name cannot be in a tree.
    #[error("`{variant}/{path}` cannot be in a package")]
    Name {
        /// In which variant.
        variant: Variant,
        /// The file.
        path: String,
        /// What is wrong with its name.
        source: PathError,
    },
    /// Neither a file nor a folder nor a link.
    #[error("`{variant}/{path}` is {what}, which cannot be in a package")]
    Special {
        /// In which variant.
        variant: Variant,
        /// What it is called.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// A link leads out of the package.
    #[error("the link `{variant}/{path}` leads out of the package")]
    Link {
        /// In which variant.
        variant: Variant,
        /// The link.
        path: String,
        /// What is wrong with its target.
        source: LinkError,
    },
    /// More than a package may have.
    #[error("`{variant}` has more than {most} files and folders")]
    TooMany {
        /// In which variant.
        variant: Variant,
        /// How many it may have.
        most: usize,
    },
    /// The file system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Makes what a build installed fit to lie anywhere, changing it in place, and finds out what its record
/// must say. `folder` holds a folder for each variant; `closure` is what it was built against,
/// `system_libraries` what its recipe lets it use of the build root, and `platform` what it is for.
///
/// # Errors
///
/// When it cannot become a package at all. What is wrong with single files is a finding.
pub fn capture(
    folder: &Path,
    closure: &[(ReleaseId, NativeFacts)],
    system_libraries: &[String],
    platform: &Platform,
) -> Result<Captured, CaptureError> {
    capture_built_at(&BuildPlaces::default(), folder, closure, system_libraries, platform)
}

/// The same for a build that was not in a sandbox, and saw other paths.
///
/// # Errors
///
/// As [`capture`].
pub fn capture_built_at(
    places: &BuildPlaces,
    folder: &Path,
    closure: &[(ReleaseId, NativeFacts)],
    system_libraries: &[String],
    platform: &Platform,
) -> Result<Captured, CaptureError> {
    let mut captured = Captured::default();
    for variant in Variant::ALL {
        let top = folder.join(variant.as_str());
        if !top.is_dir() {
            continue;
        }
        let mut capture =
            Capture { places, platform, top, variant, tree: elf::Tree::default(), captured: &mut captured };
        let relocate = capture.files()?;
        if capture.tree.paths.is_empty() {
            continue;
        }
        let offered = offered(closure, variant);
        let others = Others::Known { offered: &offered, system: system_libraries };
        capture.finish(relocate, &others);
    }
    if captured.facts.variants.is_empty() {
        return Err(CaptureError::Empty { folder: folder.to_owned() });
    }
    captured.findings.sort();
    Ok(captured)
}

/// The libraries that the packages of a closure offer to one variant.
fn offered(closure: &[(ReleaseId, NativeFacts)], variant: Variant) -> BTreeSet<String> {
    let lent = closure
        .iter()
        .filter_map(|(_, facts)| facts.variants.get(&variant).or_else(|| facts.variants.values().next()));
    lent.flat_map(|facts| facts.offers.iter().cloned()).collect()
}

/// Finds out what the record of a tree that somebody made by hand for `platform` must say, and changes nothing. What
/// it needs from others is not judged: they are not at hand.
///
/// # Errors
///
/// When a file cannot be read.
pub fn look_into(
    files: &dyn PackageFiles,
    manifest: &TreeManifest,
    platform: &Platform,
) -> Result<Captured, KindError> {
    let places = BuildPlaces { sysroots: Vec::new(), workplaces: Vec::new() };
    let mut captured = Captured::default();
    for variant in Variant::ALL {
        let entries = entries_of(manifest, variant);
        if entries.is_empty() {
            continue;
        }
        let start = variant.as_str().len() + 1;
        let mut capture = Capture {
            places: &places,
            platform,
            top: PathBuf::new(),
            variant,
            tree: elf::Tree::default(),
            captured: &mut captured,
        };
        let mut relocate = Vec::new();
        for entry in entries {
            let path = &entry.path.as_str()[start..];
            capture.tree.paths.insert(path.to_owned());
            if entry.mode == weir_tree::Mode::Link {
                continue;
            }
            let gone =
                || KindError::BadFile { path: files.place(entry.path.as_str()), reason: "it is gone".into() };
            let mut content = files.open(entry.path.as_str())?.ok_or_else(gone)?;
            let scanned = capture.look_at(path, &mut *content)?;
            if scanned.has_path(PREFIX) {
                if scanned.is_text {
                    relocate.push(path.to_owned());
                } else {
                    capture.fixed_in(path, &scanned);
                }
            }
        }
        capture.finish(relocate, &Others::Unknown);
    }
    captured.findings.sort();
    Ok(captured)
}

/// One variant that is looked into.
struct Capture<'a> {
    places: &'a BuildPlaces,
    platform: &'a Platform,
    /// The folder of what a build installed, which is changed; of what is only looked into, nothing.
    top: PathBuf,
    variant: Variant,
    tree: elf::Tree,
    captured: &'a mut Captured,
}

impl Capture<'_> {
    /// Changes what must be changed, and gives the texts that still hold the prefix.
    fn files(&mut self) -> Result<Vec<String>, CaptureError> {
        let mut relocate = Vec::new();
        let walked = walk::walk(&self.top, self.variant)?;
        self.left_out(&walked);
        // A tree has none: with them, it would not be what its manifest says.
        walked.empty.iter().try_for_each(|folder| self.remove_empty(Path::new(folder)))?;
        for found in walked.found {
            let path = found.path.as_str();
            if found.is_link {
                self.link(&found.path)?;
            } else if path.ends_with(".la") {
                // They name the libraries of the build by absolute paths, and nothing needs them any more.
                fs_err::remove_file(self.top.join(path))?;
                Path::new(path).parent().map_or(Ok(()), |folder| self.remove_empty(folder))?;
                self.find(
                    Level::Note,
                    path,
                    "was removed: files of libtool name where they were built".into(),
                );
                continue;
            } else if self.run_paths(&found.path)? || self.text(path)? {
                relocate.push(path.to_owned());
            }
            self.tree.paths.insert(path.to_owned());
        }
        Ok(relocate)
    }

    /// Tells what of an install tree has no place in a package, of much of one sort the first.
    fn left_out(&mut self, walked: &walk::Walked) {
        const MOST_NAMED: usize = 5;
        let files = || walked.found.iter().filter(|found| !found.is_link);
        let paths = |wanted: fn(u32) -> bool| -> Vec<&str> {
            files().filter(|found| wanted(found.mode)).map(|found| found.path.as_str()).collect()
        };
        let sorts: [(Vec<&str>, &str); 3] = [
            (
                paths(|mode| mode & 0o7000 != 0),
                "is set to run as somebody else, or sticky: a package does not keep that",
            ),
            (
                paths(|mode| mode & 0o7000 == 0 && mode & 0o044 != 0o044),
                "is not for everybody to read: a package does not keep that, and in it it is",
            ),
            (
                walked.empty.iter().map(String::as_str).collect(),
                "is an empty folder: a package has none, so it is left out",
            ),
        ];
        for (paths, message) in sorts {
            for (index, path) in paths.iter().take(MOST_NAMED).enumerate() {
                let more = paths.len().saturating_sub(MOST_NAMED);
                let more = if more > 0 && index == 0 { format!(" (and {more} more)") } else { String::new() };
                self.find(Level::Warning, path, format!("{message}{more}"));
            }
        }
    }

    /// Removes a folder if nothing is in it, and those above that have nothing else.
    fn remove_empty(&self, folder: &Path) -> io::Result<()> {
        for folder in folder.ancestors().filter(|folder| !folder.as_os_str().is_empty()) {
            match fs_err::remove_dir(self.top.join(folder)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn finish(mut self, relocate: Vec<String>, others: &Others<'_>) {
        for (level, path, message) in outside::findings(&self.tree.paths) {
            self.find(level, &path, message);
        }
        let bindings = elf::check(&self.tree, self.variant, others);
        let facts = VariantFacts {
            relocate,
            offers: bindings.offers.into_iter().collect(),
            needs: bindings.needs.into_iter().collect(),
        };
        self.captured.facts.variants.insert(self.variant, facts);
        self.captured.findings.extend(bindings.findings);
    }

    fn find(&mut self, level: Level, path: &str, message: String) {
        self.captured.findings.push(Finding { level, variant: self.variant, path: path.to_owned(), message });
    }

    /// A link to where it was built becomes one to the same file from where it is.
    fn link(&self, path: &TreePath) -> Result<(), CaptureError> {
        use std::os::unix::ffi::OsStrExt as _;
        let at = self.top.join(path.as_str());
        let target = fs_err::read_link(&at)?;
        let own = std::iter::once(PREFIX).chain(self.places.sysroots.iter().map(String::as_str));
        let below = own.map(Path::new).find_map(|own| target.strip_prefix(own).ok());
        let relative = below.map(|below| Path::new(&"../".repeat(path.depth())).join(below));
        let wanted = match &relative {
            Some(relative) if relative.as_os_str().is_empty() => Path::new("."),
            Some(relative) => relative,
            None => &target,
        };
        LinkTarget::new(path, wanted.as_os_str().as_bytes()).map_err(|source| CaptureError::Link {
            variant: self.variant,
            path: path.to_string(),
            source,
        })?;
        if relative.is_some() {
            fs_err::remove_file(&at)?;
            fs_err::os::unix::fs::symlink(wanted, &at)?;
        }
        Ok(())
    }

    /// Lets a program or a library that looks for others in the prefix look for them beside itself. Never says that the file
    /// is a text.
    fn run_paths(&mut self, path: &TreePath) -> Result<bool, CaptureError> {
        let own = std::iter::once(PREFIX).chain(self.places.sysroots.iter().map(String::as_str));
        let own: Vec<&str> = own.collect();
        let file = self.top.join(path.as_str());
        if run_path::rewrite(&file, path, &own)? == run_path::Outcome::TooLong {
            let message =
                "looks for libraries in the folder of its build, and there is no room to say where they are"
                    .into();
            self.find(Level::Warning, path.as_str(), message);
        }
        Ok(false)
    }

    /// Looks at a file, and makes it relocatable if that can be done; tells whether it still holds the prefix.
    fn text(&mut self, path: &str) -> Result<bool, CaptureError> {
        let scanned = self.look_at(path, &mut fs_err::File::open(self.top.join(path))?)?;
        let is_pkg_config = path.ends_with(".pc") && scanned.is_text;
        if scanned.hits.is_empty() && !is_pkg_config {
            return Ok(false);
        }
        for place in &self.places.workplaces {
            if let Some(at) = scanned.first(place) {
                let level = if scanned.is_text { Level::Warning } else { Level::Note };
                self.find(level, path, format!("names a folder of its build, `{place}`, at byte {at}"));
            }
        }
        let own: Vec<String> =
            scanned.paths().filter(|hit| !self.places.workplaces.contains(hit)).cloned().collect();
        if own.is_empty() && !is_pkg_config {
            return Ok(false);
        }
        if !scanned.is_text {
            self.fixed_in(path, &scanned);
            return Ok(false);
        }
        let at = self.top.join(path);
        let mut text = fs_err::read(&at)?;
        for sysroot in own.iter().filter(|place| *place != PREFIX) {
            text = replace_path(&text, sysroot, PREFIX.as_bytes());
        }
        if is_pkg_config {
            text = pkg_config::relocatable(&text, path);
        }
        // Replaced, and not written to: the one that is there may be read-only, or have other names.
        let folder = Folder::open(&self.top).map_err(io::Error::from)?;
        folder.replace(path, &text, Access::Kept, Durability::Quick).map_err(io::Error::from)?;
        Ok(find_path(&text, PREFIX).next().is_some())
    }

    /// Reads a file: which paths of its build it holds, and what it is to a loader.
    fn look_at(&mut self, path: &str, content: &mut dyn FileContent) -> io::Result<Scan> {
        match Elf::read_from(content)? {
            None => {}
            Some(Ok(elf)) => drop(self.tree.elves.insert(path.to_owned(), elf)),
            Some(Err(error)) => self.find(Level::Warning, path, format!("is {error}")),
        }
        if machine::is_thin_archive(content)? {
            let message = "is a thin archive: it names object files of its build and holds none of them; have it made by `ar` without `T`";
            self.find(Level::Error, path, message.into());
        }
        for (member, machine) in machine::machines(content)? {
            if let Some(instead) = machine.stranger_to(self.platform) {
                // What is data is used by whoever knows what it is.
                let level = if path.starts_with("share/") { Level::Warning } else { Level::Error };
                let member = member.map(|name| format!("has the member `{}`, which ", name.escape_debug()));
                let message =
                    format!("{}is for {instead}, not for {}", member.unwrap_or_default(), self.platform);
                self.find(level, path, message);
            }
        }
        let places = self.places.sysroots.iter().chain(&self.places.workplaces).map(String::as_str);
        scan(content, &std::iter::once(PREFIX).chain(places).collect::<Vec<_>>(), MAX_REWRITTEN)
    }

    /// A path in a program cannot be changed: what it is used for will not be found.
    fn fixed_in(&mut self, path: &str, scanned: &Scan) {
        let own = scanned.hits.iter().filter(|(place, _)| !self.places.workplaces.contains(place));
        let told: Vec<String> = own.map(|(place, at)| format!("`{place}` at byte {at}")).collect();
        if !told.is_empty() {
            let what =
                format!("holds the path of its build, which cannot be changed in it: {}", told.join(", "));
            self.find(Level::Warning, path, what);
        }
    }
}

#[cfg(test)]
mod tests;
