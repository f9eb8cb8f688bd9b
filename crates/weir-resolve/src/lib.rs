//! From requirements and a view to a resolution, or to an explanation.
//!
//! Two ways of resolving live side by side, chosen by the kind of each package:
//!
//! * **unified** kinds (`elm`, `native`) have one release a name in a closure: the PubGrub
//!   algorithm finds a set of releases, or proves that there is none;
//! * **isolated** kinds (`bash`, `data`, `generic`) may stand side by side in several versions:
//!   a requirement takes the newest release in range, and below it stands what was baked.
//!
//! Where the two meet, what isolated releases need of a unified package is required by whoever brings
//! them along: by the project, or by the unified release that the solver considers. Each need of an
//! isolated package takes what it prefers, whatever the solver chooses, so one search settles everything.
//! Only where that leads nowhere are other releases of isolated packages tried, each need on its own, in
//! a search over everything; the explanation stays that of what was preferred.
//!
//! Nothing here does I/O: a [`View`] answers from wherever it likes. A [`Resolver`] keeps what it
//! learned between requests. Answers are deterministic, and a lockfile resolves to itself.

mod catalogue;
mod explain;
mod fallback;
mod greedy;
mod preferred;
mod ranks;
mod request;
mod resolution;
mod resolver;
mod unified;
mod view;
mod walk;

pub use explain::{
    Clash, Conclusion, Explanation, Listed, Reason, Releases, Shortage, Step, Suggestion, Verdict,
};
pub use request::{Fixed, Here, Lock, Origin, Override, Replacement, Requirement, Settings, SettingsError};
pub use resolution::{Edge, Node, Resolution, Source};
pub use resolver::{Request, ResolveError, Resolver};
pub use view::{Candidate, Candidates, View};
