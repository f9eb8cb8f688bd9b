//! Reaching registries: where they are read from, and what this machine knows of them.

use std::cell::OnceCell;
use std::path::Path;
use std::sync::Arc;

use weir_client::{Authorities, HttpClient, HttpOptions, HttpSource, ProxyChoice};
use weir_index::PackageView;
use weir_log::{FolderSource, Source};
use weir_model::{PackageName, nearest};
use weir_policy::FolderGate;
use weir_registry::{FolderRegistry, Replica};

use crate::error::ProjectError;
use crate::project::Project;
use crate::registries::{KnownRegistry, in_use, is_http, own_authorities};
use crate::session::{Event, Session};

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
    pub(crate) fn place(&self) -> String {
        format!("the registry `{}`", self.known.name)
    }

    /// A package, with all its releases.
    ///
    /// # Errors
    ///
    /// When none of that name was ever published there; the error names a similar one.
    pub(crate) fn package(&self, name: &PackageName) -> Result<PackageView, ProjectError> {
        let index = self.replica.index();
        if let Some(package) = index.package(name)? {
            return Ok(package);
        }
        let names = index.similar_names(name.as_str(), 20)?;
        let similar = nearest(name.as_str(), names.iter().map(PackageName::as_str)).map(str::to_owned);
        Err(ProjectError::UnknownPackage { name: name.clone(), place: self.place(), similar })
    }
}

/// The registries that a project's packages come from, each connected when it is first needed: however often one is asked,
/// its log is followed once.
pub(crate) struct Connections<'s> {
    session: &'s Session,
    known: Vec<KnownRegistry>,
    open: Vec<OnceCell<Connection>>,
}

impl<'s> Connections<'s> {
    /// Those of a project. Nothing is asked yet.
    pub(crate) fn of(session: &'s Session, project: &Project) -> Result<Self, ProjectError> {
        let known = in_use(session, project)?;
        let open = known.iter().map(|_| OnceCell::new()).collect();
        Ok(Self { session, known, open })
    }

    /// All of them, the default one first.
    pub(crate) fn known(&self) -> &[KnownRegistry] {
        &self.known
    }

    /// Whether the user named a registry for this one run, which is then the first.
    pub(crate) fn is_first_named(&self) -> bool {
        self.session.registry.is_some() && !self.known.is_empty()
    }

    /// The one at `position` of [`Connections::known`].
    pub(crate) fn get(&self, position: usize) -> Result<&Connection, ProjectError> {
        let open = &self.open[position];
        if let Some(connection) = open.get() {
            return Ok(connection);
        }
        let connection = connect(self.session, &self.known[position])?;
        Ok(open.get_or_init(|| connection))
    }

    /// Every one that was asked.
    pub(crate) fn asked(&self) -> impl Iterator<Item = &Connection> {
        self.open.iter().filter_map(OnceCell::get)
    }

    /// The one whose registry calls itself `name`.
    pub(crate) fn by_own_name(&self, name: &str) -> Result<Option<&Connection>, ProjectError> {
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
pub(crate) fn http_client(session: &Session) -> Result<HttpClient, ProjectError> {
    CLIENT.with(|client| {
        if let Some(client) = client.get() {
            return Ok(client.clone());
        }
        let authorities =
            Authorities { instead: session.authorities.clone(), besides: own_authorities(session)? };
        let proxy = ProxyChoice::Environment;
        let options = HttpOptions { proxy, authorities, ..HttpOptions::default() };
        Ok(client.get_or_init(|| HttpClient::new(options)).clone())
    })
}

/// Where a registry's files are read from; nothing is asked yet.
pub(crate) fn source_of(session: &Session, location: &str) -> Result<Arc<dyn Source>, ProjectError> {
    if !is_http(location) {
        return Ok(Arc::new(FolderSource::new(location)));
    }
    let base = location.parse().map_err(|error: weir_client::UrlError| ProjectError::BadAddress {
        address: location.into(),
        reason: error.to_string(),
    })?;
    Ok(Arc::new(HttpSource::new(base, http_client(session)?)))
}

/// Opens a registry and follows its log to its end; offline, opens what is known of it.
///
/// # Errors
///
/// When it cannot be reached or is not believed; offline, when nothing is known of it.
pub fn connect(session: &Session, known: &KnownRegistry) -> Result<Connection, ProjectError> {
    let source = source_of(session, &known.location)?;
    let home = session.home.replicas();
    if session.offline {
        let replica = Replica::offline(&home, &known.location)?;
        return Ok(Connection { known: known.clone(), source, replica });
    }
    let mut replica = Replica::open_remembered(&home, &known.location, &*source, known.key.as_deref())?;
    session.tell(&Event::Syncing { registry: replica.name().to_owned() });
    let report = replica.sync(&*source, session.now)?;
    session.tell(&Event::Synced {
        registry: replica.name().to_owned(),
        before: report.before,
        after: report.after,
    });
    Ok(Connection { known: known.clone(), source, replica })
}

/// Opens a registry for writing.
///
/// # Errors
///
/// When it is served as plain files only, or this machine is offline.
pub(crate) fn open_for_writing(
    session: &Session,
    known: &KnownRegistry,
) -> Result<FolderRegistry, ProjectError> {
    if session.offline {
        return Err(ProjectError::Offline { missing: vec![format!("the registry `{}`", known.location)] });
    }
    if is_http(&known.location) {
        return Err(ProjectError::ReadOnlyRegistry { location: known.location.clone() });
    }
    let root = Path::new(&known.location);
    Ok(FolderRegistry::open(root, &session.home.replicas(), &session.home.keys(), Box::new(FolderGate))?)
}
