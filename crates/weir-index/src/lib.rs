//! The view: a log folded into an on-disk index with look-up, search and dependents.
