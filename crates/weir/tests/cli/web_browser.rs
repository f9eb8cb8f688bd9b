//! The pages in a browser: Debian's Chromium, without a window, driven by `bench/web/visit`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use weir_testkit::WeirServer;

use crate::empty;

#[test]
fn a_browser_finds_nothing_wrong_and_scripts_and_a_mouse_are_not_needed() {
    if Command::new("chromium").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `chromium` here, which Debian has in the package of that name");
        return;
    }
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    let readme = "# Str\n\nTrims *strings*, [quickly](str.sh).\n\n```bash\nstr.trim name\n```\n\n| a | b |\n| - | - |\n| 1 | 2 |\n";
    let long = format!("overlong/{}", "a-very-long-name-of-a-package-".repeat(2).trim_end_matches('-'));
    t.package(&long, "1.0.0").description(&"word".repeat(60)).file("a", "a").publish();
    let many = ["10000000000000000000"; 3].join(".");
    for version in [format!("{many}-{}", "very-long.".repeat(6).trim_end_matches('.')), many] {
        t.package("overlong/version", &version).file("a", "a").publish();
    }
    t.package("acme/str", "1.0.0")
        .dependency(&long, "^1")
        .dependency("overlong/version", "*")
        .file("README.md", readme)
        .file("str.sh", "x() { :; }\n")
        .publish();
    let long = "a-long-name-".repeat(12);
    t.weir_in("", &format!("webhook add ci https://ci.example/{long} --event release.published --of team"))
        .succeeds();
    t.weir_in("", "webhook test ci").fails_with(1);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/web/visit");
    let mut visit = Command::new("python3");
    visit.arg(script).args([server.url(), "team", "acme/str", "1.0.0", "ann", "correct horse"]);
    // What looks at how accessible they are is fetched by `./test`, where npm is.
    if let Some(axe) = std::env::var_os("WEIR_TEST_AXE") {
        visit.arg(axe);
    }
    let visited = visit.output().expect("python3 can be run");
    let said = String::from_utf8_lossy(&visited.stdout);
    assert!(visited.status.success(), "{said}\n{}", String::from_utf8_lossy(&visited.stderr));
}

#[test]
fn a_demonstration_is_served_until_it_is_interrupted_and_leaves_nothing() {
    let t = empty();
    t.write("tmp/kept", "");
    let folder = t.path("tmp");
    let words = ["demo", "--serve", "--minutes", "5"].map(str::to_owned);
    let mut demo = t
        .command("", &words, &[("TMPDIR", folder.to_str().expect("it is text"))])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be run");
    let mut said = String::new();
    let mut lines = BufReader::new(demo.stdout.take().expect("stdout is piped"));
    while !said.contains("password") && lines.read_line(&mut said).expect("it says where it is") > 0 {}
    let address = said.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next());
    let Some(address) = address else {
        let ended = demo.wait_with_output().expect("it can be waited for");
        panic!("no address is told: {said}\n{}", String::from_utf8_lossy(&ended.stderr));
    };
    let page = |path: &str| {
        let mut stream = TcpStream::connect(address).expect("it takes connections");
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("the request is taken");
        let mut page = String::new();
        stream.read_to_string(&mut page).expect("there is an answer");
        page
    };
    let queue = page("/demo/-/queue");
    assert!(
        queue.contains("href=\"/public/-/packages/tables/csv/2.0.0\""),
        "what is held can be read above: {queue}"
    );
    let page = page("/demo");
    for wanted in ["acme/greet", "acme/texts", "acme/names", "tools/speedup", "quarantined", "yanked"] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    let killed = Command::new("kill").args(["-INT", &demo.id().to_string()]).status();
    assert!(killed.expect("there is `kill`").success());
    assert_eq!(demo.wait().expect("it can be waited for").code(), Some(130));
    let left: Vec<_> = fs_err::read_dir(folder)
        .expect("it is there")
        .map(|entry| entry.expect("it is one").file_name())
        .collect();
    assert_eq!(left, ["kept"]);
    assert!(TcpStream::connect(address).is_err(), "the server is gone");
}
