//! Others are told what happens on a server: signed, again where it does not arrive, and nowhere that they must not lead it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value;
use weir_testkit::{Heard, Manner, Run, Sandbox, WebhookReceiver, WeirServer};

use super::empty;
use super::server_accounts::user;
use super::web_acting::Browser;

/// The settings of a server that may tell receivers on this machine.
const NEAR: [(&str, &str); 2] =
    [("WEIR_SERVER_WEBHOOKS_NETWORKS", "127.0.0.0/8"), ("WEIR_SERVER_WEBHOOKS_PLAIN_HTTP", "true")];

fn weir(t: &Sandbox, typed: &str) -> Run {
    t.weir_in("", typed)
}

fn json(t: &Sandbox, typed: &str) -> Value {
    serde_json::from_str(&weir(t, &format!("{typed} --json")).stdout).expect("it is JSON")
}

/// Makes a webhook, and gives its secret.
fn add(t: &Sandbox, name: &str, receiver: &WebhookReceiver, options: &str) -> String {
    let added = weir(t, &format!("webhook add {name} {} {options}", receiver.url())).succeeds();
    added.stdout.trim().to_owned()
}

fn publish(t: &Sandbox, version: &str) {
    let folder = t.package("acme/str", version).file("str.sh", "trim() { :; }\n").write();
    t.weir_in(&folder, "publish").succeeds();
}

/// What was sent, once it was found to be signed as Standard Webhooks has it.
fn signed(heard: &Heard, secret: &str) -> Value {
    let key =
        STANDARD.decode(secret.strip_prefix("whsec_").expect("it says what it is")).expect("it is base64");
    assert!((24..=64).contains(&key.len()));
    let (id, at) = (heard.header("webhook-id"), heard.header("webhook-timestamp"));
    let tag =
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), format!("{id}.{at}.{}", heard.body).as_bytes());
    assert_eq!(heard.header("webhook-signature"), format!("v1,{}", STANDARD.encode(tag)), "{heard:?}");
    let age = jiff::Timestamp::now().as_second() - at.parse::<i64>().expect("it is a time");
    assert!((-5..300).contains(&age), "{age}");
    assert_eq!(heard.header("content-type"), "application/json");
    serde_json::from_str(&heard.body).expect("it is JSON")
}

/// The events in what was heard, in order.
fn events(heard: &[Heard]) -> Vec<String> {
    let event = |heard: &Heard| {
        let message: Value = serde_json::from_str(&heard.body).expect("it is JSON");
        message["type"].as_str().expect("there is one").to_owned()
    };
    heard.iter().map(event).collect()
}

#[test]
fn a_registry_that_cannot_be_read_is_told_to_the_log_once_and_again_after_it_was_mended() {
    let t = empty();
    let server = WeirServer::with_team(&t, &NEAR);
    // Something waits to be sent again, so it is looked every second.
    let receiver = WebhookReceiver::start();
    receiver.answers(vec![Manner::Status(503); 100]);
    add(&t, "all", &receiver, "");
    publish(&t, "1.0.0");
    drop(server);
    let (_server, log) = WeirServer::start_logged(&t, "data", &NEAR);
    let told = || fs_err::read_to_string(&log).unwrap().matches("is not told to webhooks").count();
    let wait_for = |times: usize| {
        let began = Instant::now();
        while told() < times {
            assert!(began.elapsed() < Duration::from_secs(60), "{}", fs_err::read_to_string(&log).unwrap());
            std::thread::sleep(Duration::from_millis(100));
        }
        // Several looks later it is told no more often.
        std::thread::sleep(Duration::from_millis(6500));
        assert_eq!(told(), times);
    };
    let checkpoint = t.read("data/registries/team/checkpoint");
    t.write("data/registries/team/checkpoint", "junk\n");
    wait_for(1);
    t.write("data/registries/team/checkpoint", checkpoint);
    std::thread::sleep(Duration::from_millis(6500));
    t.write("data/registries/team/checkpoint", "junk\n");
    wait_for(2);
}

#[test]
fn who_is_named_is_told_what_happens_by_event_and_registry() {
    let t = empty();
    let server = WeirServer::with_team(&t, &NEAR);
    let (all, yanks, other) = (WebhookReceiver::start(), WebhookReceiver::start(), WebhookReceiver::start());
    publish(&t, "0.9.0");
    let secret = add(&t, "all", &all, "");
    add(&t, "yanks", &yanks, "--event release.yanked --of team");
    weir(&t, &format!("registry create core --policy folder --server {}", server.url())).succeeds();
    add(&t, "other", &other, "--of core");

    publish(&t, "1.0.0");
    weir(&t, "yank acme/str@1.0.0 --reason 'too early'").succeeds();
    weir(&t, "quarantine acme/str@1.0.0 --reason doubt").succeeds();
    let heard = all.heard_at_least(4);
    let of_team: Vec<Value> = heard.iter().map(|heard| signed(heard, &secret)).collect();
    assert_eq!(
        events(&heard),
        ["registry.changed", "release.published", "release.yanked", "release.quarantined"],
        "what was published before is not told; the registry that was made since is"
    );
    let yanked = &of_team[2];
    let data = &yanked["data"];
    assert_eq!(
        (&data["registry"], &data["by"], &data["reason"], &data["release"]["name"]),
        (&"team".into(), &"user:ann".into(), &"too early".into(), &"acme/str".into())
    );
    assert_eq!((&data["release"]["version"], &data["server"]), (&"1.0.0".into(), &server.url().into()));
    let said = data["index"].as_u64().expect("it says where the log says so");
    let entry = server.ask("GET", &format!("/team/-/log/{said}"), &["Accept: text/html"]);
    assert!(entry.text().contains("acme/str 1.0.0 yanked"), "{}", entry.text());
    assert_eq!(events(&yanks.heard_at_least(1)), ["release.yanked"]);
    assert_eq!(events(&other.heard()), [""; 0]);

    let told = weir(&t, "webhook deliveries yanks").succeeds().stdout;
    for part in ["release.yanked", "acme/str 1.0.0", "delivered", "204 in "] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let listed = weir(&t, "webhook list").succeeds().stdout;
    assert!(listed.contains("release.yanked") && listed.contains("3 webhooks"), "{listed}");
    weir(&t, "webhook change yanks --all-events --of core").succeeds();
    assert!(weir(&t, "webhook show yanks").succeeds().stdout.contains("core"));
    weir(&t, "webhook remove yanks").succeeds();
    weir(&t, "webhook show yanks").fails_with(5);
    weir(&t, "webhook change all").fails_with(2);
    weir(&t, &format!("webhook add all {}", all.url())).fails_with(8);
    let activity = weir(&t, "activity --action webhook-removed").succeeds().stdout;
    assert!(activity.contains("yanks"), "{activity}");
}

#[test]
fn what_does_not_arrive_is_sent_again_also_by_a_server_that_was_killed() {
    let t = empty();
    let server = WeirServer::with_team(&t, &NEAR);
    let receiver = WebhookReceiver::start();
    let secret = add(&t, "ci", &receiver, "--event release.published");
    receiver.answers([Manner::Status(503), Manner::Status(500)]);
    publish(&t, "1.0.0");
    let first = receiver.heard_at_least(1).remove(0);
    let server = server.killed_and_started_with(&t, "data", &NEAR);
    let heard = receiver.heard_at_least(3);
    let ids: BTreeSet<&str> = heard.iter().map(|heard| heard.header("webhook-id")).collect();
    assert_eq!(ids, [first.header("webhook-id")].into(), "it is the same, however often it is sent");
    heard.iter().for_each(|heard| drop(signed(heard, &secret)));

    // Published and killed at once: what the log says is told by the server that starts.
    for version in ["1.1.0", "1.2.0", "1.3.0"] {
        publish(&t, version);
    }
    let server = server.killed_and_started_with(&t, "data", &NEAR);
    let began = Instant::now();
    let versions = loop {
        let heard = receiver.heard();
        let versions: BTreeSet<String> = heard
            .iter()
            .map(|heard| signed(heard, &secret)["data"]["release"]["version"].to_string())
            .collect();
        if versions.len() == 4 || began.elapsed() > Duration::from_secs(60) {
            break versions;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(versions.len(), 4, "{versions:?}");
    let told = json(&t, "webhook deliveries ci");
    let tries = told["deliveries"][3]["attempts"].as_array().expect("it was sent");
    assert!(tries.len() >= 2, "{told}");
    // The first answer may have come and not been written down before the server was killed: then it was asked once more.
    assert!([503, 500].contains(&tries[0]["status"].as_u64().unwrap_or_default()), "{told}");
    assert_eq!(told["deliveries"][3]["state"], "delivered");
    drop(server);
}

#[test]
fn nobody_is_led_where_a_server_may_not_be_led() {
    let t = empty();
    let receiver = WebhookReceiver::start();
    let server = WeirServer::with_team(&t, &[("WEIR_SERVER_WEBHOOKS_PLAIN_HTTP", "true")]);
    let port = receiver.url().rsplit(':').next().expect("it has a port").to_owned();
    for (near, why) in [
        (receiver.url(), "leads to this machine or into a private network"),
        (format!("http://[::ffff:127.0.0.1]:{port}"), "leads to this machine"),
        ("http://169.254.169.254/latest".to_owned(), "webhooks.networks"),
        ("http://10.1.2.3/".to_owned(), "webhooks.networks"),
        ("https://127.0.0.1./".to_owned(), "leads to this machine"),
        // Forms of 127.0.0.1 that some programs know.
        ("https://0x7f.1/".to_owned(), "programs read in different ways"),
        ("https://127.1/".to_owned(), "programs read in different ways"),
        ("https://0177.0.0.1/".to_owned(), "programs read in different ways"),
        ("https://2130706433/".to_owned(), "programs read in different ways"),
        ("https://user:secret@ci.example/".to_owned(), "can be no webhook"),
        ("ci.example".to_owned(), "can be no webhook"),
    ] {
        let refused = weir(&t, &format!("webhook add near {near}"));
        assert!(refused.code != 0 && refused.stderr.contains(why), "{near}: {refused}");
    }
    // What a name leads to is known when it is asked.
    weir(&t, &format!("webhook add named http://localhost:{port}")).succeeds();
    let tested = weir(&t, "webhook test named").fails_with(1);
    assert!(tested.stdout.contains("requests from here may not lead"), "{tested}");
    publish(&t, "1.0.0");
    let began = Instant::now();
    while !weir(&t, "webhook show named").stdout.contains("fails since") {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(receiver.heard(), [], "nothing of it was sent");
    drop(server);

    let server = WeirServer::start(&t, "data", &[]);
    let server = format!("--server {}", server.url());
    let login = weir(&t, &format!("webhook add plain http://ci.example/ {server}"));
    assert_ne!(login.code, 0, "{login}");
}

#[test]
fn a_receiver_that_leads_elsewhere_is_slow_or_never_ends_keeps_nobody_from_anything() {
    let t = empty();
    let _server = WeirServer::with_team(&t, &NEAR);
    let (receiver, elsewhere) = (WebhookReceiver::start(), WebhookReceiver::start());
    add(&t, "odd", &receiver, "--event release.published");
    let secret = add(&t, "quick", &elsewhere, "--event release.yanked");
    for (manner, told) in [
        (Manner::Redirect(elsewhere.url()), "307 after"),
        (Manner::Endless, "larger than"),
        (Manner::Status(404), "404 after"),
    ] {
        receiver.answers([manner]);
        let tested = weir(&t, "webhook test odd").fails_with(1);
        assert!(tested.stdout.contains(told), "{told}: {tested}");
    }
    assert_eq!(elsewhere.heard(), [], "nobody follows");
    // Whoever publishes does not wait for a receiver, and neither do others who are told something.
    receiver.answers([Manner::Silence(Duration::from_secs(120))]);
    let began = Instant::now();
    publish(&t, "1.0.0");
    weir(&t, "yank acme/str@1.0.0").succeeds();
    elsewhere.heard_at_least(1);
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let heard = receiver.heard_at_least(5);
    assert_eq!(heard[3].header("webhook-id"), heard[4].header("webhook-id"), "it was sent again");

    let ping = weir(&t, "webhook test quick").succeeds().stdout;
    assert!(ping.starts_with("msg_") && ping.contains("204 in"), "{ping}");
    let ping = elsewhere.heard_at_least(2).remove(1);
    assert_eq!(signed(&ping, &secret)["type"], "webhook.ping");
    let again = weir(&t, &format!("webhook redeliver quick {}", ping.header("webhook-id"))).succeeds();
    assert!(again.stdout.contains("204 in"), "{again}");
    weir(&t, "webhook redeliver quick msg_none").fails_with(5);
    weir(&t, "webhook redeliver odd msg_none").fails_with(5);
    let renewed = weir(&t, "webhook change quick --new-secret").succeeds().stdout.trim().to_owned();
    assert_ne!(renewed, secret);
    weir(&t, "webhook test quick").succeeds();
    signed(elsewhere.heard().last().expect("it was told"), &renewed);
}

#[test]
fn promotions_that_wait_and_what_policy_says_are_told() {
    let t = empty();
    let server = WeirServer::with_team(&t, &NEAR);
    let receiver = WebhookReceiver::start();
    publish(&t, "1.0.0");
    weir(&t, &format!("registry create main --policy folder --server {}", server.url())).succeeds();
    weir(&t, &format!("registry add main {}/main --user", server.url())).succeeds();
    add(&t, "ci", &receiver, "--of main");
    weir(&t, "policy set --built-in open --with two-approvals --registry main").succeeds();
    let waits = weir(&t, "promote acme/str@1.0.0 --to main");
    assert!(waits.code == 0 || waits.code == 4, "{waits}");
    let heard = receiver.heard_at_least(2);
    assert_eq!(events(&heard), ["policy.changed", "promotion.requested"]);
    let asked: Value = serde_json::from_str(&heard[1].body).expect("it is JSON");
    assert_eq!(asked["data"]["releases"][0]["name"], "acme/str");
    assert!(asked["data"]["promotion"].is_string(), "{asked}");
}

#[test]
fn only_administrators_have_others_be_told_in_person() {
    let t = empty();
    let server = WeirServer::with_team(&t, &NEAR);
    let receiver = WebhookReceiver::start();
    let token = json(&t, "token create ci")["secret"].as_str().expect("it is shown").to_owned();
    let bob = user(&t, &server, "bob", "--group team");
    let document = format!("{{\"name\":\"x\",\"url\":\"{}\"}}", receiver.url());
    for (secret, status) in [(Some(&token), 403), (Some(&bob), 403), (None, 401)] {
        let credential = secret.map(|secret| format!("Authorization: Bearer {secret}")).unwrap_or_default();
        let mut headers = vec!["Content-Type: application/json"];
        headers.extend(Some(credential.as_str()).filter(|line| !line.is_empty()));
        for (method, path, body) in [
            ("GET", "", ""),
            ("POST", "", document.as_str()),
            ("GET", "/x", ""),
            ("POST", "/x", "{}"),
            ("DELETE", "/x", ""),
            ("POST", "/x/pings", ""),
            ("GET", "/x/deliveries", ""),
            ("POST", "/x/deliveries/y", ""),
        ] {
            let reply = server.say(method, &format!("/api/v1/webhooks{path}"), &headers, body.as_bytes());
            assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
        }
    }
    let mut ann = Browser::of_ann(&server);
    assert!(ann.page("/-/webhooks").contains("Nobody is told what happens"));
    let fields = format!("name=ci&url={}&event=release.published&registry=team", receiver.url());
    let made = ann.done("/-/webhooks", "/-/webhooks", &fields);
    assert!(made.contains("whsec_"), "{made}");
    ann.page("/");
    assert!(!ann.page("/-/webhooks/ci").contains("whsec_"), "it is shown once");
    publish(&t, "1.0.0");
    assert_eq!(events(&receiver.heard_at_least(1)), ["release.published"]);
    assert_eq!(ann.send("/-/webhooks/ci", "/-/webhooks/ci/ping", "what=ping").status, 303);
    assert_eq!(events(&receiver.heard_at_least(2))[1], "webhook.ping");
    let page = ann.page("/-/webhooks/ci");
    for told in ["webhook.ping", "acme/str 1.0.0", "204 in", "delivered", "Pause"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    ann.send("/-/webhooks/ci", "/-/webhooks/ci/change", "what=pause");
    let paused = ann.page("/-/webhooks/ci");
    assert!(paused.contains("It is paused") && paused.contains("Resume"), "{paused}");
    publish(&t, "1.1.0");
    ann.send("/-/webhooks/ci", "/-/webhooks/ci/change", "what=resume");
    let mut bob = Browser::signed_in_by(&server, &bob);
    assert_eq!((bob.get("/-/webhooks").status, bob.get("/-/webhooks/ci").status), (403, 403));
    assert_eq!(Browser::new(&server).get("/-/webhooks/ci").status, 401);
    assert_eq!(ann.send("/-/webhooks/ci", "/-/webhooks/ci/remove", "").status, 303);
    assert_eq!(ann.get("/-/webhooks/ci").status, 404);
}
