//! The kind `native`: recipes that build C and C++ packages, the sysroots that built ones are laid into,
//! and what is inside their binaries.
//!
//! It plans and reads, and runs nothing: building is the job of `weir-build`.

pub mod bacpack;
mod consumer;
mod elf;
mod facts;
mod finding;
mod kind;
mod machine;
mod recipe;
mod recipe_set;
pub mod relocate;
pub mod sysroot;
mod variant;

pub use elf::{Elf, ElfError};
pub use facts::{NativeFacts, PREFIX, VariantFacts};
pub use finding::{Finding, Level};
pub use kind::Native;
pub use recipe::check::git_address as check_git_address;
pub use recipe::{
    BuildLimits, InputError, Recipe, RecipeError, RecipeFile, RecipeInputs, Settings, SourceSpec, System,
};
pub use recipe_set::{
    RecipeSet, RecipeSetError, RecipeSetForm, RecipeSetOptions, RecipeSetProblem, UnknownRecipe,
};
pub use relocate::{BuildPlaces, CaptureError, Captured};
pub use sysroot::{Clash, Part, SysrootError};
pub use variant::{Variant, VariantError};
