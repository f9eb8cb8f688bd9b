//! A registry that a server serves, for those who write to it.

use std::io::Read;

use weir_client::{Credential, HttpClient, Method, Url};
use weir_model::descriptor::Descriptor;
use weir_model::{KindName, PackageName, ReleaseId, Sha256, TreeDigest};
use weir_registry::{
    Batch, Collect, Collected, Object, Outcome, Receipt, Registry, SubmitError, check_words,
};
use weir_wire::api::{Capabilities, CollectRequest, IDEMPOTENCY_KEY, LEVEL, Preview, Renewed, Verified};
use weir_wire::downloads::PackageDownloads;
use weir_wire::policy::{PolicyDocument, PolicyInForce};
use weir_wire::promotion::{KeptPromotion, PromotionCheck, PromotionRequest, PromotionRequests};
use weir_wire::storage::Storage;
use weir_wire::upstream::{Answered, Ask, Look, Looked, UpstreamChange, UpstreamList};

use crate::call::{Line, RemoteError};
use crate::upload::{State, Upload, UploadError};

/// A registry that a server serves.
#[derive(Debug)]
pub struct RemoteRegistry {
    line: Line,
    capabilities: Capabilities,
}

impl RemoteRegistry {
    /// The registry at `base`, asked by whoever has the credential.
    ///
    /// # Errors
    ///
    /// When it is not there, is served as plain files only, or speaks another level of the protocol.
    pub fn open(client: HttpClient, base: &Url, credential: Option<Credential>) -> Result<Self, RemoteError> {
        let outside = Line::new(client.clone(), base.clone(), credential.clone());
        let unusable = |error: weir_client::UrlError| outside.unreadable(error.to_string());
        let line = Line::new(client, base.below("api/v1").map_err(unusable)?, credential);
        let reply = line.say(Method::Get, "", "", Vec::new(), &[], true)?;
        let is_json = reply.header("content-type").is_some_and(|kind| kind.starts_with("application/"));
        let good = line.good(reply).map_err(|error| match error {
            RemoteError::OnlyFiles { .. } => RemoteError::OnlyFiles { place: outside.place() },
            error => error,
        })?;
        let only_files = || RemoteError::OnlyFiles { place: outside.place() };
        if !is_json {
            return Err(only_files());
        }
        let capabilities: Capabilities = line.document(&good).map_err(|_| only_files())?;
        if capabilities.level != LEVEL {
            let level = capabilities.level;
            return Err(RemoteError::OtherLevel { place: outside.place(), level, own: LEVEL });
        }
        Ok(Self { line, capabilities })
    }

    /// What it can do.
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The files of its policy set.
    ///
    /// # Errors
    ///
    /// When one may not see them.
    pub fn policy(&self) -> Result<PolicyDocument, RemoteError> {
        self.line.get("policy")
    }

    /// Puts a policy set in force.
    ///
    /// # Errors
    ///
    /// When it is none, does not pass its own cases, or one may not.
    pub fn set_policy(&self, set: &PolicyDocument) -> Result<PolicyInForce, RemoteError> {
        self.line.post("policy", set)
    }

    /// Has it admit what a resolution would use of the registries above it.
    ///
    /// # Errors
    ///
    /// When one of those is not reached or not believed, or one has not signed in.
    pub fn ask(&self, what: &Ask) -> Result<Answered, RemoteError> {
        self.line.post("ask", what)
    }

    /// Looks for a package in the registries above it, without having anything admitted.
    ///
    /// # Errors
    ///
    /// When one has not signed in, or may not read the registry.
    pub fn look(&self, what: &Look) -> Result<Looked, RemoteError> {
        self.line.post("look", what)
    }

    /// How often a package was downloaded in the last days.
    ///
    /// # Errors
    ///
    /// When there is no such package, or one may not read the registry.
    pub fn downloads(&self, package: &PackageName, days: u32) -> Result<PackageDownloads, RemoteError> {
        let query = format!("package={package}&days={days}");
        let reply = self.line.say(Method::Get, "downloads", &query, Vec::new(), &[], true)?;
        self.line.document(&self.line.good(reply)?)
    }

    /// The registries above it.
    ///
    /// # Errors
    ///
    /// When one may not see them.
    pub fn upstreams(&self) -> Result<UpstreamList, RemoteError> {
        self.line.get("upstreams")
    }

    /// Changes the registries above it; gives the list in force then.
    ///
    /// # Errors
    ///
    /// When it cannot be, or one may not.
    pub fn change_upstreams(&self, change: &UpstreamChange) -> Result<UpstreamList, RemoteError> {
        self.line.post("upstreams", change)
    }

    /// Has a batch of promotions wait for approvals; or carries it out, where none are wanted any more.
    ///
    /// # Errors
    ///
    /// When it would be refused whoever approved it.
    pub fn request_promotion(&self, batch: &Batch) -> Result<KeptPromotion, RemoteError> {
        self.line.post("promotions", batch)
    }

    /// The promotions that wait, as far as one may see them.
    ///
    /// # Errors
    ///
    /// When one may not ask.
    pub fn promotions(&self) -> Result<PromotionRequests, RemoteError> {
        self.line.get("promotions")
    }

    /// Approves a promotion that waits.
    ///
    /// # Errors
    ///
    /// When one may not, or there is none.
    pub fn approve_promotion(&self, request: &str) -> Result<KeptPromotion, RemoteError> {
        self.line.post(&format!("promotions/{}/approvals", in_path(request)), &())
    }

    /// Takes a promotion that waits back, or turns it down.
    ///
    /// # Errors
    ///
    /// When one may not, or there is none.
    pub fn withdraw_promotion(&self, request: &str) -> Result<PromotionRequest, RemoteError> {
        self.line.post(&format!("promotions/{}/withdrawal", in_path(request)), &())
    }

    fn upload(&self, object: Object, query: &'static str) -> Upload<'_> {
        Upload { line: &self.line, path: path(object), query }
    }

    fn state(&self, object: Object) -> Result<State, SubmitError> {
        Ok(self.upload(object, "").state()?)
    }

    fn send(&self, object: Object, query: &'static str, from: &mut dyn Read) -> Result<u64, SubmitError> {
        self.upload(object, query).send(from).map_err(|error| match error {
            UploadError::Remote(error) => error.into(),
            UploadError::Io(error) => error.into(),
        })
    }
}

/// What somebody calls a request, as a part of an address: what no request is called becomes what is not there.
fn in_path(request: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    request.chars().take(64).map(plain).collect()
}

/// Where an object is uploaded to.
fn path(object: Object) -> String {
    match object {
        Object::Pack(tree) => format!("packs/{}", tree.to_hex()),
        Object::File(sha256) => format!("files/{}", sha256.to_hex()),
        // Nobody uploads these: a registry makes them.
        Object::Delta(delta) => format!("deltas/{}/{}", delta.to.to_hex(), delta.from.to_hex()),
        Object::Snapshot(sha256) => format!("snapshots/{}", sha256.to_hex()),
    }
}

impl Registry for RemoteRegistry {
    fn put_pack(&self, tree: &TreeDigest, from: &mut dyn Read) -> Result<u64, SubmitError> {
        self.send(Object::Pack(*tree), "", from)
    }

    fn put_file(&self, sha256: &Sha256, from: &mut dyn Read) -> Result<u64, SubmitError> {
        self.send(Object::File(*sha256), "", from)
    }

    fn pack_size(&self, tree: &TreeDigest) -> Result<Option<u64>, SubmitError> {
        let state = self.state(Object::Pack(*tree))?;
        Ok(state.is_whole.then_some(state.bytes))
    }

    fn has_file(&self, sha256: &Sha256) -> Result<bool, SubmitError> {
        Ok(self.state(Object::File(*sha256))?.is_whole)
    }

    fn is_whole(&self, object: Object) -> Result<bool, SubmitError> {
        let Verified { whole } = self.line.post(&format!("{}/verification", path(object)), &())?;
        Ok(whole)
    }

    fn mend(&self, object: Object, from: &mut dyn Read) -> Result<u64, SubmitError> {
        self.send(object, "mend", from)
    }

    fn check(&self, kind: KindName) -> Result<(), SubmitError> {
        let query = format!("kind={kind}");
        let reply = self.line.say(Method::Get, "checks/publish", &query, Vec::new(), &[], true)?;
        self.line.good(reply)?;
        Ok(())
    }

    fn may_promote(&self, releases: &[ReleaseId], into: &str) -> Result<(), SubmitError> {
        let asked = PromotionCheck { releases: releases.to_vec(), into: into.to_owned() };
        let body = self.line.encoded(&asked)?;
        let headers = vec![("content-type", "application/json".to_owned())];
        self.line.good(self.line.say(Method::Post, "checks/promote", "", headers, &body, true)?)?;
        Ok(())
    }

    fn submit(&self, batch: &Batch) -> Result<Receipt, SubmitError> {
        // A server tells of what cannot be shown only that it does not take it.
        batch.intents.iter().try_for_each(check_words)?;
        let body = self.line.encoded(batch)?;
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            // By it the server knows the batch again, so that it can be sent again when the answer is lost.
            (IDEMPOTENCY_KEY, ulid::Ulid::generate().to_string()),
        ];
        let reply = self.line.say(Method::Post, "batches", "", headers, &body, true)?;
        Ok(self.line.document(&self.line.good(reply)?)?)
    }

    fn preview(&self, batch: &Batch) -> Result<Vec<Outcome>, SubmitError> {
        batch.intents.iter().try_for_each(check_words)?;
        let body = self.line.encoded(batch)?;
        let headers = vec![("content-type", "application/json".to_owned())];
        let reply = self.line.say(Method::Post, "batches", "dry-run", headers, &body, true)?;
        let Preview { outcomes } = self.line.document(&self.line.good(reply)?)?;
        Ok(outcomes)
    }

    fn renew(&self) -> Result<String, SubmitError> {
        let Renewed { checkpoint } = self.line.post("checkpoint", &())?;
        Ok(checkpoint)
    }

    fn rotate_key(&self) -> Result<Descriptor, SubmitError> {
        Ok(self.line.post("keys", &())?)
    }

    fn storage(&self) -> Result<Storage, SubmitError> {
        Ok(self.line.get("storage")?)
    }

    fn collect(&self, what: &Collect) -> Result<Collected, SubmitError> {
        let request = CollectRequest { removed_before: what.removed_before, dry_run: what.dry_run };
        Ok(self.line.post("collections", &request)?)
    }
}
