//! `registry.dat`: what the compiler remembers of a registry, without which it does not begin, offline or not.
//!
//! Two dialects say the same: compilers before 0.19.3 write numbers from their highest byte on and count in 64 bits, later ones from
//! the lowest on and count packages and versions in 32.

use std::collections::BTreeMap;

use weir_model::{PackageName, Version};

/// The most releases that are read: the public registry has 16,446.
const MOST: u64 = 4_000_000;

/// What a version begins with whose numbers do not fit into a byte each.
const WIDE: u8 = 0xff;

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Of 0.19.1 and 0.19.2.
    BigEndian,
    /// Of 0.19.3 and later.
    LittleEndian,
}

/// What is in the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistryDat {
    /// How many releases the registry had shown when it was asked last: it is asked for those after them.
    pub count: u64,
    /// The versions of each package, by author and project.
    pub packages: BTreeMap<(String, String), Vec<[u16; 3]>>,
}

/// Why bytes are no `registry.dat`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRegistry {
    /// It ends too early.
    #[error("it ends in the middle of something")]
    Truncated,
    /// Something follows its end.
    #[error("something follows its end")]
    Trailing,
    /// It counts more than any registry has.
    #[error("it counts {0} of something, which is more than any registry has")]
    TooMany(u64),
    /// A name in it is not text.
    #[error("a name in it is not text")]
    Name,
}

impl Dialect {
    /// The one that a compiler reads.
    pub fn of(compiler: &Version) -> Self {
        if *compiler < Version::new(0, 19, 3) { Self::BigEndian } else { Self::LittleEndian }
    }
}

impl RegistryDat {
    /// Of exactly these releases. What Elm has no number or no name for is left out: nothing of the kind can be published as Elm.
    pub fn of<'a>(releases: impl IntoIterator<Item = (&'a PackageName, &'a Version)>) -> Self {
        let mut registry = Self::default();
        for (name, version) in releases {
            let numbers = [version.major(), version.minor(), version.patch()].map(u16::try_from);
            let ([Ok(major), Ok(minor), Ok(patch)], false) = (numbers, version.is_prerelease()) else {
                continue;
            };
            registry.count += 1;
            let key = (name.owner().to_owned(), name.name().to_owned());
            registry.packages.entry(key).or_default().push([major, minor, patch]);
        }
        for versions in registry.packages.values_mut() {
            versions.sort_unstable_by(|one, other| other.cmp(one));
        }
        registry
    }

    /// The bytes of the file.
    pub fn write(&self, dialect: Dialect) -> Vec<u8> {
        let mut writer = Writer { bytes: Vec::new(), dialect };
        let packages = || self.packages.iter().filter(|(_, versions)| !versions.is_empty());
        writer.count64(self.count);
        writer.count(packages().count() as u64);
        for ((author, project), versions) in packages() {
            writer.name(author);
            writer.name(project);
            let (newest, older) = (versions[0], &versions[1..]);
            writer.version(newest);
            writer.count(older.len() as u64);
            older.iter().for_each(|version| writer.version(*version));
        }
        writer.bytes
    }

    /// Reads the file.
    ///
    /// # Errors
    ///
    /// When it is not one, or not whole.
    pub fn read(bytes: &[u8], dialect: Dialect) -> Result<Self, BadRegistry> {
        let mut reader = Reader { rest: bytes, dialect };
        let mut registry = Self { count: bounded(u64::from_be_bytes(reader.ordered()?))?, ..Self::default() };
        for _ in 0..reader.count()? {
            let key = (reader.name()?, reader.name()?);
            let mut versions = vec![reader.version()?];
            for _ in 0..reader.count()? {
                versions.push(reader.version()?);
            }
            registry.packages.insert(key, versions);
        }
        if reader.rest.is_empty() { Ok(registry) } else { Err(BadRegistry::Trailing) }
    }
}

struct Writer {
    bytes: Vec<u8>,
    dialect: Dialect,
}

impl Writer {
    /// Puts the bytes of a number, given from the highest on, in the order of the dialect.
    fn ordered<const N: usize>(&mut self, mut bytes: [u8; N]) {
        if self.dialect == Dialect::LittleEndian {
            bytes.reverse();
        }
        self.bytes.extend(bytes);
    }

    fn count64(&mut self, count: u64) {
        self.ordered(count.to_be_bytes());
    }

    fn count(&mut self, count: u64) {
        match self.dialect {
            Dialect::BigEndian => self.count64(count),
            Dialect::LittleEndian => self.ordered(u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes()),
        }
    }

    /// A name has 64 bytes at most.
    fn name(&mut self, name: &str) {
        let bytes = &name.as_bytes()[..name.len().min(usize::from(u8::MAX))];
        self.bytes.push(u8::try_from(bytes.len()).unwrap_or(u8::MAX));
        self.bytes.extend(bytes);
    }

    fn version(&mut self, [major, minor, patch]: [u16; 3]) {
        match [major, minor, patch].map(u8::try_from) {
            [Ok(major), Ok(minor), Ok(patch)] if major != WIDE => self.bytes.extend([major, minor, patch]),
            _ => {
                self.bytes.push(WIDE);
                [major, minor, patch].into_iter().for_each(|number| self.ordered(number.to_be_bytes()));
            }
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    dialect: Dialect,
}

impl Reader<'_> {
    /// The bytes of a number, from the highest on.
    fn ordered<const N: usize>(&mut self) -> Result<[u8; N], BadRegistry> {
        let (first, rest) = self.rest.split_first_chunk::<N>().ok_or(BadRegistry::Truncated)?;
        let mut bytes = *first;
        self.rest = rest;
        if self.dialect == Dialect::LittleEndian {
            bytes.reverse();
        }
        Ok(bytes)
    }

    fn count(&mut self) -> Result<u64, BadRegistry> {
        bounded(match self.dialect {
            Dialect::BigEndian => u64::from_be_bytes(self.ordered()?),
            Dialect::LittleEndian => u32::from_be_bytes(self.ordered()?).into(),
        })
    }

    fn byte(&mut self) -> Result<u8, BadRegistry> {
        let (byte, rest) = self.rest.split_first().ok_or(BadRegistry::Truncated)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn name(&mut self) -> Result<String, BadRegistry> {
        let length = usize::from(self.byte()?);
        let (name, rest) = self.rest.split_at_checked(length).ok_or(BadRegistry::Truncated)?;
        self.rest = rest;
        String::from_utf8(name.to_vec()).map_err(|_| BadRegistry::Name)
    }

    fn version(&mut self) -> Result<[u16; 3], BadRegistry> {
        let first = self.byte()?;
        if first != WIDE {
            return Ok([first.into(), self.byte()?.into(), self.byte()?.into()]);
        }
        let mut number = || Ok(u16::from_be_bytes(self.ordered()?));
        Ok([number()?, number()?, number()?])
    }
}

fn bounded(count: u64) -> Result<u64, BadRegistry> {
    if count > MOST { Err(BadRegistry::TooMany(count)) } else { Ok(count) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BadRegistry, Dialect, RegistryDat};

    /// As the compilers themselves wrote it, of one package `a/b` with 1.0.0 and 300.2.0.
    #[test]
    fn both_dialects_are_written_byte_for_byte() {
        let name = "a/b".parse().unwrap();
        let versions = ["1.0.0", "300.2.0"].map(|version| version.parse().unwrap());
        let registry = RegistryDat::of(versions.iter().map(|version| (&name, version)));
        let big =
            b"\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x01\x01a\x01b\xff\x01\x2c\0\x02\0\0\0\0\0\0\0\0\0\x01\x01\0\0";
        assert_eq!(registry.write(Dialect::BigEndian), big);
        let little = b"\x02\0\0\0\0\0\0\0\x01\0\0\0\x01a\x01b\xff\x2c\x01\x02\0\0\0\x01\0\0\0\x01\0\0";
        assert_eq!(registry.write(Dialect::LittleEndian), little);
    }

    #[test]
    fn packages_stand_in_the_order_of_authors_then_projects() {
        let names = ["a/x", "a-b/x"].map(|name| name.parse().unwrap());
        let version = "1.0.0".parse().unwrap();
        let registry = RegistryDat::of(names.iter().map(|name| (name, &version)));
        let authors: Vec<&str> = registry.packages.keys().map(|(author, _)| author.as_str()).collect();
        assert_eq!(authors, ["a", "a-b"]);
    }

    #[test]
    fn what_counts_more_than_there_can_be_is_refused_at_once() {
        assert!(matches!(RegistryDat::read(&[0xff; 64], Dialect::BigEndian), Err(BadRegistry::TooMany(_))));
        assert_eq!(RegistryDat::read(b"", Dialect::LittleEndian), Err(BadRegistry::Truncated));
    }

    proptest! {
        #[test]
        fn what_was_written_reads_the_same_and_no_part_of_it_reads_at_all(
            packages in proptest::collection::btree_map(
                ("[a-z]{1,9}", "[a-z]{1,9}"),
                proptest::collection::vec(any::<[u16; 3]>(), 1..5),
                0..5,
            ),
            count in 0..10_000_u64,
            little in any::<bool>(),
            cut in 0..1_000_usize,
        ) {
            let dialect = if little { Dialect::LittleEndian } else { Dialect::BigEndian };
            let registry = RegistryDat { count, packages };
            let bytes = registry.write(dialect);
            prop_assert_eq!(RegistryDat::read(&bytes, dialect), Ok(registry));
            let cut = cut % bytes.len();
            prop_assert_eq!(RegistryDat::read(&bytes[..cut], dialect), Err(BadRegistry::Truncated));
        }

        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..200), little in any::<bool>()) {
            let dialect = if little { Dialect::LittleEndian } else { Dialect::BigEndian };
            let _ = RegistryDat::read(&bytes, dialect);
        }
    }
}
