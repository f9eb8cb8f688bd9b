//! Where somebody says that a terminal is theirs: it shows a code, and they are told what asks, and from where.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use weir_web::{AskingTerminal, DevicePage, DeviceSaid, address};

use super::account::go;
use super::form::Form;
use super::{Visitor, answer, asked_for};
use crate::accounting::Accounting;
use crate::app::App;
use crate::device::Asking;
use crate::problem::{Code, Problem};

/// `GET /-/device?code=…`: looking at it says nothing yet.
pub(crate) async fn device(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let query = query.unwrap_or_default();
    let code = asked_for(Some(&query), "code");
    if visitor.asker.is_anonymous() {
        return Ok(go(&address::sign_in(&address::device(code.as_deref()))));
    }
    let code = code.map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
    let Some(code) = code else { return show(&visitor, StatusCode::OK, DeviceSaid::Nothing) };
    let who = &visitor.asker.person()?.name;
    match app.devices.look(&code, who, visitor.asker.at) {
        Ok(asking) => {
            let terminal = terminal(&app, &visitor, &asking);
            show(&visitor, StatusCode::OK, DeviceSaid::Asks { code: &code, terminal: &terminal })
        }
        Err(problem) => show(&visitor, problem.status(), DeviceSaid::Failed(problem.detail())),
    }
}

/// `POST /-/device`
pub(crate) async fn decide(State(app): State<Arc<App>>, form: Form) -> Result<Response, Problem> {
    let visitor = &form.visitor;
    let code = form.field("code").unwrap_or_default();
    let yes = match form.field("what") {
        Some("allow") => true,
        Some("deny") => false,
        // Whoever typed a code is told first what asks.
        _ => return Ok(go(&address::device(Some(code)))),
    };
    let who = visitor.asker.person()?.name.clone();
    let action = if yes { "terminal-allowed" } else { "terminal-denied" };
    let answered = app.devices.answer(code, &who, yes, visitor.asker.at);
    let about = answered.as_ref().map(|asking| {
        let from = asking.from.map(|from| format!(" from {}", from.to_canonical())).unwrap_or_default();
        format!("terminal {}{from}", asking.machine)
    });
    let accounting = Accounting::of(&app, &visitor.asker, None, action).about(about.unwrap_or_default());
    match accounting.note(answered).await {
        Ok(_) if yes => show(visitor, StatusCode::OK, DeviceSaid::Allowed),
        Ok(_) => show(visitor, StatusCode::OK, DeviceSaid::Denied),
        Err(problem) if problem.code() == Code::NotFound.spelled() => {
            show(visitor, problem.status(), DeviceSaid::Failed(problem.detail()))
        }
        Err(problem) => Err(problem),
    }
}

fn terminal(app: &App, visitor: &Visitor, asking: &Asking) -> AskingTerminal {
    let here = visitor.asker.from.map(|from| from.to_canonical());
    let there = asking.from.map(|from| from.to_canonical());
    AskingTerminal {
        client: asking.client.clone(),
        machine: asking.machine.clone(),
        from: there.map(|from| from.to_string()).unwrap_or_default(),
        elsewhere: here != there,
        at: asking.at,
        days: app.settings.sign_in.days,
    }
}

fn show(visitor: &Visitor, status: StatusCode, said: DeviceSaid<'_>) -> Result<Response, Problem> {
    let frame = visitor.frame();
    answer(visitor, status, DevicePage { frame: &frame, said, now: visitor.asker.at }.page())
}
