//! Sysroots: the install trees of packages merged into one folder, as a compiler sees it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::path::PathBuf;

use weir_kind::{LinkTree, LinkTreeContent, LinkTreeFile, MAX_REWRITTEN, Original};
use weir_model::ReleaseId;
use weir_tree::{Entry, LinkError, LinkTarget, Mode, TreeManifest, folded};

use crate::{NativeFacts, PREFIX, Variant};

/// How many clashes an error names.
const MOST_NAMED: usize = 20;

/// A package that is laid into a sysroot.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Which release it is.
    pub id: ReleaseId,
    /// Its files.
    pub manifest: TreeManifest,
    /// Where they are.
    pub content: PathBuf,
    /// What is known of it.
    pub facts: NativeFacts,
}

/// Packages that do not fit into one folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SysrootError {
    /// Two packages want one place.
    #[error("{}", describe(clashes, *more))]
    Clashes {
        /// What clashes, in the order of paths; at least one.
        clashes: Vec<Clash>,
        /// How much more does.
        more: usize,
    },
    /// A link of a package leads out of its variant's folder.
    #[error("the link `{path}` of `{id}` cannot be laid out: {source}")]
    Link {
        /// The package.
        id: Box<ReleaseId>,
        /// The link.
        path: String,
        /// What is wrong with its target.
        source: LinkError,
    },
    /// A text that must name its place is too large to be rewritten.
    #[error("`{path}` of `{id}` names the prefix, and has {size} bytes; {MAX_REWRITTEN} are allowed")]
    TooLarge {
        /// The package.
        id: Box<ReleaseId>,
        /// The file.
        path: String,
        /// How large it is.
        size: u64,
    },
    /// A package cannot be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A place in a sysroot that two packages want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The path of the first; a folder's ends with `/`.
    pub path: String,
    /// One that has it.
    pub first: Box<ReleaseId>,
    /// The path of the other: the same, or one that differs by case, or in being a folder's.
    pub other_path: String,
    /// The other.
    pub second: Box<ReleaseId>,
}

impl SysrootError {
    /// What to do now.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Clashes { .. } => Some(
                "only one of them can be used at a time: leave one out, or have its recipe install under another name"
                    .into(),
            ),
            Self::Link { .. } | Self::TooLarge { .. } => Some("have its recipe remove or change the file".into()),
            Self::Io(_) => None,
        }
    }
}

impl std::fmt::Display for Clash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { path, first, other_path, second } = self;
        if path == other_path {
            return write!(f, "`{first}` and `{second}` both install `{path}`");
        }
        let why = if path.ends_with('/') == other_path.ends_with('/') {
            "differ only by case"
        } else {
            "are a file and a folder of one name"
        };
        write!(f, "`{path}` of `{first}` and `{other_path}` of `{second}` {why}")
    }
}

fn describe(clashes: &[Clash], more: usize) -> String {
    let mut lines: Vec<String> = clashes.iter().map(ToString::to_string).collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.join("\n")
}

/// Plans the folder that has the files of one variant of all packages. A package that lacks the variant lends
/// the other: a program can be debugged that uses an optimised library.
///
/// # Errors
///
/// When two packages want one place, even for equal files: nobody could say whose it is, and an update of one
/// would change the other. When a link leads out of its variant.
pub fn plan(parts: &[Part], variant: Variant) -> Result<LinkTree, SysrootError> {
    let mut places = Places { taken: HashMap::new(), clashes: Vec::new() };
    let mut files = Vec::new();
    for part in parts {
        let (used, entries) = lent(&part.manifest, variant);
        let start = used.as_str().len() + 1;
        for entry in entries {
            places.take(&entry.path.as_str()[start..], &part.id);
            files.push(file(part, used, entry)?);
        }
    }
    if !places.clashes.is_empty() {
        return Err(places.error());
    }
    // They are in order already, package by package, which this kind of sorting makes use of.
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(LinkTree { prefix: PREFIX, files })
}

/// The variant that a package gives to a sysroot of `wanted`, and its files.
pub(crate) fn lent(manifest: &TreeManifest, wanted: Variant) -> (Variant, &[Entry]) {
    let other = if wanted == Variant::Release { Variant::Debug } else { Variant::Release };
    match entries_of(manifest, wanted) {
        [] => (other, entries_of(manifest, other)),
        entries => (wanted, entries),
    }
}

/// The files of a variant: they stand together, as a tree is sorted.
pub(crate) fn entries_of(manifest: &TreeManifest, variant: Variant) -> &[Entry] {
    let folder = format!("{variant}/");
    let entries = manifest.entries();
    let start = entries.partition_point(|entry| entry.path.as_str() < folder.as_str());
    let length = entries[start..].partition_point(|entry| entry.path.as_str().starts_with(&folder));
    &entries[start..start + length]
}

fn file(part: &Part, variant: Variant, entry: &Entry) -> Result<LinkTreeFile, SysrootError> {
    let on_disk = part.content.join(entry.path.as_str());
    let path = entry.path.below(variant.as_str()).expect("the entry is one of the variant's");
    let original = |file| Original { file, digest: entry.digest, executable: entry.mode == Mode::Executable };
    let content = if entry.mode == Mode::Link {
        use std::os::unix::ffi::OsStrExt as _;
        let target = fs_err::read_link(&on_disk)?;
        let target = LinkTarget::new(&path, target.as_os_str().as_bytes());
        LinkTreeContent::Link(target.map_err(|source| SysrootError::Link {
            id: Box::new(part.id.clone()),
            path: entry.path.to_string(),
            source,
        })?)
    } else if names_prefix(&part.facts, variant, path.as_str()) {
        if entry.size > MAX_REWRITTEN {
            let (id, path) = (Box::new(part.id.clone()), entry.path.to_string());
            return Err(SysrootError::TooLarge { id, path, size: entry.size });
        }
        LinkTreeContent::Rewritten(original(on_disk))
    } else {
        LinkTreeContent::Same(original(on_disk))
    };
    Ok(LinkTreeFile { path, content })
}

/// Whether the record says that this file of the tree holds the prefix. The list is only asked, never followed: what it
/// names beside the tree's files means nothing.
fn names_prefix(facts: &NativeFacts, variant: Variant, path: &str) -> bool {
    facts
        .variants
        .get(&variant)
        .is_some_and(|facts| facts.relocate.binary_search_by(|known| known.as_str().cmp(path)).is_ok())
}

/// Which places of a sysroot are taken, as a file system that ignores case tells them apart.
struct Places<'p> {
    taken: HashMap<Cow<'p, str>, Taken<'p>>,
    clashes: Vec<Clash>,
}

#[derive(Clone, Copy)]
struct Taken<'p> {
    path: &'p str,
    by: &'p ReleaseId,
    is_folder: bool,
}

impl Taken<'_> {
    fn shown(&self) -> String {
        format!("{}{}", self.path, if self.is_folder { "/" } else { "" })
    }
}

impl<'p> Places<'p> {
    fn take(&mut self, path: &'p str, by: &'p ReleaseId) {
        let above = path.rmatch_indices('/').map(|(end, _)| &path[..end]);
        for folder in above {
            match self.claim(Taken { path: folder, by, is_folder: true }) {
                // Then all above it is known as well.
                Claim::Shared => break,
                Claim::Clash => return,
                Claim::New => {}
            }
        }
        self.claim(Taken { path, by, is_folder: false });
    }

    fn claim(&mut self, new: Taken<'p>) -> Claim {
        match self.taken.entry(folded(new.path)) {
            Slot::Vacant(slot) => {
                slot.insert(new);
                Claim::New
            }
            Slot::Occupied(slot) => {
                let old = *slot.get();
                if old.is_folder && new.is_folder && old.path == new.path {
                    return Claim::Shared;
                }
                self.clashes.push(Clash {
                    path: old.shown(),
                    first: Box::new(old.by.clone()),
                    other_path: new.shown(),
                    second: Box::new(new.by.clone()),
                });
                Claim::Clash
            }
        }
    }

    fn error(mut self) -> SysrootError {
        self.clashes.sort_by(|one, other| (&one.path, &one.second).cmp(&(&other.path, &other.second)));
        let more = self.clashes.len().saturating_sub(MOST_NAMED);
        self.clashes.truncate(MOST_NAMED);
        SysrootError::Clashes { clashes: self.clashes, more }
    }
}

enum Claim {
    New,
    Shared,
    Clash,
}

#[cfg(test)]
mod tests;
