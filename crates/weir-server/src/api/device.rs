//! Signing in at a terminal (RFC 8628): it asks, shows a code, and asks again until somebody has said that it is theirs.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use weir_web::address;
use weir_wire::device::{DEVICE_CODE, DeviceAnswer, DeviceToken};

use super::{Fields, json, people, sent_field};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::device::{Begun, GOOD, INTERVAL, Polled};
use crate::problem::{Code, Problem};

/// `POST /api/v1/device`: has a terminal wait.
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    asker: Asker,
    Fields(body): Fields,
) -> Result<Response, Problem> {
    let client = sent_field(&body, "client_id").ok_or_else(|| {
        Problem::new(Code::BadDocument, "`client_id` says which program asks (RFC 8628), once")
    })?;
    let machine = sent_field(&body, "machine").unwrap_or_default();
    let Begun { secret, code } = app.devices.begin(&client, &machine, asker.from, asker.place(), asker.at)?;
    let place = format!("{}{}", app.address(), address::DEVICE);
    let answer = DeviceAnswer {
        device_code: secret,
        verification_uri_complete: format!("{place}?code={code}"),
        verification_uri: place,
        user_code: code,
        expires_in: GOOD.as_secs().unsigned_abs(),
        interval: INTERVAL,
    };
    Ok(json(StatusCode::OK, &answer))
}

/// `POST /api/v1/device/token`: what a terminal asks again and again.
pub(crate) async fn token(
    State(app): State<Arc<App>>,
    asker: Asker,
    Fields(body): Fields,
) -> Result<Response, Problem> {
    if sent_field(&body, "grant_type").as_deref() != Some(DEVICE_CODE) {
        return Err(Problem::new(Code::BadDocument, "`grant_type` is that of a device code (RFC 8628)"));
    }
    let secret = sent_field(&body, "device_code").ok_or_else(|| {
        Problem::new(Code::BadDocument, "`device_code` is what the terminal was given, once")
    })?;
    let (user, machine) = match app.devices.poll(&secret, asker.at) {
        Polled::Of(user, machine) => (user, machine),
        Polled::Waits => {
            return Err(Problem::new(Code::AuthorizationPending, "nobody has said yet that it is theirs"));
        }
        Polled::TooSoon => return Err(Problem::new(Code::SlowDown, "it asks too often")),
        Polled::Denied => {
            return Err(Problem::new(Code::AccessDenied, "somebody said that it is not theirs"));
        }
        Polled::Gone => {
            return Err(Problem::new(Code::ExpiredToken, "the code is good no longer: begin anew"));
        }
    };
    let accounting = Accounting::of(&app, &asker, None, "sign-in").on_behalf_of(format!("user:{user}"));
    let accounting = accounting.about(format!("terminal {machine}"));
    let came = people::logged_in(&app, &asker, user, machine).await;
    let signed_in = accounting.note(came).await?;
    let given = DeviceToken {
        access_token: signed_in.token,
        token_type: "Bearer".to_owned(),
        expires_in: signed_in.expires.duration_since(asker.at).as_secs().unsigned_abs(),
    };
    Ok(json(StatusCode::OK, &given))
}
