//! What differs between two builds of one release, and why, as far as it can be told.
//!
//! Of a file of ELF, the sections are compared; of an archive of ar(5), the members are named; and around the first
//! byte that differs it is looked for what usually does: a time, a date, a path.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use object::{Object as _, ObjectSection as _};

/// Bytes that are shown before and after the first that differs.
const AROUND: usize = 24;

/// Larger files are compared by their digests alone.
const MAX_COMPARED: u64 = 1 << 30;

/// Sections that follow from others: they differ wherever anything does.
const FOLLOWING: [&str; 3] = [".note.gnu.build-id", ".gnu_debuglink", ".gnu_debugdata"];

/// A path at which two trees differ.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Difference {
    /// The path, relative to both trees.
    pub path: String,
    /// How they differ there.
    #[serde(flatten)]
    pub how: How,
}

/// How two trees differ at a path.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "how")]
#[schemars(rename = "HowDifferent")]
pub enum How {
    /// Only the first has it.
    OnlyFirst,
    /// Only the second has it.
    OnlySecond,
    /// One is a file, a link or a folder, and the other something else.
    Kind,
    /// Only one of the files is executable.
    Executable,
    /// The links lead to these places.
    Target {
        /// Where the first leads.
        first: String,
        /// Where the second leads.
        second: String,
    },
    /// The files hold something else.
    Content(Content),
}

/// How the content of two files differs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "DifferentContent")]
pub struct Content {
    /// Bytes of each.
    pub sizes: (u64, u64),
    /// Where they differ first, counted from 0.
    pub offset: u64,
    /// What the first holds around that place; bytes that are no text as `\xx`.
    pub first: String,
    /// What the second holds there.
    pub second: String,
    /// Names of the sections (of ELF) or of the member (of an archive) that differ, the most telling first.
    pub parts: Vec<String>,
    /// What it usually is.
    pub likely: Option<Cause>,
}

/// A cause of a difference that can be told from the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "CauseOfDifference")]
pub enum Cause {
    /// The time of a member of an archive.
    ArchiveTime,
    /// The time in the header of a compressed file.
    CompressionTime,
    /// A date or a time of day in text.
    Date,
    /// A path of the machine or of the build.
    Path,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ArchiveTime => "the time of a member of an archive",
            Self::CompressionTime => "the time in the header of a compressed file",
            Self::Date => "a date or a time of day",
            Self::Path => "a path",
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path)?;
        match &self.how {
            How::OnlyFirst => f.write_str("only the first build has it"),
            How::OnlySecond => f.write_str("only the second build has it"),
            How::Kind => f.write_str("a file in one build, and something else in the other"),
            How::Executable => f.write_str("executable in one build only"),
            How::Target { first, second } => write!(f, "leads to `{first}` and `{second}`"),
            How::Content(content) => content.fmt(f),
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sizes.0 == self.sizes.1 {
            write!(f, "differs from byte {} on", self.offset)?;
        } else {
            write!(f, "{} and {} bytes, differs from byte {} on", self.sizes.0, self.sizes.1, self.offset)?;
        }
        if !self.parts.is_empty() {
            write!(f, ", in `{}`", self.parts.join("`, `"))?;
        }
        if let Some(cause) = self.likely {
            write!(f, " ({cause})")?;
        }
        write!(f, ": `{}` and `{}`", self.first, self.second)
    }
}

/// Compares two trees: everything that differs, in the order of the paths. Times and owners do not count.
///
/// # Errors
///
/// When something in either cannot be read.
pub fn different(first: &Path, second: &Path) -> io::Result<Vec<Difference>> {
    let (in_first, in_second) = (paths(first)?, paths(second)?);
    let mut all = Vec::new();
    for path in in_first.union(&in_second) {
        let how = match (in_first.contains(path), in_second.contains(path)) {
            (true, false) => Some(How::OnlyFirst),
            (false, _) => Some(How::OnlySecond),
            (true, true) => compare(&first.join(path), &second.join(path))?,
        };
        all.extend(how.map(|how| Difference { path: path.clone(), how }));
    }
    Ok(all)
}

/// All paths of a tree but those that are not text; builds of the same source do not differ in these alone.
fn paths(tree: &Path) -> io::Result<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            all.extend(path.strip_prefix(tree).ok().and_then(Path::to_str).map(str::to_owned));
            if entry.file_type()?.is_dir() {
                folders.push(path);
            }
        }
    }
    Ok(all)
}

fn compare(first: &Path, second: &Path) -> io::Result<Option<How>> {
    let (a, b) = (fs_err::symlink_metadata(first)?, fs_err::symlink_metadata(second)?);
    if a.file_type() != b.file_type() {
        return Ok(Some(How::Kind));
    }
    if a.is_symlink() {
        let target =
            |path: &Path| Ok::<_, io::Error>(fs_err::read_link(path)?.to_string_lossy().into_owned());
        let (first, second) = (target(first)?, target(second)?);
        return Ok((first != second).then_some(How::Target { first, second }));
    }
    if !a.is_file() {
        return Ok(None);
    }
    if let Some(content) = compare_files(first, second, (a.len(), b.len()))? {
        return Ok(Some(How::Content(content)));
    }
    let executable = |meta: &std::fs::Metadata| meta.permissions().mode() & 0o111 != 0;
    Ok((executable(&a) != executable(&b)).then_some(How::Executable))
}

fn compare_files(first: &Path, second: &Path, sizes: (u64, u64)) -> io::Result<Option<Content>> {
    if sizes.0.max(sizes.1) > MAX_COMPARED {
        let what = "too large to show".to_owned();
        let same = sizes.0 == sizes.1 && digest(first)? == digest(second)?;
        let content =
            Content { sizes, offset: 0, first: what.clone(), second: what, parts: Vec::new(), likely: None };
        return Ok((!same).then_some(content));
    }
    let (a, b) = (fs_err::read(first)?, fs_err::read(second)?);
    Ok(compare_bytes(&a, &b))
}

fn digest(path: &Path) -> io::Result<weir_model::Sha256> {
    let mut hasher = weir_model::Hasher::new();
    io::copy(&mut fs_err::File::open(path)?, &mut hasher)?;
    Ok(hasher.finish())
}

fn compare_bytes(a: &[u8], b: &[u8]) -> Option<Content> {
    let mut offset = first_difference(a, b)?;
    let mut parts = Vec::new();
    if let Some(sections) = differing_sections(a, b) {
        if let Some(section) = sections.first() {
            offset = section.offset;
        }
        parts = sections.into_iter().map(|section| section.name).collect();
    }
    let member = member_at(a, offset);
    parts.extend(member.iter().map(|member| member.name.clone()));
    let excerpts = [excerpt(a, offset), excerpt(b, offset)];
    let likely = if member.is_some_and(|member| member.time.contains(&offset)) {
        Some(Cause::ArchiveTime)
    } else if a.starts_with(b"\x1f\x8b") && (4..8).contains(&offset) {
        Some(Cause::CompressionTime)
    } else {
        excerpts.iter().find_map(|bytes| cause_in(bytes))
    };
    let [first, second] = excerpts.map(shown);
    Some(Content {
        sizes: (a.len() as u64, b.len() as u64),
        offset: offset as u64,
        first,
        second,
        parts,
        likely,
    })
}

/// Where two texts differ first; `None` where they are the same. One that is longer differs where the other ends.
fn first_difference(a: &[u8], b: &[u8]) -> Option<usize> {
    let common = a.iter().zip(b).position(|(a, b)| a != b);
    common.or_else(|| (a.len() != b.len()).then_some(a.len().min(b.len())))
}

fn excerpt(bytes: &[u8], offset: usize) -> &[u8] {
    &bytes[offset.saturating_sub(AROUND).min(bytes.len())..(offset + AROUND).min(bytes.len())]
}

fn shown(bytes: &[u8]) -> String {
    let show = |byte: &u8| match byte {
        b'\\' => r"\\".to_owned(),
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => format!("\\{byte:02x}"),
    };
    bytes.iter().map(show).collect()
}

/// A section that differs, and where in the first file.
struct Section {
    name: String,
    offset: usize,
}

/// The sections that differ between two files of ELF, those that only follow from others last.
fn differing_sections(a: &[u8], b: &[u8]) -> Option<Vec<Section>> {
    let first = object::File::parse(a).ok()?;
    let second = object::File::parse(b).ok()?;
    let mut all: Vec<Section> = Vec::new();
    for section in first.sections() {
        let (Ok(name), Some((start, _))) = (section.name(), section.file_range()) else { continue };
        let data = section.data().unwrap_or_default();
        let other = second.section_by_name(name);
        let offset = match &other {
            Some(other) => first_difference(data, other.data().unwrap_or_default()),
            None => Some(0),
        };
        if let Some(offset) = offset {
            let start = usize::try_from(start).ok()?;
            all.push(Section { name: name.to_owned(), offset: start.saturating_add(offset) });
        }
    }
    all.sort_by_key(|section| FOLLOWING.contains(&section.name.as_str()));
    Some(all)
}

/// A member of an archive.
struct Member {
    name: String,
    /// Where its time is written.
    time: Range<usize>,
}

/// The member of an ar(5) archive in whose header or content `offset` is: after eight bytes of magic, each has a
/// header of 60 bytes: 16 of its name, 12 of its time, and 10 of its size from byte 48 on, all in text.
fn member_at(archive: &[u8], offset: usize) -> Option<Member> {
    let mut rest = archive.strip_prefix(b"!<arch>\n")?;
    let mut start = 8;
    loop {
        let header = rest.get(..60)?;
        let text = |range: Range<usize>| Some(std::str::from_utf8(&header[range]).ok()?.trim());
        let size: usize = text(48..58)?.parse().ok()?;
        // Members begin at even places.
        let length = size.checked_add(60 + size % 2)?;
        if offset < start + length {
            let name = text(0..16)?.trim_end_matches('/').to_owned();
            return Some(Member { name, time: start + 16..start + 28 });
        }
        rest = rest.get(length..)?;
        start += length;
    }
}

fn cause_in(bytes: &[u8]) -> Option<Cause> {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    if ["/weir/", "/tmp/", "/home/", "/build/"].iter().any(|path| text.contains(path)) {
        return Some(Cause::Path);
    }
    // `10:59:01`, `2026-11-21`, `Nov 21 2026`: digits as `d`.
    let pattern: String = text.chars().map(|char| if char.is_ascii_digit() { 'd' } else { char }).collect();
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let has_month = months.iter().any(|month| {
        [format!("{month} dd dddd"), format!("{month}  d dddd"), format!("dd {month}")]
            .iter()
            .any(|date| pattern.contains(date))
    });
    (has_month || pattern.contains("dd:dd:dd") || pattern.contains("dddd-dd-dd")).then_some(Cause::Date)
}

#[cfg(test)]
mod tests {
    use super::{Cause, How, compare_bytes, different};

    fn archive(time: &str, content: &str) -> Vec<u8> {
        let member = |name: &str, time: &str, content: &str| {
            format!("{name:<16}{time:<12}{:<6}{:<6}{:<8}{:<10}`\n{content}", 0, 0, 644, content.len())
        };
        format!("!<arch>\n{}{}", member("a.o/", "0", "same"), member("b.o/", time, content)).into_bytes()
    }

    #[test]
    fn trees_are_compared_path_by_path() {
        let place = tempfile::tempdir().unwrap();
        let (a, b) = (place.path().join("a"), place.path().join("b"));
        for (tree, text) in [(&a, "built at 10:59:01"), (&b, "built at 10:59:07")] {
            fs_err::create_dir_all(tree.join("lib")).unwrap();
            fs_err::write(tree.join("lib/same"), "same").unwrap();
            fs_err::write(tree.join("lib/text"), text).unwrap();
        }
        fs_err::os::unix::fs::symlink("x", a.join("link")).unwrap();
        fs_err::os::unix::fs::symlink("y", b.join("link")).unwrap();
        fs_err::write(b.join("new"), "").unwrap();
        let found: Vec<_> = different(&a, &b).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "lib/text: differs from byte 16 on (a date or a time of day): `built at 10:59:01` and `built at 10:59:07`",
                "link: leads to `x` and `y`",
                "new: only the second build has it",
            ]
        );
        assert_eq!(different(&a, &a).unwrap(), []);
    }

    #[test]
    fn of_archives_the_member_is_named_and_its_time_recognised() {
        let time = compare_bytes(&archive("1700000000", "x"), &archive("1700000099", "x")).unwrap();
        assert_eq!((time.parts, time.likely), (vec!["b.o".into()], Some(Cause::ArchiveTime)));
        let content = compare_bytes(&archive("0", "xx"), &archive("0", "xy")).unwrap();
        assert_eq!((content.parts, content.likely), (vec!["b.o".into()], None));
        assert_eq!(compare_bytes(b"!<arch>\nshort", b"!<arch>\nshirt").unwrap().parts, [""; 0]);
    }

    #[test]
    fn what_ends_early_differs_there() {
        let content = compare_bytes(b"/weir/source/a", b"/weir/source/a.c").unwrap();
        assert_eq!((content.sizes, content.offset, content.likely), ((14, 16), 14, Some(Cause::Path)));
        assert_eq!(compare_bytes(b"", b""), None);
    }

    #[test]
    fn of_elf_the_sections_are_named_and_the_build_id_is_not_the_reason() {
        let place = tempfile::tempdir().unwrap();
        let build = |name: &str, text: &str| {
            let (source, output) =
                (place.path().join(format!("{name}.c")), place.path().join(name).join("lib.so"));
            fs_err::create_dir(place.path().join(name)).unwrap();
            fs_err::write(&source, format!("const char *text(void) {{ return \"{text}\"; }}\n")).unwrap();
            let compiled = std::process::Command::new("cc")
                .args(["-shared", "-fPIC", "-Wl,--build-id", "-o"])
                .arg(output)
                .arg(source)
                .status()
                .unwrap();
            assert!(compiled.success());
            place.path().join(name)
        };
        let found = different(&build("a", "Nov 21 2026"), &build("b", "Nov 22 2026")).unwrap();
        let [difference] = &found[..] else { panic!("{found:?}") };
        let How::Content(content) = &difference.how else { panic!("{difference:?}") };
        assert_eq!(content.likely, Some(Cause::Date));
        assert_eq!(content.parts.first().map(String::as_str), Some(".rodata"), "{content:?}");
        assert!(content.parts.contains(&".note.gnu.build-id".into()), "{content:?}");
    }
}
