//! A tar in gzip whose framing is anything: taken only where `flate2`, told to read all members, finds every checksum right.

use std::io::{Read as _, Write as _};

use weir_tree::Strip;

use crate::archive;

/// Where the tar's gzip is cut and what comes there instead, so that checksums, lengths and further members are tried and not
/// only its first bytes.
pub fn check(data: &[u8]) {
    let Some((&[high, low], rest)) = data.split_first_chunk::<2>() else { return };
    let whole = gzip(&archive::tar());
    let at = usize::from(u16::from_be_bytes([high, low])) % (whole.len() + 1);
    let spliced = [&whole[..at], rest].concat();
    archive::import(&spliced, Strip::None);
    let place = tempfile::tempdir().unwrap();
    let options = weir_tree::ImportOptions { strip: Strip::None, ..weir_tree::ImportOptions::default() };
    let taken = weir_tree::import_archive_from(
        std::io::Cursor::new(&spliced),
        "archive.tar.gz",
        &place.path().join("tree"),
        &options,
    );
    if taken.is_ok() {
        let end = spliced.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        // Zeros behind the last member are padding; its length may end with some.
        let reads = (end..=(end + 4).min(spliced.len())).any(|end| {
            flate2::read::MultiGzDecoder::new(&spliced[..end]).read_to_end(&mut Vec::new()).is_ok()
        });
        assert!(reads, "taken, and its checksums do not fit");
    }
}

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(tar).unwrap();
    gzip.finish().unwrap()
}

pub fn seeds() -> Vec<Vec<u8>> {
    let whole = u16::try_from(gzip(&archive::tar()).len()).unwrap_or(u16::MAX).to_be_bytes();
    vec![
        [&whole[..], b""].concat(),
        [&whole[..], &[0; 20]].concat(),
        [&whole[..], &gzip(b"")].concat(),
        [&(u16::from_be_bytes(whole) - 8).to_be_bytes()[..], &[0; 8]].concat(),
    ]
}
