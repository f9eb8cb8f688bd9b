//! A small HTTP/1.1 server for tests: a folder on 127.0.0.1, honest or hostile as a test asks.
//!
//! It answers `GET` and `HEAD` for plain files, keeps connections alive, honours single ranges and says what did not change,
//! as nginx does with a folder. A path can be told to misbehave, always or a number of times, so
//! that "a hostile mirror is never believed" is tried and not assumed. Dropping the server ends it.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, UNIX_EPOCH};

/// How often a waiting thread looks whether the server was dropped.
const TICK: Duration = Duration::from_millis(20);

/// What a path does instead of answering honestly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Announces the whole length, sends this many bytes of the body and closes the connection.
    Truncate(u64),
    /// Sends this many bytes of the body, then nothing, with the connection open.
    Stall(u64),
    /// Reads the request and never answers.
    Silence,
    /// Sends one byte of the body at a time, with this pause after each.
    Drip(Duration),
    /// Sends one byte of the header at a time, with this pause after each.
    DripHeader(Duration),
    /// Sends the right number of bytes, each of them inverted.
    WrongBytes,
    /// Sends, and announces, this many bytes more than the file has.
    Oversized(u64),
    /// Sends zeros without end and without announcing a length.
    Endless,
    /// Answers with this status and a short body.
    Status(u16),
    /// Answers 302 with this `Location`.
    Redirect(String),
    /// Ignores `Range` and sends the whole file with 200.
    NoRange,
    /// Answers a range of a file that is named by its tag with 206, though it has another by now.
    IgnoresIfRange,
    /// Answers a range with 206 and the right header, from a file that is one byte longer.
    OtherLength,
    /// Answers a range with 206 and bytes that start one too early, and says so.
    OtherRange,
    /// Sends the file in chunks, without announcing a length.
    Chunked,
    /// Sends the plain bytes, claiming that they are compressed with this encoding.
    Encoding(String),
    /// Closes the connection instead of answering.
    HangUp,
    /// Answers with bytes that are not HTTP.
    Garbage,
}

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `GET` or `HEAD`.
    pub method: String,
    /// The path as sent, still percent-encoded.
    pub path: String,
    /// Names in lower case, and values.
    pub headers: HashMap<String, String>,
}

impl Seen {
    /// The value of the header `name` (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// A running server. Ends when dropped.
#[derive(Debug)]
pub struct StaticServer {
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    address: SocketAddr,
    stop: AtomicBool,
    connections: AtomicUsize,
    body_bytes: Mutex<u64>,
    rules: Mutex<HashMap<String, Rule>>,
    seen: Mutex<Vec<Seen>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Rule {
    misbehaviour: Misbehaviour,
    left: Option<u32>,
}

impl StaticServer {
    /// Serves `folder` on a free port of 127.0.0.1.
    pub fn serve(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let shared = Arc::new(Shared {
            folder: folder.into(),
            address: listener.local_addr()?,
            stop: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            body_bytes: Mutex::new(0),
            rules: Mutex::default(),
            seen: Mutex::default(),
            workers: Mutex::default(),
        });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || accept(&listener, &shared)
        });
        Ok(Self { shared, accepting: Some(accepting) })
    }

    /// `http://127.0.0.1:<port>`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.shared.address)
    }

    /// Makes `path` (`/like/this`) misbehave from now on.
    pub fn misbehave(&self, path: &str, misbehaviour: Misbehaviour) {
        lock(&self.shared.rules).insert(path.to_owned(), Rule { misbehaviour, left: None });
    }

    /// Makes `path` misbehave for its next `times` requests, and be honest after them.
    pub fn misbehave_times(&self, path: &str, times: u32, misbehaviour: Misbehaviour) {
        lock(&self.shared.rules).insert(path.to_owned(), Rule { misbehaviour, left: Some(times) });
    }

    /// Makes `path` honest again.
    pub fn behave(&self, path: &str) {
        lock(&self.shared.rules).remove(path);
    }

    /// Every request so far, in the order they arrived.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// How many bytes of bodies were sent so far, or tried to be.
    pub fn body_bytes(&self) -> u64 {
        *lock(&self.shared.body_bytes)
    }
}

impl Drop for StaticServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect(self.shared.address));
        if let Some(accepting) = self.accepting.take() {
            drop(accepting.join());
        }
        let workers = std::mem::take(&mut *lock(&self.shared.workers));
        for worker in workers {
            drop(worker.join());
        }
    }
}

/// A test that panicked while it held a lock has failed already; the others go on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        shared.connections.fetch_add(1, Ordering::SeqCst);
        let worker = thread::spawn({
            let shared = Arc::clone(shared);
            // A client that hangs up is no business of the server's.
            move || drop(Connection::serve(stream, &shared))
        });
        lock(&shared.workers).push(worker);
    }
}

struct Connection<'a> {
    input: BufReader<Patient<'a>>,
    output: TcpStream,
    shared: &'a Shared,
}

/// Reads from a socket, looking now and then whether the server was dropped.
struct Patient<'a> {
    stream: TcpStream,
    shared: &'a Shared,
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(buffer) {
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    if self.shared.stop.load(Ordering::SeqCst) {
                        return Ok(0);
                    }
                }
                done => return done,
            }
        }
    }
}

/// Whether the connection can carry another request.
#[derive(PartialEq, Eq)]
enum Next {
    Request,
    Close,
}

impl<'a> Connection<'a> {
    fn serve(stream: TcpStream, shared: &'a Shared) -> io::Result<()> {
        stream.set_read_timeout(Some(TICK))?;
        stream.set_nodelay(true)?;
        let input = BufReader::new(Patient { stream: stream.try_clone()?, shared });
        let mut connection = Connection { input, output: stream, shared };
        while let Some(request) = connection.request()? {
            if connection.answer(&request)? == Next::Close {
                return Ok(());
            }
        }
        Ok(())
    }

    fn request(&mut self) -> io::Result<Option<Seen>> {
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
        let (method, path) = (method.to_owned(), path.to_owned());

        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            self.input.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
        let seen = Seen { method, path, headers };
        lock(&self.shared.seen).push(seen.clone());
        Ok(Some(seen))
    }

    fn answer(&mut self, request: &Seen) -> io::Result<Next> {
        let misbehaviour = self.misbehaviour(&request.path);
        match &misbehaviour {
            Some(Misbehaviour::Silence) => return self.wait_for_the_end(),
            Some(Misbehaviour::HangUp) => return Ok(Next::Close),
            Some(Misbehaviour::Garbage) => {
                self.output.write_all(b"\x16\x03\x01 this is no HTTP\r\n\r\n")?;
                return Ok(Next::Close);
            }
            Some(Misbehaviour::Status(status)) => return self.plain(request, *status, &[]),
            Some(Misbehaviour::Redirect(to)) => {
                return self.plain(request, 302, &[format!("Location: {to}")]);
            }
            _ => {}
        }
        match self.open(&request.path)? {
            Some(file) => self.send(request, file, misbehaviour.as_ref()),
            None => self.plain(request, 404, &[]),
        }
    }

    fn misbehaviour(&self, path: &str) -> Option<Misbehaviour> {
        let mut rules = lock(&self.shared.rules);
        let rule = rules.get_mut(path)?;
        match &mut rule.left {
            Some(0) => None,
            Some(left) => {
                *left -= 1;
                Some(rule.misbehaviour.clone())
            }
            None => Some(rule.misbehaviour.clone()),
        }
    }

    fn open(&self, path: &str) -> io::Result<Option<fs_err::File>> {
        let relative = decoded(without_query(path));
        let relative = relative.trim_start_matches('/');
        if Path::new(relative).components().any(|part| part.as_os_str() == "..") {
            return Ok(None);
        }
        let path = self.shared.folder.join(relative);
        if !path.is_file() {
            return Ok(None);
        }
        fs_err::File::open(path).map(Some)
    }

    fn plain(&mut self, request: &Seen, status: u16, headers: &[String]) -> io::Result<Next> {
        let body = format!("status {status}\n");
        let extra: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        write!(self.output, "HTTP/1.1 {status} Told So\r\nContent-Length: {}\r\n{extra}\r\n", body.len())?;
        if request.method != "HEAD" {
            self.output.write_all(body.as_bytes())?;
        }
        Ok(Next::Request)
    }

    fn send(
        &mut self,
        request: &Seen,
        mut file: fs_err::File,
        misbehaviour: Option<&Misbehaviour>,
    ) -> io::Result<Next> {
        let metadata = file.metadata()?;
        let (size, modified) = (metadata.len(), metadata.modified()?.duration_since(UNIX_EPOCH));
        let tag = format!("\"{size}-{}\"", modified.unwrap_or_default().as_nanos());
        if request.header("if-none-match") == Some(&*tag) {
            write!(self.output, "HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n")?;
            return Ok(Next::Request);
        }
        let ignores_ranges = matches!(
            misbehaviour,
            Some(Misbehaviour::NoRange | Misbehaviour::Endless | Misbehaviour::Chunked)
        );
        let is_of_another = misbehaviour != Some(&Misbehaviour::IgnoresIfRange)
            && request.header("if-range").is_some_and(|wanted| wanted != tag);
        let is_whole = ignores_ranges || is_of_another;
        let range = request.header("range").filter(|_| !is_whole).and_then(|text| range(text, size));

        let range = match range {
            Some(Range::From { start, length }) if misbehaviour == Some(&Misbehaviour::OtherRange) => {
                Some(Range::From { start: start - 1, length: length + 1 })
            }
            other => other,
        };
        let claimed = size + u64::from(misbehaviour == Some(&Misbehaviour::OtherLength));
        let (mut header, start, mut length) = match range {
            Some(Range::Unsatisfiable) => {
                return self.plain(request, 416, &[format!("Content-Range: bytes */{size}")]);
            }
            Some(Range::From { start, length }) => {
                let last = start + length - 1;
                let lines =
                    format!("HTTP/1.1 206 Partial\r\nContent-Range: bytes {start}-{last}/{claimed}\r\n");
                (lines, start, length)
            }
            None => ("HTTP/1.1 200 OK\r\nAccept-Ranges: bytes\r\n".to_owned(), 0, size),
        };
        if let Some(Misbehaviour::Oversized(extra)) = misbehaviour {
            length += extra;
        }
        header.push_str(&format!("ETag: {tag}\r\n"));
        if let Some(media_type) = media_type(without_query(&request.path)) {
            header.push_str(&format!("Content-Type: {media_type}\r\n"));
        }
        match misbehaviour {
            Some(Misbehaviour::Endless) => header.push_str("Connection: close\r\n"),
            Some(Misbehaviour::Chunked) => header.push_str("Transfer-Encoding: chunked\r\n"),
            Some(Misbehaviour::Encoding(name)) => {
                header.push_str(&format!("Content-Encoding: {name}\r\nContent-Length: {length}\r\n"));
            }
            _ => header.push_str(&format!("Content-Length: {length}\r\n")),
        }
        header.push_str("\r\n");
        self.header(&header, misbehaviour)?;
        if request.method == "HEAD" {
            return Ok(Next::Request);
        }
        file.seek(SeekFrom::Start(start))?;
        self.body(&mut file.take(length), length, misbehaviour)
    }

    fn header(&mut self, header: &str, misbehaviour: Option<&Misbehaviour>) -> io::Result<()> {
        let Some(Misbehaviour::DripHeader(pause)) = misbehaviour else {
            return self.output.write_all(header.as_bytes());
        };
        for byte in header.as_bytes() {
            self.output.write_all(&[*byte])?;
            self.pause(*pause)?;
        }
        Ok(())
    }

    fn body(
        &mut self,
        file: &mut dyn Read,
        length: u64,
        misbehaviour: Option<&Misbehaviour>,
    ) -> io::Result<Next> {
        match misbehaviour {
            Some(Misbehaviour::Truncate(after)) => {
                self.copy(&mut file.take(*after))?;
                Ok(Next::Close)
            }
            Some(Misbehaviour::Stall(after)) => {
                self.copy(&mut file.take(*after))?;
                self.wait_for_the_end()
            }
            Some(Misbehaviour::Drip(pause)) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                for byte in bytes {
                    self.copy(&mut [byte].as_slice())?;
                    self.pause(*pause)?;
                }
                Ok(Next::Request)
            }
            Some(Misbehaviour::Oversized(_)) => {
                self.copy(&mut file.chain(io::repeat(b'!')).take(length)).map(|()| Next::Request)
            }
            Some(Misbehaviour::WrongBytes) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                bytes.iter_mut().for_each(|byte| *byte = !*byte);
                self.copy(&mut bytes.as_slice()).map(|()| Next::Request)
            }
            Some(Misbehaviour::Endless) => {
                self.copy(&mut io::repeat(0))?;
                Ok(Next::Close)
            }
            Some(Misbehaviour::Chunked) => self.chunks(file),
            _ => self.copy(file).map(|()| Next::Request),
        }
    }

    fn chunks(&mut self, file: &mut dyn Read) -> io::Result<Next> {
        let mut buffer = vec![0; 10_000];
        loop {
            let read = file.read(&mut buffer)?;
            write!(self.output, "{read:x}\r\n")?;
            self.copy(&mut &buffer[..read])?;
            self.output.write_all(b"\r\n")?;
            if read == 0 {
                return Ok(Next::Request);
            }
        }
    }

    fn copy(&mut self, from: &mut dyn Read) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = from.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            if self.shared.stop.load(Ordering::SeqCst) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            // Counted before they are sent: whoever has them all finds them counted.
            *lock(&self.shared.body_bytes) += read as u64;
            self.output.write_all(&buffer[..read])?;
        }
    }

    fn pause(&self, pause: Duration) -> io::Result<()> {
        let mut left = pause;
        while !left.is_zero() {
            if self.shared.stop.load(Ordering::SeqCst) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let slice = left.min(TICK);
            thread::sleep(slice);
            left -= slice;
        }
        Ok(())
    }

    /// Keeps the connection open and mute until the client leaves or the server is dropped.
    fn wait_for_the_end(&mut self) -> io::Result<Next> {
        io::copy(&mut self.input, &mut io::sink())?;
        Ok(Next::Close)
    }
}

enum Range {
    From { start: u64, length: u64 },
    Unsatisfiable,
}

/// Reads `bytes=<start>-[<last>]`; anything else is ignored, as the RFC allows.
fn range(text: &str, size: u64) -> Option<Range> {
    let (start, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let start: u64 = start.parse().ok()?;
    let last = if last.is_empty() { u64::MAX } else { last.parse().ok()? };
    if start >= size || last < start {
        return Some(Range::Unsatisfiable);
    }
    Some(Range::From { start, length: last.min(size - 1) - start + 1 })
}

fn decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = path.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match hex.filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A server of files does not look at what is behind a `?`.
fn without_query(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}

/// What a browser must be told of a file.
fn media_type(path: &str) -> Option<&'static str> {
    let (_, ending) = path.rsplit_once('.')?;
    match ending {
        "html" => Some("text/html; charset=utf-8"),
        "css" => Some("text/css"),
        "js" => Some("text/javascript"),
        "json" => Some("application/json"),
        "svg" => Some("image/svg+xml"),
        _ => None,
    }
}
