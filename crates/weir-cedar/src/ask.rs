//! A request, in Cedar's words.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr as _;
use std::sync::LazyLock;

use cedar_policy::{Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use jiff::Timestamp;
use serde_json::{Map, Value};
use weir_model::advisory::Severity;
use weir_model::{KindName, License};
use weir_policy::{Caller, Principal, ReleaseFacts, Request, Target, Verb};

use crate::groups::Groups;
use crate::mentioned::Mentioned;

/// What is known of a release that somebody asks about, as a value of its own.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What sort of package it is.
    pub kind: KindName,
    /// Its SPDX licence expression, if it has one.
    pub license: Option<String>,
    /// Bytes of its pack.
    pub size: u64,
    /// Bytes of its files together.
    pub unpacked: u64,
    /// How many files and links it has.
    pub files: u64,
    /// Whether it was built from source by a recipe.
    pub built: bool,
    /// Whether a statement of how it was built is held with it.
    pub provenance: bool,
    /// Whether its name is new and can be mistaken for another.
    pub confusable: bool,
    /// How bad the worst is that advisories know against it.
    pub advised: Option<Severity>,
    /// When it was published first.
    pub published: Option<Timestamp>,
    /// The registry above that it comes from.
    pub upstream: Option<String>,
    /// The registry below that it is promoted from; of what is to be promoted, the one above.
    pub promoted: Option<String>,
    /// Who approved that it is promoted.
    pub approved_by: Vec<String>,
    /// What its kind found out about it.
    pub kind_facts: Map<String, Value>,
}

impl From<ReleaseFacts<'_>> for Facts {
    fn from(facts: ReleaseFacts<'_>) -> Self {
        Self {
            kind: facts.kind,
            license: facts.license.map(str::to_owned),
            size: facts.size,
            unpacked: facts.unpacked,
            files: facts.files,
            built: facts.built,
            provenance: facts.provenance,
            confusable: facts.confusable,
            advised: facts.advised,
            published: facts.published,
            upstream: facts.upstream.map(str::to_owned),
            promoted: facts.promoted.map(str::to_owned),
            approved_by: facts.approved_by.to_vec(),
            kind_facts: facts.kind_facts.clone(),
        }
    }
}

impl Facts {
    /// Those of a release of which nothing is known but what sort of package it is: nothing special.
    pub fn of_kind(kind: KindName) -> Self {
        Self {
            kind,
            license: None,
            size: 0,
            unpacked: 0,
            files: 0,
            built: false,
            provenance: false,
            confusable: false,
            advised: None,
            published: None,
            upstream: None,
            promoted: None,
            approved_by: Vec::new(),
            kind_facts: Map::new(),
        }
    }

    /// They, as a gate is asked.
    pub fn view(&self) -> ReleaseFacts<'_> {
        ReleaseFacts {
            kind: self.kind,
            license: self.license.as_deref(),
            size: self.size,
            unpacked: self.unpacked,
            files: self.files,
            built: self.built,
            provenance: self.provenance,
            kind_facts: &self.kind_facts,
            published: self.published,
            confusable: self.confusable,
            advised: self.advised,
            upstream: self.upstream.as_deref(),
            promoted: self.promoted.as_deref(),
            approved_by: &self.approved_by,
        }
    }
}

/// May somebody do something, as a value of its own: what a case and `weir policy explain` ask.
#[derive(Debug, Clone)]
pub struct Question {
    /// Who.
    pub principal: Principal,
    /// What.
    pub verb: Verb,
    /// To what.
    pub target: Target,
    /// To whom the target's owner belongs, if somebody has claimed it.
    pub owner_belongs_to: Option<Vec<String>>,
    /// What the target is, where it is a release.
    pub facts: Option<Facts>,
    /// When.
    pub at: Timestamp,
}

impl Question {
    /// Has `answer` answer it.
    pub fn ask<T>(&self, answer: impl FnOnce(&Request<'_>) -> T) -> T {
        let caller = Caller::new(self.principal.clone(), self.at);
        answer(&Request {
            caller: &caller,
            verb: self.verb,
            target: self.target.clone(),
            owner_belongs_to: self.owner_belongs_to.clone(),
            release: self.facts.as_ref().map(Facts::view),
        })
    }
}

/// A request as Cedar is asked.
pub(crate) struct Asked {
    pub(crate) request: cedar_policy::Request,
    pub(crate) entities: Entities,
}

impl Asked {
    /// Puts a request, of somebody who is also in `groups`, into Cedar's words, as far as it is `read`.
    ///
    /// # Errors
    ///
    /// In words, when it cannot be: a time far from ours, for one.
    pub(crate) fn new(request: &Request<'_>, groups: &Groups, read: &Mentioned) -> Result<Self, String> {
        let told = |error: &dyn std::fmt::Display| error.to_string();
        let told_of = Telling { read, request };
        let principal = told_of.principal(groups)?;
        let resource = told_of.resource()?;
        let context = Context::from_pairs(told_of.circumstances()).map_err(|error| told(&error))?;
        let action = TYPES.actions[request.verb as usize].clone();
        let asked = cedar_policy::Request::new(principal.uid(), action, resource.uid(), context, None)
            .map_err(|error| told(&error))?;
        let entities = Entities::from_entities([principal, resource], None).map_err(|error| told(&error))?;
        Ok(Self { request: asked, entities })
    }
}

/// The names of types and actions, read once.
struct Types {
    user: EntityTypeName,
    group: EntityTypeName,
    workload: EntityTypeName,
    anonymous: EntityTypeName,
    registry: EntityTypeName,
    owner: EntityTypeName,
    package: EntityTypeName,
    release: EntityTypeName,
    actions: Vec<EntityUid>,
}

#[expect(clippy::expect_used, reason = "the names are constants, and every test of this crate reads them")]
static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let named = |name: &str| EntityTypeName::from_str(name).expect("it is a name");
    Types {
        user: named("User"),
        group: named("Group"),
        workload: named("Workload"),
        anonymous: named("Anonymous"),
        registry: named("Registry"),
        owner: named("Owner"),
        package: named("Package"),
        release: named("Release"),
        actions: Verb::ALL.iter().map(|verb| uid(&named("Action"), verb.as_str())).collect(),
    }
});

fn uid(sort: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(sort.clone(), EntityId::new(id))
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> RestrictedExpression {
    RestrictedExpression::new_set(texts.into_iter().map(text))
}

fn number(number: u64) -> RestrictedExpression {
    RestrictedExpression::new_long(i64::try_from(number).unwrap_or(i64::MAX))
}

fn yes(yes: bool) -> RestrictedExpression {
    RestrictedExpression::new_bool(yes)
}

fn time(at: Timestamp) -> RestrictedExpression {
    RestrictedExpression::new_datetime(at.to_string())
}

type Fields = HashMap<String, RestrictedExpression>;

/// Telling Cedar of a request what is read of it.
struct Telling<'a> {
    read: &'a Mentioned,
    request: &'a Request<'a>,
}

impl Telling<'_> {
    fn principal(&self, more: &Groups) -> Result<Entity, String> {
        let principal = self.request.caller.principal();
        let mut fields = Fields::new();
        match principal {
            Principal::Anonymous => {
                self.tell(&mut fields, "names", || texts([]));
                entity(uid(&TYPES.anonymous, "anonymous"), fields, HashSet::new(), Fields::new())
            }
            Principal::User { name, groups } => {
                let groups: BTreeSet<&str> = groups.iter().map(String::as_str).chain(more.of(name)).collect();
                self.tell(&mut fields, "name", || text(name));
                self.tell(&mut fields, "names", || {
                    let mut names: Vec<String> =
                        groups.iter().map(|group| format!("group:{group}")).collect();
                    names.push(principal.to_string());
                    texts(names.iter().map(String::as_str))
                });
                let parents = groups.into_iter().map(|group| uid(&TYPES.group, group)).collect();
                entity(uid(&TYPES.user, name), fields, parents, Fields::new())
            }
            Principal::Workload { issuer, subject, claims, acts_for } => {
                let people = acts_for.iter().filter_map(|who| who.strip_prefix("user:"));
                let groups = acts_for.iter().filter_map(|who| who.strip_prefix("group:"));
                let groups: BTreeSet<&str> = groups.chain(people.flat_map(|name| more.of(name))).collect();
                self.tell(&mut fields, "issuer", || text(issuer));
                self.tell(&mut fields, "subject", || text(subject));
                self.tell(&mut fields, "names", || {
                    let mut names: BTreeSet<String> =
                        groups.iter().map(|group| format!("group:{group}")).collect();
                    names.extend(acts_for.iter().cloned().chain([principal.to_string()]));
                    texts(names.iter().map(String::as_str))
                });
                let claims = claims.iter().filter(|_| self.read.tags);
                let tags = claims.map(|(claim, value)| (claim.clone(), text(value))).collect();
                let parents = groups.into_iter().map(|group| uid(&TYPES.group, group)).collect();
                entity(uid(&TYPES.workload, &format!("{issuer} {subject}")), fields, parents, tags)
            }
        }
    }

    fn resource(&self) -> Result<Entity, String> {
        let registry = uid(&TYPES.registry, "this");
        let mut fields = Fields::new();
        match &self.request.target {
            Target::Registry => entity(registry, fields, HashSet::new(), Fields::new()),
            Target::Owner(owner) => {
                self.holders(&mut fields);
                entity(uid(&TYPES.owner, owner.as_str()), fields, [registry].into(), Fields::new())
            }
            Target::Release(id) => {
                self.tell(&mut fields, "name", || text(id.name.as_str()));
                self.tell(&mut fields, "version", || text(&id.version.to_string()));
                self.tell(&mut fields, "platform", || text(&id.platform.to_string()));
                self.tell(&mut fields, "revision", || number(id.revision.into()));
                self.holders(&mut fields);
                let mut tags = Fields::new();
                if let Some(facts) = &self.request.release {
                    self.facts(&mut fields, facts);
                    let facts = facts.kind_facts.iter().filter(|_| self.read.tags);
                    tags = facts.map(|(fact, value)| (fact.clone(), tag(value))).collect();
                }
                let above =
                    [uid(&TYPES.package, id.name.as_str()), uid(&TYPES.owner, id.name.owner()), registry];
                entity(uid(&TYPES.release, &id.to_string()), fields, above.into(), tags)
            }
        }
    }

    fn holders(&self, fields: &mut Fields) {
        let holders = self.request.owner_belongs_to.as_deref();
        self.tell(fields, "claimed", || yes(holders.is_some()));
        self.tell(fields, "holders", || texts(holders.unwrap_or_default().iter().map(String::as_str)));
    }

    fn facts(&self, fields: &mut Fields, facts: &ReleaseFacts<'_>) {
        self.tell(fields, "kind", || text(facts.kind.as_str()));
        self.tell(fields, "licenses", || {
            let license = facts.license.and_then(|license| license.parse::<License>().ok());
            let ids = license.as_ref().map(License::ids).unwrap_or_default();
            texts(ids.iter().map(String::as_str))
        });
        self.tell(fields, "size", || number(facts.size));
        self.tell(fields, "unpacked", || number(facts.unpacked));
        self.tell(fields, "files", || number(facts.files));
        self.tell(fields, "built", || yes(facts.built));
        self.tell(fields, "provenance", || yes(facts.provenance));
        self.tell(fields, "confusable", || yes(facts.confusable));
        self.tell(fields, "advised", || yes(facts.advised.is_some()));
        self.tell(fields, "severity", || number(facts.advised.map_or(0, |severity| 1 + severity as u64)));
        if let Some(license) = facts.license {
            self.tell(fields, "license", || text(license));
        }
        if let Some(published) = facts.published {
            self.tell(fields, "published", || time(published));
        }
    }

    fn circumstances(&self) -> Fields {
        let mut context = Fields::new();
        self.tell(&mut context, "now", || time(self.request.caller.at()));
        let facts = self.request.release.as_ref();
        match self.request.verb {
            Verb::Admit => {
                let upstream = facts.and_then(|facts| facts.upstream).unwrap_or_default();
                self.tell(&mut context, "upstream", || text(upstream));
            }
            Verb::Promote => {
                let into = facts.and_then(|facts| facts.promoted).unwrap_or_default();
                self.tell(&mut context, "into", || text(into));
            }
            Verb::Approve => {
                let from = facts.and_then(|facts| facts.promoted).unwrap_or_default();
                self.tell(&mut context, "promoted_from", || text(from));
            }
            Verb::Publish => {
                if let Some(from) = facts.and_then(|facts| facts.promoted) {
                    self.tell(&mut context, "promoted_from", || text(from));
                }
                let approved = facts.map(|facts| facts.approved_by).unwrap_or_default().iter();
                let me = self.request.caller.actor();
                let others: BTreeSet<&str> = approved.map(String::as_str).filter(|who| *who != me).collect();
                self.tell(&mut context, "approvals", || number(others.len() as u64));
                self.tell(&mut context, "approvers", || texts(others));
            }
            _ => {}
        }
        context
    }

    /// Tells an attribute, if it is read.
    fn tell(&self, fields: &mut Fields, name: &str, value: impl FnOnce() -> RestrictedExpression) {
        if self.read.has(name) {
            fields.insert(name.to_owned(), value());
        }
    }
}

/// A fact of a kind: text as it is, anything else as JSON.
fn tag(value: &Value) -> RestrictedExpression {
    match value {
        Value::String(value) => text(value),
        value => text(&value.to_string()),
    }
}

fn entity(
    uid: EntityUid,
    fields: Fields,
    parents: HashSet<EntityUid>,
    tags: Fields,
) -> Result<Entity, String> {
    Entity::new_with_tags(uid, fields, parents, tags).map_err(|error| error.to_string())
}
