//! The pages of a registry as a folder, on a web server that knows nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use weir_testkit::{Sandbox, StaticServer};

use crate::{empty, greeting};

/// Every file below a folder, by its path.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(below) = waiting.pop() {
        for entry in fs_err::read_dir(&below).expect("it is a folder") {
            let path = entry.expect("it is one").path();
            match path.is_dir() {
                true => waiting.push(path),
                false => {
                    let name = path.strip_prefix(folder).expect("it is below").display().to_string();
                    files.insert(name, fs_err::read(&path).expect("it can be read"));
                }
            }
        }
    }
    files
}

/// The beginning of a picture is enough to be taken for one.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\nand so on";

fn with_a_site() -> Sandbox {
    let t = greeting();
    let readme = "# Str\n\nTrims *strings*: see [the code](str.sh), [all](https://str.example/).\n\n\
        ![how](looks.png) ![a *lie*](lie.png)\n";
    let folder = t.package("acme/str", "1.1.0").file("str.sh", "x\n").file("README.md", readme).write();
    let manifest =
        t.read(format!("{folder}/weir.toml")).replace("[package]", "[package]\nkeywords = [\"whitespace\"]");
    t.write(format!("{folder}/weir.toml"), manifest);
    t.write(format!("{folder}/looks.png"), PICTURE);
    t.write(format!("{folder}/lie.png"), "<script>");
    t.weir_in("", &format!("publish {folder}")).succeeds();
    t.weir_in("", "quarantine acme/str@1.0.0 --reason 'a stolen key'").succeeds();
    t.weir_in("", "registry site public/docs/org").succeeds();
    t
}

/// Where a link on a page leads, as a browser reads it.
fn led_to(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split(['?', '#']).next().unwrap_or_default().split('/') {
        match part {
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn a_site_can_be_anywhere_and_every_link_of_it_leads_somewhere() {
    let t = with_a_site();
    let (mut seen, mut next) = (BTreeSet::new(), vec!["docs/org/index.html".to_owned()]);
    let mut told = String::new();
    while let Some(path) = next.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let bytes = fs_err::read(t.path("public").join(&path)).unwrap_or_else(|_| panic!("{path}"));
        if !path.ends_with(".html") {
            continue;
        }
        let text = String::from_utf8(bytes).expect("it is text");
        for attribute in ["href=\"", "src=\"", "action=\""] {
            for link in text.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(!link.starts_with('/'), "{link} on {path} is of one address");
                if !link.starts_with("https://") && !link.starts_with('#') && !link.is_empty() {
                    next.push(led_to(&path, link));
                }
            }
        }
        told += &text;
    }
    for page in [
        "docs/org/packages/acme/str/index.html",
        "docs/org/packages/acme/greet/1.0.0/index.html",
        "docs/org/search/index.html",
    ] {
        assert!(seen.contains(page), "{page}: {seen:?}");
    }
    for wanted in ["Trims <em>strings</em>", "a stolen key", "weir add acme/str", "https://str.example/"] {
        assert!(told.contains(wanted), "{wanted}");
    }
    let picture = "docs/org/packages/acme/str/1.1.0/pictures/looks.png";
    assert_eq!(fs_err::read(t.path("public").join(picture)).expect("it is there"), PICTURE);
    assert!(told.contains("1.1.0/pictures/looks.png\" alt=\"how\""), "a README shows its pictures");
    assert!(told.contains("a lie") && !told.contains("lie.png\" alt"), "what is none is said");
    let words = t.read("public/docs/org/search/words/w.json");
    assert!(words.contains("whitespace"), "a search finds keywords: {words}");
    assert!(!told.contains("Sign in") && !told.contains("/-/"), "what needs a server is not there");
    assert!(!told.contains(&t.path("").display().to_string()), "nor what is of this machine alone");
}

#[test]
fn the_same_registry_gives_the_same_bytes_and_what_was_cut_short_is_made_whole() {
    let t = with_a_site();
    let site = t.path("public/docs/org");
    let first = files(&site);
    let again = t.weir_in("", "registry site public/docs/org").succeeds().stdout;
    assert!(again.contains(", 0 changed, 0 removed"), "{again}");
    assert_eq!(files(&site), first);
    t.weir_in("", "registry site elsewhere").succeeds();
    assert_eq!(files(&t.path("elsewhere")), first, "wherever it is written");

    // As a run leaves it that is killed: some files are there, others are not, one is of nothing any longer.
    let mark = site.join("weir-site.json");
    let begun = String::from_utf8(first["weir-site.json"].clone()).expect("it is JSON");
    fs_err::write(&mark, begun.replace("\"complete\": true", "\"complete\": false")).unwrap();
    fs_err::remove_file(site.join("packages/acme/str/index.html")).unwrap();
    fs_err::write(site.join("index.html"), "half").unwrap();
    fs_err::create_dir_all(site.join("packages/acme/none")).unwrap();
    fs_err::write(site.join("packages/acme/none/index.html"), "old").unwrap();
    t.weir_in("", "registry site public/docs/org").succeeds();
    assert_eq!(files(&site), first);

    t.package("acme/new", "1.0.0").publish();
    let run = t.weir_in("", "registry site public/docs/org").succeeds().stdout;
    assert!(run.contains("4 packages of 5 releases"), "{run}");
    assert!(files(&site).contains_key("packages/acme/new/1.0.0/index.html"));
}

#[test]
fn nothing_else_is_written_over_and_a_registry_that_is_empty_says_so() {
    let t = empty();
    t.registry("org");
    t.write("mine/thesis.txt", "years of work");
    let refused = t.weir_in("", "registry site mine").fails_with(8);
    assert!(refused.stderr.contains("holds something that is no site"), "{refused}");
    assert_eq!(t.read("mine/thesis.txt"), "years of work");
    for (address, why) in [
        ("javascript:alert(1)", "begins with `https://`"),
        ("data:text/html,x", "begins with `https://`"),
        ("https://ann:secret@weir.example/org", "holds a user or a password"),
        ("https:///org", "names no host"),
    ] {
        let refused = t.weir_in("", &format!("registry site site --address {address}")).fails_with(2);
        assert!(refused.stderr.contains(why) && !refused.stderr.contains("secret@"), "{refused}");
    }
    t.weir_in("", "registry site site --address https://weir.example/org").succeeds();
    let page = t.read("site/index.html");
    assert!(page.contains("weir registry add org https://weir.example/org"), "{page}");
}

#[test]
fn a_browser_searches_a_site_by_what_lies_in_its_folder() {
    if Command::new("chromium").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `chromium` here, which Debian has in the package of that name");
        return;
    }
    let t = with_a_site();
    let server = StaticServer::serve(t.path("public")).expect("a port is free");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/web/find");
    let mut find = Command::new("python3");
    find.arg(script).args([&format!("{}/docs/org", server.url()), "gre", "acme/greet"]);
    if let Some(axe) = std::env::var_os("WEIR_TEST_AXE") {
        find.arg(axe);
    }
    let found = find.output().expect("python3 can be run");
    let said = String::from_utf8_lossy(&found.stdout);
    assert!(found.status.success(), "{said}\n{}", String::from_utf8_lossy(&found.stderr));
}
