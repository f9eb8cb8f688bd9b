//! The pages in a browser: Debian's Chromium, without a window, driven by `bench/web/visit`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use weir_testkit::WeirServer;

use crate::empty;
use crate::web_acting::{Browser, hidden};

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

/// A curator's day, as the guide tells it, with what the demonstration has for it.
fn a_curators_day(address: SocketAddr) {
    let [mut ann, mut bob] = ["ann", "bob"].map(|name| {
        let mut browser = Browser::at(address);
        browser.sign_in(name, "weir-demonstration");
        browser
    });
    // In the morning: what is held is looked at where it is, compared, and let in.
    let csv = "/-/packages/tables/csv/2.0.0";
    let queue = "/demo/-/queue";
    assert!(ann.page(queue).contains(&format!("href=\"/public{csv}\"")));
    assert!(ann.page(&format!("/public{csv}")).contains("csv.awk"));
    let difference = ann.page(&format!("/public{csv}/difference"));
    assert!(difference.contains("1.9.0") && difference.contains("class=\"new\""), "{difference}");
    let held = "release=tables%2Fcsv+2.0.0&reason=I+read+it";
    let admitted = ann.done(queue, "/demo/-/queue/admit", held);
    assert!(admitted.contains("<code>tables/csv 2.0.0</code> was admitted"), "{admitted}");
    assert!(admitted.contains("csv.awk"), "its files are here: {admitted}");
    // A promotion that somebody else asked for is approved by two.
    let stable = "/stable/-/queue";
    for (browser, came) in [(&mut ann, "it waits for others"), (&mut bob, "that was enough: it is here now")]
    {
        let waits = browser.page(stable);
        assert!(waits.contains("asked for by cem"), "{waits}");
        let fields = format!("request={}&reason=it+is+good", hidden(&waits, "request"));
        let approved = browser.done(stable, "/stable/-/queue/approve", &fields);
        assert!(
            approved.contains("You approved <code>acme/str 1.1.0</code>") && approved.contains(came),
            "{approved}"
        );
    }
    assert!(bob.page("/stable/-/packages/acme/str/1.1.0").contains("promoted"));
    // At noon: a bad one is found, read, withdrawn, and whom it reaches is named.
    assert!(ann.page("/demo/-/search?q=slugs").contains("tools/slugs"));
    let slugs = "/demo/-/packages/tools/slugs/1.2.0";
    assert!(ann.page(&format!("{slugs}/files/src/slugs.sh")).contains("collect.example"));
    let quarantined = ann.done(slugs, &format!("{slugs}/withdraw"), "verb=quarantine&reason=it+sends+away");
    assert!(quarantined.contains("<code>tools/slugs 1.2.0</code> is quarantined"), "{quarantined}");
    assert!(ann.page(&format!("{slugs}/impact")).contains("acme/report"));
    // In the evening: another was a mistake.
    let speedup = "/demo/-/packages/tools/speedup/1.0.0/withdraw";
    let taken_back = ann.done(queue, speedup, "verb=unquarantine&reason=it+was+another&back=queue");
    assert!(taken_back.contains("<code>tools/speedup 1.0.0</code> is quarantined no longer"), "{taken_back}");
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
    let socket = address.parse().expect("it is an address with a port");
    a_curators_day(socket);
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
