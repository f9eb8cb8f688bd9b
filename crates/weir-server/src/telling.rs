//! Others are told what happened: those whom administrators named, by webhooks.
//!
//! What happened in a registry is what its log says: it is read from where it was left, so that nothing is left out, whoever wrote it and
//! whenever the server ended. What is in no log, promotions that wait, is queued where it is done. Nobody who asks for something waits
//! for any of it.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore};
use weir_client::{Egress, HttpClient, Message, Method, Reach, Url};
use weir_log::Prefix;
use weir_registry::{Registrar, SubmitError};
use weir_webhooks::{Due, WebhookError, Webhooks};
use weir_wire::webhooks::{Attempt, Delivery, WebhookData, WebhookEvent, WebhookMessage};

use crate::app::App;
use crate::files::blocking;
use crate::outside::Outside;
use crate::problem::{Code, Problem};
use crate::registries::RegistryName;
use crate::settings::ToldOf;
use weir_model::unseen::Named as _;

/// So many are told something at once.
const SENDERS: usize = 8;

/// So much is sent to one of them before others have their turn.
const AT_ONCE: usize = 100;

/// So much of what a log says is queued in one go: as much as a batch may have. Of more nobody wants to hear one by one.
const MOST_NEWS: usize = 50_000;

/// So often it is looked whether something happened that nobody said.
const LOOKS: Duration = Duration::from_secs(5);

/// The same whether it is time to send something again.
const WAITS: Duration = Duration::from_secs(1);

/// The longest reason that is kept of why something was not delivered, in characters.
const LONGEST_REASON: usize = 300;

/// Who is told what happens, and how they are reached.
pub(crate) struct Telling {
    pub(crate) kept: Webhooks,
    client: HttpClient,
    egress: Egress,
    plain_http: bool,
    woken: Notify,
    senders: Arc<Semaphore>,
    /// The webhooks to which something is sent at this moment.
    busy: Mutex<HashSet<String>>,
    ends: AtomicBool,
    /// Why what happens in a registry was last not told, of those of which it is not.
    untold: Mutex<HashMap<RegistryName, String>>,
}

/// A log could not be read, or what it says not queued.
#[derive(Debug, thiserror::Error)]
enum TellError {
    #[error(transparent)]
    Log(#[from] SubmitError),
    #[error(transparent)]
    Kept(#[from] WebhookError),
}

impl Telling {
    /// Those that are kept in `file`.
    pub(crate) fn open(file: &Path, settings: &ToldOf, outside: &Outside) -> Result<Self, WebhookError> {
        let egress = Egress::new(Reach::Public, settings.networks.clone());
        Ok(Self {
            kept: Webhooks::open(file)?,
            client: outside.teller(egress.clone()),
            egress,
            plain_http: settings.plain_http,
            woken: Notify::new(),
            senders: Arc::new(Semaphore::new(SENDERS)),
            busy: Mutex::default(),
            ends: AtomicBool::new(false),
            untold: Mutex::default(),
        })
    }

    /// Something may have happened.
    pub(crate) fn wake(&self) {
        self.woken.notify_one();
    }

    /// The server ends: what is being sent now is the last.
    pub(crate) fn end(&self) {
        self.ends.store(true, Ordering::Relaxed);
    }

    /// Tells whoever is to be told, for ever.
    pub(crate) async fn run(app: &Arc<App>) {
        loop {
            let looking = app.clone();
            let (due, waits) = blocking(move || look(&looking)).await;
            for name in due {
                send_to(app, name);
            }
            let pause = if waits { WAITS } else { LOOKS };
            let _ = tokio::time::timeout(pause, app.telling.woken.notified()).await;
        }
    }

    /// Whether something could be sent to an address at all: better now than when something happens. What a name leads to is looked at
    /// each time.
    pub(crate) fn check(&self, url: &str) -> Result<(), Problem> {
        let bad = |detail: String| Err(Problem::new(Code::BadDocument, detail));
        let shown = url.named();
        let parsed = match url.parse::<Url>() {
            Ok(parsed) => parsed,
            Err(error) => return bad(format!("`{shown}` can be no webhook: {error}")),
        };
        if !parsed.origin().is_https() && !self.plain_http {
            return bad(format!(
                "`{shown}` would be told without TLS: use `https`, or have whoever runs the server set `webhooks.plain-http`"
            ));
        }
        let host = parsed.origin().host().trim_matches(['[', ']']).trim_end_matches('.');
        match addressed(host) {
            Addressed::Unclear => bad(format!(
                "`{shown}` can be no webhook: its host is a number that programs read in different ways: write it as four decimal numbers"
            )),
            Addressed::At(address) if !self.egress.allows(address) => bad(format!(
                "`{shown}` leads to this machine or into a private network: whoever runs the server can name that in `webhooks.networks`"
            )),
            Addressed::At(_) | Addressed::Named => Ok(()),
        }
    }

    /// Sends something now, and writes down what came of it. Waits for the receiver.
    pub(crate) fn send(&self, due: &Due) -> Result<Option<Delivery>, WebhookError> {
        let (at, began) = (Timestamp::now(), Instant::now());
        let (status, error) = match self.post(due, at) {
            Ok(status @ 200..300) => (Some(status), None),
            Ok(status @ 300..400) => {
                (Some(status), Some("it leads elsewhere, where nobody follows: name that address".to_owned()))
            }
            Ok(status) => (Some(status), Some(format!("it answered with status {status}"))),
            Err(reason) => (None, Some(reason)),
        };
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let error = error.map(|error| error.chars().take(LONGEST_REASON).collect());
        self.kept.sent(&due.id, Attempt { at, milliseconds, status, error }, Timestamp::now())
    }

    fn post(&self, due: &Due, at: Timestamp) -> Result<u16, String> {
        self.check(&due.url).map_err(|problem| problem.detail().to_owned())?;
        let url = due.url.parse().map_err(|error: weir_client::UrlError| error.to_string())?;
        let mut headers = vec![("content-type", "application/json".to_owned())];
        headers.extend(due.headers(at));
        let message = Message {
            method: Method::Post,
            url,
            credential: None,
            headers,
            body: due.body.as_bytes(),
            repeatable: false,
        };
        self.client.exchange(&message).map(|reply| reply.status).map_err(|error| error.to_string())
    }
}

/// What a host is.
enum Addressed {
    /// The address of a machine.
    At(IpAddr),
    /// A name: what it leads to is looked at each time.
    Named,
    /// A number that is read as one address here, and as another elsewhere: `0x7f.1`, `0177.0.0.1`, `2130706433`.
    Unclear,
}

fn addressed(host: &str) -> Addressed {
    // As browsers tell numbers from names (URL standard, "ends in a number").
    let last = host.rsplit('.').next().unwrap_or_default();
    let hexadecimal =
        last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let is_number = hexadecimal || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()));
    match host.parse() {
        Ok(address) => Addressed::At(address),
        Err(_) if is_number => Addressed::Unclear,
        Err(_) => Addressed::Named,
    }
}

/// Queues what happened, and says to whom something is to be sent, and whether anything waits.
fn look(app: &App) -> (Vec<String>, bool) {
    if let Err(error) = catch_up(app) {
        tracing::error!(%error, "what happened could not be queued for webhooks");
    }
    app.telling.kept.due(Timestamp::now()).unwrap_or_else(|error| {
        tracing::error!(%error, "what waits for webhooks could not be read");
        (Vec::new(), false)
    })
}

/// Queues what the logs say that they did not say before. Where nobody is told anything, nothing is read.
fn catch_up(app: &App) -> Result<(), WebhookError> {
    if !app.telling.kept.is_any()? {
        return Ok(());
    }
    each_registry(app, |name, registrar| match app.telling.kept.place(name)? {
        // One that was made since: what it began with is told, too.
        None => read(app, name, registrar, Prefix::new()),
        Some(place) => read(app, name, registrar, place.parse().unwrap_or_default()),
    });
    Ok(())
}

/// Before somebody more is told anything, others are told what happened before; where nobody was, it is remembered where the logs end.
pub(crate) fn begin(app: &App) -> Result<(), WebhookError> {
    if app.telling.kept.is_any()? {
        return catch_up(app);
    }
    each_registry(app, |name, registrar| {
        let end = registrar.end_of_log()?.to_string();
        Ok(app.telling.kept.read(name, &end, &[], Timestamp::now())?)
    });
    Ok(())
}

/// Does something with each registry. One that cannot be read keeps nobody from hearing of the others; the log is told of it once, and
/// again when there is another reason or it was mended in between.
fn each_registry(app: &App, work: impl Fn(&str, &Registrar) -> Result<(), TellError>) {
    let names = app.registries.names().unwrap_or_default();
    // Held for moments only: a disk may stall meanwhile.
    let untold = || app.telling.untold.lock().unwrap_or_else(PoisonError::into_inner);
    untold().retain(|name, _| names.binary_search(name).is_ok());
    for name in names {
        let known = app.registries.known(&name);
        let served = known.map_or_else(|| app.registries.find(&name), |known| Ok(Some(known)));
        let Ok(Some(served)) = served else { continue };
        let done = app
            .registries
            .registrar(&served)
            .map_err(TellError::from)
            .and_then(|registrar| work(name.as_str(), &registrar));
        let Err(error) = done.map_err(|error| error.to_string()) else {
            untold().remove(&name);
            continue;
        };
        if untold().insert(name.clone(), error.clone()).as_ref() != Some(&error) {
            tracing::warn!(registry = %name, error, "what happened in a registry is not told to webhooks");
        }
    }
}

/// Queues what a log says after `from`.
fn read(app: &App, name: &str, registrar: &Registrar, from: Prefix) -> Result<(), TellError> {
    let mut messages = Vec::new();
    let began = from.clone();
    let now = Timestamp::now();
    let end = registrar.records_after(from, &mut |index, record| {
        let is_news = record.at + weir_webhooks::LONGEST >= now && messages.len() < MOST_NEWS;
        let message = is_news.then(|| weir_webhooks::told(name, index, record)).flatten();
        messages.extend(message.map(|message| of_server(app, message)));
    })?;
    let end = match end {
        Some(end) if end == began => return Ok(()),
        Some(end) => end,
        // Another registry has the name now: what it says next is news.
        None => {
            messages.clear();
            registrar.end_of_log()?
        }
    };
    Ok(app.telling.kept.read(name, &end.to_string(), &messages, now)?)
}

fn of_server(app: &App, message: WebhookMessage) -> WebhookMessage {
    let data = WebhookData { server: app.address().to_owned(), ..message.data };
    WebhookMessage { data, ..message }
}

/// Queues what is in no log. That it cannot be stops nobody: what was done is done.
pub(crate) async fn tell(app: &Arc<App>, event: WebhookEvent, at: Timestamp, data: WebhookData) {
    let message = of_server(app, weir_webhooks::message(event, at, data));
    let telling = app.clone();
    if let Err(error) = blocking(move || telling.telling.kept.tell(message, at)).await {
        tracing::error!(%error, %event, "what happened could not be queued for webhooks");
    }
    app.telling.wake();
}

/// Sends to a webhook what is due, unless that is being done already.
fn send_to(app: &Arc<App>, name: String) {
    if !app.telling.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone()) {
        return;
    }
    let app = app.clone();
    tokio::spawn(async move {
        let turn = app.telling.senders.clone().acquire_owned().await;
        let (sending, webhook) = (app.clone(), name.clone());
        let sent = blocking(move || send_due(&sending.telling, &webhook)).await;
        if let Err(error) = sent {
            tracing::error!(%error, webhook = name, "what is told to a webhook could not be read or written");
            // What could not be written down is sent again: not at once.
            tokio::time::sleep(LOOKS).await;
        }
        app.telling.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
        drop(turn);
        app.telling.wake();
    });
}

fn send_due(telling: &Telling, name: &str) -> Result<(), WebhookError> {
    for _ in 0..AT_ONCE {
        let due = telling.kept.next(name, Timestamp::now())?;
        let Some(due) = due.filter(|_| !telling.ends.load(Ordering::Relaxed)) else { return Ok(()) };
        telling.send(&due)?;
    }
    Ok(())
}
