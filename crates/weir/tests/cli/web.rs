//! The pages of a server, as a browser asks for them.

use std::io::{Read as _, Write as _};

use weir_testkit::{Reply, Sandbox, WeirServer};

use crate::{empty, greeting};

const BROWSER: &str = "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";

/// The registry of [`greeting`], with what a stranger may read, where a server finds it.
fn served() -> (Sandbox, WeirServer) {
    let t = greeting();
    fs_err::create_dir_all(t.path("data/registries")).expect("the sandbox can be written");
    fs_err::rename(t.path("org"), t.path("data/registries/org")).expect("the sandbox can be written");
    t.weir_in("", "registry remove org").succeeds();
    t.weir_in("", "registry bind data/registries/org --yes").succeeds();
    let server = WeirServer::start(&t, "data", &[]);
    (t, server)
}

/// Publishes into the registry's folder, beside whoever serves it.
fn publish(t: &Sandbox, folder: &str) {
    t.weir_in("", &format!("--registry ./data/registries/org publish {folder} --allow-secrets")).succeeds();
}

fn page(server: &WeirServer, path: &str) -> Reply {
    let reply = server.ask("GET", path, &[BROWSER]);
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    assert!(reply.body.len() < 100 << 10, "{path} has {} bytes", reply.body.len());
    reply
}

/// What a page says, without its tags, and with one space between words.
fn told(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html.split_once("<body").map_or(html, |(_, body)| body);
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn says(server: &WeirServer, path: &str, wanted: &[&str]) {
    let text = told(&page(server, path).text());
    for wanted in wanted {
        assert!(text.contains(wanted), "`{wanted}` is not on {path}:\n{text}");
    }
}

#[test]
fn a_search_is_narrowed_down_by_licence_owner_and_state() {
    let (t, server) = served();
    publish(&t, &t.package("tools/str", "2.0.0").file("str.sh", "").license("MIT OR Apache-2.0").write());
    publish(&t, &t.package("tools/left", "1.0.0").file("left.sh", "").license("BSD-3-Clause").write());
    t.weir_in("", "--registry ./data/registries/org yank tools/left@1.0.0 --reason 'no use'").succeeds();
    publish(&t, &t.package("acme/str", "1.1.0").file("str.sh", "").write());
    t.weir_in("", "--registry ./data/registries/org yank acme/str@1.0.0 --reason 'cuts too much'").succeeds();

    let all = told(&page(&server, "/org/-/search").text());
    for facet in [
        "state: any state offered yanked quarantined held",
        "owner: any owner acme tools",
        "licence: any licence Apache-2.0 BSD-3-Clause MIT",
    ] {
        assert!(all.contains(facet), "`{facet}` is not in\n{all}");
    }
    let found = |query: &str| {
        let text = told(&page(&server, &format!("/org/-/search?{query}")).text());
        ["acme/ str", "tools/ str", "tools/ left"].map(|name| text.contains(name))
    };
    assert_eq!(found("q=str&license=Apache-2.0"), [false, true, false]);
    assert_eq!(found("license=mit&state=offered"), [true, true, false], "a package names both licences");
    assert_eq!(found("state=yanked"), [true, false, true], "one of its releases is enough");
    assert_eq!(found("q=str&state=yanked"), [true, false, false]);
    says(&server, "/org/-/search?q=str", &["acme/ str 1.1.0 1 yanked"]);
    assert_eq!(found("state=held"), [false, false, false]);
    assert_eq!(found("q=left&owner=tools&state=yanked"), [false, false, true]);
    // By what nothing can be narrowed down finds nothing, and says so.
    assert_eq!(found("kind=bassh"), [false, false, false]);
    assert_eq!(found("state=gone&q=str"), [false, false, false]);
    assert_eq!(found("kind=&owner=&state="), found(""), "a form in which nothing was chosen");
    let narrowed = page(&server, "/org/-/search?q=str&license=MIT").text();
    assert!(narrowed.contains("/org/-/search?q=str&#38;owner=tools&#38;license=MIT"), "{narrowed}");

    let search = |words: &str| {
        t.weir_in("", &format!("--registry ./data/registries/org search {words}")).succeeds().stdout
    };
    assert!(search("str --license apache-2.0").contains("tools/str"));
    assert!(search("left --owner tools --state yanked").contains("tools/left"));
    assert!(search("left --state offered").contains("Nothing found"));
}

#[test]
fn a_file_is_shown_as_it_is_and_one_that_is_no_text_is_not() {
    let (t, server) = served();
    let folder = t.package("acme/table", "1.0.0").file("small.json", "{\"a\":[1,2]}\n").write();
    fs_err::write(t.path(format!("{folder}/picture.bin")), [0xff, 0xfe, 0, 1])
        .expect("the sandbox can be written");
    publish(&t, &folder);
    let files = "/org/-/packages/acme/table/1.0.0/files";
    let json = page(&server, &format!("{files}/small.json")).text();
    assert!(json.contains("aria-hidden=\"true\">1\n</pre>"), "it has one line: {json}");
    says(&server, &format!("{files}/picture.bin"), &["It is no text. It can be downloaded."]);
}

#[test]
fn a_registry_can_be_read_page_by_page() {
    let (t, server) = served();
    let readme = "# Str\n\nTrims *strings*: see [the code](str.sh).\n";
    let folder = t.package("acme/str", "1.1.0").file("str.sh", "trim() { :; }\n").file("README.md", readme);
    publish(&t, &folder.description("Strings, trimmed").write());
    let withdrawn = "--registry ./data/registries/org yank acme/str@1.0.0 --reason 'cuts too much'";
    t.weir_in("", withdrawn).succeeds();

    says(&server, "/", &["org", "3 packages, 3 releases", "1 yanked"]);
    says(&server, "/org", &["acme/str 1.1.0", "Strings, trimmed", "log 7 entries", "weir registry add org"]);
    says(&server, "/org/", &["acme/str 1.1.0"]);
    says(&server, "/org/-/search?q=trim", &["1 package found", "acme/ str 1.1.0", "generic"]);
    says(&server, "/org/-/search?q=nothing", &["Nothing found for nothing in the registry org"]);
    says(&server, "/org/-/search?kind=data", &["acme/ names 2026.1.0"]);
    says(&server, "/org/-/search?owner=acme", &["acme/ greet", "acme/ names", "acme/ str"]);
    says(
        &server,
        "/org/-/packages/acme/str",
        &[
            "Str Trims strings : see the code .",
            "weir add acme/str",
            "1.0.0",
            "yanked",
            "Needed by acme/greet",
            "licence MIT",
        ],
    );
    says(
        &server,
        "/org/-/packages/acme/str/1.0.0",
        &[
            "yanked on",
            "cuts too much",
            "Lockfiles that have it still get it",
            "str.sh",
            "inputs sha256:",
            "Entry 2",
        ],
    );
    says(
        &server,
        "/org/-/packages/acme/greet/1.0.0",
        &["Needs acme/names &#62;=2026 acme/str ^1 yanked 1.0.0", "greet can be run"],
    );
    says(&server, "/org/-/packages/acme/str/1.1.0/files/str.sh", &["trim() { :; }", "14 B"]);
    says(
        &server,
        "/org/-/packages/acme/str/1.0.0/impact",
        &["It reaches 1 release of 1 package, the newest of 1 of them", "acme/greet 1.0.0 now baked"],
    );
    says(&server, "/org/-/packages/acme/greet/1.0.0/impact", &["Nothing in the registry org needs it"]);
    says(
        &server,
        "/org/-/log/2",
        &["acme/str 1.0.0 published", "c2sp.org/tlog-proof@v1 index 2", "weir registry verify org"],
    );

    let proof = server.ask("GET", "/org/-/log/2/proof", &[]).text();
    assert!(
        proof.starts_with("c2sp.org/tlog-proof@v1\nindex 2\n") && proof.contains("\n\norg\n7\n"),
        "{proof}"
    );
    let raw = server.ask("GET", "/org/-/packages/acme/str/1.1.0/files/str.sh?raw", &[]);
    assert_eq!(raw.text(), "trim() { :; }\n");
    assert_eq!(raw.header("content-type"), Some("application/octet-stream"));
    assert_eq!(raw.header("content-disposition"), Some("attachment; filename=\"str.sh\""));
    assert_eq!(raw.header("content-security-policy"), Some("sandbox; default-src 'none'"));
}

#[test]
fn every_link_leads_somewhere() {
    let (_t, server) = served();
    let (mut seen, mut next) = (std::collections::BTreeSet::new(), vec!["/".to_owned()]);
    while let Some(path) = next.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let reply = server.ask("GET", &path, &[BROWSER]);
        assert_eq!(reply.status, 200, "{path}");
        let html = reply.text();
        for attribute in ["href=\"", "src=\"", "action=\""] {
            for link in html.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()) {
                let link = link.replace("&#38;", "&").replace("&amp;", "&");
                if link.starts_with('/') {
                    next.push(link.split('#').next().unwrap_or_default().to_owned());
                }
            }
        }
    }
    assert!(seen.len() > 20, "{seen:?}");
    assert!(seen.iter().any(|path| path.ends_with(".css")), "{seen:?}");
}

#[test]
fn what_is_not_there_is_told_to_a_browser_as_a_page_and_to_a_program_as_a_document() {
    let (_t, server) = served();
    for path in [
        "/none",
        "/org/none",
        "/org/-/packages/acme/none",
        "/org/-/packages/acme/str/9.9.9",
        "/org/-/packages/acme/str/none",
        "/org/-/packages/acme/str/1.0.0?platform=mars",
        "/org/-/packages/acme/str/1.0.0/files/none",
        "/org/-/packages/acme/str/1.0.0/files/..%2f..%2fweir.toml",
        "/org/-/packages/acme/..%2f..%2fx",
        "/org/-/log/99",
        "/org/-/log/-1",
        "/org/-/log/99999999999999999999",
        "/org/-/log/1/proof/x",
        "/-/assets/none.css",
    ] {
        let reply = server.ask("GET", path, &[BROWSER]);
        assert_eq!(reply.status, 404, "{path}");
        assert!(reply.text().contains("<h1>There is n"), "{path}: {}", reply.text());
        let document = server.ask("GET", path, &[]);
        assert_eq!(
            (document.status, document.header("content-type")),
            (404, Some("application/problem+json"))
        );
        assert_eq!(document.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
    for (method, path, status) in [
        ("POST", "/org/-/policy", 405),
        ("DELETE", "/org/-/search", 405),
        ("GET", "/-/sign-out", 405),
        ("GET", "/org/-/packages/acme/%ff", 400),
        ("GET", "/org/-/packages/acme/str/1.0.0/files/%ff", 400),
    ] {
        let page = server.ask(method, path, &[BROWSER]);
        assert_eq!(
            (page.status, page.header("content-type")),
            (status, Some("text/html; charset=utf-8")),
            "{path}"
        );
        assert!(page.text().contains("<h1>"), "{path}: {}", page.text());
        let document = server.ask(method, path, &[]);
        assert_eq!(
            (document.status, document.header("content-type")),
            (status, Some("application/problem+json")),
            "{path}"
        );
        assert_eq!(document.header("allow").is_some(), status == 405, "{path}");
    }
    let api = server.ask("GET", "/api/v1/whoami", &[BROWSER]);
    assert_eq!((api.status, api.header("content-type")), (401, Some("application/problem+json")));
}

#[test]
fn pages_run_nothing_load_nothing_and_stand_in_no_other_page() {
    let (_t, server) = served();
    for path in ["/", "/org", "/org/-/packages/acme/str", "/none"] {
        let reply = server.ask("GET", path, &[BROWSER]);
        let policy = reply.header("content-security-policy").expect("it has one");
        for wanted in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(wanted), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("referrer-policy"), Some("same-origin"));
        assert_eq!(reply.header("cache-control"), Some("private, no-cache"));
        let html = reply.text();
        assert!(
            !html.contains("<script>") && !html.contains(" style=") && !html.contains(" onclick"),
            "{html}"
        );
        assert!(!html.contains("\"http"), "nothing is loaded from elsewhere: {html}");
    }
}

#[test]
fn what_strangers_wrote_is_shown_and_does_nothing() {
    let (t, server) = served();
    let attack = "<script>alert(1)</script><img src=x onerror=alert(1)>";
    let readme = format!(
        "# {attack}\n\n[x](javascript:alert(1)) <svg onload=alert(1)> <iframe src=//evil.example></iframe>\n\ngnp.exe\u{202e}gpj\n"
    );
    let folder = t
        .package("evil/one", "1.0.0")
        .description("<script>alert(2)</script>")
        .file("README.md", &readme)
        .file("<script>alert(3)<%2fscript>.md", attack)
        .file("deep.md", &"> ".repeat(20_000))
        .write();
    publish(&t, &folder);
    t.weir_in(
        "",
        "--registry ./data/registries/org yank evil/one@1.0.0 --reason '<script>alert(4)</script>'",
    )
    .succeeds();
    let deep = t.package("evil/deep", "1.0.0").file("README.md", &"> ".repeat(40_000)).write();
    publish(&t, &deep);
    let long = t.package("evil/long", "1.0.0").file("README.md", &"a *b* [c](d)\n".repeat(800_000)).write();
    publish(&t, &long);
    for path in [
        "/org",
        "/org/-/search",
        "/org/-/search?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/org/-/search?q=one&kind=%22%3E%3Cscript%3E",
        "/org/-/packages/evil/one",
        "/org/-/packages/evil/one/1.0.0",
        "/org/-/packages/evil/one/1.0.0/files/README.md",
        "/org/-/packages/evil/one/1.0.0/files/%3Cscript%3Ealert(3)%3C%252fscript%3E.md",
        "/org/-/packages/evil/one/1.0.0/files/deep.md",
        "/org/-/packages/evil/deep",
        "/org/-/log/6",
    ] {
        let html = page(&server, path).text();
        for acts in
            ["<script>", "<img src", "<svg", "<iframe", "onerror=a alert", "href=\"javascript", "\u{202e}"]
        {
            assert!(!html.contains(acts), "{acts} is on {path}:\n{html}");
        }
    }
    let long = server.ask("GET", "/org/-/packages/evil/long", &[BROWSER]);
    assert_eq!(long.status, 200);
    assert!(long.body.len() < 100 << 10, "{} bytes", long.body.len());
    assert!(long.text().contains("There is more in"));
}

#[test]
fn piles_of_marks_are_cut_wherever_a_stranger_wrote_them() {
    let (t, server) = served();
    let pile = "\u{30d}\u{311}".repeat(100);
    let folder = t
        .package("evil/pile", "1.0.0")
        .description(&format!("Z{pile}algo"))
        .file("README.md", &format!("# Z{pile}algo\n\nZ{}algo\n", "<b>&#781;</b>".repeat(200)))
        .write();
    publish(&t, &folder);
    let why = format!("yank evil/pile@1.0.0 --reason 'Z{pile}algo'");
    t.weir_in("", &format!("--registry ./data/registries/org {why}")).succeeds();
    for path in ["/org/-/search?q=pile", "/org/-/packages/evil/pile", "/org/-/packages/evil/pile/1.0.0"] {
        let html = page(&server, path).text();
        assert!(html.contains("Z\u{30d}\u{311}\u{30d}\u{311}\u{fffd}algo"), "{path}: {html}");
        let marks = html.chars().filter(|c| matches!(c, '\u{30d}' | '\u{311}')).count();
        assert!(marks < 60, "{marks} marks on {path}");
    }
}

#[test]
fn what_names_no_host_is_refused_and_no_link_is_made_of_it() {
    let (t, server) = served();
    t.weir_in("", "registry init data/registries/empty --name empty").succeeds();
    let said_to = |line: &str| {
        let mut stream = server.connect();
        let request =
            format!("GET /empty HTTP/1.1\r\nHost: {line}\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it is taken");
        let mut said = Vec::new();
        stream.read_to_end(&mut said).expect("there is an answer");
        String::from_utf8_lossy(&said).into_owned()
    };
    for host in ["weir.example:8080", "weir_server:7878", "[::1]:7878"] {
        assert!(said_to(host).contains(&format!("http://{host}/empty")), "{host}");
    }
    for odd in [
        "",
        "a..b",
        "-",
        "[::zz]",
        "weir.example:99999",
        "weir.example/../",
        "weir.example:80/../x",
        "a b",
        "ann@weir.example",
    ] {
        let said = said_to(odd);
        assert!(said.starts_with("HTTP/1.1 400"), "{odd}: {said}");
        assert!(said.contains("a request names one host") && !said.contains("href="), "{odd}: {said}");
    }
}

#[test]
fn pictures_of_a_package_are_shown_on_its_page_and_nothing_else_as_one() {
    let (t, server) = served();
    let readme = "<img src=\"shot%201.png\" alt=shot> ![drawn](drawn.svg) [how](how%20to.md)\n";
    let png = "\u{fffd}PNG"; // No picture, whatever its name says.
    let folder = t
        .package("acme/pictures", "1.0.0")
        .file("README.md", readme)
        .file("how to.md", "so")
        .file("drawn.svg", "<svg onload=alert(1)></svg>")
        .file("shot 1.png", png)
        .file("shot.gif", "GIF89a")
        .write();
    publish(&t, &folder);
    let files = "/org/-/packages/acme/pictures/1.0.0/files";
    let html = page(&server, "/org/-/packages/acme/pictures").text();
    for shown in ["shot%201.png?picture\"", "how%20to.md\"", "drawn.svg\""] {
        assert!(html.contains(&format!("{files}/{shown}")), "{shown}: {html}");
    }
    let picture = server.ask("GET", &format!("{files}/shot.gif?picture"), &[]);
    assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/gif")));
    assert_eq!(picture.header("content-security-policy"), Some("sandbox; default-src 'none'"));
    assert_eq!(picture.header("x-content-type-options"), Some("nosniff"));
    for none in ["shot%201.png", "drawn.svg", "README.md"] {
        assert_eq!(server.ask("GET", &format!("{files}/{none}?picture"), &[]).status, 404, "{none}");
    }
}

#[test]
fn what_is_quarantined_is_told_and_its_files_are_shown_to_nobody() {
    let (t, server) = served();
    let file = "/org/-/packages/acme/str/1.0.0/files/str.sh";
    assert_eq!(server.ask("GET", file, &[BROWSER]).status, 200);
    page(&server, "/org/-/packages/acme/str/1.0.0");
    t.weir_in("", "--registry ./data/registries/org quarantine acme/str@1.0.0 --reason 'stolen key'")
        .succeeds();
    says(
        &server,
        "/org/-/packages/acme/str/1.0.0",
        &["quarantined on", "stolen key", "Its files cannot be shown"],
    );
    says(&server, "/org/-/packages/acme/str", &["quarantined on", "stolen key"]);
    says(&server, "/org/-/search?q=str", &["1 package found", "acme/ str quarantined"]);
    let found = t.weir_in("", "--registry ./data/registries/org search str").stdout;
    assert!(found.contains("quarantined"), "{found}");
    assert_eq!(server.ask("GET", file, &[BROWSER]).status, 404);
}

#[test]
fn what_is_withdrawn_is_marked_where_it_is_needed() {
    let (t, server) = served();
    let mark = |name: &str, version: &str| {
        format!(
            "<a class=\"tag quarantined\" href=\"/org/-/packages/{name}/{version}\" title=\"{version}: a stolen key\">quarantined</a>"
        )
    };
    let (fixed, moving) = (mark("acme/str", "1.0.0"), mark("acme/names", "2026.1.0"));
    let paths = ["acme/greet", "acme/greet/1.0.0"].map(|name| format!("/org/-/packages/{name}"));
    for path in &paths {
        assert!(!page(&server, path).text().contains("quarantined"), "{path}");
    }
    for release in ["acme/str@1.0.0", "acme/names@2026.1.0"] {
        let quarantine = format!("quarantine {release} --reason 'a stolen key'");
        t.weir_in("", &format!("--registry ./data/registries/org {quarantine}")).succeeds();
    }
    for path in &paths {
        let html = page(&server, path).text();
        assert!(html.contains(&fixed) && html.contains(&moving), "{path}: {html}");
    }
    let graph = page(&server, "/org/-/packages/acme/greet/1.0.0/graph").text();
    assert!(graph.contains("acme/str 1.0.0 · quarantined") && graph.contains(&fixed), "{graph}");
    assert!(graph.contains("Needed and not offered here") && graph.contains(&moving), "{graph}");
    // Where something else may be taken, nothing keeps anybody from it.
    publish(&t, &t.package("acme/str", "1.1.0").file("new.txt", "new").write());
    publish(&t, &t.package("acme/names", "2026.2.0").kind("data").file("new.txt", "new").write());
    for path in &paths {
        let html = page(&server, path).text();
        assert!(html.contains(&fixed) && !html.contains(&moving), "{path}: {html}");
    }
}

#[test]
fn what_an_address_asks_for_and_cannot_mean_is_told() {
    let (_t, server) = served();
    for (query, told) in [
        (
            "-/search?kind=bassh",
            "<code>bassh</code> is not a kind of package: did you mean <code>bash</code>?",
        ),
        (
            "-/search?q=str&state=gone",
            "<code>gone</code> is no state: there are offered, yanked, quarantined, held",
        ),
        ("-/search?q=str&skip=x", "<code>skip</code> is a number, and <code>x</code> is none"),
        ("-/search?owner=A%20B", "A B"),
    ] {
        let html = page(&server, &format!("/org/{query}")).text();
        let notice = html.split("role=\"alert\">").nth(1).and_then(|rest| rest.split("</div>").next());
        assert!(notice.is_some_and(|notice| notice.contains(told)), "{query}: {html}");
    }
    for (path, status, told) in [
        ("-/statistics?days=x", 400, "<code>days=</code> in the address is followed by a number"),
        ("-/packages/acme/str/1.0.0/graph?zoom=x", 400, "<code>zoom=</code> in the address"),
        ("-/packages/acme/str/1.0.0/graph?of=x", 400, "<code>of=</code> in the address"),
        ("-/packages/acme/str/1.0.0?revision=x", 404, "A revision is a number, and <code>x</code> is none"),
        ("-/packages/acme/str/one", 404, "<code>one</code> is not a version"),
        ("-/packages/acme/str/1.0.0/difference?with=one", 404, "<code>one</code> is not a version"),
    ] {
        let reply = server.ask("GET", &format!("/org/{path}"), &[BROWSER]);
        assert_eq!(reply.status, status, "{path}");
        assert!(reply.text().contains(told), "{path}: {}", reply.text());
    }
}

#[test]
fn an_empty_registry_says_how_it_is_filled() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    says(
        &server,
        "/team",
        &[
            "Nothing has been published here yet",
            "weir registry add team http://registry.example/team",
            "weir init",
            "weir publish",
        ],
    );
}

#[test]
fn of_a_private_registry_no_page_tells_that_it_exists() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    t.weir_in("", "registry create secret").succeeds();
    assert!(!page(&server, "/").text().contains("secret"));
    for path in [
        "",
        "/",
        "/-/search?q=x",
        "/-/packages/acme/one",
        "/-/packages/acme/one/1.0.0",
        "/-/log/0",
        "/-/policy",
    ] {
        let nothing = server.ask("GET", &format!("/nothing{path}"), &[BROWSER]);
        let secret = server.ask("GET", &format!("/secret{path}"), &[BROWSER]);
        assert_eq!((secret.status, nothing.status), (404, 404), "{path}");
        assert_eq!(secret.text().replace("secret", "nothing"), nothing.text(), "{path}");
    }
}
