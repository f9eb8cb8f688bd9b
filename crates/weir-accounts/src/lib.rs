//! The people of a server: who there is, in which groups they are, and which tokens speak for them.
//!
//! All of it is in one SQLite file, which only the server opens. Nothing of it is in the log of a registry, save the name of
//! who acted: losing the file loses accounts, and no package.
//!
//! * [`Accounts`] is the file; users and groups are in `people`, passwords and invitations in `sign_in`, who signs in by an identity
//!   provider in `identities`, tokens in `tokens`, programs that are trusted in `workloads`;
//! * a password is kept as its argon2id hash (RFC 9106), a token and an invitation as the SHA-256 of a secret that is random
//!   and long enough not to be guessed;
//! * [`Secret`] is what is shown once, and printed by nothing.

mod accounts;
mod identities;
mod people;
mod secret;
mod sign_in;
mod tokens;
mod workloads;

pub use accounts::{AccountError, Accounts};
pub use identities::Said;
pub use secret::Secret;
pub use sign_in::{Invitation, SignInError, network_of};
pub use tokens::{LONGEST_TOKEN_NAME, NotGood, Speaker, UserSpeaker};
pub use workloads::{Grant, Proved, WorkloadSpeaker};
