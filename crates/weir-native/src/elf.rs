//! What an ELF file says to the program that loads it: which libraries it needs, where it looks for them, and under
//! which name it is one itself.
//!
//! Only the program headers and what they lead to are read, as a loader does. Whatever else a file holds, however
//! large, is not touched. Sources of the format: the System V ABI, "Dynamic Linking", and `elf.h` of glibc.

mod bound;

use std::io::Read as _;
use std::path::Path;

use object::Endianness;
use object::elf::{
    DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME, DT_STRSZ, DT_STRTAB, ET_DYN, ET_EXEC, FileHeader32,
    FileHeader64, PT_DYNAMIC, PT_INTERP, PT_LOAD,
};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::read::{ReadCache, ReadRef};

use weir_kind::FileContent;

pub(crate) use bound::{Others, Tree, check};

/// The first bytes of every ELF file.
const MAGIC: &[u8; 4] = b"\x7fELF";
/// The largest table of the loader that is read, in bytes. Real ones have some hundred.
const MAX_TABLE: u64 = 1 << 20;
/// The longest string that is read, in bytes.
const MAX_STRING: u64 = 4096;
/// The most libraries that a file may need, and the most folders that it may look in.
const MAX_NAMES: usize = 1024;

/// A program or a shared library, as its loader sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elf {
    /// Whether it is a program or a shared library, and not an object file.
    pub loadable: bool,
    /// The name by which others need it (`DT_SONAME`).
    pub soname: Option<String>,
    /// The libraries that it needs (`DT_NEEDED`), in its order.
    pub needed: Vec<String>,
    /// Where it looks for them first (`DT_RUNPATH`, or else `DT_RPATH`), in its order.
    pub run_paths: Vec<String>,
    /// The bytes of the file that say so, one text with `:` between the folders; nothing where none does.
    pub run_paths_at: Option<std::ops::Range<u64>>,
    /// The program that loads it (`PT_INTERP`).
    pub interpreter: Option<String>,
}

/// Why a file that begins like an ELF file is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a sound ELF file: {0}")]
pub struct ElfError(String);

impl Elf {
    /// Reads an ELF file; `None` where `file` is something else.
    ///
    /// # Errors
    ///
    /// When the file cannot be read. Inside it, when it is damaged.
    pub fn read(file: &Path) -> std::io::Result<Option<Result<Self, ElfError>>> {
        Self::read_from(&mut fs_err::File::open(file)?)
    }

    /// The same of the bytes of a file.
    ///
    /// # Errors
    ///
    /// As [`Elf::read`].
    pub fn read_from(mut file: &mut dyn FileContent) -> std::io::Result<Option<Result<Self, ElfError>>> {
        let mut magic = Vec::with_capacity(MAGIC.len());
        file.rewind()?;
        (&mut file).take(MAGIC.len() as u64).read_to_end(&mut magic)?;
        if magic != MAGIC {
            return Ok(None);
        }
        Ok(Some(parse(&ReadCache::new(file))))
    }

    /// Reads the bytes of an ELF file.
    ///
    /// # Errors
    ///
    /// When it is damaged, or something else.
    pub fn parse(bytes: &[u8]) -> Result<Self, ElfError> {
        parse(bytes)
    }
}

fn parse<'d, R: ReadRef<'d>>(data: R) -> Result<Elf, ElfError> {
    let ident = data.read_bytes_at(0, 16).map_err(|()| wrong("it is too short"))?;
    match ident.get(4) {
        Some(1) => parse_as::<FileHeader32<Endianness>, R>(data),
        Some(2) => parse_as::<FileHeader64<Endianness>, R>(data),
        _ => Err(wrong("it is neither of 32 nor of 64 bits")),
    }
}

fn parse_as<'d, H: FileHeader<Endian = Endianness>, R: ReadRef<'d>>(data: R) -> Result<Elf, ElfError> {
    let header = H::parse(data).map_err(told)?;
    let endian = header.endian().map_err(told)?;
    let loadable = matches!(header.e_type(endian), ET_EXEC | ET_DYN);
    let mut elf = Elf { loadable, ..Elf::default() };
    if !loadable {
        return Ok(elf);
    }
    let segments = header.program_headers(endian, data).map_err(told)?;
    let mut tables = Vec::new();
    for segment in segments {
        let (_, size) = segment.file_range(endian);
        match segment.p_type(endian) {
            PT_INTERP if elf.interpreter.is_none() => {
                bounded(size)?;
                let path = segment.interpreter(endian, data).map_err(told)?;
                elf.interpreter = path.map(|path| String::from_utf8_lossy(path).into_owned());
            }
            PT_DYNAMIC if tables.is_empty() => {
                bounded(size)?;
                tables = segment.dynamic(endian, data).map_err(told)?.unwrap_or_default().to_vec();
            }
            _ => {}
        }
    }
    let value =
        |tag| tables.iter().find(|entry| entry.tag(endian) == tag).map(|entry| entry.d_val(endian).into());
    let Some(address) = value(DT_STRTAB) else { return Ok(elf) };
    let strings = Strings::find::<H>(data, segments, endian, address, value(DT_STRSZ))?;
    let all = |tag| -> Result<Vec<String>, ElfError> {
        let entries = tables
            .iter()
            .take_while(|entry| entry.d_val(endian).into() != 0 || entry.tag(endian) != object::elf::DT_NULL);
        let named = entries.filter(|entry| entry.tag(endian) == tag);
        named.take(MAX_NAMES).map(|entry| strings.get(entry.d_val(endian).into())).collect()
    };
    elf.needed = all(DT_NEEDED)?;
    elf.soname = all(DT_SONAME)?.into_iter().next();
    let mut tag = DT_RUNPATH;
    let mut folders = all(tag)?;
    if folders.is_empty() {
        tag = DT_RPATH;
        folders = all(tag)?;
    }
    if let (Some(at), [only]) = (value(tag), &*folders) {
        let start = strings.start.saturating_add(at);
        elf.run_paths_at = Some(start..start.saturating_add(only.len() as u64));
    }
    let folders = folders.iter().flat_map(|list| list.split(':'));
    elf.run_paths = folders.filter(|folder| !folder.is_empty()).take(MAX_NAMES).map(str::to_owned).collect();
    Ok(elf)
}

/// The table of strings that the loader uses, by where it is in the file.
struct Strings<R> {
    data: R,
    start: u64,
    end: u64,
}

impl<'d, R: ReadRef<'d>> Strings<R> {
    /// Finds the table: its entry holds the address at which it is loaded.
    fn find<H: FileHeader<Endian = Endianness>>(
        data: R,
        segments: &[H::ProgramHeader],
        endian: Endianness,
        address: u64,
        size: Option<u64>,
    ) -> Result<Self, ElfError> {
        for segment in segments.iter().filter(|segment| segment.p_type(endian) == PT_LOAD) {
            let (offset, length) = segment.file_range(endian);
            let first: u64 = segment.p_vaddr(endian).into();
            let Some(inside) = address.checked_sub(first).filter(|inside| *inside < length) else { continue };
            let start = offset.checked_add(inside).ok_or_else(|| wrong("its table of strings is nowhere"))?;
            let end = start.saturating_add(size.unwrap_or(u64::MAX).min(length - inside));
            return Ok(Self { data, start, end });
        }
        Err(wrong("its table of strings is not loaded"))
    }

    fn get(&self, at: u64) -> Result<String, ElfError> {
        let lost = || wrong("a name is outside its table of strings");
        let start = self.start.checked_add(at).filter(|start| *start < self.end).ok_or_else(lost)?;
        let length = self.data.len().map_err(|()| lost())?;
        let end = self.end.min(start.saturating_add(MAX_STRING)).min(length);
        if end <= start {
            return Err(lost());
        }
        let text = self.data.read_bytes_at_until(start..end, 0).map_err(|()| lost())?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }
}

fn bounded(size: u64) -> Result<(), ElfError> {
    if size > MAX_TABLE { Err(wrong("a table of its loader is too large")) } else { Ok(()) }
}

fn wrong(reason: &str) -> ElfError {
    ElfError(reason.into())
}

fn told(error: object::read::Error) -> ElfError {
    ElfError(error.to_string())
}

#[cfg(test)]
mod tests;
