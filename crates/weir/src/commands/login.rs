//! `weir login`, `weir logout`, `weir whoami`: who one is to a server.

mod by_code;

use std::io::{BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use clap::Args;
use weir_reach::{ReachedServer, Session, forget_login, keep_login, reach_server, reach_to_sign_in};
use weir_wire::AccountName;
use weir_wire::people::{Accept, SignIn, SignedIn, Token, User, WhoAmI};
use weir_wire::trust::Workload;

use super::token;
use crate::context::Context;
use crate::documents::server::{LoggedIn, LoggedOut};
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Page, harmless};
use crate::question;

/// The longest secret that is read from stdin, in bytes.
const MAX_SECRET: usize = 4096;

/// Sign in to a server
///
/// The terminal shows a code; whoever signs in at the page of the server, in whichever way it takes, says there that the code is theirs. With `--user`
/// or `--password` a name and a password will do. The token that the server gives is kept in `credentials.toml` beside your configuration, for your eyes only, and
/// sent to that server and to nobody else. Who was invited chooses a password with `--invitation`. A program uses a token: in the
/// variable `WEIR_TOKEN_` and the host in capitals (`WEIR_TOKEN_WEIR_EXAMPLE`), with `--token-stdin`, or in `~/.netrc`.
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir login https://weir.example",
    "weir login https://weir.example --browser",
    "weir login https://weir.example --user ann",
    "weir login https://weir.example --invitation weir_01… --user ann",
    "weir login https://weir.example --token-stdin < token",
))]
pub(crate) struct LoginArguments {
    /// The server, or one of its registries by address or name; that of the default registry if nothing is said
    server: Option<String>,
    /// Open the page where the code is said in a browser: what `BROWSER` names, or `xdg-open`
    #[arg(long, conflicts_with_all = ["user", "password", "password_stdin", "token_stdin", "invitation"])]
    browser: bool,
    /// Sign in by a name and a password, which is asked for
    #[arg(long, conflicts_with = "token_stdin")]
    password: bool,
    /// Your name there, to sign in by a password; asked for if nothing is said
    #[arg(long, short, value_name = "NAME")]
    user: Option<String>,
    /// Become a user by this invitation
    #[arg(long, value_name = "INVITATION", conflicts_with = "token_stdin")]
    invitation: Option<String>,
    /// Read a token from stdin and keep that
    #[arg(long, conflicts_with_all = ["user", "password_stdin"])]
    token_stdin: bool,
    /// Read the password from stdin instead of asking for it
    #[arg(long)]
    password_stdin: bool,
}

/// Sign out of a server
///
/// The token that `weir login` got is given up there, and forgotten here.
#[derive(Debug, Args)]
#[command(after_help = examples!("weir logout https://weir.example"))]
pub(crate) struct LogoutArguments {
    /// The server, or one of its registries by address or name; that of the default registry if nothing is said
    server: Option<String>,
}

/// Show who you are to a server
#[derive(Debug, Args)]
#[command(after_help = examples!("weir whoami", "weir whoami https://weir.example --json"))]
pub(crate) struct WhoamiArguments {
    /// The server, or one of its registries by address or name; that of the default registry if nothing is said
    server: Option<String>,
}

pub(crate) fn login(context: &Context, arguments: &LoginArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach_to_sign_in(&session, arguments.server.as_deref())?;
    let signed_in = if arguments.token_stdin {
        let token = from_stdin()?;
        // What is no token of the server is not kept in place of one that is.
        let (kept, expires) = by_token(&session, &reached, &token)?;
        LoggedIn { server: reached.place(), user: kept, expires }
    } else if arguments.wants_a_code(&reached) {
        let token = by_code::token(context, &reached, arguments.browser)?;
        let (user, expires) = by_token(&session, &reached, &token)?;
        LoggedIn { server: reached.place(), user, expires }
    } else {
        let signed_in = by_password(context, &reached, arguments)?;
        keep_login(&session, &reached.address, &signed_in.token)?;
        LoggedIn {
            server: reached.place(),
            user: signed_in.user.name.to_string(),
            expires: Some(signed_in.expires),
        }
    };
    context.output.show(&signed_in, |page| {
        page.line(format!("Signed in to {} as `{}`", signed_in.server, signed_in.user));
        if let Some(expires) = signed_in.expires {
            page.line(format!("Until {}", expires.strftime("%Y-%m-%d")));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The way to sign in of a server at which a code can be said.
const BY_CODE: &str = "device";

impl LoginArguments {
    /// Whether a code is shown: where the server takes one, and nobody asked for a password.
    fn wants_a_code(&self, reached: &ReachedServer) -> bool {
        let by_password =
            self.password || self.password_stdin || self.user.is_some() || self.invitation.is_some();
        !by_password && reached.sign_in.iter().any(|way| way == BY_CODE)
    }
}

/// What this machine calls itself.
fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn by_password(
    context: &Context,
    reached: &ReachedServer,
    arguments: &LoginArguments,
) -> Result<SignedIn, Failure> {
    let machine = machine();
    let name = match &arguments.user {
        Some(name) => name.clone(),
        None => question::answer(&context.output, "Name:", "--user NAME")?,
    };
    let password = match arguments.password_stdin {
        true => from_stdin()?,
        false => question::secret(&context.output, "Password:", "--password-stdin")?,
    };
    let Some(invitation) = arguments.invitation.clone() else {
        return Ok(reached.server.sign_in(&SignIn { name, password, machine })?);
    };
    if !arguments.password_stdin
        && password != question::secret(&context.output, "Again:", "--password-stdin")?
    {
        return Err(Failure::usage("the two passwords differ"));
    }
    let name: AccountName =
        name.parse().map_err(|error: weir_wire::BadName| Failure::usage(error.to_string()))?;
    let link = reached.invitation_link(&invitation);
    let accept = Accept { invitation, name: Some(name), password, machine };
    // One that was made on the server's machine is accepted by a password all the same.
    reached.server.accept(&accept).map_err(|error| match reached.takes_passwords() {
        true => error.into(),
        false => Failure::from(error).with_help(format!("follow this link: {link}")),
    })
}

fn by_token(
    session: &Session,
    reached: &ReachedServer,
    token: &str,
) -> Result<(String, Option<jiff::Timestamp>), Failure> {
    let whoami = weir_reach::whoami_by(session, &reached.address, token)?;
    keep_login(session, &reached.address, token)?;
    Ok(match whoami {
        WhoAmI::User { user, token } => (user.name.to_string(), token.expires),
        WhoAmI::Workload { workload } => (workload.subject, Some(workload.expires)),
    })
}

pub(crate) fn logout(context: &Context, arguments: &LogoutArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.as_deref())?;
    // Given up there first: what is only forgotten here could still be used by whoever has a copy.
    let given_up = if reached.is_known { reached.server.revoke_token("current") } else { Ok(()) };
    let forgotten = forget_login(&session, &reached.address)?;
    let server = reached.place();
    if !forgotten {
        return Err(Failure::not_found(format!("you have not signed in to {server} from here")));
    }
    if let Err(error) = given_up {
        context.output.warn(&format!("the server was not told: {error}"));
    }
    context.output.show(&LoggedOut { server: server.clone() }, |page| {
        page.line(format!("Signed out of {server}"));
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn whoami(context: &Context, arguments: &WhoamiArguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let reached = reach(&session, arguments.server.as_deref())?;
    let whoami = reached.server.whoami()?;
    context.output.answer(&whoami, |page: &mut Page| {
        let place = reached.place();
        match &whoami {
            WhoAmI::User { user, token } => show_user(page, user, token, &place),
            WhoAmI::Workload { workload } => show_workload(page, workload, &place),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn show_user(page: &mut Page, user: &User, token: &Token, place: &str) {
    page.line(format!("`{}` at {place}", user.name));
    let groups: Vec<&str> = user.groups.iter().map(AccountName::as_str).collect();
    let mut facts = vec![("token", token.name.clone())];
    if !groups.is_empty() {
        facts.insert(0, ("groups", groups.join(", ")));
    }
    if let Some(expires) = token.expires {
        facts.push(("until", expires.strftime("%Y-%m-%d").to_string()));
    }
    page.facts(&facts);
}

fn show_workload(page: &mut Page, workload: &Workload, place: &str) {
    page.line(format!("`{}` at {place}", harmless(&workload.subject)));
    let mut facts = vec![("says", harmless(&workload.issuer).into_owned())];
    for grant in &workload.grants {
        let may = token::scope(&grant.scope);
        facts.push(("may", format!("{may} to {}, for `{}`", harmless(&grant.registry), grant.by)));
    }
    facts.push(("until", workload.expires.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()));
    page.facts(&facts);
}

/// The server that somebody means.
pub(crate) fn reach(session: &Session, named: Option<&str>) -> Result<ReachedServer, Failure> {
    Ok(reach_server(session, named)?)
}

/// The first line of stdin: a secret, which the command line would show to everybody on the machine.
fn from_stdin() -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        return Err(Failure::usage("nothing is piped into stdin"));
    }
    let mut line = String::new();
    std::io::Read::take(stdin.lock(), MAX_SECRET as u64).read_line(&mut line)?;
    let secret = line.trim_end_matches(['\r', '\n']);
    match secret.is_empty() {
        true => Err(Failure::usage("stdin has no secret in its first line")),
        false => Ok(secret.to_owned()),
    }
}
