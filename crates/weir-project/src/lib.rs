//! A project: what it asks for, what it uses, and the journeys between.
//!
//! Everything a command takes from the outside (where the machine keeps things, whether it is offline,
//! the time, who watches) comes in a [`weir_reach::Session`]; nothing here reads the environment or prints.
//! Each journey plans before it acts, and writes what others rely on last: manifest and lockfile are
//! replaced only when what they say could be resolved, fetched and laid out.
//!
//! | journey | starts in |
//! | --- | --- |
//! | install | [`install()`]: resolve, fetch, lay out, lock |
//! | publish | [`publish()`]: read, pack, upload, submit |
//! | add, remove, update | the same install, from a changed manifest |

mod advisories;
mod audit;
mod bash;
mod belongs;
mod changes;
mod choose;
mod closure;
mod downloads;
mod edit;
mod elm;
mod elm_diff;
mod elm_docs;
mod elm_rebuild;
mod error;
pub mod fetch;
mod files;
mod fits;
mod impact;
mod import;
mod init;
mod install;
mod layout;
mod local;
mod look;
mod moving;
mod named;
mod outdated;
mod outside;
mod own;
mod platforms;
mod prefetch;
mod project;
mod publish;
mod publish_git;
mod quarantined;
pub mod references;
mod registries;
mod repair;
mod resolve;
mod retention;
mod run;
mod storage;
mod tools;
mod verify;
mod world;

pub use advisories::{
    AdvisedRelease, AffectedRelease, ImportedAdvisories, KnownAgainst, RegistryAdvisories, ShownAdvisory,
    advisory_import, advisory_list, advisory_show,
};
pub use audit::{Finding, LockAudit, LockedStanding, audit};
pub use bash::{BashCheck, Bundled, bash_bundle, bash_check, bash_test_plan};
pub use changes::{Changes, Direction, Move, ReferenceMove};
pub use downloads::downloads;
pub use edit::{
    AddReport, Addition, PassedOver, RangeChange, RemoveReport, UpdateReport, add, remove, update,
};
pub use elm::{ElmOnline, elm_compiler, with_npm};
pub use elm_diff::{ElmDiff, ElmSide, elm_diff};
pub use elm_rebuild::{
    BrokenModule, Mistake, Rebuild, RebuildOptions, RebuildOutcome, RebuiltApplication, UntriedApplication,
    elm_rebuild,
};
pub use error::{ProjectError, ReferenceProblem};
pub use impact::{Affected, ImpactReport, affected, impact};
pub use import::{ImportedPackage, NewPackage, import};
pub use init::{InitReport, NewProject, init};
pub use install::{InstallOptions, InstallReport, LockReport, install, installed, lock};
pub use look::{
    AboveReport, Info, InfoReport, Installed, SearchReport, TreeNode, dependency_tree, info, list,
    offered_names, search, why,
};
pub use moving::Moving;
pub use outdated::{Held, Hold, Outdated, OutdatedPackages, outdated};
pub use outside::{MovedOutside, MovedReference, MovedTag};
pub use prefetch::{PrefetchOptions, PrefetchReport, Prefetched, prefetch};
pub use project::Project;
pub use publish::{
    PackReport, PublishOptions, PublishReport, batch, pack, preview, publish, submit, write_pack,
};
pub use publish_git::{GitPublication, publish_from_git};
pub use quarantined::warn_of_quarantined;
pub use registries::{registry_add, registry_remove};
pub use repair::store_repair;
pub use resolve::{PlannedLock, resolve};
pub use retention::{ReleaseFate, RetentionReport, retain, retention};
pub use run::{
    RunPlan, check_commands, commands, completions, environment, global_environment, run_plan, warn_of_path,
};
pub use storage::storage;
pub use verify::{VerifyReport, describe as describe_broken, verify};
