//! The pages, one a file: what is put into each, and what of it is shown.

pub(crate) mod account;
pub(crate) mod activity;
pub(crate) mod device;
pub(crate) mod difference;
pub(crate) mod entry;
pub(crate) mod failure;
pub(crate) mod file;
pub(crate) mod graph;
pub(crate) mod home;
pub(crate) mod impact;
pub(crate) mod leaving;
pub(crate) mod modules;
pub(crate) mod package;
pub(crate) mod people;
pub(crate) mod policy;
pub(crate) mod queue;
pub(crate) mod registry;
pub(crate) mod release;
pub(crate) mod rows;
pub(crate) mod search;
pub(crate) mod statistics;
pub(crate) mod trust;
pub(crate) mod webhooks;
