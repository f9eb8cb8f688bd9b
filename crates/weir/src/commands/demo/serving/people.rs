//! Who there is in the demonstration: two who decide, and one who asks.

use weir_wire::people::Invited;

use super::{PASSWORD, Stage};
use crate::failure::Failure;

/// Who asks for the promotion that waits: whoever asks for one cannot approve it.
const ASKS: &str = "cem";

/// Invites others than `ann`, who is signed in.
pub(super) fn invite(stage: &Stage, url: &str) -> Result<(), Failure> {
    for (name, group) in [("bob", "admins"), (ASKS, "core")] {
        let words = ["user", "invite", name, "--group", group, "--server", url, "--json"];
        let said = stage.quietly_of("", &words, "")?;
        let invited: Invited = serde_json::from_slice(&said).map_err(|error| {
            Failure::failed(format!("the demonstration went wrong at `weir user invite`: {error}"))
        })?;
        // Whoever accepts is signed in on this machine, and ann is afterwards.
        let accept =
            format!("login {url} --user {name} --invitation {} --password-stdin", invited.invitation);
        stage.quietly("", &accept, &format!("{PASSWORD}\n"))?;
        sign_in(stage, url, "ann")?;
    }
    stage.quietly("", "claim acme group:core user:ann --registry demo", "")
}

/// Says who may let in what is held. Whatever they ask for comes in from then on: nothing is held for a curator.
pub(super) fn name_curators(stage: &Stage, url: &str) -> Result<(), Failure> {
    stage.quietly("", &format!("user groups ann admins core curators --server {url}"), "")?;
    stage.quietly("", &format!("user groups bob admins curators --server {url}"), "")
}

/// Has the one who asks do something, and signs ann in again.
pub(super) fn as_who_asks(stage: &Stage, url: &str, typed: &str) -> Result<(), Failure> {
    sign_in(stage, url, ASKS)?;
    stage.quietly("", typed, "")?;
    sign_in(stage, url, "ann")
}

fn sign_in(stage: &Stage, url: &str, name: &str) -> Result<(), Failure> {
    stage.quietly("", &format!("login {url} --user {name} --password-stdin"), &format!("{PASSWORD}\n"))
}
