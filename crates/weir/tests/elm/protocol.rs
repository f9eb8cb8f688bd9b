//! What Elm's own tools ask a registry of a server: lists, files, archives, and how they publish.

use std::process::Command;

use weir_testkit::{Reply, Sandbox, WeirServer};

use crate::{application, copy_set, documented_string_package, package};

/// A server with a registry `team` that everybody may read, and Elm's core and JSON packages in it.
pub(crate) fn served() -> (Sandbox, WeirServer) {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    let server = WeirServer::with_team(&t, &[]);
    copy_set(&t);
    t.weir_in("", "publish core json").succeeds();
    (t, server)
}

fn get(server: &WeirServer, path: &str) -> Reply {
    server.ask("GET", &format!("/team/elm/0.19.1/{path}"), &[])
}

/// The header line of a token that ann made.
pub(crate) fn token(t: &Sandbox) -> String {
    t.weir_in("", "token create test").succeeds().stdout.trim().to_owned()
}

#[test]
fn releases_are_counted_in_the_order_of_the_log_and_each_compiler_is_told_of_its_own() {
    let (t, server) = served();
    documented_string_package(&t, "1.0.0", "trim");
    documented_string_package(&t, "1.0.1", "trim");
    package(
        &t,
        "next",
        "1.0.0",
        &[],
        "module Next exposing (a)\n\n{-| @docs a\n-}\n\n\n{-| -}\na : Int\na =\n    1\n",
    );
    t.write("next/elm.json", t.read("next/elm.json").replace("0.19.0 <= v", "0.19.3 <= v"));
    t.weir_in("", "publish next").succeeds();
    let all = r#"{"acme/str":["1.0.0","1.0.1"],"elm/core":["1.0.5"],"elm/json":["1.1.3"]}"#;
    for method in ["POST", "GET"] {
        let told = server.ask(method, "/team/elm/0.19.1/all-packages", &[]);
        assert_eq!((told.status, told.text().as_str()), (200, all), "{method}");
    }
    let later = server.ask("GET", "/team/elm/0.19.3/all-packages", &[]).text();
    assert!(later.contains(r#""acme/next":["1.0.0"]"#), "{later}");
    assert_eq!(get(&server, "all-packages/since/2").text(), r#"["acme/str@1.0.1","acme/str@1.0.0"]"#);
    assert_eq!(get(&server, "all-packages/since/4").text(), "[]");
    assert_eq!(get(&server, "all-packages/since/99").text(), "[]");

    // What is withdrawn is told to nobody any more, and those after it keep their numbers.
    t.weir_in("", "quarantine acme/str@1.0.0 --reason 'a test'").succeeds();
    assert_eq!(get(&server, "all-packages/since/3").text(), r#"["acme/str@1.0.1"]"#);
    assert_eq!(get(&server, "all-packages/since/2").text(), r#"["acme/str@1.0.1"]"#);
    assert!(get(&server, "all-packages").text().contains(r#""acme/str":["1.0.1"]"#));
    assert_eq!(get(&server, "packages/acme/str/1.0.0/elm.json").status, 404);
    t.weir_in("", "unquarantine acme/str@1.0.0").succeeds();
    assert_eq!(get(&server, "all-packages").text(), all);
    // A server that begins anew counts the same.
    drop(server);
    let server = WeirServer::start(&t, "data", &[]);
    assert_eq!(get(&server, "all-packages/since/3").text(), r#"["acme/str@1.0.1"]"#);

    let found: serde_json::Value = serde_json::from_slice(&get(&server, "search.json").body).unwrap();
    assert_eq!(found[0]["name"], "acme/str");
    assert_eq!((&found[0]["version"], &found[0]["license"]), (&"1.0.1".into(), &"MIT".into()));
    let times: serde_json::Value =
        serde_json::from_slice(&get(&server, "packages/acme/str/releases.json").body).unwrap();
    assert!(times["1.0.0"].as_i64().unwrap() > 1_700_000_000, "{times}");
    assert_eq!(get(&server, "packages/acme/none/releases.json").status, 404);
    assert!(get(&server, "capabilities").text().contains("full-source-storage"));
}

#[test]
fn a_list_that_is_known_is_not_sent_again_and_who_only_looks_gets_its_head() {
    let (_t, server) = served();
    let told = get(&server, "all-packages");
    let tag = format!("If-None-Match: {}", told.header("etag").unwrap());
    let again = server.ask("POST", "/team/elm/0.19.1/all-packages", &[&tag]);
    assert_eq!((again.status, again.body.len()), (304, 0));
    let head = server.ask("HEAD", "/team/elm/0.19.1/all-packages", &[]);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("etag"), told.header("etag"));
    assert_eq!(head.header("content-length"), Some(told.body.len().to_string().as_str()));
    for none in
        ["all-packages/", "all-packages/since/x", "packages/elm/core/1.0.5/src/List.elm", "../checkpoint"]
    {
        assert_eq!(get(&server, none).status, 404, "{none}");
    }
    assert_eq!(server.ask("GET", "/team/elm/latest/all-packages", &[]).status, 404);
    assert_eq!(server.ask("DELETE", "/team/elm/0.19.1/all-packages", &[]).status, 405);
}

#[test]
fn a_release_is_handed_out_as_files_and_as_an_archive_that_is_the_same_every_time() {
    let (t, server) = served();
    documented_string_package(&t, "1.0.0", "trim");
    let at = "packages/acme/str/1.0.0";
    assert_eq!(get(&server, &format!("{at}/elm.json")).text(), t.read("str/elm.json"));
    assert!(get(&server, &format!("{at}/docs.json")).text().contains("\"trim\""));
    assert_eq!(get(&server, &format!("{at}/README.md")).text(), "# acme/str\n");
    let endpoint: serde_json::Value =
        serde_json::from_slice(&get(&server, &format!("{at}/endpoint.json")).body).unwrap();
    let url = endpoint["url"].as_str().unwrap();
    assert_eq!(url, "http://registry.example/team/elm/0.19.1/packages/acme/str/1.0.0/package.zip");
    let archive = get(&server, &format!("{at}/package.zip"));
    fs_err::write(t.path("str.zip"), &archive.body).unwrap();
    let sha1 = Command::new("sha1sum").arg(t.path("str.zip")).output().unwrap().stdout;
    assert!(String::from_utf8_lossy(&sha1).starts_with(endpoint["hash"].as_str().unwrap()));
    let list = "import sys, zipfile\nfor one in zipfile.ZipFile(sys.argv[1]).namelist(): print(one)";
    let names = Command::new("python3").args(["-c", list]).arg(t.path("str.zip")).output().unwrap().stdout;
    assert_eq!(
        String::from_utf8_lossy(&names).lines().collect::<Vec<_>>(),
        ["", "README.md", "elm.json", "src/", "src/Str.elm"].map(|path| format!("acme-str-1.0.0/{path}"))
    );
    drop(server);
    let server = WeirServer::start(&t, "data", &[]);
    assert_eq!(get(&server, &format!("{at}/package.zip")).body, archive.body);
    // Documentation that nobody could make is empty, not missing.
    package(&t, "low", "1.0.1", &[], "module Low exposing (a)\n\na : Int\na =\n    1\n");
    t.weir_with("", "publish low", &[("PATH", "/nowhere")]);
    let docs = get(&server, "packages/acme/low/1.0.1/docs.json");
    assert!(docs.status == 404 || docs.text() == "[]", "{}", docs.text());
}

#[test]
fn an_archive_that_is_sent_is_a_download_and_what_else_is_asked_for_is_none() {
    let (t, server) = served();
    let count = || {
        let told = t.weir_in("", "downloads elm/core --json").succeeds().stdout;
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        told["total"]["anonymous"].as_u64().unwrap()
    };
    let before = count();
    let at = "packages/elm/core/1.0.5";
    for file in ["elm.json", "docs.json", "README.md", "endpoint.json"] {
        assert_eq!(get(&server, &format!("{at}/{file}")).status, 200, "{file}");
    }
    let archive = format!("/team/elm/0.19.1/{at}/package.zip");
    let tag = server.ask("HEAD", &archive, &[]).header("etag").unwrap().to_owned();
    assert_eq!(server.ask("GET", &archive, &[&format!("If-None-Match: {tag}")]).status, 304);
    assert_eq!(count(), before);
    assert_eq!(server.ask("GET", &archive, &[]).status, 200);
    assert_eq!(count(), before + 1);
}

#[test]
fn a_private_registry_is_as_none_and_a_token_is_taken_in_every_way_that_elms_tools_know() {
    let (t, server) = served();
    t.weir_in("", "registry create secret").succeeds();
    t.weir_in("", &format!("registry add secret {}/secret --user", server.url())).succeeds();
    t.weir_in("", "--registry secret publish core").succeeds();
    let ask = |line: &str| {
        let lines: Vec<&str> = [line].into_iter().filter(|line| !line.is_empty()).collect();
        server.ask("POST", "/secret/elm/0.19.1/all-packages", &lines)
    };
    let strange = server.ask("POST", "/none/elm/0.19.1/all-packages", &[]);
    assert_eq!((ask("").status, ask("").body), (404, strange.body));
    let token = token(&t);
    let pair = basic("ann", &token);
    for line in [
        format!("Authorization: Bearer {token}"),
        format!("Authorization: {pair}"),
        format!("Proxy-Authorization: {pair}"),
        format!("Authorization: CustomZokkaRepoAuthToken {token}"),
    ] {
        assert_eq!(ask(&line).text(), r#"{"elm/core":["1.0.5"]}"#, "{line}");
        assert_eq!(ask(&line).header("cache-control"), Some("private, no-cache"));
    }
    assert_eq!(ask("Authorization: CustomZokkaRepoAuthToken weir_wrong").status, 401);
}

#[test]
fn an_archive_of_a_private_registry_is_fetched_without_a_credential_by_the_address_that_was_told_with_one() {
    let (t, server) = served();
    t.weir_in("", "registry create secret").succeeds();
    t.weir_in("", &format!("registry add secret {}/secret --user", server.url())).succeeds();
    t.weir_in("", "--registry secret publish core json").succeeds();
    let token = token(&t);
    // As elm-wrap asks, whose address has the credential: it is sent to where the address is, and not to where an answer leads.
    let basic = format!("Authorization: {}", basic("ann", &token));
    let at = "/secret/elm/0.19.1/packages/elm/core/1.0.5";
    let told = server.ask("GET", &format!("{at}/endpoint.json"), &[&basic]);
    assert_eq!(told.header("cache-control"), Some("private, no-cache"));
    let told: serde_json::Value = serde_json::from_slice(&told.body).unwrap();
    let url = told["url"].as_str().unwrap();
    let (plain, ticket) = url.split_once('?').unwrap();
    assert_eq!(plain, format!("http://registry.example{at}/package.zip"));
    assert!(!url.contains(&token), "{url}");
    let archive = |path: &str, ticket: &str| server.ask("GET", &format!("{path}?{ticket}"), &[]);
    let mine = format!("{at}/package.zip");
    let fetched = archive(&mine, ticket);
    assert_eq!(fetched.status, 200);
    assert_eq!(fetched.body, server.ask("GET", &mine, &[&basic]).body);
    assert_eq!(fetched.header("cache-control"), Some("private, max-age=86400"));
    // It is good for that archive alone, and is nothing that anybody could guess.
    let other = "/secret/elm/0.19.1/packages/elm/json/1.1.3/package.zip";
    for (path, ticket) in [
        (other, ticket),
        (mine.as_str(), "ticket="),
        (mine.as_str(), "ticket=0123456789abcdef"),
        (mine.as_str(), ""),
        (&mine.replace("package.zip", "elm.json"), ticket),
    ] {
        assert_eq!(archive(path, ticket).status, 404, "{path}?{ticket}");
    }
    // A token that is revoked is good for nothing any longer.
    t.weir_in("", "token revoke test").succeeds();
    assert_eq!(archive(&mine, ticket).status, 401);
    // Nobody needs one where everybody may read.
    let told = get(&server, "packages/elm/core/1.0.5/endpoint.json").text();
    assert!(!told.contains("ticket"), "{told}");
}

/// A credential as a pair of a name and a secret.
fn basic(name: &str, secret: &str) -> String {
    let pair = Command::new("python3")
        .args(["-c", "import base64, sys; print(base64.b64encode(sys.argv[1].encode()).decode())"])
        .arg(format!("{name}:{secret}"))
        .output()
        .unwrap();
    format!("Basic {}", String::from_utf8(pair.stdout).unwrap().trim())
}

/// The body of a request with parts, and its header line.
fn parts(parts: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, bytes) in parts {
        body.extend(
            format!(
                "--limit\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\r\n"
            )
            .bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--limit--\r\n");
    ("Content-Type: multipart/form-data; boundary=limit".into(), body)
}

/// A zip archive of a folder, made by a program that is not ours, with `more` in it besides.
pub(crate) fn zipped(t: &Sandbox, folder: &str, more: &str) -> Vec<u8> {
    let script = "import os, sys, zipfile
z = zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED)
for place, _, names in sorted(os.walk(sys.argv[1])):
    for name in sorted(names):
        path = os.path.join(place, name)
        z.write(path, 'top/' + os.path.relpath(path, sys.argv[1]))
if sys.argv[3]: z.writestr(sys.argv[3], 'more')
z.close()";
    let to = t.path("made.zip");
    let run = Command::new("python3").args(["-c", script]).arg(t.path(folder)).arg(&to).arg(more).status();
    assert!(run.unwrap().success());
    fs_err::read(to).unwrap()
}

#[test]
fn a_package_is_published_with_zokkas_and_with_elms_own_request_once_its_sources_come_along() {
    let (t, server) = served();
    let module = "module Str exposing (trim)\n\n{-| @docs trim\n-}\n\n\n{-| -}\ntrim : String -> String\ntrim text =\n    text\n";
    package(&t, "str", "1.0.0", &[], module);
    let archive = zipped(&t, "str", "");
    let manifest = t.read("str/elm.json").into_bytes();
    let docs: &[u8] = br#"[{"name":"Str","comment":" @docs trim\n","unions":[],"aliases":[],"values":[{"name":"trim","comment":"","type":"String.String -> String.String"}],"binops":[]}]"#;
    let (kind, body) = parts(&[
        ("elm.json", &manifest),
        ("docs.json", docs),
        ("README.md", b"# acme/str\n"),
        ("package.zip", &archive),
    ]);
    let bearer = format!("Authorization: CustomZokkaRepoAuthToken {}", token(&t));
    let post = |how: &str, lines: &[&str], body: &[u8]| {
        let lines: Vec<&str> = lines.iter().copied().chain([kind.as_str()]).collect();
        let reply = server.say("POST", &format!("/team/elm/0.19.1/{how}"), &lines, body);
        (reply.status, reply.text())
    };
    let upload = "upload-package?name=acme/str&version=1.0.0";
    assert_eq!(post(upload, &[], &body).0, 401, "nobody publishes who has not signed in");
    assert_eq!(post(upload, &[&bearer], &body), (200, String::new()));
    assert_eq!(post(upload, &[&bearer], &body), (200, String::new()), "publishing it once more is harmless");
    assert_eq!(get(&server, "packages/acme/str/1.0.0/docs.json").body, docs);
    assert!(t.weir_in("", "info acme/str").succeeds().stdout.contains("1.0.0"));
    t.weir_in("", "registry verify team --content").succeeds();

    let lies = docs.to_vec().to_ascii_lowercase();
    let other_docs = String::from_utf8_lossy(docs).replace("\"Str\"", "\"Other\"").into_bytes();
    let typed = String::from_utf8_lossy(docs).replace("-> String.String", "-> Basics.Int").into_bytes();
    let more = String::from_utf8_lossy(docs).replace("\"name\":\"trim\"", "\"name\":\"cut\"").into_bytes();
    for (lie, why) in [
        (lies, "is no name of a module"),
        (other_docs, "does not expose"),
        (typed, "it says `trim : String -> Int`, and the source of the module does not"),
        (more, "it tells of `cut`, which the module does not expose"),
    ] {
        let (_, lying) = parts(&[("elm.json", &manifest), ("docs.json", &lie), ("package.zip", &archive)]);
        let (status, said) = post(upload, &[&bearer], &lying);
        assert!(status == 400 && said.contains(why), "{status} {said}");
    }

    // The other publisher of the same version is told.
    t.write("str/src/Str.elm", module.replace("text\n", "text ++ text\n"));
    let other = zipped(&t, "str", "");
    let (_, changed) = parts(&[("elm.json", &manifest), ("docs.json", docs), ("package.zip", &other)]);
    let (status, said) = post(upload, &[&bearer], &changed);
    assert!(status == 409 && said.contains("a release never changes"), "{status} {said}");

    // As the compiler sends it, without the sources: they are GitHub's, which nobody is asked.
    let (_, bare) =
        parts(&[("elm.json", &manifest), ("docs.json", docs), ("README.md", b"x"), ("github-hash", b"{}")]);
    let register = "register?name=acme/str&version=1.0.1&commit-hash=0123";
    let (status, said) = post(register, &[&bearer], &bare);
    assert!(status == 400 && said.contains("`weir run -- elm publish`"), "{status} {said}");
    let (status, said) = post(register, &[&bearer], &body);
    assert!(status == 400 && said.contains("`acme/str 1.0.0`"), "{status} {said}");
}

#[test]
fn an_archive_as_zokka_makes_it_is_published_with_the_readme_that_came_beside_it() {
    let (t, server) = served();
    package(
        &t,
        "str",
        "1.0.0",
        &[],
        "module Str exposing (a)\n\n{-| @docs a\n-}\n\n\n{-| -}\na : Int\na =\n    1\n",
    );
    // Its first entry is the folder that all of it is in, which has no name; README and licence are not in it.
    let script = "import sys, zipfile
z = zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_DEFLATED)
def put(name, mode, bytes):
    one = zipfile.ZipInfo('x')
    one.filename, one.external_attr, one.create_system = name, mode << 16, 3
    z.writestr(one, bytes)
read = lambda name: open(sys.argv[2] + '/' + name, 'rb').read()
put('', 0o40755, b'')
put('elm.json', 0o100644, read('elm.json'))
put('src/', 0o40755, b'')
put('src/Str.elm', 0o100644, read('src/Str.elm'))
z.close()";
    let (to, folder) = (t.path("zokka.zip"), t.path("str"));
    let run = Command::new("python3").args(["-c", script]).arg(&to).arg(folder).status();
    assert!(run.unwrap().success());
    let (kind, body) = parts(&[
        ("elm.json", &t.read("str/elm.json").into_bytes()),
        ("docs.json", br#"[{"name":"Str","comment":" @docs a\n","unions":[],"aliases":[],"values":[{"name":"a","comment":" ","type":"Basics.Int"}],"binops":[]}]"#),
        ("README.md", b"# Texts, by Zokka\n"),
        ("package.zip", &fs_err::read(to).unwrap()),
    ]);
    let token = format!("Authorization: CustomZokkaRepoAuthToken {}", token(&t));
    let upload = "/team/elm/0.19.1/upload-package?name=acme%2Fstr&version=1.0.0";
    let reply = server.say("POST", upload, &[&token, &kind], &body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(get(&server, "packages/acme/str/1.0.0/README.md").text(), "# Texts, by Zokka\n");
    assert_eq!(get(&server, "packages/acme/str/1.0.0/elm.json").text(), t.read("str/elm.json"));
    application(&t, "0.19.1");
    t.weir("add acme/str").succeeds();
}

#[test]
fn a_hostile_archive_is_refused_and_leaves_nothing() {
    let (t, server) = served();
    package(&t, "str", "1.0.0", &[], "module Str exposing (a)\n\na : Int\na =\n    1\n");
    let bearer = format!("Authorization: Bearer {}", token(&t));
    let manifest = t.read("str/elm.json").into_bytes();
    for (name, said) in [
        ("../evil", "`package.zip` is not taken"),
        ("/etc/evil", "`package.zip` is not taken"),
        ("top/src/../../../evil", "`package.zip` is not taken"),
    ] {
        let archive = zipped(&t, "str", name);
        let (kind, body) = parts(&[("elm.json", &manifest), ("package.zip", &archive)]);
        let path = "/team/elm/0.19.1/upload-package?name=acme/str&version=1.0.0";
        let reply = server.say("POST", path, &[&bearer, &kind], &body);
        assert!(
            reply.status == 400 && reply.text().contains(said),
            "{name}: {} {}",
            reply.status,
            reply.text()
        );
    }
    // What `weir publish` refuses, and an archive with more than one folder at its top.
    for (name, said) in [
        ("top/.env", "`.env` is probably a secret"),
        ("top/deploy/id_ed25519", "`deploy/id_ed25519` is probably a secret"),
        ("other/file", "has no `elm.json` in the one folder"),
    ] {
        let archive = zipped(&t, "str", name);
        let (kind, body) = parts(&[("elm.json", &manifest), ("package.zip", &archive)]);
        let path = "/team/elm/0.19.1/upload-package?name=acme/str&version=1.0.0";
        let reply = server.say("POST", path, &[&bearer, &kind], &body);
        assert!(
            reply.status == 400 && reply.text().contains(said),
            "{name}: {} {}",
            reply.status,
            reply.text()
        );
    }
    for body in [
        &b"no parts at all"[..],
        b"--limit\r\nContent-Disposition: form-data; name=\"package.zip\"\r\n\r\nno zip\r\n--limit--\r\n",
    ] {
        let path = "/team/elm/0.19.1/upload-package?name=acme/str&version=1.0.0";
        let lines = [bearer.as_str(), "Content-Type: multipart/form-data; boundary=limit"];
        assert_eq!(server.say("POST", path, &lines, body).status, 400);
    }
    assert_eq!(get(&server, "packages/acme/str/releases.json").status, 404);
}
