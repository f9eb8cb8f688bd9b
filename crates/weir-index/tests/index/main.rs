//! The view, from outside: a log is folded and questions are asked.

mod files;
mod folding;
mod invariants;
mod queries;
mod searching;
mod snapshots;
mod support;
