//! Reaching registries: where they are read from, and what this machine knows of them.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use weir_cedar::FolderPolicies;
use weir_client::{Authorities, HttpClient, HttpOptions, HttpSource, ProxyChoice, Url};
use weir_index::{PackageView, Tier};
use weir_log::{FolderSource, FollowError, Source};
use weir_model::{OwnerName, PackageName, Version, nearest};
use weir_policy::{Caller, Gate};
use weir_registry::{
    Acting, Registrar, Registry, Replica, ReplicaError, SyncStep, UPSTREAMS_FILE, folder_ports,
};
use weir_remote::{RemoteError, RemoteRegistry};
use weir_wire::upstream::{Ask, Asked, MOST_BOUND, MOST_NEWER, MOST_NOTES, Newer, Patched, WhyMissing};

use crate::ask::{WasAsked, follow_asking};
use crate::credentials::credential_for;
use crate::error::{Offline, ReachError};
use crate::identity;
use crate::observe::{Amount, Event, Work};
use crate::pull::PullingSource;
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

    /// Follows its log to its end.
    ///
    /// # Errors
    ///
    /// When that cannot be read or is not believed.
    pub(crate) fn follow(&mut self, session: &Session) -> Result<(), ReachError> {
        session.begin(Work::Syncing { registry: self.replica.name().to_owned() }, Amount::Unknown);
        self.follow_begun(session)
    }

    fn follow_begun(&mut self, session: &Session) -> Result<(), ReachError> {
        let work = Work::Syncing { registry: self.replica.name().to_owned() };
        let observer = |step: &SyncStep| match *step {
            SyncStep::Begin { records } => session.begin(work.clone(), Amount::Records(records)),
            SyncStep::Done { records } => session.report(&Event::Advanced { by: records }),
        };
        let report = self.replica.sync_observed(&*self.source, session.now, &observer)?;
        session.report(&Event::Synced {
            registry: self.replica.name().to_owned(),
            before: report.before,
            after: report.after,
        });
        Ok(())
    }

    /// Says of a package that is not here why it does not come from above either: its owner belongs to this registry, or comes from another one.
    pub fn kept_here(&self, name: &PackageName) -> Option<String> {
        let index = self.replica.index();
        // Only told: a view that cannot answer has nothing to tell.
        let tier = index.tier_of(name).ok()??;
        let is_missing = index.kind_of(name).is_ok_and(|kind| kind.is_none())
            || index
                .package(name)
                .is_ok_and(|package| package.is_some_and(|package| package.newest().is_none()));
        let has_others_above = index.facts().is_ok_and(|facts| !facts.upstreams().is_empty());
        let (owner, registry) = (name.owner_name(), &self.known.name);
        (is_missing && has_others_above).then(|| match tier {
            Tier::Here => format!("`{owner}` belongs to `{registry}`: none of its packages comes from above"),
            Tier::Above(above) => format!(
                "`{owner}` is bound to `{above}` in `{registry}`: none of its packages comes from elsewhere"
            ),
        })
    }

    /// A package, with all its releases.
    ///
    /// # Errors
    ///
    /// When none of that name was ever published there; the error names a similar one, or what of it is kept out.
    pub fn package(&self, name: &PackageName) -> Result<PackageView, ReachError> {
        let index = self.replica.index();
        if let Some(package) = index.package(name)? {
            return Ok(package);
        }
        let held = index.held_of(name)?;
        if !held.is_empty() {
            let held = held.into_iter().map(|held| held.hold).collect();
            return Err(ReachError::OnlyHeld { name: name.clone(), place: self.place(), held });
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
    /// Whether the project's manifest names each.
    of_project: Vec<bool>,
    /// What [`Connections::places_of_unmarked`] gives: every name asks for it.
    unmarked: OnceCell<Vec<usize>>,
    open: Vec<OnceCell<Connection>>,
    asking: RefCell<Asking>,
    looks_beyond: bool,
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
        let of_project = known.iter().map(|known| project.named.contains_key(&known.name)).collect();
        let asks = !session.offline;
        let asking = RefCell::new(Asking { asks, ..Asking::default() });
        let unmarked = OnceCell::new();
        Ok(Self { session, known, of_project, unmarked, open, asking, looks_beyond: false, connect })
    }

    /// The same for who looks beyond the ranges that they ask for: registries are asked for what is there as well.
    #[must_use]
    pub fn beyond_ranges(self) -> Self {
        Self { looks_beyond: true, ..self }
    }

    /// The same for who asks once more: what was told before is not told again.
    #[must_use]
    pub fn after(self, before: &Self) -> Self {
        self.asking.borrow_mut().told.append(&mut before.asking.borrow_mut().told);
        self
    }

    /// Tells something once.
    fn tell(&self, what: String) {
        if self.asking.borrow_mut().told.insert(what.clone()) {
            self.session.warn(what);
        }
    }

    /// Whether what is beyond the ranges that are asked for is looked for as well.
    pub fn look_beyond_ranges(&self) -> bool {
        self.looks_beyond
    }

    /// The same as this machine remembers them: only a registry that was never met is asked.
    ///
    /// # Errors
    ///
    /// Those of [`Connections::of`].
    pub fn remembered(session: &'s Session, project: ManifestRegistries<'_>) -> Result<Self, ReachError> {
        Ok(Self { connect: connect_remembered, asking: RefCell::default(), ..Self::of(session, project)? })
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

    /// The places of those that a name may belong to that no registry was named for, nearest first. Where others are above the first
    /// one, what comes from further away comes through it, by its rules: then the user's other registries are not asked behind its
    /// back, and those that the project's manifest names still are.
    ///
    /// # Errors
    ///
    /// Those of [`Connections::get`].
    pub fn places_of_unmarked(&self) -> Result<&[usize], ReachError> {
        if let Some(places) = self.unmarked.get() {
            return Ok(places);
        }
        let places = match self.known.len() {
            0 | 1 => (0..self.known.len()).collect(),
            _ => places_of_unmarked(self.get(0)?, &self.of_project)?,
        };
        Ok(self.unmarked.get_or_init(|| places))
    }

    /// Has each registry admit what a resolution needs of those above it, before it is first looked at: once, however many
    /// resolutions follow. A registry that cannot be asked is told of, and goes on with what it has.
    pub fn ask(&self, what: &Requirements) {
        let asks = std::mem::take(&mut self.asking.borrow_mut().asks);
        if !asks {
            return;
        }
        let mut unmarked: Vec<Asked> = what.of_registry(None).collect();
        for position in 0..self.known.len() {
            let known = &self.known[position];
            let mut wanted: Vec<Asked> = what.of_registry(Some(&known.name)).collect();
            // The first is asked by then, so this asks nobody else.
            let is_passed_over = position > 0
                && !unmarked.is_empty()
                && self.places_of_unmarked().is_ok_and(|places| !places.contains(&position));
            wanted.extend(unmarked.iter().filter(|_| !is_passed_over).cloned());
            if wanted.is_empty() || self.open[position].get().is_some() {
                continue;
            }
            let what = Ask { requirements: wanted, ..what.ask.clone() };
            // One that cannot be connected says so to whoever needs it.
            let Ok((connection, asked)) = follow_asking(self.session, known, &what) else { continue };
            self.note_what_came(&connection, asked);
            // What the default registry has is its own or comes through it; of all others none goes before another.
            if known.default {
                let index = connection.replica.index();
                unmarked.retain(|asked| !index.kind_of(&asked.name).is_ok_and(|kind| kind.is_some()));
            }
            let _ = self.open[position].set(connection);
        }
    }

    /// Tells what came of asking a registry.
    fn note_what_came(&self, connection: &Connection, asked: Result<WasAsked, ReachError>) {
        let name = &connection.known.name;
        match asked {
            Ok(WasAsked::NobodyAbove) => {}
            Ok(WasAsked::Yes(answer, _)) => {
                self.note_what_is_newer(connection, &answer.newer);
                self.note_what_is_told(connection, answer.patched, answer.missing);
                self.tell_what_is_bound(connection, &answer.bound);
                answer.notes.into_iter().take(MOST_NOTES).for_each(|note| self.tell(note));
                if !answer.unreached.is_empty() {
                    let failure = ReachError::AboveNotAsked { upstreams: answer.unreached };
                    self.tell(failure.to_string());
                    self.asking.borrow_mut().failure = Some(failure);
                }
            }
            Ok(WasAsked::No(reason)) => {
                let note = format!("`{name}` was not asked for what is above it: {reason}");
                self.asking.borrow_mut().notes.push(note);
            }
            Err(error) => {
                let reason = weir_model::chain(&error);
                self.tell(format!("`{name}` could not ask above, and goes on with what it has: {reason}"));
                self.asking.borrow_mut().failure = Some(error);
            }
        }
    }

    /// Remembers what is newer further up of packages that come from a registry.
    fn note_what_is_newer(&self, connection: &Connection, newer: &[Newer]) {
        let index = connection.replica.index();
        for newer in newer.iter().take(MOST_NEWER) {
            let mut asking = self.asking.borrow_mut();
            // Only told: a view that cannot answer has nothing to tell.
            match index.kind_of(&newer.name) {
                Ok(Some(_)) => {
                    asking.newer.entry(newer.name.clone()).or_insert_with(|| newer.version.clone())
                }
                Ok(None) => {
                    asking.only_above.entry(newer.name.clone()).or_insert_with(|| newer.version.clone())
                }
                Err(_) => continue,
            };
        }
    }

    /// Remembers what a registry tells, of itself and of those further up, of packages that are patched, and of those that do not come.
    fn note_what_is_told(&self, connection: &Connection, patched: Vec<Patched>, missing: Vec<WhyMissing>) {
        let mut asking = self.asking.borrow_mut();
        asking.patched.extend(patched.into_iter().take(MOST_NEWER));
        // What its own log says is told by that, also without a network.
        let further_up = missing.into_iter().filter(|told| told.registry != connection.replica.name());
        asking.missing.extend(further_up.take(MOST_NEWER));
    }

    /// The newest version of a package that only registries further up have, in other versions than those asked for, as was told.
    pub fn only_above(&self, name: &PackageName) -> Option<Version> {
        self.asking.borrow().only_above.get(name).cloned()
    }

    /// Packages that are patched in a registry and newer above it, as was told.
    pub fn patched(&self) -> Vec<Patched> {
        self.asking.borrow().patched.clone()
    }

    /// The newest version of a package that a registry further up has, as was told, and that no registry here has.
    pub fn newer_above(&self, name: &PackageName) -> Option<Version> {
        self.asking.borrow().newer.get(name).cloned()
    }

    /// Tells of owners that came to be bound, as far as the log says that they are.
    fn tell_what_is_bound(&self, connection: &Connection, owners: &[OwnerName]) {
        for owner in owners.iter().take(MOST_BOUND) {
            // Only told: a view that cannot answer has nothing to tell.
            let Ok(Some(registry)) = connection.replica.index().bound_above(owner) else { continue };
            self.session.warn(format!(
                "`{owner}` is bound to the registry `{registry}` in `{}` from now on: every package of that owner comes from there, and none is published here",
                connection.replica.name()
            ));
        }
    }

    /// Why what is above a registry was not asked, if that failed: whoever misses something then was not told that it is not there.
    pub fn failed_to_ask(&self) -> Option<ReachError> {
        self.asking.borrow_mut().failure.take()
    }

    /// What there is to know of registries that could not be asked from here, or are not because the machine is offline.
    pub fn not_asked(&self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.asking.borrow_mut().notes);
        notes.extend(self.passed_over());
        if self.session.offline {
            for connection in self.asked() {
                let facts = connection.replica.index().facts().unwrap_or_default();
                if !facts.upstreams().is_empty() {
                    let above: Vec<&str> =
                        facts.upstreams().iter().map(|above| above.name.as_str()).collect();
                    notes.push(format!(
                        "with a network, `{}` would be asked for what is above it: {}",
                        connection.known.name,
                        above.join(", ")
                    ));
                }
            }
        }
        notes
    }

    /// Why registries that the user knows were not asked for what no registry was named for.
    fn passed_over(&self) -> Option<String> {
        let first = self.open.first()?.get()?;
        // Only told: a view that cannot answer has nothing to tell.
        let places = places_of_unmarked(first, &self.of_project).ok()?;
        let passed = (0..self.known.len()).filter(|place| !places.contains(place));
        let passed: Vec<String> = passed.map(|place| format!("`{}`", self.known[place].name)).collect();
        (!passed.is_empty()).then(|| {
            format!(
                "not asked: {}. Others are above `{}`, so what no registry is named for comes through it; `--registry` names another for this once",
                passed.join(", "),
                first.known.name
            )
        })
    }

    /// Of packages that are missing, what there is to know of why they do not come from above.
    pub fn why_missing(&self, missing: &[&PackageName]) -> Vec<String> {
        self.narrowed().into_iter().chain(self.kept_here(missing)).collect()
    }

    /// Of which registries above those that were asked some packages may come, and no others: what is missing may be there.
    fn narrowed(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for connection in self.asked() {
            let facts = connection.replica.index().facts().unwrap_or_default();
            for above in facts.upstreams().iter().filter(|above| !above.only.is_all()) {
                let registry = &connection.known.name;
                notes.push(format!("of `{}`, `{registry}` takes only {}", above.name, above.only));
            }
        }
        notes
    }

    /// Of packages that are missing, those whose owners belong to a registry on the way, or of which one takes nothing: none of them comes
    /// from there.
    fn kept_here(&self, missing: &[&PackageName]) -> Vec<String> {
        let of = |connection: &Connection| {
            missing.iter().filter_map(|name| connection.kept_here(name)).collect::<Vec<_>>()
        };
        let mut notes: BTreeSet<String> = self.asked().flat_map(of).collect();
        let asking = self.asking.borrow();
        let further_up = asking.missing.iter().filter(|why| missing.contains(&&why.name));
        notes.extend(further_up.map(ToString::to_string));
        notes.extend(missing.iter().filter_map(|name| self.only_elsewhere(name)));
        notes.into_iter().collect()
    }

    /// Says of a package that other registries have why it does not come from there: its owner belongs to the default one, which has none.
    fn only_elsewhere(&self, name: &PackageName) -> Option<String> {
        let mut asked = self.asked();
        let first = asked.next().filter(|first| first.known.default)?;
        // Only told: a view that cannot answer has nothing to tell.
        first.replica.index().tier_of(name).ok()??;
        let other =
            asked.find(|other| other.replica.index().kind_of(name).is_ok_and(|kind| kind.is_some()))?;
        let (owner, registry, other) = (name.owner_name(), &first.known.name, &other.known.name);
        Some(format!(
            "`{owner}` belongs to `{registry}`, so `{name}` of `{other}` is not taken for it: `registry = \"{other}\"` in `weir.toml` says that it is meant"
        ))
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

/// As [`Connections::places_of_unmarked`], of registries of which the project's manifest names some.
///
/// # Errors
///
/// When the log of the first cannot be read.
pub fn places_of_unmarked(first: &Connection, of_project: &[bool]) -> Result<Vec<usize>, ReachError> {
    let is_below = !first.replica.index().facts()?.upstreams().is_empty();
    Ok((0..of_project.len()).filter(|place| *place == 0 || !is_below || of_project[*place]).collect())
}

/// What a project's resolution requires.
#[derive(Debug, Clone, Default)]
pub struct Requirements {
    /// Each package, with the name of the registry that it must come from, if one was named.
    pub required: Vec<(Asked, Option<String>)>,
    /// All else; its own requirements are none.
    pub ask: Ask,
}

impl Requirements {
    fn of_registry<'r>(&'r self, named: Option<&'r str>) -> impl Iterator<Item = Asked> + 'r {
        let of_it = self.required.iter().filter(move |(_, registry)| registry.as_deref() == named);
        of_it.map(|(asked, _)| asked.clone())
    }
}

/// How asking registries for what is above them went.
#[derive(Default)]
struct Asking {
    /// Whether that is still to be done.
    asks: bool,
    /// What is newer further up than what registries have, as they say.
    newer: BTreeMap<PackageName, Version>,
    /// The same of packages that registries do not have at all.
    only_above: BTreeMap<PackageName, Version>,
    /// What is newer further up of packages that are patched.
    patched: Vec<Patched>,
    /// Why packages do not come from further up.
    missing: Vec<WhyMissing>,
    notes: Vec<String>,
    /// What was told already, now or by connections before these.
    told: BTreeSet<String>,
    failure: Option<ReachError>,
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
        // One that nobody is above is read as it is.
        let root = Path::new(location);
        return Ok(match root.join(UPSTREAMS_FILE).exists() {
            true => Arc::new(PullingSource::new(session, root)),
            false => Arc::new(FolderSource::new(location)),
        });
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
    // One that was never met is asked already for what it calls itself.
    session.begin(Work::Syncing { registry: known.name.clone() }, Amount::Unknown);
    let followed = Replica::open_remembered(&home, &known.location, &*source, known.key.as_deref())
        .map_err(ReachError::from)
        .and_then(|replica| {
            let mut connection = Connection { known: known.clone(), source, replica };
            connection.follow_begun(session)?;
            Ok(connection)
        });
    followed.inspect_err(|error| tell_why_not(session, &known.location, error))
}

/// Says why the identity token of a job did not help, where somebody is told that there is nothing for them.
fn tell_why_not(session: &Session, location: &str, error: &ReachError) {
    let is_hidden = match error {
        ReachError::Replica(ReplicaError::NoRegistry(_)) => true,
        // One that was seen before, and is hidden now.
        ReachError::Replica(ReplicaError::Follow(error)) => matches!(**error, FollowError::NoLog { .. }),
        ReachError::Remote(RemoteError::SignInNeeded { .. } | RemoteError::BadCredential { .. }) => true,
        ReachError::Remote(RemoteError::Problem(problem)) => problem.status == 404,
        _ => false,
    };
    if let Some(base) = address(location).ok().filter(|_| is_hidden && is_http(location))
        && let Some(why) = identity::why_not(session, base.origin())
    {
        session.warn(why);
    }
}

/// Opens a registry as this machine remembers it, or follows it if it was never met.
pub(crate) fn connect_remembered(session: &Session, known: &KnownRegistry) -> Result<Connection, ReachError> {
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
    let opened = RemoteRegistry::open(http_client(session)?, &base, credential).map_err(ReachError::from);
    opened.inspect_err(|error| tell_why_not(session, location, error))
}

/// Opens a registry that a server serves, for what only a server does.
///
/// # Errors
///
/// When it is a folder or plain files, its server wants to know who asks, or this machine is offline.
pub fn open_served(session: &Session, known: &KnownRegistry) -> Result<RemoteRegistry, ReachError> {
    if session.offline {
        return Err(Offline::needs(format!("asking the registry {}", known.location)).into());
    }
    if !is_http(&known.location) {
        return Err(ReachError::NotServed { registry: known.name.clone() });
    }
    open_remote(session, &known.location)
}

/// Opens a registry for writing.
///
/// # Errors
///
/// When it is served as plain files only, its server wants to know who asks, its log went back since it was last seen from here, or
/// this machine is offline.
pub fn open_for_writing(session: &Session, known: &KnownRegistry) -> Result<Box<dyn Registry>, ReachError> {
    if session.offline {
        return Err(Offline::needs(format!("asking the registry {}", known.location)).into());
    }
    if is_http(&known.location) {
        let remote = open_remote(session, &known.location)?;
        let (home, source) = (session.home.replicas(), source_of(session, &known.location)?);
        Replica::refuse_one_that_went_back(&home, &known.location, &*source, session.now)?;
        return Ok(Box::new(remote));
    }
    Ok(Box::new(open_folder(session, known)?))
}

/// Opens a registry in a folder of this machine for writing.
pub(crate) fn open_folder(session: &Session, known: &KnownRegistry) -> Result<Acting, ReachError> {
    open_folder_by(session, known, Box::new(FolderPolicies::open(Path::new(&known.location))))
}

/// The same, where a gate decides.
pub(crate) fn open_folder_by(
    session: &Session,
    known: &KnownRegistry,
    gate: Box<dyn Gate>,
) -> Result<Acting, ReachError> {
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
    let registrar = Registrar::open(ports, &session.home.replicas(), gate)?;
    Ok(Arc::new(registrar).acting_for(Caller::new(session.principal.clone(), session.now)))
}
