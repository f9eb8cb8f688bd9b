//! Three registries in memory, one above the other, and what must hold of them whatever happens.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod clocks;
mod crashes;
mod stories;
mod withheld;
mod world;
