//! Reaching registries: where they are read from, and what this machine knows of them.

use std::cell::OnceCell;
use std::path::Path;
use std::sync::Arc;

use weir_cedar::FolderPolicies;
use weir_client::{Authorities, HttpClient, HttpOptions, HttpSource, ProxyChoice, Url};
use weir_index::PackageView;
use weir_log::{FolderSource, Source};
use weir_model::{PackageName, nearest};
use weir_policy::Caller;
use weir_registry::{Acting, Registrar, Registry, Replica, ReplicaError, SyncStep, folder_ports};
use weir_remote::RemoteRegistry;

use crate::credentials::credential_for;
use crate::error::{Offline, ReachError};
use crate::observe::{Amount, Event, Work};
use crate::registries::{KnownRegistry, ManifestRegistries, http_settings, in_use, is_http};
use crate::session::Session;

/// A registry that can be read: its files, and its view as this machine knows it.
pub struct Connection {
    /// Which one it is.
    pub known: KnownRegistry,
    /// Its files.
    pub source: Arc<dyn Source>,
    /// Its view.
    pub replica: Replica,
}

impl Connection {
    /// The registry, in words.
    pub fn place(&self) -> String {
        format!("the registry `{}`", self.known.name)
    }

    /// A package, with all its releases.
    ///
    /// # Errors
    ///
    /// When none of that name was ever published there; the error names a similar one.
    pub fn package(&self, name: &PackageName) -> Result<PackageView, ReachError> {
        let index = self.replica.index();
        if let Some(package) = index.package(name)? {
            return Ok(package);
        }
        let names = index.similar_names(name.as_str(), 20)?;
        let similar = nearest(name.as_str(), names.iter().map(PackageName::as_str)).map(str::to_owned);
        Err(ReachError::UnknownPackage { name: name.clone(), place: self.place(), similar })
    }
}

/// The registries that a project's packages come from, each connected when it is first needed: however often one is asked,
/// its log is followed once.
pub struct Connections<'s> {
    session: &'s Session,
    known: Vec<KnownRegistry>,
    open: Vec<OnceCell<Connection>>,
    connect: fn(&Session, &KnownRegistry) -> Result<Connection, ReachError>,
}

impl<'s> Connections<'s> {
    /// Those of a project. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// When the user's configuration cannot be read, or the session names no registry.
    pub fn of(session: &'s Session, project: ManifestRegistries<'_>) -> Result<Self, ReachError> {
        let known = in_use(session, project)?;
        let open = known.iter().map(|_| OnceCell::new()).collect();
        Ok(Self { session, known, open, connect })
    }

    /// The same as this machine remembers them: only a registry that was never met is asked.
    ///
    /// # Errors
    ///
    /// Those of [`Connections::of`].
    pub fn remembered(session: &'s Session, project: ManifestRegistries<'_>) -> Result<Self, ReachError> {
        Ok(Self { connect: connect_remembered, ..Self::of(session, project)? })
    }

    /// All of them, the default one first.
    pub fn known(&self) -> &[KnownRegistry] {
        &self.known
    }

    /// Whether the user named a registry for this one run, which is then the first.
    pub fn is_first_named(&self) -> bool {
        self.session.registry.is_some() && !self.known.is_empty()
    }

    /// The one at `position` of [`Connections::known`].
    ///
    /// # Errors
    ///
    /// Those of [`connect`].
    pub fn get(&self, position: usize) -> Result<&Connection, ReachError> {
        let open = &self.open[position];
        if let Some(connection) = open.get() {
            return Ok(connection);
        }
        let connection = (self.connect)(self.session, &self.known[position])?;
        Ok(open.get_or_init(|| connection))
    }

    /// Every one that was asked.
    pub fn asked(&self) -> impl Iterator<Item = &Connection> {
        self.open.iter().filter_map(OnceCell::get)
    }

    /// The one whose registry calls itself `name`.
    ///
    /// # Errors
    ///
    /// Those of [`connect`].
    pub fn by_own_name(&self, name: &str) -> Result<Option<&Connection>, ReachError> {
        for position in 0..self.known.len() {
            let connection = self.get(position)?;
            if connection.replica.name() == name {
                return Ok(Some(connection));
            }
        }
        Ok(None)
    }
}

thread_local! {
    // One client a run: its connections are shared, and it costs nothing until it is used.
    static CLIENT: OnceCell<HttpClient> = const { OnceCell::new() };
}

/// The client that everything over HTTP goes through.
///
/// # Errors
///
/// [`ReachError::Config`] when the user's configuration cannot be read.
pub fn http_client(session: &Session) -> Result<HttpClient, ReachError> {
    CLIENT.with(|client| {
        if let Some(client) = client.get() {
            return Ok(client.clone());
        }
        let settings = http_settings(session)?;
        let authorities = Authorities { instead: session.authorities.clone(), besides: settings.authorities };
        let proxy = ProxyChoice::Environment;
        let mut options = HttpOptions { proxy, authorities, ..HttpOptions::default() };
        if let Some(timeout) = settings.timeout {
            options.connect_timeout = timeout;
            options.response_timeout = timeout;
            options.stall_timeout = timeout;
        }
        Ok(client.get_or_init(|| HttpClient::new(options)).clone())
    })
}

/// The address that a registry or a server is at.
///
/// # Errors
///
/// [`ReachError::BadAddress`] when it can be none.
pub(crate) fn address(location: &str) -> Result<Url, ReachError> {
    location.trim_end_matches('/').parse().map_err(|error: weir_client::UrlError| ReachError::BadAddress {
        address: location.into(),
        reason: error.to_string(),
    })
}

/// Where a registry's files are read from; nothing is asked yet.
///
/// # Errors
///
/// [`ReachError::BadAddress`] when the location is an address that nothing is at.
pub fn source_of(session: &Session, location: &str) -> Result<Arc<dyn Source>, ReachError> {
    if !is_http(location) {
        return Ok(Arc::new(FolderSource::new(location)));
    }
    let base = address(location)?;
    let credential = credential_for(session, Url::origin(&base))?;
    let source = HttpSource::new(base, http_client(session)?);
    Ok(Arc::new(match credential {
        Some(credential) => source.with_credential(credential),
        None => source,
    }))
}

/// What a registry called itself when it was first seen from this machine, if it was.
///
/// # Errors
///
/// [`ReachError::Replica`] when what is remembered cannot be read.
pub fn pinned_name(session: &Session, known: &KnownRegistry) -> Result<Option<String>, ReachError> {
    let pin = session.home.replicas().trust.pin(&known.location).map_err(ReplicaError::from)?;
    Ok(pin.map(|pin| pin.origin))
}

/// What a registry calls itself: as this machine remembers it, or else as it says; nothing of one that is unknown to
/// a machine which is offline.
///
/// # Errors
///
/// [`ReachError::Replica`] when it cannot be reached or is not believed.
pub fn own_name(
    session: &Session,
    known: &KnownRegistry,
    source: &dyn Source,
) -> Result<Option<String>, ReachError> {
    match pinned_name(session, known)? {
        Some(name) => Ok(Some(name)),
        None if session.offline => Ok(None),
        None => {
            let home = session.home.replicas();
            let replica = Replica::open(&home, &known.location, source, known.key.as_deref())?;
            Ok(Some(replica.name().to_owned()))
        }
    }
}

/// Opens a registry and follows its log to its end; offline, opens what is known of it.
///
/// # Errors
///
/// When it cannot be reached or is not believed; offline, when nothing is known of it.
pub fn connect(session: &Session, known: &KnownRegistry) -> Result<Connection, ReachError> {
    let source = source_of(session, &known.location)?;
    let home = session.home.replicas();
    if session.offline {
        let replica = Replica::offline(&home, &known.location, known.key.as_deref())?;
        return Ok(Connection { known: known.clone(), source, replica });
    }
    let mut replica = Replica::open_remembered(&home, &known.location, &*source, known.key.as_deref())?;
    let work = Work::Syncing { registry: replica.name().to_owned() };
    session.begin(work.clone(), Amount::Unknown);
    let observer = |step: &SyncStep| match *step {
        SyncStep::Begin { records } => session.begin(work.clone(), Amount::Records(records)),
        SyncStep::Done { records } => session.report(&Event::Advanced { by: records }),
    };
    let report = replica.sync_observed(&*source, session.now, &observer)?;
    session.report(&Event::Synced {
        registry: replica.name().to_owned(),
        before: report.before,
        after: report.after,
    });
    Ok(Connection { known: known.clone(), source, replica })
}

/// Opens a registry as this machine remembers it, or follows it if it was never met.
fn connect_remembered(session: &Session, known: &KnownRegistry) -> Result<Connection, ReachError> {
    let home = session.home.replicas();
    match Replica::offline(&home, &known.location, known.key.as_deref()) {
        Ok(replica) => {
            let source = source_of(session, &known.location)?;
            Ok(Connection { known: known.clone(), source, replica })
        }
        Err(ReplicaError::NeverSynced(_)) => connect(session, known),
        Err(error) => Err(error.into()),
    }
}

/// Opens a registry that a server serves, for all that is not reading.
pub(crate) fn open_remote(session: &Session, location: &str) -> Result<RemoteRegistry, ReachError> {
    let base = address(location)?;
    let credential = credential_for(session, base.origin())?;
    Ok(RemoteRegistry::open(http_client(session)?, &base, credential)?)
}

/// Opens a registry for writing.
///
/// # Errors
///
/// When it is served as plain files only, its server wants to know who asks, or this machine is offline.
pub fn open_for_writing(session: &Session, known: &KnownRegistry) -> Result<Box<dyn Registry>, ReachError> {
    if session.offline {
        return Err(Offline::lacks(format!("the registry {}", known.location)).into());
    }
    if is_http(&known.location) {
        return Ok(Box::new(open_remote(session, &known.location)?));
    }
    Ok(Box::new(open_folder(session, known)?))
}

/// Opens a registry in a folder of this machine for writing.
pub(crate) fn open_folder(session: &Session, known: &KnownRegistry) -> Result<Acting, ReachError> {
    let root = Path::new(&known.location);
    if !root.is_dir() {
        return Err(ReplicaError::NoRegistry(known.location.clone()).into());
    }
    if known.key.is_some() {
        // Whoever says which key it must be is not to write to another registry.
        let source = source_of(session, &known.location)?;
        Replica::open_remembered(&session.home.replicas(), &known.location, &*source, known.key.as_deref())?;
    }
    let ports = folder_ports(root, &session.home.keys())?;
    let registrar = Registrar::open(ports, &session.home.replicas(), Box::new(FolderPolicies::open(root)))?;
    Ok(Arc::new(registrar).acting_for(Caller::new(session.principal.clone(), session.now)))
}
