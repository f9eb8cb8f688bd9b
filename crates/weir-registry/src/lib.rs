//! A registry as a library: open, publish, yank, remove, verify.
