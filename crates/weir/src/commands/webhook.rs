//! `weir webhook …`: who is told what happens on a server.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use weir_wire::AccountName;
use weir_wire::webhooks::{
    Attempt, ChangeWebhook, Delivery, DeliveryState, MadeWebhook, NewWebhook, Webhook, WebhookEvent,
};

use super::login::reach;
use super::token::ServerOption;
use crate::context::Context;
use crate::documents::server::{RemovedWebhook, Webhooks};
use crate::failure::{Exit, Failure, ending};
use crate::help::examples;
use crate::output::{Cell, Page, count, harmless, harmless_line};

/// Have others be told what happens on a server
///
/// For its administrators. What happens in registries is sent to an address as JSON, signed as Standard Webhooks has it. It is sent again where it does not
/// arrive, for a day.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Command {
    Add(AddArguments),
    #[command(visible_alias = "ls")]
    List(ListArguments),
    Show(NameArguments),
    Change(ChangeArguments),
    Remove(RemoveArguments),
    Test(TestArguments),
    Deliveries(DeliveriesArguments),
    Redeliver(RedeliverArguments),
}

pub(crate) fn run(context: &Context, command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Add(arguments) => add(context, arguments),
        Command::List(arguments) => list(context, &arguments),
        Command::Show(arguments) => show(context, &arguments),
        Command::Change(arguments) => change(context, arguments),
        Command::Remove(arguments) => remove(context, arguments),
        Command::Test(TestArguments { webhook }) => test(context, &webhook),
        Command::Deliveries(arguments) => deliveries(context, &arguments),
        Command::Redeliver(arguments) => redeliver(context, &arguments),
    }
}

/// Have an address be told what happens
///
/// The secret that signs for the server is shown once: the receiver needs it to tell what is sent by the server from what anybody sends.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir webhook add ci https://ci.example/weir --event release.published --of team",
    "weir webhook add security https://chat.example/weir --event advisory.known --event release.quarantined",
))]
pub(crate) struct AddArguments {
    /// What it is called
    name: AccountName,
    /// Where what happens is sent
    url: String,
    /// Only this, such as `release.published`; everything, if nothing is said
    #[arg(long = "event", value_name = "EVENT")]
    events: Vec<WebhookEvent>,
    /// Only of this registry of the server
    #[arg(long = "of", value_name = "REGISTRY")]
    registries: Vec<String>,
    #[command(flatten)]
    server: ServerOption,
}

/// List the webhooks of a server
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    server: ServerOption,
}

/// Which webhook is meant.
#[derive(Debug, Args)]
struct Which {
    /// Its name
    name: AccountName,
    #[command(flatten)]
    server: ServerOption,
}

/// Show a webhook: what it is told of, and how that goes
#[derive(Debug, Args)]
#[command(after_help = examples!("weir webhook show ci"))]
pub(crate) struct NameArguments {
    #[command(flatten)]
    webhook: Which,
}

/// Change a webhook, pause it, or give it another secret
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir webhook change ci --event release.published --event release.yanked",
    "weir webhook change ci --resume",
    "weir webhook change ci --new-secret",
))]
pub(crate) struct ChangeArguments {
    #[command(flatten)]
    webhook: Which,
    /// Send what happens there
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// From now on only this
    #[arg(long = "event", value_name = "EVENT", conflicts_with = "all_events")]
    events: Vec<WebhookEvent>,
    /// From now on everything
    #[arg(long)]
    all_events: bool,
    /// From now on only of this registry
    #[arg(long = "of", value_name = "REGISTRY", conflicts_with = "of_all")]
    registries: Vec<String>,
    /// From now on of all registries
    #[arg(long)]
    of_all: bool,
    /// Tell it nothing for now
    #[arg(long, conflicts_with = "resume")]
    pause: bool,
    /// Tell it again what happens from now on, and what waits
    #[arg(long)]
    resume: bool,
    /// Sign with another secret, which is shown once
    #[arg(long)]
    new_secret: bool,
}

/// Have an address be told no longer what happens
#[derive(Debug, Args)]
#[command(after_help = examples!("weir webhook remove ci"))]
pub(crate) struct RemoveArguments {
    #[command(flatten)]
    webhook: Which,
}

/// Send something now, to see whether it arrives
#[derive(Debug, Args)]
#[command(after_help = examples!("weir webhook test ci"))]
pub(crate) struct TestArguments {
    #[command(flatten)]
    webhook: Which,
}

/// Show what a webhook was told, and what came of it
#[derive(Debug, Args)]
#[command(after_help = examples!("weir webhook deliveries ci"))]
pub(crate) struct DeliveriesArguments {
    #[command(flatten)]
    webhook: Which,
    /// At most so much
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: u32,
}

/// Send something once more, now
#[derive(Debug, Args)]
#[command(after_help = examples!("weir webhook redeliver ci msg_01kb6q3v8m9y5r2n7t4w0x1z3c"))]
pub(crate) struct RedeliverArguments {
    #[command(flatten)]
    webhook: Which,
    /// What, by the id that `weir webhook deliveries` shows
    #[arg(value_name = "DELIVERY")]
    delivery: String,
}

fn add(context: &Context, arguments: AddArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    let new = NewWebhook {
        name: arguments.name,
        url: arguments.url,
        events: arguments.events.into_iter().collect(),
        registries: arguments.registries.into_iter().collect(),
    };
    tell_made(context, &reached.server.create_webhook(&new)?)
}

/// Shows a webhook, and its secret if that is new.
fn tell_made(context: &Context, made: &MadeWebhook) -> Result<ExitCode, Failure> {
    context.output.answer(made, |page| {
        match &made.secret {
            Some(secret) => page.line(secret),
            None => show_webhook(page, &made.webhook),
        };
    })?;
    if made.secret.is_some() {
        let name = &made.webhook.name;
        context.output.note(&format!(
            "This is the secret by which the receiver of `{name}` knows the server, and it is not shown again. `weir webhook test {name}` tries it"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn list(context: &Context, arguments: &ListArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.server.as_deref())?;
    let webhooks = Webhooks { webhooks: reached.server.webhooks()? };
    context.output.answer(&webhooks, |page| {
        if webhooks.webhooks.is_empty() {
            page.line("No webhooks");
            return;
        }
        let rows = webhooks.webhooks.iter().map(|webhook| {
            let texts = [
                webhook.name.to_string(),
                harmless(&webhook.url).into_owned(),
                told_events(webhook),
                told_registries(webhook),
                state(webhook),
            ];
            texts.into_iter().map(Cell::plain).collect()
        });
        page.table(&["webhook", "url", "events", "of", "state"], rows.collect());
        page.line(count(webhooks.webhooks.len(), "webhook"));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn show(context: &Context, arguments: &NameArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let Which { name, server } = &arguments.webhook;
    let webhook = reach(&session, server.server.as_deref())?.server.webhook(name)?;
    context.output.answer(&webhook, |page| show_webhook(page, &webhook))?;
    Ok(ExitCode::SUCCESS)
}

fn show_webhook(page: &mut Page, webhook: &Webhook) {
    page.line(format!("`{}` {}", webhook.name, state(webhook)));
    let mut facts = vec![
        ("url", harmless(&webhook.url).into_owned()),
        ("events", told_events(webhook)),
        ("of", told_registries(webhook)),
        ("waiting", webhook.waiting.to_string()),
    ];
    if webhook.missed > 0 {
        facts.push(("missed", webhook.missed.to_string()));
    }
    facts.push(("last delivered", webhook.delivered.map_or("never".to_owned(), moment)));
    facts.push(("made", format!("{} by {}", moment(webhook.created), harmless(&webhook.by))));
    page.facts(&facts);
}

fn told_events(webhook: &Webhook) -> String {
    let events: Vec<&str> = webhook.events.iter().map(|event| event.as_str()).collect();
    if events.is_empty() { "all".to_owned() } else { events.join(", ") }
}

fn told_registries(webhook: &Webhook) -> String {
    let names: Vec<String> = webhook.registries.iter().map(|name| harmless(name).into_owned()).collect();
    if names.is_empty() { "all".to_owned() } else { names.join(", ") }
}

fn state(webhook: &Webhook) -> String {
    match (&webhook.paused, webhook.failing_since) {
        (Some(reason), _) => format!("is paused: {}", harmless_line(reason)),
        (None, Some(since)) => format!("fails since {}", moment(since)),
        (None, None) => "is told what happens".to_owned(),
    }
}

fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn change(context: &Context, arguments: ChangeArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let Which { name, server } = &arguments.webhook;
    let reached = reach(&session, server.server.as_deref())?;
    let events = (arguments.all_events || !arguments.events.is_empty())
        .then(|| arguments.events.into_iter().collect());
    let registries = (arguments.of_all || !arguments.registries.is_empty())
        .then(|| arguments.registries.into_iter().collect());
    let paused = match (arguments.pause, arguments.resume) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        (false, false) => None,
    };
    let change =
        ChangeWebhook { url: arguments.url, events, registries, paused, new_secret: arguments.new_secret };
    if change == ChangeWebhook::default() {
        return Err(Failure::usage("nothing is said that is to change: see `weir webhook change --help`"));
    }
    tell_made(context, &reached.server.change_webhook(name, &change)?)
}

fn remove(context: &Context, arguments: RemoveArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let Which { name, server } = arguments.webhook;
    let reached = reach(&session, server.server.as_deref())?;
    reached.server.remove_webhook(&name)?;
    let removed = RemovedWebhook { webhook: name.to_string(), server: reached.place() };
    context.output.show(&removed, |page| {
        page.line(format!("`{}` is told nothing any longer", removed.webhook));
    })?;
    Ok(ExitCode::SUCCESS)
}

fn test(context: &Context, webhook: &Which) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, webhook.server.server.as_deref())?;
    tell_sent(context, &reached.server.ping_webhook(&webhook.name)?)
}

fn redeliver(context: &Context, arguments: &RedeliverArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let Which { name, server } = &arguments.webhook;
    let reached = reach(&session, server.server.as_deref())?;
    tell_sent(context, &reached.server.redeliver(name, &arguments.delivery)?)
}

/// Shows what came of what was sent just now.
fn tell_sent(context: &Context, delivery: &Delivery) -> Result<ExitCode, Failure> {
    let last = delivery.attempts.last();
    context.output.answer(delivery, |page| {
        let came = last.map_or_else(|| "was not sent".to_owned(), came);
        page.line(format!("{}: {came}", harmless(&delivery.id)));
    })?;
    match last.is_some_and(|attempt| attempt.error.is_none()) {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ending(Exit::Failed)),
    }
}

/// What came of one time that something was sent.
fn came(attempt: &Attempt) -> String {
    let Attempt { status, error, milliseconds, .. } = attempt;
    let status = status.map(|status| format!("{status} ")).unwrap_or_default();
    match error {
        None => format!("{status}in {milliseconds} ms"),
        Some(error) => format!("{status}after {milliseconds} ms: {}", harmless(error)),
    }
}

fn deliveries(context: &Context, arguments: &DeliveriesArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let Which { name, server } = &arguments.webhook;
    let reached = reach(&session, server.server.as_deref())?;
    let told = reached.server.deliveries(name, arguments.limit)?;
    context.output.answer(&told, |page| {
        if told.deliveries.is_empty() {
            page.line(format!("`{name}` was told nothing yet"));
            return;
        }
        let rows = told.deliveries.iter().map(|delivery| {
            let last = delivery.attempts.last().map(came).unwrap_or_default();
            let state = match (delivery.state, delivery.next) {
                (DeliveryState::Waiting, Some(next)) if !delivery.attempts.is_empty() => {
                    format!("again {}", moment(next))
                }
                (state, _) => state.as_str().to_owned(),
            };
            let texts = [
                moment(delivery.message.timestamp),
                harmless(&delivery.id).into_owned(),
                delivery.message.r#type.to_string(),
                about(delivery),
                state,
                delivery.attempts.len().to_string(),
                last,
            ];
            texts.into_iter().map(Cell::plain).collect()
        });
        page.table(&["at", "delivery", "event", "about", "state", "tries", "last"], rows.collect());
        page.line(count(told.deliveries.len(), "delivery"));
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What something that was told is about.
fn about(delivery: &Delivery) -> String {
    let about = delivery.message.data.about();
    harmless(&about).into_owned()
}
