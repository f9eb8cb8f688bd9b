//! Names in generated scripts. Real Bash reads back every word as it was, and runs nothing. Words are
//! separated by `ff`.

use std::collections::BTreeMap;
use std::process::Command;

use weir_bash::loader::{IndexPackage, index_script};
use weir_bash::quote::word;

const BEFORE: &str = "PATH=; __weir_root=/r; declare -A __weir_name __weir_home __weir_found __weir_needs \
                      __weir_sources __weir_settings __weir_direct\n";

pub fn check(data: &[u8]) {
    let words: Vec<&str> = data
        .split(|byte| *byte == 0xff)
        .filter_map(|bytes| std::str::from_utf8(bytes).ok())
        .filter(|word| !word.contains('\0'))
        .take(50)
        .collect();
    if words.is_empty() {
        return;
    }
    let mut script = String::from(BEFORE);
    script.push_str(&index_script(&packages(&words)));
    script.push_str("printf '%s\\0' end");
    let mut expected = b"end\0".to_vec();
    for text in words {
        script.push(' ');
        script.push_str(&word(text));
        expected.extend_from_slice(text.as_bytes());
        expected.push(0);
    }
    let place = tempfile::tempdir().unwrap();
    fs_err::write(place.path().join("script"), script).unwrap();
    let mut bash = Command::new("/bin/bash");
    let output = bash.args(["--norc", "script"]).current_dir(place.path()).env_clear().output().unwrap();
    assert_eq!(output.stdout, expected, "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs_err::read_dir(place.path()).unwrap().count(), 1, "a name became code");
}

fn packages(words: &[&str]) -> Vec<IndexPackage> {
    let package = |(number, word): (usize, &&str)| IndexPackage {
        name: (*word).into(),
        path: format!("weir_packages/{word}"),
        direct: number % 2 == 0,
        sources: vec![(*word).into(), format!("{word}.sh")],
        environment: BTreeMap::from([((*word).into(), (*word).into())]),
        options: BTreeMap::from([((*word).into(), true)]),
        shopt: BTreeMap::new(),
        dependencies: vec![number + 1, 0],
    };
    words.iter().enumerate().map(package).collect()
}

pub fn seeds() -> Vec<Vec<u8>> {
    let hostile =
        b"acme/greet\xffit's\xff$(>canary)\xff`>canary`\xff;>canary\xff\n>canary\n\xff\"\xff\\\xff'>canary'";
    let odd = b"-n\xff\xff*\xff[a]\xff~\xff!x\xff{a,b}\xffa=b\xff\r\n\xffw\xc3\xb6rld\xff]=x >canary [";
    vec![hostile.to_vec(), odd.to_vec()]
}
