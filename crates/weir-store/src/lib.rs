//! The machine's content-addressed store.
