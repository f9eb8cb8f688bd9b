//! The store as its users see it: what is asked for at once, what is interrupted, what is thrown away.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod collecting;
mod crashing;
mod derived;
mod downloading;
mod exporting;
mod full_disk;
mod mending;
mod reading;
mod sharing;
mod together;
mod whole;
mod world;
