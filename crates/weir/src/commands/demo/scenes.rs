//! What is played.

use super::Stage;
use crate::failure::Failure;

const DONE: i32 = 0;
const INTEGRITY: i32 = 6;

pub(super) fn play(stage: &Stage) -> Result<(), Failure> {
    stage.say("A demonstration of Weir, in a temporary folder and with a home of its own.")?;
    a_registry(stage)?;
    packages(stage)?;
    a_project(stage)?;
    a_new_version(stage)?;
    without_the_registry(stage)?;
    broken_store(stage)?;
    broken_registry(stage)?;
    stage.scene("Where to look next")?;
    stage.say("  weir init            begin a project of your own")?;
    stage.say("  weir help            all commands, in groups")?;
    stage.say("  weir help COMMAND    one command, with examples")
}

fn a_registry(stage: &Stage) -> Result<(), Failure> {
    stage.scene("1. A registry is a folder. Its index is a signed log that only grows.")?;
    stage.weir("", "registry init registry --name demo --default", DONE)
}

fn packages(stage: &Stage) -> Result<(), Failure> {
    stage.scene("2. Three packages that need each other, published together or not at all.")?;
    stage.write(
        "packages/str/weir.toml",
        "[package]\nname = \"acme/str\"\nversion = \"1.0.0\"\nlicense = \"MIT\"\n\
         description = \"Strings, trimmed and padded\"\n",
    )?;
    stage.write("packages/str/str.txt", "trim\npad\n")?;
    stage.write(
        "packages/names/weir.toml",
        "[package]\nname = \"acme/names\"\nversion = \"2026.1.0\"\nkind = \"data\"\nlicense = \"CC0-1.0\"\n\
         description = \"Names of people to greet\"\n",
    )?;
    stage.write("packages/names/names.txt", "Ann\nBob\n")?;
    stage.write(
        "packages/greet/weir.toml",
        "[package]\nname = \"acme/greet\"\nversion = \"1.0.0\"\nlicense = \"MIT\"\n\
         description = \"Greets people\"\n\n[dependencies]\n\"acme/str\" = \"^1.0\"\n\
         \"acme/names\" = { range = \">=2026\", fluid = true }\n",
    )?;
    stage.write("packages/greet/greeting.txt", "Hello\n")?;
    stage.weir("packages", "publish str names greet", DONE)?;
    stage.say("\n  What `acme/greet` needs of `acme/str` is fixed now; `acme/names` is fluid and may move.")
}

fn a_project(stage: &Stage) -> Result<(), Failure> {
    stage.scene("3. A project uses them.")?;
    stage.weir("", "init app", DONE)?;
    stage.weir("app", "add acme/greet", DONE)?;
    stage.weir("app", "tree", DONE)
}

fn a_new_version(stage: &Stage) -> Result<(), Failure> {
    stage.scene("4. New versions appear.")?;
    stage.change("packages/names/weir.toml", "2026.1.0", "2026.2.0")?;
    stage.write("packages/names/names.txt", "Ann\nBob\nCyd\n")?;
    stage.change("packages/greet/weir.toml", "1.0.0", "1.1.0")?;
    stage.write("packages/greet/greeting.txt", "Good morning\n")?;
    stage.weir("packages", "publish names greet", DONE)?;
    stage.weir("app", "outdated", DONE)?;
    stage.weir("app", "update", DONE)
}

fn without_the_registry(stage: &Stage) -> Result<(), Failure> {
    stage.scene("5. What is here needs no registry and no network.")?;
    stage.remove("app/weir_packages")?;
    stage.weir("app", "install --locked --offline", DONE)
}

fn broken_store(stage: &Stage) -> Result<(), Failure> {
    stage.scene("6. Somebody changes an installed file. Weir notices, and mends it.")?;
    stage.break_file("app/weir_packages/packages/acme/greet/greeting.txt")?;
    stage.weir("app", "verify", INTEGRITY)?;
    stage.weir("app", "store repair", DONE)?;
    stage.weir("app", "verify", DONE)
}

fn broken_registry(stage: &Stage) -> Result<(), Failure> {
    stage.scene("7. Somebody rewrites the registry's history. Everybody who knew it notices.")?;
    stage.break_file("registry/tile/entries/000.p/7")?;
    stage.weir("", "registry verify demo", INTEGRITY)
}
