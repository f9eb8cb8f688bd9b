//! Builds, in the sandbox that users have: they need bubblewrap, and fail where it is not installed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod contained;
mod hidden;
mod systems;
mod world;
