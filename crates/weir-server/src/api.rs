//! The API: all that changes something, and what only who signed in may see.
//!
//! Handlers read a request and answer it. Each takes an [`Asker`], and what they do is put to the gate by the
//! registry itself, which can do nothing without a permission: a handler that forgets to ask does nothing.

mod activity;
pub(crate) mod answers;
pub(crate) mod ask;
mod batches;
mod device;
mod downloads;
mod operations;
pub(crate) mod people;
pub(crate) mod policy;
pub(crate) mod promotions;
pub(crate) mod pulling;
mod registries;
mod registry;
mod routes;
pub(crate) mod tokens;
pub(crate) mod trust;
mod uploads;
mod upstreams;
pub(crate) mod webhooks;
mod whole;

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts as _, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use weir_registry::{Acting, SubmitError};

use self::routes::operations;
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::places::{Place, Places};
use crate::problem::{Code, Problem};
use crate::registries::{RegistryName, Served};
use weir_model::unseen::{Named as _, harmless};

/// The largest document that is read where nothing else is said, in bytes.
const MAX_DOCUMENT: usize = 256 << 10;

/// The largest batch of promotions that may wait for approvals, in bytes.
const MAX_REQUEST: usize = 8 << 20;

/// The largest policy set that is read, as a document, in bytes.
const MAX_POLICY: usize = 4 << 20;

/// The largest ask that is read, in bytes.
const MAX_ASK: usize = 8 << 20;

/// Every route of the API.
pub(crate) fn router() -> Router<Arc<App>> {
    operations().into_router().layer(DefaultBodyLimit::max(MAX_DOCUMENT))
}

/// The document that describes the API, in the words of OpenAPI 3.1.
pub fn openapi() -> serde_json::Value {
    operations().document()
}

/// `GET /api/v1/openapi.json`
async fn described() -> Response {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi().to_string());
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], DOCUMENT.as_str()).into_response()
}

/// A document that a request brings.
pub(crate) struct Document<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Document<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        match in_time(app, read(app, request)).await? {
            Ok(document) => Ok(Self(document)),
            Err(rejection) => Err(unreadable(&rejection)),
        }
    }
}

async fn read<T: DeserializeOwned>(app: &Arc<App>, request: Request) -> Result<T, JsonRejection> {
    let (head, body) = request.into_parts();
    let body = Bytes::from_request(Request::from_parts(head.clone(), body), app).await?;
    let request = Request::from_parts(head, whole::numbers(&body).into());
    let axum::Json(Named(document)) = axum::Json::from_request(request, app).await?;
    Ok(document)
}

/// What a request brings, read in the time that it has: who sends a byte now and then keeps a place no longer.
pub(crate) async fn in_time<T>(app: &App, read: impl Future<Output = T>) -> Result<T, Problem> {
    let time = app.settings.limits.document();
    tokio::time::timeout(time, read).await.map_err(|_| {
        let detail = format!("what was sent did not come to its end within {} s", time.as_secs());
        Problem::new(Code::BadRequest, detail)
    })
}

/// Fields that a program sends as a form of a page would.
pub(crate) struct Fields(pub(crate) Bytes);

impl FromRequest<Arc<App>> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let read = in_time(app, Bytes::from_request(request, app)).await?;
        let unreadable = |rejection: BytesRejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::TooLarge, rejection.body_text()),
            _ => Problem::new(Code::BadRequest, "what was sent did not come to its end"),
        };
        read.map(Self).map_err(unreadable)
    }
}

/// A document whose fields are named: without that, a list of values would be read as one.
struct Named<T>(T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields))
            }
        }

        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

/// A document of somebody who has signed in: of anybody else nothing is read.
pub(crate) struct SignedDocument<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for SignedDocument<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (mut head, body) = request.into_parts();
        Asker::from_request_parts(&mut head, app).await?.speaker()?;
        let Document(document) = Document::from_request(Request::from_parts(head, body), app).await?;
        Ok(Self(document))
    }
}

fn unreadable(rejection: &JsonRejection) -> Problem {
    let code = match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Code::TooLarge,
        StatusCode::UNPROCESSABLE_ENTITY => Code::BadDocument,
        _ => Code::BadRequest,
    };
    let text = rejection.body_text();
    // What the library says first is said here in other words; then comes what is wrong, and where.
    let wrong = || text.split_once(": ").map_or(&*text, |(_, wrong)| wrong);
    let detail = match rejection {
        JsonRejection::JsonDataError(_) => format!("the document is not what is asked for: {}", wrong()),
        JsonRejection::JsonSyntaxError(_) => format!("the document is no JSON: {}", wrong()),
        JsonRejection::MissingJsonContentType(_) => {
            "a document is sent with `Content-Type: application/json`".to_owned()
        }
        _ if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            "the document is larger than it may be".to_owned()
        }
        _ => "what was sent did not come to its end".to_owned(),
    };
    // What came is repeated in part: that part must not be long.
    Problem::new(code, harmless(&detail).chars().take(500).collect::<String>())
}

/// What a form that a program sent has under a name, if it has that once.
fn sent_field(body: &[u8], name: &str) -> Option<String> {
    let mut found = form_urlencoded::parse(body).filter(|(found, _)| found == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value.into_owned()),
        _ => None,
    }
}

/// An answer in JSON that nobody keeps: it is for who asked.
pub(crate) fn json(status: StatusCode, document: &impl Serialize) -> Response {
    let mut response = (status, axum::Json(document)).into_response();
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A registry that is asked for something, and who asks.
pub(crate) struct Asked {
    pub(crate) served: Arc<Served>,
    pub(crate) acting: Arc<Acting>,
    pub(crate) actor: String,
    is_anonymous: bool,
    /// Held as long as a thread is needed that may block.
    _held: Held,
}

/// What is held while a thread is needed that may block.
enum Held {
    /// A place, which nobody waits for.
    Place { _place: Place },
    /// A turn, which was waited for.
    Turn { _turn: OwnedSemaphorePermit },
}

impl Asked {
    /// Finds the registry of that name, at work for who asks. Who may not read it is told that there is none.
    pub(crate) async fn of(app: &Arc<App>, asker: &Asker, name: &str) -> Result<Self, Problem> {
        Self::at(app, asker, name, |app| &app.writing).await
    }

    /// The same for who looks at a page of it: nobody who changes something waits for them.
    pub(crate) async fn of_visitor(app: &Arc<App>, asker: &Asker, name: &str) -> Result<Self, Problem> {
        Self::at(app, asker, name, |app| &app.looking).await
    }

    /// The same for a program that reads much at once, as compilers do: it waits for its turn.
    pub(crate) async fn of_reader(app: &Arc<App>, asker: &Asker, name: &str) -> Result<Self, Problem> {
        let served = app.served(asker, name).await?;
        let turn = app.reading.clone().acquire_owned().await;
        let turn = turn.map_err(|_| Problem::new(Code::NotReady, "the server ends"))?;
        Self::holding(app, asker, served, Held::Turn { _turn: turn }).await
    }

    /// The same, at a place among those that `places` gives.
    pub(crate) async fn at(
        app: &Arc<App>,
        asker: &Asker,
        name: &str,
        places: fn(&App) -> &Places,
    ) -> Result<Self, Problem> {
        let served = app.served(asker, name).await?;
        let place = places(app).place(asker.caller(name)?.actor())?;
        Self::holding(app, asker, served, Held::Place { _place: place }).await
    }

    async fn holding(
        app: &Arc<App>,
        asker: &Asker,
        served: Arc<Served>,
        held: Held,
    ) -> Result<Self, Problem> {
        let caller = asker.caller(served.name.as_str())?;
        let (app, actor, registry) = (app.clone(), caller.actor().to_owned(), served.clone());
        let registrar = blocking(move || app.registries.registrar(&registry)).await;
        let registrar = registrar.map_err(|error| Problem::refused(&error, asker.is_anonymous()))?;
        Ok(Self {
            served,
            acting: Arc::new(registrar.acting_for(caller)),
            actor,
            is_anonymous: asker.is_anonymous(),
            _held: held,
        })
    }

    /// Has the registry do something, on a thread that may block.
    pub(crate) async fn carry_out<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Acting) -> Result<T, SubmitError> + Send + 'static,
    ) -> Result<T, Problem> {
        let acting = self.acting.clone();
        blocking(move || work(&acting)).await.map_err(|error| self.refused(&error))
    }

    /// What who asked is told of a refusal.
    pub(crate) fn refused(&self, error: &SubmitError) -> Problem {
        Problem::refused(error, self.is_anonymous)
    }
}

/// The name in an address, as a registry can have it.
pub(crate) fn registry_name(name: &str) -> Result<RegistryName, Problem> {
    RegistryName::parse(name).ok_or_else(|| {
        let shown: String = name.chars().take(RegistryName::MAX_LEN).collect();
        let detail = format!(
            "`{}` can be no name of a registry: `a` to `z`, `0` to `9` and `-` are, a letter first, at most {}, and not a name that the server has for itself",
            shown.named(),
            RegistryName::MAX_LEN
        );
        Problem::new(Code::BadDocument, detail)
    })
}
