//! Looking for a package above a registry that does not have it, without having anything admitted.

use std::path::PathBuf;

use weir_policy::Caller;
use weir_upstream::{Above, AdmissionError, Sight, look, why_missing};
use weir_wire::upstream::{Look, Looked, MOST_TIERS, Unreached, UpstreamDocument};

use crate::ask::refuse_circle;
use crate::connect::{Connection, connect};
use crate::error::ReachError;
use crate::foreign;
use crate::lower::{Lower, above, asked_of_server, passed_on};
use crate::registries::is_http;
use crate::session::Session;
use crate::upstream::{folder_registrar, known_upstream, upstreams_in};

/// What a server says that it can do when one can look above its registries.
pub const LOOK_FEATURE: &str = "look";

/// Whether a registry was asked for what is above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WasLooked {
    /// It was, and this is there.
    Yes(Looked),
    /// It could not be, from here: why, in words.
    No(String),
}

/// Looks for a package above a registry that is connected. What cannot be looked into is told in what is found.
///
/// # Errors
///
/// When the registry cannot be read, or is above itself.
pub fn look_above(session: &Session, connection: &Connection, what: &Look) -> Result<WasLooked, ReachError> {
    if connection.replica.index().facts()?.upstreams().is_empty() {
        return Ok(WasLooked::Yes(Looked::default()));
    }
    let location = &connection.known.location;
    if is_http(location) {
        let looked = asked_of_server(session, location, LOOK_FEATURE, |remote| remote.look(what))?;
        return Ok(looked.map_or_else(WasLooked::No, WasLooked::Yes));
    }
    let root = PathBuf::from(location);
    let registrar = folder_registrar(session, &root)?;
    let caller = Caller::new(session.principal.clone(), session.now);
    let lower = Lower { session, registrar: &registrar, root: &root, caller: &caller };
    Ok(WasLooked::Yes(lower.look(what)?))
}

/// Looks above a registry that is above another: what cannot be looked into there is told.
fn look_further(session: &Session, connection: &Connection, what: &Look) -> Looked {
    let name = connection.replica.name();
    match foreign::Above::of_transcript(session, &connection.known.location) {
        Ok(Some(_)) => return unreached(name, "it is asked only for what somebody needs".into(), false),
        Ok(None) => {}
        Err(error) => return unreached(name, weir_model::chain(&error), error.is_unbelieved()),
    }
    match look_above(session, connection, what) {
        Ok(WasLooked::Yes(looked)) => looked,
        Ok(WasLooked::No(reason)) => unreached(name, reason, false),
        Err(error) => unreached(name, weir_model::chain(&error), error.is_unbelieved()),
    }
}

fn unreached(registry: &str, reason: String, unbelieved: bool) -> Looked {
    let unreached = Unreached { registry: registry.to_owned(), reason, unbelieved };
    Looked { unreached: vec![unreached], ..Looked::default() }
}

impl Lower<'_> {
    /// Looks for a package in the registries above this one, and above those.
    ///
    /// # Errors
    ///
    /// When this one cannot be read, or is above itself.
    pub fn look(&self, what: &Look) -> Result<Looked, ReachError> {
        let Self { session, registrar, root, caller } = *self;
        let view = registrar.view_for(caller)?;
        let facts = view.index().facts()?;
        let registry = facts.name.clone().unwrap_or_default();
        refuse_circle(&registry, &what.via)?;
        let upstreams = upstreams_in(&facts, root)?;
        let connect_to =
            |above: &UpstreamDocument| connect(session, &known_upstream(&registry, above, Some(root))?);
        let connections: Vec<Result<Connection, ReachError>> = upstreams.iter().map(connect_to).collect();
        let reached = upstreams.iter().zip(&connections);
        let above: Vec<Above<'_>> = reached
            .map(|(document, connection)| {
                let connection = connection.as_ref().map_err(|error| weir_model::chain(error));
                above(document, connection, Vec::new())
            })
            .collect();
        let places = match look(view.index(), registrar.gate(), caller, &above, &what.name) {
            Ok(Sight::There { place, description, releases }) => {
                let through = vec![upstreams[place].name.clone()];
                return Ok(Looked { through, description, releases, ..Looked::default() });
            }
            Ok(Sight::Further(places)) => places,
            Err(AdmissionError::Unreached { upstream, reason }) => {
                let place = upstreams.iter().position(|above| above.name == upstream);
                let failed = place.and_then(|place| connections[place].as_ref().err());
                let unbelieved = failed.is_some_and(ReachError::is_unbelieved);
                return Ok(unreached(&registry, format!("{upstream}: {reason}"), unbelieved));
            }
            Err(AdmissionError::Submit(error)) => return Err(error.into()),
            Err(AdmissionError::GaveUp(reason)) => return Err(ReachError::NotAdmitted { registry, reason }),
        };
        let further = Look { via: passed_on(&what.via, &registry), ..what.clone() };
        let missing = why_missing(view.index(), &above, &what.name)?;
        let mut found = Looked { missing, ..Looked::default() };
        for place in places {
            let name = &upstreams[place].name;
            let looked = match &connections[place] {
                Ok(connection) => look_further(session, connection, &further),
                Err(error) => {
                    let reason = format!("{name}: {}", weir_model::chain(error));
                    unreached(&registry, reason, error.is_unbelieved())
                }
            };
            found.unreached.extend(looked.unreached);
            found.unreached.truncate(MOST_TIERS);
            if !looked.through.is_empty() {
                let through = [name.clone()].into_iter().chain(looked.through).take(MOST_TIERS).collect();
                return Ok(Looked { through, unreached: found.unreached, missing: Vec::new(), ..looked });
            }
            found.missing.extend(looked.missing);
            found.missing.truncate(MOST_TIERS);
        }
        Ok(found)
    }
}
