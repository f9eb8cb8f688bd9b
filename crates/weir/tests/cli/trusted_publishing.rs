//! Programs that publish without a secret: a job's identity token, by a real provider, for a short token of the server.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use weir_testkit::{Misbehaviour, OpenIdProvider, Reply, Run, Sandbox, StaticServer, WeirServer};

use super::server_accounts::{code, user};
use super::web_acting::{Browser, hidden};

fn sandbox() -> Sandbox {
    Sandbox::new(env!("CARGO_BIN_EXE_weir"))
}

/// A server that believes the provider at `issuer`.
fn server(t: &Sandbox, issuer: &str) -> WeirServer {
    let believed =
        [("WEIR_SERVER_OPENID_WORKLOAD_ISSUERS", issuer), ("WEIR_SERVER_OPENID_ALLOW_LOOPBACK", "true")];
    WeirServer::with_team(t, &believed)
}

/// What the provider says of a job; `run` tells it from others.
fn job(run: u32, tag: &str) -> Value {
    json!({ "repository": "acme/greet", "ref": format!("refs/tags/{tag}"), "run_id": run })
}

fn trust(t: &Sandbox, issuer: &str) -> Run {
    let rule = "--claim repository=acme/greet --claim ref=refs/tags/* --for acme --to team";
    t.weir_in("", &format!("trust add --issuer {issuer} {rule}")).succeeds()
}

/// Runs `weir` as a job does that has this identity token and nothing else.
fn as_job(t: &Sandbox, server: &WeirServer, folder: &str, typed: &str, token: &str) -> Run {
    let home = t.path("job-home").display().to_string();
    let variables = [("WEIR_HOME", home.as_str()), ("WEIR_IDENTITY_TOKEN", token)];
    t.weir_with(folder, &format!("--registry {}/team {typed}", server.url()), &variables)
}

fn exchange(server: &WeirServer, token: &str) -> Reply {
    let body = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={token}&subject_token_type=urn:ietf:params:oauth:token-type:id_token"
    );
    let headers = ["Content-Type: application/x-www-form-urlencoded"];
    server.say("POST", "/api/v1/token-exchange", &headers, body.as_bytes())
}

fn access_token(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let given: Value = serde_json::from_slice(&reply.body).expect("it is JSON");
    assert_eq!((&given["token_type"], &given["expires_in"]), (&"Bearer".into(), &900.into()));
    given["access_token"].as_str().expect("there is one").to_owned()
}

#[test]
fn a_job_publishes_by_who_it_is_and_nothing_but_what_it_is_trusted_with() {
    let t = sandbox();
    let Some(provider) = OpenIdProvider::start() else { return };
    let server = server(&t, &provider.url());
    provider.has_jobs_for(server.url());
    trust(&t, &provider.url());
    let token = provider.job(server.url(), &job(1, "v1"));

    let folder = t.package("acme/greet", "1.0.0").file("greet", "hello").write();
    // Whoever says first that they trust somebody's job would have the name that it begins: so it begins none.
    let begins = as_job(&t, &server, &folder, "publish", &token).fails_with(4);
    assert!(begins.stderr.contains("weir claim acme user:ann"), "{begins}");
    t.weir_in("", "claim acme user:ann").succeeds();
    as_job(&t, &server, &folder, "publish", &token).succeeds();
    // The next command of the same job: the identity token is good once, what it was exchanged for is kept.
    let folder = t.package("acme/other", "1.0.0").file("greet", "hello").write();
    as_job(&t, &server, &folder, "publish", &token).succeeds();

    let refused = as_job(&t, &server, "", "yank acme/greet@1.0.0", &token).fails_with(4);
    assert!(refused.stderr.contains("the token is only for `publish`"), "{refused}");
    let folder = t.package("elsewhere/greet", "1.0.0").file("greet", "hello").write();
    let refused = as_job(&t, &server, &folder, "publish", &token).fails_with(4);
    assert!(refused.stderr.contains("the token is only for `acme`"), "{refused}");
    let who = as_job(&t, &server, "", &format!("whoami {}", server.url()), &token).succeeds().stdout;
    assert!(who.contains("`job` at") && who.contains("publish for acme to team, for `ann`"), "{who}");
    let listed = format!("token list --server {}", server.url());
    assert!(as_job(&t, &server, "", &listed, &token).fails_with(4).stderr.contains("is for a program"));

    let actor = format!("workload:{} job", provider.url());
    let events = t.weir_in("", "activity --json").succeeds().stdout;
    let events: Value = serde_json::from_str(&events).expect("it is JSON");
    let of_job: Vec<(&str, &str)> = events["events"]
        .as_array()
        .expect("there are events")
        .iter()
        .filter(|event| event["actor"] == actor.as_str() && event["done"] == true)
        .map(|event| {
            (event["action"].as_str().unwrap_or_default(), event["subject"].as_str().unwrap_or_default())
        })
        .collect();
    assert!(of_job.contains(&("published", "acme/greet 1.0.0")), "{of_job:?}");
    assert!(of_job.contains(&("token-exchanged", "team")), "{of_job:?}");

    let listed = t.weir_in("", "trust list --json").succeeds().stdout;
    let listed: Value = serde_json::from_str(&listed).expect("it is JSON");
    let rule = listed["trusted"][0]["id"].as_str().expect("there is one").to_owned();
    t.weir_in("", &format!("trust remove {rule}")).succeeds();
    let folder = t.package("acme/late", "1.0.0").file("greet", "hello").write();
    let refused = as_job(&t, &server, &folder, "publish", &token).fails_with(4);
    assert!(
        refused.stderr.contains("the token is only for `read`"),
        "what it got is of no more use: {refused}"
    );
    t.weir_in("", &format!("trust remove {rule}")).fails_with(5);
}

/// A token that says for whom it is meant, which is all that is read of it where it is not shown to anybody.
fn meant_for(audience: &str) -> String {
    format!("x.{}.y", base64url(&json!({ "aud": audience }).to_string()))
}

#[test]
fn a_job_whose_identity_token_is_for_another_server_is_told_so() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    t.weir_in("", &format!("registry create private --server {}", server.url())).succeeds();
    let home = t.path("job-home").display().to_string();
    let token = meant_for("https://elsewhere.example");
    let variables = [("WEIR_HOME", home.as_str()), ("WEIR_IDENTITY_TOKEN", &*token)];
    let folder = t.package("acme/greet", "1.0.0").file("greet", "hello").write();
    for typed in ["publish", "search greet"] {
        let typed = format!("--registry {}/private {typed}", server.url());
        let told = t.weir_with(&folder, &typed, &variables).fails_with(5).stderr;
        let why = format!(
            "the identity token of this job was not shown to {}, for it is meant for `https://elsewhere.example`",
            server.url()
        );
        assert!(told.contains(&why), "{typed}: {told}");
        assert!(!told.contains(&token), "{told}");
    }
    // Who needs no token is told nothing of it.
    let open = format!("--registry {}/team search greet", server.url());
    let told = t.weir_with("", &open, &variables);
    assert!(!told.stderr.contains("identity token"), "{told}");
}

#[test]
fn a_job_that_nobody_trusts_any_longer_is_told_so() {
    let t = sandbox();
    let Some(provider) = OpenIdProvider::start() else { return };
    let server = server(&t, &provider.url());
    provider.has_jobs_for(server.url());
    t.weir_in("", &format!("registry create private --server {}", server.url())).succeeds();
    let rule = "--claim repository=acme/greet --claim ref=refs/tags/* --for acme --to private";
    t.weir_in("", &format!("trust add --issuer {} {rule}", provider.url())).succeeds();
    let token = provider.job(server.url(), &job(1, "v1"));
    let home = t.path("job-home").display().to_string();
    let variables = [("WEIR_HOME", home.as_str()), ("WEIR_IDENTITY_TOKEN", &*token)];
    let show = format!("--registry {}/private policy show", server.url());
    t.weir_with("", &show, &variables).succeeds();

    let listed = t.weir_in("", "trust list --json").succeeds().stdout;
    let listed: Value = serde_json::from_str(&listed).expect("it is JSON");
    let rule = listed["trusted"][0]["id"].as_str().expect("there is one");
    t.weir_in("", &format!("trust remove {rule}")).succeeds();
    let refused = t.weir_with("", &show, &variables).fails_with(5);
    let why = format!(
        "the identity token of this job was taken by {}, and no rule there lets the job do anything now",
        server.url()
    );
    assert!(refused.stderr.contains(&why), "{refused}");
    // One that is new gets nothing, and hears it from the server itself.
    let token = provider.job(server.url(), &job(2, "v1"));
    let variables = [("WEIR_HOME", home.as_str()), ("WEIR_IDENTITY_TOKEN", &*token)];
    let refused = t.weir_with("", &show, &variables);
    assert!(refused.code != 0 && refused.stderr.contains("nobody here trusts"), "{refused}");
}

#[test]
fn programs_are_trusted_on_a_page_and_a_release_says_that_one_published_it() {
    let t = sandbox();
    let Some(provider) = OpenIdProvider::start() else { return };
    let server = server(&t, &provider.url());
    provider.has_jobs_for(server.url());
    let mut ann = Browser::of_ann(&server);
    let page = ann.page("/-/trust");
    assert!(page.contains("No program is trusted") && page.contains(&provider.url()), "{page}");
    let fields = "claims=repository%3Dacme%2Fgreet%0D%0Aref%3Drefs%2Ftags%2F*&registry=team&names=acme&verb=publish&minutes=15";
    let fields = format!("issuer={}&{fields}", provider.url().replace(':', "%3A").replace('/', "%2F"));
    let added = ann.send("/-/trust", "/-/trust/add", &fields);
    assert_eq!((added.status, added.header("location")), (303, Some("/-/trust")), "{}", added.text());
    let page = ann.page("/-/trust");
    for told in [
        "repository=acme/greet",
        "publish of acme at team, for 15 minutes",
        "last used never",
        "acts for ann",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    // Others see their own alone, and remove no other.
    let bob = user(&t, &server, "bob", "--group team");
    let mut bob = Browser::signed_in_by(&server, &bob);
    assert!(bob.page("/-/trust").contains("No program is trusted"));
    let rule = hidden(&page, "which");
    assert_eq!(bob.send("/-/trust", "/-/trust/remove", &format!("which={rule}")).status, 404);
    assert_eq!(Browser::new(&server).get("/-/trust").status, 401);

    let folder = t.package("acme/greet", "1.0.0").file("greet", "hello").write();
    t.weir_in("", "claim acme user:ann").succeeds();
    as_job(&t, &server, &folder, "publish", &provider.job(server.url(), &job(1, "v1"))).succeeds();
    let release = ann.page("/team/-/packages/acme/greet/1.0.0");
    for told in ["Published by a trusted job, without a secret", &provider.url(), "by the trusted job job"] {
        assert!(release.contains(told), "{told}: {release}");
    }
    assert!(!ann.page("/-/trust").contains("last used never"));

    for (wrong, told) in [
        (
            fields.replace("acme%2Fgreet%0D%0A", "acme%2Fgreet%0D%0Anonsense%0D%0A"),
            "is no claim with its value",
        ),
        (fields.replace("names=acme", "names="), "names"),
        (fields.replace("minutes=15", "minutes=600"), "minutes"),
    ] {
        let refused = ann.send("/-/trust", "/-/trust/add", &wrong);
        assert!(
            matches!(refused.status, 400 | 422) && refused.text().contains(told),
            "{told}: {}",
            refused.text()
        );
    }
    assert_eq!(ann.send("/-/trust", "/-/trust/remove", &format!("which={rule}")).status, 303);
    assert!(ann.page("/-/trust").contains("No program is trusted"));
}

#[test]
fn a_policy_knows_what_the_provider_says_of_a_job() {
    let t = sandbox();
    let Some(provider) = OpenIdProvider::start() else { return };
    let server = server(&t, &provider.url());
    provider.has_jobs_for(server.url());
    trust(&t, &provider.url());
    t.write(
        "rules/rules.cedar",
        r#"
        @id("everybody") permit (principal, action, resource);
        @id("releases-only") @reason("programs publish from the environment `release`")
        forbid (principal is Workload, action == Action::"publish", resource)
        unless { principal.hasTag("environment") && principal.getTag("environment") == "release" };
        "#,
    );
    t.weir_in("", "policy set rules").succeeds();
    t.weir_in("", "claim acme user:ann").succeeds();
    let folder = t.package("acme/greet", "1.0.0").file("greet", "hello").write();
    let refused =
        as_job(&t, &server, &folder, "publish", &provider.job(server.url(), &job(1, "v1"))).fails_with(4);
    assert!(refused.stderr.contains("programs publish from the environment `release`"), "{refused}");
    let mut released = job(2, "v1");
    released["environment"] = "release".into();
    as_job(&t, &server, &folder, "publish", &provider.job(server.url(), &released)).succeeds();
}

#[test]
fn what_no_provider_would_sign_is_not_believed_and_each_token_is_good_once() {
    let t = sandbox();
    let Some(provider) = OpenIdProvider::start() else { return };
    let server = server(&t, &provider.url());
    provider.has_jobs_for(server.url());
    provider.has_jobs_for("https://other.example");
    let good = |run| provider.job(server.url(), &job(run, "v1"));
    assert_eq!(code(&exchange(&server, &good(1))), "not-signed-in", "nobody trusts it yet");
    trust(&t, &provider.url());

    let refused = |token: &str, why: &str| {
        let reply = exchange(&server, token);
        assert_eq!((reply.status, code(&reply).as_str()), (401, "not-signed-in"), "{}", reply.text());
        assert!(reply.text().contains(why), "{why}: {}", reply.text());
    };
    let token = good(2);
    access_token(&exchange(&server, &token));
    refused(&token, "was taken already");
    refused(&provider.job("https://other.example", &job(3, "v1")), "meant for somebody else");
    refused(
        &provider.job(server.url(), &json!({ "repository": "acme/greet", "ref": "refs/heads/main" })),
        "nobody here trusts",
    );

    let said = |more: Value| {
        let mut claims = json!({ "aud": server.url(), "repository": "acme/greet", "ref": "refs/tags/v1" });
        for (name, value) in more.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        claims
    };
    access_token(&exchange(&server, &provider.forge("key", &said(json!({})))));
    for (how, why) in [
        ("none", "no identity token"),
        ("hs256", "which anybody can"),
        ("other-key", "its signature is not the provider's"),
        ("unknown-key", "none of the provider's keys"),
    ] {
        let reply = exchange(&server, &provider.forge(how, &said(json!({}))));
        assert!(matches!(reply.status, 401 | 422) && reply.text().contains(why), "{how}: {}", reply.text());
    }
    for (claims, why) in [
        (json!({ "exp": 1_000_000_000 }), "it has expired"),
        (json!({ "exp": 40_000_000_000_u64 }), "more than a day"),
        (json!({ "nbf": 40_000_000_000_u64 }), "it is not good yet"),
        (json!({ "iat": 40_000_000_000_u64 }), "issued in the future"),
        (json!({ "iss": "https://evil.example" }), "not one that is believed"),
        (json!({ "aud": format!("{}.evil.example", server.url()) }), "meant for somebody else"),
        (json!({ "sub": "" }), "its subject"),
        (json!({ "sub": "a\nb" }), "its subject"),
    ] {
        refused(&provider.forge("key", &said(claims)), why);
    }
    let numbered = json!({ "jti": "one" });
    access_token(&exchange(&server, &provider.forge("key", &said(numbered.clone()))));
    refused(&provider.forge("key", &said(json!({ "jti": "one", "run_id": 9 }))), "was taken already");
    for nonsense in ["", "x", "a.b.c", &"x".repeat(20_000)] {
        assert_eq!(exchange(&server, nonsense).status, 422, "{nonsense}");
    }
    assert_eq!(server.say("POST", "/api/v1/token-exchange", &[], b"subject_token=x").status, 422);
}

#[test]
fn keys_may_change_and_the_provider_may_be_down() {
    let t = sandbox();
    let Some(provider) = OpenIdProvider::start() else { return };
    let (issuer, port) = (provider.url(), provider.port());
    let server = server(&t, &issuer);
    trust(&t, &issuer);
    provider.has_jobs_for(server.url());
    let tokens: Vec<String> = (0..2).map(|run| provider.job(server.url(), &job(run, "v1"))).collect();
    drop(provider);
    let down = exchange(&server, &tokens[0]);
    assert_eq!((down.status, code(&down).as_str()), (502, "identity-provider"), "{}", down.text());

    // Another with other keys, as after they were changed: it is asked again before long.
    let provider = OpenIdProvider::start_at(port).expect("it was there before");
    provider.has_jobs_for(server.url());
    let began = Instant::now();
    loop {
        let reply = exchange(&server, &provider.job(server.url(), &job(2, "v1")));
        if reply.status == 200 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{}", reply.text());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(exchange(&server, &tokens[1]).status, 401, "what the keys from before signed is not believed");
    let last = provider.job(server.url(), &job(3, "v1"));
    drop(provider);
    access_token(&exchange(&server, &last));
}

#[test]
fn a_key_that_is_another_under_the_same_name_is_asked_for_once_more() {
    let t = sandbox();
    let Some(provider) = OpenIdProvider::start_with_key(0, "same") else { return };
    let (issuer, port) = (provider.url(), provider.port());
    let server = server(&t, &issuer);
    trust(&t, &issuer);
    provider.has_jobs_for(server.url());
    access_token(&exchange(&server, &provider.job(server.url(), &job(1, "v1"))));
    drop(provider);
    let provider = OpenIdProvider::start_with_key(port, "same").expect("it was there before");
    provider.has_jobs_for(server.url());
    let began = Instant::now();
    // Not at once, for who sends tokens that nobody signed would have it asked as often.
    loop {
        let reply = exchange(&server, &provider.job(server.url(), &job(2, "v1")));
        if reply.status == 200 {
            break;
        }
        assert!(reply.text().contains("its signature is not the provider's"), "{}", reply.text());
        assert!(began.elapsed() < Duration::from_secs(60), "{}", reply.text());
        std::thread::sleep(Duration::from_millis(500));
    }
}

#[test]
fn junk_of_one_keeps_nobody_from_being_found_out() {
    let t = sandbox();
    let Some(provider) = OpenIdProvider::start() else { return };
    // One that never answers, and is believed, too.
    let silent = StaticServer::serve(t.path("silent")).expect("it listens");
    silent.misbehave("/.well-known/openid-configuration", Misbehaviour::Silence);
    let issuers = format!("{},{}", provider.url(), silent.url());
    let server = server(&t, &issuers);
    provider.has_jobs_for(server.url());
    trust(&t, &provider.url());
    trust(&t, &silent.url());
    let junk = |issuer: &str, number: usize| {
        let claims =
            format!(r#"{{"iss":"{issuer}","sub":"{number}","aud":"{}","exp":{}}}"#, server.url(), soon());
        format!("{}.{}.eA", base64url(r#"{"alg":"RS256","kid":"x"}"#), base64url(&claims))
    };
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..40)
            .map(|number| {
                let (server, token) = (&server, junk(&silent.url(), number));
                scope.spawn(move || exchange(server, &token).status)
            })
            .collect();
        std::thread::sleep(Duration::from_millis(300));
        // Who has a password waits for none of them, and a job is found out that comes from there, too: once its turn has come.
        let signed_in = server.say(
            "POST",
            "/api/v1/sign-in",
            &["Content-Type: application/json"],
            br#"{"name":"ann","password":"correct horse"}"#,
        );
        assert_eq!(signed_in.status, 200, "{}", signed_in.text());
        t.weir_in("", "claim acme user:ann").succeeds();
        let folder = t.package("acme/greet", "1.0.0").file("greet", "hello").write();
        let token = provider.job(server.url(), &job(1, "v1"));
        as_job(&t, &server, &folder, "publish", &token).succeeds();
        let answered: Vec<u16> = waiting.into_iter().map(|one| one.join().expect("it ends")).collect();
        assert!(answered.iter().all(|status| matches!(status, 502 | 503)), "{answered:?}");
    });
    // What has ended by what it says itself waits for nothing.
    let claims =
        format!(r#"{{"iss":"{}","sub":"x","aud":"{}","exp":1000000000}}"#, silent.url(), server.url());
    let ended = format!("{}.{}.eA", base64url(r#"{"alg":"RS256","kid":"x"}"#), base64url(&claims));
    let asked = silent.seen().len();
    assert!(exchange(&server, &ended).text().contains("it has expired"));
    assert_eq!(silent.seen().len(), asked, "nobody was asked");
}

/// In ten minutes, in seconds since 1970.
fn soon() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is later");
    now.as_secs() + 600
}

#[test]
fn a_provider_leads_nowhere_and_is_not_heard_without_end() {
    let t = sandbox();
    let inside = StaticServer::serve(t.path("inside")).expect("it listens");
    t.write("inside/keys", r#"{"keys":[]}"#);
    let hostile = StaticServer::serve(t.path("hostile")).expect("it listens");
    let server = server(&t, &hostile.url());
    trust(&t, &hostile.url());
    // A token of that issuer, signed by nobody: what it says is read before its signature is.
    let claims =
        format!(r#"{{"iss":"{}","sub":"job","aud":"{}","exp":{}}}"#, hostile.url(), server.url(), soon());
    let token = format!("{}.{}.eA", base64url(r#"{"alg":"RS256","kid":"x"}"#), base64url(&claims));
    let configuration = |issuer: &str, keys: &str| {
        let document = json!({ "issuer": issuer, "jwks_uri": keys });
        t.write("hostile/.well-known/openid-configuration", document.to_string());
    };
    let told = |why: &str| {
        let began = Instant::now();
        // One that just failed is not asked again at once.
        loop {
            let reply = exchange(&server, &token);
            if reply.text().contains(why) {
                assert_eq!((reply.status, code(&reply).as_str()), (502, "identity-provider"));
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{why}: {}", reply.text());
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    configuration(&hostile.url(), &format!("{}/keys", inside.url()));
    told("would travel unencrypted");
    assert!(inside.seen().is_empty(), "nothing inside was asked");
    configuration("https://accounts.example", &format!("{}/keys", hostile.url()));
    told("is another provider");
    configuration(&hostile.url(), &format!("{}/keys", hostile.url()));
    t.write("hostile/keys", format!(r#"{{"keys":[{}]}}"#, " ".repeat(300 << 10)));
    told("larger");
    let many = vec![r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#; 101].join(",");
    t.write("hostile/keys", format!(r#"{{"keys":[{many}]}}"#));
    told("more than 100 keys");
}

#[test]
fn nobody_trusts_everybody_and_only_providers_that_are_believed() {
    let t = sandbox();
    let server = server(&t, "http://127.0.0.1:9");
    let add = |options: &str| t.weir_in("", &format!("trust add --for acme --to team {options}"));
    let everybody = add("--issuer http://127.0.0.1:9 --claim sub=*").fails_with(2);
    assert!(everybody.stderr.contains("would trust anybody whom the provider knows"), "{everybody}");
    let unknown = add("--issuer https://evil.example --claim sub=x").fails_with(2);
    assert!(unknown.stderr.contains("no identity provider that this server believes"), "{unknown}");
    add("--issuer http://127.0.0.1:9 --claim sub=x --minutes 90").fails_with(2);
    let listed = t.weir_in("", "trust list").succeeds();
    assert!(listed.stdout.contains("No program is trusted"), "{listed}");
    // An identity token that is meant for another server is not shown to this one.
    let token = format!("x.{}.x", base64url(r#"{"aud":"https://other.example"}"#));
    let with = [("WEIR_HOME", "job-home"), ("WEIR_IDENTITY_TOKEN", token.as_str())];
    t.weir_with("", &format!("whoami {}", server.url()), &with).fails_with(4);
}

fn base64url(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = text.bytes().map(|byte| format!("{byte:08b}")).collect();
    let sextets = bits.as_bytes().chunks(6).map(|bits| format!("{:0<6}", String::from_utf8_lossy(bits)));
    sextets.filter_map(|bits| Some(ALPHABET[usize::from_str_radix(&bits, 2).ok()?] as char)).collect()
}
