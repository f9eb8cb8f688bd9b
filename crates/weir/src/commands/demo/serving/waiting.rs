//! What waits for a decision in the demonstration: a release of a registry above that is held, and a promotion that others have to approve.

use super::Stage;
use crate::failure::Failure;

/// Puts a registry above the one of the demonstration, by whose policy what is new there is held; and one that takes what two others
/// approved.
pub(super) fn leave(stage: &Stage, url: &str) -> Result<(), Failure> {
    for name in ["public", "stable"] {
        stage.quietly("", &format!("registry create {name} --policy open --server {url}"), "")?;
        stage.quietly("", &format!("registry add {name} {url}/{name} --user"), "")?;
    }
    stage.write("packages/csv/weir.toml", CSV)?;
    stage.write("packages/csv/csv.awk", "BEGIN { FS = \",\" }\n")?;
    for typed in [
        "publish packages/csv --registry public".to_owned(),
        "policy set --built-in open --with cooldown --registry demo".to_owned(),
        format!("registry upstream add {url}/public --mode mirror --registry demo"),
        "registry upstream follow --registry demo".to_owned(),
        "policy set --built-in open --with two-approvals --registry stable".to_owned(),
        "promote acme/str@1.1.0 --registry demo --to stable".to_owned(),
    ] {
        stage.quietly("", &typed, "")?;
    }
    Ok(())
}

const CSV: &str = "[package]\nname = \"tables/csv\"\nversion = \"2.0.0\"\nlicense = \"MIT\"\ndescription = \"Reads tables that somebody else wrote\"\n";
