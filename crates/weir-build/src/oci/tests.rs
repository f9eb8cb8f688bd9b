//! Images are made here, as others make them and as nobody should.

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::json;
use tar::{EntryType, Header};
use weir_model::{Digest, Sha256};

use super::{OciError, architecture, unpack};

/// An image under construction, in a folder of its own.
struct Image {
    place: tempfile::TempDir,
    layers: Vec<serde_json::Value>,
}

/// A tar under construction.
struct Layer(tar::Builder<Vec<u8>>);

impl Layer {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    fn entry(mut self, sort: EntryType, path: &str, target: &str, content: &str) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(sort);
        header.set_mode(if sort == EntryType::Directory { 0o755 } else { 0o4755 });
        header.set_mtime(1_000_000_000);
        header.set_size(content.len() as u64);
        // Written past the checks of the library, as an attacker would.
        let name = path.as_bytes();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        self.0.append(&header, content.as_bytes()).unwrap();
        self
    }

    fn file(self, path: &str, content: &str) -> Self {
        self.entry(EntryType::Regular, path, "", content)
    }

    fn folder(self, path: &str) -> Self {
        self.entry(EntryType::Directory, path, "", "")
    }

    fn link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, path, target, "")
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

impl Image {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs_err::create_dir_all(place.path().join("layout/blobs/sha256")).unwrap();
        Self { place, layers: Vec::new() }
    }

    fn blob(&self, bytes: &[u8]) -> serde_json::Value {
        let digest = Sha256::of(bytes);
        fs_err::write(self.layout().join("blobs/sha256").join(digest.to_hex()), bytes).unwrap();
        json!({"digest": digest.to_string(), "size": bytes.len()})
    }

    fn layer(self, layer: Layer) -> Self {
        let bytes = layer.bytes();
        self.compressed(&bytes, "")
    }

    fn compressed(mut self, bytes: &[u8], how: &str) -> Self {
        let mut blob = self.blob(bytes);
        blob["mediaType"] = json!(format!("application/vnd.oci.image.layer.v1.tar{how}"));
        self.layers.push(blob);
        self
    }

    fn layout(&self) -> PathBuf {
        self.place.path().join("layout")
    }

    fn dest(&self) -> PathBuf {
        self.place.path().join("root")
    }

    /// Writes what names the layers: a manifest, and an index that names it among one for another machine.
    fn write(&self) {
        let config = json!({"architecture": architecture(), "os": "linux"}).to_string();
        let mut manifest = json!({"schemaVersion": 2, "layers": self.layers});
        manifest["config"] = self.blob(config.as_bytes());
        let mut ours = self.blob(manifest.to_string().as_bytes());
        ours["mediaType"] = json!("application/vnd.oci.image.manifest.v1+json");
        let mut other = ours.clone();
        other["platform"] = json!({"architecture": "pdp11", "os": "linux"});
        let mut inner = self.blob(json!({"manifests": [ours, other]}).to_string().as_bytes());
        inner["mediaType"] = json!("application/vnd.oci.image.index.v1+json");
        fs_err::write(self.layout().join("index.json"), json!({"manifests": [inner]}).to_string()).unwrap();
    }

    fn unpack(&self) -> Result<PathBuf, OciError> {
        self.write();
        unpack(&self.layout(), &self.dest()).map(|_| self.dest())
    }

    /// Unpacks what must be refused; nothing may be left.
    fn refused(&self) -> String {
        let error = self.unpack().unwrap_err();
        let left: Vec<_> =
            fs_err::read_dir(self.place.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["layout"], "{error}");
        error.to_string()
    }
}

fn read(root: &Path, path: &str) -> String {
    fs_err::read_to_string(root.join(path)).unwrap()
}

#[test]
fn layers_add_replace_and_remove() {
    let gzip = {
        let layer = Layer::new()
            .folder("etc/")
            .file("etc/.wh.gone", "")
            .folder("opaque/")
            .file("opaque/new", "new")
            .file("opaque/.wh..wh..opq", "")
            .file("lib/through-a-link", "x")
            .file("was-a-folder", "now a file");
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(&layer.bytes()).unwrap();
        writer.finish().unwrap()
    };
    let zstd = zstd::encode_all(&Layer::new().file("./etc/kept", "changed").bytes()[..], 1).unwrap();
    let image = Image::new()
        .layer(
            Layer::new()
                .folder("./")
                .folder("usr/lib/")
                .link("lib", "usr/lib")
                .file("etc/gone", "")
                .file("etc/kept", "kept")
                .file("opaque/old/deep", "")
                .file("was-a-folder/file", "")
                .entry(EntryType::Link, "etc/same", "etc/kept", "")
                .entry(EntryType::Char, "dev-null", "", ""),
        )
        .compressed(&gzip, "+gzip")
        .compressed(&zstd, "+zstd");
    let root = image.unpack().unwrap();
    assert_eq!(read(&root, "etc/kept"), "changed");
    assert_eq!(read(&root, "etc/same"), "kept", "a file that is replaced leaves its other names alone");
    assert_eq!(read(&root, "usr/lib/through-a-link"), "x");
    assert_eq!(read(&root, "was-a-folder"), "now a file");
    assert_eq!(read(&root, "opaque/new"), "new");
    for gone in ["etc/gone", "opaque/old", "dev-null", "etc/.wh.gone", "opaque/.wh..wh..opq"] {
        assert!(root.join(gone).symlink_metadata().is_err(), "{gone}");
    }
    let meta = fs_err::metadata(root.join("usr/lib/through-a-link")).unwrap();
    assert_eq!((meta.permissions().mode() & 0o7777, meta.mtime()), (0o755, 1_000_000_000));
}

#[test]
fn a_layout_in_a_tar_is_the_same() {
    let image = Image::new().layer(Layer::new().file("etc/os-release", "ID=x"));
    image.write();
    let tar = image.place.path().join("image.tar");
    let mut builder = tar::Builder::new(fs_err::File::create(&tar).unwrap());
    builder.append_dir_all(".", image.layout()).unwrap();
    builder.into_inner().unwrap();
    let unpacked = unpack(&tar, &image.dest()).unwrap();
    assert_eq!((unpacked.layers, unpacked.entries, unpacked.bytes), (1, 1, 4));
    assert_eq!(read(&image.dest(), "etc/os-release"), "ID=x");
    assert!(matches!(unpack(&tar, &image.dest()).unwrap_err(), OciError::Exists { .. }));
}

#[test]
fn nothing_leads_out_of_the_root() {
    let outside = tempfile::tempdir().unwrap();
    let place = outside.path().to_str().unwrap();
    let up = "../../../../../../../../../..";
    let image = Image::new().layer(
        Layer::new()
            .link("absolute", place)
            .link("upwards", &format!("{up}{place}"))
            .link("root", "/")
            .file("root/here", "here")
            .file("after", ""),
    );
    // Links stay as they are; followed, they lead to places in the root.
    let root = image.unpack().unwrap();
    assert_eq!(fs_err::read_link(root.join("absolute")).unwrap(), outside.path());
    assert_eq!(read(&root, "here"), "here");

    for link in ["absolute", "upwards"] {
        let target = if link == "absolute" { place.to_owned() } else { format!("{up}{place}") };
        for layer in [
            Layer::new().link(link, &target).file(&format!("{link}/owned"), "owned"),
            Layer::new().link(link, &target).file(&format!("{link}/.wh.victim"), ""),
            Layer::new().link(link, &target).file(&format!("{link}/.wh..wh..opq"), ""),
            Layer::new().link(link, &target).entry(EntryType::Link, "stolen", &format!("{link}/victim"), ""),
        ] {
            fs_err::write(outside.path().join("victim"), "victim").unwrap();
            let image = Image::new().layer(layer);
            // Refused, or done in the root: both leave the rest of the machine alone.
            let _ = image.unpack();
            assert!(!outside.path().join("owned").exists());
            assert_eq!(read(outside.path(), "victim"), "victim");
            assert!(!image.dest().join("stolen").exists());
        }
    }
}

#[test]
fn tricks_are_refused_and_leave_nothing() {
    for (layer, why) in [
        (Layer::new().file("a/../../b", ""), "a path leads upwards"),
        (Layer::new().file("a/.wh...", ""), "a whiteout removes nothing that can be named"),
        (Layer::new().entry(EntryType::Link, "a", "../../etc/passwd", ""), "a path leads upwards"),
        (Layer::new().folder("a").entry(EntryType::Link, "b", "a", ""), "a hard link leads to a folder"),
        (Layer::new().entry(EntryType::Link, "b", "nowhere", ""), "No such file or directory"),
    ] {
        let said = Image::new().layer(layer).refused();
        assert!(said.contains(why), "{said}");
    }
    let mut short = Layer::new().file("a", &"x".repeat(2000)).bytes();
    short.truncate(1000);
    assert!(Image::new().compressed(&short, "").refused().contains("cannot be unpacked"));
    assert!(Image::new().compressed(b"", "+encrypted").refused().contains("not supported"));
}

#[test]
fn what_is_damaged_or_for_another_machine_is_refused() {
    let image = Image::new().layer(Layer::new().file("a", "right"));
    let blob = image.layers[0]["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    let blob = image.layout().join("blobs/sha256").join(blob);
    let mut bytes = fs_err::read(&blob).unwrap();
    bytes[512] ^= 1;
    fs_err::write(&blob, bytes).unwrap();
    assert!(image.refused().contains("is damaged"));

    let image = Image::new();
    fs_err::write(image.layout().join("index.json"), r#"{"manifests": []}"#).unwrap();
    let error = unpack(&image.layout(), &image.dest()).unwrap_err();
    assert!(matches!(error, OciError::NoImage { .. }), "{error}");
    fs_err::write(image.layout().join("index.json"), "{").unwrap();
    let error = unpack(&image.layout(), &image.dest()).unwrap_err();
    assert!(matches!(error, OciError::NoLayout { .. }), "{error}");
}

/// What `docker save` writes of one image: two layers, of which the second is a link to the first.
fn saved(layer: &[u8], diff_ids: &[Sha256]) -> Vec<u8> {
    let config =
        json!({"architecture": architecture(), "os": "linux", "rootfs": {"diff_ids": diff_ids}}).to_string();
    let name = format!("{}.json", Sha256::of(config.as_bytes()).to_hex());
    let manifest = json!([{"Config": name, "RepoTags": ["toy:1"], "Layers": ["a/layer.tar", "b/layer.tar"]}]);
    let layer_header = |header: &mut Header| {
        header.set_entry_type(EntryType::Regular);
        header.set_size(layer.len() as u64);
        header.set_mode(0o644);
    };
    let mut header = Header::new_gnu();
    layer_header(&mut header);
    let mut tar = tar::Builder::new(Vec::new());
    tar.append_data(&mut header, "a/layer.tar", layer).unwrap();
    let links = Layer(tar).link("b/layer.tar", "../a/layer.tar").file(&name, &config);
    links.file("manifest.json", &manifest.to_string()).bytes()
}

#[test]
fn what_docker_saves_is_an_image_too_compressed_or_not() {
    let layer = Layer::new().folder("etc").file("etc/os-release", "ID=x").bytes();
    let gzip = |bytes: &[u8]| {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    };
    let id = Digest::of(&layer);
    let whole = saved(&layer, &[id, id]);
    for tar in [&whole, &gzip(&whole), &saved(&gzip(&layer), &[id, id])] {
        let place = tempfile::tempdir().unwrap();
        let (file, root) = (place.path().join("image.tar"), place.path().join("root"));
        fs_err::write(&file, tar).unwrap();
        assert_eq!(unpack(&file, &root).unwrap().layers, 2);
        assert_eq!(read(&root, "etc/os-release"), "ID=x");
        assert_eq!(fs_err::read_dir(place.path()).unwrap().count(), 2, "nothing else is left");
    }
}

#[test]
fn what_docker_saves_must_be_whole_and_what_it_was() {
    let layer = Layer::new().file("a", "right").bytes();
    let (id, other) = (Digest::of(&layer), Digest::of("another"));
    let without_layer = Layer::new()
        .file("manifest.json", r#"[{"Config": "c.json", "Layers": ["../../outside/layer.tar"]}]"#)
        .file("c.json", r#"{"rootfs": {"diff_ids": []}}"#)
        .link("c.json/loop", "loop");
    for (tar, why) in [
        (saved(&layer, &[id, other]), "is damaged"),
        (saved(&layer, &[id]), "more layers than its configuration, or fewer"),
        (without_layer.bytes(), "it has no `../../outside/layer.tar`"),
        (Layer::new().file("manifest.json", "[{}]").bytes(), "missing field `Config`"),
        (Layer::new().file("other", "").bytes(), "neither an `index.json` nor a `manifest.json`"),
        (b"no tar at all".repeat(100), "numeric field"),
    ] {
        let place = tempfile::tempdir().unwrap();
        let (file, root) = (place.path().join("image.tar"), place.path().join("root"));
        fs_err::write(&file, tar).unwrap();
        let said = unpack(&file, &root).unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
        assert_eq!(fs_err::read_dir(place.path()).unwrap().count(), 1, "nothing is left: {said}");
    }
}
