//! What waits, who approved it, and how much may wait.

#![expect(clippy::unwrap_used, reason = "a test that fails should stop")]

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use weir_model::record::Origin;
use weir_model::{Digest, KindName};
use weir_requests::{LONGEST_DAYS, MOST_OF_ONE, RequestError, Requests};
use weir_wire::promotion::Approval;
use weir_wire::{Batch, Draft, Intent, Promotion};

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn promotion(text: &str) -> Intent {
    let draft = Draft {
        id: text.parse().unwrap(),
        kind: KindName::Generic,
        tree: Digest::of(text),
        input_digest: None,
        size: 1,
        unpacked: 1,
        files: 1,
        dependencies: Vec::new(),
        references: Vec::new(),
        recipe: None,
        toolchain: None,
        license: None,
        description: None,
        facts: serde_json::Map::new(),
    };
    let from = Origin { registry: "team".into(), index: 1, leaf: Digest::of("leaf") };
    let (entry, proof) = (String::new(), String::new());
    Intent::Promote(Box::new(Promotion { draft, baked: Vec::new(), from, entry, proof }))
}

fn batch(text: &str) -> Batch {
    Batch { intents: vec![promotion(text)] }
}

fn opened() -> (tempfile::TempDir, Requests) {
    let place = tempfile::tempdir().unwrap();
    let requests = Requests::open(&place.path().join("requests.db")).unwrap();
    (place, requests)
}

#[test]
fn a_request_waits_is_approved_by_others_and_ends() {
    let (place, requests) = opened();
    let kept = requests.keep("public", "user:ann", &batch("acme/greet 1.0.0"), now()).unwrap();
    assert!(!kept.already);
    let kept = kept.waiting;
    let id = kept.request.id.clone();
    assert_eq!(
        (kept.request.from.as_str(), kept.request.releases[0].to_string()),
        ("team", "acme/greet 1.0.0".into())
    );
    let again = requests.keep("public", "user:ann", &batch("acme/greet 1.0.0"), now()).unwrap();
    assert_eq!((again.waiting.request.id, again.already), (id.clone(), true), "the same waits once");
    assert!(matches!(requests.approve("public", &id, "user:ann", now()), Err(RequestError::OwnRequest)));
    assert!(!requests.approve("public", &id, "user:bob", now()).unwrap().already);
    let later = now() + SignedDuration::from_hours(1);
    assert!(requests.approve("public", &id, "user:bob", later).unwrap().already, "and nothing changes");
    assert!(matches!(requests.approve("other", &id, "user:cat", now()), Err(RequestError::None(_))));
    drop(requests);
    let requests = Requests::open(&place.path().join("requests.db")).unwrap();
    let found = requests.find("public", &id).unwrap();
    assert_eq!(found.request.approvals, [Approval { by: "user:bob".into(), at: now() }]);
    assert_eq!(found.batch, batch("acme/greet 1.0.0"));
    assert_eq!(requests.waiting("public").unwrap().len(), 1);
    assert!(requests.waiting("other").unwrap().is_empty());
    requests.end("public", &id).unwrap();
    assert!(matches!(requests.find("public", &id), Err(RequestError::None(_))));
    assert!(matches!(requests.end("public", &id), Err(RequestError::None(_))));
}

#[test]
fn only_promotions_wait_and_not_without_bound() {
    let (_place, requests) = opened();
    assert!(matches!(
        requests.keep("public", "user:ann", &Batch::default(), now()),
        Err(RequestError::Unusable(_))
    ));
    let claim = Intent::Claim { owner: "acme".parse().unwrap(), who: vec!["user:ann".into()] };
    let mixed = Batch { intents: vec![promotion("acme/greet 1.0.0"), claim] };
    assert!(matches!(requests.keep("public", "user:ann", &mixed, now()), Err(RequestError::Unusable(_))));
    for number in 0..MOST_OF_ONE {
        requests.keep("public", "user:ann", &batch(&format!("acme/p{number} 1.0.0")), now()).unwrap();
    }
    let one_more = requests.keep("public", "user:ann", &batch("acme/more 1.0.0"), now());
    assert!(matches!(one_more, Err(RequestError::TooMany { most: MOST_OF_ONE, .. })));
    requests.keep("public", "user:bob", &batch("acme/more 1.0.0"), now()).unwrap();
    // What waited for too long is forgotten, and makes room.
    let later = now() + SignedDuration::from_hours(24 * (LONGEST_DAYS + 1));
    requests.keep("public", "user:ann", &batch("acme/more 1.0.0"), later).unwrap();
    assert_eq!(requests.waiting("public").unwrap().len(), 1);
}

#[test]
fn something_else_is_not_taken_for_requests() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("requests.db");
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE x(y)").unwrap();
    assert!(matches!(Requests::open(&file), Err(RequestError::Strange(_))));
}
