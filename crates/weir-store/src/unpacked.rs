//! Referenced archives, unpacked: a tree derived from a file.

use weir_model::{Digest, InputDigest, Sha256};
use weir_tree::{ImportError, ImportOptions, Strip, import_archive};

use crate::derived::{Ingredient, Making};
use crate::error::{EnsureError, StoreError};
use crate::export::Missing;
use crate::readers::Readers;
use crate::session::Session;
use crate::tree::StoredTree;

impl Session {
    /// The tree in an archive that is in the store as a file, unpacked if it was not before.
    ///
    /// # Errors
    ///
    /// When the file is not in the store, is no archive, or holds something that may not be unpacked; or when the
    /// store cannot be written.
    pub fn ensure_unpacked(
        &self,
        file: &Sha256,
        options: &ImportOptions,
    ) -> Result<StoredTree, EnsureError<ImportError>> {
        let making = Making { inputs: inputs(file, options.strip), from: &[Ingredient::File(*file)] };
        let readers = Readers::of(&self.store().layout().file(file));
        self.derive(&making, readers, |folder| {
            let Some(archive) = self.file(file)? else {
                let missing = Missing { files: vec![*file], ..Missing::default() };
                return Err(StoreError::Missing { missing }.into());
            };
            let report = import_archive(archive.path(), folder, options).map_err(EnsureError::Source)?;
            Ok(report.manifest)
        })
    }
}

/// What decides what comes out. The number is raised when the rules of importing change.
fn inputs(file: &Sha256, strip: Strip) -> InputDigest {
    let strip = match strip {
        Strip::None => "none".to_owned(),
        Strip::SingleFolder => "single-folder".to_owned(),
        Strip::Parts(parts) => format!("parts {parts}"),
    };
    Digest::of(format!("weir-unpacked v1\nfile {file}\nstrip {strip}\n"))
}
