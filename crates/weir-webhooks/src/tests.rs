use std::collections::BTreeSet;

use weir_wire::webhooks::{
    Attempt, ChangeWebhook, DeliveryState, NewWebhook, WebhookData, WebhookEvent, WebhookMessage,
};

use super::*;
use crate::outcome::MOST_KEPT;

fn start() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn later(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn opened(place: &tempfile::TempDir) -> Webhooks {
    Webhooks::open(&place.path().join("webhooks.db")).unwrap()
}

fn new(name: &str) -> NewWebhook {
    NewWebhook {
        name: name.parse().unwrap(),
        url: "https://ci.example/weir".into(),
        events: BTreeSet::new(),
        registries: BTreeSet::new(),
    }
}

fn published(registry: &str, at: Timestamp) -> WebhookMessage {
    let data = WebhookData { registry: Some(registry.to_owned()), ..WebhookData::default() };
    message(WebhookEvent::ReleasePublished, at, data)
}

fn answered(status: u16, at: Timestamp) -> Attempt {
    let error = (!(200..300).contains(&status)).then(|| format!("it answered with {status}"));
    Attempt { at, milliseconds: 3, status: Some(status), error }
}

#[test]
fn who_is_told_is_said_by_event_and_registry_and_of_nothing_that_is_old() {
    let place = tempfile::tempdir().unwrap();
    let webhooks = opened(&place);
    webhooks.add(&new("all"), "user:ann", start()).unwrap();
    let yanks = NewWebhook { events: [WebhookEvent::ReleaseYanked].into(), ..new("yanks") };
    webhooks.add(&yanks, "user:ann", start()).unwrap();
    let team = NewWebhook { registries: ["team".to_owned()].into(), ..new("team") };
    webhooks.add(&team, "user:ann", start()).unwrap();
    assert!(matches!(webhooks.add(&new("all"), "user:ann", start()), Err(WebhookError::Taken(_))));

    let old = published("team", start() - SignedDuration::from_hours(1));
    let told = [published("team", later(1)), published("core", later(1)), old];
    webhooks.read("team", "here", &told, later(2)).unwrap();
    let waiting = |name: &str| webhooks.find(name).unwrap().waiting;
    assert_eq!((waiting("all"), waiting("yanks"), waiting("team")), (2, 0, 1));
    assert_eq!(webhooks.place("team").unwrap().as_deref(), Some("here"));
    webhooks.read("team", "there", &[published("team", later(1))], later(2 + LONGEST.as_secs())).unwrap();
    assert_eq!(waiting("all"), 2, "what is a day old is no news");
    assert_eq!(webhooks.place("team").unwrap().as_deref(), Some("there"));
    for name in ["all", "yanks", "team"] {
        webhooks.remove(name).unwrap();
    }
    assert_eq!(webhooks.place("team").unwrap(), None);
    assert!(matches!(webhooks.remove("all"), Err(WebhookError::None(_))));
}

#[test]
fn what_fails_is_tried_again_ever_later_and_a_webhook_that_always_fails_is_paused() {
    let place = tempfile::tempdir().unwrap();
    let webhooks = opened(&place);
    webhooks.add(&new("ci"), "user:ann", start()).unwrap();
    webhooks.tell(published("team", start()), start()).unwrap();
    let (mut now, mut tries) = (start(), Vec::new());
    let end = later(2 * LONGEST.as_secs());
    while now < end {
        // What else happens does not have it asked more often.
        webhooks.tell(published("team", now), now).unwrap();
        if let Some(due) = webhooks.next("ci", now).unwrap() {
            tries.push(now.as_second() - start().as_second());
            webhooks.sent(&due.id, answered(503, now), now).unwrap();
        }
        now += SignedDuration::from_secs(if tries.len() < 4 { 1 } else { 60 });
    }
    assert!((8..=12).contains(&tries.len()), "{tries:?}");
    assert!(tries.windows(3).all(|three| three[2] - three[1] > three[1] - three[0]), "{tries:?}");
    let webhook = webhooks.find("ci").unwrap();
    assert_eq!(webhook.paused.as_deref(), Some("nothing could be delivered for a day"));
    assert_eq!(webhook.waiting, 0);
    assert!(webhook.missed > 100, "{webhook:?}");

    let ping = webhooks.ping("ci", "https://weir.example", "user:ann", now).unwrap();
    let pinged = webhooks.sent(&ping.id, answered(200, now), now).unwrap().unwrap();
    assert_eq!(pinged.state, DeliveryState::Delivered);
    let (resumed, secret) =
        webhooks.alter("ci", &ChangeWebhook { paused: Some(false), ..ChangeWebhook::default() }).unwrap();
    assert_eq!((resumed.paused, resumed.failing_since, secret), (None, None, None));
    webhooks.tell(published("team", now), now).unwrap();
    assert!(webhooks.next("ci", now).unwrap().is_some());
}

#[test]
fn what_waits_survives_and_is_delivered_once_it_can_be() {
    let place = tempfile::tempdir().unwrap();
    let webhooks = opened(&place);
    webhooks.add(&new("ci"), "user:ann", start()).unwrap();
    for _ in 0..3 {
        webhooks.tell(published("team", start()), start()).unwrap();
    }
    let first = webhooks.next("ci", start()).unwrap().unwrap();
    webhooks.sent(&first.id, answered(500, start()), start()).unwrap();
    assert!(webhooks.next("ci", start()).unwrap().is_none(), "it rests");
    drop(webhooks);

    let webhooks = opened(&place);
    assert_eq!(webhooks.due(start()).unwrap(), (Vec::new(), true));
    let now = later(3);
    assert_eq!(webhooks.due(now).unwrap(), (vec!["ci".to_owned()], true));
    let mut delivered = Vec::new();
    while let Some(due) = webhooks.next("ci", now).unwrap() {
        webhooks.sent(&due.id, answered(204, now), now).unwrap();
        delivered.push(due.id);
    }
    assert_eq!((delivered.len(), delivered[0].clone()), (3, first.id));
    assert_eq!(webhooks.due(now).unwrap(), (Vec::new(), false));
    let told = webhooks.deliveries("ci", 10).unwrap();
    assert_eq!(told[2].attempts.len(), 2);
    assert!(told.iter().all(|delivery| delivery.state == DeliveryState::Delivered));
}

#[test]
fn a_receiver_that_is_gone_is_asked_no_more_and_too_much_does_not_wait() {
    let place = tempfile::tempdir().unwrap();
    let webhooks = opened(&place);
    webhooks.add(&new("ci"), "user:ann", start()).unwrap();
    let many: Vec<_> = (0..=MOST_WAITING).map(|_| published("team", start())).collect();
    webhooks.read("team", "here", &many, start()).unwrap();
    let webhook = webhooks.find("ci").unwrap();
    assert_eq!((webhook.waiting, webhook.missed), (MOST_WAITING, 1));
    let due = webhooks.next("ci", start()).unwrap().unwrap();
    webhooks.sent(&due.id, answered(410, start()), start()).unwrap();
    let webhook = webhooks.find("ci").unwrap();
    assert!(webhook.paused.unwrap().contains("410"));
    assert_eq!(webhook.waiting, 0);
    assert_eq!(webhooks.deliveries("ci", u32::MAX).unwrap().len() as i64, MOST_KEPT);
    let other = webhooks.again("ci", "msg_none");
    assert!(matches!(other, Err(WebhookError::NoDelivery(_))));
}
