//! Foreign archives, of any format, from any bytes. What is brought in is the tree that is reported; what is
//! refused leaves nothing; nothing is written outside.

use std::io::{Cursor, Write as _};

use weir_tree::{ImportOptions, Strip};

use crate::{pack, samples};

pub fn check(data: &[u8]) {
    for strip in [Strip::None, Strip::SingleFolder, Strip::Parts(1)] {
        import(data, strip);
    }
}

/// Brings in an archive and checks what came of it.
pub fn import(data: &[u8], strip: Strip) {
    let place = tempfile::tempdir().unwrap();
    let around = place.path().join("a/b/c");
    fs_err::create_dir_all(&around).unwrap();
    let root = around.join("tree");
    let options = ImportOptions { strip, limits: pack::LIMITS, ratio: 100, only: None };
    match weir_tree::import_archive_from(Cursor::new(data), "archive", &root, &options) {
        Ok(report) => {
            pack::is_exactly(&root, &report.manifest);
            fs_err::remove_dir_all(&root).unwrap();
        }
        Err(_) => assert!(fs_err::symlink_metadata(&root).is_err(), "something is left of what was refused"),
    }
    pack::only_folders(place.path());
}

/// A tar with files, folders, links, and names too long for a header.
pub fn tar() -> Vec<u8> {
    let folder = samples::folder();
    let mut tar = tar::Builder::new(Vec::new());
    tar.follow_symlinks(false);
    tar.append_dir_all("greet-1.0", folder.path()).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    header.set_mode(0o4755);
    header.set_cksum();
    tar.append_data(&mut header, format!("greet-1.0/{}", "long/".repeat(40)) + "name", &b"abc"[..]).unwrap();
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Link);
    header.set_size(0);
    header.set_cksum();
    tar.append_link(&mut header, "greet-1.0/hard", "greet-1.0/bin/greet").unwrap();
    tar.append_pax_extensions([("path", &b"greet-1.0/pax"[..]), ("size", b"2")]).unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(2);
    header.set_path("greet-1.0/short").unwrap();
    header.set_cksum();
    tar.append(&header, &b"ab"[..]).unwrap();
    tar.into_inner().unwrap()
}

fn zip() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("greet/a.txt", options.unix_permissions(0o755)).unwrap();
    zip.write_all(&b"abc".repeat(30)).unwrap();
    zip.start_file("greet/b", options.compression_method(zip::CompressionMethod::Stored)).unwrap();
    zip.write_all(b"xyz").unwrap();
    zip.add_symlink("greet/l", "a.txt", options).unwrap();
    zip.finish().unwrap().into_inner()
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar()).unwrap();
    vec![tar(), zip(), gzip.finish().unwrap(), zstd::encode_all(&tar()[..], 1).unwrap()]
}
