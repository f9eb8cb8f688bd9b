//! The view, from outside: a log is folded and questions are asked.

#![expect(clippy::unwrap_used, reason = "a test that fails should stop")]

mod files;
mod folding;
mod impact;
mod invariants;
mod queries;
mod searching;
mod snapshots;
mod support;
