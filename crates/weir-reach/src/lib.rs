//! Reaching registries: which ones a user or a project knows, whom to trust for them, and what a run of the
//! program has to do it with.
//!
//! * A [`Session`] is everything that a command takes from the outside: where the machine keeps things, whether it
//!   is offline, the time, who watches. Nothing here reads the environment or prints.
//! * [`registries()`] and [`find`] say which registry is meant; [`connect()`] follows its log and gives a
//!   [`Connection`], whose view can be asked.
//! * Whoever looks after a registry makes, shows, verifies and renews it here.

mod admin;
mod air_gap;
mod ask;
mod collect;
mod connect;
mod credentials;
mod deltas;
mod discover;
mod error;
mod files;
mod foreign;
mod helper;
mod home;
mod host;
mod identity;
mod interrupt;
mod look;
mod lower;
mod netrc;
mod observe;
mod owners;
mod policy;
mod pull;
mod registries;
mod server;
mod session;
mod upstream;

pub use admin::{
    BoundKey, MadeRegistry, ShownRegistry, Verify, registry_bind, registry_binding, registry_init,
    registry_renew, registry_rotate_key, registry_show, registry_verify,
};
pub use air_gap::{Export, Imported, registry_export, registry_import, since};
pub use ask::{ASK_FEATURE, AskObserver, Followed, WasAsked, connect_through, upstream_follow};
pub use collect::registry_gc;
pub use connect::{
    Connection, Connections, Requirements, connect, http_client, open_for_writing, open_served, own_name,
    pinned_name, places_of_unmarked, source_of,
};
pub use credentials::{Secrets, TOKEN_VARIABLE, token_variable, variable_of};
pub use deltas::{registry_compact, registry_deltas};
pub use discover::{Discovered, Place, discover};
pub use error::{Offline, ReachError};
pub use files::{open_named, replace};
pub use foreign::is_foreign;
pub use helper::HelperAnswers;
pub use home::Home;
pub use host::platform as host_platform;
pub use identity::{IDENTITY_FILE_VARIABLE, IDENTITY_VARIABLE, IdentityToken};
pub use interrupt::{Busy, Interrupt};
pub use look::{LOOK_FEATURE, WasLooked, look_above};
pub use lower::Lower;
pub use observe::{Amount, Counted, Counter, Event, PlannedBuild, Work};
pub use owners::{EVERYWHERE, Owners};
pub use policy::{
    CheckedPolicy, ExplainWhat, ExplainedPolicy, GivenFacts, Log, PolicyChange, PolicyDifference, SetHow,
    ShownPolicy, Simulated, Since, TestedPolicy, WhichRegistry, folder_files, policy_asker, policy_check,
    policy_explain, policy_files, policy_files_named, policy_member, policy_set, policy_show,
    policy_simulate, policy_test, simulate_on,
};
pub use registries::{
    KnownRegistry, ManifestRegistries, check_new, find, forget, in_use, is_http, known_registry, location,
    named, preference, registries, registry_add, registry_unname, told_address, trusted_folders,
};
pub use server::{ReachedServer, forget_login, keep_login, reach_server, reach_to_sign_in, whoami_by};
pub use session::Session;
pub use upstream::{
    HeldReleases, LastSeen, SeenUpstream, ShownUpstream, Upstreams, change_upstreams, known_upstream,
    registry_held, upstream_change, upstream_show, upstreams, upstreams_in, upstreams_of, upstreams_seen,
};
