//! Publishing with tools of Elm's: `POST …/register` and Zokka's `POST …/upload-package`.
//!
//! What is published comes as a zip archive with the request, is unpacked as anybody's archive, and goes the way of every other
//! release from there on: read and drafted, uploaded, and registered by the registrar for whoever asks.

use std::collections::BTreeMap;
use std::io::{Cursor, Seek as _};
use std::path::Path as FilePath;
use std::sync::Arc;

use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use weir_fs::Folder;
use weir_model::{PackageName, Version};
use weir_package::Package;
use weir_policy::Verb;
use weir_registry::{Acting, Batch, Intent, Receipt, Registry as _};
use weir_tree::{
    ImportOptions, Limits, Selection, TreeManifest, import_archive_from, read_folder, write_pack,
};

use super::Refusal;
use crate::accounting::Accounting;
use crate::api::Asked;
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::{Code, Problem};

/// How hard packs are compressed: whoever publishes waits for it.
const PACK_LEVEL: i32 = 9;

/// Parts that come with a publication, those that nobody reads too.
const MOST_PARTS: usize = 16;

/// What the archive is called among the parts.
const ARCHIVE: &str = "package.zip";

/// The documentation, which stands beside the archive and not in it.
const DOCS: &str = "docs.json";

/// What may come out of an archive.
const LIMITS: ImportOptions = ImportOptions {
    limits: Limits {
        pack_bytes: super::MAX_PUBLICATION as u64,
        unpacked_bytes: 256 << 20,
        files: 20_000,
        manifest_bytes: 16 << 20,
        link_bytes: 1 << 20,
    },
    strip: weir_tree::Strip::SingleFolder,
    ratio: 250,
};

/// `POST /{registry}/elm/{compiler}/register`, `POST /{registry}/elm/{compiler}/upload-package`
pub(super) async fn publish(
    State(app): State<Arc<App>>,
    Path((registry, _)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    asker: Asker,
    parts: Result<Multipart, MultipartRejection>,
) -> Result<Response, Refusal> {
    let came = publish_for(&app, &asker, &registry, query.as_deref().unwrap_or_default(), parts).await;
    came.map(|()| StatusCode::OK.into_response()).map_err(Refusal)
}

async fn publish_for(
    app: &Arc<App>,
    asker: &Asker,
    registry: &str,
    query: &str,
    parts: Result<Multipart, MultipartRejection>,
) -> Result<(), Problem> {
    let asked = Asked::at(app, asker, registry, |app| &app.uploading).await?;
    // Before anything of it is read.
    asker.speaker()?;
    asked.carry_out(|registry| registry.may(Verb::Upload)).await?;
    let (name, version) = named(query)?;
    let mut parts = read(parts.map_err(|error| unreadable(&error.body_text()))?).await?;
    let archive = parts.remove(ARCHIVE).ok_or_else(|| {
        unreadable(&format!(
            "this registry keeps the sources itself and fetches none from GitHub: they must come as `{ARCHIVE}`, as \
             `weir run -- elm publish` and `weir publish` send them"
        ))
    })?;
    let accounting = Accounting::of(app, asker, Some(registry), "batch").about(format!("{name} {version}"));
    let acting = asked.acting.clone();
    let came = blocking(move || {
        let folder = tempfile::tempdir().map_err(|error| Problem::internal(&error))?;
        let tree = unpack(&archive, &parts, folder.path())?;
        let package = folder_package(folder.path(), tree)?;
        if package.id.name != name || package.id.version != version {
            let said = &package.id;
            let told = format!("it was announced as `{name} {version}`, and its `elm.json` says `{said}`");
            return Err(Refused::from(unreadable(&told)));
        }
        submit(&acting, &package, folder.path())
    })
    .await;
    let came = came.map_err(|refused| match refused {
        Refused::Registry(error) => asked.refused(&error),
        Refused::Problem(problem) => problem,
    });
    accounting.note_batch(came, |receipt| &receipt.outcomes).await.map(drop)
}

/// Why something is not published.
enum Refused {
    /// The registry says no.
    Registry(Box<weir_registry::SubmitError>),
    /// It cannot be read, or the server fails.
    Problem(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<weir_registry::SubmitError> for Refused {
    fn from(error: weir_registry::SubmitError) -> Self {
        Self::Registry(Box::new(error))
    }
}

fn unreadable(what: &str) -> Problem {
    Problem::new(Code::BadRequest, what.chars().take(2_000).collect::<String>())
}

/// Which release is announced.
fn named(query: &str) -> Result<(PackageName, Version), Problem> {
    let pairs: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).take(16).collect();
    let name = pairs.get("name").and_then(|name| name.parse().ok());
    let version = pairs.get("version").and_then(|version| version.parse().ok());
    name.zip(version).ok_or_else(|| unreadable("a publication says `?name=author/project&version=1.0.0`"))
}

/// The parts by their names.
async fn read(mut parts: Multipart) -> Result<BTreeMap<String, Bytes>, Problem> {
    let mut read = BTreeMap::new();
    loop {
        let broken = |error: axum::extract::multipart::MultipartError| match error.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                Code::TooLarge,
                format!("a package that is published so has at most {} bytes", super::MAX_PUBLICATION),
            ),
            _ => unreadable(&error.body_text()),
        };
        let Some(part) = parts.next_field().await.map_err(broken)? else { return Ok(read) };
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(broken)?;
        if read.len() == MOST_PARTS || read.insert(name, bytes).is_some() {
            return Err(unreadable("a publication has each part once, and no others"));
        }
    }
}

/// Puts the archive, and the documentation that came beside it, into an empty folder.
fn unpack(archive: &Bytes, parts: &BTreeMap<String, Bytes>, to: &FilePath) -> Result<TreeManifest, Problem> {
    let files = to.join("files");
    let imported = import_archive_from(Cursor::new(archive), ARCHIVE, &files, &LIMITS);
    imported.map_err(|error| unreadable(&format!("`{ARCHIVE}` is not taken: {error}")))?;
    let internal = |error: std::io::Error| Problem::internal(&error);
    let folder = Folder::open(&files).map_err(|error| Problem::internal(&error))?;
    for (name, bytes) in parts.iter().filter(|(name, _)| matches!(name.as_str(), DOCS | "elm.json")) {
        if name == DOCS {
            serde_json::from_slice::<serde::de::IgnoredAny>(bytes)
                .map_err(|error| unreadable(&format!("`{DOCS}` is no JSON: {error}")))?;
            let (access, durability) = (weir_fs::Access::Usual, weir_fs::Durability::Quick);
            folder.replace(DOCS, bytes, access, durability).map_err(|error| Problem::internal(&error))?;
        } else if fs_err::read(files.join(name)).map_err(internal)? != **bytes {
            return Err(unreadable("the `elm.json` that came is not the one in the archive"));
        }
    }
    read_folder(&files, &Selection::everything()).map_err(|error| Problem::internal(&error))
}

fn folder_package(at: &FilePath, tree: TreeManifest) -> Result<Package, Problem> {
    let files = Folder::open(at.join("files")).map_err(|error| Problem::internal(&error))?;
    let place = at.join("files").display().to_string();
    // What is told has no paths of this machine.
    let told = |error: &dyn std::error::Error| error.to_string().replace(&format!("{place}/"), "");
    Package::read(&files, tree).map_err(|error| unreadable(&told(&error)))
}

/// Uploads the package, and has the registry offer it.
fn submit(acting: &Acting, package: &Package, at: &FilePath) -> Result<Receipt, Refused> {
    let io = |error: std::io::Error| Refused::from(weir_registry::SubmitError::from(error));
    let tree = package.tree.digest();
    let size = match acting.pack_size(&tree)? {
        Some(size) => size,
        None => {
            let mut pack = tempfile::tempfile().map_err(io)?;
            let written = write_pack(&at.join("files"), &package.tree, &mut pack, PACK_LEVEL);
            written.map_err(|error| io(std::io::Error::other(error)))?;
            pack.rewind().map_err(io)?;
            acting.put_pack(&tree, &mut pack)?
        }
    };
    let intent = Intent::Publish(Box::new(package.draft(size)));
    Ok(acting.submit(&Batch { intents: vec![intent] })?)
}
