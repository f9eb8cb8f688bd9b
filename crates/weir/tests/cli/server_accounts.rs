//! Who one is to a server: signing in, tokens, users, and where credentials go.

use weir_testkit::{Reply, Sandbox, WeirServer};

fn sandbox() -> Sandbox {
    Sandbox::new(env!("CARGO_BIN_EXE_weir"))
}

/// Makes `name` a user in `groups`, and signs in from a home of their own.
pub(crate) fn user(t: &Sandbox, server: &WeirServer, name: &str, groups: &str) -> String {
    let invited = t.weir_in("", &format!("user invite {name} {groups} --json")).succeeds().stdout;
    let invited: serde_json::Value = serde_json::from_str(&invited).expect("it is JSON");
    let invitation = invited["invitation"].as_str().expect("there is one");
    let accept = serde_json::json!({ "invitation": invitation, "password": format!("{name}'s password") });
    let reply = post(server, "/api/v1/invitations/accept", None, &accept);
    assert_eq!(reply.status, 201, "{}", reply.text());
    let reply: serde_json::Value = serde_json::from_slice(&reply.body).expect("it is JSON");
    reply["token"].as_str().expect("there is one").to_owned()
}

pub(crate) fn post(
    server: &WeirServer,
    path: &str,
    token: Option<&str>,
    document: &serde_json::Value,
) -> Reply {
    let token = token.map(|token| format!("Authorization: Bearer {token}"));
    let mut headers = vec!["Content-Type: application/json"];
    headers.extend(token.as_deref());
    server.say("POST", path, &headers, document.to_string().as_bytes())
}

pub(crate) fn code(reply: &Reply) -> String {
    let problem: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    problem["code"].as_str().unwrap_or_default().to_owned()
}

/// The variable for the token of a server, and the token.
pub(crate) fn variable(server: &WeirServer) -> String {
    let place = server.url().trim_start_matches("http://");
    format!("WEIR_TOKEN_{}", place.replace(['.', ':'], "_"))
}

#[test]
fn the_first_administrator_is_whoever_was_told_by_the_server() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let who = t.weir_in("", "whoami").succeeds().stdout;
    assert!(who.starts_with("`ann` at http://127.0.0.1:"), "{who}");
    assert!(who.contains("admins"), "{who}");
    t.weir_in("", "registry remove team").succeeds();
    assert_eq!(t.weir_in("", "whoami").succeeds().stdout, who, "there is one server alone");

    let again = format!(
        "login {} --user eve --invitation {} --password-stdin",
        server.url(),
        server.invitation().unwrap()
    );
    let refused = t.weir_fed("", &again, "another password\n").fails_with(4);
    assert!(refused.stderr.contains("it was used already"), "{refused}");
    drop(server);
    let server = WeirServer::start(&t, "data", &[]);
    assert_eq!(server.invitation(), None, "somebody governs it");
}

#[test]
fn who_is_invited_signs_in_by_password_and_out_again() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    user(&t, &server, "bob", "--group core");
    t.weir_in("", "logout").succeeds();
    assert!(!t.read("home/weir/credentials.toml").contains("weir_"), "nothing is left");
    t.weir_in("", "whoami").fails_with(4);

    let wrong = t.weir_fed("", "login --user bob --password-stdin", "wrong\n").fails_with(4);
    assert!(wrong.stderr.contains("the name or the password is wrong"), "{wrong}");
    let nobody = t.weir_fed("", "login --user nobody --password-stdin", "wrong\n").fails_with(4);
    assert!(nobody.stderr.contains("the name or the password is wrong"), "{nobody}");
    t.weir_fed("", "login --user bob --password-stdin", "bob's password\n").succeeds();
    let who = t.weir_in("", "whoami --json").succeeds().stdout;
    assert!(who.contains("\"core\"") && who.contains("\"bob\""), "{who}");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs_err::metadata(t.path("home/weir/credentials.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A way to every server that is no server of this machine: what is said on it is seen.
fn overheard(t: &Sandbox, typed: &str, stdin: &str) -> (weir_testkit::Run, Vec<String>) {
    let listening = weir_testkit::StaticServer::serve(t.path("nothing-here")).expect("it can be listened");
    t.write("home/weir/config.toml", "[http]\ntimeout = 5\n");
    let run = t.weir_fed_with("", typed, stdin, &[("HTTP_PROXY", &*listening.url())]);
    (run, listening.seen().into_iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect())
}

#[test]
fn nothing_is_said_to_a_server_at_which_a_password_would_be_overheard() {
    let t = sandbox();
    let server = "http://weir.example:9001";
    for (how, stdin) in [
        ("--user bob --password-stdin", "correct horse\n"),
        ("--user bob --password-stdin --invitation weir_01AAAA", "correct horse\n"),
        ("--token-stdin", "weir_01AAAA\n"),
        ("", ""),
    ] {
        let (refused, seen) = overheard(&t, &format!("login {server} {how}"), stdin);
        let refused = refused.fails_with(4);
        assert!(refused.stderr.contains("would travel unencrypted: use `https`"), "{how}: {refused}");
        assert!(seen.is_empty(), "{how}: {seen:?}");
    }
}

#[test]
fn a_login_that_is_good_no_longer_is_renewed_by_another() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let by_password = format!("login {} --user ann --password-stdin", server.url());
    let dead = t.read("home/weir/credentials.toml");
    // Another password ends every login before.
    let invited = t.weir_in("", "user invite ann --again --json").succeeds().stdout;
    let invited: serde_json::Value = serde_json::from_str(&invited).expect("it is JSON");
    let invitation = invited["invitation"].as_str().expect("there is one");
    let accept = serde_json::json!({ "invitation": invitation, "password": "another password" });
    assert_eq!(post(&server, "/api/v1/invitations/accept", None, &accept).status, 201);
    t.weir_in("", "whoami").fails_with(4);
    t.weir_fed("", &by_password, "another password\n").succeeds();
    t.weir_in("", "whoami").succeeds();

    let again = t.weir_in("", "user invite ann --again --json").succeeds().stdout;
    let again: serde_json::Value = serde_json::from_str(&again).expect("it is JSON");
    t.write("home/weir/credentials.toml", dead);
    let invitation = again["invitation"].as_str().expect("there is one");
    t.weir_fed("", &format!("{by_password} --invitation {invitation}"), "a third password\n").succeeds();
    t.weir_in("", "whoami").succeeds();
}

/// Makes a registry, and gives the option that names it.
fn made(t: &Sandbox, server: &WeirServer, name: &str, policy: &str) -> String {
    t.weir_in("", &format!("registry create {name} --policy {policy} --server {}", server.url())).succeeds();
    format!("--registry {}/{name}", server.url())
}

#[test]
fn why_one_may_is_asked_of_whoever_signed_in_at_the_server() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let (private, open) = (made(&t, &server, "private", "team"), made(&t, &server, "public", "open"));
    let may = t.weir_in("", &format!("{private} policy explain read")).succeeds().stdout;
    assert!(may.starts_with("Yes: `user:ann` may `read`"), "{may}");
    let bob = user(&t, &server, "bob", "--group others");
    let with = [(&*variable(&server), &*bob)];
    let govern = t.weir_with("", &format!("{open} policy explain govern"), &with).succeeds().stdout;
    assert!(govern.starts_with("No: `user:bob` may not `govern`"), "{govern}");
    t.weir_in("", "logout").succeeds();
    let who = t.weir_in("", &format!("{open} policy explain read")).fails_with(4);
    assert!(who.stderr.contains("weir login"), "{who}");
}

#[test]
fn what_is_explained_of_a_registry_behind_a_server_is_what_the_server_decides() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    // As a folder has it that was moved in: no set of its own.
    let plain = made(&t, &server, "plain", "folder");
    let bob = user(&t, &server, "bob", "--group team");
    let with = [(&*variable(&server), &*bob)];
    let explained = |typed: &str, with: &[(&str, &str)]| {
        t.weir_with("", &format!("{plain} policy explain {typed}"), with).succeeds().stdout
    };
    let govern = explained("govern", &with);
    assert!(govern.starts_with("No: `user:bob` may not `govern`"), "{govern}");
    assert!(govern.contains("(policy `server-administrators`)"), "{govern}");
    assert!(!govern.contains("folder-write"), "{govern}");
    let set = t.weir_with("", &format!("{plain} policy set --built-in open --lock-out"), &with);
    assert!(set.code != 0 && set.stderr.contains("server-administrators"), "{set}");
    assert!(explained("publish acme/one@1.0.0", &with).starts_with("Yes: `user:bob` may `publish`"));
    let anybody = explained("publish acme/one@1.0.0 --as anonymous", &with);
    assert!(
        anybody.starts_with("No: `anonymous` may not") && anybody.contains("server-sign-in"),
        "{anybody}"
    );

    // Who governs the server sees in which groups others are, and need not say so.
    assert!(explained("govern", &[]).starts_with("Yes: `user:ann` may `govern`"));
    assert!(explained("govern --as user:ann", &[]).starts_with("Yes"));
    assert!(explained("govern --as user:bob", &[]).starts_with("No"));
    let private = made(&t, &server, "private", "team");
    let read = t.weir_in("", &format!("{private} policy explain read --as user:bob")).succeeds().stdout;
    assert!(read.starts_with("Yes: `user:bob` may `read`"), "{read}");

    // A folder has no server that adds anything.
    t.weir_in("", "registry init mine --name mine").succeeds();
    let mine = t.weir_in("", "--registry ./mine policy explain govern --as user:bob").succeeds().stdout;
    assert!(mine.starts_with("Yes: `user:bob` may `govern`"), "{mine}");
}

#[test]
fn a_server_says_the_address_by_which_others_know_it() {
    let t = sandbox();
    let known = "https://weir.example/";
    let with = [("WEIR_SERVER_ADDRESS", known)];
    let mut process = t
        .command("", &["serve", "data", "--listen", "127.0.0.1:0"].map(str::to_owned), &with)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program can be run");
    let said = std::io::BufReader::new(process.stdout.take().expect("stdout is piped"));
    let said: Vec<String> = std::io::BufRead::lines(said).take(8).map_while(Result::ok).collect();
    process.kill().expect("it runs");
    process.wait().expect("it ran");
    let said = said.join("\n");
    for line in [
        " at https://weir.example\nOn this machine it is at http://127.0.0.1:",
        "\n  https://weir.example/-/sign-in?invitation=weir_",
        "\n  weir login https://weir.example --user NAME --invitation weir_",
        "\n  weir registry create NAME --server https://weir.example",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn an_identity_token_is_meant_for_the_address_by_which_others_know_the_server() {
    let t = sandbox();
    let _server = WeirServer::with_team(&t, &[("WEIR_SERVER_ADDRESS", "https://weir.example/")]);
    let issuer = "https://token.actions.githubusercontent.com";
    let rule = "--claim repository=acme/greet --for acme/greet --to team";
    let added = t.weir_in("", &format!("trust add --issuer {issuer} {rule}")).succeeds().stdout;
    let audience = added.lines().find(|line| line.trim_start().starts_with("audience"));
    assert!(audience.is_some_and(|line| line.ends_with(" https://weir.example")), "{added}");
}

#[test]
fn who_has_not_signed_in_and_publishes_in_a_private_registry_is_told_how() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let private = made(&t, &server, "private", "team");
    let folder = t.package("acme/one", "1.0.0").file("a", "a").write();
    let elsewhere = [("WEIR_HOME", "other-home")];
    let stranger = t.weir_with(&folder, &format!("{private} publish"), &elsewhere).fails_with(5);
    let how = "of a private registry only those are told who may read it: `weir login`";
    assert!(stranger.stderr.contains(how), "{stranger}");
}

#[test]
fn guessing_has_to_wait() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let sign_in = |password: &str| {
        let document = serde_json::json!({ "name": "ann", "password": password });
        post(&server, "/api/v1/sign-in", None, &document)
    };
    for _ in 0..5 {
        assert_eq!(code(&sign_in("wrong")), "not-signed-in");
    }
    // The first wait is a second, which may be over when somebody asks again.
    let seconds = |reply: &Reply| reply.header("retry-after").and_then(|seconds| seconds.parse::<u32>().ok());
    while seconds(&sign_in("wrong")).is_none_or(|seconds| seconds < 4) {}
    let waits = sign_in("correct horse");
    assert_eq!((waits.status, code(&waits).as_str()), (429, "too-many-failures"));
    assert!(seconds(&waits).is_some());
}

#[test]
fn who_guesses_at_a_name_keeps_nobody_out_from_where_they_signed_in_before() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[("WEIR_SERVER_TRUSTED_PROXIES", "127.0.0.0/8")]);
    let sign_in = |password: &str, from: &str| {
        let document = serde_json::json!({ "name": "ann", "password": password }).to_string();
        let from = format!("X-Forwarded-For: {from}");
        let headers = ["Content-Type: application/json", &*from];
        server.say("POST", "/api/v1/sign-in", &headers, document.as_bytes()).status
    };
    assert_eq!(sign_in("correct horse", "203.0.113.9"), 200);
    while sign_in("wrong", "198.51.100.1") != 429 {}
    for _ in 0..3 {
        assert_eq!(sign_in("correct horse", "203.0.113.9"), 200, "what strangers fail at is theirs");
    }
    // The invitation was accepted from this machine itself.
    assert_eq!(sign_in("correct horse", "127.0.0.1"), 200);
    // The first waits are short, and the next failure makes them longer.
    while sign_in("wrong", "198.51.100.1") != 429 || sign_in("correct horse", "192.0.2.7") != 429 {}
    while sign_in("wrong", "203.0.113.9") != 429 {}
    assert_eq!(sign_in("correct horse", "203.0.113.9"), 429, "who fails from there waits there");
}

#[test]
fn a_token_does_no_more_than_it_is_for_and_nothing_once_it_is_revoked() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let made = t.weir_in("", "token create ci --action publish --for acme --to team").succeeds();
    let token = made.stdout.trim().to_owned();
    let variable = variable(&server);
    let with = [(variable.as_str(), token.as_str()), ("WEIR_HOME", "other-home")];
    let place = format!("--registry {}/team", server.url());

    let folder = t.package("acme/one", "1.0.0").file("a", "a").write();
    t.weir_with(&folder, &format!("{place} publish"), &with).succeeds();
    let other = t.package("other/two", "1.0.0").file("a", "a").write();
    let refused = t.weir_with(&other, &format!("{place} publish"), &with).fails_with(4);
    assert!(refused.stderr.contains("the token is only for `acme` (policy `token-scope`)"), "{refused}");
    let refused = t.weir_with("", &format!("{place} yank acme/one@1.0.0"), &with).fails_with(4);
    assert!(refused.stderr.contains("the token is only for `publish`"), "{refused}");
    for typed in ["token list", "token create more", "user list"] {
        let refused = t.weir_with("", &format!("{typed} --server {}", server.url()), &with).fails_with(4);
        assert!(refused.stderr.contains("is for a program"), "{refused}");
    }
    assert!(!made.stderr.contains(&token), "it is shown once, on stdout");
    assert!(!t.weir_in("", "token list").succeeds().stdout.contains(&token[31..]));

    t.weir_in("", "token revoke ci").succeeds();
    let refused = t.weir_with(&folder, &format!("{place} publish"), &with).fails_with(4);
    assert!(refused.stderr.contains("the token `ci` of `ann` was revoked"), "{refused}");
    t.weir_in("", "token revoke ci").fails_with(5);
}

#[test]
fn a_token_of_which_nothing_is_said_ends_and_only_one_that_is_to_have_no_end_has_none() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let ann = user(&t, &server, "bob", "");
    let ends = |document: serde_json::Value| {
        let reply = post(&server, "/api/v1/tokens", Some(&ann), &document);
        assert_eq!(reply.status, 201, "{}", reply.text());
        let made: serde_json::Value = serde_json::from_slice(&reply.body).expect("it is JSON");
        made["token"]["expires"].as_str().map(str::to_owned)
    };
    assert!(ends(serde_json::json!({ "name": "usual" })).is_some());
    assert!(ends(serde_json::json!({ "name": "null", "expires": null })).is_some());
    assert_eq!(ends(serde_json::json!({ "name": "endless", "expires": "never" })), None);
    let soon =
        post(&server, "/api/v1/tokens", Some(&ann), &serde_json::json!({ "name": "x", "expires": "soon" }));
    assert_eq!((soon.status, code(&soon).as_str()), (422, "bad-document"));
    t.weir_in("", "token create mirror --expires 0").succeeds();
    assert!(t.weir_in("", "token list").stdout.contains("never"));
}

#[test]
fn an_invitation_is_listed_and_taken_back() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let invited = t.weir_in("", "user invite bob --group core --json").succeeds().stdout;
    let invited: serde_json::Value = serde_json::from_str(&invited).expect("it is JSON");
    let invitation = invited["invitation"].as_str().expect("there is one");
    let listed = t.weir_in("", "user invitations").succeeds().stdout;
    assert!(listed.contains("bob") && listed.contains("core") && listed.contains("1 invitation"), "{listed}");
    assert!(!listed.contains(invitation), "what is shown once is not shown again");
    let taken_back = t.weir_in("", "user uninvite bob").succeeds();
    assert_eq!(taken_back.stdout, "The invitation of `bob` is good no longer\n");
    let accept = serde_json::json!({ "invitation": invitation, "password": "bob's password" });
    assert_eq!(code(&post(&server, "/api/v1/invitations/accept", None, &accept)), "not-signed-in");
    assert!(t.weir_in("", "user invitations").succeeds().stdout.contains("0 invitations"));
    let gone = t.weir_in("", "user uninvite bob").fails_with(5);
    assert!(gone.stderr.contains("nobody is invited as `bob`"), "{gone}");
    let stranger = server.ask("GET", "/api/v1/invitations", &[]);
    assert_eq!(stranger.status, 401);
}

#[test]
fn a_token_is_for_its_registries_and_its_networks() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    t.weir_in("", "registry create other --policy folder").succeeds();
    let token =
        |options: &str| t.weir_in("", &format!("token create {options}")).succeeds().stdout.trim().to_owned();
    let status = |token: &str, path: &str| {
        server.ask("GET", path, &[&format!("Authorization: Bearer {token}")]).status
    };
    let near = token("near --to team --from 127.0.0.0/8");
    assert_eq!((status(&near, "/team/checkpoint"), status(&near, "/other/checkpoint")), (200, 401));
    let far = token("far --from 10.0.0.0/8");
    assert_eq!(status(&far, "/team/checkpoint"), 401);
    assert_eq!(status("weir_nonsense", "/team/checkpoint"), 401, "a credential that is not good is told");
}

#[test]
fn a_credential_goes_to_its_own_origin_only() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let stranger = weir_testkit::StaticServer::serve(t.path("app")).expect("it listens");
    let _ = t.weir_in("", &format!("--registry {}/team search x", stranger.url()));
    assert!(!stranger.seen().is_empty());
    for seen in stranger.seen() {
        assert!(!format!("{seen:?}").to_lowercase().contains("authorization"), "{seen:?}");
    }
    drop(server);
}

#[test]
fn who_is_not_let_in_is_told_what_to_do_about_it() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let (_, host) = server.url().split_once("://").expect("it is an address");
    let told = |typed: &str, said: &[&str]| {
        let run = t.weir_in("", typed);
        assert_ne!(run.code, 0, "{run}");
        for part in said {
            assert!(run.stderr.contains(part), "{part}: {run}");
        }
    };
    let nobody = "no server is reached at `http://127.0.0.1:1`: the connection was refused";
    told("whoami http://127.0.0.1:1", &[nobody, "check the address and its port"]);
    told(&format!("login {host}"), &[&format!("as `https://{host}`")]);
    told(&format!("whoami https://{host}"), &["speaks no TLS", "is its address one of `http`?"]);
    t.weir_in("", "logout").succeeds();
    let variable = format!("WEIR_TOKEN_{}", host.replace(['.', ':'], "_"));
    told(&format!("whoami {}", server.url()), &["sign in first", &variable]);
    let mistyped = t.weir_with("", &format!("whoami {}", server.url()), &[(variable.as_str(), "weir_x")]);
    assert!(mistyped.stderr.contains("it is none of this server"), "{mistyped}");
}

#[test]
fn a_user_who_is_disabled_is_out_at_once_and_somebody_always_governs() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let bob = user(&t, &server, "bob", "");
    let status = || server.ask("GET", "/api/v1/whoami", &[&format!("Authorization: Bearer {bob}")]).status;
    assert_eq!(status(), 200);
    let listed = server.ask("GET", "/api/v1/users", &[&format!("Authorization: Bearer {bob}")]);
    assert_eq!((listed.status, code(&listed).as_str()), (403, "not-allowed"));
    t.weir_in("", "user disable bob").succeeds();
    assert_eq!(status(), 401);
    t.weir_in("", "user enable bob").succeeds();
    assert_eq!(status(), 401, "who comes back signs in anew");
    let last = t.weir_in("", "user disable ann").fails_with(8);
    assert!(last.stderr.contains("`ann` is the last administrator"), "{last}");
    t.weir_in("", "user groups ann").fails_with(8);
    t.weir_in("", "user groups nobody core").fails_with(5);
}

#[test]
fn a_netrc_and_a_token_on_stdin_sign_in_too() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let token = t.weir_in("", "token create laptop").succeeds().stdout;
    t.write("netrc", format!("machine 127.0.0.1 login ann password {token}"));
    let netrc = t.path("netrc").display().to_string();
    let who = format!("whoami {}", server.url());
    let with = [("WEIR_HOME", "other-home"), ("NETRC", netrc.as_str())];
    assert!(t.weir_with("", &who, &with).succeeds().stdout.contains("laptop"));

    t.weir_fed("", &format!("login {} --token-stdin", server.url()), "weir_wrong\n").fails_with(4);
    t.weir_fed("", &format!("login {} --token-stdin", server.url()), &token).succeeds();
    assert!(t.weir_in("", &who).succeeds().stdout.contains("laptop"));
}

#[test]
fn a_credential_helper_is_asked_for_the_server_and_once_in_a_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let token = t.weir_in("", "token create keyring").succeeds().stdout;
    let asked = t.path("asked").display().to_string();
    t.write(
        "helper",
        format!("#!/bin/sh\ncat >> {asked}; echo $1 $2 >> {asked}\necho username=ann; echo password={token}"),
    );
    let helper = t.path("helper");
    fs_err::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    t.write(
        "other-home/config.toml",
        format!("[http]\ncredential-helper = [{:?}, \"--mine\"]\n", helper.display().to_string()),
    );
    let home = t.path("other-home").display().to_string();
    let with = [("WEIR_HOME", home.as_str())];
    let who = t.weir_with("", &format!("whoami {}", server.url()), &with).succeeds();
    assert!(who.stdout.contains("keyring"), "{who}");
    let host = server.url().trim_start_matches("http://");
    assert_eq!(t.read("asked"), format!("protocol=http\nhost={host}\n\n--mine get\n"));
    let folder = t.package("acme/one", "1.0.0").file("a", "a").write();
    t.weir_with(&folder, &format!("--registry {}/team publish", server.url()), &with).succeeds();
    assert_eq!(t.read("asked").matches("get").count(), 2, "once in each of two runs");

    t.write("helper", "#!/bin/sh\nexit 1\n");
    t.weir_with("", &format!("whoami {}", server.url()), &with).fails_with(4);
    t.write("helper", "#!/bin/sh\nexec sleep 600\n");
    let patience = format!("{}credential-helper-timeout = 1\n", t.read("other-home/config.toml"));
    t.write("other-home/config.toml", patience);
    let hangs = t.weir_with("", &format!("whoami {}", server.url()), &with).fails_with(4);
    assert!(hangs.stderr.contains("did not answer within 1 s, and was ended"), "{hangs}");
    fs_err::remove_file(&helper).unwrap();
    let missing = t.weir_with("", &format!("whoami {}", server.url()), &with).fails_with(4);
    assert!(
        missing.stderr.contains("the credential helper") && missing.stderr.contains("cannot be asked"),
        "{missing}"
    );
}

#[test]
fn what_happened_is_written_down_with_who_from_where_and_why_not() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let folder = t.package("acme/one", "1.0.0").file("a", "a").write();
    t.weir_in(&folder, "publish").succeeds();
    t.weir_in("", "claim acme user:bob").succeeds();
    t.weir_in("", "yank acme/one@1.0.0").fails_with(4);
    let bob = user(&t, &server, "bob", "");

    let events = |options: &str| {
        let shown = t.weir_in("", &format!("activity {options} --json")).succeeds().stdout;
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("it is JSON");
        shown["events"].as_array().expect("there are events").clone()
    };
    let published = events("--action published");
    assert_eq!(published.len(), 1);
    assert_eq!(
        (&published[0]["actor"], &published[0]["subject"], &published[0]["registry"], &published[0]["from"]),
        (&"user:ann".into(), &"acme/one 1.0.0".into(), &"team".into(), &"127.0.0.1".into())
    );
    let refused = events("--refused --about acme/one");
    assert_eq!((refused.len(), &refused[0]["policy"]), (1, &"owner-claim".into()));
    assert_eq!(events("--limit 2").len(), 2);
    assert!(events("--about bob").iter().any(|event| event["action"] == "user-invited"));
    let table = t.weir_in("", "activity --in team --csv").succeeds().stdout;
    assert_eq!(
        table.lines().next(),
        Some("id,at,actor,token,from,registry,action,subject,done,policy,reason,times")
    );
    assert!(!format!("{:?}", events("--limit 1000")).contains(&bob), "no secret is in it");

    let reply = post(&server, "/api/v1/activity", Some(&bob), &serde_json::json!({}));
    assert_eq!((reply.status, code(&reply).as_str()), (403, "not-allowed"));
    assert_eq!(post(&server, "/api/v1/activity", None, &serde_json::json!({})).status, 401);
}

#[test]
fn what_is_at_an_address_is_found_out_by_asking() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    t.weir_in("", "registry init plain --name plain").succeeds();
    t.write("elm/all-packages", r#"{"elm/core":["1.0.0"]}"#);
    t.write("page/index.html", "hello");
    let files = weir_testkit::StaticServer::serve(t.path("")).expect("it listens");
    let found = |address: &str| {
        let run = t.weir_in("", &format!("registry capabilities {address} --json"));
        let found: serde_json::Value = serde_json::from_str(&run.stdout).expect("it is JSON");
        (run.code, found["is"].as_str().unwrap_or_default().to_owned(), found)
    };
    let (code, is, team) = found(&format!("{}/team", server.url()));
    assert_eq!(
        (code, is.as_str(), &team["name"], &team["level"]),
        (0, "served-registry", &"team".into(), &1.into())
    );
    assert_eq!(team["sign-in"], serde_json::json!(["device", "password"]));
    assert!(
        team["features"].as_array().is_some_and(|features| features.contains(&"batches".into())),
        "{team}"
    );
    let (_, is, host) = found(server.url());
    assert_eq!((is.as_str(), &host["registries"][0]), ("server", &format!("{}/team", server.url()).into()));
    assert_eq!(found(&format!("{}/plain", files.url())).1, "plain-files");
    assert_eq!(found(&format!("{}/elm", files.url())).1, "elm");
    assert_eq!(found("./plain").1, "folder");
    let (code, is, _) = found(&format!("{}/none", files.url()));
    assert_eq!((code, is.as_str()), (5, "nothing"));
    let shown = t.weir_in("", "registry capabilities team").succeeds().stdout;
    assert!(shown.contains("a registry, on a server of Weir") && shown.contains("can: publish"), "{shown}");
}

#[test]
fn of_a_private_registry_strangers_are_told_nothing() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    t.weir_in("", "registry create secret").succeeds();
    t.weir_in("", &format!("registry add secret {}/secret --user", server.url())).succeeds();
    let folder = t.package("acme/one", "1.0.0").file("a", "a").write();
    t.weir_in(&folder, "--registry secret publish").succeeds();
    let (stranger, member) = (user(&t, &server, "eve", ""), user(&t, &server, "bob", "--group team"));

    let told = |path: &str, token: Option<&str>| {
        let token = token.map(|token| format!("Authorization: Bearer {token}"));
        let reply = server.ask("GET", path, &token.as_deref().into_iter().collect::<Vec<_>>());
        (reply.status, reply.text())
    };
    for file in ["checkpoint", "weir.json", "api/v1", "tile/entries/000.p/1"] {
        let nothing = told(&format!("/nothing/{file}"), None);
        assert_eq!(nothing.0, 404);
        assert_eq!(told(&format!("/secret/{file}"), None), nothing);
        assert_eq!(told(&format!("/secret/{file}"), Some(&stranger)), nothing);
    }
    let bearer = format!("Authorization: Bearer {member}");
    let checkpoint = server.ask("GET", "/secret/checkpoint", &[&bearer]);
    assert_eq!((checkpoint.status, checkpoint.header("cache-control")), (200, Some("private, no-cache")));
    assert_eq!(server.ask("GET", "/team/checkpoint", &[]).header("cache-control"), Some("no-cache"));
    assert!(!told("/.well-known/weir", Some(&stranger)).1.contains("secret"));
    assert!(told("/.well-known/weir", Some(&member)).1.contains("secret"));

    t.project(&["acme/one = ^1"]);
    t.weir("--registry secret install").succeeds();
    let by_eve = [(variable(&server), stranger), ("WEIR_HOME".into(), "other-home".into())];
    let by_eve: Vec<(&str, &str)> =
        by_eve.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let install = format!("--registry {}/secret install --force", server.url());
    let _ = t.weir_with("app", &install, &by_eve);
    let refused = t.weir_with("", &format!("--registry {}/secret info acme/one", server.url()), &by_eve);
    assert_eq!(refused.code, 5, "{refused}");
    // Who leaves the team is out within a second.
    t.weir_in("", "user groups bob").succeeds();
    assert_eq!(told("/secret/checkpoint", Some(&member)).0, 404);
}

#[test]
fn policies_of_a_served_registry_decide_and_are_followed_when_they_change() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    t.weir_in("", "registry create pub --policy open").succeeds();
    let bob = user(&t, &server, "bob", "");
    let place = format!("--registry {}/pub", server.url());
    let by_bob = [(variable(&server), bob), ("WEIR_HOME".into(), "other-home".into())];
    let by_bob: Vec<(&str, &str)> =
        by_bob.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let one = t.package("acme/one", "1.0.0").file("a", "a").write();
    t.weir_with(&one, &format!("{place} publish"), &by_bob).succeeds();
    let refused = t.weir_with("", &format!("{place} quarantine acme/one@1.0.0"), &by_bob).fails_with(4);
    assert!(refused.stderr.contains("policy"), "{refused}");

    let ann = t.weir_in("", "token create governing").succeeds().stdout.trim().to_owned();
    let forbid = r#"@id("everybody-reads") permit (principal, action == Action::"read", resource);"#;
    let set = serde_json::json!({ "files": [{ "name": "set.cedar", "text": forbid }] });
    let stranger = post(&server, "/pub/api/v1/policy", Some(by_bob[0].1), &set);
    assert_eq!((stranger.status, code(&stranger).as_str()), (403, "not-permitted"), "{}", stranger.text());
    let nonsense = serde_json::json!({ "files": [{ "name": "set.cedar", "text": "permit everything" }] });
    let reply = post(&server, "/pub/api/v1/policy", Some(&ann), &nonsense);
    assert_eq!((reply.status, code(&reply).as_str()), (422, "bad-document"), "{}", reply.text());
    // The same by the commands, as on a folder.
    t.write("set.cedar", forbid);
    let pub_ = format!("{}/pub", server.url());
    let locks_out = t.weir_in("", &format!("policy set set.cedar --registry {pub_}")).fails_with(4);
    assert!(locks_out.stderr.contains("govern"), "{locks_out}");
    assert!(t.weir_in("", &format!("policy show {pub_}")).succeeds().stdout.contains("open-read"));
    t.weir_in("", &format!("policy set set.cedar --lock-out --registry {pub_}")).succeeds();
    assert!(t.weir_in("", &format!("policy show {pub_}")).succeeds().stdout.contains("everybody-reads"));
    let two = t.package("acme/two", "1.0.0").file("a", "a").write();
    t.weir_with(&two, &format!("{place} publish"), &by_bob).fails_with(4);
    drop(server);
    t.weir_in("", "registry verify ./data/registries/pub").succeeds();
}

#[test]
fn whose_name_a_server_has_is_said_by_the_user_and_not_by_a_clone() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let evil = weir_testkit::StaticServer::serve(t.path("app")).expect("it listens");
    t.write(
        "app/weir.toml",
        format!("[registries]\nteam = {{ url = \"{}/team\", default = true }}\n", evil.url()),
    );
    let run = t.weir_fed("app", "login team --user ann --password-stdin", "correct horse\n").succeeds();
    assert!(run.stdout.contains(server.url()) || run.stderr.contains(server.url()), "{run}");
    t.weir_fed("app", "login --user ann --password-stdin", "correct horse\n").succeeds();
    assert!(evil.seen().is_empty(), "{:?}", evil.seen());
}

#[test]
fn another_password_ends_every_login_before() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let before = user(&t, &server, "bob", "");
    let after = user(&t, &server, "bob", "--again");
    let status = |token: &str| {
        server.ask("GET", "/api/v1/whoami", &[&format!("Authorization: Bearer {token}")]).status
    };
    assert_eq!((status(&before), status(&after)), (401, 200));
}

#[test]
fn what_strangers_send_is_not_read_and_not_printed() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let endless = vec![b' '; 3 << 20];
    for path in ["/team/api/v1/batches", "/nothing/api/v1/batches", "/api/v1/tokens", "/team/api/v1/policy"] {
        let reply =
            server.say("POST", path, &["Idempotency-Key: x", "Content-Type: application/json"], &endless);
        assert!(matches!(reply.status, 401 | 404), "{path}: {}", reply.status);
    }
    let name = serde_json::json!({ "name": "\u{1b}]0;pwn\u{7}\u{202e}", "password": "x" });
    assert_eq!(post(&server, "/api/v1/sign-in", None, &name).status, 401);
    let shown = t.weir_in("", "activity --by anonymous --csv").succeeds().stdout;
    assert!(shown.contains("sign-in") && !shown.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{shown:?}");
}

#[test]
fn one_folder_has_one_server() {
    let t = sandbox();
    let _server = WeirServer::with_team(&t, &[]);
    let second = t.weir_in("", "serve data --listen 127.0.0.1:0").fails_with(8);
    assert!(second.stderr.contains("another `weir serve` runs on"), "{second}");
}

#[test]
fn an_owner_belongs_to_somebody() {
    let t = sandbox();
    let _server = WeirServer::with_team(&t, &[]);
    for who in ["ann", "user:", "tulip:ann", "'user:a b'", "user:a\u{202e}b"] {
        let refused = t.weir_in("", &format!("claim acme {who}"));
        assert!(refused.code != 0 && refused.stderr.contains("cannot belong to"), "{refused}");
    }
    for who in ["user:ann user:ann".to_owned(), (0..101).map(|n| format!("user:u{n} ")).collect()] {
        let refused = t.weir_in("", &format!("claim acme {who}"));
        assert!(refused.code != 0 && refused.stderr.contains("cannot belong to so many"), "{refused}");
    }
}

#[test]
fn who_is_removed_is_gone_and_their_name_is_nobody_elses() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    t.weir_in("", "registry create two --policy team").succeeds();
    t.weir_in("", &format!("registry add two {}/two --user", server.url())).succeeds();
    let token = user(&t, &server, "bob", "--group core");
    let whoami = || server.ask("GET", "/api/v1/whoami", &[&format!("Authorization: Bearer {token}")]).status;
    assert_eq!(whoami(), 200);
    t.weir_in("", "--registry two claim acme user:bob").succeeds();
    let asked = t.weir_in("", "user remove bob").fails_with(8);
    assert!(asked.stderr.contains("with their tokens and the programs they trust. Go on?"), "{asked}");
    let removed = t.weir_in("", "user remove bob --yes").succeeds();
    assert!(removed.stdout.contains("nobody else becomes one of that name"), "{removed}");
    assert_eq!(whoami(), 401);
    assert!(!t.weir_in("", "user list").succeeds().stdout.contains("bob"));
    let told = t.weir_in("", "activity --about bob").succeeds().stdout;
    assert!(told.contains("user-removed"), "{told}");

    // Whoever came in under that name would own `acme`.
    let refused = t.weir_in("", "user invite bob").fails_with(8);
    assert!(refused.stderr.contains("the name stands for them still"), "{refused}");
    assert!(refused.stderr.contains("weir user invite bob --returning"), "{refused}");
    t.weir_in("", "user remove bob --yes").fails_with(5);
    t.weir_in("", "user enable bob").fails_with(5);
    t.weir_in("", "user remove ann --yes").fails_with(8);
    t.weir_in("", "--registry two claim acme user:ann").succeeds();

    let invited = t.weir_in("", "user invite bob --returning --json").succeeds().stdout;
    let invited: serde_json::Value = serde_json::from_str(&invited).expect("it is JSON");
    let accept = serde_json::json!({ "invitation": invited["invitation"], "password": "another horse" });
    assert_eq!(post(&server, "/api/v1/invitations/accept", None, &accept).status, 201);
    let listed = t.weir_in("", "user list").succeeds().stdout;
    assert!(listed.contains("bob") && !listed.contains("core"), "they are in no group: {listed}");
    assert_eq!(whoami(), 401, "what they had before is good no longer");
}

#[test]
fn only_administrators_remove_users() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let bob = user(&t, &server, "bob", "");
    let bearer = format!("Authorization: Bearer {bob}");
    for (headers, status) in [(vec![&*bearer], 403), (vec![], 401)] {
        assert_eq!(server.ask("DELETE", "/api/v1/users/ann", &headers).status, status);
        assert_eq!(server.ask("DELETE", "/api/v1/users/nobody", &headers).status, status);
    }
}
