//! A real OpenID provider, run by a test on 127.0.0.1: npm's `oidc-provider`.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::weir_server::Reply;

/// What it is started by.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/openid_provider.mjs");

/// The variable that says where npm has brought it.
const VARIABLE: &str = "WEIR_TEST_OIDC";

/// A provider that runs. Dropping it kills it.
#[derive(Debug)]
pub struct OpenIdProvider {
    process: Child,
    address: SocketAddr,
}

impl OpenIdProvider {
    /// Starts one with keys of its own. `None`, and said so, where npm has not brought it: `./test` has it brought.
    ///
    /// # Panics
    ///
    /// When it is there and does not start.
    pub fn start() -> Option<Self> {
        Self::start_at(0)
    }

    /// The same on a port: in the place of another that was there, with other keys.
    ///
    /// # Panics
    ///
    /// When it is there and does not start.
    pub fn start_at(port: u16) -> Option<Self> {
        Self::start_as(port, &[])
    }

    /// The same, where it says of people what is asked for elsewhere than in its tokens.
    ///
    /// # Panics
    ///
    /// When it is there and does not start.
    pub fn start_terse() -> Option<Self> {
        Self::start_as(0, &["userinfo"])
    }

    /// The same with a key of this name, on a port.
    ///
    /// # Panics
    ///
    /// When it is there and does not start.
    pub fn start_with_key(port: u16, name: &str) -> Option<Self> {
        Self::start_as(port, &["-", name])
    }

    fn start_as(port: u16, more: &[&str]) -> Option<Self> {
        if std::env::var_os(VARIABLE).is_none() {
            #[expect(clippy::print_stderr, reason = "a test that does not test says so")]
            {
                eprintln!(
                    "not tried: `{VARIABLE}` does not say where `oidc-provider` is; `./test` fetches it where npm is"
                );
            }
            return None;
        }
        let mut process = Command::new("node")
            .arg(SCRIPT)
            .arg(port.to_string())
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node can be run");
        let mut said = String::new();
        BufReader::new(process.stdout.take().expect("stdout is piped"))
            .read_line(&mut said)
            .expect("it says where it is");
        let address = said.trim().strip_prefix("http://").and_then(|address| address.parse().ok());
        Some(Self { process, address: address.expect("it is an address with a port") })
    }

    /// Its address, by which its tokens name it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Makes `name` a client of it, as `metadata` says (RFC 7591).
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub fn register(&self, name: &str, metadata: &Value) {
        let mut document = json!({ "client_name": name, "token_endpoint_auth_method": "none" });
        for (field, value) in metadata.as_object().into_iter().flatten() {
            document[field] = value.clone();
        }
        let reply = self.post("/reg", "application/json", &document.to_string());
        assert_eq!(reply.status, 201, "{}", reply.text());
    }

    /// Gives identity tokens that are meant for `audience`, as to the jobs of a build server, from now on.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub fn has_jobs_for(&self, audience: &str) {
        let metadata = json!({ "grant_types": ["urn:test:job"], "redirect_uris": [], "response_types": [] });
        self.register(audience, &metadata);
    }

    /// The identity token of a job called `job`, with these claims, which is meant for `audience`.
    ///
    /// # Panics
    ///
    /// When it gives none.
    pub fn job(&self, audience: &str, claims: &Value) -> String {
        let escaped = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
        let form = format!(
            "grant_type=urn:test:job&sub=job&client_id={}&claims={}",
            escaped(audience),
            escaped(&claims.to_string())
        );
        let reply = self.post("/token", "application/x-www-form-urlencoded", &form);
        let reply: Value = serde_json::from_slice(&reply.body).expect("it is JSON");
        reply["id_token"].as_str().expect("there is a token").to_owned()
    }

    /// Says this of whom it calls `subject`, besides the usual, from now on.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub fn says(&self, subject: &str, claims: &Value) {
        let reply = self.post(
            "/people",
            "application/json",
            &json!({ "sub": subject, "claims": claims }).to_string(),
        );
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Has `subject` sign in who was sent to `address`, agree to all, and gives where they are sent back to.
    ///
    /// # Panics
    ///
    /// When they are not sent back.
    pub fn signs_in(&self, address: &str, subject: &str) -> String {
        let mut to = format!("{address}&login_hint={subject}");
        let mut cookies: Vec<Cookie> = Vec::new();
        for _ in 0..10 {
            let Some(path) = to.strip_prefix(&self.url()) else { return to };
            let kept: Vec<String> = cookies.iter().filter_map(|cookie| cookie.sent_to(path)).collect();
            let cookie = format!("Cookie: {}", kept.join("; "));
            let reply = Reply::to(self.address, "GET", path, &[&cookie], &[]);
            for line in reply.head.split("\r\n") {
                let set = line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
                let Some(cookie) = set.and_then(|(_, set)| Cookie::read(set)) else { continue };
                cookies.retain(|known| (&known.name, &known.path) != (&cookie.name, &cookie.path));
                cookies.push(cookie);
            }
            let next =
                reply.header("location").unwrap_or_else(|| panic!("{}: {}", reply.status, reply.text()));
            to = if next.starts_with('/') { format!("{}{next}", self.url()) } else { next.to_owned() };
        }
        panic!("{to} leads nowhere")
    }

    /// A token that was made in another way than any provider would: see the script.
    ///
    /// # Panics
    ///
    /// When it gives none.
    pub fn forge(&self, how: &str, claims: &Value) -> String {
        self.post("/forge", "application/json", &json!({ "how": how, "claims": claims }).to_string()).text()
    }

    fn post(&self, path: &str, form: &str, body: &str) -> Reply {
        Reply::to(self.address, "POST", path, &[&format!("Content-Type: {form}")], body.as_bytes())
    }
}

/// A cookie, which is sent to some paths only: the same name may be another cookie elsewhere.
struct Cookie {
    name: String,
    value: String,
    path: String,
}

impl Cookie {
    fn read(line: &str) -> Option<Self> {
        let mut parts = line.split("; ");
        let (name, value) = parts.next()?.split_once('=')?;
        let path = parts.find_map(|part| part.strip_prefix("path=")).unwrap_or("/");
        Some(Self { name: name.to_owned(), value: value.to_owned(), path: path.to_owned() })
    }

    /// As it is sent to `path`, if it is; one that was taken back has no value.
    fn sent_to(&self, path: &str) -> Option<String> {
        (path.starts_with(&self.path) && !self.value.is_empty())
            .then(|| format!("{}={}", self.name, self.value))
    }
}

impl Drop for OpenIdProvider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
