//! Who there is: signing in, inviting, and what users may.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::{SignedDuration, Timestamp};
use weir_accounts::{AccountError, Accounts, Said, Secret, SignInError, Speaker};
use weir_wire::AccountName;
use weir_wire::people::{
    Accept, ChangeUser, Invite, Invited, PendingInvitation, SignIn, SignedIn, User, WhoAmI,
};

use super::{Document, SignedDocument, json};
use crate::accounting::Accounting;
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::identity_providers::IdentityProvider;
use crate::places::Place;
use crate::problem::{Code, Problem};

/// `POST /api/v1/sign-in`
pub(crate) async fn sign_in(
    State(app): State<Arc<App>>,
    asker: Asker,
    Document(sign_in): Document<SignIn>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &signed_in(&app, &asker, sign_in).await?))
}

/// Signs somebody in by a password.
pub(crate) async fn signed_in(
    app: &Arc<App>,
    asker: &Asker,
    SignIn { name, password, machine }: SignIn,
) -> Result<SignedIn, Problem> {
    let (from, now, ends) = (asker.from, asker.at, app.sign_in_ends(asker.at));
    if !app.settings.sign_in.password {
        return Err(no_passwords(app));
    }
    let accounting = Accounting::of(app, asker, None, "sign-in")
        .about(name.parse::<AccountName>().map_or_else(|_| "(no name)".to_owned(), String::from));
    let signed_in = on_accounts_in(app, app.signing_in.place(&asker.place())?, move |accounts| {
        // Who cannot be a user is told what anybody is told who is none.
        let name = name.parse().map_err(|_| SignInError::Wrong)?;
        let user = accounts.sign_in(&name, &password, from, now)?;
        log_in(accounts, user, &machine, ends, now)
    });
    accounting.note(signed_in.await).await
}

/// `POST /api/v1/invitations/accept`
pub(crate) async fn accept(
    State(app): State<Arc<App>>,
    asker: Asker,
    Document(accept): Document<Accept>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::CREATED, &accepted(&app, &asker, accept).await?))
}

/// Makes somebody a user who was invited, and signs them in.
pub(crate) async fn accepted(
    app: &Arc<App>,
    asker: &Asker,
    Accept { invitation, name, password, machine }: Accept,
) -> Result<SignedIn, Problem> {
    let (from, now, ends) = (asker.from, asker.at, app.sign_in_ends(asker.at));
    let accounting = Accounting::of(app, asker, None, "invitation-accepted");
    let accounting = match &name {
        Some(name) => accounting.about(name.to_string()),
        None => accounting,
    };
    let place = app.signing_in.place(&asker.place())?;
    if !app.settings.sign_in.password {
        // Whoever has the machine is let in all the same.
        let shown = Secret::given(invitation.clone());
        if !on_accounts(app, move |accounts| accounts.is_on_machine(&shown, now)).await? {
            return Err(no_passwords(app));
        }
    }
    let signed_in = on_accounts_in(app, place, move |accounts| {
        let user = accounts.accept(&Secret::given(invitation), name.as_ref(), &password, now)?;
        accounts.signed_in_from(&user.name, from, now)?;
        log_in(accounts, user, &machine, ends, now)
    });
    note_who(accounting, signed_in.await).await
}

/// Signs somebody in whom a provider knows.
pub(crate) async fn signed_in_as(
    app: &Arc<App>,
    asker: &Asker,
    said: Said,
    invitation: Option<Secret>,
    chosen: Option<AccountName>,
    machine: String,
) -> Result<SignedIn, Problem> {
    let (now, ends) = (asker.at, app.sign_in_ends(asker.at));
    let accounting =
        Accounting::of(app, asker, None, "sign-in").about(format!("{} {}", said.issuer, said.subject));
    let signed_in = on_accounts(app, move |accounts| {
        let user = accounts.sign_in_as(&said, invitation.as_ref(), chosen.as_ref(), now)?;
        log_in(accounts, user, &machine, ends, now)
    });
    note_who(accounting, signed_in.await).await
}

/// Writes down who signed in, who was nobody until then, or that nobody did.
async fn note_who(accounting: Accounting, signed_in: Result<SignedIn, Problem>) -> Result<SignedIn, Problem> {
    let accounting = match &signed_in {
        Ok(signed_in) => accounting.on_behalf_of(signed_in.user.principal().to_string()),
        Err(_) => accounting,
    };
    accounting.note(signed_in).await
}

/// Signs a user in at a terminal, who said that it is theirs.
pub(crate) async fn logged_in(
    app: &Arc<App>,
    asker: &Asker,
    name: AccountName,
    machine: String,
) -> Result<SignedIn, Problem> {
    let (now, ends) = (asker.at, app.sign_in_ends(asker.at));
    on_accounts(app, move |accounts| {
        let user = accounts.user(&name)?;
        match user.disabled {
            true => Err(AccountError::Disabled(name)),
            false => log_in(accounts, user, &machine, ends, now),
        }
    })
    .await
}

fn no_passwords(app: &App) -> Problem {
    let titles: Vec<&str> = app.identity_providers.all().map(IdentityProvider::title).collect();
    let detail = format!(
        "nobody signs in by a password here: open {}/-/sign-in and sign in with {}",
        app.address(),
        titles.join(" or ")
    );
    Problem::new(Code::NotAllowed, detail)
}

fn log_in(
    accounts: &Accounts,
    user: User,
    machine: &str,
    ends: Timestamp,
    now: Timestamp,
) -> Result<SignedIn, AccountError> {
    let (_, secret) = accounts.issue_login(&user.name, machine, ends, now)?;
    Ok(SignedIn { user, token: secret.reveal().to_owned(), expires: ends })
}

/// `GET /api/v1/whoami`
pub(crate) async fn whoami(asker: Asker) -> Result<Response, Problem> {
    let who = match asker.speaker()?.clone() {
        Speaker::User(speaker) => WhoAmI::User { user: speaker.user, token: speaker.token },
        Speaker::Workload(speaker) => WhoAmI::Workload { workload: speaker.told },
    };
    Ok(json(StatusCode::OK, &who))
}

/// `GET /api/v1/users`
pub(crate) async fn users(State(app): State<Arc<App>>, asker: Asker) -> Result<Response, Problem> {
    asker.administrator()?;
    Ok(json(StatusCode::OK, &on_accounts(&app, Accounts::users).await?))
}

/// `POST /api/v1/users`: invites somebody.
pub(crate) async fn invite(
    State(app): State<Arc<App>>,
    asker: Asker,
    SignedDocument(invite): SignedDocument<Invite>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::CREATED, &invited(&app, &asker, invite).await?))
}

/// Invites somebody, for an administrator.
pub(crate) async fn invited(
    app: &Arc<App>,
    asker: &Asker,
    Invite { name, groups, again, returning }: Invite,
) -> Result<Invited, Problem> {
    asker.administrator()?;
    let now = asker.at;
    let accounting = Accounting::of(app, asker, None, "user-invited").about(name.as_str());
    if again && (returning || !groups.is_empty()) {
        let detail = format!(
            "`{name}` is to choose another password, and stays in the groups they are in: say in which they are to be apart from that (`weir user groups`)"
        );
        return accounting.note(Err(Problem::new(Code::BadDocument, detail))).await;
    }
    let invited = on_accounts(app, move |accounts| {
        let invitation = match (again, returning) {
            (true, _) => accounts.invite_again(&name, now),
            (false, true) => accounts.invite_back(&name, &groups, now),
            (false, false) => accounts.invite(Some(&name), &groups, now),
        };
        let invitation = match invitation {
            Err(AccountError::UserExists(name)) => return Ok(Err(name)),
            made => made?,
        };
        let secret = invitation.secret.reveal().to_owned();
        Ok(Ok(Invited { name, invitation: secret, expires: invitation.expires, again }))
    });
    let exists = |name: AccountName| {
        let detail = format!(
            "there is a user `{name}` already, and nobody was invited: for them to choose another password, in the groups they are in, there is `Another password` on the page of people, and `weir user invite {name} --again`"
        );
        Problem::new(Code::Conflict, detail)
    };
    let invited = invited.await.and_then(|invited| invited.map_err(exists));
    accounting.note(invited).await
}

/// `GET /api/v1/invitations`
pub(crate) async fn invitations(State(app): State<Arc<App>>, asker: Asker) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &pending(&app, &asker).await?))
}

/// The invitations that nobody has accepted yet, for an administrator.
pub(crate) async fn pending(app: &Arc<App>, asker: &Asker) -> Result<Vec<PendingInvitation>, Problem> {
    asker.administrator()?;
    let now = asker.at;
    on_accounts(app, move |accounts| accounts.invitations(now)).await
}

/// `DELETE /api/v1/invitations/{which}`: by the name that it is for, or its id.
pub(crate) async fn uninvite(
    State(app): State<Arc<App>>,
    Path(which): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    uninvited(&app, &asker, which).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Takes an invitation back, for an administrator.
pub(crate) async fn uninvited(
    app: &Arc<App>,
    asker: &Asker,
    which: String,
) -> Result<PendingInvitation, Problem> {
    asker.administrator()?;
    let now = asker.at;
    let accounting = Accounting::of(app, asker, None, "user-uninvited").about(which.clone());
    let uninvited = on_accounts(app, move |accounts| accounts.uninvite(&which, now)).await;
    accounting.note(uninvited).await
}

/// `POST /api/v1/users/{name}`: changes what a user may.
pub(crate) async fn change(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
    SignedDocument(change): SignedDocument<ChangeUser>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &changed(&app, &asker, name, change).await?))
}

/// Changes what a user may, for an administrator.
pub(crate) async fn changed(
    app: &Arc<App>,
    asker: &Asker,
    name: String,
    ChangeUser { groups, disabled }: ChangeUser,
) -> Result<User, Problem> {
    asker.administrator()?;
    let accounting = Accounting::of(app, asker, None, "user-changed").about(name.clone());
    let now = asker.at;
    let changed = on_accounts(app, move |accounts| {
        let name = name.parse()?;
        let mut user = accounts.user(&name)?;
        if let Some(groups) = groups {
            user = accounts.set_groups(&name, &groups)?;
        }
        if let Some(disabled) = disabled {
            user = accounts.set_disabled(&name, disabled, now)?;
        }
        Ok(user)
    });
    accounting.note(changed.await).await
}

/// `DELETE /api/v1/users/{name}`
pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    asker: Asker,
) -> Result<Response, Problem> {
    asker.administrator()?;
    let accounting = Accounting::of(&app, &asker, None, "user-removed").about(name.clone());
    let now = asker.at;
    let removed = on_accounts(&app, move |accounts| accounts.remove(&name.parse()?, now));
    accounting.note(removed.await).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Has the accounts asked or changed, on a thread that may block.
pub(crate) async fn on_accounts<T: Send + 'static>(
    app: &Arc<App>,
    work: impl FnOnce(&Accounts) -> Result<T, AccountError> + Send + 'static,
) -> Result<T, Problem> {
    on_accounts_in(app, app.writing.place("accounts")?, work).await
}

/// The same, at a place that was found.
pub(crate) async fn on_accounts_in<T: Send + 'static>(
    app: &Arc<App>,
    _place: Place,
    work: impl FnOnce(&Accounts) -> Result<T, AccountError> + Send + 'static,
) -> Result<T, Problem> {
    let app = app.clone();
    blocking(move || work(&app.accounts)).await.map_err(|error| told(&error))
}

fn told(error: &AccountError) -> Problem {
    let detail = error.to_string();
    match error {
        AccountError::SignIn(SignInError::Wait { seconds }) => {
            Problem::new(Code::TooManyFailures, detail).with(axum::http::header::RETRY_AFTER, *seconds)
        }
        AccountError::SignIn(SignInError::Password) => Problem::new(Code::BadDocument, detail),
        AccountError::SignIn(
            SignInError::Wrong
            | SignInError::NotInvited
            | SignInError::Stranger
            | SignInError::NoLonger
            | SignInError::NoName,
        )
        | AccountError::NotTrusted { .. }
        | AccountError::Taken => Problem::new(Code::NotSignedIn, detail),
        AccountError::Name(_) | AccountError::Unusable(_) => Problem::new(Code::BadDocument, detail),
        AccountError::Disabled(_) => Problem::new(Code::NotAllowed, detail),
        AccountError::NoUser(_)
        | AccountError::NotLinked
        | AccountError::NoToken(_)
        | AccountError::NoTrust(_)
        | AccountError::NoInvitation(_) => Problem::new(Code::NotFound, detail),
        AccountError::UserExists(_)
        | AccountError::Removed(_)
        | AccountError::LinkedElsewhere
        | AccountError::TokenExists(_)
        | AccountError::LastAdministrator(_)
        | AccountError::Ambiguous { .. } => Problem::new(Code::Conflict, detail),
        AccountError::Strange(_) | AccountError::Database(_) | AccountError::Io(_) => {
            Problem::internal(error)
        }
    }
}

impl App {
    /// When somebody who signs in now has to sign in again.
    fn sign_in_ends(&self, now: Timestamp) -> Timestamp {
        let hours = i64::from(self.settings.sign_in.days) * 24;
        now.checked_add(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MAX)
    }
}
