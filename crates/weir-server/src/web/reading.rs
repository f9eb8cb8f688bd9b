//! Pages for reading: what a registry offers, and what is known of it.

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use weir_cedar::PolicyFiles;
use weir_index::{HeldRelease, Index, PackageView, RegistryFacts, ReleaseView, Stats};
use weir_log::InclusionProof;
use weir_model::{NameError, PackageName, Platform, PlatformError, Version, VersionError};
use weir_reach::{LastSeen, SeenUpstream, Session, upstreams_seen};
use weir_registry::content::ShownTree;
use weir_registry::{Acting, Object, SubmitError};
use weir_web::{
    AboveRegistry, Contact, DEPENDENTS, EntryPage, HomePage, HomeRegistry, ImpactPage, NO_POLICY,
    PackagePage, Period, Readme, RegistryPage, ReleasePage,
};

use super::acting::may;
use super::package_files::download;
use super::{Visitor, answer, pairs};
use crate::api::{self, Asked};
use crate::app::App;
use crate::contact;
use crate::problem::{Code, Problem};
use crate::registries::Served;

/// So many releases are new.
const NEW: usize = 12;

/// The largest pack that is brought from above because somebody looks at a page, in bytes.
const BROUGHT: u64 = 64 << 20;

/// So many releases are looked at to find what one reaches: of the largest packages, not all.
pub(super) const REACHED: usize = 20_000;

/// What is asked for, where it is.
pub(super) type At<T> = (State<Arc<App>>, Path<T>, RawQuery, Visitor);

/// `GET /`
pub(crate) async fn home(State(app): State<Arc<App>>, visitor: Visitor) -> Result<Response, Problem> {
    let mut registries = Vec::new();
    for name in visible(&app, &visitor).await? {
        let asked = match looking(&app, &visitor, &name).await {
            Ok(asked) => asked,
            // It went away just now.
            Err(problem) if problem.is_of_no_registry() => continue,
            Err(problem) => return Err(problem),
        };
        let seen = asked.carry_out(|acting| {
            let view = acting.view()?;
            Ok((view.index().stats()?, view.checkpoint().and_then(weir_log::Checkpoint::time)))
        });
        let (stats, signed): (Option<Stats>, _) = match seen.await {
            Ok((stats, signed)) => (Some(stats), signed),
            Err(_) => (None, None),
        };
        registries.push(HomeRegistry { name, stats, signed });
    }
    let frame = visitor.frame();
    let page = HomePage { frame: &frame, registries: &registries, now: visitor.asker.at };
    answer(&visitor, StatusCode::OK, page.page())
}

/// The registries that whoever looks may see. Of another they are not told the name either.
pub(super) async fn visible(app: &Arc<App>, visitor: &Visitor) -> Result<Vec<String>, Problem> {
    Ok(app.readable(&visitor.asker).await?.iter().map(ToString::to_string).collect())
}

/// `GET /{registry}`
pub(crate) async fn registry(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let asked = looking(&app, &visitor, &name).await?;
    let frame = visitor.frame_of(&name);
    let (now, served, session) = (visitor.asker.at, asked.served.clone(), app.session());
    let signed_in = !visitor.asker.is_anonymous();
    let page = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let index = view.index();
        let facts = index.facts()?;
        let policy = view.descriptor().policy.as_ref();
        let files = PolicyFiles::read(served.folder.path()).map_err(std::io::Error::other)?;
        let page = RegistryPage {
            frame: &frame,
            stats: &index.stats()?,
            facts: &facts,
            policy: policy.map_or(NO_POLICY, |set| set.summary.as_str()),
            parts: &files.parts(),
            above: &above(&session, &served, &facts, signed_in),
            checkpoint: view.checkpoint(),
            newest: &index.newest_releases(NEW)?,
            now,
        };
        Ok(page.page())
    });
    answer(&visitor, StatusCode::OK, page.await?)
}

/// The registries above one, and what is known of them. Where they are and why they were not reached is for those who have signed in, as
/// it is in the API.
fn above(session: &Session, served: &Served, facts: &RegistryFacts, signed_in: bool) -> Vec<AboveRegistry> {
    let mut above = AboveRegistry::of(facts);
    if above.is_empty() {
        return above;
    }
    let seen = upstreams_seen(session, facts, served.folder.path()).unwrap_or_default();
    for one in &mut above {
        if let Some(SeenUpstream { upstream, seen, .. }) =
            seen.iter().find(|seen| seen.upstream.name == one.name)
        {
            one.address = upstream.address.clone().filter(|_| signed_in);
            if let Some(LastSeen { records, signed, above }) = seen {
                one.seen = Some((*records, *signed));
                one.above.clone_from(above);
            }
        }
        if let Some(contact::Asked { at, failed }) = served.last_asked.of(&one.name) {
            one.contact = match failed {
                None => Contact::Reached(at),
                Some(reason) => Contact::Unreached(at, Some(reason).filter(|_| signed_in)),
            };
        }
    }
    above
}

/// `GET /{registry}/-/packages/{owner}/{name}`
pub(crate) async fn package(
    (State(app), Path((registry, owner, name)), _, visitor): At<(String, String, String)>,
) -> Result<Response, Problem> {
    let asked = looking(&app, &visitor, &registry).await?;
    let name = package_name(&owner, &name)?;
    let (frame, now, registry) = (visitor.frame_of(&registry), visitor.asker.at, asked.served.name.clone());
    let period = Period::of(None, visitor.asker.day());
    let page = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let index = view.index();
        let held = index.held_of(&name)?;
        let Some(package) = index.package(&name)? else { return Ok(Err(nothing(&no_package(&held)))) };
        let chosen = package.newest().or(package.releases.first()).or(package.removed.first());
        let tree = chosen.and_then(|chosen| tree(&app, acting, &registry, chosen));
        let readme = tree.as_ref().and_then(|tree| tree.readme.as_ref());
        let readme = readme
            .zip(chosen)
            .map(|((path, text), view)| Readme::new(registry.as_str(), &view.release.id, path, text));
        let trees = package.releases.iter().map(|view| view.release.tree).collect();
        let downloads = app.downloads.of_trees(registry.as_str(), &trees, period.first());
        let downloads = downloads.map_err(std::io::Error::other)?;
        let page = PackagePage {
            frame: &frame,
            package: &package,
            downloads: Some((period, &downloads)),
            chosen,
            withdrawn_needs: &match chosen {
                Some(chosen) => index.withdrawn_needs(&chosen.release)?,
                None => Vec::new(),
            },
            holders: &index.owner(&name.owner_name())?.map(|claim| claim.who).unwrap_or_default(),
            dependents: &index.needing(&name, DEPENDENTS)?,
            held: &held,
            advisories: &index.advisories_of(&name)?,
            readme: readme.as_ref(),
            now,
        };
        Ok(Ok(page.page()))
    });
    answer(&visitor, StatusCode::OK, page.await??)
}

/// What is told of a package that is not here: policy may keep it out.
fn no_package(held: &[HeldRelease]) -> String {
    match held.first() {
        None => "the registry has no such package".to_owned(),
        Some(HeldRelease { hold, .. }) => format!(
            "the registry has no such package: `{}` of the registry above, `{}`, is held by the rule `{}`: {}",
            hold.id, hold.registry, hold.policy, hold.reason
        ),
    }
}

/// `GET /{registry}/-/packages/{owner}/{name}/{version}`
pub(crate) async fn release(
    (State(app), Path((registry, owner, name, version)), RawQuery(query), visitor): At<(
        String,
        String,
        String,
        String,
    )>,
) -> Result<Response, Problem> {
    let asked = looking(&app, &visitor, &registry).await?;
    let build = Build::new(&owner, &name, &version, query.as_deref())?;
    bring(&app, &visitor, &asked, &build).await?;
    let signed_in = !visitor.asker.is_anonymous();
    let (frame, now, registry) = (visitor.frame_of(&registry), visitor.asker.at, asked.served.name.clone());
    let page = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let Some((chosen, others)) = build.find(view.index())? else { return Ok(None) };
        let tree = tree(&app, acting, &registry, &chosen);
        let page = ReleasePage {
            frame: &frame,
            view: &chosen,
            withdrawn_needs: &view.index().withdrawn_needs(&chosen.release)?,
            others: &others,
            advisories: &view.index().advisories_of(&chosen.release.id.name)?,
            files: tree.as_ref().map(|tree| tree.manifest.entries()),
            may: &if signed_in { may(acting, &chosen.release.id, chosen.standing()) } else { Vec::new() },
            now,
        };
        Ok(Some(page.page()))
    });
    answer(&visitor, StatusCode::OK, page.await?.ok_or_else(no_release)?)
}

/// `GET /{registry}/-/packages/{owner}/{name}/{version}/impact`
pub(crate) async fn impact(
    (State(app), Path((registry, owner, name, version)), _, visitor): At<(String, String, String, String)>,
) -> Result<Response, Problem> {
    let asked = looking(&app, &visitor, &registry).await?;
    let build = Build::new(&owner, &name, &version, None)?;
    let frame = visitor.frame_of(&registry);
    let page = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let Build { name, version, .. } = &build;
        let impact = view.index().impact_within(name, Some(version), REACHED)?;
        if impact.of.is_empty() {
            return Ok(None);
        }
        Ok(Some(ImpactPage { frame: &frame, name, version, impact: &impact }.page()))
    });
    answer(&visitor, StatusCode::OK, page.await?.ok_or_else(no_release)?)
}

/// `GET /{registry}/-/log/{index}`
pub(crate) async fn entry(
    (State(app), Path((registry, index)), _, visitor): At<(String, String)>,
) -> Result<Response, Problem> {
    let (entry, proof) = entry_of(&app, &visitor, &registry, &index).await?;
    let frame = visitor.frame_of(&registry);
    let page = EntryPage { frame: &frame, entry: &entry, proof: &proof, now: visitor.asker.at };
    answer(&visitor, StatusCode::OK, page.page())
}

/// `GET /{registry}/-/log/{index}/proof`
pub(crate) async fn proof(
    (State(app), Path((registry, index)), _, visitor): At<(String, String)>,
) -> Result<Response, Problem> {
    let (_, proof) = entry_of(&app, &visitor, &registry, &index).await?;
    download(
        &visitor,
        &format!("{registry}-{}.tlog-proof", proof.index()),
        Some(proof.to_string().into_bytes()),
    )
}

/// An entry of the log of a registry, and the proof that it is there.
async fn entry_of(
    app: &Arc<App>,
    visitor: &Visitor,
    registry: &str,
    index: &str,
) -> Result<(Vec<u8>, InclusionProof), Problem> {
    let none = || nothing("the log has no such entry");
    let asked = looking(app, visitor, registry).await?;
    let index: u64 = index.parse().map_err(|_| none())?;
    asked.carry_out(move |acting| acting.entry(index)).await?.ok_or_else(none)
}

/// A registry that is looked at.
pub(super) async fn looking(app: &Arc<App>, visitor: &Visitor, registry: &str) -> Result<Asked, Problem> {
    Asked::of_visitor(app, &visitor.asker, registry).await
}

pub(super) fn nothing(what: &str) -> Problem {
    Problem::new(Code::NotFound, what)
}

pub(super) fn no_release() -> Problem {
    nothing("the registry has no such release")
}

fn package_name(owner: &str, name: &str) -> Result<PackageName, Problem> {
    let name = format!("{owner}/{name}");
    name.parse().map_err(|error: NameError| nothing(&format!("no package can have this name: {error}")))
}

/// Which release of a package is meant.
#[derive(Clone)]
pub(super) struct Build {
    name: PackageName,
    version: Version,
    platform: Option<Platform>,
    revision: Option<u32>,
}

impl Build {
    pub(super) fn new(owner: &str, name: &str, version: &str, query: Option<&str>) -> Result<Self, Problem> {
        let version = version.parse().map_err(|error: VersionError| nothing(&error.to_string()))?;
        let mut build = Self { name: package_name(owner, name)?, version, platform: None, revision: None };
        for (name, value) in pairs(query.unwrap_or_default()) {
            match &*name {
                "platform" => {
                    let platform = value.parse().map_err(|error: PlatformError| nothing(&error.to_string()));
                    build.platform = Some(platform?);
                }
                "revision" => {
                    let shown: String = value.chars().take(80).collect();
                    let none = || nothing(&format!("a revision is a number, and `{shown}` is none"));
                    build.revision = Some(value.parse().map_err(|_| none())?);
                }
                _ => {}
            }
        }
        Ok(build)
    }

    /// It, and every build of its version. Where the platform is not said, that is `any` or the first; of the revisions, the newest.
    pub(super) fn find(&self, index: &Index) -> Result<Option<(ReleaseView, Vec<ReleaseView>)>, SubmitError> {
        let Some(PackageView { releases, removed, .. }) = index.package(&self.name)? else { return Ok(None) };
        let all: Vec<ReleaseView> = releases
            .into_iter()
            .chain(removed)
            .filter(|view| view.release.id.version == self.version)
            .collect();
        let is_meant = |view: &&ReleaseView| {
            let id = &view.release.id;
            self.platform.as_ref().is_none_or(|platform| *platform == id.platform)
                && self.revision.is_none_or(|revision| revision == id.revision)
        };
        let any = all.iter().filter(is_meant).find(|view| view.release.id.platform.is_any());
        let meant = any.or_else(|| all.iter().find(is_meant)).cloned();
        Ok(meant.map(|meant| (meant, all)))
    }
}

/// Has the content of a release brought that was admitted and is not here yet, as for whoever installs it: who decides on it wants to
/// read it. What cannot be brought is not here still, and its page says so.
pub(super) async fn bring(
    app: &Arc<App>,
    visitor: &Visitor,
    asked: &Asked,
    build: &Build,
) -> Result<(), Problem> {
    let build = build.clone();
    let missing = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let Some((chosen, _)) = build.find(view.index())? else { return Ok(None) };
        let tree = chosen.release.tree;
        let is_wanted = chosen.origin.is_some()
            && chosen.standing().is_usable()
            && chosen.release.size <= BROUGHT
            && acting.size_of(Object::Pack(tree))?.is_none();
        Ok(is_wanted.then_some(tree))
    });
    if let Some(tree) = missing.await?
        && let Err(problem) = api::pulling::pull(app, &visitor.asker, &asked.served, Object::Pack(tree)).await
    {
        tracing::warn!(%tree, reason = problem.detail(), "content from above could not be brought for a page");
    }
    Ok(())
}

/// The files of a release. That they cannot be read is told on the page, and why in the log.
pub(super) fn tree(
    app: &App,
    acting: &Acting,
    registry: &crate::registries::RegistryName,
    view: &ReleaseView,
) -> Option<Arc<ShownTree>> {
    let source = acting.source().ok()?;
    match app.contents.tree(registry, &*source, view) {
        Ok(tree) => tree,
        Err(error) => {
            tracing::warn!(%registry, release = %view.release.id, %error, "the files of a release cannot be shown");
            None
        }
    }
}
