//! Forms: what somebody sends from a page of this server, and from no other.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, ORIGIN};
use axum::http::request::Parts;
use axum::response::Response;
use weir_model::unseen::harmless;
use weir_web::address;

use super::Visitor;
use crate::api::in_time;
use crate::app::App;
use crate::problem::{Code, Problem};

/// The largest form, in bytes.
const MAX_FORM: usize = 16 << 10;

/// The most fields of a form.
const MOST_FIELDS: usize = 64;

/// The same of one that has the files of a policy set in it.
const MAX_LARGE_FORM: usize = 1 << 20;
const MOST_LARGE_FIELDS: usize = 256;

/// The fields of which several may be chosen, by where their forms are sent: any other is there once.
const CHOSEN: [(&str, &[&str]); 3] = [
    (address::NEW_TOKEN, &["verb", "registry"]),
    (address::ADD_TRUST, &["verb"]),
    (address::WEBHOOKS, &["event", "registry"]),
];

/// A form, and who sent it: it brought along what only a page that this server made for them can know.
pub(crate) struct Form {
    pub(crate) visitor: Visitor,
    fields: Vec<(String, String)>,
}

impl Form {
    /// What stands in a field, without what is around it; nothing where the field is missing or empty.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields(name).next()
    }

    /// All that was chosen under one name.
    pub(crate) fn fields(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.fields.iter().filter(move |(field, _)| field == name);
        named.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// What the page showed that was looked at, which [`weir_web::seen`] tells.
    ///
    /// # Errors
    ///
    /// When it is not said: then nobody can tell whether that is so still.
    pub(crate) fn seen(&self) -> Result<&str, Problem> {
        self.required("seen")
    }

    /// Whether the page that was looked at showed something else than there is `now`.
    ///
    /// # Errors
    ///
    /// When it is not said what it showed.
    pub(crate) fn saw_another(&self, now: &str) -> Result<bool, Problem> {
        Ok(self.seen()? != now)
    }

    /// What stands in a field as it was typed: a password may begin with a blank.
    pub(crate) fn as_typed(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// The reason that was given, if one was.
    pub(crate) fn reason(&self) -> Option<String> {
        self.field("reason").map(with_plain_lines)
    }

    /// What stands in a field that has to be there.
    ///
    /// # Errors
    ///
    /// When it is missing or empty.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Problem> {
        self.field(name).ok_or_else(|| {
            unreadable(format!("the field `{name}` is missing: open the page again, and send it from there"))
        })
    }

    /// Refuses a form that has something twice: which of both would be meant, nobody can tell.
    fn refuse_twins(&self, path: &str) -> Result<(), Problem> {
        let chosen = CHOSEN.iter().find(|(sent_to, _)| *sent_to == path).map_or(&[][..], |(_, names)| *names);
        let mut seen = HashSet::new();
        let twin =
            self.fields.iter().find(|(name, _)| !chosen.contains(&name.as_str()) && !seen.insert(name));
        match twin {
            None => Ok(()),
            Some((name, _)) => {
                let shown: String = name.chars().take(80).collect();
                Err(unreadable(format!("the field `{}` is there twice", harmless(&shown))))
            }
        }
    }

    /// What stands in a field, read.
    ///
    /// # Errors
    ///
    /// When it is missing or cannot be read.
    pub(crate) fn read<T>(&self, name: &str) -> Result<T, Problem>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        let text = self.required(name)?;
        text.parse().map_err(|error: T::Err| in_field(name, error))
    }

    /// All that was chosen under one name, each read.
    ///
    /// # Errors
    ///
    /// When one cannot be read.
    pub(crate) fn chosen<T, C: FromIterator<T>>(&self, name: &str) -> Result<C, Problem>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        self.fields(name).map(|text| text.parse().map_err(|error: T::Err| in_field(name, error))).collect()
    }

    /// The number in a field.
    ///
    /// # Errors
    ///
    /// When it is missing or none.
    pub(crate) fn number(&self, name: &str) -> Result<u32, Problem> {
        let text = self.required(name)?;
        let shown: String = text.chars().take(80).collect();
        text.parse().map_err(|_| in_field(name, format!("`{shown}` is no number of {name}, as `30` is")))
    }

    /// The words of a field, which are separated by commas or blanks, each read.
    ///
    /// # Errors
    ///
    /// When one cannot be read.
    pub(crate) fn list<T, C: FromIterator<T>>(&self, name: &str) -> Result<C, Problem>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        let text = self.field(name).unwrap_or_default();
        let mut words = text.split([',', ' ']).filter(|word| !word.is_empty()).peekable();
        // Nothing said is everything meant, in some fields: commas alone are neither.
        if !text.is_empty() && words.peek().is_none() {
            return Err(unreadable(format!(
                "`{name}` names nothing: `{}`",
                text.chars().take(80).collect::<String>()
            )));
        }
        words.map(|word| word.parse().map_err(|error: T::Err| in_field(name, error))).collect()
    }
}

/// A text of several lines: forms end them as telegraphs did.
pub(crate) fn with_plain_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

pub(crate) fn unreadable(what: impl Into<String>) -> Problem {
    Problem::new(Code::BadDocument, what.into().chars().take(500).collect::<String>())
}

/// What is told of a form whose page showed something else than there is by now.
pub(crate) const CHANGED: &str =
    "it has changed since you looked, and nothing was done: this page shows how it stands now";

/// A page in the place of an answer to a form, with what is told of it: it has the status of that.
pub(crate) fn instead(status: StatusCode, page: Result<Response, Problem>) -> Result<Response, Problem> {
    page.map(|mut page| {
        *page.status_mut() = status;
        page
    })
}

/// What is wrong with what stands in a field.
fn in_field(name: &str, wrong: impl std::fmt::Display) -> Problem {
    unreadable(format!("the field `{name}`: {wrong}"))
}

impl FromRequest<Arc<App>> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        Self::within(request, app, MAX_FORM, MOST_FIELDS).await
    }
}

/// The same with much in it: read of those only who have signed in.
pub(crate) struct LargeForm(pub(crate) Form);

impl FromRequest<Arc<App>> for LargeForm {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let (mut head, body) = request.into_parts();
        Visitor::from_request_parts(&mut head, app).await?.asker.speaker()?;
        let request = Request::from_parts(head, body);
        Form::within(request, app, MAX_LARGE_FORM, MOST_LARGE_FIELDS).await.map(Self)
    }
}

impl Form {
    async fn within(
        request: Request,
        app: &Arc<App>,
        most_bytes: usize,
        most_fields: usize,
    ) -> Result<Self, Problem> {
        let (mut head, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut head, app).await?;
        // Whoever set up the proxy reads why; whoever sent it can do nothing about that.
        let elsewhere = |why: &str| {
            tracing::warn!(path = ?head.uri.path(), "a form was refused as one of another page: {why}");
            Problem::new(
                Code::NotAllowed,
                "what was sent does not come from a page that this server made for you: open the page again, and send it from there",
            )
        };
        // Who signs in is nobody yet.
        let is_of_somebody = !head.uri.path().starts_with(address::SIGN_IN);
        let kind = head.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if let Some(why) = from_elsewhere(&head, &visitor) {
            return Err(elsewhere(&why));
        }
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(elsewhere("it is no form by its `Content-Type`"));
        }
        let too_large =
            || Problem::new(Code::TooLarge, format!("this form has at most {} KiB", most_bytes >> 10));
        let body = in_time(app, axum::body::to_bytes(body, most_bytes)).await?.map_err(|_| too_large())?;
        let pairs = form_urlencoded::parse(&body).take(most_fields + 1);
        let fields: Vec<(String, String)> =
            pairs.map(|(name, value)| (Cow::into_owned(name), Cow::into_owned(value))).collect();
        let form = Self { visitor, fields };
        match form.visitor.form() {
            Some(expected) if form.as_typed("form") == expected => {
                if form.fields.len() > most_fields {
                    let detail = format!("this form has at most {most_fields} fields");
                    return Err(Problem::new(Code::TooLarge, detail));
                }
                form.refuse_twins(head.uri.path())?;
                Ok(form)
            }
            _ if is_of_somebody && form.visitor.asker.is_anonymous() => Err(Problem::new(
                Code::SignInNeeded,
                "nobody is signed in here any longer, and nothing was changed: sign in, open the page again, and send it from there",
            )),
            Some(_) => {
                Err(elsewhere("what only the page knows that was made for them is another or missing"))
            }
            None => Err(elsewhere("the browser brings no cookie of this server")),
        }
    }
}

/// Why it is another page that sent it, where the browser itself says so.
fn from_elsewhere(head: &Parts, visitor: &Visitor) -> Option<String> {
    let said = |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    if let Some(site) = said("sec-fetch-site").filter(|site| *site != "same-origin") {
        return Some(format!("the browser calls it `Sec-Fetch-Site: {site:?}`"));
    }
    // Scheme and port may be another's behind a proxy: the host is what whoever sends it sees.
    let host = |origin: &str| origin.split_once("://").map(|(_, host)| host.to_owned());
    let origin = said(ORIGIN.as_str()).filter(|origin| host(origin) != host(visitor.origin()))?;
    Some(format!(
        "it is of the page {origin:?}, and the host that was asked is {:?}: a proxy passes on `Host` as it came, with the port",
        visitor.origin()
    ))
}
