//! What the resolver answers, on small worlds written as text.

#![expect(clippy::unwrap_used, reason = "a test that fails shows the line")]

mod explanations;
mod isolated;
mod properties;
mod requests;
mod unified;
mod world;
