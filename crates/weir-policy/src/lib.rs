//! Decisions with reasons: the one gate every read and write passes.
