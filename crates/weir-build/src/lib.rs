//! Building packages from recipes: what to build and in which order, each in a sandbox against exactly what
//! it declares, many at once.
//!
//! It knows no registry: what is offered comes as plain data, and what was built is a folder.

mod build;
mod cgroup;
mod debootstrap;
mod differ;
mod limits;
mod log;
pub mod oci;
mod plan;
mod processes;
mod provenance;
mod room;
mod root;
mod sandbox;
mod schedule;
mod scratch;
mod source_copy;
mod steps;
mod toolchain;
mod unused;
mod wrappers;

pub use build::{BuildError, BuildEvent, Built, Failure, FailureReason, Job, PhaseTime, build};
pub use debootstrap::{DebootstrapError, debootstrap};
pub use differ::{Cause, Content, Difference, How, different};
pub use limits::Limit;
pub use plan::{
    BuildStep, Candidate, CandidateDependency, Change, Leaving, Offered, On, Plan, PlanError, PlanReason,
    PlanRequest, Recipes, StayReason, StepDependency, Unmet, Untouched, VersionChange, Whole, World, plan,
};
pub use processes::end_uncontained;
pub use provenance::{BUILD_TYPE, ProvenanceError, ProvenanceFacts, ProvenancePackage, provenance};
pub use root::{BuildRoot, RootError};
pub use sandbox::{Sandbox, SandboxError, SandboxKind};
pub use schedule::{Outcome, ScheduleOptions, jobs_for, run};
pub use scratch::remove as remove_scratch;
pub use steps::{NameProblem, Phase};
pub use toolchain::Toolchain;
