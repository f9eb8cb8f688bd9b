//! The documentation is tested: the README's tour runs and prints what it says, links lead somewhere, and the
//! reference of commands is what `--help` says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const WEIR: &str = env!("CARGO_BIN_EXE_weir");

fn root() -> PathBuf {
    fs_err::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

/// What stands in fenced blocks of one language, in order.
fn blocks(text: &str, language: &str) -> String {
    let fence = format!("```{language}\n");
    let inside = text.split(fence.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    inside.collect()
}

/// Runs what a text tells its reader to type, in one shell, and looks for what the text says will be printed, in that order.
///
/// Nothing of the caller's environment changes what happens: the home is a folder that is not there.
#[track_caller]
fn walk(text: &str, shell: &str, folder: &Path, variables: &[(&str, &Path)]) {
    let scratch = tempfile::tempdir().unwrap();
    let output = Command::new(shell)
        .args(["-eu", "-c", &blocks(text, "sh")])
        .current_dir(folder)
        .env("TMPDIR", scratch.path())
        .env("HOME", scratch.path().join("nobody"))
        .env_remove("WEIR_STORE")
        .env_remove("WEIR_REGISTRY")
        .env_remove("WEIR_OFFLINE")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    make_writable(folder);
    make_writable(scratch.path());
    assert!(output.status.success(), "the walk ends in {}:\n{said}\n{complained}", output.status);
    let mut rest = &*said;
    for line in blocks(text, "text").lines() {
        let found = rest.find(line.trim());
        let found = found.unwrap_or_else(|| panic!("`{line}` is not printed, or not in its turn:\n{said}"));
        rest = &rest[found + line.trim().len()..];
    }
    assert!(!scratch.path().join("nobody").exists(), "the walk touched the home folder");
}

#[test]
fn the_tour_of_the_readme_runs_and_prints_what_it_says() {
    let readme = fs_err::read_to_string(root().join("README.md")).unwrap();
    let (_, tour) = readme.split_once("<!-- tour").unwrap();
    let (tour, _) = tour.split_once("<!-- end of tour").unwrap();
    assert!(blocks(tour, "sh").contains("weir publish"), "the tour was not found");
    // A checkout, as far as the tour can tell: a folder with `weir` in it.
    let checkout = tempfile::tempdir().unwrap();
    fs_err::os::unix::fs::symlink(WEIR, checkout.path().join("weir")).unwrap();
    walk(tour, "sh", checkout.path(), &[]);
}

/// What the guide's outside world is here: repositories at `https://git.example`, and an `npm` that packs.
const WORLD: &str = r#"
git() { command git -c user.name=a -c user.email=a@b -c init.defaultBranch=main "$@"; }
repository() {
    git init -q "git/acme/$1.git" && cat >"git/acme/$1.git/basalt.toml" && mkdir "git/acme/$1.git/src"
    printf '%s\n' "$3" >"git/acme/$1.git/src/$1.sh"
    git -C "git/acme/$1.git" add -A && git -C "git/acme/$1.git" commit -qm x && git -C "git/acme/$1.git" tag "$2"
}
repository upper v1.0.0 'upper.case() { printf "%s\n" "${1^^}"; }' <<'TOML'
[package]
slug = 'upper'
[run]
sourceDirs = ['src']
TOML
repository shout v2.1.0 'shout.loud() { upper.case "$1!"; }' <<'TOML'
[package]
slug = 'shout'
[run]
sourceDirs = ['src']
dependencies = ['https://git.example/ann/upper@v1.0.0']
TOML
printf '[url "file://%s/git/"]\n\tinsteadOf = https://git.example/\n' "$PWD" >gitconfig
mkdir -p bin package/bin
printf '%s\n' '{"name":"bats","version":"1.13.0","scripts":{},"bin":{"bats":"bin/bats"}}' >package/package.json
printf '#!/usr/bin/env bash\nPATH=${PATH#*:} exec bats "$@"\n' >package/bin/bats
chmod +x package/bin/bats
tar -czf bats.tgz package
printf '#!/usr/bin/env bash\n[[ "$*" == "pack bats@1.13.0" ]] && cp %q bats-1.13.0.tgz\n' "$PWD/bats.tgz" >bin/npm
chmod +x bin/npm
"#;

#[test]
fn the_guide_of_bash_packages_runs_from_its_first_line_to_its_last_and_prints_what_it_says() {
    let guide = fs_err::read_to_string(root().join("docs/guide/bash.md")).unwrap();
    assert!(blocks(&guide, "sh").contains("weir publish"), "the guide has nothing to type");
    let (reader, world) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let made =
        Command::new("bash").args(["-euo", "pipefail", "-c", WORLD]).current_dir(world.path()).output();
    let made = made.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let path = path_after(&[&world.path().join("bin")]);
    let (home, config) = (world.path().join("home"), world.path().join("gitconfig"));
    let variables = [("PATH", Path::new(&path)), ("WEIR_HOME", &home), ("GIT_CONFIG_GLOBAL", &config)];
    walk(&guide, "bash", reader.path(), &variables);
    make_writable(world.path());
}

#[test]
fn the_guide_of_repositories_of_built_packages_runs_and_prints_what_it_says() {
    let guide = fs_err::read_to_string(root().join("docs/guide/native.md")).unwrap();
    let (_, part) = guide.split_once("\n## Keep a repository").unwrap();
    let part = part.split("\n## ").next().unwrap();
    assert!(blocks(part, "sh").contains("weir repo add"), "the guide has nothing to type");
    let (reader, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = path_after(&[]);
    walk(part, "bash", reader.path(), &[("PATH", Path::new(&path)), ("WEIR_HOME", home.path())]);
    make_writable(home.path());
}

/// In the guides of a server, people are asked for a password; here it is said by a pipe.
const PEOPLE: &str = r#"```sh
weir() {
    if [[ "$1" == login ]]; then command weir "$@" --password-stdin <<<"correct horse"; else command weir "$@"; fi
}
```
"#;

#[test]
fn the_server_of_the_readme_runs_and_prints_what_it_says() {
    let readme = fs_err::read_to_string(root().join("README.md")).unwrap();
    let (_, part) = readme.split_once("<!-- server").unwrap();
    let (part, _) = part.split_once("<!-- end of server").unwrap();
    assert!(blocks(part, "sh").contains("weir publish"), "there is nothing to type");
    walk_beside_a_server(part, "http://127.0.0.1:7878");
}

/// Runs what a text tells its reader to type, who has another machine than the server that the text knows by `address`.
#[track_caller]
fn walk_beside_a_server(text: &str, address: &str) {
    let t = weir_testkit::Sandbox::new(WEIR);
    let server = weir_testkit::WeirServer::start(&t, "data", &[]);
    let data = t.path("data").display().to_string();
    let text = format!("{PEOPLE}{text}").replace(address, server.url()).replace("/srv/weir", &data);
    let (reader, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = path_after(&[]);
    let invitation = Path::new(server.invitation().unwrap());
    let variables = [("PATH", Path::new(&path)), ("WEIR_HOME", home.path()), ("INVITATION", invitation)];
    walk(&text, "bash", reader.path(), &variables);
    make_writable(home.path());
}

#[test]
fn the_guides_of_a_server_of_accounts_and_of_webhooks_run_one_after_the_other() {
    let guide = |name: &str| fs_err::read_to_string(root().join("docs/guide").join(name)).unwrap();
    let text = format!("{}{}{}", guide("server.md"), guide("accounts.md"), guide("webhooks.md"));
    assert!(blocks(&text, "sh").contains("weir token create"), "the guide has nothing to type");
    walk_beside_a_server(&text, "https://weir.example");
}

/// Against the compiler itself; what the guide calls stand-ins for Elm's own packages are those of the tests.
/// 0.19.1 of the Elm compiler stumbles over its own lock on a slow disk: then, as a person would, once more.
const ONCE_MORE: &str = r#"```sh
weir() {
    local code=0
    command weir "$@" 2>"$TMPDIR/said" || code=$?
    if ((code)) && grep -q "resource busy (file is locked)" "$TMPDIR/said"; then command weir "$@"; return; fi
    cat "$TMPDIR/said" >&2
    return "$code"
}
```
"#;

#[test]
fn the_guide_of_elm_runs_and_prints_what_it_says() {
    let guide = fs_err::read_to_string(root().join("docs/guide/elm.md")).unwrap();
    let guide = format!("{ONCE_MORE}{guide}");
    assert!(blocks(&guide, "sh").contains("weir publish"), "the guide has nothing to type");
    let (reader, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (path, checkout) = (path_after(&[]), root());
    let variables =
        [("PATH", Path::new(&path)), ("WEIR_HOME", home.path()), ("CHECKOUT", checkout.as_path())];
    walk(&guide, "bash", reader.path(), &variables);
    make_writable(home.path());
}

/// Where programs are found: in these folders, then `weir`, then as everywhere.
fn path_after(folders: &[&Path]) -> std::ffi::OsString {
    let others = std::env::var_os("PATH").unwrap_or_default();
    let first = folders.iter().copied().chain(Path::new(WEIR).parent()).map(Path::to_owned);
    std::env::join_paths(first.chain(std::env::split_paths(&others))).unwrap()
}

/// The folders of a store are read-only, and the temporary folder is to be removed with it.
fn make_writable(folder: &Path) {
    Command::new("chmod").args(["-R", "u+w"]).arg(folder).status().unwrap();
}

/// All files below a folder whose names end so.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|is| is == extension) {
                found.push(path);
            }
        }
    }
    found
}

/// The pages of the documentation.
fn pages() -> Vec<PathBuf> {
    let mut pages = files("docs", "md");
    pages.push(root().join("README.md"));
    pages
}

/// The hosts of the addresses in a text: `h.example` of `https://ann@h.example:80/x` and of `git@h.example:x`.
fn hosts(text: &str) -> impl Iterator<Item = &str> {
    let after = |mark| text.split(mark).skip(1);
    after("://").chain(after("git@")).map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".-_:@".contains(c)));
        let authority = &rest[..end.unwrap_or(rest.len())];
        let host = authority.rsplit('@').next().unwrap_or(authority);
        host.split(':').next().unwrap_or(host)
    })
}

/// What somebody copies from a page or from help leads to nobody: names that are reserved for examples stand for hosts.
#[test]
fn addresses_in_pages_and_in_what_the_program_says_are_nobodys() {
    /// Whose pages are meant themselves: those of standards.
    const STANDARDS: [&str; 6] = [
        "docs.cedarpolicy.com",
        "spdx.org",
        "json-schema.org",
        "no-color.org",
        "ossf.github.io",
        "reproducible-builds.org",
    ];
    /// Identity providers, which are believed by their address alone.
    const PROVIDERS: [&str; 2] = ["token.actions.githubusercontent.com", "gitlab.com"];
    /// The registry of an ecosystem that others are told to name as the one above theirs.
    const ABOVE: [&str; 1] = ["package.elm-lang.org"];
    let mut seen = 0;
    for file in pages().into_iter().chain(files("crates/weir/src", "rs")) {
        let text = fs_err::read_to_string(&file).unwrap();
        // Without a dot it is a placeholder, or the name of an image of a system.
        for host in hosts(&text).filter(|host| host.contains('.')) {
            seen += 1;
            let is_reserved = host.ends_with(".example") || host.starts_with("127.");
            let is_meant = STANDARDS.contains(&host) || PROVIDERS.contains(&host) || ABOVE.contains(&host);
            assert!(is_reserved || is_meant, "{} has the host `{host}`", file.display());
        }
    }
    assert!(seen > 20, "only {seen} addresses were found");
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    for page in pages() {
        let text = fs_err::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (target, place) = link.split_once('#').unwrap_or((link, ""));
            let target = if target.is_empty() { page.clone() } else { page.parent().unwrap().join(target) };
            let is_there = match place {
                "" => target.exists(),
                place => {
                    fs_err::read_to_string(&target).is_ok_and(|text| places(&text).any(|is| is == place))
                }
            };
            assert!(is_there, "{} links to `{link}`, which is not there", page.display());
        }
    }
}

/// What headings can be linked to as, the way that forges make it of them.
fn places(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
    })
}

#[test]
fn the_reference_of_commands_is_what_help_says() {
    let path = root().join("docs/reference/commands.md");
    let reference = reference();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs_err::write(&path, &reference).unwrap();
    }
    let written = fs_err::read_to_string(&path).unwrap_or_default();
    assert!(written == reference, "run `UPDATE_DOCS=1 cargo test -p weir --test documentation`");
}

#[test]
fn the_reference_of_policies_has_the_schema_and_every_set() {
    let path = root().join("docs/reference/policy.md");
    let written = fs_err::read_to_string(&path).unwrap_or_default();
    let (before, _) = written.split_once("<!-- generated -->\n").unwrap();
    let mut page =
        format!("{before}<!-- generated -->\n\n## Schema\n\n```cedar\n{}```\n", weir_cedar::SCHEMA);
    for (heading, built_in) in [("Sets", &weir_cedar::SETS[..]), ("Rules to add", &weir_cedar::RULES[..])] {
        let _ = write!(page, "\n## {heading}\n");
        for one in built_in {
            let _ = write!(
                page,
                "\n### `{}`\n\n{}.\n\n```cedar\n{}```\n",
                one.name,
                capital(one.summary),
                one.text
            );
        }
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs_err::write(&path, &page).unwrap();
    }
    let written = fs_err::read_to_string(&path).unwrap();
    assert!(written == page, "run `UPDATE_DOCS=1 cargo test -p weir --test documentation`");
}

fn capital(sentence: &str) -> String {
    let mut characters = sentence.chars();
    let first = characters.next().filter(|_| !sentence.starts_with('`'));
    first.map_or_else(|| sentence.to_owned(), |first| first.to_uppercase().chain(characters).collect())
}

/// Types what a guide of one folder says, and holds what comes against what it shows.
fn follow_guide(page: &str, about: &str) {
    follow_text(&fs_err::read_to_string(root().join("docs/guide").join(page)).unwrap(), about);
}

fn follow_text(guide: &str, about: &str) {
    assert!(blocks(guide, "sh").contains(about), "the guide has nothing to type");
    let (reader, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = path_after(&[]);
    let variables = [("PATH", Path::new(&path)), ("WEIR_HOME", home.path()), ("USER", Path::new("ann"))];
    walk(guide, "bash", reader.path(), &variables);
    make_writable(home.path());
}

#[test]
fn the_guide_of_policies_runs_and_prints_what_it_says() {
    follow_guide("policy.md", "weir policy set");
}

#[test]
fn the_guide_of_promotions_runs_and_prints_what_it_says() {
    follow_guide("promote.md", "weir promote");
}

#[test]
fn the_guide_of_the_hierarchy_runs_and_prints_what_it_says() {
    let guide = fs_err::read_to_string(root().join("docs/guide/hierarchy.md")).unwrap();
    let (before, rest) = guide.split_once("\n## On servers\n").unwrap();
    let (servers, after) = rest.split_once("\n## ").unwrap();
    follow_text(&format!("{before}\n## {after}"), "weir registry upstream add");
    walk_beside_a_server(servers, "https://weir.example");
}

#[test]
fn the_guide_of_storage_runs_and_prints_what_it_says() {
    follow_guide("storage.md", "weir registry retention run");
}

#[test]
fn the_guide_of_advisories_runs_and_prints_what_it_says() {
    follow_guide("advisories.md", "weir advisory import");
}

#[test]
fn the_reference_of_the_server_lists_every_setting() {
    let path = root().join("docs/reference/server.md");
    let written = fs_err::read_to_string(&path).unwrap_or_default();
    let (before, rest) = written.split_once("<!-- settings -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- end of settings -->").unwrap();
    let table = weir_server::reference();
    let page = format!("{before}<!-- settings -->\n\n{table}\n<!-- end of settings -->{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs_err::write(&path, &page).unwrap();
    }
    let written = fs_err::read_to_string(&path).unwrap();
    assert!(written == page, "run `UPDATE_DOCS=1 cargo test -p weir --test documentation`");
}

#[test]
fn the_document_of_the_api_is_the_one_that_a_server_gives() {
    let path = root().join("docs/reference/openapi.json");
    let document = serde_json::to_string_pretty(&weir_server::openapi()).unwrap() + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs_err::write(&path, &document).unwrap();
    }
    let written = fs_err::read_to_string(&path).unwrap_or_default();
    assert!(written == document, "run `UPDATE_DOCS=1 cargo test -p weir --test documentation`");
    // The page for people tells of each address that is described.
    let page = fs_err::read_to_string(root().join("docs/reference/api.md")).unwrap();
    let paths = weir_server::openapi()["paths"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for path in paths {
        let path = path.trim_start_matches("/{registry}").trim_start_matches("/api/v1");
        let told = path.split('{').next().unwrap_or_default().trim_end_matches('/');
        assert!(page.contains(told), "{path} is not in docs/reference/api.md");
    }
}

fn reference() -> String {
    let overview = help(&[]);
    let (_, options) = overview.split_once("\nOptions:\n").unwrap();
    let (options, _) = options.split_once("\n\n").unwrap();
    let mut page = format!(
        "# Commands\n\nWhat `--help` says; `weir help COMMAND` says it in a terminal. Every command takes these as well:\n\n\
         ```text\n{options}\n```\n"
    );
    let commands = overview.split("\nOptions:").next().unwrap_or_default();
    for command in names(commands) {
        with_those_below(&mut page, &[command]);
    }
    page
}

fn with_those_below(page: &mut String, command: &[&str]) {
    section(page, command);
    let text = help(command);
    if let Some((_, subcommands)) = text.split_once("\nCommands:\n") {
        for subcommand in names(subcommands.split("\n\n").next().unwrap_or_default()) {
            with_those_below(page, &[command, &[subcommand]].concat());
        }
    }
}

fn section(page: &mut String, command: &[&str]) {
    let text = help(command);
    // What every command takes is told once, at the top.
    let own = match text.split_once("\nGlobal options:\n") {
        Some((before, after)) => {
            let next = after.match_indices("\n\n").find(|(at, _)| !after[at + 2..].starts_with(' '));
            format!("{before}{}", next.map_or("", |(at, _)| &after[at + 1..]))
        }
        None => text,
    };
    let level = "#".repeat(command.len() + 1);
    let _ = write!(page, "\n{level} `weir {}`\n\n```text\n{}\n```\n", command.join(" "), own.trim_end());
}

/// The first words of lines that begin with a name, two spaces in.
fn names(text: &str) -> Vec<&str> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("  "));
    let named = lines.filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    named.filter_map(|line| line.split([' ', ',']).next()).collect()
}

fn help(command: &[&str]) -> String {
    let output = Command::new(WEIR).args(command).arg("--help").env("COLUMNS", "100").output().unwrap();
    assert!(output.status.success(), "`weir {} --help` fails", command.join(" "));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The crates of the architecture page's table, in its order.
fn crates_of_the_page() -> Vec<String> {
    let page = fs_err::read_to_string(root().join("docs/builders/architecture.md")).unwrap();
    let (_, table) = page.split_once("| crate | its one job | must not know |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let first_cells = rows.map(|row| row.split('|').nth(1).unwrap().to_owned());
    first_cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn crates_depend_only_on_those_above_them_in_the_architecture_page() {
    let order = crates_of_the_page();
    let place = |name: &str| order.iter().position(|other| other == name);
    for entry in fs_err::read_dir(root().join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let Ok(manifest) = fs_err::read_to_string(folder.join("Cargo.toml")) else { continue };
        let own = place(&name).unwrap_or_else(|| panic!("`{name}` is not in the table of the page"));
        let (_, dependencies) = manifest.split_once("[dependencies]").unwrap();
        let dependencies = dependencies.lines().skip(1).take_while(|line| !line.starts_with('['));
        for used in
            dependencies.filter_map(|line| line.split('.').next()).filter(|name| name.starts_with("weir-"))
        {
            assert!(
                place(used).is_some_and(|place| place < own),
                "`{name}` uses `{used}`, which is not above it"
            );
        }
    }
    assert!(order.len() > 10, "the table was not read: {order:?}");
}
