//! What happened is written down: who asked, for what, and what came of it.

use std::sync::Arc;

use jiff::Timestamp;
use weir_wire::Outcome;
use weir_wire::activity::Event;

use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::Problem;

/// What a rule said of one of many things that were asked for at once.
pub(crate) struct Ruled {
    pub(crate) subject: String,
    pub(crate) policy: String,
    /// Why not, where it refused.
    pub(crate) refused: Option<String>,
}

/// Who asks for something, and of what.
pub(crate) struct Accounting {
    app: Arc<App>,
    event: Event,
    /// Where who has proved nothing comes from.
    stranger: Option<String>,
}

impl Accounting {
    /// `action` is asked for, of a registry if it is one of one.
    pub(crate) fn of(app: &Arc<App>, asker: &Asker, registry: Option<&str>, action: &str) -> Self {
        let event = Event {
            id: 0,
            at: asker.at,
            actor: asker.actor(),
            token: asker.token(),
            from: asker.from,
            registry: registry.map(str::to_owned),
            action: action.to_owned(),
            subject: None,
            done: true,
            policy: None,
            reason: None,
            times: 1,
        };
        Self { app: app.clone(), event, stranger: asker.is_anonymous().then(|| asker.place()) }
    }

    /// The same about something.
    pub(crate) fn about(mut self, subject: impl Into<String>) -> Self {
        self.event.subject = Some(subject.into());
        self
    }

    /// The same for a reason that whoever asks for it gives.
    pub(crate) fn because(mut self, reason: Option<String>) -> Self {
        self.event.reason = reason;
        self
    }

    /// The same as done by somebody else, for whom it was carried out.
    pub(crate) fn on_behalf_of(mut self, actor: impl Into<String>) -> Self {
        self.event.actor = actor.into();
        self.event.token = None;
        self.stranger = None;
        self
    }

    /// Writes down what came of it, and gives that back.
    pub(crate) async fn note<T>(self, came: Result<T, Problem>) -> Result<T, Problem> {
        let events = match &came {
            // Who is asked to come again has done nothing, and may be many.
            Err(problem) if problem.is_passing() => Vec::new(),
            Ok(_) => vec![self.event.clone()],
            Err(problem) => match &self.stranger {
                Some(place) => {
                    self.count(problem, place.clone()).await;
                    Vec::new()
                }
                None => vec![self.refused(problem)],
            },
        };
        self.write(events).await;
        came
    }

    /// Counts what was refused to who has proved nothing: anybody can send as much of it as they like.
    async fn count(&self, problem: &Problem, place: String) {
        let (app, event, at) = (self.app.clone(), self.refused(problem), self.event.at);
        let counted = blocking(move || app.activity.count(&event, &place)).await;
        if let Err(error) = counted {
            tracing::error!(%error, %at, "what was refused could not be written down");
        }
    }

    /// The same of a batch: each thing that was done is an event, and one that was not is one as a whole.
    pub(crate) async fn note_batch<T>(
        self,
        came: Result<T, Problem>,
        outcomes: impl FnOnce(&T) -> &[Outcome],
    ) -> Result<T, Problem> {
        let events = match &came {
            Ok(done) => outcomes(done)
                .iter()
                .map(|outcome| Event {
                    action: outcome.done.as_str().to_owned(),
                    subject: Some(outcome.subject.clone()),
                    policy: Some(outcome.policy.clone()),
                    ..self.event.clone()
                })
                .collect(),
            Err(problem) => vec![self.refused(problem)],
        };
        self.write(events).await;
        came
    }

    /// Writes down each of many things that were asked for at once.
    pub(crate) async fn note_each(self, ruled: Vec<Ruled>) {
        let event = |Ruled { subject, policy, refused }: Ruled| Event {
            subject: Some(subject),
            done: refused.is_none(),
            policy: Some(policy).filter(|policy| !policy.is_empty()),
            reason: refused.or_else(|| self.event.reason.clone()),
            ..self.event.clone()
        };
        let events = ruled.into_iter().map(event).collect();
        self.write(events).await;
    }

    fn refused(&self, problem: &Problem) -> Event {
        let subject = problem.subject().map(str::to_owned).or_else(|| self.event.subject.clone());
        Event {
            subject,
            done: false,
            policy: problem.policy().map(str::to_owned),
            reason: Some(problem.detail().to_owned()),
            ..self.event.clone()
        }
    }

    /// What cannot be written down stops nobody: what was done is done, and the log of the registry says who did it.
    async fn write(self, events: Vec<Event>) {
        if events.is_empty() {
            return;
        }
        let Self { app, event, .. } = self;
        let at: Timestamp = event.at;
        // Others may have to be told of what was done.
        app.telling.wake();
        let written = blocking(move || app.activity.record(&events)).await;
        if let Err(error) = written {
            tracing::error!(%error, %at, "what happened could not be written down");
        }
    }
}
