//! What the crate promises, seen from outside.

mod archives;
mod deltas;
mod folders;
mod hostile_packs;
mod manifests;
mod round_trip;
mod vectors;
mod world;
