//! Policy sets in [Cedar](https://www.cedarpolicy.com): read from a registry's folder, checked against the schema of what a
//! policy can ask, decided by, and explained.
//!
//! * [`PolicyFiles`] are the files of a set, as bytes that a stranger may have written: bounded, and with one digest.
//! * A [`PolicySet`] is what they say. It is never half of it: a set with a mistake is no set, and every [`Problem`] of it says
//!   where it is.
//! * [`PolicySet::decide`] answers a request, [`PolicySet::explain`] also says what every rule that mattered did, and, when none
//!   permitted, which came closest and what of it was not so.
//! * A [`TestedSet`] is one that passes the cases beside it: no other is put in force.
//! * [`FolderPolicies`] is the gate of a registry in a folder: it follows what the log says is in force.
//!
//! What Cedar cannot evaluate is refused: a rule that fails must not be as good as one that is not there.

mod ask;
mod behind_server;
mod bounds;
mod built_in;
mod cases;
mod clauses;
mod explain;
mod files;
mod gate;
mod groups;
mod mentioned;
mod problem;
mod schema;
mod set;
mod tested;

pub use ask::{Facts, Question};
pub use behind_server::behind_server;
pub use built_in::{BuiltIn, FOLDER, Part, RULES, SETS, find};
pub use cases::{Case, CaseResult, Cases, MAX_CASES};
pub use explain::{Clause, Explanation, Near, Ruled};
pub use files::{GROUPS_FILE, MAX_FILE, MAX_FILES, MAX_TOTAL, POLICY_FOLDER, PolicyFile, PolicyFiles};
pub use gate::FolderPolicies;
pub use groups::Groups;
pub use problem::{PolicyError, Problem};
pub use schema::SCHEMA;
pub use set::{Effect, MAX_RULES, PolicySet, Rule};
pub use tested::{TestError, TestedSet};
