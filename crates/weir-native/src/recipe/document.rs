//! The document of a recipe: everything of it that decides what comes out, as canonical JSON.
//!
//! ```json
//! {"format":1,
//!  "patches":["sha256:…"],
//!  "script":null,
//!  "source":{"tree":"blake3:…"},
//!  "subfolder":null,
//!  "system":"cmake",
//!  "system-libraries":[],
//!  "targets":[],
//!  "variants":{"debug":{"defines":{},"environment":{}},"release":{"defines":{},"environment":{}}}}
//! ```
//!
//! Its SHA-256 is the recipe among a release's inputs. Name, version and dependencies are among them anyway; where
//! the source was fetched from, and what a build may use, do not decide what comes out. Settings stand as they
//! are for each variant, so that two spellings of one recipe have one document.
//! `vectors/recipes.json` holds examples.

use std::collections::BTreeMap;

use serde::Serialize;
use weir_model::canonical::canonical_json;
use weir_model::{Sha256, TreeDigest};

use super::{Recipe, RecipeInputs, Settings, System};

/// Raised when the same document would be built in another way.
const FORMAT: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Document<'a> {
    format: u32,
    patches: Vec<Sha256>,
    script: Option<Sha256>,
    source: SourceTree,
    subfolder: Option<&'a str>,
    system: &'a str,
    system_libraries: &'a [String],
    targets: &'a [String],
    variants: BTreeMap<&'static str, OfVariant>,
}

#[derive(Serialize)]
struct SourceTree {
    tree: TreeDigest,
}

#[derive(Serialize)]
struct OfVariant {
    defines: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
}

impl Recipe {
    /// Everything that decides what comes out, as canonical JSON; its digest is the recipe's.
    ///
    /// `inputs` are those of this recipe, from [`RecipeInputs::read`].
    pub fn document(&self, inputs: &RecipeInputs) -> Vec<u8> {
        let variants = self.variants.iter().map(|variant| {
            let Settings { defines, environment } = self.settings(*variant);
            (variant.as_str(), OfVariant { defines, environment })
        });
        let document = Document {
            format: FORMAT,
            patches: inputs.patches.iter().map(|patch| patch.digest).collect(),
            script: inputs.script.as_ref().map(|script| script.digest),
            source: SourceTree { tree: inputs.source },
            subfolder: self.subfolder.as_deref(),
            system: self.system.as_str(),
            system_libraries: &self.system_libraries,
            targets: match &self.system {
                System::Make { targets } => targets,
                _ => &[],
            },
            variants: variants.collect(),
        };
        canonical_json(&document)
            .expect("names of settings are ASCII, and no number is a fraction")
            .into_bytes()
    }
}
