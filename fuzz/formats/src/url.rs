//! Addresses. What reads is written so that it reads the same, and what lies below an address has its origin.

use weir_client::Url;

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (address, path) = text.split_once('\n').unwrap_or((text, "tile/0/x001/234"));
    let Ok(url) = address.parse::<Url>() else { return };
    let again: Url = url.to_string().parse().expect("what was written reads");
    assert_eq!(again.to_string(), url.to_string());
    assert_eq!(again.origin(), url.origin());
    if let Ok(below) = url.below(path) {
        assert_eq!(below.origin(), url.origin(), "{below}");
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    [
        "https://Registry.Example:443/org?x=1#f\npack/ab/c d.zst",
        "http://127.0.0.1:8080",
        "http://[::1]:80/a/../b\n//evil.example/x",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
