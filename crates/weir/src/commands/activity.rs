//! `weir activity`: what happened on a server.

use std::process::ExitCode;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use weir_wire::activity::{Activity, ActivityQuery};

use super::login::reach;
use super::token::ServerOption;
use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Cell, Format, count, harmless, write_stdout};

/// Show who did what on a server, and what was refused
///
/// For its administrators. The newest comes first. The log of a registry has what was done, signed; a server also knows from where, by which
/// token, and what was refused.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir activity",
    "weir activity --about acme/greet --since 30",
    "weir activity --by user:ann --refused",
    "weir activity --since 365 --limit 100000 --csv > activity.csv",
))]
pub(crate) struct Arguments {
    /// Only of this registry of the server
    #[arg(long = "in", value_name = "REGISTRY")]
    within: Option<String>,
    /// Only by this actor, such as `user:ann`
    #[arg(long, value_name = "WHO")]
    by: Option<String>,
    /// Only about what begins so: a package, a release, an owner, a user
    #[arg(long, value_name = "SUBJECT")]
    about: Option<String>,
    /// Only this, such as `published`, `yanked`, `sign-in`, `token-created`
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Only what was refused
    #[arg(long)]
    refused: bool,
    /// Only of the last days
    #[arg(long, value_name = "DAYS")]
    since: Option<u32>,
    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: u32,
    /// Print comma-separated values (RFC 4180) for a spreadsheet
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    server: ServerOption,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    let ago = |days: u32| SignedDuration::from_hours(24 * i64::from(days));
    let mut query = ActivityQuery {
        registry: arguments.within.clone(),
        actor: arguments.by.clone(),
        subject: arguments.about.clone(),
        action: arguments.action.clone(),
        refused: arguments.refused,
        since: arguments.since.map(|days| session.now.checked_sub(ago(days)).unwrap_or(Timestamp::MIN)),
        before: None,
        limit: None,
    };
    // A server tells so many at once; the rest is asked for.
    let mut all = Activity { events: Vec::new(), before: None };
    while all.events.len() < arguments.limit as usize {
        let left = arguments.limit as usize - all.events.len();
        query.limit = u32::try_from(left).ok();
        let Activity { events, before } = reached.server.activity(&query)?;
        all.events.extend(events.into_iter().take(left));
        all.before = before;
        query.before = before;
        if before.is_none() {
            break;
        }
    }
    if arguments.csv && context.output.format != Format::Json {
        write_stdout(&weir_activity::table(&all.events)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    context.output.answer(&all, |page| {
        let rows = all.events.iter().map(|event| {
            let what = match event.done {
                true => event.action.clone(),
                false if event.times > 1 => format!("{}, refused {} times", event.action, event.times),
                false => format!("{}, refused", event.action),
            };
            let decided = event.policy.clone().or_else(|| event.reason.clone()).unwrap_or_default();
            let from = event.from.map(|from| from.to_string()).unwrap_or_default();
            let subject = event.subject.clone().unwrap_or_default();
            [
                event.at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
                event.actor.clone(),
                what,
                subject,
                decided,
                from,
            ]
            .iter()
            .map(|text| Cell::plain(harmless(text)))
            .collect()
        });
        page.table(&["when (UTC)", "who", "what", "of", "by", "from"], rows.collect());
        page.line(count(all.events.len(), "event"));
        if all.before.is_some() {
            page.line("There are more: `--limit` shows them");
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
