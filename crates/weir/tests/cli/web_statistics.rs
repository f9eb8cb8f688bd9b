//! Pages of how much a registry and its server are used, and of what stands above it.

use weir_testkit::{Sandbox, WeirServer};

use crate::empty;
use crate::server_accounts::{post, user};
use crate::web_acting::Browser;

/// The pack of the only release of a registry that is served, as it is asked for.
fn pack(t: &Sandbox, registry: &str) -> String {
    let below = t.path(format!("data/registries/{registry}/pack"));
    let mut waiting = vec![below];
    let mut packs = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in fs_err::read_dir(&folder).expect("it is a folder") {
            let path = entry.expect("it is one").path();
            if path.is_dir() { waiting.push(path) } else { packs.push(path) }
        }
    }
    let root = t.path("data/registries");
    let path = packs.pop().expect("there is a pack");
    format!("/{}", path.strip_prefix(root).expect("it is below").display())
}

#[test]
fn downloads_and_sizes_are_drawn_with_a_table_and_nothing_is_said_plainly() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    let mut ann = Browser::of_ann(&server);
    let nothing = ann.page("/team/-/statistics");
    for told in
        ["Nothing was downloaded from this server", "Nothing was published yet", "0 downloads in 30 days"]
    {
        assert!(nothing.contains(told), "{told}: {nothing}");
    }
    assert!(!nothing.contains("From the registries above"), "there are none");

    t.package("acme/str", "1.0.0").file("str.sh", "trim() { :; }\n").publish();
    let pack = pack(&t, "team");
    let token = t.weir_in("", "token create mirror").succeeds().stdout.trim().to_owned();
    assert_eq!(server.ask("GET", &pack, &[]).status, 200);
    for _ in 0..2 {
        assert_eq!(server.ask("GET", &pack, &[&format!("Authorization: Bearer {token}")]).status, 200);
    }
    t.package("acme/str", "1.1.0").file("str.sh", &"pad() { :; }\n".repeat(90)).publish();
    let page = ann.page("/team/-/statistics");
    for told in ["acme/str</a>", "nobody in particular", "<rect class=\"s1\"", "As a table", "known from"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let row = format!("<th scope=\"row\">{today}</th><td class=\"number\">1</td><td class=\"number\">2</td>");
    assert!(page.contains(&row), "{row}: {page}");
    assert!(ann.page("/team/-/statistics?days=365").contains("Week from"));
    assert!(ann.page("/team/-/statistics?days=7").contains("in 30 days"), "what nobody offers is the usual");

    let package = ann.page("/team/-/packages/acme/str");
    for told in
        ["3 downloads in 30 days", "Unpacked bytes, version by version", "<th scope=\"row\">1.1.0</th>"]
    {
        assert!(package.contains(told), "{told}: {package}");
    }
}

#[test]
fn how_a_server_answers_is_told_to_administrators_and_survives_it() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    let bob = user(&t, &server, "bob", "--group team");
    let mut bob = Browser::signed_in_by(&server, &bob);
    assert_eq!(bob.get("/-/statistics").status, 403);
    assert_eq!(Browser::new(&server).get("/-/statistics").status, 401);
    let page = Browser::of_ann(&server).page("/-/statistics");
    for told in ["requests in 30 days", "the server failed at 0.", "within 1 ms", "href=\"/team/-/statistics"]
    {
        assert!(page.contains(told), "{told}: {page}");
    }
    drop(server);
    let server = WeirServer::start(&t, "data", &[]);
    let again = Browser::of_ann(&server).page("/-/statistics");
    let requests = |page: &str| {
        let (before, _) = page.split_once(" requests in 30 days").expect("it tells");
        before.rsplit('>').next().and_then(|number| number.parse::<u64>().ok()).expect("it is a number")
    };
    assert!(requests(&again) > requests(&page), "{} {}", requests(&again), requests(&page));
}

#[test]
fn the_registries_above_are_told_with_the_state_of_each_and_what_was_brought_is_counted() {
    let t = empty();
    let public = WeirServer::start(&t, "public-data", &[]);
    t.weir_in("", "registry init public-data/registries/public --name public").succeeds();
    let folder = t.package("lib/str", "1.0.0").write();
    t.weir_in("", &format!("--registry ./public-data/registries/public publish {folder}")).succeeds();
    let team = WeirServer::with_team(&t, &[]);
    t.weir_in("", &format!("registry upstream add {}/public", public.url())).succeeds();
    t.weir_in("", "policy set --built-in team --with size").succeeds();
    let bob = user(&t, &team, "bob", "--group team");
    let mut ann = Browser::of_ann(&team);
    let before = ann.page("/team");
    for told in [
        "Registries above",
        "<strong>public</strong>",
        "Nothing of it was admitted yet",
        "what is asked for is admitted",
    ] {
        assert!(before.contains(told), "{told}: {before}");
    }
    // The policy in a sentence and as chips.
    for told in ["The group team reads and publishes", ">size</a>"] {
        assert!(before.contains(told), "{told}: {before}");
    }
    let ask = serde_json::json!({ "requirements": [{ "name": "lib/str", "range": "*" }] });
    assert_eq!(post(&team, "/team/api/v1/ask", Some(&bob), &ask).status, 200);
    let after = ann.page("/team");
    for told in ["answered just now", "Admitted up to entry", "that are known, signed", public.url()] {
        assert!(after.contains(told), "{told}: {after}");
    }
    // The files of what was admitted come when somebody wants them.
    assert!(ann.page("/team/-/packages/lib/str/1.0.0").contains("content.txt"));
    let statistics = ann.page("/team/-/statistics");
    for told in ["From the registries above", "1 content was brought", "How long that took on average"] {
        assert!(statistics.contains(told), "{told}: {statistics}");
    }
    drop(public);
    post(&team, "/team/api/v1/ask", Some(&bob), &ask);
    let ask = serde_json::json!({ "requirements": [{ "name": "lib/other", "range": "*" }] });
    post(&team, "/team/api/v1/ask", Some(&bob), &ask);
    let unreached = ann.page("/team");
    assert!(unreached.contains("not reached just now"), "{unreached}");
}
