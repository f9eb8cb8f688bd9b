//! Who is told what happens on the server, and how that goes: for administrators.

use askama::Template;
use jiff::Timestamp;
use weir_wire::webhooks::{Attempt, Delivery, DeliveryState, Webhook, WebhookEvent};

use crate::frame::{Frame, Page, PageError};
use crate::{address, said, seen};

/// What the page of all webhooks is made of.
#[derive(Debug)]
pub struct WebhooksPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The webhooks, by name.
    pub webhooks: &'a [Webhook],
    /// The registries that there are.
    pub registries: &'a [String],
    /// Now.
    pub now: Timestamp,
}

#[derive(Template)]
#[template(path = "webhooks.html")]
struct All<'a> {
    frame: &'a Frame,
    rows: Vec<Row>,
    registries: &'a [String],
    events: Vec<(&'static str, &'static str)>,
    add: &'static str,
}

struct Row {
    name: String,
    href: String,
    url: String,
    events: String,
    registries: String,
    state: &'static str,
    delivered: String,
}

impl WebhooksPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let events = WebhookEvent::ALL.iter().filter(|(event, ..)| *event != WebhookEvent::Ping);
        Page::write(&All {
            frame: self.frame,
            rows: self.webhooks.iter().map(|webhook| self.row(webhook)).collect(),
            registries: self.registries,
            events: events.map(|(_, event, about)| (*event, *about)).collect(),
            add: address::WEBHOOKS,
        })
    }

    fn row(&self, webhook: &Webhook) -> Row {
        Row {
            name: webhook.name.to_string(),
            href: address::webhook(webhook.name.as_str()),
            url: said::line(&webhook.url),
            events: events(webhook),
            registries: registries(webhook),
            state: match (&webhook.paused, webhook.failing_since) {
                (Some(_), _) => "paused",
                (None, Some(_)) => "fails",
                (None, None) => "",
            },
            delivered: webhook.delivered.map_or_else(
                || "nothing delivered yet".to_owned(),
                |at| format!("last delivered {}", said::ago(at, self.now)),
            ),
        }
    }
}

/// What the page of one webhook is made of.
#[derive(Debug)]
pub struct WebhookPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The webhook.
    pub webhook: &'a Webhook,
    /// What it was told, the newest first.
    pub deliveries: &'a [Delivery],
    /// Now.
    pub now: Timestamp,
}

#[derive(Template)]
#[template(path = "webhook.html")]
struct One<'a> {
    frame: &'a Frame,
    name: String,
    paused: String,
    failing: String,
    url: String,
    events: String,
    registries: String,
    by: String,
    created: String,
    waiting: u64,
    missed: u64,
    rows: Vec<DeliveryRow>,
    all: &'static str,
    ping: String,
    change: String,
    again: String,
    remove: String,
    seen: String,
}

struct DeliveryRow {
    id: String,
    at: String,
    event: String,
    about: String,
    state: &'static str,
    last: String,
}

impl WebhookPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let webhook = self.webhook;
        let to = |what| address::change_webhook(webhook.name.as_str(), what);
        Page::write(&One {
            frame: self.frame,
            name: webhook.name.to_string(),
            seen: seen::webhook(webhook),
            paused: webhook.paused.as_deref().map(said::line).unwrap_or_default(),
            failing: webhook.failing_since.map(said::time).unwrap_or_default(),
            url: said::line(&webhook.url),
            events: events(webhook),
            registries: registries(webhook),
            by: said::line(said::who(&webhook.by)),
            created: said::ago(webhook.created, self.now),
            waiting: webhook.waiting,
            missed: webhook.missed,
            rows: self.deliveries.iter().map(row).collect(),
            all: address::WEBHOOKS,
            ping: to("ping"),
            change: to("change"),
            again: to("again"),
            remove: to("remove"),
        })
    }
}

fn row(delivery: &Delivery) -> DeliveryRow {
    let tries = delivery.attempts.len();
    let again = if tries > 1 { format!("try {tries}: ") } else { String::new() };
    DeliveryRow {
        id: said::line(&delivery.id),
        at: said::time(delivery.message.timestamp),
        event: delivery.message.r#type.to_string(),
        about: said::line(&delivery.message.data.about()),
        state: match (delivery.state, tries) {
            (DeliveryState::Waiting, 1..) => "is sent again",
            (state, _) => state.as_str(),
        },
        last: delivery.attempts.last().map(|last| format!("{again}{}", came(last))).unwrap_or_default(),
    }
}

/// What came of one time that something was sent.
fn came(attempt: &Attempt) -> String {
    let Attempt { status, error, milliseconds, .. } = attempt;
    let status = status.map(|status| format!("{status} ")).unwrap_or_default();
    match error {
        None => format!("{status}in {milliseconds} ms"),
        Some(error) => format!("{status}after {milliseconds} ms: {}", said::line(error)),
    }
}

fn events(webhook: &Webhook) -> String {
    let events: Vec<&str> = webhook.events.iter().map(|event| event.as_str()).collect();
    if events.is_empty() { "Everything".to_owned() } else { events.join(", ") }
}

fn registries(webhook: &Webhook) -> String {
    let names: Vec<String> = webhook.registries.iter().map(|name| said::line(name)).collect();
    if names.is_empty() { "every registry".to_owned() } else { names.join(", ") }
}
