use super::edit::Editor;
use super::{Manifest, Source};
use crate::{KindName, Scope};

fn error(text: &str) -> String {
    let error = Manifest::parse(text).unwrap_err();
    match error.help {
        Some(help) => format!("{}: {} ({help})", error.line, error.message),
        None => format!("{}: {}", error.line, error.message),
    }
}

const FULL: &str = r#"
[package]
name = "acme/greet"      # who
version = "1.2.0"
kind = "bash"

[dependencies]
"acme/str" = "^1.4"      # strings
"acme/tty" = { range = "1", fluid = true, registry = "org" }
"acme/near" = { path = "../near" }
"acme/far" = { git = "https://host.example/far.git", tag = "v0.3.0" }

[dev-dependencies]
"acme/check" = "*"

[references.corpus]
url = "https://host.example/corpus.tar.gz"
sha256 = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
size = 10

[registries]
org = "https://weir.example/org"
"#;

#[test]
fn a_manifest_says_what_it_needs_from_where_and_on_which_line() {
    let manifest = Manifest::parse(FULL).unwrap();
    assert_eq!(manifest.package.kind, KindName::Bash);
    let lines: Vec<_> = manifest.dependencies.iter().map(|d| (d.name.to_string(), d.line, d.scope)).collect();
    assert_eq!(lines[0], ("acme/str".into(), 8, Scope::Run));
    assert_eq!(lines[4], ("acme/check".into(), 14, Scope::Dev));
    assert!(manifest.dependencies[1].fluid);
    assert_eq!(manifest.dependencies[2].source, Source::Path("../near".into()));
    assert_eq!(manifest.dependencies[3].range.to_string(), "=0.3.0");
    assert_eq!(manifest.references[0].size, Some(10));
}

#[test]
fn a_mistyped_word_is_named_with_its_line_and_the_nearest_known_one() {
    assert_eq!(
        error("[package]\nlicence = \"MIT\"\n"),
        "2: unknown field `licence` in `[package]` (did you mean `license`?)"
    );
    assert_eq!(
        error("[dependancies]\n"),
        "1: unknown field `dependancies` in the manifest (did you mean `dependencies`?)"
    );
    assert_eq!(
        error("[package]\nkind = \"bsh\"\n"),
        "2: `bsh` is not a kind of package: did you mean `bash`?"
    );
}

#[test]
fn what_does_not_fit_together_is_refused() {
    assert_eq!(
        error("[dependencies]\nstr = \"1\"\n"),
        "2: `str` is not a package name: expected `owner/name`"
    );
    assert_eq!(
        error("[dependencies]\n\"a/b\" = { git = \"x\" }\n"),
        "2: a dependency from `git` needs a `tag`"
    );
    assert!(error("[references.x]\nurl = \"u\"\n").contains("needs a `sha256`"));
    assert!(error("[package]\ndescription = \"a\\u001b[31mb\"\n").contains("a terminal would obey"));
    assert!(error("[package\n").starts_with("1: "));
}

#[test]
fn an_edit_keeps_comments_and_order() {
    let mut editor = Editor::new(FULL).unwrap();
    let str_name = "acme/str".parse().unwrap();
    assert!(editor.set_range(&str_name, Scope::Run, &"^2".parse().unwrap()));
    assert!(editor.set_range(&"acme/tty".parse().unwrap(), Scope::Run, &"^3".parse().unwrap()));
    assert!(editor.remove_dependency(&"acme/near".parse().unwrap()));
    assert!(!editor.remove_dependency(&"acme/none".parse().unwrap()));
    assert!(!editor.remove_reference("none"));
    let expected = FULL
        .replace("\"^1.4\"      # strings", "\"^2\"      # strings")
        .replace("range = \"1\"", "range = \"^3\"")
        .replace("\"acme/near\" = { path = \"../near\" }\n", "");
    assert_eq!(editor.into_text(), expected);
}

#[test]
fn an_edit_of_an_empty_manifest_makes_the_tables_it_needs() {
    let wanted = Manifest::parse("[dependencies]\n\"a/b\" = \"^1\"\n").unwrap().dependencies.remove(0);
    let mut editor = Editor::new("").unwrap();
    editor.set_dependency(&wanted);
    assert_eq!(editor.into_text(), "[dependencies]\n\"a/b\" = \"^1\"\n");
}

#[test]
fn a_reference_is_taken_out_whole() {
    let mut editor =
        Editor::new("[references.a]\nurl = \"u\"\n\n[references.b]\nurl = \"v\" # kept\n").unwrap();
    assert!(editor.remove_reference("a"));
    assert_eq!(editor.clone().into_text().trim_start(), "[references.b]\nurl = \"v\" # kept\n");
    assert!(editor.remove_reference("b"));
    assert!(!editor.into_text().contains("references"));
}

#[test]
fn names_and_texts_that_a_person_would_not_see_as_they_are_are_refused() {
    for text in [
        "[bin]\n\"ru\u{200b}n\" = \"run\"\n",
        "[scripts]\n\"a\u{202e}b\" = \"x\"\n",
        "[scripts]\na = \"x\\u202Ey\"\n",
        "[scripts]\na = \"x\\u001B[2J\"\n",
        "[package]\nauthors = [\"Ann \u{2066}\"]\n",
        "[package]\ndescription = \"\u{9b}2J\"\n",
        "[references]\nr = { url = \"https://host.example/\u{202e}\", fluid = true }\n",
        "[native]\nthings = [{ name = \"\u{feff}x\" }]\n",
    ] {
        assert!(super::Manifest::parse(text).is_err(), "{text:?}");
    }
    let fine = "[package]\ndescription = \"می\u{200c}خواهم 👨\u{200d}👩\"\n[scripts]\na = \"\"\"\none\n\ttwo\"\"\"\n";
    assert!(super::Manifest::parse(fine).is_ok());
}

#[test]
fn what_others_install_names_no_file_of_their_machine() {
    let checked = |address: &str| {
        super::check_published("r", &["https://host.example/".into(), address.to_owned()]).is_ok()
    };
    for address in ["https://host.example/x", "HTTP://host.example/../x", "data/x.bin", "x"] {
        assert!(checked(address), "{address}");
    }
    for address in [
        "/home/ann/.ssh/id",
        "../x",
        "data/../../x",
        "./x",
        "data//x",
        "",
        "file:///etc/passwd",
        "file:/etc/passwd",
        "FILE:///etc/passwd",
        "ftp://host.example/x",
        "C:\\x",
        "C:x",
        "\\\\host\\x",
    ] {
        assert!(!checked(address), "{address}");
    }
}

#[test]
fn a_manifest_of_many_dependencies_takes_no_longer_than_it_is_long() {
    let time = |count: usize| {
        let dependencies: String = (0..count).map(|i| format!("\"acme/p{i}\" = \"^1\"\n")).collect();
        let text = format!("[dependencies]\n{dependencies}");
        let begun = std::time::Instant::now();
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(manifest.dependencies.last().unwrap().line, count + 1);
        begun.elapsed()
    };
    let (few, many) = (time(10_000), time(40_000));
    assert!(many < 9 * few + std::time::Duration::from_secs(1), "{few:?}, four times as many: {many:?}");
}
