//! What the API can be asked. Each operation is described where it is routed, and the document that describes all of them, in the
//! words of [OpenAPI 3.1](https://spec.openapis.org/oas/v3.1.0), is made of that: it cannot name what is not there, nor leave out what is.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use weir_wire::AccountName;
use weir_wire::api::{LEVEL, ProblemDocument};
use weir_wire::webhooks::{WebhookEvent, WebhookMessage};

use crate::app::App;

/// Writes the form of a document.
type Form = fn(&mut SchemaGenerator) -> Schema;

/// One thing that can be asked.
pub(crate) struct Operation {
    method: MethodFilter,
    path: &'static str,
    /// What programs call it: no other has this name.
    id: &'static str,
    summary: &'static str,
    parameters: Vec<Parameter>,
    takes: Option<Body>,
    most_bytes: Option<usize>,
    gives: Vec<(u16, Option<Body>)>,
    anybody: bool,
}

/// What a request or an answer has in it.
#[derive(Clone, Copy)]
enum Body {
    Document(Form),
    Fields(Form),
    Bytes,
}

/// What a request says outside its document.
struct Parameter {
    place: &'static str,
    name: &'static str,
    is_needed: bool,
    about: &'static str,
    form: Value,
}

impl Operation {
    /// `summary` says, as a sentence without its subject, what it does.
    pub(crate) fn new(
        method: MethodFilter,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        let (parameters, takes, most_bytes, gives) = (Vec::new(), None, None, Vec::new());
        Self { method, path, id, summary, parameters, takes, most_bytes, gives, anybody: false }
    }

    /// Who has not signed in may ask it, too.
    pub(crate) fn by_anybody(self) -> Self {
        Self { anybody: true, ..self }
    }

    /// It takes a document.
    pub(crate) fn takes<T: JsonSchema>(self) -> Self {
        Self { takes: Some(Body::Document(SchemaGenerator::subschema_for::<T>)), ..self }
    }

    /// It takes what a form of a page would send: fields, each a text.
    pub(crate) fn takes_fields<T: JsonSchema>(self) -> Self {
        Self { takes: Some(Body::Fields(SchemaGenerator::subschema_for::<T>)), ..self }
    }

    /// It takes bytes.
    pub(crate) fn takes_bytes(self) -> Self {
        Self { takes: Some(Body::Bytes), ..self }
    }

    /// Its document may be as large as this, and not what others may be.
    pub(crate) fn of_at_most(self, bytes: usize) -> Self {
        Self { most_bytes: Some(bytes), ..self }
    }

    /// It answers with a document.
    pub(crate) fn gives<T: JsonSchema>(mut self, status: u16) -> Self {
        self.gives.push((status, Some(Body::Document(SchemaGenerator::subschema_for::<T>))));
        self
    }

    /// It answers with a status, and perhaps headers.
    pub(crate) fn gives_nothing(mut self, status: u16) -> Self {
        self.gives.push((status, None));
        self
    }

    /// What can be said behind a `?`, in this form.
    pub(crate) fn query(self, name: &'static str, is_needed: bool, about: &'static str, form: Value) -> Self {
        self.parameter(Parameter { place: "query", name, is_needed, about, form })
    }

    /// What can be said in a header.
    pub(crate) fn header(
        self,
        name: &'static str,
        is_needed: bool,
        about: &'static str,
        form: Value,
    ) -> Self {
        self.parameter(Parameter { place: "header", name, is_needed, about, form })
    }

    fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    fn method_name(&self) -> &'static str {
        match self.method {
            MethodFilter::GET => "get",
            MethodFilter::HEAD => "head",
            MethodFilter::PUT => "put",
            MethodFilter::PATCH => "patch",
            MethodFilter::DELETE => "delete",
            _ => "post",
        }
    }

    /// What stands in braces in its path.
    fn named(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0))
    }

    fn described(&self, forms: &mut SchemaGenerator) -> Value {
        let of_path = self.named().map(
            |name| json!({ "in": "path", "name": name, "required": true, "schema": form_of_path(name) }),
        );
        let others = self.parameters.iter().map(|Parameter { place, name, is_needed, about, form }| {
            json!({ "in": place, "name": name, "required": is_needed, "description": about, "schema": form })
        });
        let parameters: Vec<Value> = of_path.chain(others).collect();
        let mut answers: Map<String, Value> = self
            .gives
            .iter()
            .map(|(status, body)| {
                let mut answer = json!({ "description": "done" });
                if let Some(body) = body {
                    answer["content"] = body.described(forms);
                }
                (status.to_string(), answer)
            })
            .collect();
        let problem = forms.subschema_for::<ProblemDocument>();
        answers.insert(
            "default".to_owned(),
            json!({
                "description": "refused, and why",
                "content": { "application/problem+json": { "schema": problem } },
            }),
        );
        let mut described = json!({
            "operationId": self.id,
            "summary": self.summary,
            "parameters": parameters,
            "responses": answers,
        });
        if let Some(body) = &self.takes {
            // No bytes are bytes, too.
            let is_needed = !matches!(body, Body::Bytes);
            described["requestBody"] = json!({ "required": is_needed, "content": body.described(forms) });
        }
        if self.anybody {
            // One of none, or of those that hold for all.
            described["security"] = json!([{}, { "token": [] }, { "password": [] }]);
        }
        described
    }
}

/// Has a form say of numbers and sets what reading them takes: a number of so many bits has a bound, and what is named twice in a set is
/// in it once.
fn as_it_is_read(form: &mut Schema) {
    form.remove("uniqueItems");
    let bounds = match form.get("format").and_then(Value::as_str) {
        Some("uint32") => (json!(0), json!(u32::MAX)),
        Some("uint64" | "uint") => (json!(0), json!(u64::MAX)),
        Some("int64") => (json!(i64::MIN), json!(i64::MAX)),
        _ => return,
    };
    let Some(form) = form.as_object_mut() else { return };
    form.entry("minimum").or_insert(bounds.0);
    form.entry("maximum").or_insert(bounds.1);
}

/// The form of a word.
pub(crate) fn form_of<T: JsonSchema>() -> Value {
    T::json_schema(&mut SchemaGenerator::default()).to_value()
}

/// What stands in an address in the place of a name.
fn form_of_path(name: &str) -> Value {
    match name {
        "name" | "webhook" => form_of::<AccountName>(),
        "digest" => json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
        "registry" => json!({ "type": "string", "pattern": "^[a-z][a-z0-9-]{0,63}$" }),
        _ => json!({ "type": "string", "minLength": 1 }),
    }
}

/// What somebody is sent who is told what happens.
fn sent_to_a_webhook(event: &str, about: &str, message: &Schema) -> Value {
    let header = |name: &str, about: &str| json!({ "in": "header", "name": name, "required": true, "description": about, "schema": { "type": "string" } });
    let mut sentence = about.to_owned();
    sentence[..1].make_ascii_uppercase();
    json!({
        "post": {
            "operationId": event,
            "summary": sentence,
            "security": [],
            "parameters": [
                header("webhook-id", "The id of what is told: the same however often it is sent"),
                header("webhook-timestamp", "When it is sent, in seconds"),
                header(
                    "webhook-signature",
                    "`v1,` and, in base64, HMAC-SHA256 over id, timestamp and body, joined by dots (Standard Webhooks)",
                ),
            ],
            "requestBody": {
                "required": true,
                "content": { "application/json": { "schema": message } },
            },
            "responses": {
                "2XX": { "description": "It was taken" },
                "410": { "description": "It is to be sent no more" },
                "default": { "description": "It is sent again, later" },
            },
        },
    })
}

impl Body {
    fn described(self, forms: &mut SchemaGenerator) -> Value {
        match self {
            Self::Document(form) => json!({ "application/json": { "schema": form(forms) } }),
            Self::Fields(form) => json!({ "application/x-www-form-urlencoded": { "schema": form(forms) } }),
            Self::Bytes => json!({ "application/octet-stream": {} }),
        }
    }
}

/// Routes, and what is asked by them.
#[derive(Default)]
pub(crate) struct Operations {
    router: Router<Arc<App>>,
    all: Vec<Operation>,
}

impl Operations {
    /// Has `handler` answer an operation.
    pub(crate) fn with<H, T>(mut self, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        let mut route = on(operation.method, handler);
        if let Some(bytes) = operation.most_bytes {
            route = route.layer(DefaultBodyLimit::max(bytes));
        }
        self.router = self.router.route(operation.path, route);
        self.all.push(operation);
        self
    }

    /// The routes.
    pub(crate) fn into_router(self) -> Router<Arc<App>> {
        self.router
    }

    /// The document that describes them.
    pub(crate) fn document(&self) -> Value {
        let settings = SchemaSettings::draft2020_12()
            .with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
            .with_transform(RecursiveTransform(as_it_is_read));
        let mut forms = settings.into_generator();
        let mut paths = Map::new();
        for operation in &self.all {
            let path = paths.entry(operation.path).or_insert_with(|| json!({}));
            path[operation.method_name()] = operation.described(&mut forms);
        }
        let message = forms.subschema_for::<WebhookMessage>();
        let webhooks: Map<String, Value> = WebhookEvent::ALL
            .into_iter()
            .map(|(_, event, about)| (event.to_owned(), sent_to_a_webhook(event, about, &message)))
            .collect();
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Weir",
                "version": LEVEL.to_string(),
                "description": "What a server of Weir can be asked besides the files of its registries.",
            },
            "servers": [{ "url": "/" }],
            "security": [{ "token": [] }, { "password": [] }],
            "paths": paths,
            "webhooks": webhooks,
            "components": {
                "schemas": forms.take_definitions(true),
                "securitySchemes": {
                    "token": { "type": "http", "scheme": "bearer" },
                    "password": {
                        "type": "http",
                        "scheme": "basic",
                        "description": "A token as the password, whatever the name.",
                    },
                },
            },
        })
    }

    /// Names that two operations have.
    #[cfg(test)]
    fn named_twice(&self) -> std::collections::BTreeSet<&'static str> {
        let mut seen = std::collections::BTreeSet::new();
        self.all.iter().map(|operation| operation.id).filter(|id| !seen.insert(*id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::routes::operations;

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_what_it_gives() {
        let operations = operations();
        assert!(operations.named_twice().is_empty());
        for operation in &operations.all {
            assert!(!operation.gives.is_empty(), "{}", operation.id);
            assert!(!operation.summary.ends_with('.'), "{}", operation.id);
        }
    }
}
