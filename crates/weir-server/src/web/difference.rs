//! How two releases of a package differ: which are meant, and what of their files is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use weir_index::{Index, ReleaseView};
use weir_model::{ReleaseId, Version};
use weir_registry::content::shown_texts;
use weir_registry::{Acting, SubmitError};
use weir_tree::TreeManifest;
use weir_web::{DifferencePage, FileChanged, FileChanges};

use super::modules::docs;
use super::reading::{Build, no_release, nothing, tree};
use super::{Visitor, answer, pairs};
use crate::api::Asked;
use crate::app::App;
use crate::problem::Problem;

/// So many files are compared on a page about all of them.
const MOST_COMPARED: usize = 20;

/// The largest file that is compared among others, and alone, in bytes.
const AMONG_OTHERS: u64 = 32 << 10;
const ALONE: u64 = 1 << 20;

/// `GET /{registry}/-/packages/{owner}/{name}/{version}/difference`: to the version before, or to the one that `?with=` says; with
/// `&file=` what differs in one file.
pub(crate) async fn difference(
    State(app): State<Arc<App>>,
    Path((registry, owner, name, version)): Path<(String, String, String, String)>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let asked = Asked::of_visitor(&app, &visitor.asker, &registry).await?;
    let build = Build::new(&owner, &name, &version, query.as_deref())?;
    let said = |wanted: &str| {
        let mut pairs = pairs(query.as_deref().unwrap_or_default());
        pairs.find(|(name, value)| name == wanted && !value.is_empty()).map(|(_, value)| value.into_owned())
    };
    let with = said("with").map(|with| with.parse::<Version>()).transpose();
    let with = with.map_err(|error| nothing(&error.to_string()))?;
    let file = said("file");
    let (frame, served) = (visitor.frame_of(&registry), asked.served.name.clone());
    let page = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let Some((to, _)) = build.find(view.index())? else { return Ok(None) };
        let others = others(view.index(), &to.release.id)?;
        let Some(from) = chosen(&others, &to.release.id.version, with.as_ref()) else { return Ok(None) };
        let trees = tree(&app, acting, &served, from).zip(tree(&app, acting, &served, &to));
        let trees = trees.as_ref().map(|(before, after)| (&before.manifest, &after.manifest));
        let changes = trees.map(|(before, after)| FileChanges::between(before.entries(), after.entries()));
        let compared =
            trees.zip(changes.as_ref()).map(|(trees, changes)| compared(trees, changes, file.as_deref()));
        let texts = texts(acting, (from, &to), &compared.unwrap_or_default())?;
        let docs = match file {
            None => docs(acting, from)?.zip(docs(acting, &to)?),
            Some(_) => None,
        };
        let ids: Vec<ReleaseId> = others.iter().map(|view| view.release.id.clone()).collect();
        let page = DifferencePage {
            frame: &frame,
            from,
            to: &to,
            others: &ids,
            files: changes.as_ref(),
            texts: &texts,
            docs: docs.as_ref().map(|(before, after)| (before.as_str(), after.as_str())),
            one_file: file.is_some(),
        };
        Ok(Some(page.page()))
    });
    answer(&visitor, StatusCode::OK, page.await?.ok_or_else(no_release)?)
}

/// The releases of the same package for the same platform, of each version the newest, the newest version first.
fn others(index: &Index, id: &ReleaseId) -> Result<Vec<ReleaseView>, SubmitError> {
    let Some(package) = index.package(&id.name)? else { return Ok(Vec::new()) };
    let mut others: Vec<ReleaseView> = package.releases.into_iter().chain(package.removed).collect();
    others.retain(|view| view.release.id.platform == id.platform);
    others.sort_by(|a, b| b.release.id.cmp(&a.release.id));
    others.dedup_by(|later, first| later.release.id.version == first.release.id.version);
    Ok(others)
}

/// The one that is asked for; or the version before, or else the one after.
fn chosen<'o>(others: &'o [ReleaseView], to: &Version, with: Option<&Version>) -> Option<&'o ReleaseView> {
    let version = |view: &&ReleaseView| view.release.id.version.clone();
    match with {
        Some(with) => others.iter().find(|view| version(view) == *with),
        None => {
            let before = others.iter().find(|view| version(view) < *to);
            before.or_else(|| others.iter().rfind(|view| version(view) > *to)).or(others.first())
        }
    }
}

/// Paths before and after, of the files whose texts are compared.
type Compared = Vec<(Option<String>, Option<String>)>;

fn compared(
    (before, after): (&TreeManifest, &TreeManifest),
    changes: &FileChanges,
    file: Option<&str>,
) -> Compared {
    let most = if file.is_some() { ALONE } else { AMONG_OTHERS };
    let there = |tree: &TreeManifest, path: &str| tree.entry(path).is_some().then(|| path.to_owned());
    if let Some(file) = file {
        let moved = changes.changes.iter().find_map(|change| match &change.what {
            FileChanged::Moved(from) if change.path == file => Some(from.clone()),
            _ => None,
        });
        let small = |path: &Option<String>, tree: &TreeManifest| {
            path.as_deref().and_then(|path| tree.entry(path)).is_none_or(|entry| entry.size <= most)
        };
        let pair = (moved.or_else(|| there(before, file)), there(after, file));
        let is_small = small(&pair.0, before) && small(&pair.1, after);
        return if is_small && (pair.0.is_some() || pair.1.is_some()) { vec![pair] } else { Vec::new() };
    }
    let differ = changes
        .changes
        .iter()
        .filter(|change| change.what == FileChanged::Changed && change.sizes.0.max(change.sizes.1) <= most);
    differ.take(MOST_COMPARED).map(|change| (Some(change.path.clone()), Some(change.path.clone()))).collect()
}

/// The texts of files before and after, by path: of those that are text in both.
fn texts(
    acting: &Acting,
    (from, to): (&ReleaseView, &ReleaseView),
    compared: &Compared,
) -> Result<BTreeMap<String, (String, String)>, SubmitError> {
    if compared.is_empty() {
        return Ok(BTreeMap::new());
    }
    let source = acting.source()?;
    let most = usize::try_from(ALONE).unwrap_or(usize::MAX);
    let read = |view: &ReleaseView, paths: Vec<&str>| {
        shown_texts(&*source, &view.release, paths, most)
            .map_err(|error| SubmitError::Io(std::io::Error::other(error)))
    };
    let before = read(from, compared.iter().filter_map(|(before, _)| before.as_deref()).collect())?;
    let after = read(to, compared.iter().filter_map(|(_, after)| after.as_deref()).collect())?;
    let text = |texts: &BTreeMap<String, String>, path: &Option<String>| match path {
        Some(path) => texts.get(path).cloned(),
        // What is not there is as good as empty.
        None => Some(String::new()),
    };
    let pairs = compared.iter().filter_map(|(old, new)| {
        let path = new.as_ref().or(old.as_ref())?;
        Some((path.clone(), (text(&before, old)?, text(&after, new)?)))
    });
    Ok(pairs.collect())
}
