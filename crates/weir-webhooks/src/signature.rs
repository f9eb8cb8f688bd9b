//! What proves to a receiver that a server sent something, and when: as the specification of Standard Webhooks has it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// Random bytes in a secret: the specification has 24 to 64.
const BYTES: usize = 32;

/// What every secret begins with.
const PREFIX: &str = "whsec_";

/// A new secret, as it is shown and kept.
pub(crate) fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// The signature of what is sent as `id` at `timestamp`, in seconds.
pub(crate) fn signature(secret: &str, id: &str, timestamp: i64, body: &str) -> String {
    let bytes = STANDARD.decode(secret.trim_start_matches(PREFIX)).unwrap_or_default();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}

#[cfg(test)]
mod tests {
    use super::{new_secret, signature};

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // What the libraries of the specification are tested with.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        assert_eq!(
            signature(secret, id, 1_614_265_330, r#"{"test": 2432232314}"#),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        assert_ne!(new_secret().unwrap(), new_secret().unwrap());
    }
}
