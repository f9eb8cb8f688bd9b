//! Batch names that are ULIDs: 26 characters of text are 6 bytes of time and 10 of chance.

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The milliseconds and the random bytes of a ULID in its canonical spelling.
pub(super) fn split(text: &str) -> Option<(u64, [u8; 10])> {
    let bytes = text.as_bytes();
    if bytes.len() != 26 || bytes[0] > b'7' {
        return None;
    }
    let mut value = 0u128;
    for byte in bytes {
        let digit = ALPHABET.iter().position(|letter| letter == byte)?;
        value = value << 5 | digit as u128;
    }
    let bytes = value.to_be_bytes();
    let random = bytes[6..].try_into().expect("ten of sixteen bytes are left");
    Some(((value >> 80) as u64, random))
}

/// The ULID of these milliseconds, of which the lowest 48 bits count, and random bytes.
pub(super) fn join(milliseconds: u64, random: &[u8; 10]) -> String {
    let mut bytes = [0; 16];
    bytes[6..].copy_from_slice(random);
    let value = u128::from(milliseconds & 0xffff_ffff_ffff) << 80 | u128::from_be_bytes(bytes);
    (0..26).rev().map(|place| char::from(ALPHABET[(value >> (place * 5)) as usize & 31])).collect()
}

#[cfg(test)]
mod tests {
    use super::{join, split};

    #[test]
    fn a_ulid_is_put_together_as_it_was() {
        for text in ["01ARZ3NDEKTSV4RRFFQ69G5FAV", "00000000000000000000000000", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"]
        {
            let (time, random) = split(text).unwrap();
            assert_eq!(join(time, &random), text);
        }
        assert_eq!(split("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap().0, 1_469_922_850_259);
    }

    #[test]
    fn other_spellings_are_no_ulids() {
        for text in [
            "",
            "01arz3ndektsv4rrffq69g5fav",
            "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "01ARZ3NDEKTSV4RRFFQ69G5FA",
            "01ARZ3NDEKTSV4RRFFQ69G5FAU",
        ] {
            assert_eq!(split(text), None, "{text}");
        }
    }
}
