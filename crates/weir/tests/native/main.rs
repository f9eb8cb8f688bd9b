//! Built packages through the real program, a real compiler and a real sandbox: repositories, builds, sysroots.
//!
//! `WEIR_KILLS=100 cargo test -p weir --test native` stops actions a hundred times at other moments.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod build;
mod install;
mod recipes;
mod repo;
mod repo_bad_days;
mod repo_context;
mod repo_repair;
mod roots;
mod submodules;
mod systems;
