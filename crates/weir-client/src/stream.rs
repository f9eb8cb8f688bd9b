//! A long answer as one `Read`, whatever happens to the connections it comes through.
//!
//! When a connection breaks, the rest is asked for from the byte where it stopped. That is sound
//! because what is streamed here has a digest for a name, and its reader checks it; a server that
//! meanwhile tells another size is not believed at all.

use std::io::{self, Read};

use crate::client::{Answer, Body, HttpClient, Request};
use crate::failure::Failure;
use crate::pace::Pace;
use crate::retry::Retries;

/// How much must arrive between two breaks for the count of attempts to start again.
const PROGRESS: u64 = 1024 * 1024;

/// Reads a file from an offset, resuming as often as it makes progress.
pub(crate) struct ResumingStream {
    client: HttpClient,
    request: Request,
    body: Option<Body>,
    position: u64,
    total: Option<u64>,
    pace: Pace,
    retries: Retries,
    progress: u64,
}

impl ResumingStream {
    /// Sends the request; `None` if the file does not exist.
    pub(crate) fn open(client: &HttpClient, request: Request) -> Result<Option<Self>, Failure> {
        let body = match client.get(&request)? {
            Answer::Found(body) => body,
            Answer::Absent | Answer::Unchanged => return Ok(None),
        };
        Ok(Some(Self {
            client: client.clone(),
            position: request.offset,
            total: body.total,
            pace: Pace::new(client.options()),
            retries: Retries::default(),
            progress: 0,
            body: Some(body),
            request,
        }))
    }

    /// Size of the whole file, if the server says it.
    pub(crate) fn total(&self) -> Option<u64> {
        self.total
    }

    /// The next bytes; 0 at the end.
    pub(crate) fn next(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        if buffer.is_empty() || self.total.is_some_and(|total| self.position >= total) {
            return Ok(0);
        }
        loop {
            match self.attempt(buffer) {
                Ok(read) => return Ok(read),
                Err(failure) => self.retries.after(failure, self.client.options())?,
            }
        }
    }

    /// One read. After a failed one the body is gone, and the next asks for the rest.
    fn attempt(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let mut body = match self.body.take() {
            Some(body) => body,
            None => self.reopened()?,
        };
        self.skip(&mut body)?;
        let read = self.pace.timed(|| body.next(buffer))?;
        let position = self.position + read as u64;
        match self.total {
            Some(total) if position > total => {
                return Err(Failure::Unusable("it is longer than the server said".to_owned()));
            }
            Some(total) if read == 0 && position < total => {
                return Err(Failure::Connection("the server closed the connection early".to_owned()));
            }
            // Asks once more at the end, which lets ureq keep the connection: a reader that knows the
            // size does not come back for the empty read.
            Some(total) if position == total => drop(body.next(&mut [0])),
            _ => {}
        }
        body.start = position;
        self.position = position;
        self.body = Some(body);
        self.note_progress(read);
        Ok(read)
    }

    fn reopened(&mut self) -> Result<Body, Failure> {
        let request = Request { offset: self.position, ..self.request.clone() };
        let Answer::Found(body) = self.client.once(&request)? else {
            return Err(Failure::Unusable("it vanished while it was being read".to_owned()));
        };
        if self.total.is_some() && body.total.is_some() && self.total != body.total {
            return Err(Failure::Unusable("it changed its size while it was being read".to_owned()));
        }
        Ok(body)
    }

    /// Reads past what was asked to be left out, where a server knows no ranges.
    fn skip(&mut self, body: &mut Body) -> Result<(), Failure> {
        let mut buffer = [0; 16 * 1024];
        while body.start < self.position {
            let wanted = (self.position - body.start).min(buffer.len() as u64) as usize;
            let read = self.pace.timed(|| body.next(&mut buffer[..wanted]))?;
            if read == 0 {
                return Ok(());
            }
            body.start += read as u64;
        }
        Ok(())
    }

    fn note_progress(&mut self, read: usize) {
        self.progress += read as u64;
        if self.progress >= PROGRESS {
            self.progress = 0;
            self.retries.progressed();
        }
    }
}

impl Read for ResumingStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.next(buffer).map_err(|failure| failure.into_io(&self.request.url))
    }
}
