//! Deciding on the pages of a server: what is held, what waits, what the policy is.

use weir_testkit::{Sandbox, WeirServer};

use crate::empty;
use crate::promoting::{asked, with_approvals};
use crate::server_accounts::{post, user};
use crate::web_acting::{Browser, encoded, filled_in, hidden};

/// A rule that only curators get past.
const COOLDOWN: &str = "@id(\"cooldown\")
@reason(\"it was published less than seven days ago\")
forbid (principal, action == Action::\"admit\", resource)
unless { principal in Group::\"curators\" || (resource has published && context.now.durationSince(resource.published) >= duration(\"7d\")) };
";

/// A registry `public` above `team`, with `lib/str` in it that `bob` asked for and that is held; his token, too.
pub(crate) fn with_a_held_release(t: &Sandbox) -> (WeirServer, WeirServer, String) {
    let public = WeirServer::start(t, "public-data", &[]);
    t.weir_in("", "registry init public-data/registries/public --name public").succeeds();
    let folder = t.package("lib/str", "1.0.0").write();
    t.weir_in("", &format!("--registry ./public-data/registries/public publish {folder}")).succeeds();
    let team = WeirServer::with_team(t, &[]);
    t.weir_in("", &format!("registry upstream add {}/public", public.url())).succeeds();
    t.write("policy/cooldown.cedar", COOLDOWN);
    t.weir_in("", "policy set --built-in team --with size").succeeds();
    t.weir_in("", "policy set policy/cooldown.cedar --dry-run").fails_with(4);
    let folder = t.path("data/registries/team/policy");
    let files = [folder.join("team.cedar"), folder.join("size.cedar")].map(|path| path.display().to_string());
    t.weir_in("", &format!("policy set {} policy/cooldown.cedar", files.join(" "))).succeeds();
    let bob = user(t, &team, "bob", "--group team");
    let ask = serde_json::json!({ "requirements": [{ "name": "lib/str", "range": "*" }] });
    let reply = post(&team, "/team/api/v1/ask", Some(&bob), &ask);
    assert_eq!(reply.status, 200, "{}", reply.text());
    (public, team, bob)
}

#[test]
fn a_release_that_is_held_is_admitted_by_whom_the_policy_lets_and_by_nobody_else() {
    let t = empty();
    let (_public, team, bob) = with_a_held_release(&t);
    let mut bob = Browser::signed_in_by(&team, &bob);
    let queue = bob.page("/team/-/queue");
    for told in
        ["lib/str", "1.0.0", "published less than seven days ago", "<code>cooldown</code>", "from public"]
    {
        assert!(queue.contains(told), "{told}: {queue}");
    }
    let searched = bob.page("/team/-/search?q=str");
    assert!(
        searched.contains("tag held") && searched.contains("lib/str"),
        "what is held is found: {searched}"
    );
    let gone = bob.get("/team/-/packages/lib/str");
    assert_eq!(gone.status, 404);
    assert!(gone.text().contains("is held by the rule"), "{}", gone.text());
    let held = "release=lib%2Fstr+1.0.0";
    let refused = bob.send("/team/-/queue", "/team/-/queue/admit", &format!("{held}&reason=I+need+it"));
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("<code>cooldown</code>"), "{}", refused.text());
    let silent = bob.send("/team/-/queue", "/team/-/queue/admit", held);
    assert_eq!(silent.status, 422, "{}", silent.text());

    t.weir_in("", "user groups ann admins curators").succeeds();
    let mut ann = Browser::of_ann(&team);
    let admitted = ann.send("/team/-/queue", "/team/-/queue/admit", &format!("{held}&reason=I+read+it"));
    let release = "/team/-/packages/lib/str/1.0.0";
    assert_eq!((admitted.status, admitted.header("location")), (303, Some(release)), "{}", admitted.text());
    let here = ann.page(release);
    assert!(
        here.contains("admitted just now by ann, from public"),
        "who let it in did not publish it: {here}"
    );
    assert!(!here.contains("published"), "{here}");
    assert!(ann.page("/team/-/queue").contains("Nothing that somebody asked for is kept out"));
    let activity = ann.page("/-/activity?about=lib/str");
    let events: Vec<&str> = activity.split("<li>").skip(1).collect();
    // What curators may that others may not: one came in by them, one was turned away, and one kept out before.
    let wanted: [&[&str]; 3] = [
        &["<strong>admitted</strong> lib/str 1.0.0", "by ann", "rule <code>", "I read it"],
        &["refused</span>", "<strong>admitted</strong> lib/str 1.0.0", "by bob", "cooldown", "is held still"],
        &["refused</span>", "<strong>admitted</strong> lib/str 1.0.0", "by bob", "cooldown", "seven days"],
    ];
    assert_eq!(events.len(), wanted.len(), "{activity}");
    for (event, told) in events.iter().zip(wanted) {
        assert!(told.iter().all(|told| event.contains(told)), "{told:?}: {event}");
    }
    let policy = ann.page("/team/-/policy");
    let rule = policy.split("<tr>").find(|row| row.contains("<code>cooldown</code>")).unwrap_or_default();
    assert!(rule.contains("admitted 2 refused"), "what it kept out is counted: {policy}");
    t.project(&["lib/str = ^1"]);
    t.weir("install").succeeds();
}

#[test]
fn promotions_are_approved_and_refused_with_a_reason_by_who_may() {
    let (t, server) = with_approvals();
    let tokens = ["bob", "cat"].map(|name| user(&t, &server, name, "--group admins"));
    let eve = user(&t, &server, "eve", "");
    let request = asked(&t, "acme/greet@1.0.0");
    let [mut bob, mut cat, mut eve] =
        [&*tokens[0], &*tokens[1], &*eve].map(|token| Browser::signed_in_by(&server, token));
    assert!(!eve.page("/public/-/queue").contains(&request), "who may not approve it is told nothing");
    let fields = format!("request={request}&reason=it+is+good");
    assert_eq!(
        eve.send("/public/-/queue", "/public/-/queue/approve", &format!("seen=x&{fields}")).status,
        404
    );
    let mut ann = Browser::of_ann(&server);
    let own = ann.page("/public/-/queue");
    assert!(own.contains(&request) && own.contains("take it back") && !own.contains(">approve<"), "{own}");

    let approve =
        |browser: &mut Browser| browser.send("/public/-/queue", "/public/-/queue/approve", &fields).status;
    let waits = bob.page("/public/-/queue");
    assert!(waits.contains(">approve<"), "{waits}");
    // Where it comes from is not on this server: it is compared by its tree, and no link leads to where it is not yet.
    assert!(waits.contains("<strong>acme/greet 1.0.0</strong>"), "{waits}");
    assert!(waits.contains("its tree <span class=\"code\">blake3:"), "{waits}");
    assert_eq!(approve(&mut bob), 303);
    assert!(cat.page("/public/-/queue").contains("approved by bob"));
    let own = bob.page("/public/-/queue");
    assert!(own.contains("You have approved it") && !own.contains(">approve<"), "{own}");
    // A form that is open still is sent again.
    let again = bob
        .post("/public/-/queue/approve", &filled_in(&waits, "/public/-/queue/approve", &fields), &[])
        .text();
    assert!(again.contains("You have approved <code>") && again.contains("nothing was changed"), "{again}");
    let path = format!("/public/api/v1/promotions/{request}/approvals");
    let again = post(&server, &path, Some(&tokens[0]), &serde_json::Value::Null);
    let kept: serde_json::Value = serde_json::from_slice(&again.body).expect("it is JSON");
    assert_eq!((again.status, &kept["already"]), (200, &serde_json::Value::Bool(true)), "{kept}");
    let activity = ann.page("/-/activity");
    assert_eq!(
        activity.matches("<strong>promotion-approved").count(),
        1,
        "it is written down once: {activity}"
    );
    assert_eq!(cat.get("/public/-/packages/acme/greet").status, 404);
    assert_eq!(approve(&mut cat), 303);
    assert_eq!(cat.get("/public/-/packages/acme/greet").status, 200, "two were enough");
    assert!(ann.page("/-/activity?about=").contains("it is good"));

    let folder = t.package("acme/str", "1.1.0").file("str.sh", "pad() { :; }\n").write();
    t.weir_in("", &format!("publish {folder} --registry laptop")).succeeds();
    let request = asked(&t, "acme/str@1.1.0");
    let fields = format!("request={request}&reason=not+now");
    assert_eq!(bob.send("/public/-/queue", "/public/-/queue/refuse", &fields).status, 303);
    assert!(!ann.page("/public/-/queue").contains(&request));
    assert!(ann.page("/-/activity").contains("not now"));
}

#[test]
fn what_was_withdrawn_below_while_it_waited_is_not_approved_on_a_page_nor_by_the_api() {
    let (t, server) = with_approvals();
    // The registry below is on the same server now.
    t.weir_in("", "registry remove laptop").succeeds();
    fs_err::rename(t.path("org"), t.path("data/registries/org")).expect("the sandbox can be written");
    t.weir_in("", "registry bind data/registries/org --yes").succeeds();
    t.weir_in("", &format!("registry add laptop {}/org --user", server.url())).succeeds();
    let token = user(&t, &server, "bob", "--group admins");
    let mut bob = Browser::signed_in_by(&server, &token);
    let request = asked(&t, "acme/str@1.0.0");
    let fields = format!("request={request}&reason=it+is+good");
    let below = "--registry ./data/registries/org";
    t.weir_in("", &format!("{below} quarantine acme/str@1.0.0 --reason 'a stolen key'")).succeeds();

    let queue = bob.page("/public/-/queue");
    assert!(
        queue.contains("It cannot be approved as it is: <code>acme/str 1.0.0</code> is quarantined"),
        "{queue}"
    );
    let refused = bob.send("/public/-/queue", "/public/-/queue/approve", &fields);
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("is quarantined in the registry <code>org</code>"), "{}", refused.text());
    let path = format!("/public/api/v1/promotions/{request}/approvals");
    let refused = post(&server, &path, Some(&token), &serde_json::Value::Null);
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(!bob.page("/public/-/queue").contains("approved by"), "nothing of it is kept");

    t.weir_in("", &format!("{below} unquarantine acme/str@1.0.0")).succeeds();
    let queue = bob.page("/public/-/queue");
    assert!(!queue.contains("It cannot be approved"));
    // It is looked at where it comes from, by who may see that.
    let page = "/org/-/packages/acme/str/1.0.0";
    assert_eq!((queue.contains(page), bob.get(page).status), (true, 200), "{queue}");
    assert_eq!(bob.send("/public/-/queue", "/public/-/queue/approve", &fields).status, 303);
    assert!(bob.page("/public/-/queue").contains("approved by bob"));
}

#[test]
fn a_policy_is_changed_on_its_page_after_seeing_what_would_differ() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    t.package("acme/str", "1.0.0").file("str.sh", "trim() { :; }\n").publish();
    let bob = user(&t, &server, "bob", "");
    let mut ann = Browser::of_ann(&server);
    let policy = ann.page("/team/-/policy");
    assert!(policy.contains("folder.cedar") && policy.contains("<th scope=\"col\">Decided</th>"), "{policy}");
    let (form, seen) = (hidden(&policy, "form"), hidden(&policy, "seen"));
    let open = include_str!("../../../weir-cedar/src/sets/open.cedar");
    let text = |cedar: &str| {
        format!("form={form}&seen={seen}&name-0=open.cedar&text-0={}", encoded(&cedar.replace('\n', "\r\n")))
    };

    let broken = ann.post("/team/-/policy/simulate", &text("permit (principal"), &[]);
    assert_eq!(broken.status, 422, "{}", broken.text());
    let told = broken.text();
    assert!(told.contains("It cannot be put in force"), "{told}");
    let at_it = told.split("<ul class=\"wrong\"").nth(1).unwrap_or_default();
    assert!(at_it.contains("<li>Line 1, character ") && at_it.contains("cannot be read as Cedar"), "{told}");
    assert!(told.contains(">\npermit (principal</textarea>"), "what was typed is there: {told}");

    let nobody =
        "@id(\"none\")\n@reason(\"nobody\")\nforbid (principal, action == Action::\"publish\", resource);\n";
    let simulated = ann.post("/team/-/policy/simulate", &text(&format!("{open}\n{nobody}")), &[]);
    let page = simulated.text();
    assert_eq!(simulated.status, 200, "{page}");
    for told in [
        "<th scope=\"col\">By the new set</th>",
        "Of 1 publication, it says something else of 1",
        "Nothing else is replayed: not the 0 releases that came in from registries above or below",
        "acme/str 1.0.0",
        "refused",
        "<code>none</code>",
        "Put in force",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    // What was simulated was another one.
    let digest = hidden(&page, "simulated");
    let other = ann.post("/team/-/policy/set", &format!("{}&simulated={digest}", text(open)), &[]);
    assert_eq!(other.status, 409, "{}", other.text());
    let again = other.text();
    assert!(
        again.contains("simulate it first") && again.contains("@id(&#34;open-publish&#34;)"),
        "what was typed is there, and what is wrong with it: {again}"
    );
    assert!(t.weir_in("", "policy show").stdout.contains("folder"), "nothing was changed");

    let page = ann.post("/team/-/policy/simulate", &text(open), &[]).text();
    let digest = hidden(&page, "simulated");
    let set = ann.post("/team/-/policy/set", &format!("{}&simulated={digest}", text(open)), &[]);
    assert_eq!((set.status, set.header("location")), (303, Some("/team/-/policy")), "{}", set.text());
    assert!(t.weir_in("", "policy show").stdout.contains("open-publish"));
    let mut bob = Browser::signed_in_by(&server, &bob);
    assert!(!bob.page("/team/-/policy").contains("Change it"), "who does not govern it changes nothing");
    let form = hidden(&bob.page("/team/-/policy"), "form");
    let refused = bob.post("/team/-/policy/simulate", &format!("form={form}&name-0=a.cedar&text-0=x"), &[]);
    assert_eq!(refused.status, 403, "{}", refused.text());
}

#[test]
fn two_releases_are_compared_fact_by_fact_and_file_by_file() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    t.package("acme/base", "1.0.0").file("a", "a").publish();
    let first = t.package("acme/str", "1.0.0").description("Strings").file("str.sh", "one\ntwo\nthree\n");
    first.file("gone.txt", "gone\n").file("old/name.txt", "moved\n").publish();
    let second = t.package("acme/str", "1.1.0").description("Strings, trimmed").dependency("acme/base", "^1");
    let second = second.file("str.sh", "one\n<b>2</b>\nthree\n").file("new/name.txt", "moved\n");
    second.file("added.txt", "added\n").publish();
    let mut visitor = Browser::new(&server);
    let difference = "/team/-/packages/acme/str/1.1.0/difference";
    let page = visitor.page(difference);
    for told in [
        "Strings, trimmed",
        ">acme/base</a></td><td><span class=\"faint\">not needed</span></td><td>^1, fixed to 1.0.0",
        "1 added, 2 changed, 1 moved, 1 gone",
        "from old/name.txt",
        "<span class=\"gone\">-two",
        "<span class=\"new\">+&#60;b&#62;2&#60;/b&#62;",
        "<option selected>1.0.0</option>",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let one = visitor.page(&format!("{difference}?with=1.0.0&file=gone.txt"));
    assert!(one.contains("<span class=\"gone\">-gone"), "{one}");
    let back = visitor.page("/team/-/packages/acme/str/1.0.0/difference?with=1.1.0");
    assert!(back.contains("1 added, 2 changed, 1 moved, 1 gone"), "{back}");
    for none in ["?with=9.9.9", "?with=x"] {
        assert_eq!(visitor.get(&format!("{difference}{none}")).status, 404, "{none}");
    }
    // What is withheld is compared with nobody.
    t.weir_in("", "quarantine acme/str@1.0.0 --reason 'a test'").succeeds();
    for path in [difference.to_owned(), format!("{difference}?file=str.sh")] {
        let page = visitor.page(&path);
        assert!(!page.contains("-two"), "{page}");
    }
}

#[test]
fn what_an_elm_package_offers_is_read_and_compared_on_pages() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    let value = |name: &str, of: &str| {
        format!(r#"{{"name":"{name}","comment":" Says *{name}*. <script>x</script>","type":"{of}"}}"#)
    };
    let trim = "trim : String -> String\n";
    for (version, values, source) in [
        ("1.0.0", value("trim", "String.String -> String.String"), format!("(trim)\n\n{trim}")),
        (
            "1.1.0",
            [value("trim", "String.String -> String.String"), value("pad", "Basics.Int")].join(","),
            format!("(trim, pad)\n\n{trim}pad : Int\n"),
        ),
        ("2.0.0", value("trim", "Basics.Int -> String.String"), "(trim)\n\ntrim : Int -> String\n".into()),
    ] {
        let elm_json = format!(
            r#"{{"type":"package","name":"acme/texts","summary":"Texts","license":"MIT","version":"{version}","exposed-modules":["Texts"],"elm-version":"0.19.0 <= v < 0.20.0","dependencies":{{}},"test-dependencies":{{}}}}"#
        );
        let docs = format!(
            r#"[{{"name":"Texts","comment":" Long texts.\n\n# Blanks\n@docs trim\n","unions":[],"aliases":[],"values":[{values}],"binops":[]}}]"#
        );
        t.write("texts/elm.json", elm_json);
        t.write("texts/docs.json", docs);
        t.write("texts/LICENSE", "MIT\n");
        t.write("texts/README.md", "# Texts\n");
        t.write("texts/src/Texts.elm", format!("module Texts exposing {source}"));
        t.weir_with("", "publish texts", &[("PATH", "")]).succeeds();
    }
    let mut ann = Browser::of_ann(&server);
    let package = ann.page("/team/-/packages/acme/texts");
    for told in ["In elm.json stands then", "2.0.0 &#60;= v &#60; 3.0.0", "What its modules offer"] {
        assert!(package.contains(told), "{told}: {package}");
    }
    let release = "/team/-/packages/acme/texts/1.1.0";
    let modules = ann.page(&format!("{release}/modules"));
    for told in ["<h1>Texts</h1>", "Long texts.", "trim : String -&#62; String", "Says <em>pad</em>."] {
        assert!(modules.contains(told), "{told}: {modules}");
    }
    assert!(!modules.contains("<script>x"), "{modules}");
    let difference = ann.page(&format!("{release}/difference?with=1.0.0"));
    for told in [
        "this is a <strong>MINOR</strong> change",
        "by its number, a <strong>MINOR</strong> one",
        "+ pad : Int",
    ] {
        assert!(difference.contains(told), "{told}: {difference}");
    }
    let difference = ann.page("/team/-/packages/acme/texts/2.0.0/difference");
    for told in [
        "a <strong>MAJOR</strong> change",
        "- pad : Int",
        "- trim : String -&#62; String",
        "+ trim : Int -&#62; String",
    ] {
        assert!(difference.contains(told), "{told}: {difference}");
    }
    t.package("acme/str", "1.0.0").publish();
    assert!(ann.page("/team/-/packages/acme/str/1.0.0/modules").contains("cannot be shown"));
}

#[test]
fn what_a_release_brings_along_and_what_it_reaches_is_drawn_and_listed() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    t.package("acme/base", "1.0.0").file("a", "a").publish();
    t.package("acme/str", "1.0.0").dependency("acme/base", "^1").publish();
    t.package("acme/app", "1.0.0").dependency("acme/str", "^1").dependency("acme/base", "^1").publish();
    let mut visitor = Browser::new(&server);
    let page = visitor.page("/team/-/packages/acme/app/1.0.0/graph");
    assert!(page.contains("It brings 2 releases along") && page.matches("<path ").count() == 3, "{page}");
    for release in ["acme/str", "acme/base"] {
        assert!(
            page.matches(&format!("href=\"/team/-/packages/{release}/1.0.0\"")).count() >= 2,
            "drawn and listed"
        );
    }
    let large = visitor.page("/team/-/packages/acme/app/1.0.0/graph?zoom=150");
    assert!(large.contains("<span class=\"chip on\" aria-current=\"true\">150 %</span>"), "{large}");
    let page = visitor.page("/team/-/packages/acme/base/1.0.0/graph?of=dependents");
    assert!(page.contains("It reaches 2 releases"), "{page}");
    assert!(visitor.page("/team/-/packages/acme/base/1.0.0/graph").contains("It needs nothing"));

    // What is withdrawn of it is marked in the drawing and in the list, with a link to why.
    t.weir_in("", "quarantine acme/str@1.0.0 --reason 'a stolen key'").succeeds();
    let page = visitor.page("/team/-/packages/acme/app/1.0.0/graph");
    assert!(
        page.contains("class=\"quarantined\"><rect") && page.contains("acme/str 1.0.0 · quarantined"),
        "{page}"
    );
    let mark = "<a class=\"tag quarantined\" href=\"/team/-/packages/acme/str/1.0.0\" title=\"1.0.0: a stolen key\">quarantined</a>";
    assert!(page.contains(mark), "{page}");
    assert_eq!(visitor.get("/team/-/packages/acme/none/1.0.0/graph").status, 404);
}

#[test]
fn a_curators_day_with_the_browser_alone() {
    let t = empty();
    let (_public, team, _bob) = with_a_held_release(&t);
    t.weir_in("", "user groups ann admins curators team").succeeds();
    let mut ann = Browser::of_ann(&team);
    // In the morning something is held, and is admitted.
    let queue = ann.page("/team/-/queue");
    let held = hidden(&queue, "release");
    assert_eq!(held, "lib/str 1.0.0");
    let fields = "release=lib%2Fstr+1.0.0&reason=read+it%2C+line+by+line";
    assert_eq!(ann.send("/team/-/queue", "/team/-/queue/admit", fields).status, 303);
    let release = "/team/-/packages/lib/str/1.0.0";
    assert!(ann.page(&format!("{release}/files/content.txt")).contains("lib/str 1.0.0"), "it is examined");
    t.package("acme/app", "1.0.0").dependency("lib/str", "^1").publish();
    t.package("acme/suite", "1.0.0").dependency("acme/app", "^1").publish();
    // At noon it turns out to be bad: it is searched for, quarantined, and who has it is named.
    assert!(ann.page("/team/-/search?q=str").contains("lib/"));
    let fields = "verb=quarantine&reason=it+sends+keys+away";
    assert_eq!(ann.send(release, &format!("{release}/withdraw"), fields).status, 303);
    assert_eq!(ann.get(&format!("{release}/files/content.txt")).status, 404, "nobody is shown its files");
    let reached = ann.page(&format!("{release}/impact"));
    for told in ["acme/app", "acme/suite", "through acme/app 1.0.0"] {
        assert!(reached.contains(told), "{told}: {reached}");
    }
    assert!(ann.page("/team/-/search?q=str").contains("class=\"tag quarantined\">quarantined"));
    t.project(&["lib/str = ^1"]);
    assert_ne!(t.weir("install").code, 0, "and nobody gets it");
    // In the evening it was a mistake, and the day is written down.
    let queue = ann.page("/team/-/queue");
    assert!(queue.contains("it sends keys away") && queue.contains("what it reaches"), "{queue}");
    let fields = "verb=unquarantine&reason=it+was+another+one&back=queue";
    let back = ann.send("/team/-/queue", &format!("{release}/withdraw"), fields);
    assert_eq!((back.status, back.header("location")), (303, Some("/team/-/queue")));
    let day = ann.page("/-/activity");
    for told in ["admitted", "read it, line by line", "quarantined", "unquarantined"] {
        assert!(day.contains(told), "{told}: {day}");
    }
    t.weir("install").succeeds();
}
