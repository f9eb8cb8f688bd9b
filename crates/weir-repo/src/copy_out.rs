//! Handing out what was built, as files that belong to whoever asked.

use std::path::Path;

use crate::Repo;
use crate::build::BuiltPackage;
use crate::error::RepoError;
use crate::plan::RepoPlan;

impl Repo<'_> {
    /// Copies what a package of a plan installs, a folder for each variant, into `folder`, where it can be changed.
    /// Text files name the place they were built for, [`PREFIX`](weir_native::PREFIX), as they do in a release.
    ///
    /// # Errors
    ///
    /// When something is in the folder already, or the package cannot be had or written.
    pub fn copy_out(&self, plan: &RepoPlan, built: &BuiltPackage, folder: &Path) -> Result<(), RepoError> {
        if fs_err::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(RepoError::InTheWay { path: folder.to_owned() });
        }
        let missing = || RepoError::NotFound(format!("the plan does not build `{}`", built.id));
        let step = plan.plan.builds.iter().position(|step| step.id == built.id).ok_or_else(missing)?;
        let stored = self.workbench().product(plan, step, built)?;
        match fs_err::remove_dir(folder) {
            // An empty folder makes room for the copy; one that is not there is as well.
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        if let Some(parent) = folder.parent() {
            fs_err::create_dir_all(parent)?;
        }
        Ok(weir_tree::copy_tree(stored.path(), &self.store.manifest(&built.tree)?, folder)?)
    }
}
