//! Promotion: releases of a registry, with what they need of its own, brought up into another as they are there.
//!
//! * [`promote`] plans what moves, asks the registry below whether it may go and the one above whether it
//!   may come, moves the content, and submits one batch. Cut short anywhere, it goes on when it is run again: content that is
//!   there is not sent twice, and a release that is there with the same content is there already.
//! * Where the registry above wants approvals, what was submitted waits there as a request: [`requests()`], [`approve`] and
//!   [`withdraw`].
//!
//! Nothing is believed that the registry below merely says: its log is followed, and each record that moves is proven by it.

mod below;
mod carry;
mod error;
mod plan;
mod requests;
mod target;

use std::num::NonZeroUsize;
use std::path::Path;

use serde::Serialize;
use weir_log::Source;
use weir_model::record::Origin;
use weir_model::{
    Action, BuildId, InputDigest, PackageName, Platform, ReleaseId, Scope, TreeDigest, Version,
};
use weir_reach::{
    Amount, Connection, ManifestRegistries, ReachError, Session, Work, connect, find, is_http,
    open_for_writing, open_served,
};
use weir_registry::{
    Batch, Code, Draft, Intent, Outcome, Promotion, ProvenRecord, Receipt, SubmitError, Wanted,
};
use weir_wire::promotion::PromotionRequest;

pub use below::refuse_withdrawn_in;
pub use error::PromoteError;
pub use requests::{approve, requests, withdraw};

/// How many parts of a large file are fetched at a time.
const STREAMS: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// What is to be promoted.
#[derive(Debug, Clone)]
pub struct Promote {
    /// The package.
    pub name: PackageName,
    /// The version.
    pub version: Version,
    /// Only the release for this platform.
    pub platform: Option<Platform>,
    /// Only this revision; of each platform, the latest that is offered where none is given.
    pub revision: Option<u32>,
    /// The registry that it is to go into, by name, folder or address: the first of those above where none is named.
    pub to: Option<String>,
    /// Whether to tell what would move and do nothing.
    pub dry_run: bool,
}

/// What was promoted, or would be.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PromotionReport {
    /// The registry that it comes from.
    pub from: String,
    /// The registry that it goes into.
    pub to: String,
    /// What moves, each after what it needs; nothing where all is there already.
    pub releases: Vec<PromotedRelease>,
    /// What is there already, with the same content.
    pub already: Vec<ReleaseId>,
    /// What the registry above answered; nothing with `--dry-run`, or while it waits for approvals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Receipt>,
    /// With `--dry-run`, what would become of each release.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preview: Vec<Outcome>,
    /// Why it waits, or with `--dry-run` would wait, for approvals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits: Option<String>,
    /// The request that it waits as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<PromotionRequest>,
}

/// A release that moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PromotedRelease {
    /// Which one.
    pub id: ReleaseId,
    /// The digest of its tree.
    pub tree: TreeDigest,
    /// The digest of its inputs, which stays the same.
    pub input_digest: InputDigest,
    /// Bytes of its pack.
    pub size: u64,
    /// Where it stands in the log of the registry that it comes from, proven by what that signed.
    pub from: Origin,
}

/// Promotes a release and what it needs of its registry's own.
///
/// # Errors
///
/// When one of the registries cannot be asked, does not have it or refuses it. Nothing is offered above then.
pub fn promote(
    session: &Session,
    project: Option<ManifestRegistries<'_>>,
    what: &Promote,
) -> Result<PromotionReport, PromoteError> {
    let here = Path::new(".");
    let below = connect(session, &find(session, project, None, here)?)?;
    // What has been withdrawn since a copy was put aside is offered by that copy still.
    below.replica.check_elsewhere(&*below.source, session.now).map_err(ReachError::from)?;
    let above = connect(session, &target::of(session, project, &below, what.to.as_deref())?)?;
    if below.replica.name() == above.replica.name() {
        return Err(PromoteError::SameRegistry { registry: below.known.name });
    }
    let plan = plan::plan(&below, &above, what)?;
    let ids: Vec<ReleaseId> = plan.moves.iter().map(|view| view.release.id.clone()).collect();
    let lower = open_for_writing(session, &below.known)?;
    let upper = open_for_writing(session, &above.known)?;
    lower.may_promote(&ids, above.replica.name())?;
    let mut report = PromotionReport {
        from: below.known.name.clone(),
        to: above.known.name.clone(),
        releases: Vec::with_capacity(ids.len()),
        already: plan.already,
        receipt: None,
        preview: Vec::new(),
        waits: None,
        request: None,
    };
    let mut intents = Vec::with_capacity(ids.len());
    for view in &plan.moves {
        let promotion = promotion(&below, view)?;
        report.releases.push(PromotedRelease {
            id: view.release.id.clone(),
            tree: view.release.tree,
            input_digest: view.release.input_digest,
            size: view.release.size,
            from: promotion.from.clone(),
        });
        intents.push(Intent::Promote(Box::new(promotion)));
    }
    let mut batch = Batch { intents };
    // First of all: what would be refused is not sent.
    match upper.preview(&batch) {
        Ok(preview) => report.preview = preview,
        // Only a server keeps requests.
        Err(error) if what.dry_run || is_http(&above.known.location) => {
            report.waits = Some(wants_approvals(error)?);
        }
        Err(error) => return Err(error.into()),
    }
    if what.dry_run {
        return Ok(report);
    }
    report.preview = Vec::new();
    for (intent, view) in batch.intents.iter_mut().zip(&plan.moves) {
        let size = carry::content(session, &*below.source, &*upper, &view.release)?;
        if let Intent::Promote(promotion) = intent {
            // Somebody else may have been first with a pack of another size: the one that is there counts.
            promotion.draft.size = size;
        }
    }
    session.begin(Work::Publishing { releases: batch.intents.len() }, Amount::Unknown);
    if report.waits.is_some() {
        let kept = open_served(session, &above.known)?.request_promotion(&batch)?;
        (report.receipt, report.request) = (kept.receipt, kept.request);
        // They may have become needless meanwhile.
        report.waits = report.waits.filter(|_| report.request.is_some());
    } else {
        report.receipt = Some(upper.submit(&batch)?);
    }
    Ok(report)
}

/// Why a registry wants approvals, if that is all that it refuses for.
fn wants_approvals(error: SubmitError) -> Result<String, SubmitError> {
    match error.code() {
        Code::NeedsApproval => Ok(error.to_string()),
        _ => Err(error),
    }
}

/// A release as its record says it, proven by the log that was followed.
fn promotion(below: &Connection, view: &weir_index::ReleaseView) -> Result<Promotion, PromoteError> {
    let source: &dyn Source = &*below.source;
    let ProvenRecord { record, entry, from, proof } = below.replica.proven_record(source, view.mark.index)?;
    let release = match record.action {
        Action::Publish { release } | Action::Admit { release, .. } | Action::Promote { release, .. } => {
            release
        }
        _ => return Err(PromoteError::OtherRecord { id: view.release.id.clone(), index: view.mark.index }),
    };
    if release.id() != view.release.id || release.tree != view.release.tree {
        return Err(PromoteError::OtherRecord { id: view.release.id.clone(), index: view.mark.index });
    }
    let id = release.id();
    let is_baked = |scope: Scope| release.kind.bakes() && scope != Scope::Dev;
    let baked = release.dependencies.iter().filter(|dependency| is_baked(dependency.scope));
    let baked = baked.filter_map(|dependency| {
        dependency.baked.clone().map(|build: BuildId| build.of(dependency.name.clone()))
    });
    let baked = baked.collect();
    let dependencies = release.dependencies.iter().map(|dependency| Wanted {
        name: dependency.name.clone(),
        range: dependency.range.clone(),
        scope: dependency.scope,
        fluid: is_baked(dependency.scope) && dependency.baked.is_none(),
    });
    let dependencies = dependencies.collect();
    let references = release.references.iter().cloned();
    let draft = Draft {
        id,
        kind: release.kind,
        tree: release.tree,
        input_digest: Some(view.release.input_digest),
        size: release.size,
        unpacked: release.unpacked,
        files: release.files,
        dependencies,
        references: references
            .map(|reference| weir_model::ReferenceFact { held: false, ..reference })
            .collect(),
        recipe: release.recipe,
        toolchain: release.toolchain,
        license: release.license,
        description: release.description,
        facts: release.kind_facts,
    };
    Ok(Promotion { draft, baked, from, entry, proof: proof.to_string() })
}
