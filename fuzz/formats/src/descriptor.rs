//! `weir.json`. What reads is written so that it reads the same; its keys are read without harm.

use weir_model::descriptor::Descriptor;

pub fn check(data: &[u8]) {
    let Ok(descriptor) = Descriptor::from_bytes(data) else { return };
    let read = Descriptor::from_bytes(descriptor.to_text().as_bytes()).expect("what was written reads");
    assert_eq!(read, descriptor);
    let _ = weir_registry::parse_keys(&descriptor.keys);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let key = super::log_files::key();
    let text = format!(
        r#"{{"weir":1,"level":1,"name":"org","url":"https://registry.example/org","keys":["{}"],
        "kinds":["generic","bash"],"features":["publish"],"upstreams":["public"],"validity":86400,"closed":true}}"#,
        key.verifying_key()
    );
    vec![text.into_bytes()]
}
