//! Building packages from recipes: what to build and in which order, each in a sandbox against exactly what
//! it declares, many at once.
//!
//! It knows no registry: what is offered comes as plain data, and what was built is a folder.

mod plan;
mod schedule;

pub use plan::{
    Candidate, CandidateDependency, Change, Leaving, Offered, On, Plan, PlanError, Reason, Recipes, Request,
    Standing, Step, StepDependency, Unmet, Untouched, VersionChange, World, plan,
};
pub use schedule::{Outcome, ScheduleOptions, jobs_for, run};
