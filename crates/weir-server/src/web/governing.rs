//! Pages for administrators: what happened, and who there is.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use weir_accounts::Accounts;
use weir_activity::ActivityError;
use weir_web::{ActivityPage, PeoplePage, address, seen};
use weir_wire::activity::ActivityQuery;
use weir_wire::people::{ChangeUser, Invite, Invited};

use super::account::{administrators_only, go};
use super::form::{CHANGED, Form, unreadable};
use super::package_files::download;
use super::{Visitor, answer, number_asked_for, pairs};
use crate::api::people;
use crate::app::App;
use crate::files::blocking;
use crate::problem::Problem;

/// So many events are on a page.
const EVENTS: u32 = 50;

/// So many are in a table that is kept, about: `weir activity --csv` has more.
const EXPORTED: usize = 10_000;

/// `GET /-/activity`
pub(crate) async fn activity(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Problem> {
    administrators_only(&visitor)?;
    let mut as_table = false;
    let mut wanted = ActivityQuery { limit: Some(EVENTS), ..ActivityQuery::default() };
    for (name, value) in pairs(query.as_deref().unwrap_or_default()) {
        let value = value.trim();
        let said = || Some(value.chars().take(200).collect::<String>()).filter(|said| !said.is_empty());
        match &*name {
            // As the page writes them: `ann`, and `acme/str 1.0.0`, or as commands do.
            "by" => wanted.actor = said().map(|by| if by.contains(':') { by } else { format!("user:{by}") }),
            "about" => wanted.subject = said().map(|about| about.replacen('@', " ", 1)),
            "registry" => wanted.registry = said(),
            "refused" => wanted.refused = true,
            "table" => as_table = true,
            _ => {}
        }
    }
    wanted.before = number_asked_for(query.as_deref(), "before")?;
    if as_table {
        return table(&app, &visitor, wanted).await;
    }
    let query = wanted.clone();
    let found =
        blocking(move || app.activity.query(&query)).await.map_err(|error| Problem::internal(&error))?;
    let frame = visitor.frame();
    answer(&visitor, StatusCode::OK, ActivityPage { frame: &frame, query: &wanted, activity: &found }.page())
}

/// The same as a table for other programs, with more of it.
async fn table(app: &Arc<App>, visitor: &Visitor, mut query: ActivityQuery) -> Result<Response, Problem> {
    let app = app.clone();
    let table = blocking(move || {
        let mut events = Vec::new();
        query.limit = None;
        while events.len() < EXPORTED {
            let found = app.activity.query(&query)?;
            events.extend(found.events);
            match found.before {
                Some(before) => query.before = Some(before),
                None => break,
            }
        }
        Ok::<_, ActivityError>(weir_activity::table(&events)?)
    });
    let table = table.await.map_err(|error| Problem::internal(&error))?;
    download(visitor, "activity.csv", Some(table))
}

/// `GET /-/people`
pub(crate) async fn people_page(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Problem> {
    show(&app, &visitor, StatusCode::OK, None).await
}

/// `POST /-/people/invite`
pub(crate) async fn invite(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let invite = Invite { name: form.read("name")?, groups: form.list("groups")?, returning: false };
    let invited = people::invited(&app, &form.visitor.asker, invite).await?;
    show(&app, &form.visitor, StatusCode::CREATED, Some(&invited)).await
}

/// `POST /-/people/uninvite`
pub(crate) async fn uninvite(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let which = form.field("which").ok_or_else(|| unreadable("`which` is missing"))?;
    people::uninvited(&app, &form.visitor.asker, which.to_owned()).await?;
    Ok(go(address::PEOPLE))
}

/// `POST /-/people/change`
pub(crate) async fn change(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let name = form.field("name").unwrap_or_default().to_owned();
    administrators_only(&form.visitor)?;
    let users = people::on_accounts(&app, Accounts::users).await?;
    let is_another = users.iter().find(|user| user.name.as_str() == name).is_some_and(|user| {
        // Who saves groups takes away what somebody else gave meanwhile.
        form.saw_another(&seen::user(user))
    });
    if is_another {
        return show(&app, &form.visitor.told(CHANGED), StatusCode::CONFLICT, None).await;
    }
    let change = match form.field("what") {
        Some("groups") => ChangeUser { groups: Some(form.list("groups")?), disabled: None },
        Some("disable") => ChangeUser { groups: None, disabled: Some(true) },
        Some("enable") => ChangeUser { groups: None, disabled: Some(false) },
        _ => return Err(unreadable("it is not said what is to become of the user")),
    };
    people::changed(&app, &form.visitor.asker, name, change).await?;
    Ok(go(address::PEOPLE))
}

async fn show(
    app: &Arc<App>,
    visitor: &Visitor,
    status: StatusCode,
    invited: Option<&Invited>,
) -> Result<Response, Problem> {
    administrators_only(visitor)?;
    let users = people::on_accounts(app, Accounts::users).await?;
    let pending = people::pending(app, &visitor.asker).await?;
    let frame = visitor.frame();
    let page = PeoplePage { frame: &frame, users: &users, pending: &pending, invited, now: visitor.asker.at };
    answer(visitor, status, page.page())
}
