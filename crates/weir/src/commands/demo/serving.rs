//! `weir demo --serve`: a server with a filled registry, to be looked at in a browser.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use weir_server::{App, DataFolder, OpenId, Outside, Settings, serve};

use super::{Stage, words};
use crate::failure::Failure;

mod packages;
mod people;
mod waiting;

/// The password of everybody in the demonstration. The server listens on this machine only, and is gone in a while.
const PASSWORD: &str = "weir-demonstration";

/// An identity provider that many have heard of.
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// Fills a registry behind a server, tells where it is, and lets it run for `minutes`. The server is a part of this program, and
/// ends with it, however that ends.
pub(super) fn play(stage: &Stage, minutes: u64) -> Result<(), Failure> {
    let data = DataFolder::new(stage.path("data"));
    data.make()?;
    // Nobody asks the provider anything: it is only named, so that a program can be trusted.
    let openid = OpenId { workload_issuers: vec![ISSUER.to_owned()], ..OpenId::default() };
    let settings = Settings { listen: ([127, 0, 0, 1], 0).into(), openid, ..Settings::default() };
    let app = App::new(&data, settings, Outside::default())?;
    let invitation = app.invite_administrator(Timestamp::now())?;
    let invitation = invitation.map(|secret| secret.reveal().to_owned()).unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (told, tells) = mpsc::channel();
    let server = thread::spawn(move || {
        let listening = |listening: weir_server::Listening| {
            let _ = told.send(listening.address);
        };
        let ends = tokio::time::Instant::now() + Duration::from_secs(minutes.saturating_mul(60));
        let stop = async move { tokio::time::sleep_until(ends).await };
        runtime.block_on(serve(&app, data.root(), listening, stop, &tokio::sync::Notify::new()))
    });
    // When it cannot listen nothing is told, and the thread says why.
    if let Ok(address) = tells.recv() {
        let url = format!("http://{address}");
        fill(stage, &url, &invitation)?;
        stage.say(&format!(
            "\n  {url}\n\nThe registry `demo` is for everybody to read. Sign in as `ann`, or as `bob`, with the password `{PASSWORD}`, to act:\n\
             what waits for a decision is at {url}/demo/-/queue and {url}/stable/-/queue.\n\
             It runs for {minutes} minutes, or until Ctrl-C; then nothing of it is left."
        ))?;
    }
    match server.join() {
        Ok(served) => Ok(served?),
        Err(_) => Err(Failure::failed("the server of the demonstration broke down".to_owned())),
    }
}

fn fill(stage: &Stage, url: &str, invitation: &str) -> Result<(), Failure> {
    stage.say("Filling a registry…")?;
    let login = format!("login {url} --user ann --invitation {invitation} --password-stdin");
    stage.quietly("", &login, &format!("{PASSWORD}\n"))?;
    for typed in [
        format!("registry create demo --policy open --server {url}"),
        format!("registry create secret --server {url}"),
        format!("registry add demo {url}/demo --default --user"),
    ] {
        stage.quietly("", &typed, "")?;
    }
    packages::publish(stage)?;
    people::invite(stage, url)?;
    waiting::leave(stage, url)?;
    let trusted = "--claim repository=acme/greet --claim ref=refs/tags/* --for acme --to demo";
    stage.quietly("", &format!("trust add --issuer {ISSUER} {trusted} --server {url}"), "")?;
    // Somebody uses it: what is downloaded is counted.
    stage.quietly("", "init app", "")?;
    stage.quietly("app", "add acme/greet acme/report", "")
}

impl Stage {
    /// A command as it would be typed in `folder`.
    fn command<'w>(&self, folder: &str, words: impl IntoIterator<Item = &'w str>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .current_dir(self.path(folder))
            .env("WEIR_HOME", self.path("home"))
            // No compiler of Elm is asked about packages that only stand in for others.
            .env("PATH", "")
            .env_remove("WEIR_STORE")
            .env_remove("WEIR_REGISTRY")
            .env("WEIR_OFFLINE", "0");
        command
    }

    /// Runs a command without showing it, and holds that it succeeds.
    fn quietly(&self, folder: &str, typed: &str, stdin: &str) -> Result<(), Failure> {
        let words: Vec<&str> = words(typed).collect();
        self.quietly_of(folder, &words, stdin).map(drop)
    }

    /// The same, word by word. Gives what it printed.
    fn quietly_of(&self, folder: &str, words: &[&str], stdin: &str) -> Result<Vec<u8>, Failure> {
        let mut process = self
            .command(folder, words.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut pipe) = process.stdin.take() {
            pipe.write_all(stdin.as_bytes())?;
        }
        let done = process.wait_with_output()?;
        match done.status.success() {
            true => Ok(done.stdout),
            false => {
                let said = String::from_utf8_lossy(&done.stderr);
                let first = words.first().copied().unwrap_or_default();
                Err(Failure::failed(format!(
                    "the demonstration went wrong at `weir {first}`: {}",
                    said.trim()
                )))
            }
        }
    }
}
