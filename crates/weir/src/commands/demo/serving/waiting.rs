//! What waits for a decision in the demonstration: a release of a registry above that is held, and a promotion that others have to approve.

use weir_cedar::{SETS, find};

use super::{Stage, people};
use crate::failure::Failure;

/// Puts a registry above the one of the demonstration, by whose policy what is new there is held until curators let it in; and one that
/// takes what two others approved.
pub(super) fn leave(stage: &Stage, url: &str) -> Result<(), Failure> {
    for name in ["public", "stable"] {
        stage.quietly("", &format!("registry create {name} --policy open --server {url}"), "")?;
        stage.quietly("", &format!("registry add {name} {url}/{name} --user"), "")?;
    }
    stage.write("packages/csv/weir.toml", CSV)?;
    stage.write("packages/csv/csv.awk", AWK)?;
    stage.write("policy/open.cedar", find(&SETS, "open").map_or("", |open| open.text))?;
    stage.write("policy/cooldown.cedar", COOLDOWN)?;
    // The first comes in while nothing holds it, so that there is something to compare the second with.
    for typed in [
        "publish packages/csv --registry public".to_owned(),
        format!("registry upstream add {url}/public --mode mirror --registry demo"),
        "registry upstream follow --registry demo".to_owned(),
        "policy set policy/open.cedar policy/cooldown.cedar --registry demo".to_owned(),
    ] {
        stage.quietly("", &typed, "")?;
    }
    stage.change("packages/csv/weir.toml", "1.9.0", "2.0.0")?;
    stage.write("packages/csv/csv.awk", AWK_NEWER)?;
    stage.quietly("", "publish packages/csv --registry public", "")?;
    stage.quietly("", "registry upstream follow --registry demo", "")?;
    people::name_curators(stage, url)?;
    stage.quietly("", "policy set --built-in open --with two-approvals --registry stable", "")?;
    people::as_who_asks(stage, url, "promote acme/str@1.1.0 --registry demo --to stable")
}

/// The cooldown that comes with the program, which lets curators past.
const COOLDOWN: &str = "// What a registry above has published is admitted a week later, unless a curator looked at it.

@id(\"cooldown\")
@reason(\"it was published less than seven days ago, and only curators let it in before\")
forbid (principal, action == Action::\"admit\", resource)
unless { principal in Group::\"curators\" || (resource has published && context.now.durationSince(resource.published) >= duration(\"7d\")) };
";

const CSV: &str = "[package]\nname = \"tables/csv\"\nversion = \"1.9.0\"\nlicense = \"MIT\"\ndescription = \"Reads tables that somebody else wrote\"\n";

const AWK: &str = "BEGIN { FS = \",\" }\n\n# The first line names the columns.\nNR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; next }\n";

const AWK_NEWER: &str = "BEGIN { FPAT = \"([^,]*)|(\\\"[^\\\"]+\\\")\" }\n\n# The first line names the columns.\nNR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; next }\n\n# What stands in quotes may have commas in it.\n{ gsub(/^\\\"|\\\"$/, \"\", $1) }\n";
