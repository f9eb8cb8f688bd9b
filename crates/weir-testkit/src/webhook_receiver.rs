//! Somebody who is told what happens on a server: a small HTTP server on 127.0.0.1 that keeps what it is sent, and answers as a test asks.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits to hear something: long, for machines are loaded.
const PATIENCE: Duration = Duration::from_secs(60);

/// What it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The path.
    pub path: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Heard {
    /// What a header says, by its name in lower case.
    ///
    /// # Panics
    ///
    /// When it is not there.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("there is no `{name}`: {self:?}"))
    }
}

/// How it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// With this status.
    Status(u16),
    /// By naming another address.
    Redirect(String),
    /// Not at all, for so long.
    Silence(Duration),
    /// With bytes that do not end.
    Endless,
}

/// A receiver that listens. It is there until the test ends.
#[derive(Debug, Clone)]
pub struct WebhookReceiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    heard: Vec<Heard>,
    manners: VecDeque<Manner>,
}

impl WebhookReceiver {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
        let receiver =
            Self { address: listener.local_addr().expect("it has an address"), state: Arc::default() };
        let hearing = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let hearing = hearing.clone();
                thread::spawn(move || hearing.hear(stream));
            }
        });
        receiver
    }

    /// `http://127.0.0.1:<port>/hook`.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers the next as it is said here, one after the other; all others are taken.
    pub fn answers(&self, manners: impl IntoIterator<Item = Manner>) {
        self.state().manners.extend(manners);
    }

    /// All that it was sent so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.state().heard.clone()
    }

    /// The same, once it is so much.
    ///
    /// # Panics
    ///
    /// When that does not happen.
    pub fn heard_at_least(&self, many: usize) -> Vec<Heard> {
        let began = Instant::now();
        loop {
            let heard = self.heard();
            if heard.len() >= many {
                return heard;
            }
            assert!(began.elapsed() < PATIENCE, "it heard {heard:?}, and not {many}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears one request. That the other end goes is its own matter.
    fn hear(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        let path = line.split(' ').nth(1)?.to_owned();
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        let body = String::from_utf8(body).ok()?;
        let manner = {
            let mut state = self.state();
            state.heard.push(Heard { path, headers, body });
            state.manners.pop_front().unwrap_or(Manner::Status(204))
        };
        let mut stream = stream.into_inner();
        let mut say = |text: &str| stream.write_all(text.as_bytes()).ok();
        match manner {
            Manner::Status(status) => {
                say(&format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
            }
            Manner::Redirect(to) => say(&format!(
                "HTTP/1.1 307 X\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )),
            Manner::Silence(long) => {
                thread::sleep(long);
                None
            }
            Manner::Endless => {
                say("HTTP/1.1 200 X\r\nConnection: close\r\n\r\n")?;
                while say(&"x".repeat(1 << 16)).is_some() {}
                None
            }
        }
    }
}
