//! Shell files: parsing, renaming, checking, bundling. Any bytes end in bounded time, and a file
//! in which nothing is renamed comes back as it was, but for `-g`. Files are separated by `ff`.

use std::collections::BTreeMap;

use weir_bash::bundle::{BundledPackage, bundle};
use weir_bash::manifest::BashManifest;
use weir_bash::rename::{Dependency, Exports, SourceFile, Subject, rename};

const NAMES: [&str; 4] = ["pkg/lib/a.sh", "pkg/lib/b.bash", "bin/tool", "tests/t.bats"];

pub fn check(data: &[u8]) {
    let files: Vec<SourceFile> = data
        .split(|byte| *byte == 0xff)
        .zip(NAMES)
        .map(|(bytes, path)| SourceFile { path: path.into(), bytes: bytes.to_vec() })
        .collect();
    let names = BTreeMap::from([("dep.say".to_owned(), "dep_1_0_0.say".to_owned())]);
    let dependency = Dependency {
        name: "acme/dep".into(),
        slugs: vec!["dep".into()],
        mark: Some("1_0_0".into()),
        exports: Exports { functions: names, variables: BTreeMap::new() },
        under_test: false,
    };
    let subject = Subject { slugs: vec!["core".into()], mark: Some("2_0_0".into()), ..Subject::default() };
    let output = rename(files.clone(), &subject, std::slice::from_ref(&dependency));
    assert_eq!(output.files.len(), files.len());

    let stranger = Subject { slugs: vec!["no_such_slug_anywhere".into()], ..Subject::default() };
    let untouched = rename(files.clone(), &stranger, &[]);
    for (before, after) in files.iter().zip(&untouched.files) {
        // A `declare` outside functions becomes `declare -g`, because packages are loaded by a function.
        let text = |file: &SourceFile| String::from_utf8_lossy(&file.bytes).replace(" -g", "");
        assert_eq!(text(before), text(after), "nothing was to be renamed in {}", before.path);
    }
    let manifest = BashManifest { slugs: vec!["core".into()], ..BashManifest::default() };
    let _ = weir_bash::check::check(&manifest, "2.0.0", &[], &files, &[dependency]);
    if let Some((entry, rest)) = output.files.split_first() {
        let package = BundledPackage {
            name: "acme/core".into(),
            version: "2.0.0".into(),
            manifest,
            files: rest.to_vec(),
        };
        let _ = bundle(entry, &[package]);
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let library = br#"#!/usr/bin/env bash
declare -gA ___core_state___=()
core.init() { local -n ref=$1; ref=${2:-x}; ___core_state___[a]=$ref; }
function core.print { printf '%s\n' "${1}" "$(core.init y)"; dep.say "$1"; }
core.trap() { trap "core.private_${1}" EXIT; eval "core.print \"$1\""; type core.print >/dev/null; }
cat <<HERE
core.print ${___core_state___[a]} $(core.print z)
HERE
case $1 in core.print) "core.${1}_x" ;; *) : ;; esac
export -f core.print; declare -f core.init; printf -v core_v '%s' "${x/core/dep}"
"#;
    let caller = b"source a.sh\nweir.load acme/core\ncore.init v 'it'\\''s'\r\nif core.print a; then core.trap b; fi\n";
    let bats =
        b"setup() { load ../a.sh; }\n@test \"prints\" {\n  run core.print x\n  [ \"$output\" = x ]\n}\n";
    let whole = [&library[..], caller, library, bats].join(&0xff);
    vec![whole, b"core.a() { :; }; core.a".to_vec(), b"core.a() {".to_vec()]
}
