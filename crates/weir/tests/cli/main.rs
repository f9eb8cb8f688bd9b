//! The real program on tiny projects, and everything it says: read it as a manual.
//!
//! Each test begins with [`greeting`], a registry with a handful of packages, or with an empty
//! [`Sandbox`]. A snapshot is a command, what it wrote to stdout, what it wrote to stderr if that is
//! anything, and its exit code if that is not 0.

mod advisories;
mod believing_upstreams;
mod carrying;
mod chain;
mod choosing;
mod compact;
mod completions;
mod conflicts;
mod contract;
mod days_without_a_network;
mod deltas;
mod described_api;
mod downloads;
mod exit_codes;
mod for_oneself;
mod from_git;
mod full_disk;
mod git_upstreams;
mod hidden_registries;
mod hostile_clone;
mod integrity;
mod interface;
mod lockfiles;
mod long_work;
mod looking;
mod mistakes;
mod odd_places;
mod over_http;
mod over_tls;
mod policies;
mod prefetching;
mod projects;
mod promoting;
mod publishing;
mod publishing_checks;
mod quiet;
mod references;
mod registries;
mod retention;
mod server_accounts;
mod server_writing;
mod serving;
mod signing_in;
mod storage;
mod stores;
mod terminal;
mod tiers;
mod tiers_killed;
mod trusted_publishing;
mod upstreams;
mod web;
mod web_acting;
mod web_browser;
mod web_deciding;
mod web_site;
mod web_stale;
mod web_statistics;
mod web_told;
mod webhooks;

use weir_testkit::Sandbox;

/// An empty folder with a home of its own.
fn empty() -> Sandbox {
    Sandbox::new(env!("CARGO_BIN_EXE_weir"))
}

/// A registry `org` with `acme/greet`, which needs `acme/str` (baked) and `acme/names` (fluid); and an empty
/// project in the folder `app`.
fn greeting() -> Sandbox {
    let t = empty();
    t.registry("org");
    let folders = [
        t.package("acme/str", "1.0.0")
            .file("str.sh", "trim() { :; }\n")
            .description("Strings, trimmed")
            .write(),
        t.package("acme/names", "2026.1.0").kind("data").file("names.txt", "Ann\n").write(),
        t.package("acme/greet", "1.0.0")
            .dependency("acme/str", "^1")
            .fluid("acme/names", ">=2026")
            .manifest("[bin]\ngreet = \"greet\"\n")
            .program("greet", "#!/bin/sh\necho \"Hello, ${1:-world}\"\n")
            .write(),
    ];
    t.weir_in("", &format!("publish {}", folders.join(" "))).succeeds();
    t.project(&[]);
    t
}

/// The same, with `acme/greet` installed in the project.
fn installed() -> Sandbox {
    let t = greeting();
    t.project(&["acme/greet = ^1"]);
    t.weir("install").succeeds();
    t
}

/// Newer releases of everything in [`greeting`].
fn newer(t: &Sandbox) {
    let folders = [
        t.package("acme/str", "1.1.0").file("str.sh", "trim() { :; }; pad() { :; }\n").write(),
        t.package("acme/str", "2.0.0").file("str.sh", "trim() { false; }\n").write(),
        t.package("acme/names", "2026.2.0").kind("data").file("names.txt", "Ann\nBob\n").write(),
        t.package("acme/greet", "2.0.0").dependency("acme/str", "^2").fluid("acme/names", ">=2026").write(),
    ];
    t.weir_in("", &format!("publish {}", folders.join(" "))).succeeds();
}
