//! What a server says of its API, held against what it does: by Schemathesis, which knows nothing else of it, and by hand where that found
//! that the two differed.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use weir_testkit::{Sandbox, WeirServer};

use super::server_accounts::{code, post, user};

fn sandbox() -> Sandbox {
    Sandbox::new(env!("CARGO_BIN_EXE_weir"))
}

/// Has Schemathesis try the bounds of every form, as somebody in a registry; nothing, where it is not here.
fn nothing_is_found(who: &str, registry: &str) {
    // `./test` brings it.
    let Some(schemathesis) = std::env::var_os("WEIR_TEST_SCHEMATHESIS") else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/server/schemathesis");
    let tried = Command::new(script)
        .args([who, registry])
        .env("WEIR", env!("CARGO_BIN_EXE_weir"))
        .env("SCHEMATHESIS", schemathesis)
        .env("PHASES", "coverage")
        .output()
        .expect("the script runs");
    assert!(tried.status.success(), "{}", String::from_utf8_lossy(&tried.stdout));
}

#[test]
fn an_administrator_finds_the_api_as_it_is_described() {
    nothing_is_found("ann", "open");
}

#[test]
fn a_member_of_a_team_finds_the_api_as_it_is_described() {
    nothing_is_found("bob", "team");
}

#[test]
fn whatever_a_schema_takes_for_an_integer_is_one() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let bob = user(&t, &server, "bob", "--group admins");
    let asked = |text: &str| {
        let headers = ["Content-Type: application/json", &*format!("Authorization: Bearer {bob}")];
        server.say("POST", "/api/v1/activity", &headers, text.as_bytes())
    };
    for one in [r#"{"limit": 1}"#, r#"{"limit": 1.0}"#, r#"{"limit": 10e-1}"#] {
        let reply = asked(one);
        let told: Value = serde_json::from_slice(&reply.body).expect("it is JSON");
        assert_eq!(told["events"].as_array().map(Vec::len), Some(1), "{one}: {}", reply.text());
    }
    assert_eq!(code(&asked(r#"{"limit": 1.5}"#)), "bad-document");
    assert_eq!(code(&asked(r#"{"limit": 1.}"#)), "bad-request");
}

#[test]
fn the_length_of_a_password_is_counted_in_characters_as_its_form_says() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let accept = |name: &str, password: &str| {
        let invited = t.weir_in("", &format!("user invite {name} --json")).succeeds().stdout;
        let invited: Value = serde_json::from_str(&invited).expect("it is JSON");
        let accept = json!({ "invitation": invited["invitation"], "password": password });
        post(&server, "/api/v1/invitations/accept", None, &accept).status
    };
    assert_eq!((accept("bob", &"ä".repeat(1024)), accept("eve", &"ä".repeat(1025))), (201, 422));
    assert_eq!((accept("joe", &"ä".repeat(10)), accept("kim", &"ä".repeat(9))), (201, 422));
    let sign_in = json!({ "name": "bob", "password": "ä".repeat(1024) });
    assert_eq!(post(&server, "/api/v1/sign-in", None, &sign_in).status, 200);
}

#[test]
fn a_key_that_can_be_none_is_told_also_where_none_is_needed() {
    let t = sandbox();
    let server = WeirServer::with_team(&t, &[]);
    let bob = user(&t, &server, "bob", "--group admins");
    let bearer = format!("Authorization: Bearer {bob}");
    let previewed = |key: &str| {
        let key = format!("Idempotency-Key: {key}");
        let headers = ["Content-Type: application/json", &*bearer, &*key];
        server.say("POST", "/team/api/v1/batches?dry-run", &headers, br#"{"intents": []}"#).status
    };
    assert_eq!((previewed("one"), previewed(&"k".repeat(65))), (200, 400));
    let headers = ["Content-Type: application/json", &*bearer];
    let without = server.say("POST", "/team/api/v1/batches?dry-run", &headers, br#"{"intents": []}"#);
    assert_eq!(without.status, 200, "{}", without.text());
}
