//! A program of the user's that knows their credentials: a keyring, a password manager, whatever helps git.
//!
//! It is named in the user's own configuration and by nothing else, started as it is named (no shell reads it), and asked in the way
//! that git asks its helpers: `get`, with `protocol` and `host` on stdin, answered by `username` and `password`, a line each.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use weir_client::Origin;

use crate::error::ReachError;

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 64 << 10;

/// What a helper answered, for each origin: it is asked once in a run of the program, since it may ask the user.
#[derive(Clone, Default)]
pub struct HelperAnswers(Arc<Mutex<BTreeMap<String, Option<Login>>>>);

/// A name and a password.
type Login = (String, String);

/// What a helper knows for an origin, if it knows anything.
///
/// # Errors
///
/// When it cannot be started, or answers what is no answer.
pub(crate) fn ask(
    helper: &[String],
    origin: &Origin,
    answers: &HelperAnswers,
) -> Result<Option<Login>, ReachError> {
    // Whoever comes meanwhile waits: they would ask the same.
    let mut answers = answers.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = answers.get(&origin.to_string()) {
        return Ok(known.clone());
    }
    let answer = run(helper, origin).map_err(|reason| ReachError::Credential {
        reason: format!("the credential helper `{}` {reason}", helper.first().map_or("", String::as_str)),
    })?;
    answers.insert(origin.to_string(), answer.clone());
    Ok(answer)
}

fn run(helper: &[String], origin: &Origin) -> Result<Option<Login>, String> {
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
    let mut said = String::new();
    if let Some(stdout) = process.stdout.take() {
        stdout.take(MAX_ANSWER).read_to_string(&mut said).map_err(failed)?;
    }
    // It has said all that is read; one that says more ends by that nobody listens.
    let ended = process.wait().map_err(failed)?;
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
