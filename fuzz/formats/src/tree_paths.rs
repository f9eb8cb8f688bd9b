//! Trees with any paths. The input describes files; sizes, digests and order are put right here, so that
//! what is refused is refused for its paths and links, and what is accepted is unpacked whole.
//!
//! ```text
//! <mode: f, x or l> <path> 00 <content> ff …
//! ```

use std::fmt::Write as _;

use weir_model::EntryDigest;
use weir_tree::TreeManifest;

use crate::pack;

pub fn check(data: &[u8]) {
    let mut entries: Vec<(&str, char, &[u8])> = data.split(|byte| *byte == 0xff).filter_map(entry).collect();
    entries.sort_by_key(|(path, ..)| path.as_bytes());
    let mut text = String::from("weir-tree v1\n");
    for (path, mode, content) in &entries {
        let digest = EntryDigest::of(content).to_hex();
        let _ = writeln!(text, "{mode} {} {digest} {path}", content.len());
    }
    let mut inside = (text.len() as u64).to_le_bytes().to_vec();
    inside.extend_from_slice(text.as_bytes());
    entries.iter().for_each(|(.., content)| inside.extend_from_slice(content));
    let unpacked = pack::unpack(&inside);
    let links = entries.iter().any(|(_, mode, _)| *mode == 'l');
    if !links && entries.len() < 100 && TreeManifest::parse(text.as_bytes()).is_ok() {
        assert!(unpacked, "a tree that is sound cannot be unpacked:\n{text}");
    }
}

fn entry(bytes: &[u8]) -> Option<(&str, char, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let (mode, path) = bytes[..end].split_first()?;
    let mode = if b"xl".contains(mode) { char::from(*mode) } else { 'f' };
    Some((std::str::from_utf8(path).ok()?, mode, &bytes[end + 1..]))
}

pub fn seeds() -> Vec<Vec<u8>> {
    [
        &b"fa\0one\xffxb/c\0two\xfflb/l\0c\xffld\0b/l"[..],
        b"f../a\0x\xfff/etc/passwd\0x",
        b"lout\0../../etc\xfffout/x\0y",
        b"fA\0x\xfffa\0x\xfffCON\0x\xfffe\xcc\x81\0",
        b"lloop\0loop\xfflp\0./q\xfflq\0p",
    ]
    .map(<[u8]>::to_vec)
    .into()
}
