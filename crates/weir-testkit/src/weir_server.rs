//! `weir serve`, run by a test as a user would, on a free port of 127.0.0.1.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use crate::sandbox::Sandbox;

/// How long a test waits for an answer: long, for machines are loaded.
const PATIENCE: Duration = Duration::from_secs(60);

/// The password of everybody in tests.
const PASSWORD: &str = "correct horse\n";

/// A server that runs. Dropping it kills it.
#[derive(Debug)]
pub struct WeirServer {
    process: Child,
    url: String,
    address: SocketAddr,
    invitation: Option<String>,
    invitation_link: Option<String>,
}

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The head as it came, without the line of the status.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl WeirServer {
    /// Starts `weir serve DATA` in the sandbox, and waits until it takes connections.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start(t: &Sandbox, data: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_at(t, data, "127.0.0.1:0", variables)
    }

    /// Kills it, so that it cannot end in order, and starts it again where it was.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn killed_and_started(self, t: &Sandbox, data: &str) -> Self {
        self.killed_and_started_with(t, data, &[])
    }

    /// The same with variables of the environment.
    ///
    /// # Panics
    ///
    /// When it does not start.
    #[must_use]
    pub fn killed_and_started_with(self, t: &Sandbox, data: &str, variables: &[(&str, &str)]) -> Self {
        let address = self.address.to_string();
        drop(self);
        Self::start_at(t, data, &address, variables)
    }

    /// Starts it, with its log in a file: where that is.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start_logged(t: &Sandbox, data: &str, variables: &[(&str, &str)]) -> (Self, PathBuf) {
        let log = t.path(format!("{data}.log"));
        let file = fs_err::File::create(&log).expect("the sandbox can be written").into_parts().0;
        (Self::start_with(t, data, "127.0.0.1:0", variables, file.into()), log)
    }

    fn start_at(t: &Sandbox, data: &str, address: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_with(t, data, address, variables, Stdio::null())
    }

    fn start_with(t: &Sandbox, data: &str, address: &str, variables: &[(&str, &str)], log: Stdio) -> Self {
        let words = ["--json", "serve", data, "--listen", address].map(str::to_owned);
        let mut process = t
            .command("", &words, variables)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program can be run");
        let mut lines = BufReader::new(process.stdout.take().expect("stdout is piped")).lines();
        let mut said = String::new();
        for line in &mut lines {
            said += &line.expect("it says where it listens");
            if said.ends_with('}') {
                break;
            }
        }
        let value = |name: &str| {
            let (_, value) = said.split_once(&format!("\"{name}\": \""))?;
            Some(value.split('"').next().unwrap_or_default().to_owned())
        };
        let url = value("url").expect("it says where it listens");
        let (_, address) = url.split_once("://").expect("it is an address");
        let address = address.parse().expect("it is an address with a port");
        Self {
            process,
            address,
            invitation: value("invitation"),
            invitation_link: value("invitation-link"),
            url,
        }
    }

    /// Starts a server with an administrator `ann`, who has signed in, and a registry `team` with the policy set `folder`, which is
    /// the default one.
    ///
    /// # Panics
    ///
    /// When any of it fails.
    pub fn with_team(t: &Sandbox, variables: &[(&str, &str)]) -> Self {
        let server = Self::start(t, "data", variables);
        let invitation = server.invitation().expect("nobody governs it yet");
        let login = format!("login {} --user ann --invitation {invitation} --password-stdin", server.url());
        t.weir_fed("", &login, PASSWORD).succeeds();
        t.weir_in("", &format!("registry create team --policy folder --server {}", server.url())).succeeds();
        t.weir_in("", &format!("registry add team {}/team --default --user", server.url())).succeeds();
        server
    }

    /// What makes whoever has it the first administrator, if there was none when it began.
    pub fn invitation(&self) -> Option<&str> {
        self.invitation.as_deref()
    }

    /// The same as a link, for a browser.
    pub fn invitation_link(&self) -> Option<&str> {
        self.invitation_link.as_deref()
    }

    /// Its address, such as `http://127.0.0.1:41234`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens a connection, to say what no client would.
    ///
    /// # Panics
    ///
    /// When it takes none.
    pub fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// Asks for `path`, with header lines such as `Range: bytes=0-3`, and closes the connection.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub fn ask(&self, method: &str, path: &str, headers: &[&str]) -> Reply {
        self.say(method, path, headers, &[])
    }

    /// The same with a body.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub fn say(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Reply {
        Reply::to(self.address, method, path, headers, body)
    }

    /// Where it takes connections.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    ///
    /// When it cannot be waited for.
    pub fn ended(mut self) -> ExitStatus {
        self.process.wait().expect("it can be waited for")
    }
}

impl Drop for WeirServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it takes connections");
    stream.set_read_timeout(Some(PATIENCE)).expect("a connection has a timeout");
    stream
}

impl Reply {
    /// What a server at `address` answers, over a connection of its own.
    ///
    /// # Panics
    ///
    /// When there is no answer.
    pub fn to(address: SocketAddr, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Self {
        let mut stream = connect(address);
        let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let length = match body.is_empty() && matches!(method, "GET" | "HEAD" | "DELETE") {
            true => String::new(),
            false => format!("Content-Length: {}\r\n", body.len()),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: registry.example\r\nConnection: close\r\n{length}{lines}\r\n"
        );
        stream.write_all(request.as_bytes()).expect("the request is taken");
        // Who is refused need not be heard to the end.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("there is an answer");
        Reply::parse(&answer)
    }

    fn parse(answer: &[u8]) -> Self {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let (line, head) = head.split_once("\r\n").unwrap_or((&head, ""));
        let status =
            line.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("there is a status");
        Self { status, head: head.to_owned(), body: answer[end + 4..].to_vec() }
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .split("\r\n")
            .filter_map(|line| line.split_once(": "))
            .find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
