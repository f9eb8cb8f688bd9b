//! Signing in by an OpenID provider, which is a real one, and at a terminal by a code.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use serde_json::{Value, json};
use weir_testkit::{OpenIdProvider, Reply, Sandbox, WeirServer};

use super::server_accounts::code;
use super::web_acting::Browser;
use crate::empty;

/// What the test's connections call the server.
const ADDRESS: &str = "http://registry.example";

const WITH: &str = "/-/sign-in/with/work";

/// The variables of a server at which people sign in by the provider, and more.
fn variables<'a>(issuer: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("WEIR_SERVER_ADDRESS", ADDRESS),
        ("WEIR_SERVER_OPENID_ALLOW_LOOPBACK", "true"),
        ("WEIR_SERVER_SIGN_IN_PROVIDERS_WORK_ISSUER", issuer),
        ("WEIR_SERVER_SIGN_IN_PROVIDERS_WORK_CLIENT_ID", "weir"),
        ("WEIR_SERVER_SIGN_IN_PROVIDERS_WORK_TITLE", "Work"),
    ];
    all.extend(more);
    all
}

/// Has the provider know the server as `client`, with whatever else.
fn register(provider: &OpenIdProvider, client: &str, name: &str, more: &Value) {
    let mut metadata = json!({
        "redirect_uris": [format!("{ADDRESS}/-/sign-in/with/{name}")],
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        metadata[field] = value.clone();
    }
    provider.register(client, &metadata);
}

fn served(t: &Sandbox, provider: &OpenIdProvider, more: &[(&str, &str)]) -> WeirServer {
    register(provider, "weir", "work", &json!({}));
    WeirServer::with_team(t, &variables(&provider.url(), more))
}

/// Leaves for the provider with `fields`; where it leads.
fn leave(browser: &mut Browser<'_>, from: &str, fields: &str) -> String {
    let reply = browser.send(from, WITH, fields);
    assert_eq!(reply.status, 200, "{}", reply.text());
    let refresh = reply.header("refresh").expect("it leads on");
    refresh.strip_prefix("0; url=").expect("at once").to_owned()
}

/// The path, on the server, that the provider sends `subject` back to.
fn back(provider: &OpenIdProvider, to: &str, subject: &str) -> String {
    let back = provider.signs_in(to, subject);
    back.strip_prefix(ADDRESS).unwrap_or_else(|| panic!("{back} is elsewhere")).to_owned()
}

/// Signs `subject` in; what they are answered who come back.
fn sign_in(browser: &mut Browser<'_>, provider: &OpenIdProvider, subject: &str) -> Reply {
    let to = leave(browser, "/-/sign-in", "");
    let back = back(provider, &to, subject);
    browser.get(&back)
}

/// Who has signed in with a browser, by its account page.
fn who(browser: &mut Browser<'_>) -> String {
    let page = browser.page("/-/account");
    let (_, after) = page.split_once("<h1>").expect("there is a heading");
    after.split("</h1>").next().unwrap_or_default().to_owned()
}

fn refused(reply: &Reply, status: u16, why: &str) {
    let text = reply.text();
    assert!(reply.status == status && text.contains(why), "{}: {text}", reply.status);
    assert!(reply.head.contains("set-cookie: weir-provider=; "), "what was begun is over: {}", reply.head);
    assert!(!reply.head.contains("set-cookie: weir="), "{}", reply.head);
}

fn invitation(t: &Sandbox, who: &str) -> String {
    let invited = t.weir_in("", &format!("user invite {who} --group core --json")).succeeds().stdout;
    let invited: Value = serde_json::from_str(&invited).expect("it is JSON");
    invited["invitation"].as_str().expect("there is one").to_owned()
}

#[test]
fn who_was_invited_signs_in_by_a_provider_and_strangers_do_not() {
    let t = empty();
    let Some(provider) = OpenIdProvider::start() else { return };
    let server = served(&t, &provider, &[]);
    let mut browser = Browser::new(&server);
    refused(&sign_in(&mut browser, &provider, "bob"), 401, "only who was invited may come in");

    let invitation = invitation(&t, "bob");
    let page = format!("/-/sign-in?invitation={invitation}&back=/team");
    assert!(browser.page(&page).contains("Accept the invitation with Work"));
    let to = leave(&mut browser, &page, &format!("invitation={invitation}&back=/team"));
    for part in
        ["response_type=code", "code_challenge_method=S256", "state=", "nonce=", "scope=openid+profile+email"]
    {
        assert!(to.contains(part), "{to}");
    }
    assert!(!to.contains(&invitation), "the provider is told nothing of it");
    let arrived = browser.get(&back(&provider, &to, "b-17"));
    assert_eq!((arrived.status, arrived.header("location")), (303, Some("/team")), "{}", arrived.text());
    assert_eq!(who(&mut browser), "bob");

    let mut another = Browser::new(&server);
    let arrived = sign_in(&mut another, &provider, "b-17");
    assert_eq!((arrived.status, who(&mut another).as_str()), (303, "bob"), "as the provider knows him");
    refused(&sign_in(&mut Browser::new(&server), &provider, "bob"), 401, "only who was invited");

    t.weir_in("", "user disable bob").succeeds();
    assert_eq!(another.get("/-/account").status, 401);
    let out = sign_in(&mut Browser::new(&server), &provider, "b-17");
    refused(&out, 403, "`bob` was disabled");
    let happened = t.weir_in("", "activity --json").succeeds().stdout;
    assert!(
        happened.contains("\"user:bob\"") && happened.contains(&format!("{} b-17", provider.url())),
        "{happened}"
    );
}

#[test]
fn nobody_is_signed_in_by_what_another_began_or_twice_or_elsewhere() {
    let t = empty();
    let Some(provider) = OpenIdProvider::start() else { return };
    let server =
        served(&t, &provider, &[("WEIR_SERVER_SIGN_IN_PROVIDERS_WORK_ADMIT_CLAIMS", "groups=engineers")]);
    let mut eve = Browser::new(&server);
    let to = leave(&mut eve, "/-/sign-in", "");
    let of_eve = back(&provider, &to, "eve");

    // What Eve began signs nobody else in as her, with no cookie and with one of their own.
    let mut ann = Browser::new(&server);
    refused(&ann.get(&of_eve), 401, "this browser did not begin");
    leave(&mut ann, "/-/sign-in", "");
    refused(&ann.get(&of_eve), 401, "this browser did not begin");
    let other_state = of_eve.replace("state=", "state=0");
    refused(&eve.get(&other_state), 401, "did not begin");
    let to = leave(&mut eve, "/-/sign-in", "");
    let of_eve = back(&provider, &to, "eve");
    refused(&eve.get(&format!("{of_eve}&state=twice")), 401, "did not begin");

    // A code is taken once, and the answer of another provider is none of this one.
    let mut cookies = Vec::new();
    let to = leave(&mut eve, "/-/sign-in", "");
    let of_eve = back(&provider, &to, "eve");
    assert!(of_eve.contains("iss="), "{of_eve}");
    let kept = |browser: &Browser<'_>| browser.cookies_kept();
    cookies.push(kept(&eve));
    let (before, _) = of_eve.split_once("&iss=").expect("it says who sends her");
    let mut mixed_up = Browser::with_cookies(&server, &cookies[0]);
    refused(&mixed_up.get(before), 401, "nobody said so");
    let mut mixed_up = Browser::with_cookies(&server, &cookies[0]);
    refused(&mixed_up.get(&format!("{before}&iss=https%3A%2F%2Fevil.example")), 401, "another provider");
    let session = eve.secret().to_owned();
    assert_eq!(eve.get(&of_eve).status, 303);
    assert_ne!(eve.secret(), session, "who signs in has another secret than before");
    let mut again = Browser::with_cookies(&server, &cookies[0]);
    refused(&again.get(&of_eve), 401, "was used already");

    // Nobody is led elsewhere, and what a provider says instead of a code is not repeated.
    let to = leave(&mut eve, "/-/account", "back=https://evil.example");
    let arrived = eve.get(&back(&provider, &to, "eve"));
    assert_eq!((arrived.status, arrived.header("location")), (303, Some("/")));
    let to = leave(&mut eve, "/-/account", "");
    let state = to.split("state=").nth(1).and_then(|state| state.split('&').next()).expect("there is one");
    let denied =
        eve.get(&format!("{WITH}?state={state}&error=access_denied&error_description=ring+somebody"));
    refused(&denied, 401, "`access_denied`");
    assert!(!denied.text().contains("somebody"));
    assert_eq!(eve.get("/-/sign-in/with/other?state=x&code=y").status, 404);
    // A form from elsewhere begins nothing.
    assert_eq!(Browser::new(&server).post(WITH, "form=x", &[]).status, 403);
}

#[test]
fn a_provider_that_is_down_is_told_and_left_a_line_and_passwords_go_on() {
    let t = empty();
    let Some(provider) = OpenIdProvider::start() else { return };
    let server = served(&t, &provider, &[]);
    let mut browser = Browser::new(&server);
    let to = leave(&mut browser, "/-/sign-in", "");
    let back = back(&provider, &to, "bob");
    drop(provider);
    let down = browser.get(&back);
    refused(&down, 502, "Work does not answer as it should");
    assert!(!down.text().contains("127.0.0.1"), "nobody is told where it is");
    Browser::of_ann(&server);
}

#[test]
fn who_may_come_in_is_said_by_rules_and_groups_are_what_the_provider_says_each_time() {
    let t = empty();
    let Some(provider) = OpenIdProvider::start_terse() else { return };
    let server = served(
        &t,
        &provider,
        &[
            ("WEIR_SERVER_SIGN_IN_PROVIDERS_WORK_ADMIT_DOMAINS", "acme.example"),
            ("WEIR_SERVER_SIGN_IN_PROVIDERS_WORK_ADMIT_GROUPS", "engineers, Staff"),
            ("WEIR_SERVER_SIGN_IN_PROVIDERS_WORK_GROUPS", "*, Platform Team=core, chiefs=admins"),
        ],
    );
    let says = |email: &str, verified: bool, groups: &[&str]| {
        provider.says("u-1", &json!({ "preferred_username": "Cy@acme.example", "email": email, "email_verified": verified, "groups": groups }));
    };
    let enters = || {
        let mut browser = Browser::new(&server);
        let reply = sign_in(&mut browser, &provider, "u-1");
        (reply, browser)
    };
    for (email, verified, groups) in [
        ("cy@acme.example", false, ["Staff"]),
        ("cy@notacme.example", true, ["Staff"]),
        ("cy@acme.example.evil.example", true, ["Staff"]),
        ("cy@acme.example", true, ["guests"]),
    ] {
        says(email, verified, &groups);
        refused(&enters().0, 401, "only who was invited");
    }
    says("cy@ACME.example", true, &["Staff", "Platform Team", "admins", "qa"]);
    let (reply, mut browser) = enters();
    assert_eq!((reply.status, who(&mut browser).as_str()), (303, "cy"), "{}", reply.text());
    let cy = || {
        let users = t.weir_in("", "user list --json").succeeds().stdout;
        let users: Value = serde_json::from_str(&users).expect("it is JSON");
        users["users"]
            .as_array()
            .and_then(|all| all.iter().find(|user| user["name"] == "cy"))
            .cloned()
            .expect("he is there")
    };
    assert_eq!(cy()["claimed"], json!(["core", "qa"]), "and nobody governs by a star");
    t.weir_in("", "user groups cy docs").succeeds();
    says("cy@acme.example", true, &["Staff", "chiefs"]);
    assert_eq!(enters().0.status, 303);
    assert_eq!((&cy()["groups"], &cy()["claimed"]), (&json!(["admins", "docs"]), &json!(["admins"])));
    assert!(Browser::of_ann(&server).page("/-/people").contains("by the word of their identity provider"));
    says("cy@acme.example", true, &["guests"]);
    refused(&enters().0, 401, "it says that no longer");
}

#[test]
fn an_account_is_linked_by_whoever_has_signed_in_and_by_nobody_else() {
    let t = empty();
    let Some(provider) = OpenIdProvider::start() else { return };
    register(&provider, "other", "spare", &json!({ "token_endpoint_auth_method": "client_secret_basic" }));
    t.write("data/secret", "not it\n");
    let issuer = provider.url();
    let spare = [
        ("WEIR_SERVER_SIGN_IN_PROVIDERS_SPARE_ISSUER", issuer.as_str()),
        ("WEIR_SERVER_SIGN_IN_PROVIDERS_SPARE_CLIENT_ID", "other"),
        ("WEIR_SERVER_SIGN_IN_PROVIDERS_SPARE_CLIENT_SECRET_FILE", "secret"),
    ];
    t.write("data/weir-server.toml", "");
    let server = served(&t, &provider, &spare);
    let mut ann = Browser::of_ann(&server);
    let to = leave(&mut ann, "/-/account", "link=1");
    let linked = ann.get(&back(&provider, &to, "a-1"));
    assert_eq!((linked.status, linked.header("location")), (303, Some("/-/account")), "{}", linked.text());
    let page = ann.page("/-/account");
    assert!(page.contains(">a-1</td>") && page.contains("Sign in with spare from now on"), "{page}");
    let mut by_provider = Browser::new(&server);
    sign_in(&mut by_provider, &provider, "a-1");
    assert_eq!(who(&mut by_provider), "ann");

    // What ann began to link, she does not link who was signed in by somebody else meanwhile.
    let to = leave(&mut ann, "/-/account", "link=1");
    let of_ann = back(&provider, &to, "evil");
    ann.send("/", "/-/sign-out", "");
    refused(&ann.get(&of_ann), 401, "sign in first");
    // Whose secret is not what the provider knows, is a matter of who runs the server.
    let mut browser = Browser::new(&server);
    let reply = browser.send("/-/sign-in", "/-/sign-in/with/spare", "");
    let to =
        reply.header("refresh").and_then(|to| to.strip_prefix("0; url=")).expect("it leads on").to_owned();
    refused(&browser.get(&back(&provider, &to, "a-1")), 502, "spare does not answer as it should");

    let unlinked =
        by_provider.send("/-/account", "/-/account/unlink", &format!("issuer={issuer}&subject=a-1"));
    assert_eq!(unlinked.status, 303, "{}", unlinked.text());
    refused(&sign_in(&mut Browser::new(&server), &provider, "a-1"), 401, "only who was invited");
}

#[test]
fn where_passwords_are_off_whoever_has_the_machine_is_let_in() {
    let t = empty();
    let Some(provider) = OpenIdProvider::start() else { return };
    drop(WeirServer::with_team(&t, &[]));
    register(&provider, "weir", "work", &json!({}));
    let issuer = provider.url();
    let server =
        WeirServer::start(&t, "data", &variables(&issuer, &[("WEIR_SERVER_SIGN_IN_PASSWORD", "false")]));
    let page = Browser::new(&server).page("/-/sign-in");
    assert!(page.contains("Sign in with Work") && !page.contains("current-password"), "{page}");
    let login = format!("login {} --user ann --password-stdin", server.url());
    let off = t.weir_fed("", &login, "correct horse\n").fails_with(4);
    assert!(
        off.stderr.contains("nobody signs in by a password here") && off.stderr.contains("Work"),
        "{off}"
    );
    let host: Value =
        serde_json::from_slice(&server.ask("GET", "/.well-known/weir", &[]).body).expect("it is JSON");
    assert_eq!(host["sign-in"], json!(["device", "openid"]));

    let invited = invitation_of(&t, &["--json", "serve", "data", "--invite", "ann"]);
    let login = format!("login {} --user ann --invitation {invited} --password-stdin", server.url());
    t.weir_fed("", &login, "another horse\n").succeeds();
    assert!(t.weir_in("", &format!("whoami {}", server.url())).succeeds().stdout.contains("admins"));
    t.weir_fed("", &login, "another horse\n").fails_with(4);
    // An invitation of an administrator is for the provider.
    let of_bob =
        t.weir_in("", &format!("user invite bob --server {} --json", server.url())).succeeds().stdout;
    let of_bob: Value = serde_json::from_str(&of_bob).expect("it is JSON");
    let invitation = of_bob["invitation"].as_str().unwrap();
    let login = format!("login {} --user bob --invitation {invitation} --password-stdin", server.url());
    let refused = t.weir_fed("", &login, "bob's password\n").fails_with(4).stderr;
    let link = |invitation: &str| format!("http://registry.example/-/sign-in?invitation={invitation}");
    assert!(refused.contains("nobody signs in by a password"), "{refused}");
    assert!(refused.contains(&link(invitation)), "{refused}");
    let told = t.weir_in("", &format!("user invite gus --server {}", server.url())).succeeds().stdout;
    assert!(told.contains(&link("weir_")) && !told.contains("weir login"), "{told}");
    t.weir_in("", &format!("user disable ann --server {}", server.url())).fails_with(8);
}

fn invitation_of(t: &Sandbox, words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let said = t.command("", &words, &[]).output().expect("it runs");
    let said: Value = serde_json::from_slice(&said.stdout).expect("it is JSON");
    assert_eq!(said["name"], "ann");
    said["invitation"].as_str().expect("there is one").to_owned()
}

fn fields(server: &WeirServer, path: &str, body: &str) -> (Reply, Value) {
    let reply =
        server.say("POST", path, &["Content-Type: application/x-www-form-urlencoded"], body.as_bytes());
    let said = serde_json::from_slice(&reply.body).expect("it is JSON");
    (reply, said)
}

#[test]
fn a_terminal_is_signed_in_by_whoever_says_that_its_code_is_theirs() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[("WEIR_SERVER_ADDRESS", ADDRESS)]);
    let begin = || fields(&server, "/api/v1/device", "client_id=weir+1&machine=laptop").1;
    let text = |said: &Value, name: &str| said[name].as_str().unwrap_or_default().to_owned();
    let ask = |secret: &str| {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        fields(&server, "/api/v1/device/token", &format!("grant_type={grant}&device_code={secret}"))
    };
    let begun = begin();
    let (secret, shown) = (text(&begun, "device_code"), text(&begun, "user_code"));
    assert_eq!(text(&begun, "verification_uri_complete"), format!("{ADDRESS}/-/device?code={shown}"));
    let (reply, said) = ask(&secret);
    assert_eq!(
        (reply.status, &said["error"], &said["code"]),
        (400, &"authorization_pending".into(), &"authorization-pending".into())
    );
    assert_eq!(ask(&secret).1["error"], "slow_down");

    // Who has not signed in does so first, and is asked then.
    let page = format!("/-/device?code={shown}");
    let mut browser = Browser::new(&server);
    let reply = browser.get(&page);
    let first = reply.header("location").expect("it leads to signing in").to_owned();
    assert_eq!((reply.status, first.starts_with("/-/sign-in?back=")), (303, true), "{first}");
    let back = "back=%2F-%2Fdevice%3Fcode%3D".to_owned() + &shown;
    let signed_in = browser.send(&first, "/-/sign-in", &format!("name=ann&password=correct+horse&{back}"));
    assert_eq!(signed_in.header("location"), Some(page.as_str()));
    let told = browser.page(&page);
    for part in [&*shown, "weir 1 on laptop", "127.0.0.1", "all that you may", "wants to be you"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    // Looking says nothing, and no other page says it for them.
    assert_eq!(browser.post("/-/device", &format!("form=x&code={shown}&what=allow"), &[]).status, 403);
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(ask(&secret).1["error"], "authorization_pending");
    assert_eq!(browser.send(&page, "/-/device", &format!("code={shown}&what=allow")).status, 200);
    assert_eq!(browser.get(&page).status, 404, "a code is good once");
    std::thread::sleep(std::time::Duration::from_secs(2));
    let (reply, given) = ask(&secret);
    assert_eq!((reply.status, &given["token_type"]), (200, &"Bearer".into()), "{given}");
    assert_eq!(ask(&secret).1["error"], "expired_token");
    let token = format!("Authorization: Bearer {}", text(&given, "access_token"));
    assert_eq!(server.ask("GET", "/api/v1/tokens", &[&token]).status, 200);
    assert!(browser.page("/-/account").contains("login laptop"));
    let listed = t.weir_in("", "token list --json").succeeds().stdout;
    let listed: Value = serde_json::from_str(&listed).expect("it is JSON");
    let of_laptop =
        listed["tokens"].as_array().and_then(|all| all.iter().find(|one| one["name"] == "login laptop"));
    t.weir_in("", &format!("token revoke {}", text(of_laptop.expect("it is listed"), "id"))).succeeds();
    assert_eq!(server.ask("GET", "/api/v1/whoami", &[&token]).status, 401);

    let begun = begin();
    let shown = text(&begun, "user_code");
    browser.send(&format!("/-/device?code={shown}"), "/-/device", &format!("code={shown}&what=deny"));
    assert_eq!(ask(&text(&begun, "device_code")).1["error"], "access_denied");
    // With the one that was used: ten.
    for _ in 1..10 {
        assert_eq!(browser.get("/-/device?code=BCDF-GHJK").status, 404);
    }
    let tired = browser.get(&format!("/-/device?code={}", text(&begin(), "user_code")));
    assert_eq!(tired.status, 429, "{}", tired.text());
    assert_eq!(code(&fields(&server, "/api/v1/device/token", "grant_type=x").0), "bad-document");
}

#[test]
fn weir_login_shows_a_code_and_waits_for_it() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[("WEIR_SERVER_ADDRESS", ADDRESS)]);
    t.weir_in("", "logout").succeeds();
    let login = |answer: &str| {
        let words = ["login", server.url()].map(str::to_owned);
        let mut process = t
            .command("", &words, &[])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it runs");
        let mut said = BufReader::new(process.stderr.take().expect("it is piped"));
        let mut line = String::new();
        said.read_line(&mut line).expect("it says where");
        let page = line.trim().strip_prefix(&format!("Open {ADDRESS}")).expect("it is there").to_owned();
        line.clear();
        said.read_line(&mut line).expect("it says which");
        let shown = line.rsplit(": ").next().expect("there is one").trim().to_owned();
        let mut browser = Browser::of_ann(&server);
        let told = browser.send(&page, "/-/device", &format!("code={shown}&what={answer}"));
        assert_eq!(told.status, 200, "{}", told.text());
        let mut rest = String::new();
        said.read_to_string(&mut rest).expect("it is text");
        let status = process.wait().expect("it ends").code();
        let mut out = String::new();
        process.stdout.take().expect("it is piped").read_to_string(&mut out).expect("it is text");
        (status, out, rest)
    };
    let (status, _, why) = login("deny");
    assert_eq!((status, why.contains("it is not theirs")), (Some(4), true), "{why}");
    t.weir_in("", "whoami").fails_with(4);
    let (status, out, why) = login("allow");
    assert_eq!((status, out.contains("Signed in to")), (Some(0), true), "{out}{why}");
    assert!(t.weir_in("", "whoami").succeeds().stdout.starts_with("`ann` at"));
}
