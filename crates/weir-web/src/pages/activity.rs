//! What happened on the server, and what was refused.

use askama::Template;
use weir_wire::activity::{Activity, ActivityQuery, Event};

use crate::frame::{Frame, Page, PageError};
use crate::{address, said};

/// What the page is made of.
#[derive(Debug)]
pub struct ActivityPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// What was asked.
    pub query: &'a ActivityQuery,
    /// What happened, the newest first.
    pub activity: &'a Activity,
}

#[derive(Template)]
#[template(path = "activity.html")]
struct Happened<'a> {
    frame: &'a Frame,
    action: &'static str,
    who: &'a str,
    what: &'a str,
    registry: &'a str,
    refused: bool,
    rows: Vec<Row>,
    next: String,
    table: String,
}

struct Row {
    at: String,
    who: String,
    from: String,
    done: bool,
    what: String,
    subject: String,
    registry: String,
    policy: String,
    reason: String,
}

impl ActivityPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let ActivityQuery { registry, actor, subject, refused, .. } = self.query;
        Page::write(&Happened {
            frame: self.frame,
            action: address::ACTIVITY,
            who: actor.as_deref().unwrap_or_default(),
            what: subject.as_deref().unwrap_or_default(),
            registry: registry.as_deref().unwrap_or_default(),
            refused: *refused,
            rows: self.activity.events.iter().map(row).collect(),
            next: self
                .activity
                .before
                .map(|before| self.asked("before", &before.to_string()))
                .unwrap_or_default(),
            table: self.asked("table", "csv"),
        })
    }

    /// The same question with one thing more.
    fn asked(&self, more: &'static str, value: &str) -> String {
        let ActivityQuery { registry, actor, subject, refused, .. } = self.query;
        let mut query = vec![(more, value.to_owned())];
        for (name, value) in [("registry", registry), ("by", actor), ("about", subject)] {
            query.extend(value.as_ref().map(|value| (name, value.clone())));
        }
        if *refused {
            query.push(("refused", "on".to_owned()));
        }
        address::with_query(address::ACTIVITY.to_owned(), &query)
    }
}

fn row(event: &Event) -> Row {
    let text = |text: &Option<String>| said::line(text.as_deref().unwrap_or_default());
    Row {
        at: said::time(event.at),
        who: said::line(said::who(&event.actor)),
        from: event.from.map(|from| from.to_canonical().to_string()).unwrap_or_default(),
        done: event.done,
        what: match event.times {
            0..=1 => said::line(&event.action),
            times => format!("{}, {times} times within a minute", said::line(&event.action)),
        },
        subject: text(&event.subject),
        registry: text(&event.registry),
        policy: text(&event.policy),
        reason: text(&event.reason),
    }
}
