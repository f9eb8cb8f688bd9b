//! A registry in a folder, from outside: what it promises, tried against crashes, rivals and forgers.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod built;
mod closed_world;
mod conformance;
mod crashes;
mod drafts;
mod gate;
mod keys;
mod policies;
mod promises;
mod promotions;
mod replicas;
mod rules;
mod storage;
mod together;
mod within_reach;
mod world;
