//! What a page says of a form that was sent, and forms that say too little or too much.

use std::time::{Duration, Instant};

use weir_testkit::WeirServer;

use crate::empty;
use crate::promoting::{asked, with_approvals};
use crate::server_accounts::{code, post, user};
use crate::web_acting::{Browser, encoded, filled_in, hidden};
use crate::web_deciding::with_a_held_release;

/// What a page says of the form that led to it.
fn told(html: &str) -> String {
    let (_, notice) = html.split_once("<div class=\"notice\" role=\"status\">").unwrap_or_default();
    let notice = notice.split("</div>").next().unwrap_or_default();
    let mut words = String::new();
    let mut within = false;
    for character in notice.chars() {
        within = character == '<' || (within && character != '>');
        if !within && character != '>' {
            words.push(character);
        }
    }
    words.trim().to_owned()
}

#[test]
fn whoever_sends_a_form_is_told_once_what_was_done_and_to_what() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    t.package("acme/str", "1.0.0").file("str.sh", "trim() { :; }\n").publish();
    user(&t, &server, "bob", "--group team");
    t.weir_in("", "webhook add ci https://ci.example/weir").succeeds();
    let release = "/team/-/packages/acme/str/1.0.0";
    let withdraw = format!("{release}/withdraw");
    let mut ann = Browser::of_ann(&server);
    let which = |html: &str, near: &str| hidden(html.split_once(near).unwrap_or_default().1, "which");

    for (from, to, fields, said) in [
        (
            release,
            &*withdraw,
            "verb=yank&reason=cuts+too+much",
            "acme/str 1.0.0 is yanked: new resolutions avoid it.",
        ),
        (release, &withdraw, "verb=unyank&reason=", "acme/str 1.0.0 is yanked no longer."),
        (
            release,
            &withdraw,
            "verb=quarantine&reason=a+stolen+key",
            "acme/str 1.0.0 is quarantined: nobody gets it any longer.",
        ),
        (
            "/team/-/queue",
            &withdraw,
            "verb=unquarantine&reason=found&back=queue",
            "acme/str 1.0.0 is quarantined no longer.",
        ),
        (
            "/-/people",
            "/-/people/change",
            "name=bob&what=groups&groups=core,team",
            "bob is in core, team now.",
        ),
        ("/-/people", "/-/people/change", "name=bob&what=groups&groups=", "bob is in no group now."),
        (
            "/-/people",
            "/-/people/change",
            "name=bob&what=disable",
            "bob may sign in no longer, and their tokens are good no more.",
        ),
        (
            "/-/people",
            "/-/people/change",
            "name=bob&what=enable",
            "bob may sign in again, and has to: what they had before is not good again.",
        ),
        ("/-/webhooks/ci", "/-/webhooks/ci/change", "what=pause", "The webhook ci is paused."),
        (
            "/-/webhooks/ci",
            "/-/webhooks/ci/change",
            "what=resume",
            "The webhook ci is told again what happens.",
        ),
    ] {
        let page = ann.done(from, to, fields);
        assert_eq!(told(&page), said, "{page}");
        assert!(!ann.page(from).contains(said), "once: {said}");
    }
    // Whatever a link says, a page says nothing of it; nor does that of somebody else.
    let mut other = Browser::of_ann(&server);
    assert_eq!(ann.send(release, &withdraw, "verb=yank&reason=once+more").status, 303);
    assert_eq!(told(&other.page(&format!("{release}?told=gone&done=gone&notice=gone"))), "");
    assert_eq!(told(&other.page(release)), "");
    assert_eq!(told(&Browser::new(&server).page(release)), "");
    assert_eq!(told(&ann.page(release)), "acme/str 1.0.0 is yanked: new resolutions avoid it.");

    ann.done("/-/account", "/-/account/tokens", "name=ci&days=7");
    let token = which(&ann.page("/-/account"), "<td>ci");
    let page = ann.done("/-/account", "/-/account/tokens/revoke", &format!("which={token}"));
    assert_eq!(told(&page), "ci is revoked and speaks for nobody any longer.");
    let invited = told(&ann.done("/-/people", "/-/people/invite", "name=eve&groups=team"));
    assert!(invited.starts_with("eve is invited until 20"), "{invited}");
    let invitation = which(&ann.page("/-/people"), "<td>eve");
    let page = ann.done("/-/people", "/-/people/uninvite", &format!("which={invitation}"));
    assert_eq!(told(&page), "The invitation of eve is good no longer.");

    let open = include_str!("../../../weir-cedar/src/sets/open.cedar");
    let typed = format!("name-0=folder.cedar&text-0={}", encoded(open));
    let policy = "/team/-/policy";
    let simulate = format!("{policy}/simulate");
    let simulated = ann.send(policy, &simulate, &typed).text();
    let set = format!("{policy}/set");
    let put = format!("{typed}&simulated={}", hidden(&simulated, "simulated"));
    let page = ann.post(&set, &filled_in(&simulated, &set, &put), &[]);
    assert_eq!(page.status, 303, "{}", page.text());
    assert_eq!(told(&ann.page(policy)), "The set that you simulated is in force now, in team");
    let page = ann.done("/-/webhooks/ci", "/-/webhooks/ci/remove", "");
    assert_eq!(told(&page), "The webhook ci is removed, and is told nothing any longer.");
}

#[test]
fn who_admits_approves_or_refuses_is_told_what_became_of_it() {
    let t = empty();
    let (_public, team, _bob) = with_a_held_release(&t);
    t.weir_in("", "user groups ann admins curators").succeeds();
    let mut ann = Browser::of_ann(&team);
    let page = ann.done("/team/-/queue", "/team/-/queue/admit", "release=lib%2Fstr+1.0.0&reason=I+read+it");
    assert_eq!(told(&page), "lib/str 1.0.0 was admitted: whoever reads team gets it.");

    let (t, server) = with_approvals();
    let tokens = ["bob", "cat"].map(|name| user(&t, &server, name, "--group admins"));
    let [mut bob, mut cat] = [&tokens[0], &tokens[1]].map(|token| Browser::signed_in_by(&server, token));
    let queue = "/public/-/queue";
    let (approve, refuse) = (format!("{queue}/approve"), format!("{queue}/refuse"));
    let request = asked(&t, "acme/str@1.0.0");
    let fields = format!("request={request}&reason=it+is+good");
    let page = bob.done(queue, &approve, &fields);
    assert_eq!(told(&page), "You approved acme/str 1.0.0, and it waits for others.");
    let page = cat.done(queue, &approve, &fields);
    assert_eq!(told(&page), "You approved acme/str 1.0.0, and that was enough: it is here now.");
    let request = asked(&t, "acme/names@2026.1.0");
    let page = bob.done(queue, &refuse, &format!("request={request}&reason=not+now"));
    assert_eq!(told(&page), "The promotion of acme/names 2026.1.0 is refused.");
}

#[test]
fn a_form_that_says_too_little_or_something_twice_changes_nothing_and_is_told_which_field() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    t.package("acme/str", "1.0.0").file("str.sh", "trim() { :; }\n").publish();
    user(&t, &server, "bob", "--group team");
    t.weir_in("", "webhook add ci https://ci.example/weir").succeeds();
    let mut ann = Browser::of_ann(&server);
    let release = "/team/-/packages/acme/str/1.0.0";
    let page = ann.page(release);
    let (form, seen) = (hidden(&page, "form"), hidden(&page, "seen"));
    let withdraw = format!("{release}/withdraw");
    for (to, fields, field) in [
        (&*withdraw, "verb=yank&reason=x".to_owned(), "seen"),
        (&withdraw, "seen=&verb=yank&reason=x".to_owned(), "seen"),
        (&withdraw, format!("seen={seen}&seen={seen}&verb=yank&reason=x"), "seen"),
        (&withdraw, format!("seen={seen}&verb=yank&verb=quarantine&reason=x"), "verb"),
        (&withdraw, format!("seen={seen}&verb=yank&reason=x&reason=y"), "reason"),
        (&withdraw, format!("seen={seen}&verb=yank&reason=x&form={form}"), "form"),
        ("/-/people/change", "name=bob&what=disable".to_owned(), "seen"),
        ("/-/people/invite", "name=eve&name=bob&groups=".to_owned(), "name"),
        ("/-/webhooks/ci/change", "what=secret".to_owned(), "seen"),
        ("/-/webhooks/ci/remove", String::new(), "seen"),
        ("/-/webhooks/ci/ping", "what=ping".to_owned(), "seen"),
        ("/team/-/policy/simulate", "name-0=a.cedar&text-0=x".to_owned(), "seen"),
        ("/team/-/policy/set", "name-0=a.cedar&text-0=x&simulated=x".to_owned(), "seen"),
        ("/-/account/tokens", "name=a&name=b&days=7".to_owned(), "name"),
        ("/-/account/tokens", "name=a&days=7&days=365".to_owned(), "days"),
    ] {
        let refused = ann.post(to, &format!("form={form}&{fields}"), &[]);
        let text = refused.text();
        assert_eq!(refused.status, 422, "{to} {fields}: {text}");
        assert!(text.contains(&format!("The field <code>{field}</code> is ")), "{to} {fields}: {text}");
        assert!(text.contains("Back to the page that it was sent from"), "{text}");
    }
    let back = ann.post(&withdraw, &format!("form={form}&verb=yank&reason=x"), &[]).text();
    assert!(back.contains(&format!("<a href=\"{release}\">Back")), "{back}");
    let elsewhere = ann.post("//evil.example/x", &format!("form={form}"), &[]).text();
    assert!(!elsewhere.contains("href=\"//evil"), "{elsewhere}");
    assert!(!ann.page(release).contains("yanked"), "nothing was done");
    assert!(!ann.page("/-/people").contains(">disabled<") && !ann.page("/-/people").contains("<td>eve"));
    assert!(ann.page("/-/account").contains("None. A build server"), "no token was made");
    // What can be chosen several times can be.
    let made =
        ann.done("/-/account", "/-/account/tokens", "name=ci&verb=publish&verb=yank&registry=team&days=7");
    assert!(made.contains("publish, yank at team"), "{made}");
}

#[test]
fn loading_the_page_of_a_secret_again_makes_no_second_one() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    let mut ann = Browser::of_ann(&server);
    let mut other = Browser::of_ann(&server);
    let first = ann.send("/-/account", "/-/account/tokens", "name=ci&days=7");
    assert_eq!((first.status, first.header("location")), (303, Some("/-/account")), "{}", first.text());
    assert!(!first.text().contains("weir_"), "nothing that a browser would send again has it");
    assert!(!other.page("/-/account").contains("weir_"), "another session of the same user is not told");
    let shown = ann.page("/-/account");
    assert!(shown.contains("The token <code>ci</code> was made") && shown.contains("weir_"), "{shown}");
    let again = ann.page("/-/account");
    assert!(again.contains("weir_") && again.matches("aria-label=\"Revoke ci\"").count() == 1, "{again}");
    ann.page("/team");
    assert!(!ann.page("/-/account").contains("weir_"));
}

#[test]
fn who_is_there_already_is_not_invited_as_somebody_new() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    let bob = user(&t, &server, "bob", "--group team");
    let mut ann = Browser::of_ann(&server);
    let refused = ann.send("/-/people", "/-/people/invite", "name=bob&groups=core");
    let text = refused.text();
    assert_eq!(refused.status, 409, "{text}");
    assert!(text.contains("There is a user <code>bob</code> already, and nobody was invited"), "{text}");
    assert!(!text.contains("invitation=weir_") && !text.contains("Invited</h2>"), "{text}");
    let refused = t.weir_in("", "user invite bob --group core").fails_with(8);
    assert!(refused.stderr.contains("--again"), "{refused}");
    let whoami =
        |token: &str| server.ask("GET", "/api/v1/whoami", &[&format!("Authorization: Bearer {token}")]);
    assert_eq!(whoami(&bob).status, 200, "nothing changed for them");

    let page = ann.done("/-/people", "/-/people/invite", "name=bob&again=1");
    assert!(told(&page).starts_with("bob is a user already and stays in their groups"), "{page}");
    assert!(page.contains("as they are: it is for another password"), "{page}");
    let secret =
        page.split("invitation=").nth(1).and_then(|rest| rest.split('<').next()).expect("it is shown");
    let accept = serde_json::json!({ "invitation": secret, "password": "another password" });
    let accepted = post(&server, "/api/v1/invitations/accept", None, &accept);
    assert_eq!(accepted.status, 201, "{}", accepted.text());
    assert!(accepted.text().contains("\"team\""), "they stay in their groups: {}", accepted.text());
    assert_eq!(whoami(&bob).status, 401, "and are signed out elsewhere");

    let again = t.weir_in("", "user invite bob --again").succeeds().stdout;
    assert!(again.contains("`bob` chooses another password, until"), "{again}");
    assert!(t.weir_in("", "user invitations").stdout.contains("(another password)"));
    t.weir_in("", "user invite bob --again --group core").fails_with(2);
    t.weir_in("", "user invite nobody --again").fails_with(5);
    let stranger = post(&server, "/api/v1/users", Some(&bob), &serde_json::json!({ "name": "bob" }));
    assert_eq!(stranger.status, 401);
    assert_eq!(code(&stranger), "bad-credential");
}

#[test]
fn whoever_follows_an_invitation_while_somebody_is_signed_in_is_told_who() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    let mut ann = Browser::of_ann(&server);
    let page = ann.done("/-/people", "/-/people/invite", "name=eve&groups=team");
    let link = page
        .split("/-/sign-in?invitation=")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .expect("it is shown");
    let link = format!("/-/sign-in?invitation={link}");
    let opened = ann.page(&link);
    assert!(opened.contains("You are signed in here as <strong>ann</strong>"), "{opened}");
    assert!(!Browser::new(&server).page(&link).contains("You are signed in here"));
    let invitation = link.split('=').nth(1).expect("it has one");
    let accepted =
        ann.send(&link, "/-/sign-in", &format!("invitation={invitation}&password=correct+horse+2"));
    assert_eq!(accepted.status, 303, "{}", accepted.text());
    assert!(ann.page("/").contains(">eve</a>"));
}

#[test]
fn who_approves_is_not_told_what_became_of_a_release_where_they_may_not_look() {
    let (t, server) = with_approvals();
    t.weir_in("", "registry remove laptop").succeeds();
    fs_err::rename(t.path("org"), t.path("data/registries/hidden")).expect("the sandbox can be written");
    t.weir_in("", "registry bind data/registries/hidden --yes").succeeds();
    t.weir_in("", &format!("registry add laptop {}/hidden --user", server.url())).succeeds();
    let token = user(&t, &server, "bob", "--group admins");
    let request = asked(&t, "acme/str@1.0.0");
    let below = "--registry ./data/registries/hidden";
    t.weir_in("", &format!("{below} quarantine acme/str@1.0.0 --reason 'a stolen key'")).succeeds();
    let mut bob = Browser::signed_in_by(&server, &token);
    assert!(
        bob.page("/public/-/queue").contains("is quarantined in the registry"),
        "who may read it is told"
    );
    // From now on only ann reads it.
    t.write(
        "only/ann.cedar",
        "@id(\"ann\")\n@reason(\"ann keeps it\")\npermit (principal == User::\"ann\", action, resource);\n",
    );
    t.weir_in("", &format!("{below} policy set only/ann.cedar --lock-out")).succeeds();
    // What another program sets is taken up within a second.
    let ends = Instant::now() + Duration::from_secs(60);
    while bob.get("/hidden").status != 404 {
        assert!(Instant::now() < ends, "bob may read it still");
        std::thread::sleep(Duration::from_millis(50));
    }
    let queue = bob.page("/public/-/queue");
    assert!(queue.contains("what waits is not offered any longer"), "{queue}");
    assert!(!queue.contains("is quarantined in"), "{queue}");
    let fields = format!("request={request}&reason=it+is+good");
    let refused = bob.send("/public/-/queue", "/public/-/queue/approve", &fields);
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(!refused.text().contains("is quarantined in"), "{}", refused.text());
}
