//! Asking a registry, before something is resolved, to have admitted what that needs of the registries above it.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use weir_index::{Index, RegistryFacts, Tier};
use weir_log::Ahead;
use weir_model::record::{Hold, Only, UpstreamMode};
use weir_model::{PackageName, ReleaseId, Scope};
use weir_policy::Caller;
use weir_registry::{Admitted, KeyFolder, SubmitError};
use weir_rules::best;
use weir_upstream::{Above, AdmissionError, ForeignError, admit, is_for_what_it_needs};
use weir_wire::upstream::{
    Answer, Answered, Ask, Asked, LogFile, MOST_BOUND, MOST_NEWER, MOST_NOTES, MOST_TIERS, Newer, Patched,
    Unreached, WhyMissing,
};

use crate::connect::{Connection, connect, connect_remembered};
use crate::error::{Offline, ReachError};
use crate::foreign;
use crate::lower::{Lower, above, asked_of_server, passed_on};
use crate::policy::WhichRegistry;
use crate::registries::{KnownRegistry, is_http};
use crate::session::Session;
use crate::upstream::{folder_registrar, known_upstream, upstreams_in};

/// The most requirements that are asked for upwards, of those that packages of the registry itself bring along.
const MOST_REQUIREMENTS: usize = 10_000;

/// What a server says that it can do when it can be asked.
pub const ASK_FEATURE: &str = "ask";

/// Whether a registry was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WasAsked {
    /// It was, and this came of it, with files of its log that are read next.
    Yes(Answer, Vec<(String, Vec<u8>)>),
    /// Nobody is above it.
    NobodyAbove,
    /// It could not be, from here: why, in words.
    No(String),
}

/// Asks the registry that is connected, of which its log says `facts`.
///
/// # Errors
///
/// When it, or one above it that decides, is not reached or not believed.
pub(crate) fn ask(
    session: &Session,
    connection: &Connection,
    facts: &RegistryFacts,
    what: &Ask,
) -> Result<WasAsked, ReachError> {
    if facts.upstreams().is_empty() {
        return Ok(WasAsked::NobodyAbove);
    }
    if session.looks_only {
        let registry = connection.replica.name();
        session.warn(format!(
            "this changes nothing, so `{registry}` is not asked for what is above it: what it has not admitted yet is not seen"
        ));
        return Ok(WasAsked::No("asking may have it admit something, and this changes nothing".into()));
    }
    let location = &connection.known.location;
    if is_http(location) {
        let what = Ask { known: Some(connection.replica.index().position()?.size), ..what.clone() };
        return Ok(match asked_of_server(session, location, ASK_FEATURE, |remote| remote.ask(&what))? {
            Err(reason) => WasAsked::No(reason),
            Ok(Answered { answer, files }) => {
                let decoded = |file: LogFile| Some((file.path, BASE64.decode(file.bytes).ok()?));
                WasAsked::Yes(answer, files.into_iter().filter_map(decoded).collect())
            }
        });
    }
    let keys = KeyFolder::new(session.home.keys(), location);
    if !keys.has_any(connection.replica.keys().keys()) {
        return Ok(WasAsked::No("its key is not on this machine".into()));
    }
    let root = PathBuf::from(location);
    let registrar = folder_registrar(session, &root)?;
    let caller = Caller::new(session.principal.clone(), session.now);
    let lower = Lower { session, registrar: &registrar, root: &root, caller: &caller };
    Ok(WasAsked::Yes(lower.admit(what)?, Vec::new()))
}

/// What came of following the registries above one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Followed {
    /// The registry, by its own name.
    pub registry: String,
    /// What was admitted, and what is held.
    #[serde(flatten)]
    pub answer: Answer,
    /// How many packs and files were brought.
    pub brought: u64,
}

/// Has a registry follow those above it: mirrors admit all that policy allows. With `content`, what was admitted is brought at once, of a
/// registry in a folder.
///
/// # Errors
///
/// When one above is not reached or not believed, or the registry cannot be written from here.
pub fn upstream_follow(
    session: &Session,
    which: WhichRegistry<'_>,
    content: bool,
) -> Result<Followed, ReachError> {
    let known = which.find(session)?;
    if session.offline {
        return Err(Offline::needs(format!("asking above the registry {}", known.location)).into());
    }
    let connection = connect(session, &known)?;
    let registry = connection.replica.name().to_owned();
    let facts = connection.replica.index().facts()?;
    let answer = match ask(session, &connection, &facts, &Ask::default())? {
        WasAsked::Yes(answer, _) => answer,
        WasAsked::NobodyAbove => {
            return Err(ReachError::NotAdmitted { registry, reason: "nobody is above it".into() });
        }
        WasAsked::No(reason) => return Err(ReachError::NotAdmitted { registry, reason }),
    };
    answer.notes.iter().for_each(|note| session.warn(note.clone()));
    answer.unreached.iter().for_each(|unreached| session.warn(unreached.to_string()));
    let mut brought = 0;
    if content {
        if is_http(&known.location) {
            let reason =
                "content is brought at once where its folder is; else it is when it is needed".into();
            return Err(ReachError::NotAdmitted { registry, reason });
        }
        let root = PathBuf::from(&known.location);
        let registrar = folder_registrar(session, &root)?;
        let caller = Caller::new(session.principal.clone(), session.now);
        brought = Lower { session, registrar: &registrar, root: &root, caller: &caller }.bring_all()?;
    }
    Ok(Followed { registry, answer, brought })
}

/// So often those above are asked once more because policy keeps out what they brought.
const MOST_ROUNDS: usize = 20;

impl Lower<'_> {
    /// Has the registry admit what a resolution of `what` would use of the registries above it. They are followed first, and asked
    /// themselves where others are above them.
    ///
    /// Those above choose what they bring by their own rules. Where policy here keeps that out, they are asked again without it, and
    /// something else may come that would do; and where something is kept out no longer, they are asked again for that.
    ///
    /// # Errors
    ///
    /// When one that decides is not reached or not believed, or the registry cannot be written.
    pub fn admit(&self, what: &Ask) -> Result<Answer, ReachError> {
        self.admit_observed(what, &mut ())
    }

    /// The same, and tells how it goes.
    ///
    /// # Errors
    ///
    /// Those of [`Lower::admit`].
    pub fn admit_observed(&self, what: &Ask, observer: &mut dyn AskObserver) -> Result<Answer, ReachError> {
        let mut all = self.admit_once(what, observer)?;
        let mut moved = all.held > 0 || all.let_go > 0;
        for _ in 1..MOST_ROUNDS {
            if !moved || what.requirements.is_empty() {
                break;
            }
            let more = self.admit_once(what, observer)?;
            moved = more.held > 0 || more.let_go > 0;
            all.admitted += more.admitted;
            all.held += more.held;
            all.let_go += more.let_go;
            all.withdrawn += more.withdrawn;
            all.size = more.size;
            all.bound.extend(more.bound);
            all.bound.truncate(MOST_BOUND);
            all.newer = more.newer;
            all.patched = more.patched;
            all.missing = more.missing;
            all.unreached = more.unreached;
            all.notes = more.notes;
        }
        Ok(all)
    }

    fn admit_once(&self, what: &Ask, observer: &mut dyn AskObserver) -> Result<Answer, ReachError> {
        let Self { session, registrar, root, caller } = *self;
        let view = registrar.view_for(caller)?;
        let facts = view.index().facts()?;
        let registry = facts.name.clone().unwrap_or_default();
        refuse_circle(&registry, &what.via)?;
        let upstreams = upstreams_in(&facts, root)?;
        let upward = Ask {
            via: passed_on(&what.via, &registry),
            without: kept_out(view.index(), caller, what)?,
            ..upward(view.index(), what)?
        };
        drop(view);
        let mut followed = Vec::with_capacity(upstreams.len());
        for above in &upstreams {
            let known = known_upstream(&registry, above, Some(root));
            let came = known.and_then(|known| follow(session, &known, &upward, above.mode, &above.only));
            let came = came.and_then(|came| {
                must_go_on(&facts, &above.name, &came.connection)?;
                Ok(came)
            });
            observer.asked(&above.name, came.as_ref().err());
            followed.push(came);
        }
        let reached = upstreams.iter().zip(&followed).map(|(document, came)| {
            let newer = came.iter().flat_map(|came| came.newer.clone()).collect();
            let connection = came.as_ref().map(|came| &came.connection);
            above(document, connection.map_err(|error| weir_model::chain(error)), newer)
        });
        let above: Vec<Above<'_>> = reached.collect();
        let admitted = admit(registrar, caller, &above, what, &mut |done| observer.admitted(done));
        drop(above);
        match admitted {
            // Who only follows wants to know what could not be followed; who needs something finds out when it is missing.
            Ok(mut answer) => {
                for came in followed.iter().flatten() {
                    answer.unreached.extend(came.unreached.iter().cloned());
                    answer.patched.extend(came.patched.iter().cloned());
                    answer.missing.extend(came.missing.iter().cloned());
                    answer.notes.extend(came.notes.iter().cloned());
                }
                answer.unreached.extend(followed.iter().filter_map(|came| came.as_ref().err()).map(
                    |error| {
                        let (reason, unbelieved) = (weir_model::chain(error), error.is_unbelieved());
                        Unreached { registry: registry.clone(), reason, unbelieved }
                    },
                ));
                answer.unreached.truncate(MOST_TIERS);
                answer.patched.truncate(MOST_NEWER);
                answer.missing.truncate(MOST_NEWER);
                answer.notes.truncate(MOST_NOTES);
                match what.requirements.is_empty() {
                    true => followed.into_iter().find_map(Result::err).map_or(Ok(answer), Err),
                    false => Ok(answer),
                }
            }
            Err(AdmissionError::Submit(error)) => Err(error.into()),
            Err(AdmissionError::GaveUp(reason)) => Err(ReachError::NotAdmitted { registry, reason }),
            Err(AdmissionError::Unreached { upstream, reason }) => {
                let place = upstreams.iter().position(|above| above.name == upstream);
                let failed = place.and_then(|place| followed.swap_remove(place).err());
                Err(failed.unwrap_or(ReachError::NotAdmitted { registry, reason }))
            }
        }
    }
}

/// Who is told how an ask goes.
pub trait AskObserver {
    /// A registry above was asked; and why it was not reached or not believed, if it was not.
    fn asked(&mut self, registry: &str, failed: Option<&ReachError>);

    /// Something was written of what there is above.
    fn admitted(&mut self, done: &Admitted);
}

impl AskObserver for () {
    fn asked(&mut self, _: &str, _: Option<&ReachError>) {}

    fn admitted(&mut self, _: &Admitted) {}
}

/// Refuses an ask that came through this registry before, or through too many.
pub(crate) fn refuse_circle(registry: &str, via: &[String]) -> Result<(), ReachError> {
    let reason = if via.iter().any(|passed| passed == registry) {
        "it is asked on behalf of itself: the registries are above one another in a circle"
    } else if via.len() >= MOST_TIERS {
        "too many registries are one above the other"
    } else {
        return Ok(());
    };
    let below = via.last().cloned().unwrap_or_default();
    let upstream = registry.to_owned();
    Err(SubmitError::NoUpstream { upstream, registry: below, reason: reason.into() }.into())
}

fn is_gone(error: &ReachError) -> bool {
    matches!(error, ReachError::Foreign { error, .. } if matches!(**error, ForeignError::Gone { .. }))
}

fn is_of_one_release(error: &ReachError) -> bool {
    matches!(error, ReachError::Foreign { error, .. } if error.release().is_some())
}

/// Follows a registry, which has followed those above it first: what was withdrawn there is withdrawn here by now. With it comes what could not
/// be followed. One that can never be asked from here is followed by others; that is told, and is no failure.
///
/// # Errors
///
/// Those of [`connect`].
pub fn connect_through(
    session: &Session,
    known: &KnownRegistry,
) -> Result<(Connection, Vec<Unreached>), ReachError> {
    if session.offline {
        return Ok((connect(session, known)?, Vec::new()));
    }
    let Came { connection, unreached, is_only_read, .. } =
        follow(session, known, &Ask::default(), UpstreamMode::OnDemand, &Only::default())?;
    if is_only_read {
        unreached.iter().for_each(|unreached| session.warn(unreached.to_string()));
        return Ok((connection, Vec::new()));
    }
    Ok((connection, unreached))
}

/// A registry above that was followed, and what came of asking it.
struct Came {
    connection: Connection,
    /// What further up could not be asked: what the registry has can still be admitted, and what it lacks is missed by whoever needs it.
    unreached: Vec<Unreached>,
    /// What is newer further up than what the registry has.
    newer: Vec<Newer>,
    /// What is patched there or further up, and newer above that.
    patched: Vec<Patched>,
    /// Why packages do not come from above that or further up.
    missing: Vec<WhyMissing>,
    /// Why releases of it do not come, in words.
    notes: Vec<String>,
    /// Whether others are above it and it can be read from here, but not asked.
    is_only_read: bool,
}

impl Came {
    fn of(connection: Connection) -> Self {
        Self {
            connection,
            unreached: Vec::new(),
            newer: Vec::new(),
            patched: Vec::new(),
            missing: Vec::new(),
            notes: Vec::new(),
            is_only_read: false,
        }
    }

    /// A registry as it is, with why those above it were not asked.
    fn not_asked(connection: Connection, reason: String, unbelieved: bool) -> Self {
        let registry = connection.replica.name().to_owned();
        Self { unreached: vec![Unreached { registry, reason, unbelieved }], ..Self::of(connection) }
    }
}

/// Follows a registry above; one that others are above is asked first, and of one that is none of Weir's what is asked for is written down:
/// both for those packages that may come from it.
fn follow(
    session: &Session,
    known: &KnownRegistry,
    what: &Ask,
    mode: UpstreamMode,
    only: &Only,
) -> Result<Came, ReachError> {
    let mut narrowed = what.clone();
    narrowed.requirements.retain(|asked| only.takes(&asked.name));
    narrowed.patched.retain(|name| only.takes(name));
    if narrowed.requirements.is_empty() && !what.requirements.is_empty() {
        return Ok(Came::of(connect(session, known)?));
    }
    let what = &narrowed;
    if let Some(foreign) = foreign::Above::of_transcript(session, &known.location)? {
        let notes = RefCell::new(Vec::new());
        let written = foreign.write_down(session, what, mode, only, &|note| notes.borrow_mut().push(note));
        let connection = connect(session, known)?;
        let mut notes = notes.into_inner();
        // Who needs something that is gone misses it; who only follows is told of what cannot be used.
        if let Err(error) = &written
            && (is_gone(error) || what.requirements.is_empty() && is_of_one_release(error))
            && !error.is_unbelieved()
        {
            notes.push(weir_model::chain(error));
            return Ok(Came { notes, ..Came::of(connection) });
        }
        return match written {
            Ok(_) => Ok(Came { notes, ..Came::of(connection) }),
            // Who only follows wants to know; one release that cannot be used is no reason to go without the others.
            Err(error) if what.requirements.is_empty() && !is_of_one_release(&error) => Err(error),
            Err(error) => {
                let came = Came::not_asked(connection, weir_model::chain(&error), error.is_unbelieved());
                Ok(Came { notes, ..came })
            }
        };
    }
    let (connection, asked) = follow_asking(session, known, what)?;
    match asked {
        Ok(WasAsked::Yes(answer, _)) => {
            let Answer { unreached, newer, patched, missing, notes, .. } = answer;
            Ok(Came { unreached, newer, patched, missing, notes, ..Came::of(connection) })
        }
        Ok(WasAsked::NobodyAbove) => Ok(Came::of(connection)),
        Ok(WasAsked::No(reason)) => {
            Ok(Came { is_only_read: true, ..Came::not_asked(connection, reason, false) })
        }
        Err(error @ ReachError::Submit(SubmitError::NoUpstream { .. })) => Err(error),
        Err(error) => Ok(Came::not_asked(connection, weir_model::chain(&error), error.is_unbelieved())),
    }
}

/// Asks a registry, and follows its log to what came of that; gives what came of asking beside it.
///
/// One of which this machine knows that a server serves it below others is asked before its log is followed: what is answered leads on
/// from what is known, and nothing else has to be read.
///
/// # Errors
///
/// Those of [`connect`].
pub(crate) fn follow_asking(
    session: &Session,
    known: &KnownRegistry,
    what: &Ask,
) -> Result<(Connection, Result<WasAsked, ReachError>), ReachError> {
    let remembered = is_http(&known.location).then(|| remembered(session, known)).flatten();
    let is_behind = remembered.is_some();
    let mut connection = remembered.map_or_else(|| connect(session, known), Ok)?;
    let facts = connection.replica.index().facts()?;
    let mut asked = ask(session, &connection, &facts, what);
    match &mut asked {
        Ok(WasAsked::Yes(_, files)) => {
            let plain = connection.source.clone();
            connection.source = Arc::new(Ahead::new(plain.clone(), std::mem::take(files)));
            // What was brought along may be older than what another run of the program has read since: the log itself says what is so.
            if connection.follow(session).is_err() {
                connection.source = plain;
                connection.follow(session)?;
            }
        }
        _ if is_behind => connection.follow(session)?,
        _ => {}
    }
    Ok((connection, asked))
}

/// Refuses a registry above whose log does not go on from where the one below, of which the log says `facts`, has looked it through.
pub(crate) fn must_go_on(
    facts: &RegistryFacts,
    above: &str,
    connection: &Connection,
) -> Result<(), ReachError> {
    let Some(seen) = facts.cursor(above) else { return Ok(()) };
    let below = facts.name.as_deref().unwrap_or_default();
    Ok(connection.replica.must_go_on_from(&*connection.source, seen, below)?)
}

/// A registry that others are above, as this machine remembers it; nothing of one that is not known to be so.
fn remembered(session: &Session, known: &KnownRegistry) -> Option<Connection> {
    let connection = connect_remembered(session, known).ok()?;
    let facts = connection.replica.index().facts().ok()?;
    (!facts.upstreams().is_empty()).then_some(connection)
}

/// What whoever is above need not bring: what policy here keeps out of what they brought before, unless enough time has passed. What is held for
/// something that it needs is not among that: whoever is above may bring both by now.
fn kept_out(index: &Index, caller: &Caller, what: &Ask) -> Result<Vec<ReleaseId>, ReachError> {
    if what.requirements.is_empty() {
        return Ok(Vec::new());
    }
    let held = index.held(MOST_REQUIREMENTS)?.into_iter().map(|held| held.hold);
    let stays = |hold: &Hold| !is_for_what_it_needs(hold) && hold.until.is_none_or(|due| due > caller.at());
    Ok(held.filter(stays).map(|hold| hold.id).collect())
}

/// What is asked for upwards: what is not this registry's own, and what its own packages need that is not. Of packages that it patches nothing
/// comes, and what is newer above is to be told.
fn upward(index: &Index, what: &Ask) -> Result<Ask, ReachError> {
    let mut patched = Vec::new();
    for name in &what.patched {
        if index.tier_of(name)? != Some(Tier::Here) {
            patched.push(name.clone());
        }
    }
    let adopted: BTreeSet<PackageName> = index.adopted()?.into_iter().map(|adopted| adopted.name).collect();
    let mut waiting = what.requirements.clone();
    let mut seen: BTreeSet<(PackageName, String)> = BTreeSet::new();
    let mut requirements = Vec::new();
    while let Some(asked) = waiting.pop() {
        if seen.len() >= MOST_REQUIREMENTS || !seen.insert((asked.name.clone(), asked.range.to_string())) {
            continue;
        }
        if index.tier_of(&asked.name)? != Some(Tier::Here) {
            requirements.push(asked);
            continue;
        }
        if adopted.contains(&asked.name) && !patched.contains(&asked.name) {
            patched.push(asked.name.clone());
        }
        let Some(candidates) = index.candidates(&asked.name)? else { continue };
        let Some(chosen) = best(&candidates.releases, &asked.range, &what.platform) else { continue };
        let needed = index.dependencies(&candidates, chosen)?.into_iter();
        waiting.extend(needed.filter(|needed| needed.scope == Scope::Run).map(|needed| Asked {
            name: needed.name,
            range: needed.range,
            fluid: needed.baked.is_none(),
        }));
    }
    Ok(Ask { requirements, patched, ..what.clone() })
}
