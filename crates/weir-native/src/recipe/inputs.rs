//! The files that a recipe names, read once: what goes into its document is what the build is given.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use weir_model::{Digest, Sha256, TreeDigest};

use super::{Recipe, System};

/// The longest script or patch, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// What a recipe is carried out on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeInputs {
    /// The tree of the source.
    pub source: TreeDigest,
    /// The script, if one builds it.
    pub script: Option<RecipeFile>,
    /// The patches, in the order in which they are applied.
    pub patches: Vec<RecipeFile>,
}

/// A file of a recipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeFile {
    /// Its path, as the recipe names it.
    pub name: String,
    /// The digest of its bytes.
    pub digest: Sha256,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A file of a recipe that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// It is not there.
    #[error("`{}` names `{name}`, which is not there", recipe.display())]
    Missing {
        /// The recipe.
        recipe: PathBuf,
        /// The file, as the recipe names it.
        name: String,
    },
    /// It cannot be read.
    #[error("`{}` names `{name}`, which cannot be read", recipe.display())]
    Io {
        /// The recipe.
        recipe: PathBuf,
        /// The file, as the recipe names it.
        name: String,
        /// What happened.
        #[source]
        source: io::Error,
    },
    /// It is a link that leads out of the recipe's folder.
    #[error("`{}` names `{name}`, which leads out of the recipe's folder, to `{}`", recipe.display(), target.display())]
    Outside {
        /// The recipe.
        recipe: PathBuf,
        /// The file, as the recipe names it.
        name: String,
        /// Where it leads.
        target: PathBuf,
    },
    /// It is a folder, or something stranger.
    #[error("`{}` names `{name}`, which is not a file", recipe.display())]
    NotAFile {
        /// The recipe.
        recipe: PathBuf,
        /// What the recipe names.
        name: String,
    },
    /// It is too long.
    #[error("`{}` names `{name}`, which is longer than {MAX_BYTES} bytes", recipe.display())]
    TooLong {
        /// The recipe.
        recipe: PathBuf,
        /// The file, as the recipe names it.
        name: String,
    },
}

impl RecipeInputs {
    /// Reads the files that `recipe` names, for a source whose tree is known.
    ///
    /// # Errors
    ///
    /// When one cannot be read, is no file, is longer than 16 MiB, or is a link out of the recipe's folder.
    pub fn read(recipe: &Recipe, source: TreeDigest) -> Result<Self, InputError> {
        let script = match &recipe.system {
            System::Script { file } => Some(RecipeFile::read(recipe, file)?),
            _ => None,
        };
        let patches = recipe.patches.iter().map(|patch| RecipeFile::read(recipe, patch));
        Ok(Self { source, script, patches: patches.collect::<Result<_, _>>()? })
    }
}

impl RecipeFile {
    fn read(recipe: &Recipe, name: &str) -> Result<Self, InputError> {
        let file = || (recipe.file.clone(), name.to_owned());
        let failed = |source: io::Error| {
            let (recipe, name) = file();
            match source.kind() {
                io::ErrorKind::NotFound => InputError::Missing { recipe, name },
                _ => InputError::Io { recipe, name, source },
            }
        };
        let path = real_path(&recipe.folder, name).map_err(failed)?;
        let path = path.map_err(|target| {
            let (recipe, name) = file();
            InputError::Outside { recipe, name, target }
        })?;
        // A pipe would never end, and some devices do not either.
        if !fs_err::metadata(&path).map_err(failed)?.is_file() {
            let (recipe, name) = file();
            return Err(InputError::NotAFile { recipe, name });
        }
        let mut bytes = Vec::new();
        let opened = fs_err::File::open(&path).map_err(failed)?;
        opened.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_BYTES {
            let (recipe, name) = file();
            return Err(InputError::TooLong { recipe, name });
        }
        Ok(Self { name: name.to_owned(), digest: Digest::of(&bytes), bytes })
    }
}

/// Where `name` in `folder` really is; where it leads instead, if that is out of the folder.
fn real_path(folder: &Path, name: &str) -> io::Result<Result<PathBuf, PathBuf>> {
    let root = fs_err::canonicalize(folder)?;
    let path = fs_err::canonicalize(root.join(name))?;
    Ok(if path.starts_with(&root) { Ok(path) } else { Err(path) })
}
