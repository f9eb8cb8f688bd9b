//! Bytes for machines: variable-length integers and length-prefixed texts, read with every length checked.
//!
//! Used for the blobs in the index file and for the columns of a snapshot. Integers are LEB128;
//! signed ones are zigzag-coded first.

/// Appends values to a byte buffer.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

impl Writer {
    pub(crate) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub(crate) fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)) as u64);
    }

    /// The way from `from` to `to`, as a signed number that wraps around.
    pub(crate) fn delta(&mut self, from: u64, to: u64) {
        self.signed(to.wrapping_sub(from) as i64);
    }

    pub(crate) fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.raw(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Absence is 0, presence the value after a 1.
    pub(crate) fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }
}

/// Takes values from the front of a slice; never reads past its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

/// Bytes that do not hold what they should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) String);

impl Malformed {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        let (&first, rest) = self.0.split_first().ok_or_else(|| Malformed::new("it ends too early"))?;
        self.0 = rest;
        Ok(first)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed::new("a number is longer than 64 bits"))
    }

    pub(crate) fn small(&mut self) -> Result<u32, Malformed> {
        u32::try_from(self.number()?).map_err(|_| Malformed::new("a number is longer than 32 bits"))
    }

    pub(crate) fn signed(&mut self) -> Result<i64, Malformed> {
        let value = self.number()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(crate) fn delta(&mut self, from: u64) -> Result<u64, Malformed> {
        Ok(from.wrapping_add(self.signed()? as u64))
    }

    /// A count of things each of which takes at least one byte of what is left.
    pub(crate) fn count(&mut self) -> Result<usize, Malformed> {
        let count = self.number()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.0.len() => Ok(count),
            _ => Err(Malformed::new(format!("it announces {count} things and holds {} bytes", self.0.len()))),
        }
    }

    /// An index into a table of `length` things.
    pub(crate) fn index(&mut self, length: usize) -> Result<usize, Malformed> {
        let index = self.number()?;
        match usize::try_from(index) {
            Ok(index) if index < length => Ok(index),
            _ => Err(Malformed::new(format!("it refers to thing {index} of {length}"))),
        }
    }

    pub(crate) fn raw(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let Some((taken, rest)) = self.0.split_at_checked(length) else {
            return Err(Malformed::new("it ends too early"));
        };
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn digest<S>(&mut self) -> Result<weir_model::Digest<S>, Malformed> {
        let bytes: [u8; 32] = self.raw(32)?.try_into().expect("32 bytes were taken");
        Ok(weir_model::Digest::from_bytes(bytes))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.count()?;
        self.raw(length)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed::new("a text is not UTF-8"))
    }

    /// A text that reads as some other type.
    pub(crate) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self) -> Result<T, Malformed> {
        parse(self.text()?)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Malformed> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Malformed::new(format!("{other} is neither yes nor no"))),
        }
    }

    pub(crate) fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        self.flag()?.then(|| read(self)).transpose()
    }

    /// Checks that nothing is left.
    pub(crate) fn finish(self) -> Result<(), Malformed> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(Malformed::new(format!("{} bytes are left over", self.0.len())))
        }
    }
}

/// Reads a text as some other type.
pub(crate) fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Malformed> {
    text.parse().map_err(|error: T::Err| Malformed::new(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{Reader, Writer};

    #[test]
    fn numbers_read_back_what_was_written() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut writer = Writer::default();
            writer.number(value);
            writer.signed(value as i64);
            writer.delta(value, 5);
            let mut reader = Reader(&writer.0);
            assert_eq!(reader.number(), Ok(value));
            assert_eq!(reader.signed(), Ok(value as i64));
            assert_eq!(reader.delta(value), Ok(5));
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn lengths_beyond_what_is_left_are_refused() {
        let mut writer = Writer::default();
        writer.number(u64::MAX);
        writer.raw(b"abc");
        assert!(Reader(&writer.0).bytes().is_err());
        assert!(Reader(&[0xff; 11]).number().is_err());
        assert!(Reader(&[0x80]).number().is_err());
    }
}
