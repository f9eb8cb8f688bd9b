//! OpenID providers: who somebody is, by an identity token that one of them signed.
//!
//! * [`Issuer`] is the address of a provider, as its tokens name it;
//! * [`Providers`] are those that are believed; what they say of themselves is fetched, kept for a while, and bounded;
//! * [`Providers::verify`] makes an [`Identity`] of a token, and nothing else does;
//! * [`Application`] is a program that has people sign in by a provider: [`Providers::ask`] says where they go for that, and
//!   [`Providers::identify`] who came back.
//!
//! Only issuers that whoever runs the program has named are asked anything, so no token makes it ask an address of the token's
//! choice. Signatures are checked by `ring` ([0225](../../../docs/decisions/0225-identity-tokens-are-verified-by-ring.md)).

mod authorization;
mod identity;
mod issuer;
mod provider;
mod signatures;

pub use authorization::{Application, Arrival, Question};
pub use identity::{Expected, Identity};
pub use issuer::{Issuer, IssuerError};
pub use provider::{IdentityError, Providers};
