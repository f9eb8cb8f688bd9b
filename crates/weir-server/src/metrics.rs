//! What an operator counts, in the text format of Prometheus and OpenMetrics.

use std::fmt::Write as _;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The media type of what [`Metrics::to_text`] gives.
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper ends of the classes of durations, in seconds.
const SECONDS: [f64; 9] = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 10.0];

/// The counters of one server.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Histogram,
    /// Connections that are open.
    pub(crate) connections: Gauge,
}

/// How a request was answered. Few values each: what an asker can choose freely is no label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    status: u16,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("weir");
        let requests = Family::<Answered, Counter>::default();
        let durations = Histogram::new(SECONDS);
        let connections = Gauge::default();
        registry.register("http_requests", "Requests that were answered", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Seconds from the head of a request to the head of its answer",
            durations.clone(),
        );
        registry.register("http_connections", "Connections that are open", connections.clone());
        Self { registry, requests, durations, connections }
    }

    pub(crate) fn answered(&self, method: &axum::http::Method, status: u16, took: Duration) {
        let method = match method.as_str() {
            "GET" => "GET",
            "HEAD" => "HEAD",
            "POST" => "POST",
            "PUT" => "PUT",
            "PATCH" => "PATCH",
            "DELETE" => "DELETE",
            _ => "other",
        };
        self.requests.get_or_create(&Answered { method, status }).inc();
        self.durations.observe(took.as_secs_f64());
    }

    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        if text::encode(&mut text, &self.registry).is_err() {
            let _ = writeln!(text, "# the metrics cannot be written");
        }
        text
    }
}
