//! ELF files: any bytes end, in bounded names, and read from a file as from memory.

use weir_native::Elf;

pub fn check(data: &[u8]) {
    let from_memory = Elf::parse(data);
    if let Ok(elf) = &from_memory {
        assert!(elf.needed.len() <= 1024 && elf.run_paths.len() <= 1024);
        assert!(elf.needed.iter().chain(&elf.run_paths).all(|name| name.len() <= 3 * 4096));
    }
    if data.starts_with(b"\x7fELF") {
        let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
        fs_err::write(file.path(), data).expect("a temporary file can be written");
        let from_file = Elf::read(file.path()).expect("the file can be read").expect("it begins like one");
        assert_eq!(from_file.ok(), from_memory.ok());
    }
}

/// The smallest library that says all: two segments, and a table with its strings.
pub fn seeds() -> Vec<Vec<u8>> {
    vec![library(true), library(false), b"\x7fELF".to_vec()]
}

fn library(little: bool) -> Vec<u8> {
    const STRINGS: &[u8] = b"\0libz.so.1\0libm.so.6\0$ORIGIN/../lib:/opt/x\0";
    const HEADERS: u64 = 64 + 2 * 56;
    let word = |value: u64, bytes: usize| -> Vec<u8> {
        if little { value.to_le_bytes()[..bytes].to_vec() } else { value.to_be_bytes()[8 - bytes..].to_vec() }
    };
    let strings_at = HEADERS + 6 * 16;
    let total = strings_at + STRINGS.len() as u64;
    let mut file = vec![0x7f, b'E', b'L', b'F', 2, if little { 1 } else { 2 }, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // ET_DYN, a machine, the version; entry, program headers, sections; flags and sizes.
    let header = [
        (3, 2),
        (62, 2),
        (1, 4),
        (0, 8),
        (64, 8),
        (0, 8),
        (0, 4),
        (64, 2),
        (56, 2),
        (2, 2),
        (64, 2),
        (0, 2),
        (0, 2),
    ];
    for (value, bytes) in header {
        file.extend(word(value, bytes));
    }
    for (sort, offset, size) in [(1, 0, total), (2, HEADERS, 6 * 16)] {
        file.extend(word(sort, 4));
        file.extend(word(4, 4));
        for value in [offset, offset, offset, size, size, 8] {
            file.extend(word(value, 8));
        }
    }
    // DT_STRTAB, DT_STRSZ, DT_SONAME, DT_NEEDED, DT_RUNPATH, DT_NULL
    let tables = [(5, strings_at), (10, STRINGS.len() as u64), (14, 1), (1, 11), (29, 21), (0, 0)];
    for (tag, value) in tables {
        file.extend(word(tag, 8));
        file.extend(word(value, 8));
    }
    file.extend(STRINGS);
    file
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_seeds_are_read_in_full() {
        for little in [true, false] {
            let elf = weir_native::Elf::parse(&super::library(little)).expect("it is sound");
            assert_eq!(elf.soname.as_deref(), Some("libz.so.1"));
            assert_eq!(elf.needed, ["libm.so.6"]);
            assert_eq!(elf.run_paths, ["$ORIGIN/../lib", "/opt/x"]);
        }
    }
}
