//! A program of the user's that knows their credentials: a keyring, a password manager, whatever helps git.
//!
//! It is named in the user's own configuration and by nothing else, started as it is named (no shell reads it), and asked in the way
//! that git asks its helpers: `get`, with `protocol` and `host` on stdin, answered by `username` and `password`, a line each.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use weir_client::Origin;

use crate::error::ReachError;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 64 << 10;

/// So often it is looked whether a helper that has said everything has ended.
const STEP: Duration = Duration::from_millis(5);

/// What a helper answered, for each origin: it is asked once in a run of the program, since it may ask the user.
#[derive(Clone, Default)]
pub struct HelperAnswers(Arc<Mutex<BTreeMap<String, Option<Login>>>>);

/// A name and a password.
type Login = (String, String);

/// What a helper knows for an origin, if it knows anything.
///
/// # Errors
///
/// When it cannot be started, answers what is no answer, or takes longer than `patience`.
pub(crate) fn ask(
    helper: &[String],
    patience: Duration,
    origin: &Origin,
    answers: &HelperAnswers,
) -> Result<Option<Login>, ReachError> {
    // Whoever comes meanwhile waits: they would ask the same.
    let mut answers = answers.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = answers.get(&origin.to_string()) {
        return Ok(known.clone());
    }
    let answer = run(helper, patience, origin).map_err(|reason| ReachError::Credential {
        reason: format!("the credential helper `{}` {reason}", helper.first().map_or("", String::as_str)),
    })?;
    answers.insert(origin.to_string(), answer.clone());
    Ok(answer)
}

/// What a helper says, if that comes to its end in time. Whatever holds its output open after it was ended is left alone: only the thread
/// that listens to that waits for it.
fn heard(process: &mut Child, until: Instant) -> Option<std::io::Result<String>> {
    let Some(stdout) = process.stdout.take() else { return Some(Ok(String::new())) };
    let (sender, receiver) = sync_channel(1);
    std::thread::spawn(move || {
        let mut said = String::new();
        let read = stdout.take(MAX_ANSWER).read_to_string(&mut said);
        let _ = sender.send(read.map(|_| said));
    });
    receiver.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
}

/// How a helper ended, if it did in time. It has said all that is read; one that says more ends by that nobody listens.
fn ended(process: &mut Child, until: Instant) -> Option<std::io::Result<ExitStatus>> {
    loop {
        match process.try_wait().transpose() {
            Some(ended) => return Some(ended),
            None if Instant::now() >= until => return None,
            None => std::thread::sleep(STEP),
        }
    }
}

fn run(helper: &[String], patience: Duration, origin: &Origin) -> Result<Option<Login>, String> {
    let (program, arguments) = helper.split_first().ok_or("has no name")?;
    let failed = |error: std::io::Error| format!("cannot be asked: {error}");
    let mut process = Command::new(program)
        .args(arguments)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let text = origin.to_string();
    let (protocol, host) = text.split_once("://").unwrap_or(("https", &text));
    if let Some(mut stdin) = process.stdin.take() {
        // One that answers without reading is answered with nothing less.
        let _ = stdin.write_all(format!("protocol={protocol}\nhost={host}\n\n").as_bytes());
    }
    let until = Instant::now() + patience;
    let answered = heard(&mut process, until).and_then(|said| Some((said, ended(&mut process, until)?)));
    let Some((said, ended)) = answered else {
        let _ = process.kill();
        let _ = process.wait();
        let seconds = patience.as_secs();
        return Err(format!(
            "did not answer within {seconds} s, and was ended: `credential-helper-timeout` below `[http]` gives it longer"
        ));
    };
    let (said, ended) = (said.map_err(failed)?, ended.map_err(failed)?);
    if !ended.success() {
        return Ok(None);
    }
    let value = |name: &str| {
        let mut lines = said.lines().filter_map(|line| line.split_once('='));
        lines.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned())
    };
    Ok(value("password").filter(|password| !password.is_empty()).map(|password| {
        let user = value("username").filter(|user| !user.is_empty()).unwrap_or_else(|| "token".to_owned());
        (user, password)
    }))
}
