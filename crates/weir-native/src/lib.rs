//! The kind `native`: recipes that build C and C++ packages, the sysroots that built ones are laid into,
//! and what is inside their binaries.
//!
//! It plans and reads, and runs nothing: building is the job of `weir-build`.

mod facts;
mod recipe;
mod variant;

pub use facts::{NativeFacts, PREFIX, VariantFacts};
pub use recipe::{BuildLimits, Recipe, SourceSpec, System};
pub use variant::{Variant, VariantError};
