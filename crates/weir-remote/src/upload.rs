//! An upload in parts: what was sent need not be sent again when a connection breaks, nor when the program is started anew.

use std::io::{self, Read};

use weir_client::{Method, Reply};
use weir_log::SourceError;
use weir_wire::api::{UPLOAD_COMPLETE, UPLOAD_OFFSET, Uploaded};

use crate::call::{Line, RemoteError};

/// Bytes that are sent at once, and so the most that is sent twice.
const PART: usize = 8 << 20;

/// An upload of at most so many bytes is sent without asking how much of it is there: asking takes longer than sending it again.
const SMALL: usize = 256 << 10;

/// So often in a row a part may fail.
const ATTEMPTS: u32 = 5;

/// What an upload is of: its path, and what stands behind the `?`.
pub(crate) struct Upload<'l> {
    pub(crate) line: &'l Line,
    pub(crate) path: String,
    pub(crate) query: &'static str,
}

/// How much of an upload the server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) bytes: u64,
    pub(crate) is_whole: bool,
}

/// Why an upload did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error(transparent)]
    Remote(#[from] RemoteError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Upload<'_> {
    /// How much of it is there.
    pub(crate) fn state(&self) -> Result<State, RemoteError> {
        let reply = self.line.say(Method::Head, &self.path, self.query, Vec::new(), &[], true)?;
        // An answer to HEAD has no body that could say why.
        match reply.status {
            401 => Err(RemoteError::SignInNeeded {
                place: self.line.place(),
                detail: "nobody has signed in, or the token is not good".to_owned(),
            }),
            403 => Err(self.line.refused(403).into()),
            _ => self.state_of(&self.line.good(reply)?),
        }
    }

    /// Sends what `from` brings, but for what the server has. Gives the bytes of what it holds then.
    pub(crate) fn send(&self, from: &mut dyn Read) -> Result<u64, UploadError> {
        let mut first = Vec::new();
        from.take(SMALL as u64 + 1).read_to_end(&mut first)?;
        if first.len() <= SMALL
            && let Some(held) = self.send_part(&first, 0, true)?
        {
            return Ok(held);
        }
        self.go_on(&mut first.as_slice().chain(from))
    }

    /// The same from where the server has it.
    fn go_on(&self, from: &mut dyn Read) -> Result<u64, UploadError> {
        let State { bytes: mut offset, is_whole } = self.state()?;
        if is_whole {
            return Ok(offset);
        }
        if io::copy(&mut from.take(offset), &mut io::sink())? < offset {
            // It has more than there is: that is of something else.
            return Err(self.line.unreadable("it has more of the upload than there is to send").into());
        }
        let mut part = Vec::new();
        loop {
            part.clear();
            from.take(PART as u64).read_to_end(&mut part)?;
            let is_last = part.len() < PART;
            if let Some(held) = self.send_part(&part, offset, is_last)? {
                return Ok(held);
            }
            offset += part.len() as u64;
        }
    }

    /// Sends a part, again if it does not arrive; gives the bytes of the whole if it was the last.
    fn send_part(&self, part: &[u8], offset: u64, is_last: bool) -> Result<Option<u64>, RemoteError> {
        let mut sent = 0;
        let mut failed = 0;
        loop {
            let complete = if is_last { "?1" } else { "?0" };
            let headers = vec![
                (UPLOAD_OFFSET, (offset + sent as u64).to_string()),
                (UPLOAD_COMPLETE, complete.to_owned()),
                ("content-type", "application/partial-upload".to_owned()),
            ];
            let said = self.line.say(Method::Patch, &self.path, self.query, headers, &part[sent..], false);
            let error = match said.and_then(|reply| self.line.good(reply)) {
                Ok(reply) if is_last => {
                    let Uploaded { size } = self.line.document(&reply)?;
                    return Ok(Some(size));
                }
                Ok(_) => return Ok(None),
                Err(error) => error,
            };
            failed += 1;
            if failed >= ATTEMPTS || !is_passing(&error) {
                return Err(error);
            }
            // How much of it arrived, only the server knows. The question is asked with patience.
            let state = self.state()?;
            if state.is_whole {
                return Ok(Some(state.bytes));
            }
            let arrived = state.bytes.checked_sub(offset).and_then(|bytes| usize::try_from(bytes).ok());
            match arrived {
                Some(arrived) if arrived == part.len() && !is_last => return Ok(None),
                Some(arrived) if arrived <= part.len() => sent = arrived,
                _ => return Err(error),
            }
        }
    }

    fn state_of(&self, reply: &Reply) -> Result<State, RemoteError> {
        let bytes = reply.header(UPLOAD_OFFSET).and_then(|offset| offset.parse().ok());
        let is_whole = match reply.header(UPLOAD_COMPLETE) {
            Some("?1") => Some(true),
            Some("?0") => Some(false),
            _ => None,
        };
        match (bytes, is_whole) {
            (Some(bytes), Some(is_whole)) => Ok(State { bytes, is_whole }),
            _ => Err(self.line.unreadable("it does not say how much of an upload it has")),
        }
    }
}

/// Whether the same part may arrive a moment later.
fn is_passing(error: &RemoteError) -> bool {
    match error {
        RemoteError::Problem(problem) => {
            matches!(problem.code.as_str(), "overloaded" | "other-offset" | "conflict")
                || problem.status >= 502
        }
        RemoteError::Source(SourceError::NotReadable { .. } | SourceError::Timeout { .. }) => true,
        RemoteError::Source(SourceError::Status { status, .. }) => *status >= 500,
        _ => false,
    }
}
