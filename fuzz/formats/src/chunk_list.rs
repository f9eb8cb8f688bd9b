//! Chunk lists. What reads is written byte for byte as it was, and its chunks add up.

use weir_model::{Digest, Sha256};
use weir_registry::content::ChunkList;

pub fn check(data: &[u8]) {
    let claimed = data.get(14..78).and_then(|hex| std::str::from_utf8(hex).ok()).unwrap_or_default();
    let sha256 = Digest::from_hex(claimed).unwrap_or_else(|_| Digest::of(b""));
    let Ok(list) = ChunkList::parse(data, &sha256, None) else { return };
    assert_eq!(list.to_text().as_bytes(), data);
    let mut end = 0;
    for chunk in list.chunks() {
        assert_eq!(chunk.offset, end);
        end += u64::from(chunk.size);
    }
    assert_eq!(end, list.size());
    assert!(data.len() as u64 <= ChunkList::longest(list.size()), "longer than a reader reads");
}

pub fn seeds() -> Vec<Vec<u8>> {
    let hex = |text: &str| Sha256::of(text).to_hex();
    vec![
        format!("weir-chunks v1\n{} 1600000\n{} 1048576\n{} 551424\n", hex("all"), hex("one"), hex("two"))
            .into(),
        format!("weir-chunks v1\n{} 0\n", hex("")).into(),
    ]
}
