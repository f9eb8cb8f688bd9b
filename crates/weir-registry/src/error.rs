//! Why a registry refused a batch, or could not carry it out.

use weir_model::advisory::{AdvisoryId, OsvError};
use weir_model::record::LONGEST_REASON;
use weir_model::{InputDigest, KindName, PackageName, Range, ReleaseId, Sha256, TreeDigest, Version};

use crate::content::ContentError;
use crate::ports::{KeysError, PortError};
use crate::replica::ReplicaError;
use weir_model::evidence::Evidence;
use weir_rules::diamond::Diamond;

/// Why a batch was not carried out. Nothing of it is visible then.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// A registry elsewhere said no, or could not do it.
    #[error("{}", .0.message)]
    Remote(weir_wire::Refusal),
    /// A registry elsewhere was not reached, or did not answer as one.
    #[error(transparent)]
    Unreachable(#[from] weir_log::SourceError),
    /// A registry elsewhere cannot be written to.
    #[error(transparent)]
    Elsewhere(Box<dyn std::error::Error + Send + Sync>),
    /// A policy says no.
    #[error(transparent)]
    Refused(#[from] weir_policy::Denied),
    /// It could be promoted, had enough others approved it.
    #[error(
        "{} {} for approval: {} (policy `{}`)",
        denied.iter().map(|denied| denied.target.to_string()).collect::<Vec<_>>().join(", "),
        if denied.len() == 1 { "waits" } else { "wait" },
        denied.first().map_or("", |denied| denied.decision.reason.as_str()),
        denied.first().map_or("", |denied| &*denied.decision.policy),
    )]
    NeedsApproval {
        /// What was answered of each release.
        denied: Vec<weir_policy::Denied>,
    },
    /// What is said of a promotion does not fit together.
    #[error("`{id}` cannot be promoted: {reason}")]
    BadPromotion {
        /// The release.
        id: ReleaseId,
        /// What does not fit.
        reason: String,
    },
    /// What a release that is promoted was made with is not here.
    #[error("`{id}` was published with `{baked}`, which is not offered here")]
    BakedMissing {
        /// The release.
        id: ReleaseId,
        /// What it is fixed to.
        baked: ReleaseId,
    },
    /// The policies that would decide are not those in force.
    #[error("nothing is changed here: {0}")]
    OtherPolicies(#[from] weir_policy::OtherPolicies),
    /// The release is there with other content.
    #[error("`{id}` is already published with other content, and a release never changes")]
    AlreadyPublished {
        /// The release.
        id: ReleaseId,
        /// The tree it is published with.
        published: TreeDigest,
        /// The tree that was offered.
        offered: TreeDigest,
    },
    /// The release was there and is gone.
    #[error("`{id}` was published and removed; a version is never given twice")]
    WasRemoved {
        /// The release.
        id: ReleaseId,
    },
    /// The package is of another kind.
    #[error("`{name}` is a package of the kind `{kind}`, not `{offered}`")]
    OtherKind {
        /// The package.
        name: PackageName,
        /// Its kind.
        kind: KindName,
        /// The kind that was offered.
        offered: KindName,
    },
    /// The registry takes other kinds of package only.
    #[error(
        "{} the kind `{offered}`, and the registry `{registry}` takes only {}",
        id.as_ref().map_or_else(|| "this would be of".to_owned(), |id| format!("`{id}` is of")),
        takes.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ")
    )]
    KindNotTaken {
        /// The release to be published, if it is one already.
        id: Option<ReleaseId>,
        /// Its kind.
        offered: KindName,
        /// The registry.
        registry: String,
        /// The kinds it takes.
        takes: Vec<KindName>,
    },
    /// The name can be mistaken for another.
    #[error("the name `{name}` can be mistaken for `{existing}`, which is there already")]
    Confusable {
        /// The name that was offered.
        name: PackageName,
        /// The name that is there.
        existing: String,
    },
    /// The content has not been uploaded.
    #[error("the pack of `{id}` has not been uploaded")]
    NotUploaded {
        /// The release.
        id: ReleaseId,
        /// Its tree.
        tree: TreeDigest,
    },
    /// A draft says something else than the pack that was uploaded.
    #[error(
        "`{id}` is not what was uploaded: its `{field}` is said to be {said}, and its pack gives {derived}"
    )]
    DraftDiffers {
        /// The release.
        id: ReleaseId,
        /// The field, as it is called in a batch; of a fact, `facts` and its name.
        field: String,
        /// What the draft says, as JSON.
        said: String,
        /// What follows from the pack, as JSON.
        derived: String,
    },
    /// What was uploaded makes no release.
    #[error("`{id}` cannot be published: {error}")]
    NoRelease {
        /// The release that it was to be.
        id: ReleaseId,
        /// What is wrong with it.
        #[source]
        error: Box<weir_package::PackageError>,
    },
    /// A pack is held with another size than the release states.
    #[error("`{id}` says that the pack of the tree {tree} has {said} bytes; it is held with {held}")]
    OtherSize {
        /// The release.
        id: ReleaseId,
        /// The tree: its own, or that of its source.
        tree: TreeDigest,
        /// Bytes of the pack that is held.
        held: u64,
        /// Bytes that the release states.
        said: u64,
    },
    /// What it says it was built from or by has not been uploaded.
    #[error("`{id}` was built from what has not been uploaded: {}", list(missing))]
    EvidenceNotUploaded {
        /// The release.
        id: ReleaseId,
        /// What is missing.
        missing: Vec<Evidence>,
    },
    /// Its dependencies would be baked to others than those it was built against.
    #[error(
        "`{id}` was built from the inputs {expected}, and would be published with {computed}: what it depends on has changed meanwhile"
    )]
    UnexpectedInputs {
        /// The release.
        id: ReleaseId,
        /// The input digest it was built for.
        expected: weir_model::InputDigest,
        /// The input digest that its dependencies give now.
        computed: weir_model::InputDigest,
    },
    /// What its kind found out about it is not what records, lockfiles and terminals can hold.
    #[error("`{id}`: {error}")]
    Facts {
        /// The release.
        id: ReleaseId,
        /// What is wrong.
        #[source]
        error: weir_model::FactsError,
    },
    /// What it says about its build does not read.
    #[error("`{id}`: {error}")]
    BuildFacts {
        /// The release.
        id: ReleaseId,
        /// What is wrong.
        #[source]
        error: weir_model::BuildFactsError,
    },
    /// The content was withdrawn for everyone.
    #[error("`{id}` has or names content of `{quarantined}`, which is quarantined")]
    QuarantinedContent {
        /// The release to be published.
        id: ReleaseId,
        /// The release that is quarantined.
        quarantined: ReleaseId,
    },
    /// The hash guarantee would be broken.
    #[error(
        "the inputs of `{id}` gave another tree before: they are {input_digest}, which is bound to {bound}, not to {offered}"
    )]
    SecondTree {
        /// The release.
        id: ReleaseId,
        /// The digest of its inputs.
        input_digest: InputDigest,
        /// The tree they are bound to.
        bound: TreeDigest,
        /// The tree that was offered.
        offered: TreeDigest,
    },
    /// Nothing meets a dependency.
    #[error("`{id}` needs `{dependency}` {range}, which this registry does not offer")]
    Unsatisfiable {
        /// The release to be published.
        id: ReleaseId,
        /// What it needs.
        dependency: PackageName,
        /// The versions that would do.
        range: Range,
        /// The versions that are offered, newest last.
        versions: Vec<String>,
        /// A name that may have been meant, if there is none of this one.
        similar: Option<String>,
    },
    /// Packages that would be baked into one another, or of Elm would need one another.
    #[error("packages cannot be built with one another: {}", cycle.iter().map(ToString::to_string).collect::<Vec<_>>().join(" needs "))]
    BakedCycle {
        /// The cycle, its first member again at the end.
        cycle: Vec<ReleaseId>,
    },
    /// An owner cannot belong to that.
    #[error("`{owner}` cannot belong to `{who}`: people are written as `user:NAME` or `group:NAME`")]
    Nobody {
        /// The owner.
        owner: weir_model::OwnerName,
        /// What was given, as far as it can be shown.
        who: String,
    },
    /// An owner belongs to too many, or to one twice.
    #[error("`{owner}` cannot belong to so many: at most {most}, each named once")]
    TooManyHolders {
        /// The owner.
        owner: weir_model::OwnerName,
        /// How many it can belong to.
        most: usize,
    },
    /// What is said of a withdrawal cannot be shown to those it is said for.
    #[error("a {what} has at most {LONGEST_REASON} characters, and none that nobody sees or that is no text")]
    BadWords {
        /// What it was to be: a reason, an advisory.
        what: &'static str,
    },
    /// There is no package of that name.
    #[error("there is no package `{name}` in this registry")]
    UnknownPackage {
        /// The name.
        name: PackageName,
        /// A name that may have been meant.
        similar: Option<String>,
    },
    /// There is no such version.
    #[error("there is no version {version} of `{name}` in this registry")]
    UnknownVersion {
        /// The package.
        name: PackageName,
        /// The version.
        version: Version,
        /// The versions there are.
        versions: Vec<String>,
    },
    /// The version is there, for another platform or in another revision.
    #[error("there is no `{wanted}` in this registry")]
    UnknownBuild {
        /// What was meant.
        wanted: String,
        /// What there is of the version.
        there: Vec<ReleaseId>,
    },
    /// Two releases of one package would meet.
    #[error("`{id}` would bring together two builds of one package, and this registry is closed: {diamond}")]
    Diamond {
        /// The release to be published.
        id: ReleaseId,
        /// How each of the two is reached.
        diamond: Box<Diamond>,
    },
    /// The closed world would be broken.
    #[error(
        "`{id}` cannot be removed: this registry is closed, and {} built with it",
        describe_dependents(dependents)
    )]
    WouldBreak {
        /// The release to be removed.
        id: ReleaseId,
        /// What was built with it.
        dependents: Vec<ReleaseId>,
    },
    /// A record is too long, or has a fact that cannot be written.
    #[error(transparent)]
    Record(#[from] weir_model::RecordError),
    /// The batch breaks a rule of the log.
    #[error(transparent)]
    Fold(#[from] weir_index::FoldError),
    /// The snapshot cannot be written.
    #[error(transparent)]
    Snapshot(#[from] weir_index::SnapshotError),
    /// The registry's own log cannot be followed.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// The view cannot be asked.
    #[error(transparent)]
    Index(#[from] weir_index::IndexError),
    /// The log cannot be written.
    #[error(transparent)]
    Write(#[from] weir_log::WriteError),
    /// Content cannot be written.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A key is unusable.
    #[error(transparent)]
    Key(#[from] weir_log::KeyError),
    /// A key cannot sign.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The log or the descriptor cannot be changed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A name is bound to another tier.
    #[error(
        "{} under `{name}`, which is bound to {tier}",
        upstream.as_ref().map_or_else(
            || "nothing is published here".to_owned(),
            |upstream| format!("nothing of the registry `{upstream}` is admitted")
        )
    )]
    OtherTier {
        /// The package.
        name: PackageName,
        /// The tier that it is bound to.
        tier: weir_index::Tier,
        /// The registry above that a release was to come from; nothing where it was to be published here.
        upstream: Option<String>,
    },
    /// An owner is to be claimed of which releases are offered that came from above.
    #[error(
        "`{owner}` is bound to the registry `{registry}`: releases of `{name}` are offered that came from there"
    )]
    ClaimedAbove {
        /// The owner.
        owner: weir_model::OwnerName,
        /// The registry that it is bound to.
        registry: String,
        /// A package of which something came from there.
        name: PackageName,
    },
    /// A package cannot be adopted, or given back.
    #[error("`{name}` is not adopted, nor given back: {reason}")]
    NotAdopted {
        /// The package.
        name: PackageName,
        /// Why not.
        reason: String,
    },
    /// A release of a registry above is not what its log says.
    #[error("`{id}` is not admitted: the log of `{upstream}` does not say of it what its view says")]
    NotProven {
        /// The release.
        id: ReleaseId,
        /// The registry above.
        upstream: String,
    },
    /// A release of a registry above was built with something that is another here.
    #[error(
        "`{id}` of the registry `{upstream}` was built with `{with}`, which is not here, or is not the same here"
    )]
    BuiltWithOther {
        /// The release.
        id: ReleaseId,
        /// What it was built with.
        with: ReleaseId,
        /// The registry above.
        upstream: String,
    },
    /// A registry above could not prove what its log says.
    #[error(transparent)]
    Proof(#[from] weir_log::ProofError),
    /// A registry cannot be the upstream of another one.
    #[error("`{upstream}` cannot be an upstream of `{registry}`: {reason}")]
    NoUpstream {
        /// The registry that was to be above.
        upstream: String,
        /// The registry that was to be below.
        registry: String,
        /// Why not.
        reason: String,
    },
    /// The registry has no upstream of that name.
    #[error("the registry `{registry}` has no upstream `{name}`")]
    UnknownUpstream {
        /// The registry.
        registry: String,
        /// The name that was looked for.
        name: String,
        /// The upstreams it has.
        there: Vec<String>,
    },
    /// Somebody would hold more than they may.
    #[error("nothing more is taken: {0}")]
    BeyondQuota(Box<crate::quota::BeyondQuota>),
    /// The document of an advisory has not been uploaded.
    #[error("the document of the advisory `{id}`, {document}, was not uploaded")]
    AdvisoryNotUploaded {
        /// The advisory.
        id: AdvisoryId,
        /// Its document.
        document: Sha256,
    },
    /// What is said of an advisory is not what its document says.
    #[error("what is said of the advisory `{id}` is not what its document says")]
    AdvisoryDiffers {
        /// The advisory.
        id: AdvisoryId,
    },
    /// The document of an advisory is none.
    #[error("the document of `{id}` is no advisory: {error}")]
    NoAdvisory {
        /// The advisory.
        id: AdvisoryId,
        /// Why not.
        #[source]
        error: OsvError,
    },
    /// There is no such advisory.
    #[error("the registry knows no advisory `{id}`")]
    UnknownAdvisory {
        /// The name that was looked for.
        id: AdvisoryId,
    },
    /// Others changed the registry all the while.
    #[error("others kept changing the registry: nothing was done; try again")]
    Busy,
    /// The registry cannot be made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file cannot be written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

fn list(evidence: &[Evidence]) -> String {
    evidence.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn describe_dependents(dependents: &[ReleaseId]) -> String {
    const SHOWN: usize = 5;
    let mut text: Vec<_> = dependents.iter().take(SHOWN).map(|id| format!("`{id}`")).collect();
    if dependents.len() > SHOWN {
        text.push(format!("{} more", dependents.len() - SHOWN));
    }
    let verb = if dependents.len() == 1 { "was" } else { "were" };
    format!("{} {verb}", text.join(", "))
}

/// Why a registry could not be made.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is something else in the folder.
    #[error("`{0}` is not empty and no registry")]
    NotEmpty(String),
    /// There is a registry already.
    #[error("there is a registry in `{0}` already")]
    Exists(String),
}
