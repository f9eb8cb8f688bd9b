//! Which request is answered by what.

use std::fs::{File, TryLockError};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Once, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Semaphore;
use tower_service::Service as _;
use weir_accounts::{AccountError, Accounts, Secret};
use weir_activity::{ActivityError, ActivityLog, Downloads, Measures};
use weir_fs::{Folder, FsError};
use weir_openid::Providers;
use weir_reach::Session;
use weir_registry::Face;
use weir_requests::{RequestError, Requests};
use weir_webhooks::WebhookError;

use crate::api;
use crate::api::answers::Answers;
use crate::asker::{Asker, Client};
use crate::check::{is_open, open_to_all};
use crate::counting::Counting;
use crate::data::DataFolder;
use crate::deltas::Deltas;
use crate::device::Devices;
use crate::elm;
use crate::faces::{face, is_face};
use crate::files::{Files, blocking};
use crate::identity_providers::{IdentityProviders, warn};
use crate::lacks::Lacks;
use crate::listing::Listing;
use crate::metrics::{MEDIA_TYPE, Metrics};
use crate::observe::{is_of_strange_proxy, observe};
use crate::outside::Outside;
use crate::places::Places;
use crate::problem::{Code, Problem};
use crate::ready::Ready;
use crate::registries::{Registries, RegistryName, Served};
use crate::settings::{Settings, SettingsError};
use crate::staging::Staging;
use crate::telling::Telling;
use crate::web::{self, Contents, Told, failures};

/// The file that tells another server that this one runs.
const LOCK: &str = "server.lock";

/// Who may not see a registry is answered after so long, as is who asks for one that is not there: deciding the one takes
/// part of a millisecond longer than not finding the other.
const REFUSED_AFTER: Duration = Duration::from_millis(5);

/// For so long it is believed whether it is ready.
const READY: Duration = Duration::from_secs(1);

/// So many may wait to be signed in.
const SIGNING_IN: usize = 16;

/// So many programs may be found out at once.
const EXCHANGING: usize = 64;

/// So many may wait for an identity provider by which they sign in.
const ASKING: usize = 32;

/// So many pages are made at once.
const LOOKING: usize = 32;

/// So many answers for programs are made at once.
const READING: usize = 32;

/// All that handlers share.
pub struct App {
    pub(crate) settings: Settings,
    pub(crate) registries: Registries,
    /// Who makes them ready before somebody asks.
    pub(crate) ready: Ready,
    /// Which of them somebody may read.
    pub(crate) listing: Listing,
    pub(crate) files: Arc<Files>,
    pub(crate) metrics: Metrics,
    pub(crate) accounts: Accounts,
    pub(crate) activity: ActivityLog,
    /// How often what was downloaded.
    pub(crate) downloads: Downloads,
    /// How the server answered.
    pub(crate) measures: Measures,
    /// Both, of the last moments.
    pub(crate) counting: Counting,
    pub(crate) requests: Requests,
    /// Who is told what happens.
    pub(crate) telling: Telling,
    pub(crate) data: DataFolder,
    /// What registries above those that are served are reached with.
    reach: Session,
    /// Held as long as the server runs: no other serves the same data.
    _alone: File,
    pub(crate) staging: Staging,
    /// Places for requests that change something: each holds a thread that may block.
    pub(crate) writing: Places,
    /// The same for uploads, which last as long as whoever sends likes.
    pub(crate) uploading: Places,
    /// Places for those who sign in: each costs a hash, one after the other, and nobody else waits for them.
    pub(crate) signing_in: Places,
    /// Who makes the deltas between releases.
    pub(crate) deltas: Deltas,
    /// Places for those who look at pages.
    pub(crate) looking: Places,
    /// Turns of programs that read: who comes then waits.
    pub(crate) reading: Arc<Semaphore>,
    /// The files of releases, as pages show them.
    pub(crate) contents: Contents,
    /// The files of releases, as Elm's tools are given them.
    pub(crate) elm_files: elm::Files,
    /// What stands for a credential in the addresses that these are told.
    pub(crate) elm_tickets: elm::Tickets,
    /// The providers whose word is taken for which program asks.
    pub(crate) openid: Providers,
    /// The providers by which people sign in.
    pub(crate) identity_providers: IdentityProviders,
    /// Places for programs that show who they are: each may wait for a provider, and nobody who signs in does for them.
    pub(crate) exchanging: Places,
    /// Places for those who wait for one of these.
    pub(crate) asking_providers: Places,
    /// What came of forms, until pages say it.
    pub(crate) told: Told,
    /// Terminals that wait until somebody says that they are theirs.
    pub(crate) devices: Devices,
    /// What keeps it from what it is there for.
    lacks: Lacks,
    /// When it was last found out whether it is ready, and what it lacks for that.
    readiness: tokio::sync::Mutex<Option<(Instant, Option<&'static str>)>>,
    /// Whether the log was told of a proxy that is not named.
    strange_proxy: Once,
    /// Where it listens, once it does.
    listens: OnceLock<String>,
    /// What batches were answered, for those who ask again.
    pub(crate) answers: Answers,
}

/// A server that cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A folder of its data cannot be used.
    #[error(transparent)]
    Fs(#[from] FsError),
    /// Another server serves it.
    #[error("another `weir serve` runs on `{}`", .0.display())]
    InUse(PathBuf),
    /// The system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Its accounts cannot be used.
    #[error(transparent)]
    Accounts(#[from] AccountError),
    /// What happened cannot be kept.
    #[error(transparent)]
    Activity(#[from] ActivityError),
    /// What waits for approvals cannot be kept.
    #[error(transparent)]
    Requests(#[from] RequestError),
    /// Who is told what happens is not known.
    #[error(transparent)]
    Webhooks(#[from] WebhookError),
    /// Its settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

impl AppError {
    /// The file that is not what the server keeps in it, or is of a newer version, if that is what happened.
    pub fn strange_file(&self) -> Option<&str> {
        match self {
            Self::Accounts(AccountError::Strange(file))
            | Self::Activity(ActivityError::Strange(file))
            | Self::Requests(RequestError::Strange(file))
            | Self::Webhooks(WebhookError::Strange(file)) => Some(file),
            _ => None,
        }
    }
}

/// What a host says of itself, at `/.well-known/weir`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Host {
    weir: u32,
    level: u32,
    /// The address by which others know it, where that is a setting: what identity tokens are meant for.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    sign_in: Vec<&'static str>,
    registries: Vec<ServedRegistry>,
}

/// A registry of a host.
#[derive(Debug, Serialize)]
struct ServedRegistry {
    name: String,
    path: String,
}

impl App {
    /// Serves what is in `data`, as `settings` say. What is `outside` it reaches other registries with.
    ///
    /// # Errors
    ///
    /// When a part of its data cannot be opened.
    pub fn new(data: &DataFolder, settings: Settings, outside: Outside) -> Result<Arc<Self>, AppError> {
        let memory = u64::from(settings.limits.memory_megabytes) << 20;
        let writers = settings.limits.writers as usize;
        let lock = Folder::open(data.root())?.lock_file(LOCK).map_err(std::io::Error::from)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(AppError::InUse(data.root().to_owned())),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        for (path, failed) in data.close()? {
            let path = path.display();
            match failed {
                None => tracing::warn!(%path, "others could read this, and cannot any more"),
                Some(error) => {
                    tracing::error!(%path, %error, "others can read this, and it stays open to them");
                }
            }
        }
        let client = outside.client(settings.openid.allow_loopback);
        Ok(Arc::new(Self {
            registries: Registries::new(data)?,
            ready: Ready::default(),
            listing: Listing::default(),
            accounts: Accounts::open(&data.accounts())?,
            activity: ActivityLog::open(&data.activity())?,
            downloads: Downloads::open(&data.downloads())?,
            measures: Measures::open(&data.measures())?,
            counting: Counting::default(),
            requests: Requests::open(&data.requests())?,
            telling: Telling::open(&data.webhooks(), &settings.webhooks, &outside)?,
            staging: Staging::new(data.uploads())?,
            writing: Places::new(writers, writers / 2),
            uploading: Places::new(writers, writers / 4),
            signing_in: Places::new(SIGNING_IN, SIGNING_IN / 8),
            looking: Places::new(LOOKING, LOOKING / 2),
            reading: Arc::new(Semaphore::new(READING)),
            contents: Contents::new(),
            elm_files: elm::Files::new(),
            elm_tickets: elm::Tickets::default(),
            answers: Answers::new(),
            openid: Providers::new(client.clone(), settings.openid.workload_issuers()?, warn),
            identity_providers: IdentityProviders::new(&settings, data, client)?,
            exchanging: Places::new(EXCHANGING, EXCHANGING / 8),
            asking_providers: Places::new(ASKING, ASKING / 8),
            told: Told::default(),
            devices: Devices::default(),
            lacks: Lacks::default(),
            readiness: tokio::sync::Mutex::default(),
            strange_proxy: Once::new(),
            listens: OnceLock::new(),
            deltas: Deltas::new(),
            data: data.clone(),
            reach: outside.session(data),
            _alone: lock,
            files: Arc::new(Files::new(memory)),
            metrics: Metrics::new(),
            settings,
        }))
    }

    /// It listens at this address now.
    pub(crate) fn listens_at(&self, address: String) {
        let _ = self.listens.set(address);
    }

    /// The address by which others know the server.
    pub fn address(&self) -> &str {
        let address = self.settings.address.as_ref().or(self.listens.get());
        address.map(|address| address.trim_end_matches('/')).unwrap_or_default()
    }

    /// How people sign in, as clients know it: at a terminal by a code, on a page by a provider, by a name and a password.
    pub(crate) fn ways_to_sign_in(&self) -> Vec<&'static str> {
        let openid = self.identity_providers.all().next().map(|_| "openid");
        let password = self.settings.sign_in.password.then_some("password");
        ["device"].into_iter().chain(openid).chain(password).collect()
    }

    /// Something that it lacks to do what it is there for, in words for everybody, if there is anything; the log is told more.
    async fn lack(self: &Arc<Self>, names: Vec<RegistryName>) -> Option<&'static str> {
        let app = self.clone();
        blocking(move || app.lacks.first(&app.data, &names)).await
    }

    /// Has the log say what it lacks, where it begins.
    pub(crate) async fn tell_what_it_lacks(self: &Arc<Self>) {
        let app = self.clone();
        match blocking(move || app.registries.names()).await {
            Ok(names) => {
                self.tell_what_is_open(names.clone()).await;
                self.lack(names).await;
            }
            Err(error) => tracing::error!(%error, "the registries cannot be listed"),
        }
    }

    /// Has the log say which registries go by no rules of their own.
    async fn tell_what_is_open(self: &Arc<Self>, names: Vec<RegistryName>) {
        let app = self.clone();
        blocking(move || {
            for name in names.iter().filter(|name| is_open(&app.data, name)) {
                let help = format!(
                    "`weir --registry {}/{name} policy set --built-in team`, as an administrator; `--built-in open` for one that everybody reads",
                    app.address()
                );
                tracing::warn!(help, "{}", open_to_all(name));
            }
        })
        .await;
    }

    /// Tells the log, once, that somebody says for whom they ask and is not believed: what goes by who asked goes by the proxy then.
    pub(crate) fn tell_of_strange_proxy(&self, peer: IpAddr) {
        self.strange_proxy.call_once(|| {
            tracing::warn!(
                %peer,
                "a proxy says for whom it asks and is not believed, for `trusted-proxies` does not name it: limits for guessed passwords and the networks of tokens go by its own address"
            );
        });
    }

    /// What other registries are reached with, now.
    pub(crate) fn session(&self) -> Session {
        Session { now: Timestamp::now(), ..self.reach.clone() }
    }

    /// What makes whoever has it the first administrator, where there is none.
    ///
    /// # Errors
    ///
    /// When the accounts cannot be read or written.
    pub fn invite_administrator(&self, now: Timestamp) -> Result<Option<Secret>, AccountError> {
        if self.accounts.has_administrator()? {
            return Ok(None);
        }
        Ok(Some(self.accounts.invite_on_machine(None, now)?.secret))
    }

    /// The names of the registries that are there now.
    ///
    /// # Errors
    ///
    /// When their folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, FsError> {
        Ok(self.registries.names()?.iter().map(ToString::to_string).collect())
    }

    /// The registry of that name, if there is one.
    ///
    /// # Errors
    ///
    /// When its folder cannot be opened.
    pub(crate) async fn registry(
        self: &Arc<Self>,
        name: &RegistryName,
    ) -> Result<Option<Arc<Served>>, FsError> {
        if let Some(registry) = self.registries.known(name) {
            return Ok(Some(registry));
        }
        let (app, name) = (self.clone(), name.clone());
        blocking(move || app.registries.find(&name)).await
    }

    /// The registry of that name, if who asks may see it.
    ///
    /// # Errors
    ///
    /// When they may not, or there is none: which of the two, nobody is told, nor by how long the answer takes.
    pub(crate) async fn served(self: &Arc<Self>, asker: &Asker, name: &str) -> Result<Arc<Served>, Problem> {
        let answered = Instant::now() + REFUSED_AFTER;
        let served = self.visible(asker, name).await;
        if served.is_err() {
            self.ready.all().await;
            tokio::time::sleep_until(answered.into()).await;
        }
        served
    }

    /// The same, told at once: for who looks through all that there are.
    ///
    /// # Errors
    ///
    /// When they may not see it, or there is none.
    pub(crate) async fn visible(self: &Arc<Self>, asker: &Asker, name: &str) -> Result<Arc<Served>, Problem> {
        let none = || {
            Problem::new(
                Code::NoRegistry,
                "no registry of that name is served here, or none that you may see",
            )
        };
        let caller = asker.caller(name)?;
        let name = RegistryName::parse(name).ok_or_else(none)?;
        let found = self.registry(&name).await.map_err(|error| Problem::internal(&error))?;
        let served = found.ok_or_else(none)?;
        if self.registries.may_refuse(&served) && !served.may_read(&caller) && asker.administrator().is_err()
        {
            return Err(none());
        }
        match self.follow_policies(&served).await {
            Ok(()) if served.may_read(&caller) => Ok(served),
            Ok(()) => Err(none()),
            // Who may read it cannot be known, so it is told to those only who can put it right.
            Err(problem) => {
                tracing::error!(%name, reason = problem.detail(), "who may read a registry cannot be known: nobody can");
                if asker.administrator().is_ok() { Err(problem) } else { Err(none()) }
            }
        }
    }

    /// Has a registry decide by the set in force, which may have been set by another program. Where the files are others than the log
    /// names, nobody reads: who may cannot be known.
    async fn follow_policies(self: &Arc<Self>, served: &Arc<Served>) -> Result<(), Problem> {
        let followed = match self.registries.has_followed(served) {
            Some(followed) => followed,
            None => {
                let (app, registry) = (self.clone(), served.clone());
                blocking(move || app.registries.believe_policies(&registry)).await
            }
        };
        followed.map_err(|error| Problem::refused(&error, false))
    }

    /// What is answered on the main address.
    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let mut router = Router::new()
            .route("/healthz", get(|| async { "the server runs\n" }))
            .route("/readyz", get(ready))
            .route("/.well-known/weir", get(host))
            .merge(api::router())
            .merge(elm::router())
            .merge(web::router());
        if self.settings.metrics_listen.is_none() {
            router = router.route("/metrics", get(metrics_of_main));
        }
        router.fallback(face).with_state(self.clone())
    }

    /// Answers what is asked on the main address. Files of registries are found without the router: most that is asked is small, and
    /// then the router is the most of it.
    pub(crate) async fn answer(self: &Arc<Self>, router: &mut Router, request: Request) -> Response {
        let routed = async |request: Request| match is_face(&request) {
            true => face(State(self.clone()), request).await,
            false => called(router, request).await,
        };
        observe(self, request, |request| failures(self, request, routed)).await
    }

    /// What is answered on the address of the metrics, if they have their own.
    pub(crate) fn metrics_router(self: &Arc<Self>) -> Router {
        Router::new().route("/metrics", get(metrics)).with_state(self.clone())
    }
}

/// What a router answers.
pub(crate) async fn called(router: &mut Router, request: Request) -> Response {
    router.call(request).await.unwrap_or_else(|never| match never {})
}

/// The metrics, on the address that everybody knows: for whoever has their token, or this machine where there is none. What a proxy
/// passes on that is not named comes from nobody knows where, though the proxy is here.
async fn metrics_of_main(State(app): State<Arc<App>>, head: Parts) -> Result<Response, Problem> {
    let client = head.extensions.get::<Client>();
    let is_here = || {
        client.is_some_and(|Client(from)| from.to_canonical().is_loopback())
            && !is_of_strange_proxy(&app, &head.headers, &head.extensions)
    };
    if app.settings.metrics_token.is_none() && !is_here() {
        let detail = "metrics are told to the machine of the server only: the settings `metrics-token` and `metrics-listen` let others ask";
        return Err(Problem::new(Code::NotAllowed, detail));
    }
    metrics(State(app), head.headers).await
}

async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    if let Some(token) = &app.settings.metrics_token {
        let sent = headers.get(AUTHORIZATION).and_then(|sent| sent.to_str().ok()?.strip_prefix("Bearer "));
        if !sent.is_some_and(|sent| token.is(sent)) {
            return Err(Problem::new(
                Code::SignInNeeded,
                "whoever asks for metrics sends their token as `Bearer`",
            ));
        }
    }
    Ok(([(CONTENT_TYPE, MEDIA_TYPE), (CACHE_CONTROL, "no-store")], app.metrics.to_text()).into_response())
}

async fn host(State(app): State<Arc<App>>, asker: Asker) -> Result<Response, Problem> {
    // Of a registry that somebody may not see they are not told the name either.
    let registries = app.readable(&asker).await?.into_iter();
    let registries =
        registries.map(|name| ServedRegistry { path: format!("/{name}"), name: name.to_string() });
    let registries = registries.collect();
    let address = app.settings.address.is_some().then(|| app.address().to_owned());
    let (level, sign_in) = (weir_wire::api::LEVEL, app.ways_to_sign_in());
    let host = Host { weir: 1, level, address, sign_in, registries };
    Ok(([(CACHE_CONTROL, "no-cache")], Json(host)).into_response())
}

/// Ready is who can read the checkpoint of every registry, sign for it, and write. Anybody may ask, so it is found out for one at a time,
/// and told to all others for [`READY`].
async fn ready(State(app): State<Arc<App>>) -> Result<&'static str, Problem> {
    let mut last = app.readiness.lock().await;
    let lack = match *last {
        Some((at, lack)) if at.elapsed() < READY => lack,
        _ => {
            let lack = app.why_not_ready().await;
            *last = Some((Instant::now(), lack));
            lack
        }
    };
    drop(last);
    match lack {
        Some(lack) => Err(Problem::new(Code::NotReady, lack)),
        None => Ok("the server can answer\n"),
    }
}

impl App {
    /// What keeps it from what it is there for, in words for everybody, if anything does. It takes the longer the more registries there are.
    async fn why_not_ready(self: &Arc<Self>) -> Option<&'static str> {
        let looked = self.clone();
        let names = match blocking(move || looked.registries.names()).await {
            Ok(names) => names,
            Err(error) => {
                tracing::error!(%error, "the registries cannot be listed");
                return Some("the registries cannot be listed");
            }
        };
        for name in &names {
            let registry = self.registry(name).await.ok().flatten();
            let opened = match &registry {
                Some(registry) => {
                    self.files.open(registry, Face::Checkpoint, "checkpoint").await.ok().flatten()
                }
                None => None,
            };
            if opened.is_none() {
                tracing::error!(%name, "the checkpoint of a registry cannot be read");
                // Anybody may ask, so no registry is named.
                return Some("the checkpoint of a registry cannot be read; the log says of which");
            }
        }
        self.lack(names).await
    }
}
