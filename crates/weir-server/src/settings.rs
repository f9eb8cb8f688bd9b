//! What an administrator decides: `weir-server.toml`, and over it the environment.
//!
//! Every setting is a field of [`Settings`]; the reference page and the names of the environment variables are made from
//! these types ([`reference()`]), so there is nothing to keep in step.

mod providers;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, schema_for};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use toml_edit::{DocumentMut, Item, Table, value};
use weir_client::Url;
use weir_model::Sha256;
use weir_model::unseen::Named as _;
use weir_openid::{Issuer, IssuerError};

use providers::ANY_NAME;
pub use providers::{ClientSecret, Provider};

/// The longest file of settings that is read, in bytes.
const MAX_SETTINGS: u64 = 1 << 20;

/// The fewest characters of a secret that somebody chooses for a program.
const SHORTEST_TOKEN: usize = 16;

/// So much of what a variable says is shown where that cannot be meant, in characters.
const LONGEST_VALUE: usize = 200;

/// What the names of a server's environment variables begin with.
pub const VARIABLES: &str = "WEIR_SERVER_";

/// How a server is set up.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// The address and port to listen on. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Networks of the proxies in front of the server. Only these are believed when they say for whom they ask
    /// (`X-Forwarded-For`) and under which id (`X-Request-Id`).
    #[schemars(with = "Vec<String>")]
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// An address of its own for `/metrics`, which then is not answered on the other. Metrics tell how much a server is used.
    pub metrics_listen: Option<SocketAddr>,
    /// What whoever asks for `/metrics` must send as `Authorization: Bearer`, on either address. Where neither this is said nor an
    /// address of their own, only this machine is answered.
    pub metrics_token: Option<MetricsToken>,
    /// The address by which others know the server, such as `https://weir.example`: identity tokens must be meant for it. Where
    /// nothing is said it is where the server listens.
    pub address: Option<String>,
    /// TLS, where no proxy does it.
    pub tls: Option<Tls>,
    /// How people sign in.
    pub sign_in: SignIn,
    /// Whose identity tokens are believed.
    pub openid: OpenId,
    /// Who may be told what happens.
    pub webhooks: ToldOf,
    /// What nobody may exceed.
    pub limits: Limits,
    /// What is logged.
    pub log: Log,
}

/// Reads networks, and says what is wrong with one that is none.
fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(from)?;
    texts.iter().map(|text| network(text).map_err(D::Error::custom)).collect()
}

fn network(text: &str) -> Result<IpNet, String> {
    let shown = text.named();
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let Ok(address) = address.parse::<IpAddr>() else {
        return Err(format!("`{shown}` is no network, such as `10.0.0.0/8` or `fd00::/8`: names are none"));
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    match bits.map(str::parse::<u8>) {
        None => Err(format!(
            "`{shown}` does not say how many bits of it count: `{shown}/{most}` is that address alone"
        )),
        Some(Ok(bits)) if bits <= most => IpNet::new(address, bits).map_err(|error| error.to_string()),
        Some(_) => {
            Err(format!("`{shown}` is no network: what stands after its `/` is a number up to {most}"))
        }
    }
}

/// A secret that whoever watches the server has. It is not printed.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct MetricsToken(String);

impl MetricsToken {
    /// Whether somebody sent it. Digests are compared: the time that takes tells nothing of it.
    pub(crate) fn is(&self, sent: &str) -> bool {
        Sha256::of(self.0.as_bytes()) == Sha256::of(sent.as_bytes())
    }
}

impl fmt::Debug for MetricsToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricsToken(…)")
    }
}

/// The certificate of a server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tls {
    /// A file with the certificate and those above it, in PEM, the server's first. Relative to the data folder.
    pub certificate: PathBuf,
    /// A file with its private key, in PEM. Relative to the data folder.
    pub key: PathBuf,
}

/// How people sign in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SignIn {
    /// Days after which somebody has to sign in again.
    pub days: u32,
    /// Whether a name and a password will do. Without it people sign in by a provider only; from the machine itself, `weir serve DATA
    /// --invite NAME` lets an administrator in all the same.
    pub password: bool,
    /// The OpenID providers by which people sign in, by the names they have here.
    pub providers: BTreeMap<String, Provider>,
}

/// Whose identity tokens are believed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct OpenId {
    /// The OpenID providers that tell programs apart, such as those of build servers. Only of theirs can anybody say that they are
    /// trusted, and none is asked before somebody has.
    pub workload_issuers: Vec<String>,
    /// Whether providers on this machine itself may be asked, and without TLS: for trying things out.
    pub allow_loopback: bool,
}

/// Who may be told what happens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ToldOf {
    /// Networks that webhooks may lead to besides addresses that are public: those of your organisation, such as `10.0.0.0/8`. To this
    /// machine they lead only where it is named, as `127.0.0.0/8`.
    #[schemars(with = "Vec<String>")]
    #[serde(deserialize_with = "networks")]
    pub networks: Vec<IpNet>,
    /// Whether they may lead to receivers without TLS.
    pub plain_http: bool,
}

/// What nobody may exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Connections at once; who comes then waits.
    pub connections: u32,
    /// Seconds in which the head of a request must have arrived.
    pub header_seconds: u32,
    /// Seconds in which a document that a request brings must have arrived, all of it; a batch has five minutes, and an upload as long as
    /// it goes on.
    pub document_seconds: u32,
    /// Seconds in which nothing moved, in either direction, after which a connection is closed.
    pub idle_seconds: u32,
    /// Seconds that requests under way are given when the server stops.
    pub shutdown_seconds: u32,
    /// Megabytes of small files that are kept in memory.
    pub memory_megabytes: u32,
    /// Requests at once that change something; who comes then is told to come again.
    pub writers: u32,
    /// Megabytes of one upload: the pack of a package, or a file.
    pub upload_megabytes: u32,
    /// Megabytes of one batch: what says of each release what it is, without its content.
    pub batch_megabytes: u32,
}

/// What is logged, on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// Which requests are logged.
    pub requests: Requests,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON document a line.
    Json,
}

/// Which requests are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Requests {
    /// Those that were refused or failed.
    #[default]
    Failed,
    /// Every one.
    All,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7878)),
            trusted_proxies: Vec::new(),
            metrics_listen: None,
            metrics_token: None,
            address: None,
            tls: None,
            sign_in: SignIn::default(),
            openid: OpenId::default(),
            webhooks: ToldOf::default(),
            limits: Limits::default(),
            log: Log::default(),
        }
    }
}

impl Default for SignIn {
    fn default() -> Self {
        Self { days: 90, password: true, providers: BTreeMap::new() }
    }
}

impl Default for OpenId {
    fn default() -> Self {
        Self {
            workload_issuers: vec![
                "https://token.actions.githubusercontent.com".to_owned(),
                "https://gitlab.com".to_owned(),
            ],
            allow_loopback: false,
        }
    }
}

impl OpenId {
    /// The providers that tell programs apart.
    pub(crate) fn workload_issuers(&self) -> Result<Vec<Issuer>, SettingsError> {
        let read = |text: &String| Issuer::parse(text, self.allow_loopback);
        let unusable = |error: IssuerError| SettingsError::Unusable {
            setting: "openid.workload-issuers",
            reason: format!("cannot be used: {error}"),
        };
        self.workload_issuers.iter().map(read).collect::<Result<_, _>>().map_err(unusable)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header_seconds: 10,
            document_seconds: 60,
            idle_seconds: 60,
            shutdown_seconds: 30,
            memory_megabytes: 64,
            writers: 64,
            upload_megabytes: 16 << 10,
            batch_megabytes: 64,
        }
    }
}

impl Limits {
    pub(crate) fn header(&self) -> Duration {
        Duration::from_secs(self.header_seconds.into())
    }

    pub(crate) fn document(&self) -> Duration {
        Duration::from_secs(self.document_seconds.into())
    }

    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds.into())
    }

    pub(crate) fn upload(&self) -> u64 {
        u64::from(self.upload_megabytes) << 20
    }

    pub(crate) fn batch(&self) -> u64 {
        u64::from(self.batch_megabytes) << 20
    }

    pub(crate) fn shutdown(&self) -> Duration {
        Duration::from_secs(self.shutdown_seconds.into())
    }
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file is there and cannot be read.
    #[error(transparent)]
    File(#[from] weir_fs::FsError),
    /// The file is no TOML, or says something that no setting is.
    #[error("`{}` cannot be used: {}", path.display(), reason.trim())]
    Bad {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
    /// An environment variable has a value that its setting cannot have.
    #[error("the variable `{variable}` cannot be used{}: {reason}", value.as_ref().map(|value| format!(" as it is, `{value}`")).unwrap_or_default())]
    BadVariable {
        /// The variable.
        variable: String,
        /// What it says, where that is no secret.
        value: Option<String>,
        /// What is wrong with it.
        reason: String,
    },
    /// An environment variable that is meant for the server and is none of its settings.
    #[error("there is no setting `{variable}`{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unknown {
        /// The variable.
        variable: String,
        /// The one that is spelled most like it.
        nearest: Option<String>,
    },
    /// Settings that are well formed and cannot be meant.
    #[error("`{setting}` {reason}")]
    Unusable {
        /// Which.
        setting: &'static str,
        /// Why not.
        reason: String,
    },
}

impl Settings {
    /// Reads the settings in `file`, if it is there, and over them those of `environment`.
    ///
    /// # Errors
    ///
    /// When something in them is no setting, or cannot be used.
    pub fn read(
        file: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let text = match weir_fs::read_text(file, MAX_SETTINGS) {
            Err(error) if error.is_not_found() => String::new(),
            text => text?,
        };
        let bad = |reason: String| SettingsError::Bad { path: file.to_owned(), reason };
        let document: DocumentMut =
            text.parse().map_err(|error: toml_edit::TomlError| bad(error.to_string()))?;
        let known = known();
        let mut said = Vec::new();
        for (variable, text) in environment {
            if !variable.starts_with(VARIABLES) {
                continue;
            }
            let Some((setting, names)) =
                known.iter().find_map(|known| Some((known, known.named(&variable)?)))
            else {
                return Err(SettingsError::Unknown { nearest: nearest(&variable, &known), variable });
            };
            said.push(Said { variable, text, setting, names });
        }
        let settings = read_over(&document, &said, None)
            .map_err(|error| blame(&document, &said, &error).unwrap_or_else(|| bad(error.to_string())))?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let Limits { connections, header_seconds, document_seconds, idle_seconds, writers, .. } = self.limits;
        for (setting, number) in [
            ("limits.connections", connections),
            ("limits.header-seconds", header_seconds),
            ("limits.document-seconds", document_seconds),
            ("limits.idle-seconds", idle_seconds),
            ("limits.writers", writers),
        ] {
            if number == 0 {
                return Err(SettingsError::Unusable {
                    setting,
                    reason: "is 0, with which nobody would be answered".to_owned(),
                });
            }
        }
        for (setting, number, why) in [
            ("sign-in.days", self.sign_in.days, "nobody would stay signed in"),
            ("limits.upload-megabytes", self.limits.upload_megabytes, "nothing could be published"),
            ("limits.batch-megabytes", self.limits.batch_megabytes, "nothing could be published"),
        ] {
            if number == 0 {
                return Err(SettingsError::Unusable { setting, reason: format!("is 0, with which {why}") });
            }
        }
        // Port 0 is another each time.
        if self.metrics_listen == Some(self.listen) && self.listen.port() != 0 {
            let reason = "is the same as `listen`: say another port, or leave it out, and `/metrics` is answered there".to_owned();
            return Err(SettingsError::Unusable { setting: "metrics-listen", reason });
        }
        if self.metrics_token.as_ref().is_some_and(|token| token.0.len() < SHORTEST_TOKEN) {
            let reason = format!("is shorter than {SHORTEST_TOKEN} characters, and could be guessed");
            return Err(SettingsError::Unusable { setting: "metrics-token", reason });
        }
        self.openid.workload_issuers()?;
        providers::check(&self.sign_in.providers, self.openid.allow_loopback)?;
        if !self.sign_in.password && self.sign_in.providers.is_empty() {
            let reason = "is off, and there is no provider: nobody could sign in".to_owned();
            return Err(SettingsError::Unusable { setting: "sign-in.password", reason });
        }
        if let Some(address) = &self.address
            && let Err(error) = address.parse::<Url>()
        {
            let reason = format!("cannot be used: {error}");
            return Err(SettingsError::Unusable { setting: "address", reason });
        }
        Ok(())
    }
}

/// A variable of the environment, and the setting that it is for.
struct Said<'k> {
    variable: String,
    text: String,
    setting: &'k Known,
    names: Vec<String>,
}

/// The settings of a file, and over them what variables say: all of them but one, where that is named by its place.
fn read_over(
    document: &DocumentMut,
    said: &[Said<'_>],
    but: Option<usize>,
) -> Result<Settings, toml_edit::de::Error> {
    let mut document = document.clone();
    for (place, one) in said.iter().enumerate() {
        if Some(place) != but {
            one.setting.put(&one.names, document.as_table_mut(), &one.text);
        }
    }
    toml_edit::de::from_document(document)
}

/// The variable without which that would not be wrong, if there is one.
fn blame(document: &DocumentMut, said: &[Said<'_>], error: &toml_edit::de::Error) -> Option<SettingsError> {
    let goes = |place: &usize| {
        read_over(document, said, Some(*place)).err().is_none_or(|other| other.message() != error.message())
    };
    let one = (0..said.len()).find(goes).map(|place| &said[place])?;
    let is_secret = ["TOKEN", "SECRET"].iter().any(|word| one.variable.contains(word));
    Some(SettingsError::BadVariable {
        variable: one.variable.clone(),
        value: (!is_secret).then(|| one.text.chars().take(LONGEST_VALUE).collect::<String>().named()),
        reason: error.message().to_owned(),
    })
}

/// One setting, as its type describes it.
struct Known {
    /// The names of the tables above it, and its own.
    names: Vec<String>,
    /// What kind of value it has.
    form: &'static str,
    /// What it has where nothing is said.
    default: String,
    /// What its type says of it.
    meaning: String,
}

impl Known {
    fn variable(&self) -> String {
        format!("{VARIABLES}{}", self.names.join("_").to_uppercase().replace('-', "_"))
    }

    /// The names of the setting that a variable is for, if it is this one. One that there may be several of is named by the variable: in
    /// capitals and digits.
    fn named(&self, variable: &str) -> Option<Vec<String>> {
        let own = self.variable();
        let Some((before, after)) = own.split_once(&format!("_{ANY_NAME}_")) else {
            return (own == variable).then(|| self.names.clone());
        };
        let name =
            variable.strip_prefix(before)?.strip_prefix('_')?.strip_suffix(after)?.strip_suffix('_')?;
        let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        (!name.is_empty() && name.bytes().all(plain)).then(|| {
            let spelled = |one: &String| if one == ANY_NAME { name.to_lowercase() } else { one.clone() };
            self.names.iter().map(spelled).collect()
        })
    }

    /// Sets it, by these names, to what an environment variable says: a list is separated by commas.
    fn put(&self, names: &[String], table: &mut Table, text: &str) {
        let Some((name, above)) = names.split_last() else { return };
        let table = above.iter().fold(table, |table, name| {
            let below = table.entry(name).or_insert_with(|| Item::Table(Table::new()));
            if !below.is_table() {
                *below = Item::Table(Table::new());
            }
            below.as_table_mut().expect("it was just made one")
        });
        let item = match self.form {
            "number" => text.parse::<i64>().map_or_else(|_| value(text), value),
            "true or false" => text.parse::<bool>().map_or_else(|_| value(text), value),
            "list" => value(
                text.split(',').map(str::trim).filter(|one| !one.is_empty()).collect::<toml_edit::Array>(),
            ),
            _ => value(text),
        };
        table.insert(name, item);
    }
}

/// Every setting, in the order of the types.
fn known() -> Vec<Known> {
    let schema = schema_for!(Settings);
    // What each of those has of which there may be several is told once.
    let mut usual = Settings::default();
    usual.sign_in.providers.insert(ANY_NAME.to_owned(), Provider::default());
    let defaults = serde_json::to_value(usual).unwrap_or_default();
    let mut all = Vec::new();
    collect(&schema, schema.as_value(), &defaults, &mut Vec::new(), &mut all);
    all
}

fn collect(root: &Schema, schema: &Value, defaults: &Value, above: &mut Vec<String>, all: &mut Vec<Known>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for (name, property) in properties {
        above.push(name.clone());
        let inner = resolved(root, property);
        let default = defaults.get(name).unwrap_or(&Value::Null);
        if let Some(each) = inner.get("additionalProperties").filter(|each| each.is_object()) {
            above.push(ANY_NAME.to_owned());
            let default = default.get(ANY_NAME).unwrap_or(&Value::Null);
            collect(root, resolved(root, each), default, above, all);
            above.pop();
        } else if inner.get("properties").is_some() {
            collect(root, inner, default, above, all);
        } else {
            all.push(Known {
                names: above.clone(),
                form: form(inner),
                default: match default {
                    Value::Null => String::new(),
                    Value::String(text) if text.is_empty() => String::new(),
                    Value::String(text) => format!("`\"{text}\"`"),
                    other => format!("`{other}`"),
                },
                meaning: meaning(property, inner),
            });
        }
        above.pop();
    }
}

/// What a property is: the type it refers to, the one of an option that is not nothing.
fn resolved<'a>(root: &'a Schema, property: &'a Value) -> &'a Value {
    let inner = ["anyOf", "oneOf"]
        .iter()
        .find_map(|any| property.get(any)?.as_array()?.iter().find(|one| one.get("$ref").is_some()))
        .unwrap_or(property);
    match inner.get("$ref").and_then(Value::as_str) {
        Some(name) => root.pointer(name.trim_start_matches('#')).unwrap_or(property),
        None => inner,
    }
}

fn form(schema: &Value) -> &'static str {
    let is = |kind: &str| match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(several)) => several.iter().any(|one| one == kind),
        _ => false,
    };
    match () {
        () if is("integer") => "number",
        () if is("array") => "list",
        () if is("boolean") => "true or false",
        () => "text",
    }
}

fn meaning(property: &Value, inner: &Value) -> String {
    let described = |value: &Value| value.get("description").and_then(Value::as_str).map(str::to_owned);
    let mut text = described(property).or_else(|| described(inner)).unwrap_or_default().replace('\n', " ");
    for choice in inner.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
        if let Some(name) = choice.get("const").and_then(Value::as_str) {
            text.push_str(&format!(" `{name}`: {}", described(choice).unwrap_or_default()));
        }
    }
    text
}

fn nearest(variable: &str, known: &[Known]) -> Option<String> {
    let known: Vec<String> = known.iter().map(Known::variable).collect();
    weir_model::nearest(variable, known.iter().map(String::as_str)).map(str::to_owned)
}

/// The table of all settings, for the reference page.
pub fn reference() -> String {
    let mut text = String::from("| setting | environment | default | meaning |\n| --- | --- | --- | --- |\n");
    for known in known() {
        let name = known.names.join(".");
        let variable = known.variable();
        let (default, meaning) = (&known.default, &known.meaning);
        text.push_str(&format!("| `{name}` | `{variable}` | {default} | {meaning} |\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("weir-server.toml");
        fs_err::write(&file, text).unwrap();
        let environment = environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Settings::read(&file, environment)
    }

    #[test]
    fn nothing_need_be_said() {
        assert_eq!(
            Settings::read(Path::new("/nonexistent/weir-server.toml"), []).unwrap(),
            Settings::default()
        );
    }

    #[test]
    fn the_environment_stands_over_the_file_and_reaches_every_setting() {
        let settings = read(
            "listen = \"127.0.0.1:1\"\n[limits]\nconnections = 7\n",
            &[
                ("WEIR_SERVER_LISTEN", "127.0.0.1:2"),
                ("WEIR_SERVER_LIMITS_IDLE_SECONDS", "5"),
                ("WEIR_SERVER_TRUSTED_PROXIES", "10.0.0.0/8, ::1/128"),
                ("WEIR_SERVER_TLS_CERTIFICATE", "cert.pem"),
                ("WEIR_SERVER_TLS_KEY", "key.pem"),
                ("WEIR_SERVER_LOG_FORMAT", "json"),
                ("WEIR_SERVER_OPENID_ALLOW_LOOPBACK", "true"),
                ("WEIR_SERVER_OPENID_WORKLOAD_ISSUERS", "http://127.0.0.1:9, https://ci.example"),
                ("WEIR_SERVER_SIGN_IN_PROVIDERS_WORK_ISSUER", "https://id.example"),
                ("WEIR_SERVER_SIGN_IN_PROVIDERS_WORK_CLIENT_ID", "weir"),
                ("WEIR_SERVER_SIGN_IN_PROVIDERS_WORK_CLIENT_SECRET_FILE", "secret"),
                ("WEIR_SERVER_SIGN_IN_PROVIDERS_WORK_GROUPS", "Platform Team=core, qa"),
                ("WEIR_SERVER_SIGN_IN_PASSWORD", "false"),
                ("WEIR_SERVER_WEBHOOKS_NETWORKS", "10.0.0.0/8"),
                ("WEIR_SERVER_WEBHOOKS_PLAIN_HTTP", "true"),
                ("OTHER", "x"),
            ],
        )
        .unwrap();
        assert_eq!(settings.listen.port(), 2);
        assert_eq!((settings.limits.connections, settings.limits.idle_seconds), (7, 5));
        assert_eq!(settings.trusted_proxies.len(), 2);
        assert_eq!(settings.tls.map(|tls| tls.key), Some(PathBuf::from("key.pem")));
        assert_eq!(settings.log.format, LogFormat::Json);
        assert_eq!(settings.openid.workload_issuers().unwrap().len(), 2);
        let work = &settings.sign_in.providers["work"];
        assert_eq!((work.client_id.as_str(), work.groups.len()), ("weir", 2));
        assert_eq!(work.client_secret_file, Some(PathBuf::from("secret")));
        assert!(!settings.sign_in.password);
        assert!(settings.webhooks.plain_http && settings.webhooks.networks.len() == 1);
    }

    #[test]
    fn what_is_no_setting_or_cannot_be_meant_is_told() {
        let told =
            |text: &str, environment: &[(&str, &str)]| read(text, environment).unwrap_err().to_string();
        assert!(told("listn = 1", &[]).contains("listn"));
        assert!(told("[limits]\nconnections = 0", &[]).contains("limits.connections"));
        assert!(told("", &[("WEIR_SERVER_ADDRESS", "weir.example")]).contains("`address`"));
        let plain = [("WEIR_SERVER_OPENID_WORKLOAD_ISSUERS", "http://127.0.0.1:9")];
        assert!(told("", &plain).contains("openid.workload-issuers"));
        assert!(told("[sign-in]\npassword = false", &[]).contains("nobody could sign in"));
        let provider = |more: &str| {
            told(&format!("[sign-in.providers.work]\nissuer = \"https://id.example\"\n{more}"), &[])
        };
        assert!(provider("").contains("`client-id` is missing"));
        assert!(provider("client-id = \"w\"\ngroups = [\"x=Bad Name\"]").contains("can be no name"));
        assert!(provider("client-id = \"w\"\nadmit-claims = [\"x\"]").contains("no claim with its value"));
        assert!(
            provider("client-id = \"w\"\nclient-secret = \"a\"\nclient-secret-file = \"b\"")
                .contains("one of them")
        );
        assert!(
            told("[sign-in.providers.Work]\nissuer = \"https://id.example\"", &[]).contains("small letters")
        );
        assert!(told("", &[("WEIR_SERVER_LISTN", "1")]).contains("WEIR_SERVER_LISTEN"));
        let many = told("", &[("WEIR_SERVER_LIMITS_CONNECTIONS", "many")]);
        assert!(many.contains("WEIR_SERVER_LIMITS_CONNECTIONS") && many.contains("many"), "{many}");
        let secret =
            told("", &[("WEIR_SERVER_LISTEN", "x"), ("WEIR_SERVER_METRICS_TOKEN", "0123456789abcdef")]);
        assert!(secret.contains("WEIR_SERVER_LISTEN") && !secret.contains("0123456789abcdef"), "{secret}");
        let half = told("", &[("WEIR_SERVER_TLS_KEY", "key.pem")]);
        assert!(half.contains("WEIR_SERVER_TLS_KEY") && half.contains("certificate"), "{half}");
        // What is wrong in the file is the file's, whatever variables say besides.
        let file = told("listen = \"x\"\n", &[("WEIR_SERVER_LOG_FORMAT", "json")]);
        assert!(file.contains("weir-server.toml") && file.contains("listen"), "{file}");
        for (network, why) in [
            ("10.0.0.0/99", "`10.0.0.0/99` is no network: what stands after its `/` is a number up to 32"),
            ("10.0.0.0", "`10.0.0.0/32` is that address alone"),
            ("proxy.example", "`proxy.example` is no network, such as"),
        ] {
            let by_file = told(&format!("trusted-proxies = [\"{network}\"]"), &[]);
            assert!(by_file.contains(why) && by_file.contains("trusted-proxies"), "{by_file}");
            let by_variable = told("", &[("WEIR_SERVER_TRUSTED_PROXIES", network)]);
            assert!(by_variable.contains(why), "{by_variable}");
        }
        assert!(told("[sign-in]\ndays = 0", &[]).contains("`sign-in.days` is 0"));
        assert!(told("[limits]\nupload-megabytes = 0", &[]).contains("nothing could be published"));
        let same = told("listen = \"127.0.0.1:9\"\nmetrics-listen = \"127.0.0.1:9\"", &[]);
        assert!(same.contains("`metrics-listen` is the same as `listen`"), "{same}");
    }

    #[test]
    fn every_setting_says_what_it_is() {
        for known in known() {
            assert!(!known.meaning.is_empty(), "{:?}", known.names);
        }
    }
}
