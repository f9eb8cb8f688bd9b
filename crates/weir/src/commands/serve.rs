//! `weir serve`: registries over HTTP.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use weir_accounts::{Accounts, Secret};
use weir_server::{
    App, Checked, DataFolder, Listening, Log, LogFormat, Outside, Settings, Wrong, ask_whether_ready, serve,
    url_of,
};
use weir_wire::AccountName;

use crate::context::Context;
use crate::documents::registry::{
    CheckedServer, InvitedOnMachine, ReadyServer, ServeAnswer, ServerProblem, Serving,
};
use crate::failure::{Exit, Failure, ending};
use crate::help::examples;
use crate::output::{Output, Page, count, harmless};
use crate::settings;

/// Serve registries over HTTP
///
/// Every folder in `DATA/registries` that is a registry is served under its name: also one that is made while the server runs.
/// Whoever has signed in can publish, as far as the registry's policy lets them. `DATA/weir-server.toml` and environment
/// variables say how; the reference of the server lists them.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir serve /srv/weir",
    "weir registry init /srv/weir/registries/org --name org",
    "weir serve /srv/weir --listen 127.0.0.1:8080",
    "WEIR_SERVER_LOG_FORMAT=json weir serve /srv/weir",
    "weir serve /srv/weir --invite ann",
    "weir serve /srv/weir --check",
))]
pub(crate) struct Arguments {
    /// The folder with the server's data; it is made if it is not there
    #[arg(value_name = "DATA")]
    data: PathBuf,
    /// Listen on this address, instead of the one in the settings
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Serve nothing: invite NAME to govern the server, who may be there already and locked out, also while it runs
    #[arg(long, value_name = "NAME", conflicts_with_all = ["check", "ready"])]
    invite: Option<AccountName>,
    /// Serve nothing: say what is wrong with settings, keys, registries and their policies, also while it runs; nothing is written
    #[arg(long, conflicts_with = "ready")]
    check: bool,
    /// Serve nothing: ask the server that runs on this machine with these settings whether it is ready
    #[arg(long)]
    ready: bool,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let data = DataFolder::new(context.path(&arguments.data)?);
    if !arguments.check && !arguments.ready {
        data.make()?;
    }
    let mut chosen = Settings::read(&data.settings(), settings::server())?;
    if let Some(listen) = arguments.listen {
        chosen.listen = listen;
    }
    if arguments.ready {
        return ready(context, &chosen);
    }
    if let Some(name) = &arguments.invite {
        return invite(context, &data, &chosen, name);
    }
    let outside = Outside { secrets: settings::secrets(), authorities: settings::authorities()? };
    if arguments.check {
        return check(context, &data, &chosen, &outside);
    }
    begin_log(&chosen.log, &context.output);
    let app = App::new(&data, chosen, outside)?;
    let registries = app.names().map_err(std::io::Error::from)?;
    let invitation = app.invite_administrator(Timestamp::now())?;
    allow_many_files();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut shown = Ok(());
    runtime.block_on(async {
        let stop = asked_to_stop()?;
        let reread = asked_to_read_again()?;
        let listening = |listening: Listening| {
            let serving = serving(&listening, app.address(), data.root(), registries, invitation);
            let serving = ServeAnswer::Serving(serving);
            shown = show(&context.output, &serving);
        };
        Ok::<_, Failure>(serve(&app, data.root(), listening, stop, &reread).await?)
    })?;
    shown?;
    Ok(ExitCode::SUCCESS)
}

/// Invites somebody to govern the server: whoever can read its data may, whatever it takes to sign in there.
fn invite(
    context: &Context,
    data: &DataFolder,
    settings: &Settings,
    name: &AccountName,
) -> Result<ExitCode, Failure> {
    let accounts = Accounts::open(&data.accounts())?;
    let invitation = accounts.invite_on_machine(Some(name), Timestamp::now())?;
    let usual = || url_of(settings.listen, settings.tls.is_some());
    let address = settings.address.clone().unwrap_or_else(usual);
    let secret = invitation.secret.reveal();
    let invited = ServeAnswer::Invited(InvitedOnMachine {
        name: name.to_string(),
        invitation: secret.to_owned(),
        invitation_link: format!("{}/-/sign-in?invitation={secret}", address.trim_end_matches('/')),
        expires: invitation.expires,
    });
    show(&context.output, &invited)?;
    Ok(ExitCode::SUCCESS)
}

/// Says what is wrong with what a server would begin with.
fn check(
    context: &Context,
    data: &DataFolder,
    settings: &Settings,
    outside: &Outside,
) -> Result<ExitCode, Failure> {
    data.refuse_strange()?;
    let Checked { registries, wrong, noted } = weir_server::check(data, settings, outside);
    let told = |all: Vec<Wrong>| {
        all.into_iter().map(|Wrong { reason, help }| ServerProblem { reason, help }).collect()
    };
    let (problems, warnings) = (told(wrong), told(noted));
    let checked = CheckedServer { data: data.root().to_owned(), registries, problems, warnings };
    let is_sound = checked.problems.is_empty();
    show(&context.output, &ServeAnswer::Checked(checked))?;
    Ok(if is_sound { ExitCode::SUCCESS } else { ending(Exit::Failed) })
}

/// Asks a server that runs whether it is ready.
fn ready(context: &Context, settings: &Settings) -> Result<ExitCode, Failure> {
    let url = ask_whether_ready(settings.listen, settings.tls.is_some())?;
    show(&context.output, &ServeAnswer::Ready(ReadyServer { url, ready: true }))?;
    Ok(ExitCode::SUCCESS)
}

/// Lets the program have as many files and connections open as the system allows it: what is usual is made for other programs.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

/// Done when the user, or the system, asks the program to end.
fn asked_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    let (mut interrupted, mut terminated) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
        // What is under way has its time; who asks once more does not want to wait.
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            }
            std::process::exit(crate::failure::Exit::Interrupted as i32);
        });
    })
}

/// Told whenever a hang-up asks the program to read its files again, as services are asked. Where it has a terminal, that means that the
/// terminal is closed: it ends with it.
fn asked_to_read_again() -> Result<Arc<Notify>, Failure> {
    let reread = Arc::new(Notify::new());
    if std::io::stdin().is_terminal() {
        return Ok(reread);
    }
    let (mut hung_up, told) = (signal(SignalKind::hangup())?, reread.clone());
    tokio::spawn(async move {
        while hung_up.recv().await.is_some() {
            told.notify_one();
        }
    });
    Ok(reread)
}

fn begin_log(log: &Log, output: &Output) {
    let level = if output.verbose { tracing::Level::DEBUG } else { tracing::Level::INFO };
    let lines =
        tracing_subscriber::fmt().with_max_level(level).with_target(false).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => lines.with_ansi(output.stderr_colors()).init(),
        LogFormat::Json => lines.json().init(),
    }
}

fn serving(
    listening: &Listening,
    address: &str,
    data: &Path,
    registries: Vec<String>,
    invitation: Option<Secret>,
) -> Serving {
    let invitation = invitation.map(|secret| secret.reveal().to_owned());
    let link = |invitation: &String| format!("{address}/-/sign-in?invitation={invitation}");
    Serving {
        metrics: listening.metrics_url(),
        url: listening.url(),
        address: address.to_owned(),
        data: data.to_owned(),
        invitation_link: invitation.as_ref().map(link),
        invitation,
        registries,
    }
}

fn show(output: &Output, answer: &ServeAnswer) -> Result<(), Failure> {
    output.answer(answer, |page| match answer {
        ServeAnswer::Serving(serving) => show_serving(page, serving),
        ServeAnswer::Checked(checked) => show_checked(page, checked),
        ServeAnswer::Ready(ready) => page.line(format!("The server at {} is ready", ready.url)),
        ServeAnswer::Invited(invited) => {
            page.line(format!(
                "Whoever follows this link within three days governs the server, as `{}`:",
                invited.name
            ));
            page.line(format!("  {}", invited.invitation_link));
        }
    })
}

fn show_checked(page: &mut Page, checked: &CheckedServer) {
    let (good, bad, warning) = (page.palette.good, page.palette.bad, page.palette.warning);
    let problems = checked.problems.iter().map(|problem| (format!("{bad}✗{bad:#}"), problem));
    let warnings = checked.warnings.iter().map(|problem| (format!("{warning}!{warning:#}"), problem));
    for (mark, ServerProblem { reason, help }) in problems.chain(warnings) {
        page.line(format!("{mark} {}", harmless(reason)));
        if let Some(help) = help {
            page.line(format!("  help: {}", harmless(help)));
        }
    }
    if checked.problems.is_empty() {
        let registries = count(checked.registries.len(), "registry");
        page.line(format!("{good}✓{good:#} `{}` can be served: {registries}", checked.data.display()));
    }
}

fn show_serving(page: &mut Page, serving: &Serving) {
    page.line(format!("Serving `{}` at {}", serving.data.display(), serving.address));
    if serving.address != serving.url {
        page.line(format!("On this machine it is at {}", serving.url));
    }
    for registry in &serving.registries {
        page.line(format!("  {}/{registry}", serving.address));
    }
    if let (Some(invitation), Some(link)) = (&serving.invitation, &serving.invitation_link) {
        page.line(
            "Nobody governs this server yet. Whoever follows this link first, within three days, does:",
        );
        page.line(format!("  {link}"));
        page.line("or says this:");
        page.line(format!("  weir login {} --user NAME --invitation {invitation}", serving.address));
    }
    if serving.registries.is_empty() {
        page.line("No registry yet. An administrator makes one with");
        page.line(format!("  weir registry create NAME --server {}", serving.address));
    }
}
