//! Machines: for which one a program, a library or an object file is, as its header says.
//!
//! Sources: the System V ABI and its supplements for each processor, and `elf.h` of glibc.

use std::io;

use object::read::ReadRef;
use object::read::archive::ArchiveFile;
use weir_kind::FileContent;
use weir_model::Platform;

/// How an archive of object files begins.
const ARCHIVE: &[u8; 8] = b"!<arch>\n";
/// How an archive begins that only names object files.
const THIN_ARCHIVE: &[u8; 8] = b"!<thin>\n";
/// Bytes of a header that are looked at, of the longer form.
const HEADER: u64 = 64;
/// The most members of an archive that are looked at.
const MAX_MEMBERS: usize = 1_000_000;
/// Numbers of machines that compute beside the one that loads a program: CUDA, AMD's graphics cards, BPF.
const BESIDE: [u16; 3] = [190, 224, 247];

/// What the header of an ELF file says of the machine that it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Machine {
    /// `e_machine`.
    number: u16,
    is_64_bit: bool,
    is_big_endian: bool,
    /// `EI_OSABI`.
    system: u8,
    /// `e_flags`.
    flags: u32,
}

/// A machine as platforms name it, and what the header of a file for it holds.
struct Known {
    platforms: &'static [&'static str],
    number: u16,
    is_64_bit: bool,
    is_big_endian: bool,
    /// Of the flags, those that choose a calling convention, and the values they may have.
    convention: Option<(u32, &'static [u32])>,
}

const fn known(platforms: &'static [&'static str], number: u16, is_64_bit: bool) -> Known {
    Known { platforms, number, is_64_bit, is_big_endian: false, convention: None }
}

const KNOWN: [Known; 8] = [
    known(&["x86-64"], 62, true),
    known(&["aarch64", "arm64"], 183, true),
    known(&["i386", "i486", "i586", "i686"], 3, false),
    known(&["armv6l", "armv7l", "armv8l"], 40, false),
    known(&["loongarch64"], 258, true),
    // Numbers in registers of double precision, as all distributions have it.
    Known { convention: Some((0x6, &[0x4])), ..known(&["riscv64"], 243, true) },
    // The second version of its ABI.
    Known { convention: Some((0x3, &[0, 2])), ..known(&["ppc64le"], 21, true) },
    Known { is_big_endian: true, ..known(&["s390x"], 22, true) },
];

/// Systems that are no Linux, by their number in a header.
const OTHER_SYSTEMS: [(u8, &str); 4] = [(2, "NetBSD"), (6, "Solaris"), (9, "FreeBSD"), (12, "OpenBSD")];

impl Machine {
    /// Reads the first bytes of a file; `None` of what is no ELF file.
    pub(crate) fn of_header(header: &[u8]) -> Option<Self> {
        let [0x7f, b'E', b'L', b'F', class, order, _, system, ..] = *header else { return None };
        let (is_64_bit, is_big_endian) = (class == 2, order == 2);
        let number = number(header.get(18..20)?, is_big_endian) as u16;
        let flags_at = if is_64_bit { 48 } else { 36 };
        let flags = number_of_flags(header, flags_at, is_big_endian)?;
        Some(Self { number, is_64_bit, is_big_endian, system, flags })
    }

    /// For what it is instead, where it is not for `platform`: words that follow "is for". What computes beside the
    /// processor is for no platform, and of a machine that is not known here nothing is said.
    pub(crate) fn stranger_to(&self, platform: &Platform) -> Option<String> {
        if BESIDE.contains(&self.number) {
            return None;
        }
        if let Some((_, system)) = OTHER_SYSTEMS.iter().find(|(number, _)| *number == self.system) {
            return Some((*system).to_owned());
        }
        let is_of =
            |name: &&&str| platform.as_str().strip_prefix(**name).is_some_and(|rest| rest.starts_with('-'));
        let known = KNOWN.iter().find(|known| known.platforms.iter().any(|name| is_of(&name)))?;
        let is_same = (known.number, known.is_64_bit, known.is_big_endian)
            == (self.number, self.is_64_bit, self.is_big_endian);
        let keeps = known.convention.is_none_or(|(mask, values)| values.contains(&(self.flags & mask)));
        match (is_same, keeps) {
            (false, _) => Some(self.name()),
            (true, false) => Some(format!("another calling convention of {}", self.name())),
            (true, true) => None,
        }
    }

    fn name(&self) -> String {
        let known = KNOWN.iter().find(|known| known.number == self.number);
        let name =
            known.map_or_else(|| format!("machine {}", self.number), |known| known.platforms[0].to_owned());
        let bits = if self.is_64_bit { 64 } else { 32 };
        let order = if self.is_big_endian { ", big endian" } else { "" };
        format!("{name} ({bits} bits{order})")
    }
}

/// Machines that a file is for: that of a program, a library or an object file, and those of the members of an archive, each
/// with the member's name. Anything else is for none.
pub(crate) fn machines(file: &mut dyn FileContent) -> io::Result<Vec<(Option<String>, Machine)>> {
    let cache = object::read::ReadCache::new(file);
    let length = cache.len().map_err(|()| io::Error::other("its length cannot be read"))?;
    let header = cache.read_bytes_at(0, length.min(HEADER)).unwrap_or_default();
    if let Some(machine) = Machine::of_header(header) {
        return Ok(vec![(None, machine)]);
    }
    if header.starts_with(ARCHIVE) {
        return Ok(members(&cache, length));
    }
    Ok(Vec::new())
}

/// Whether a file is an archive that only names object files, which lie elsewhere.
pub(crate) fn is_thin_archive(file: &mut dyn FileContent) -> io::Result<bool> {
    let cache = object::read::ReadCache::new(file);
    Ok(cache.read_bytes_at(0, THIN_ARCHIVE.len() as u64).is_ok_and(|start| start == THIN_ARCHIVE))
}

/// The members of an archive that can be read.
fn members<'d>(data: impl ReadRef<'d>, length: u64) -> Vec<(Option<String>, Machine)> {
    let Ok(archive) = ArchiveFile::parse(data) else { return Vec::new() };
    let mut found: Vec<(Option<String>, Machine)> = Vec::new();
    for member in archive.members().take(MAX_MEMBERS).map_while(Result::ok) {
        let (at, size) = member.file_range();
        let header =
            data.read_bytes_at(at, size.min(HEADER).min(length.saturating_sub(at))).unwrap_or_default();
        let Some(machine) = Machine::of_header(header) else { continue };
        // One for each machine is enough to tell.
        if found.iter().all(|(_, known)| *known != machine) {
            found.push((Some(String::from_utf8_lossy(member.name()).into_owned()), machine));
        }
    }
    found
}

fn number_of_flags(header: &[u8], at: usize, is_big_endian: bool) -> Option<u32> {
    Some(number(header.get(at..at + 4)?, is_big_endian))
}

fn number(bytes: &[u8], is_big_endian: bool) -> u32 {
    let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
    if is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::{any, prop, proptest};

    use super::{Machine, machines};

    /// The header of a file of 64 bits for this machine.
    fn header(number: u16, flags: u32) -> Vec<u8> {
        let mut header = vec![0; 64];
        header[..6].copy_from_slice(b"\x7fELF\x02\x01");
        header[18..20].copy_from_slice(&number.to_le_bytes());
        header[48..52].copy_from_slice(&flags.to_le_bytes());
        header
    }

    fn stranger(header: &[u8], platform: &str) -> Option<String> {
        Machine::of_header(header).unwrap().stranger_to(&platform.parse().unwrap())
    }

    #[test]
    fn machine_class_convention_and_system_are_held_against_the_platform() {
        assert_eq!(stranger(&header(62, 0), "x86-64-debian-13"), None);
        assert_eq!(stranger(&header(183, 0), "x86-64-debian-13").as_deref(), Some("aarch64 (64 bits)"));
        assert_eq!(stranger(&header(62, 0), "aarch64-debian-13").as_deref(), Some("x86-64 (64 bits)"));
        let mut x32 = header(62, 0);
        x32[4] = 1;
        assert_eq!(stranger(&x32, "x86-64-debian-13").as_deref(), Some("x86-64 (32 bits)"));
        let mut freebsd = header(62, 0);
        freebsd[7] = 9;
        assert_eq!(stranger(&freebsd, "x86-64-debian-13").as_deref(), Some("FreeBSD"));
        assert_eq!(stranger(&header(243, 5), "riscv64-debian-13"), None);
        assert_eq!(
            stranger(&header(243, 1), "riscv64-debian-13").as_deref(),
            Some("another calling convention of riscv64 (64 bits)")
        );
        assert_eq!(stranger(&header(247, 0), "x86-64-debian-13"), None, "BPF runs in any kernel");
        assert_eq!(stranger(&header(62, 0), "vax-netbsd-1"), None, "of which nothing is known");
    }

    #[test]
    fn members_of_static_libraries_are_looked_at_too() {
        let place = tempfile::tempdir().unwrap();
        let foreign = place.path().join("a-member-with-a-long-name.o");
        fs_err::write(&foreign, header(183, 0)).unwrap();
        fs_err::write(place.path().join("x.c"), "int x;").unwrap();
        let run = |program: &str, words: &[&str]| {
            assert!(Command::new(program).current_dir(place.path()).args(words).status().unwrap().success());
        };
        run("cc", &["-c", "x.c", "-o", "x.o"]);
        run("ar", &["rcS", "libx.a", "x.o", "a-member-with-a-long-name.o"]);
        let found = machines(&mut fs_err::File::open(place.path().join("libx.a")).unwrap()).unwrap();
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_deref().unwrap()).collect();
        assert_eq!(names, ["x.o", "a-member-with-a-long-name.o"]);
        assert!(machines(&mut fs_err::File::open(place.path().join("x.c")).unwrap()).unwrap().is_empty());
    }

    proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_archive_ends(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            for start in [&b""[..], b"!<arch>\n", b"!<thin>\n", b"\x7fELF"] {
                fs_err::write(file.path(), [start, &bytes].concat()).unwrap();
                let _ = machines(file.as_file_mut());
            }
        }
    }
}
