//! Fills a registry's log with as many releases of Elm as the public registry had in 2026: 16,446 of 2,946 packages.
//!
//! ```text
//! elm-releases REGISTRY KEY
//! ```

use std::path::PathBuf;

use serde_json::json;
use weir_bench::{Anything, Chance, append, bare_release, record};
use weir_model::{KindName, Release, Version};

const PACKAGES: u64 = 2_946;
const RELEASES: u64 = 16_446;

fn main() -> Result<(), Anything> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [registry, key] = arguments.as_slice() else {
        return Err("usage: elm-releases REGISTRY KEY".into());
    };
    let mut chance = Chance(7);
    let mut log = Vec::new();
    for number in 0..RELEASES {
        let (package, version) = (number % PACKAGES, number / PACKAGES);
        let facts = json!({ "elm": "0.19.0 <= v < 0.20.0", "modules": ["Widget"] });
        let name = format!("author-{}/widget-{package}", package % 700).parse()?;
        let version = Version::new(1, version, 0);
        let mut release = Release {
            size: 20_000,
            unpacked: 80_000,
            files: 12,
            license: Some("BSD-3-Clause".into()),
            description: Some(format!("What the widget {package} is good for")),
            kind_facts: facts.as_object().cloned().unwrap_or_default(),
            ..bare_release(name, version, KindName::Elm, Vec::new(), &mut chance)
        };
        release.input_digest = release.compute_input_digest();
        log.push(record(release, number, &mut chance)?);
    }
    append(&PathBuf::from(registry), &PathBuf::from(key), &log)
}
