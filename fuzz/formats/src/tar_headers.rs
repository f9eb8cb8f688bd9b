//! Tar archives whose checksums are put right, so that the fuzzer reaches what lies behind them.

use weir_tree::Strip;

use crate::archive;

const BLOCK: usize = 512;
const CHECKSUM: std::ops::Range<usize> = 148..156;

pub fn check(data: &[u8]) {
    let mut tar = data.to_vec();
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    let mut at = 0;
    while let Some(header) = tar.get_mut(at..at + BLOCK) {
        if header.iter().any(|byte| *byte != 0) {
            header[CHECKSUM].fill(b' ');
            let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
            header[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            // Without its magic a file is no tar at all.
            if !header[257..].starts_with(b"ustar") {
                header[257..265].copy_from_slice(b"ustar\x0000");
                continue;
            }
        }
        let size: String = header[124..135].iter().map(|byte| char::from(*byte)).collect();
        let size = usize::from_str_radix(size.trim_matches(['\0', ' ']), 8).unwrap_or(0).min(data.len());
        at += BLOCK + size.next_multiple_of(BLOCK);
    }
    tar.extend_from_slice(&[0; 2 * BLOCK]);
    archive::import(&tar, Strip::SingleFolder);
}

pub fn seeds() -> Vec<Vec<u8>> {
    vec![archive::tar()]
}
