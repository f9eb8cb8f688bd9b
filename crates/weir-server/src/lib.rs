//! `weir serve`: registries over HTTP.
//!
//! A server puts a process in front of folders. It takes nothing away: each registry it serves is still a folder that anybody
//! can verify, and that any other web server could serve for reading.
//!
//! * [`Settings`]: what an administrator decides, from a file and the environment;
//! * [`DataFolder`]: what a server keeps;
//! * [`serve()`]: connections, their limits, and how it stops; [`check()`]: what would keep it from beginning; [`ask_whether_ready`]: whether one that runs is ready;
//! * `app`: which request is answered by what; `faces`: the files of registries, `api`: all that changes something, `web`: the pages,
//!   `elm`: what Elm's own tools ask;
//! * [`Outside`]: what other registries are reached with;
//! * `counting`: downloads, added up; `asker`: who asks; `identity_providers`: who says who people are; `device`: terminals that wait for somebody to sign in for them; `accounting`: what happened; `gate`: what a server adds to the policy of a registry; `places`: how many may at once; `lacks`: what keeps it from what it is there for; `ready`: registries before somebody asks for them; `telling`: webhooks; `problem`: refusals.
//!
//! The libraries below are synchronous and the server is not: what may wait for a disk is carried to the threads that may
//! block, in `files`, and nowhere else.

mod accounting;
mod api;
mod app;
mod asker;
mod check;
mod conditions;
mod contact;
mod counting;
mod data;
mod deltas;
mod device;
mod elm;
mod faces;
mod files;
mod gate;
mod identity_providers;
mod lacks;
mod listing;
mod metrics;
mod observe;
mod outside;
mod places;
mod probe;
mod problem;
mod ready;
mod registries;
mod serve;
mod settings;
mod staging;
mod telling;
mod web;

pub use api::openapi;
pub use app::{App, AppError};
pub use check::{Checked, Wrong, check};
pub use data::{DataError, DataFolder};
pub use outside::Outside;
pub use probe::{NotReady, ask_whether_ready};
pub use serve::{Listening, ServeError, serve, url_of};
pub use settings::{
    ClientSecret, Limits, Log, LogFormat, MetricsToken, OpenId, Provider, Requests, Settings, SettingsError,
    SignIn, Tls, ToldOf, VARIABLES, reference,
};
