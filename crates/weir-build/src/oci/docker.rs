//! Images as `docker save` and `skopeo copy … docker-archive:` write them: a tar in which a `manifest.json` names, for
//! each image, a configuration and its layers ([Docker image specification v1.2][1]). Newer versions of Docker write an
//! image layout as well, which is preferred.
//!
//! What is needed of it is brought into an image layout, so that all else is the same for both.
//!
//! [1]: https://github.com/moby/docker-image-spec/blob/v1.2.0/v1.2.md#combined-image-json--filesystem-changeset-format

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write as _};
use std::path::Path;

use fs_err::File;
use serde::Deserialize;
use serde_json::{Value, json};
use tar::EntryType;
use weir_model::{Hasher, Sha256};

use super::{MAX_DOCUMENT, MAX_LAYERS, OciError, compressed, member};

/// What names the images.
const MANIFEST: &str = "manifest.json";

/// The most images in one file, and the most links that lead from one layer to another.
const MAX_IMAGES: usize = 1000;
const MAX_LINKS: usize = 100_000;

/// How many links are followed one after the other.
const MAX_HOPS: usize = 4;

/// The most bytes of all layers together.
const MAX_BYTES: u64 = 64 << 30;

/// An image in the tar.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    layers: Vec<String>,
}

/// What a configuration says of its layers: their digests, not compressed.
#[derive(Deserialize)]
struct Config {
    rootfs: Rootfs,
}

#[derive(Deserialize)]
struct Rootfs {
    diff_ids: Vec<Sha256>,
}

/// What is in the tar, as far as is known before anything is brought in.
#[derive(Default)]
struct Contents {
    images: Option<Vec<Saved>>,
    /// Layers that are the same are there once, and otherwise as links to that one.
    links: BTreeMap<String, String>,
}

/// A file that was brought in.
struct Blob {
    digest: Sha256,
    size: u64,
}

/// Brings the images in the tar `archive` into the image layout `to`, a folder that has a `blobs/sha256`.
pub(super) fn bring(archive: &Path, to: &Path) -> Result<(), OciError> {
    let no_layout = |why: String| OciError::NoLayout { path: archive.to_owned(), why };
    let Contents { images, links } = contents(archive)?;
    let images =
        images.ok_or_else(|| no_layout("it has neither an `index.json` nor a `manifest.json`".into()))?;
    if images.len() > MAX_IMAGES || images.iter().any(|image| image.layers.len() > MAX_LAYERS) {
        return Err(OciError::TooLarge { what: "a thousand images, or 256 layers" });
    }
    let names = images.iter().flat_map(|image| image.layers.iter().chain([&image.config]));
    let wanted: BTreeSet<String> = names.map(|name| followed(name, &links)).collect();
    let blobs = bring_blobs(archive, &wanted, to)?;
    let find = |name: &String| {
        let lacks = || no_layout(format!("it has no `{}`", name.chars().take(100).collect::<String>()));
        blobs.get(&followed(name, &links)).ok_or_else(lacks)
    };
    let mut manifests = Vec::new();
    for image in &images {
        let config = find(&image.config)?;
        let layers = image.layers.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        check(config, &layers, to).map_err(|error| match error {
            OciError::NoLayout { why, .. } => no_layout(why),
            error => error,
        })?;
        let layer = |blob: &&Blob| descriptor("application/vnd.docker.image.rootfs.diff.tar", blob);
        let manifest = json!({
            "config": descriptor("application/vnd.docker.container.image.v1+json", config),
            "layers": layers.iter().map(layer).collect::<Vec<_>>(),
        });
        let manifest = keep(to, manifest.to_string().as_bytes())?;
        manifests.push(descriptor("application/vnd.docker.distribution.manifest.v2+json", &manifest));
    }
    Ok(fs_err::write(to.join("index.json"), json!({ "manifests": manifests }).to_string())?)
}

fn descriptor(media_type: &str, blob: &Blob) -> Value {
    json!({"mediaType": media_type, "digest": blob.digest, "size": blob.size})
}

fn contents(archive: &Path) -> Result<Contents, OciError> {
    let mut contents = Contents::default();
    member::read(compressed::plain(File::open(archive)?)?, |member, content| {
        let Some(name) = name_of(&member.path) else { return Ok(()) };
        match member.sort {
            EntryType::Regular if name == MANIFEST => {
                let mut bytes = Vec::new();
                content.take(MAX_DOCUMENT).read_to_end(&mut bytes)?;
                let images = serde_json::from_slice(&bytes).map_err(|error| OciError::NoLayout {
                    path: archive.to_owned(),
                    why: error.to_string(),
                })?;
                contents.images = Some(images);
            }
            EntryType::Symlink if contents.links.len() < MAX_LINKS => {
                let target = String::from_utf8_lossy(&member.target).into_owned();
                contents.links.insert(name, target);
            }
            _ => {}
        }
        Ok::<(), OciError>(())
    })?;
    Ok(contents)
}

fn name_of(path: &[u8]) -> Option<String> {
    let path = path.strip_prefix(b"./").unwrap_or(path);
    String::from_utf8(path.to_vec()).ok()
}

/// The name of the file that a name leads to, such as `b/layer.tar` for `a/layer.tar`, a link to `../b/layer.tar`.
/// They are names in the tar, never paths of the machine.
fn followed(name: &str, links: &BTreeMap<String, String>) -> String {
    let mut name = name.strip_prefix("./").unwrap_or(name).to_owned();
    for _ in 0..MAX_HOPS {
        let Some(target) = links.get(&name) else { break };
        let mut parts: Vec<&str> = name.split('/').collect();
        parts.pop();
        for part in target.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        name = parts.join("/");
    }
    name
}

/// Brings files in, by name; what is compressed is kept as what it was.
fn bring_blobs(
    archive: &Path,
    wanted: &BTreeSet<String>,
    to: &Path,
) -> Result<BTreeMap<String, Blob>, OciError> {
    let mut blobs = BTreeMap::new();
    let mut left = MAX_BYTES;
    member::read(compressed::plain(File::open(archive)?)?, |member, content| {
        let name = name_of(&member.path).filter(|name| wanted.contains(name));
        let Some(name) = name.filter(|_| member.sort == EntryType::Regular) else { return Ok(()) };
        let blob = keep(to, compressed::plain(content)?.take(left.saturating_add(1)))?;
        left = left.checked_sub(blob.size).ok_or(OciError::TooLarge { what: "64 GiB" })?;
        blobs.insert(name, blob);
        Ok::<(), OciError>(())
    })?;
    Ok(blobs)
}

/// Keeps content under its digest.
fn keep(to: &Path, mut content: impl Read) -> io::Result<Blob> {
    let blobs = to.join("blobs/sha256");
    let unfinished = blobs.join("unfinished");
    let mut file = File::create(&unfinished)?;
    let (mut hasher, mut size) = (Hasher::new(), 0);
    let mut buffer = [0; 64 << 10];
    loop {
        let count = content.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        file.write_all(&buffer[..count])?;
        size += count as u64;
    }
    let digest = hasher.finish();
    fs_err::rename(unfinished, blobs.join(digest.to_hex()))?;
    Ok(Blob { digest, size })
}

/// Checks that the layers are those that the configuration was made with: nothing else tells their digests.
fn check(config: &Blob, layers: &[&Blob], to: &Path) -> Result<(), OciError> {
    let path = to.join("blobs/sha256").join(config.digest.to_hex());
    if config.size > MAX_DOCUMENT {
        return Err(OciError::TooLarge { what: "4 MiB in one document" });
    }
    let config: Config = serde_json::from_slice(&fs_err::read(&path)?)
        .map_err(|error| OciError::NoLayout { path, why: error.to_string() })?;
    let expected = config.rootfs.diff_ids;
    match expected.iter().zip(layers).find(|(expected, layer)| **expected != layer.digest) {
        Some((expected, _)) => Err(OciError::Damaged { expected: *expected }),
        None if expected.len() != layers.len() => Err(OciError::NoLayout {
            path: to.to_owned(),
            why: "an image has more layers than its configuration, or fewer".into(),
        }),
        None => Ok(()),
    }
}
