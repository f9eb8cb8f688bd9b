//! Build roots from container images: an OCI image layout, as a folder or as a tar of one, or what Docker saves.
//!
//! `skopeo copy docker://debian:12 oci:folder`, `podman save --format oci-archive`, `docker buildx build --output type=oci`
//! and `docker save` make them. Nothing is run, and no right beyond a normal user's is needed: files belong to whoever
//! unpacks them, which is all that a sandbox of that user can see anyway.
//!
//! The format is that of the [OCI image specification](https://github.com/opencontainers/image-spec), `image-layout.md`,
//! `image-index.md`, `manifest.md` and `layer.md`. Every blob is checked against its digest. Images are hostile until
//! proven otherwise: nothing in one leads out of the folder that it is unpacked into.

mod compressed;
mod docker;
mod layer;
mod member;

use std::io::{self, Read, Seek as _};
use std::path::{Path, PathBuf};

use fs_err::File;
use serde::Deserialize;
use weir_model::{Digest, Hasher, Sha256, of};

use crate::scratch;
use compressed::Compression;
use layer::Root;

/// The most bytes of an index, a manifest or a configuration.
const MAX_DOCUMENT: u64 = 4 << 20;

/// The most layers of an image; the usual stores have none with more than 127.
const MAX_LAYERS: usize = 256;

/// How deep indexes may be nested.
const MAX_INDEXES: usize = 4;

/// What was unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpacked {
    /// The digest of the image's manifest, which names all that is in it.
    pub manifest: Sha256,
    /// How many layers it has.
    pub layers: usize,
    /// How many files, links and folders were written.
    pub entries: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// Why an image was not unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OciError {
    /// There is something already where it would go.
    #[error("`{}` is there already", path.display())]
    Exists {
        /// The place.
        path: PathBuf,
    },
    /// It is no image layout.
    #[error("`{}` is no container image: {why}", path.display())]
    NoLayout {
        /// What was given.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It holds no image for this machine.
    #[error("there is no image for linux on {architecture} in it: it has {offered}")]
    NoImage {
        /// What this machine is called in images.
        architecture: &'static str,
        /// What there is.
        offered: String,
    },
    /// It holds more than one image for this machine.
    #[error("there are {count} images for this machine in it")]
    Ambiguous {
        /// How many.
        count: usize,
    },
    /// A blob is not what its digest says.
    #[error("the blob {expected} is damaged")]
    Damaged {
        /// What it should be.
        expected: Sha256,
    },
    /// A layer does something that no layer should.
    #[error("the layer {layer} cannot be unpacked: {why}")]
    Layer {
        /// The digest of the layer.
        layer: Sha256,
        /// What it does.
        why: String,
    },
    /// A document or a layer is of a form that is not known.
    #[error("`{what}` is not supported")]
    Unsupported {
        /// Its media type, or the algorithm of a digest.
        what: String,
    },
    /// It is larger than any image should be.
    #[error("the image is too large: more than {what}")]
    TooLarge {
        /// The bound.
        what: &'static str,
    },
    /// The system refused something.
    #[error("the image cannot be unpacked")]
    Io(#[from] io::Error),
}

impl OciError {
    /// What to do now.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::Exists { .. } => Some("remove it, or name another folder"),
            Self::NoLayout { .. } => Some(
                "make one with `skopeo copy docker://IMAGE oci:FOLDER`, `podman save --format oci-archive -o FILE IMAGE` or \
                 `docker save -o FILE IMAGE`",
            ),
            Self::NoImage { .. } => Some("fetch the image for this machine"),
            Self::Ambiguous { .. } => Some("make a layout that holds one image"),
            Self::Damaged { .. } => Some("fetch the image again"),
            _ => None,
        }
    }
}

/// A reference to a blob.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
    platform: Option<ImagePlatform>,
}

#[derive(Debug, Clone, Deserialize)]
struct ImagePlatform {
    architecture: String,
    os: String,
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

/// An image layout in a folder.
struct Layout {
    folder: PathBuf,
}

/// Unpacks the image for this machine in `layout`, a folder or a tar (compressed or not), into the new folder `dest`.
///
/// Devices and pipes are left out, as are owners, set-user-id bits and extended attributes.
///
/// # Errors
///
/// When there is not exactly one image for this machine, when anything in it is damaged, or when it tries what
/// an image should not. Then there is no `dest`.
pub fn unpack(layout: &Path, dest: &Path) -> Result<Unpacked, OciError> {
    if dest.symlink_metadata().is_ok() {
        return Err(OciError::Exists { path: dest.to_owned() });
    }
    let unfinished = beside(dest, "new");
    let opened = beside(dest, "layout");
    scratch::remove(&unfinished)?;
    let result = open(layout, &opened).and_then(|layout| unpack_into(&layout, &unfinished));
    let result = result.and_then(|unpacked| {
        fs_err::rename(&unfinished, dest)?;
        Ok(unpacked)
    });
    // What is in the way of the next try goes; that it could not go is the lesser news.
    let _ = scratch::remove(&opened);
    if result.is_err() {
        let _ = scratch::remove(&unfinished);
    }
    result
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{what}"))
}

/// Opens a layout; one in a tar is brought into the folder `opened` first.
fn open(layout: &Path, opened: &Path) -> Result<Layout, OciError> {
    let no_layout = |why: &str| OciError::NoLayout { path: layout.to_owned(), why: why.to_owned() };
    let folder = if layout.is_file() {
        scratch::remove(opened)?;
        let tar = compressed::plain(File::open(layout)?)?;
        member::bring_layout(tar, opened).map_err(|why| no_layout(&why.to_string()))?;
        if !opened.join("index.json").is_file() {
            docker::bring(layout, opened)?;
        }
        opened.to_owned()
    } else {
        layout.to_owned()
    };
    if !folder.join("index.json").is_file() {
        return Err(no_layout("it has no `index.json`"));
    }
    Ok(Layout { folder })
}

fn unpack_into(layout: &Layout, dest: &Path) -> Result<Unpacked, OciError> {
    let (digest, manifest) = layout.image()?;
    if manifest.layers.len() > MAX_LAYERS {
        return Err(OciError::TooLarge { what: "256 layers" });
    }
    let mut root = Root::create(dest)?;
    for layer in &manifest.layers {
        layout.unpack_layer(layer, &mut root)?;
    }
    let (entries, bytes) = root.finish()?;
    Ok(Unpacked { manifest: digest, layers: manifest.layers.len(), entries, bytes })
}

impl Layout {
    /// The manifest of the one image for this machine.
    fn image(&self) -> Result<(Sha256, Manifest), OciError> {
        let mut bytes = Vec::new();
        File::open(self.folder.join("index.json"))?.take(MAX_DOCUMENT).read_to_end(&mut bytes)?;
        let mut images = Vec::new();
        let mut offered = Vec::new();
        self.images(&self.parse(&bytes)?, 0, &mut images, &mut offered)?;
        match &images[..] {
            [image] => {
                let (digest, bytes) = self.document(image)?;
                Ok((digest, self.parse(&bytes)?))
            }
            [] => {
                let offered = if offered.is_empty() { "none at all".into() } else { offered.join(", ") };
                Err(OciError::NoImage { architecture: architecture(), offered })
            }
            several => Err(OciError::Ambiguous { count: several.len() }),
        }
    }

    /// Finds the manifests for this machine in an index, and in those that it names.
    fn images(
        &self,
        index: &Index,
        depth: usize,
        images: &mut Vec<Descriptor>,
        offered: &mut Vec<String>,
    ) -> Result<(), OciError> {
        if depth >= MAX_INDEXES || images.len() + offered.len() > 1000 {
            return Err(OciError::TooLarge { what: "four indexes in each other, or a thousand images" });
        }
        for entry in &index.manifests {
            match entry.media_type.as_str() {
                "application/vnd.oci.image.index.v1+json"
                | "application/vnd.docker.distribution.manifest.list.v2+json" => {
                    let (_, bytes) = self.document(entry)?;
                    self.images(&self.parse(&bytes)?, depth + 1, images, offered)?;
                }
                "application/vnd.oci.image.manifest.v1+json"
                | "application/vnd.docker.distribution.manifest.v2+json" => {
                    let platform = match &entry.platform {
                        Some(platform) => platform.clone(),
                        None => self.platform_of(entry)?,
                    };
                    if platform.os == "linux" && platform.architecture == architecture() {
                        // The same image may be named twice, by two tags.
                        if !images.iter().any(|image| image.digest == entry.digest) {
                            images.push(entry.clone());
                        }
                    } else {
                        offered.push(format!("{} on {}", platform.os, platform.architecture));
                    }
                }
                // Signatures and statements about images are in indexes too.
                _ => {}
            }
        }
        Ok(())
    }

    /// What an image is for, when only its configuration says.
    fn platform_of(&self, image: &Descriptor) -> Result<ImagePlatform, OciError> {
        let manifest: Manifest = self.parse(&self.document(image)?.1)?;
        self.parse(&self.document(&manifest.config)?.1)
    }

    fn parse<T: serde::de::DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, OciError> {
        serde_json::from_slice(bytes)
            .map_err(|error| OciError::NoLayout { path: self.folder.clone(), why: error.to_string() })
    }

    /// A small blob, as its digest says it is.
    fn document(&self, descriptor: &Descriptor) -> Result<(Sha256, Vec<u8>), OciError> {
        if descriptor.size > MAX_DOCUMENT {
            return Err(OciError::TooLarge { what: "4 MiB in one document" });
        }
        let (expected, blob) = self.blob(descriptor)?;
        let mut bytes = Vec::new();
        blob.take(MAX_DOCUMENT + 1).read_to_end(&mut bytes)?;
        if Digest::of(&bytes) != expected {
            return Err(OciError::Damaged { expected });
        }
        Ok((expected, bytes))
    }

    fn blob(&self, descriptor: &Descriptor) -> Result<(Sha256, File), OciError> {
        let digest = &descriptor.digest;
        let algorithm = digest.split(':').next().unwrap_or_default();
        if algorithm != "sha256" {
            return Err(OciError::Unsupported { what: algorithm.chars().take(40).collect() });
        }
        let expected: Sha256 = digest.parse().map_err(|error: weir_model::DigestError| {
            OciError::NoLayout { path: self.folder.clone(), why: error.to_string() }
        })?;
        Ok((expected, File::open(self.folder.join("blobs/sha256").join(expected.to_hex()))?))
    }

    /// Unpacks a layer while it is hashed. What was unpacked of a damaged one goes with the rest of the root.
    fn unpack_layer(&self, descriptor: &Descriptor, root: &mut Root) -> Result<(), OciError> {
        let (expected, mut file) = self.blob(descriptor)?;
        if file.metadata()?.len() != descriptor.size {
            return Err(OciError::Damaged { expected });
        }
        let mut magic = Vec::new();
        file.by_ref().take(Compression::MAGIC as u64).read_to_end(&mut magic)?;
        file.rewind()?;
        let mut hashed = Hashed { inner: file, hasher: Hasher::new() };
        let unpacked = match compression(&descriptor.media_type, &magic)? {
            Compression::None => root.apply(&mut hashed),
            Compression::Gzip => root.apply(&mut flate2::read::MultiGzDecoder::new(&mut hashed)),
            Compression::Zstd => root.apply(&mut zstd::stream::read::Decoder::new(&mut hashed)?),
        };
        // The digest is of all bytes, also of those after the end of the archive.
        io::copy(&mut hashed, &mut io::sink())?;
        if hashed.hasher.finish() != expected {
            return Err(OciError::Damaged { expected });
        }
        unpacked.map_err(|error| match error {
            layer::LayerError::Refused(why) => OciError::Layer { layer: expected, why },
            layer::LayerError::TooLarge(what) => OciError::TooLarge { what },
            layer::LayerError::Io(error) => OciError::Io(error),
        })
    }
}

/// How a layer is compressed. Its bytes say so; its type must not be of something else altogether.
fn compression(media_type: &str, magic: &[u8]) -> Result<Compression, OciError> {
    let is_layer = media_type.starts_with("application/vnd.oci.image.layer.")
        || media_type.starts_with("application/vnd.docker.image.rootfs.");
    if !is_layer || media_type.contains("encrypted") {
        return Err(OciError::Unsupported { what: media_type.chars().take(100).collect() });
    }
    Ok(Compression::of(magic))
}

/// What this machine is called in images, which use the names of Go.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

/// Hashes what is read.
struct Hashed {
    inner: File,
    hasher: Hasher<of::Bytes>,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
