//! Pages for administrators: what happened, and who there is.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use weir_accounts::Accounts;
use weir_activity::ActivityError;
use weir_web::{ActivityPage, Done, PeoplePage, address, seen};
use weir_wire::activity::ActivityQuery;
use weir_wire::people::{ChangeUser, Invite, User};

use super::account::{administrators_only, go_told};
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
    show(&app, &visitor, StatusCode::OK).await
}

/// `POST /-/people/invite`
pub(crate) async fn invite(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let again = form.field("again").is_some();
    let invite = Invite { name: form.read("name")?, groups: form.list("groups")?, again, returning: false };
    match people::invited(&app, &form.visitor.asker, invite).await {
        Ok(invited) => {
            let done = Done::invited(form.visitor.origin(), &invited, app.settings.sign_in.password);
            Ok(go_told(&app, &form.visitor, address::PEOPLE, done))
        }
        // What to do instead is on the page.
        Err(problem) if problem.status() == StatusCode::CONFLICT => {
            show(&app, &form.visitor.told(problem.detail()), StatusCode::CONFLICT).await
        }
        Err(problem) => Err(problem),
    }
}

/// `POST /-/people/uninvite`
pub(crate) async fn uninvite(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let which = form.required("which")?;
    let taken_back = people::uninvited(&app, &form.visitor.asker, which.to_owned()).await?;
    let whose = taken_back.name.map_or_else(|| "for any name".to_owned(), |name| format!("of `{name}`"));
    let done = Done::said(format!("the invitation {whose} is good no longer"));
    Ok(go_told(&app, &form.visitor, address::PEOPLE, done))
}

/// `POST /-/people/change`
pub(crate) async fn change(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let name = form.field("name").unwrap_or_default().to_owned();
    administrators_only(&form.visitor)?;
    let users = people::on_accounts(&app, Accounts::users).await?;
    let seen = form.seen()?;
    // Who saves groups takes away what somebody else gave meanwhile.
    if users.iter().any(|user| user.name.as_str() == name && seen::user(user) != seen) {
        return show(&app, &form.visitor.told(CHANGED), StatusCode::CONFLICT).await;
    }
    let change = match form.field("what") {
        Some("groups") => ChangeUser { groups: Some(form.list("groups")?), disabled: None },
        Some("disable") => ChangeUser { groups: None, disabled: Some(true) },
        Some("enable") => ChangeUser { groups: None, disabled: Some(false) },
        _ => return Err(unreadable("it is not said what is to become of the user")),
    };
    let disabled = change.disabled;
    let user = people::changed(&app, &form.visitor.asker, name, change).await?;
    Ok(go_told(&app, &form.visitor, address::PEOPLE, Done::said(became(&user, disabled))))
}

/// What became of a user.
fn became(User { name, groups, .. }: &User, disabled: Option<bool>) -> String {
    let groups: Vec<String> = groups.iter().map(|group| format!("`{group}`")).collect();
    match disabled {
        Some(true) => format!("`{name}` may sign in no longer, and their tokens are good no more"),
        Some(false) => {
            format!("`{name}` may sign in again, and has to: what they had before is not good again")
        }
        None if groups.is_empty() => format!("`{name}` is in no group now"),
        None => format!("`{name}` is in {} now", groups.join(", ")),
    }
}

async fn show(app: &Arc<App>, visitor: &Visitor, status: StatusCode) -> Result<Response, Problem> {
    administrators_only(visitor)?;
    let users = people::on_accounts(app, Accounts::users).await?;
    let pending = people::pending(app, &visitor.asker).await?;
    let frame = visitor.frame();
    let page = PeoplePage { frame: &frame, users: &users, pending: &pending, now: visitor.asker.at };
    answer(visitor, status, page.page())
}
