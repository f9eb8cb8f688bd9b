//! Asks: what somebody's resolution requires, so that the registry can have admitted what that uses of those above it.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use jiff::Timestamp;
use weir_activity::Measure;
use weir_model::amounts::count;
use weir_reach::{AskObserver, ReachError};
use weir_registry::{Admitted, UPSTREAMS_FILE};
use weir_wire::upstream::{Answer, Answered, Ask, LogFile, Look, MOST_TIERS};

use super::upstreams::{of_reaching, with_those_above};
use super::{Asked, SignedDocument, json};
use crate::accounting::{Accounting, Ruled};
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::{Code, Problem};
use crate::registries::Served;

/// What is written down of a release that came in from above, or was kept out.
pub(crate) const ADMITTED: &str = "admitted";

/// The most packages that one ask is about.
const MOST_REQUIREMENTS: usize = 10_000;

/// The most choices that one ask prefers.
const MOST_PREFERRED: usize = 50_000;

/// The most that is written down of one ask, release by release: a registry that mirrors another may admit all of it at once.
const MOST_NOTED: usize = 1000;

/// `POST /{registry}/api/v1/ask`
pub(crate) async fn ask(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
    SignedDocument(what): SignedDocument<Ask>,
) -> Result<Response, Problem> {
    let asked = Asked::of(&app, &asker, &name).await?;
    let known = what.known;
    let answer = asked_above(&app, &asker, &asked, what, None).await?;
    let files = match known {
        Some(known) => files_since(&asked, known).await?,
        None => Vec::new(),
    };
    Ok(json(StatusCode::OK, &Answered { answer, files }))
}

/// The files of a registry's log that whoever knows so many entries reads next.
async fn files_since(asked: &Asked, known: u64) -> Result<Vec<LogFile>, Problem> {
    let root = asked.served.folder.path().to_owned();
    let files = blocking(move || {
        weir_log::files_since(&weir_log::FolderSource::new(root), known)
            .map_err(|error| Problem::refused(&weir_registry::SubmitError::Unreachable(error), false))
    });
    let encoded = |bytes: Vec<u8>| base64::engine::general_purpose::STANDARD.encode(bytes);
    Ok(files.await?.into_iter().map(|(path, bytes)| LogFile { path, bytes: encoded(bytes) }).collect())
}

/// `POST /{registry}/api/v1/look`
pub(crate) async fn look(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
    SignedDocument(what): SignedDocument<Look>,
) -> Result<Response, Problem> {
    if what.via.len() > MOST_TIERS {
        return Err(too_many("registries on the way", MOST_TIERS, what.via.len()));
    }
    let asked = Asked::of(&app, &asker, &name).await?;
    let looked = with_those_above(&app, &asker, &asked.served, move |lower| lower.look(&what));
    Ok(json(StatusCode::OK, &looked.await?))
}

/// Has a registry admit what `what` asks for. Why is written down where it is said.
pub(crate) async fn asked_above(
    app: &Arc<App>,
    asker: &Asker,
    asked: &Asked,
    what: Ask,
    reason: Option<String>,
) -> Result<Answer, Problem> {
    bounded(&what)?;
    let name = asked.served.name.as_str();
    let began = Instant::now();
    let mut going = Going { served: asked.served.clone(), at: asker.at, ruled: Vec::new(), more: 0 };
    let came = with_those_above(app, asker, &asked.served, move |lower| {
        let came = lower.admit_observed(&what, &mut going);
        Ok((came, going))
    });
    // What was written before it failed is there all the same.
    let (came, ruled) = match came.await {
        Ok((came, going)) => (came.map_err(|error| of_reaching(&error)), going.all()),
        Err(problem) => (Err(problem), Vec::new()),
    };
    // Who has nobody above is not measured: nobody was asked.
    if asked.served.folder.look(UPSTREAMS_FILE).ok().flatten().is_some() {
        let what = if came.is_ok() { Measure::Asked } else { Measure::NotAsked };
        app.counting.measure(&asked.served.name, what, began.elapsed());
    }
    Accounting::of(app, asker, Some(name), ADMITTED).because(reason).note_each(ruled).await;
    came
}

/// An ask under way, and what rules said of what it brought.
struct Going {
    served: Arc<Served>,
    at: Timestamp,
    ruled: Vec<Ruled>,
    /// How many more releases were admitted.
    more: u64,
}

impl AskObserver for Going {
    fn asked(&mut self, registry: &str, failed: Option<&ReachError>) {
        let failed = failed.map(|error| of_reaching(error).detail().to_owned());
        self.served.last_asked.note(registry, self.at, failed);
    }

    fn admitted(&mut self, done: &Admitted) {
        for (id, policy) in &done.releases {
            if self.ruled.len() >= MOST_NOTED {
                self.more += 1;
                continue;
            }
            self.ruled.push(Ruled { subject: id.to_string(), policy: policy.clone(), refused: None });
        }
        // The queue has all that is held.
        let room = MOST_NOTED.saturating_sub(self.ruled.len());
        self.ruled.extend(done.held.iter().take(room).map(|hold| Ruled {
            subject: hold.id.to_string(),
            policy: hold.policy.clone(),
            refused: Some(hold.reason.clone()),
        }));
    }
}

impl Going {
    fn all(mut self) -> Vec<Ruled> {
        if self.more > 0 {
            let subject = format!("{} more", count(self.more, "release"));
            self.ruled.push(Ruled { subject, policy: String::new(), refused: None });
        }
        self.ruled
    }
}

fn bounded(what: &Ask) -> Result<(), Problem> {
    let counted = [
        (what.requirements.len(), MOST_REQUIREMENTS, "requirements"),
        (what.overrides.len(), MOST_REQUIREMENTS, "overrides"),
        (what.newest.len(), MOST_REQUIREMENTS, "names"),
        (what.beyond.len(), MOST_REQUIREMENTS, "names"),
        (what.patched.len(), MOST_REQUIREMENTS, "names"),
        (what.prefer.len(), MOST_PREFERRED, "preferred releases"),
        (what.without.len(), MOST_PREFERRED, "releases that are not taken"),
        (what.via.len(), MOST_TIERS, "registries on the way"),
    ];
    match counted.into_iter().find(|(many, most, _)| many > most) {
        Some((many, most, things)) => Err(too_many(things, most, many)),
        None => Ok(()),
    }
}

fn too_many(things: &str, most: usize, many: usize) -> Problem {
    Problem::new(Code::TooLarge, format!("an ask has at most {most} {things}, and this one has {many}"))
}
