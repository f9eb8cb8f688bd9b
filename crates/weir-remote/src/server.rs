//! A server itself: who one is there, who else there is, and tokens.

use weir_client::{Credential, HttpClient, Method, Url};
use weir_log::SourceError;
use weir_model::descriptor::Descriptor;
use weir_wire::AccountName;
use weir_wire::activity::{Activity, ActivityQuery};
use weir_wire::device::{DEVICE_CODE, DeviceAnswer, DeviceToken};
use weir_wire::people::{
    Accept, ChangeUser, Invite, Invited, MadeToken, NewToken, PendingInvitation, SignIn, SignedIn, Token,
    User, WantedRegistry, WhoAmI,
};
use weir_wire::trust::{Exchanged, ID_TOKEN, NewTrust, TOKEN_EXCHANGE, Trust};
use weir_wire::webhooks::{ChangeWebhook, Deliveries, Delivery, MadeWebhook, NewWebhook, Webhook};

use crate::call::{Line, RemoteError};

/// A server, asked by whoever has the credential.
#[derive(Debug)]
pub struct Server {
    line: Line,
}

/// A server that was found.
#[derive(Debug, Clone)]
pub struct FoundServer {
    /// Its own address, by which it was found.
    pub address: Url,
    /// The address by which others know it, as it says.
    pub known_as: Option<String>,
    /// How people sign in there.
    pub sign_in: Vec<String>,
}

/// What a terminal is told that asks whether somebody has said that it is theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// Nobody has yet.
    Waits,
    /// It asks too often.
    TooSoon,
    /// Somebody has: this is its token.
    Token(String),
}

/// What a host says of itself, as far as it tells a server of Weir from anything else.
#[derive(serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Host {
    weir: u32,
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    sign_in: Vec<String>,
}

/// What kept somebody from a server, in the words of whom they asked for.
fn not_reached(address: &Url, error: RemoteError) -> RemoteError {
    let place = address.to_string().trim_end_matches('/').to_owned();
    match error {
        RemoteError::Source(SourceError::NotReadable { reason, .. }) => {
            RemoteError::NotReached { place, reason }
        }
        RemoteError::Source(SourceError::Timeout { .. }) => {
            RemoteError::NotReached { place, reason: "nothing came in time".to_owned() }
        }
        error => error,
    }
}

type Result<T> = std::result::Result<T, RemoteError>;

impl Server {
    /// The server that `address` leads to: its own address, or that of one of its registries.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn find(client: &HttpClient, address: &Url) -> Result<FoundServer> {
        let candidates = [Some(address.clone()), address.above()];
        for base in candidates.into_iter().flatten() {
            let line = Line::new(client.clone(), base.clone(), None);
            let reply = line.say(Method::Get, ".well-known/weir", "", Vec::new(), &[], true);
            let reply = reply.map_err(|error| not_reached(address, error))?;
            if let Ok(Host { weir: 1, address, sign_in }) = serde_json::from_slice(&reply.body) {
                return Ok(FoundServer { address: base, known_as: address, sign_in });
            }
        }
        let place = address.to_string().trim_end_matches('/').to_owned();
        Err(RemoteError::NoServer { place })
    }

    /// The server at `base`. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// When the address is too long.
    pub fn new(client: HttpClient, base: &Url, credential: Option<Credential>) -> Result<Self> {
        let outside = Line::new(client.clone(), base.clone(), None);
        let base = base.below("api/v1").map_err(|error| outside.unreadable(error.to_string()))?;
        Ok(Self { line: Line::new(client, base, credential) })
    }

    /// Signs in with a name and a password.
    ///
    /// # Errors
    ///
    /// When they are not good, or the server is not reached; so with all that follow.
    pub fn sign_in(&self, who: &SignIn) -> Result<SignedIn> {
        self.line.post("sign-in", who)
    }

    /// Has a terminal wait until somebody says, in a browser, that it is theirs (RFC 8628).
    ///
    /// # Errors
    ///
    /// When too many wait already.
    pub fn begin_device(&self, client: &str, machine: &str) -> Result<DeviceAnswer> {
        self.line.post_fields("device", &[("client_id", client), ("machine", machine)])
    }

    /// Whether somebody has.
    ///
    /// # Errors
    ///
    /// When they said that it is not theirs, or it took too long.
    pub fn ask_device(&self, device_code: &str) -> Result<Answered> {
        let fields = [("grant_type", DEVICE_CODE), ("device_code", device_code)];
        match self.line.post_fields::<DeviceToken>("device/token", &fields) {
            Ok(given) => Ok(Answered::Token(given.access_token)),
            Err(RemoteError::Problem(problem)) if problem.code == "authorization-pending" => {
                Ok(Answered::Waits)
            }
            Err(RemoteError::Problem(problem)) if problem.code == "slow-down" => Ok(Answered::TooSoon),
            Err(error) => Err(error),
        }
    }

    /// Becomes a user by an invitation.
    ///
    /// # Errors
    ///
    /// When the invitation is not good.
    pub fn accept(&self, who: &Accept) -> Result<SignedIn> {
        self.line.post("invitations/accept", who)
    }

    /// Who asks.
    ///
    /// # Errors
    ///
    /// When the credential is not good.
    pub fn whoami(&self) -> Result<WhoAmI> {
        self.line.get("whoami")
    }

    /// Every user.
    ///
    /// # Errors
    ///
    /// When one may not see them.
    pub fn users(&self) -> Result<Vec<User>> {
        self.line.get("users")
    }

    /// Invites somebody.
    ///
    /// # Errors
    ///
    /// When one may not.
    pub fn invite(&self, whom: &Invite) -> Result<Invited> {
        self.line.post("users", whom)
    }

    /// Who was invited and is no user yet.
    ///
    /// # Errors
    ///
    /// When one may not see it.
    pub fn invitations(&self) -> Result<Vec<PendingInvitation>> {
        self.line.get("invitations")
    }

    /// Takes an invitation back, by the name that it is for or its id.
    ///
    /// # Errors
    ///
    /// When one may not, or there is none.
    pub fn uninvite(&self, which: &str) -> Result<()> {
        self.delete(&format!("invitations/{which}"))
    }

    /// Removes a user.
    ///
    /// # Errors
    ///
    /// When one may not, there is no such user, or nobody would be left who governs.
    pub fn remove_user(&self, name: &AccountName) -> Result<()> {
        self.delete(&format!("users/{name}"))
    }

    /// Changes what a user may.
    ///
    /// # Errors
    ///
    /// When one may not, or there is no such user.
    pub fn change_user(&self, name: &AccountName, change: &ChangeUser) -> Result<User> {
        self.line.post(&format!("users/{name}"), change)
    }

    /// One's tokens that are good.
    ///
    /// # Errors
    ///
    /// When one has not signed in.
    pub fn tokens(&self) -> Result<Vec<Token>> {
        self.line.get("tokens")
    }

    /// Makes a token.
    ///
    /// # Errors
    ///
    /// When one has not signed in, or it could never be used.
    pub fn create_token(&self, new: &NewToken) -> Result<MadeToken> {
        self.line.post("tokens", new)
    }

    /// Has a token, by its name or id, speak for nobody any longer; `current` is the one that asks.
    ///
    /// # Errors
    ///
    /// When one has no such token.
    pub fn revoke_token(&self, which: &str) -> Result<()> {
        self.delete(&format!("tokens/{which}"))
    }

    fn delete(&self, path: &str) -> Result<()> {
        let reply = self.line.say(Method::Delete, path, "", Vec::new(), &[], false)?;
        self.line.good(reply).map(drop)
    }

    /// The programs that are trusted: by who asks, or by anybody where an administrator asks.
    ///
    /// # Errors
    ///
    /// When one has not signed in.
    pub fn trusts(&self) -> Result<Vec<Trust>> {
        self.line.get("trust")
    }

    /// Has a program be trusted by what its provider says of it.
    ///
    /// # Errors
    ///
    /// When the rule would trust anybody, or the server does not believe the provider.
    pub fn add_trust(&self, new: &NewTrust) -> Result<Trust> {
        self.line.post("trust", new)
    }

    /// Has a program be trusted no longer by a rule.
    ///
    /// # Errors
    ///
    /// When there is none of that id, or it is somebody else's.
    pub fn remove_trust(&self, id: &str) -> Result<()> {
        let reply = self.line.say(Method::Delete, &format!("trust/{id}"), "", Vec::new(), &[], false)?;
        self.line.good(reply).map(drop)
    }

    /// A short token for an identity token (RFC 8693).
    ///
    /// # Errors
    ///
    /// When nobody trusts the program, or the token is not good.
    pub fn exchange(&self, identity_token: &str) -> Result<Exchanged> {
        self.line.post_fields_patiently(
            "token-exchange",
            &[
                ("grant_type", TOKEN_EXCHANGE),
                ("subject_token", identity_token),
                ("subject_token_type", ID_TOKEN),
            ],
        )
    }

    /// Who is told what happens.
    ///
    /// # Errors
    ///
    /// When one may not see it.
    pub fn webhooks(&self) -> Result<Vec<Webhook>> {
        self.line.get("webhooks")
    }

    /// Has somebody be told what happens.
    ///
    /// # Errors
    ///
    /// When one may not, or nothing could be sent there.
    pub fn create_webhook(&self, new: &NewWebhook) -> Result<MadeWebhook> {
        self.line.post("webhooks", new)
    }

    /// One webhook.
    ///
    /// # Errors
    ///
    /// When there is none of that name; so with all that follow.
    pub fn webhook(&self, name: &AccountName) -> Result<Webhook> {
        self.line.get(&format!("webhooks/{name}"))
    }

    /// Changes one.
    ///
    /// # Errors
    ///
    /// When nothing could be sent there.
    pub fn change_webhook(&self, name: &AccountName, change: &ChangeWebhook) -> Result<MadeWebhook> {
        self.line.post(&format!("webhooks/{name}"), change)
    }

    /// Has somebody be told no longer what happens.
    ///
    /// # Errors
    ///
    /// When one may not.
    pub fn remove_webhook(&self, name: &AccountName) -> Result<()> {
        self.delete(&format!("webhooks/{name}"))
    }

    /// Has something be sent now, to see whether it arrives.
    ///
    /// # Errors
    ///
    /// When one may not.
    pub fn ping_webhook(&self, name: &AccountName) -> Result<Delivery> {
        self.line.post(&format!("webhooks/{name}/pings"), &())
    }

    /// What a webhook was told, the newest first, and what came of it.
    ///
    /// # Errors
    ///
    /// When one may not see it.
    pub fn deliveries(&self, name: &AccountName, most: u32) -> Result<Deliveries> {
        let path = format!("webhooks/{name}/deliveries");
        let reply = self.line.say(Method::Get, &path, &format!("most={most}"), Vec::new(), &[], true)?;
        self.line.document(&self.line.good(reply)?)
    }

    /// Has something be sent once more, now.
    ///
    /// # Errors
    ///
    /// When the webhook was told nothing of that id.
    pub fn redeliver(&self, name: &AccountName, delivery: &str) -> Result<Delivery> {
        self.line.post(&format!("webhooks/{name}/deliveries/{delivery}"), &())
    }

    /// What happened, the newest first.
    ///
    /// # Errors
    ///
    /// When one may not see it.
    pub fn activity(&self, query: &ActivityQuery) -> Result<Activity> {
        self.line.post("activity", query)
    }

    /// Makes a registry.
    ///
    /// # Errors
    ///
    /// When one may not, or there is one of that name.
    pub fn create_registry(&self, wanted: &WantedRegistry) -> Result<Descriptor> {
        self.line.post("registries", wanted)
    }
}
