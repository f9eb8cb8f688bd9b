//! A project: what it asks for, what it uses, and the journeys between.
//!
//! Everything a command takes from the outside (where the machine keeps things, whether it is offline,
//! the time, who watches) comes in a [`Session`]; nothing here reads the environment or prints.
//! Each journey plans before it acts, and writes what others rely on last: manifest and lockfile are
//! replaced only when what they say could be resolved, fetched and laid out.
//!
//! | journey | starts in |
//! | --- | --- |
//! | install | [`install()`]: resolve, fetch, lay out, lock |
//! | publish | [`publish()`]: read, pack, upload, submit |
//! | add, remove, update | the same install, from a changed manifest |

mod admin;
mod audit;
mod bash;
mod changes;
mod closure;
mod collect;
mod connect;
mod edit;
mod error;
mod fetch;
mod files;
mod git;
mod home;
mod host;
mod import;
mod init;
mod install;
mod interrupt;
mod kinds;
mod layout;
mod local;
mod look;
mod project;
mod publish;
mod publish_git;
mod references;
mod registries;
mod repair;
mod repo;
mod resolve;
mod run;
mod session;
mod verify;
mod world;

pub use admin::{
    MadeRegistry, ShownRegistry, registry_init, registry_renew, registry_rotate_key, registry_show,
    registry_verify,
};
pub use audit::{Finding, LockAudit, Standing as LockedStanding, audit};
pub use bash::{BashCheck, Bundled, bash_bundle, bash_check, bash_test_plan};
pub use changes::{Changes, Direction, Move, ReferenceMove};
pub use collect::registry_gc;
pub use connect::{Connection, connect};
pub use edit::{AddReport, Addition, RangeChange, RemoveReport, UpdateReport, add, remove, update};
pub use error::{ExitCode, ProjectError};
pub use home::Home;
pub use host::platform as host_platform;
pub use import::{ImportedPackage, NewPackage, import};
pub use init::{InitReport, NewProject, init};
pub use install::{InstallOptions, InstallReport, LockReport, install, installed, lock};
pub use interrupt::Interrupt;
pub use kinds::{KINDS, kind};
pub use look::{
    InfoReport, Installed, Outdated, SearchReport, TreeNode, dependency_tree, info, list, outdated, search,
    why,
};
pub use project::Project;
pub use publish::{
    PackReport, PublishOptions, PublishReport, Standing, batch, pack, preview, publish, submit,
};
pub use publish_git::{GitPublication, publish_from_git};
pub use registries::{KnownRegistry, registries, registry_add, registry_remove};
pub use repair::store_repair;
pub use repo::{
    BuildEvidence, BuildReport, BuiltPackage, CheckReport, Checked, FailedBuild, How, ImportedRecipe,
    ImportedRecipes, PackageStanding, Repo, RepoOptions, RepoPlan, RepoReport, StatusLine, SysrootReport,
    build_log, build_provenance, repo_import, repo_verify, sysroot_create,
};
pub use run::{RunPlan, commands, environment, global_environment, run_plan};
pub use session::{Event, Observer, PlannedBuild, Session, Unobserved};
pub use verify::{VerifyReport, describe as describe_broken, verify};
