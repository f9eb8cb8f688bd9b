//! Building: repositories of built packages, and the roots and sandboxes they are built in.

use std::ops::Range;
use std::path::Path;

use weir_build::oci::OciError;
use weir_build::{DebootstrapError, RootError, SandboxError};
use weir_model::causes;
use weir_native::{RecipeSetError, SysrootError};
use weir_repo::RepoError;
use weir_resolve::Explanation;

use super::{Builds, Exit, Verdict};

impl Verdict for RepoError {
    fn exit(&self) -> Exit {
        match self {
            Self::Interrupted => Exit::Interrupted,
            Self::BuildsFailed { .. } | Self::NoneToBuild { .. } => Exit::BuildFailed,
            Self::SourceOutside { .. } => Exit::Refused,
            Self::Plan { .. } => Exit::NoResolution,
            Self::Usage(_) => Exit::Usage,
            Self::SourceChanged { .. } => Exit::Integrity,
            Self::Overtaken(_) => Exit::Conflict,
            Self::UnknownRecipe(_)
            | Self::NotOffered { .. }
            | Self::NotFound(_)
            | Self::Recipes(RecipeSetError::NotARecipeSet { .. }) => Exit::NotFound,
            Self::InTheWay { .. } | Self::Sysroot(_) => Exit::Conflict,
            Self::Root(error) => error.exit(),
            Self::Sandbox(error) => error.exit(),
            Self::Offline(error) => error.exit(),
            Self::Repository(error) => error.exit(),
            Self::Reach(error) => error.exit(),
            Self::Project(error) => error.exit(),
            Self::Store(error) => error.exit(),
            Self::Tree(error) => error.exit(),
            Self::Package(error) => error.exit(),
            Self::Submit(error) => error.exit(),
            Self::Content(error) => error.exit(),
            Self::Source(error) => error.exit(),
            Self::Io(error) => error.exit(),
            Self::Recipes(_) | Self::RecipeInput(_) | Self::Index(_) => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Plan { help, .. } | Self::NotOffered { help, .. } => help.clone(),
            Self::Recipes(RecipeSetError::NotARecipeSet { .. }) => {
                Some("name the folder with the recipes: `--recipes FOLDER`".into())
            }
            Self::BuildsFailed { offered, .. } if !offered.is_empty() => Some(format!(
                "{} of the plan {} offered; run the same command again when the rest is mended",
                offered.len(),
                if offered.len() == 1 { "is" } else { "are" }
            )),
            Self::Overtaken(_) => Some("run it again: it plans on what the registry is now".into()),
            Self::BuildsFailed { .. } => Some(
                "the registry is as it was; run the same command again when it is mended: what was built is kept"
                    .into(),
            ),
            Self::SourceOutside { .. } => Some(
                "if it is meant to be, say so: `--sources-anywhere`; if the recipes are a stranger's, ask why they want it"
                    .into(),
            ),
            Self::SourceChanged { .. } => Some(
                "an archive or a tag must not change: ask why it did; if the new content is right, give it another version"
                    .into(),
            ),
            Self::InTheWay { .. } => Some("move it away: nothing is replaced but what weir made".into()),
            Self::Root(error) => Verdict::help(error),
            Self::Sandbox(error) => Verdict::help(error),
            Self::Sysroot(error) => SysrootError::help(error),
            Self::Offline(error) => error.help(),
            Self::Repository(error) => error.help(),
            Self::Reach(error) => error.help(),
            Self::Project(error) => error.help(),
            Self::Submit(error) => error.help(),
            Self::Source(error) => error.help(),
            _ => None,
        }
    }

    fn place(&self) -> Option<(&Path, &str, Range<usize>)> {
        match self {
            Self::Project(error) => error.place(),
            _ => None,
        }
    }

    fn explanation(&self) -> Option<&Explanation> {
        match self {
            Self::Project(error) => error.explanation(),
            _ => None,
        }
    }

    fn builds(&self) -> Option<Builds> {
        let Self::BuildsFailed { failed, skipped, built, offered } = self else { return None };
        let (failed, skipped, offered) = (failed.clone(), skipped.clone(), offered.clone());
        Some(Builds { failed, skipped, built: *built, offered })
    }
}

impl Verdict for RootError {
    fn exit(&self) -> Exit {
        match self {
            Self::NotARoot { .. } | Self::NoFolder { .. } | Self::NoCompiler { .. } => Exit::NotFound,
            _ => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        Self::help(self).map(str::to_owned)
    }
}

impl Verdict for SandboxError {
    fn exit(&self) -> Exit {
        Exit::Failed
    }

    fn help(&self) -> Option<String> {
        Some(Self::help(self).into())
    }
}

impl Verdict for DebootstrapError {
    fn exit(&self) -> Exit {
        match self {
            Self::Exists { .. } => Exit::Conflict,
            Self::Missing => Exit::NotFound,
            Self::NotRoot => Exit::Refused,
            Self::Name { .. } => Exit::Usage,
            _ => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        Self::help(self).map(str::to_owned)
    }

    fn because(&self) -> Vec<String> {
        match self {
            Self::Failed { tail } if !tail.is_empty() => vec![tail.join("\n")],
            error => causes(error),
        }
    }
}

impl Verdict for OciError {
    fn exit(&self) -> Exit {
        match self {
            Self::Exists { .. } => Exit::Conflict,
            Self::NoLayout { .. } | Self::NoImage { .. } => Exit::NotFound,
            Self::Damaged { .. } => Exit::Integrity,
            _ => Exit::Failed,
        }
    }

    fn help(&self) -> Option<String> {
        Self::help(self).map(str::to_owned)
    }
}
