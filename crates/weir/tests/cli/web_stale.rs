//! Two look at the same page, and one of them decides: the other does not undo that without knowing of it.

use weir_testkit::{Reply, WeirServer};

use crate::empty;
use crate::promoting::{asked, with_approvals};
use crate::server_accounts::user;
use crate::web_acting::{Browser, encoded, hidden};
use crate::web_deciding::with_a_held_release;

const CHANGED: &str = "It has changed since you looked, and nothing was done";

/// Sends a form as it stands on a page that was opened before.
fn send(browser: &mut Browser, html: &str, to: &str, fields: &str) -> Reply {
    let (form, seen) = (hidden(html, "form"), hidden(html, "seen"));
    assert!(!seen.is_empty(), "the form says what was seen: {html}");
    browser.post(to, &format!("form={form}&seen={seen}&{fields}"), &[])
}

fn refused(reply: &Reply, told: &str) {
    let text = reply.text();
    assert_eq!(reply.status, 409, "{text}");
    assert!(text.contains(CHANGED), "{text}");
    assert!(text.contains(told), "how it stands now is there: {text}");
}

fn two(server: &WeirServer) -> [Browser<'_>; 2] {
    [Browser::of_ann(server), Browser::of_ann(server)]
}

#[test]
fn a_release_that_somebody_withdrew_meanwhile() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    t.package("acme/str", "1.0.0").file("str.sh", "trim() { :; }\n").publish();
    let [mut ann, mut other] = two(&server);
    let release = "/team/-/packages/acme/str/1.0.0";
    let withdraw = format!("{release}/withdraw");
    let open = ann.page(release);
    let theirs = other.page(release);
    assert_eq!(send(&mut other, &theirs, &withdraw, "verb=quarantine&reason=a+stolen+key").status, 303);
    refused(&send(&mut ann, &open, &withdraw, "verb=yank&reason=cuts+too+much"), "a stolen key");
    assert!(!ann.page("/-/activity").contains("cuts too much"));

    // It is taken back, and something else is found: what was about the first is not about the second.
    let (of_release, in_queue) = (ann.page(release), ann.page("/team/-/queue"));
    let theirs = other.page(release);
    assert_eq!(send(&mut other, &theirs, &withdraw, "verb=unquarantine&reason=").status, 303);
    let theirs = other.page(release);
    assert_eq!(send(&mut other, &theirs, &withdraw, "verb=quarantine&reason=it+sends+keys").status, 303);
    refused(&send(&mut ann, &of_release, &withdraw, "verb=unquarantine&reason=found"), "it sends keys");
    let fields = "verb=unquarantine&reason=found&back=queue";
    let queue = send(&mut ann, &in_queue, &withdraw, fields);
    refused(&queue, "it sends keys");
    assert!(queue.text().contains("<h1>Queue</h1>"), "{}", queue.text());
    let now = ann.page(release);
    assert_eq!(send(&mut ann, &now, &withdraw, "verb=unquarantine&reason=found").status, 303);
}

#[test]
fn a_release_that_is_held_no_longer() {
    let t = empty();
    let (_public, team, _bob) = with_a_held_release(&t);
    t.weir_in("", "user groups ann admins curators").succeeds();
    let [mut ann, mut other] = two(&team);
    let (open, theirs) = (ann.page("/team/-/queue"), other.page("/team/-/queue"));
    let fields = "release=lib%2Fstr+1.0.0&reason=I+read+it";
    assert_eq!(send(&mut other, &theirs, "/team/-/queue/admit", fields).status, 303);
    refused(
        &send(&mut ann, &open, "/team/-/queue/admit", fields),
        "Nothing that somebody asked for is kept out",
    );
}

#[test]
fn a_promotion_that_somebody_approved_meanwhile_or_that_waits_no_longer() {
    let (t, server) = with_approvals();
    let tokens = ["bob", "cat"].map(|name| user(&t, &server, name, "--group admins"));
    let request = asked(&t, "acme/str@1.0.0");
    let [mut bob, mut cat] = [&tokens[0], &tokens[1]].map(|token| Browser::signed_in_by(&server, token));
    let queue = "/public/-/queue";
    let (open, theirs) = (bob.page(queue), cat.page(queue));
    let fields = format!("request={request}&reason=it+is+good");
    assert_eq!(send(&mut cat, &theirs, &format!("{queue}/approve"), &fields).status, 303);
    // Who turns it down knows who has approved it; who approves it too undoes nothing.
    let turned_down = format!("request={request}&reason=not+now");
    refused(&send(&mut bob, &open, &format!("{queue}/refuse"), &turned_down), "approved by cat");
    assert_eq!(send(&mut bob, &open, &format!("{queue}/approve"), &fields).status, 303);
    let gone = send(&mut bob, &open, &format!("{queue}/refuse"), &turned_down);
    assert_eq!(gone.status, 404, "{}", gone.text());
    assert!(gone.text().contains("it was carried out, taken back, or never was"), "{}", gone.text());
    assert!(gone.text().contains("<h1>Queue</h1>"), "{}", gone.text());
}

#[test]
fn a_policy_set_that_somebody_replaced_meanwhile() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    let [mut ann, mut other] = two(&server);
    let policy = "/team/-/policy";
    let open = include_str!("../../../weir-cedar/src/sets/open.cedar");
    let typed =
        |file: &str, extra: &str| format!("name-0={file}&text-0={}", encoded(&format!("{open}\n{extra}")));
    let mine = typed("mine.cedar", "// mine");
    let page = ann.page(policy);
    let simulated = send(&mut ann, &page, &format!("{policy}/simulate"), &mine).text();
    let put = format!("{mine}&simulated={}", hidden(&simulated, "simulated"));
    let theirs =
        typed("theirs.cedar", "@id(\"none\") forbid (principal, action == Action::\"publish\", resource);");
    let their_page = other.page(policy);
    let their_simulated = send(&mut other, &their_page, &format!("{policy}/simulate"), &theirs).text();
    let their_put = format!("{theirs}&simulated={}", hidden(&their_simulated, "simulated"));
    assert_eq!(send(&mut other, &their_simulated, &format!("{policy}/set"), &their_put).status, 303);

    let stale = send(&mut ann, &simulated, &format!("{policy}/set"), &put);
    refused(&stale, "In force: theirs.cedar");
    let stale = stale.text();
    assert!(
        stale.contains("<details open>") && stale.contains("// mine"),
        "what was typed is there: {stale}"
    );
    assert!(stale.contains("<code>none</code>") && !stale.contains("Put in force what"), "{stale}");
    refused(&send(&mut ann, &simulated, &format!("{policy}/simulate"), &mine), "In force: theirs.cedar");
    assert!(t.weir_in("", "policy show").stdout.contains("none"), "theirs is in force");
    // Once it was seen, it can be replaced.
    let simulated = send(&mut ann, &stale, &format!("{policy}/simulate"), &mine).text();
    let put = format!("{mine}&simulated={}", hidden(&simulated, "simulated"));
    assert_eq!(send(&mut ann, &simulated, &format!("{policy}/set"), &put).status, 303);
}

#[test]
fn a_user_and_a_webhook_that_somebody_changed_meanwhile() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    user(&t, &server, "bob", "--group team");
    let [mut ann, mut other] = two(&server);
    let of_bob = |html: &str| html.split("<td>bob").nth(1).unwrap_or_default().to_owned();
    let people = "/-/people";
    let (open, theirs) = (of_bob(&ann.page(people)), of_bob(&other.page(people)));
    let give = |groups: &str| format!("name=bob&what=groups&groups={groups}");
    assert_eq!(send(&mut other, &theirs, "/-/people/change", &give("team,curators")).status, 303);
    refused(&send(&mut ann, &open, "/-/people/change", &give("team,readers")), "value=\"curators, team\"");
    let theirs = of_bob(&other.page(people));
    let open = of_bob(&ann.page(people));
    assert_eq!(send(&mut other, &theirs, "/-/people/change", "name=bob&what=disable").status, 303);
    refused(&send(&mut ann, &open, "/-/people/change", "name=bob&what=disable"), ">disabled<");

    t.weir_in("", "webhook add ci https://ci.example/weir --event release.published").succeeds();
    let hook = "/-/webhooks/ci";
    // A secret that nobody would have is not put in the place of the one that somebody just gave to the receiver.
    let (open, theirs) = (ann.page(hook), other.page(hook));
    let given = send(&mut other, &theirs, &format!("{hook}/change"), "what=secret");
    assert_eq!((given.status, given.header("location")), (303, Some(hook)), "{}", given.text());
    assert!(other.page(hook).contains("whsec_"));
    refused(&send(&mut ann, &open, &format!("{hook}/change"), "what=secret"), "Another secret");
    assert!(!ann.page(hook).contains("whsec_"));
    let (open, theirs) = (ann.page(hook), other.page(hook));
    assert_eq!(send(&mut other, &theirs, &format!("{hook}/change"), "what=pause").status, 303);
    refused(&send(&mut ann, &open, &format!("{hook}/change"), "what=pause"), "It is paused");
    refused(&send(&mut ann, &open, &format!("{hook}/remove"), ""), "It is paused");
}
