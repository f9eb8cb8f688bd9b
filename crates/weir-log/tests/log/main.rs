//! The log as its users meet it: written to a folder, followed, attacked, killed, audited, and read by
//! code that is not ours.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod append;
mod audit;
mod crash;
mod follow;
mod hostile;
mod independent;
mod proof;
mod support;
