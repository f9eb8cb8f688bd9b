//! Records. What reads and can be written reads the same again, and its input digest can be computed.

use weir_model::{Action, InputDigest, Record};

use crate::samples;

pub fn check(data: &[u8]) {
    let Ok(record) = Record::from_bytes(data) else { return };
    if let Action::Publish { release } | Action::Admit { release, .. } | Action::Promote { release, .. } =
        &record.action
    {
        let release = release.clone().into_release::<()>(|baked| Ok(InputDigest::of(baked.to_string())));
        let _ = release.expect("every digest is known").compute_input_digest();
    }
    let Ok(bytes) = record.to_bytes() else { return };
    let read = Record::from_bytes(&bytes).expect("what was written reads");
    assert_eq!(read, record);
    assert_eq!(read.to_bytes().expect("what was written can be written"), bytes);
}

pub fn seeds() -> Vec<Vec<u8>> {
    samples::records().iter().map(|record| record.to_bytes().unwrap()).collect()
}
