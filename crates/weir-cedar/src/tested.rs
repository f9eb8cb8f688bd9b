//! What is checked of a set before it is put in force, wherever that is done.

use weir_model::descriptor::PolicySummary;
use weir_policy::{Caller, Decision, Request, Verb};

use crate::cases::{CaseResult, Cases};
use crate::files::PolicyFiles;
use crate::problem::PolicyError;
use crate::set::PolicySet;

/// A set that decides as the cases beside it say.
#[derive(Debug)]
pub struct TestedSet {
    set: PolicySet,
    cases: usize,
}

/// Why files are none.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// They are no set, or have cases that cannot be read.
    #[error(transparent)]
    Files(#[from] PolicyError),
    /// It decides otherwise than cases say.
    #[error("the set does not decide as its cases say: {}", names(failed))]
    Cases {
        /// The cases that fail.
        failed: Vec<CaseResult>,
    },
}

impl TestedSet {
    /// Reads a set and has it decide its cases.
    ///
    /// # Errors
    ///
    /// When the files are no set, or a case comes out otherwise than it must.
    pub fn new(files: &PolicyFiles) -> Result<Self, TestError> {
        let set = PolicySet::new(files)?;
        let cases = Cases::read(files)?.run(&set);
        let count = cases.len();
        let failed: Vec<CaseResult> = cases.into_iter().filter(|case| !case.passed).collect();
        match failed.is_empty() {
            true => Ok(Self { set, cases: count }),
            false => Err(TestError::Cases { failed }),
        }
    }

    /// The set.
    pub fn set(&self) -> &PolicySet {
        &self.set
    }

    /// The set, to be decided by.
    pub fn into_set(self) -> PolicySet {
        self.set
    }

    /// How many cases it passes.
    pub fn cases(&self) -> usize {
        self.cases
    }

    /// What a registry's descriptor says of it.
    pub fn summary(&self) -> PolicySummary {
        PolicySummary { digest: *self.set.digest(), summary: self.set.summary() }
    }

    /// Whether `caller` could change it again: a set by which they could not is a mistake more often than a wish.
    pub fn can_be_changed_by(&self, caller: &Caller) -> Decision {
        self.set.decide(&Request::of_registry(caller, Verb::Govern))
    }
}

fn names(cases: &[CaseResult]) -> String {
    cases.iter().map(|case| case.name.as_str()).collect::<Vec<_>>().join(", ")
}
