//! The files of releases for Elm's tools, read out of packs and kept in memory by the digest of the tree.

use std::sync::Arc;

use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use weir_elm_protocol::{ReleaseFile, files};
use weir_index::ReleaseView;
use weir_model::{PackageName, TreeDigest, Version};
use weir_registry::{Acting, Object};

use super::{Document, failed};
use crate::api::{Asked, pulling};
use crate::app::App;
use crate::asker::Asker;
use crate::problem::{Code, Problem};
use crate::registries::{RegistryName, Served};

/// Bytes of files that are kept.
const MEMORY: u64 = 64 << 20;

type Key = (RegistryName, TreeDigest, ReleaseFile);

/// A file that is asked for.
#[derive(Debug, Clone)]
pub(super) struct AskedFile {
    pub(super) name: PackageName,
    pub(super) version: Version,
    pub(super) file: ReleaseFile,
}

/// Where the compiler asks.
pub(super) struct Base {
    /// Scheme and host.
    pub(super) origin: String,
    pub(super) path: String,
}

/// What is kept of releases.
pub(crate) struct Files {
    kept: Cache<Key, Document, ByBytes>,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<Key, Document> for ByBytes {
    fn weight(&self, _: &Key, document: &Document) -> u64 {
        document.weight() as u64
    }
}

impl Files {
    pub(crate) fn new() -> Self {
        Self { kept: Cache::with_weighter(4096, MEMORY, ByBytes) }
    }
}

/// Finds a file, fetched from above where the registry does not hold it yet, and the tree that it is of. `ticket` is what stands behind the
/// path of the archive for who may have it.
pub(super) async fn find(
    app: &Arc<App>,
    asker: &Asker,
    served: &Arc<Served>,
    asked: AskedFile,
    base: &Base,
    ticket: impl FnOnce(&str) -> Result<String, Problem>,
) -> Result<(Document, TreeDigest), Problem> {
    let nothing = || Problem::new(Code::NotFound, "the registry has no such release that Elm can use");
    let at = Asked::of_reader(app, asker, served.name.as_str()).await?;
    let AskedFile { name, version, file } = asked.clone();
    // Whether it may still be had is asked each time; what is in it never changes.
    let view =
        at.carry_out(move |acting| files::find(acting.view()?.index(), &name, &version).map_err(failed));
    let view = view.await?.ok_or_else(nothing)?;
    let tree = view.release.tree;
    let wanted = if file == ReleaseFile::Endpoint { ReleaseFile::Archive } else { file };
    let mut found = read(app, &at, view.clone(), wanted).await?;
    if found.is_none() && pulling::pull(app, asker, served, Object::Pack(tree)).await? {
        found = read(app, &at, view, wanted).await?;
    }
    let found = found.ok_or_else(nothing)?;
    if file != ReleaseFile::Endpoint {
        return Ok((found, tree));
    }
    let AskedFile { name, version, .. } = asked;
    let path = format!("{}/packages/{name}/{version}/{}", base.path, ReleaseFile::Archive.file_name());
    let url = format!("{}{path}{}", base.origin, ticket(&path)?);
    Ok((Document::json(files::endpoint(&url, &found.bytes)), tree))
}

async fn read(
    app: &Arc<App>,
    at: &Asked,
    view: ReleaseView,
    file: ReleaseFile,
) -> Result<Option<Document>, Problem> {
    let key = (at.served.name.clone(), view.release.tree, file);
    if let Some(known) = app.elm_files.kept.get(&key) {
        return Ok(Some(known));
    }
    let read = move |acting: &Acting| files::read(&*acting.source()?, &view, file).map_err(failed);
    let bytes: Option<Bytes> = at.carry_out(read).await?.map(Into::into);
    let document = bytes.map(|bytes| Document::new(file.media_type(), bytes, true));
    if let Some(document) = &document {
        app.elm_files.kept.insert(key, document.clone());
    }
    Ok(document)
}
