use crate::{Batch, Code, Done, Draft, Intent, Outcome, Receipt, Refusal, Wanted, Withdraw};
use weir_model::{Digest, KindName, Scope, WithdrawalVerb};

fn batch() -> Batch {
    let wanted = Wanted {
        name: "acme/str".parse().unwrap(),
        range: "^1".parse().unwrap(),
        scope: Scope::Build,
        fluid: true,
    };
    let draft = Draft {
        id: "acme/greet 1.0.0 x86-64-debian-12 revision 2".parse().unwrap(),
        kind: KindName::Native,
        tree: Digest::of("tree"),
        input_digest: Some(Digest::of("inputs")),
        size: 1,
        unpacked: 2,
        files: 3,
        dependencies: vec![wanted],
        references: Vec::new(),
        recipe: None,
        toolchain: None,
        license: Some("MIT".into()),
        description: None,
        facts: serde_json::from_str("{\"bin\":{\"greet\":\"bin/greet\"}}").unwrap(),
    };
    let withdrawals = WithdrawalVerb::ALL
        .map(|verb| Intent::Withdraw(Withdraw::exactly(verb, "acme/greet 0.9.0".parse().unwrap())));
    let mut intents = vec![Intent::Publish(Box::new(draft))];
    intents.extend(withdrawals);
    intents.push(Intent::Claim { owner: "acme".parse().unwrap(), who: vec!["user:ann".into()] });
    Batch { intents }
}

#[test]
fn a_batch_is_read_back_as_it_was_written() {
    let text = serde_json::to_string(&batch()).unwrap();
    assert_eq!(serde_json::from_str::<Batch>(&text).unwrap(), batch());
}

/// Also nobody can say in a batch who they are.
#[test]
fn a_field_that_is_not_known_is_refused_wherever_it_stands() {
    let whole = serde_json::to_value(batch()).unwrap();
    let intents = &whole["intents"];
    for place in [
        "",
        "/intents/0/publish",
        "/intents/0/publish/dependencies/0",
        "/intents/1/withdraw",
        "/intents/6/claim",
    ] {
        let mut more = whole.clone();
        let object = more.pointer_mut(place).and_then(|value| value.as_object_mut()).expect(place);
        object.insert("by".into(), "user:bob".into());
        let error = serde_json::from_value::<Batch>(more).unwrap_err().to_string();
        assert!(error.contains("unknown field `by`"), "{place}: {error}");
    }
    assert_eq!(intents.as_array().unwrap().len(), 7);
}

#[test]
fn a_receipt_and_a_refusal_are_read_back_as_they_were_written() {
    let done = [Done::Published, Done::Already, Done::Claimed].into_iter();
    let outcomes = done.chain(WithdrawalVerb::ALL.map(Done::Withdrawn)).map(|done| Outcome {
        subject: "acme/greet 1.0.0".into(),
        done,
        policy: "folder-write".into(),
        input_digest: Some(Digest::of("inputs")),
        baked: vec!["acme/str 1.0.0".parse().unwrap()],
    });
    let receipt = Receipt {
        outcomes: outcomes.collect(),
        batch: None,
        size: 7,
        checkpoint: "org\n7\n".into(),
        warnings: Vec::new(),
    };
    let text = serde_json::to_string(&receipt).unwrap();
    assert!(text.contains("\"done\":\"unquarantined\""), "{text}");
    assert_eq!(serde_json::from_str::<Receipt>(&text).unwrap(), receipt);
    let refusal = Refusal {
        code: Code::NotPermitted,
        message: "no".into(),
        subject: Some("acme/greet 1.0.0".into()),
        policy: Some("owner-claim".into()),
    };
    let text = serde_json::to_string(&refusal).unwrap();
    assert_eq!(
        text,
        r#"{"code":"not-permitted","message":"no","subject":"acme/greet 1.0.0","policy":"owner-claim"}"#
    );
    assert_eq!(serde_json::from_str::<Refusal>(&text).unwrap(), refusal);
}
