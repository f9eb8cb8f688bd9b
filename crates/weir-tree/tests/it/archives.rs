//! Foreign archives: what is ordinary comes in, every trick is refused or made harmless and told.

use std::io::{Cursor, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use tar::{EntryType, Header};
use tempfile::TempDir;
use weir_tree::{
    ArchiveFormat, ImportError, ImportNote, ImportOptions, ImportReport, Limits, Strip, Trick,
    import_archive_from,
};

use crate::world::{Item, everything, file, folder, scratch};

/// One member of a tar, as its bytes.
fn member(path: &[u8], sort: EntryType, target: &[u8], content: &[u8]) -> Vec<u8> {
    with_header(content, |header| {
        header.as_old_mut().name[..path.len()].copy_from_slice(path);
        header.set_entry_type(sort);
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target);
    })
}

fn with_header(content: &[u8], change: impl FnOnce(&mut Header)) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    change(&mut header);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn plain(path: &str, content: &str) -> Vec<u8> {
    member(path.as_bytes(), EntryType::Regular, b"", content.as_bytes())
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut text = Vec::new();
    for (key, value) in records {
        let rest = format!(" {key}={value}\n");
        let length =
            (1..4).map(|digits| rest.len() + digits).find(|n| n.to_string().len() + rest.len() == *n);
        text.extend(format!("{}{rest}", length.expect("a short record")).bytes());
    }
    member(b"PaxHeaders/x", EntryType::XHeader, b"", &text)
}

fn tarred(members: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = members.concat();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn options(strip: Strip) -> ImportOptions {
    ImportOptions { strip, ..ImportOptions::default() }
}

struct Imported {
    _home: TempDir,
    destination: PathBuf,
    result: Result<ImportReport, ImportError>,
}

fn import_with(archive: &[u8], name: &str, options: &ImportOptions) -> Imported {
    let home = scratch();
    let destination = home.path().join("out");
    let result = import_archive_from(Cursor::new(archive), name, &destination, options);
    match &result {
        Ok(report) => assert_eq!(everything(&destination), report.manifest),
        Err(_) => assert!(!destination.exists(), "something was left behind"),
    }
    Imported { _home: home, destination, result }
}

fn import(archive: &[u8]) -> Result<ImportReport, ImportError> {
    import_with(archive, "it.tar", &options(Strip::None)).result
}

fn paths(report: &ImportReport) -> Vec<String> {
    report.manifest.entries().iter().map(|entry| format!("{} {}", entry.mode.letter(), entry.path)).collect()
}

/// Imports a tar of these members, which must be refused, and gives the trick.
fn trick(members: &[Vec<u8>]) -> Trick {
    match import(&tarred(members)) {
        Err(ImportError::Refused { trick, .. }) => trick,
        other => panic!("not refused as a trick: {other:?}"),
    }
}

#[test]
fn an_ordinary_tar_comes_in_whatever_compresses_it() {
    let tar = tarred(&[
        member(b"./", EntryType::Directory, b"", b""),
        member(b"top/", EntryType::Directory, b"", b""),
        plain("./top/a", "a"),
        with_header(b"run", |header| {
            header.set_path("top/d/run").expect("fits");
            header.set_mode(0o755);
        }),
        member(b"top/d/l", EntryType::Symlink, b"../a", b""),
    ]);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(&tar).expect("written");
    let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    bz.write_all(&tar).expect("written");
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 6);
    xz.write_all(&tar).expect("written");
    let forms = [
        (ArchiveFormat::Tar, tar.clone()),
        (ArchiveFormat::TarGzip, gz.finish().expect("finished")),
        (ArchiveFormat::TarBzip2, bz.finish().expect("finished")),
        (ArchiveFormat::TarXz, xz.finish().expect("finished")),
        (ArchiveFormat::TarZstd, zstd::encode_all(&tar[..], 3).expect("encoded")),
    ];
    for (format, archive) in forms {
        let imported = import_with(&archive, "whatever", &options(Strip::SingleFolder));
        let report = imported.result.expect("imported");
        assert_eq!(report.format, format);
        assert_eq!(report.stripped.as_deref(), Some("top"));
        assert_eq!(paths(&report), ["f a", "l d/l", "x d/run"]);
        assert_eq!(fs_err::read(imported.destination.join("d/l")).expect("the link leads to a"), b"a");
        // A compressed archive that is cut anywhere is noticed.
        let cut = import_with(
            &archive[..archive.len() - 1024.min(archive.len() / 2)],
            "it.tar",
            &options(Strip::None),
        );
        assert!(cut.result.is_err(), "{format:?}");
    }
}

/// A tar and a byte of its checksum from behind, in a format that has one.
fn compressed_forms(tar: &[u8]) -> Vec<(&'static str, Vec<u8>, usize)> {
    // Stored, so that an altered byte of content still decompresses.
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gz.write_all(tar).expect("written");
    let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    bz.write_all(tar).expect("written");
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 6);
    xz.write_all(tar).expect("written");
    let mut zst = zstd::Encoder::new(Vec::new(), 3).expect("an encoder");
    zst.include_checksum(true).expect("a checksum");
    zst.write_all(tar).expect("written");
    vec![
        ("gzip's CRC", gz.finish().expect("finished"), 8),
        ("bzip2's CRC", bz.finish().expect("finished"), 3),
        ("xz's index", xz.finish().expect("finished"), 12),
        ("zstd's checksum", zst.finish().expect("finished"), 4),
    ]
}

/// Some decoders do not say that it was a checksum.
fn is_damaged<T>(imported: &Result<T, ImportError>) -> bool {
    matches!(imported, Err(ImportError::Damaged { .. } | ImportError::Checksum { .. }))
}

#[test]
fn a_checksum_that_does_not_fit_is_noticed_also_behind_the_end_of_the_tar() {
    let tar = tarred(&[plain("a", "content"), plain("b", "more")]);
    for (what, archive, from_behind) in compressed_forms(&tar) {
        import(&archive).unwrap_or_else(|error| panic!("{what}: {error}"));
        let at = archive.len() - from_behind;
        let mut wrong = archive.clone();
        wrong[at] ^= 1;
        assert!(is_damaged(&import(&wrong)), "{what}");
        assert!(import(&archive[..archive.len() - 1]).is_err(), "cut by one byte, {what}");
        let garbage = [&archive[..], b"garbage"].concat();
        assert!(matches!(import(&garbage), Err(ImportError::Damaged { .. })), "garbage behind, {what}");
    }
}

#[test]
fn altered_content_of_a_gzip_is_noticed() {
    let tar = tarred(&[plain("a", "content")]);
    let (_, mut archive, _) = compressed_forms(&tar).swap_remove(0);
    let at = archive.windows(7).position(|bytes| bytes == b"content").expect("stored as it is");
    archive[at] = b'C';
    assert!(matches!(import(&archive), Err(error) if error.is_integrity()));
}

#[test]
fn a_gzip_of_several_members_and_with_zeros_behind_is_one_file() {
    let tar = tarred(&[plain("a", "content"), plain("b", "more")]);
    let gzip = |bytes: &[u8]| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gz.write_all(bytes).expect("written");
        gz.finish().expect("finished")
    };
    let (first, second) = tar.split_at(700);
    let members = [gzip(first), gzip(b""), gzip(second)].concat();
    assert_eq!(paths(&import(&members).expect("imported")), ["f a", "f b"]);
    let padded = [&members[..], &[0; 1000]].concat();
    assert_eq!(paths(&import(&padded).expect("imported")), ["f a", "f b"]);
    let behind = [&padded[..], &gzip(b"hidden")].concat();
    assert!(matches!(import(&behind), Err(ImportError::Damaged { .. })));
    // A member behind the end of the tar: other readers see another archive in it.
    let twice = [&members[..], &gzip(&tar)].concat();
    assert!(matches!(import(&twice), Err(ImportError::Damaged { .. })));
}

#[test]
fn a_tar_ends_where_it_says_but_for_zeros() {
    let tar = tarred(&[plain("a", "content")]);
    let padded = [&tar[..], &[0; 9000]].concat();
    assert_eq!(paths(&import(&padded).expect("imported")), ["f a"]);
    let second = [&tar[..], &tarred(&[plain("b", "hidden")])].concat();
    assert!(matches!(import(&second), Err(ImportError::Damaged { .. })));
    let mut wrong = tar;
    wrong[0] = b'b';
    assert!(matches!(import(&wrong), Err(error) if error.is_integrity()), "a header's checksum");
}

#[test]
fn a_repository_in_an_archive_is_left_out_and_told() {
    let report = import(&tarred(&[
        plain("p/.git/config", "[core]\nfsmonitor = evil\n"),
        plain("p/.git/hooks/x", ""),
        plain("p/sub/GIT~1/config", ""),
        plain("p/.g\u{200c}it/config", ""),
        plain("p/.hg/hgrc", ""),
        member(b"p/l/.GIT", EntryType::Symlink, b"../x", b""),
        plain("p/.gitignore", ""),
        plain("p/x", ""),
    ]))
    .expect("imported");
    assert_eq!(paths(&report), ["f p/.gitignore", "f p/x"]);
    let repository = |path: &str| ImportNote::Repository { path: path.into() };
    let left_out = ["p/.git", "p/sub/GIT~1", "p/.g\u{200c}it", "p/.hg", "p/l/.GIT"];
    assert_eq!(report.notes, left_out.map(repository));
}

#[test]
fn stripping_follows_what_was_asked() {
    let two = tarred(&[plain("a/b/c", "1"), plain("a/d", "2"), plain("e", "3")]);
    let with = |strip| import_with(&two, "x.tar", &options(strip)).result.expect("imported");
    assert_eq!(paths(&with(Strip::None)), ["f a/b/c", "f a/d", "f e"]);
    assert_eq!(paths(&with(Strip::SingleFolder)), ["f a/b/c", "f a/d", "f e"]);
    let one = with(Strip::Parts(1));
    assert_eq!(paths(&one), ["f b/c", "f d"]);
    assert_eq!(one.notes, [ImportNote::StrippedAway { path: "e".into() }]);
}

#[test]
fn paths_that_lead_out_or_cannot_be_in_a_tree_are_refused() {
    for path in [
        &b"/etc/passwd"[..],
        b"../x",
        b"a/../../x",
        b"a/./x",
        b"a\\b",
        b"c:x",
        b"nul",
        b"caf\xe9",
        b"a\nb",
        b"a.",
        b"..",
    ] {
        for sort in [EntryType::Regular, EntryType::Directory, EntryType::Symlink] {
            let refused = trick(&[member(path, sort, b"x", b"")]);
            assert!(matches!(refused, Trick::Path(_)), "{path:?} {sort:?}: {refused:?}");
        }
    }
    let long = pax(&[("path", "../../x")]);
    assert!(matches!(trick(&[long, plain("innocent", "")]), Trick::Path(_)));
    let nul = pax(&[("path", "a\0b")]);
    assert!(matches!(trick(&[nul, plain("innocent", "")]), Trick::Path(_)));
}

#[test]
fn links_out_are_refused_and_nothing_is_written_through_a_link() {
    for (path, target) in [("l", "/etc"), ("l", ".."), ("d/l", "../../x"), ("l", "a/../../x"), ("l", "")] {
        let refused = trick(&[member(path.as_bytes(), EntryType::Symlink, target.as_bytes(), b"")]);
        assert!(matches!(refused, Trick::Link(_)), "{target}: {refused:?}");
    }
    let through = [member(b"l", EntryType::Symlink, b"d", b""), plain("l/x", "x"), plain("d/y", "")];
    assert!(matches!(import(&tarred(&through)), Err(ImportError::NotATree(_))));
    // A link that leads out once the folder in front is stripped.
    let stripped = tarred(&[plain("top/a", ""), member(b"top/l", EntryType::Symlink, b"../top/a", b"")]);
    let refused = import_with(&stripped, "x.tar", &options(Strip::SingleFolder)).result;
    assert!(matches!(refused, Err(ImportError::Refused { trick: Trick::Link(_), .. })), "{refused:?}");
}

#[test]
fn a_hard_link_becomes_a_copy_of_an_earlier_file_and_nothing_else() {
    let report = import(&tarred(&[plain("a", "content"), member(b"b", EntryType::Link, b"a", b"")]))
        .expect("imported");
    assert_eq!(report.notes, [ImportNote::HardLink { path: "b".into(), target: "a".into() }]);
    let digests: Vec<_> = report.manifest.entries().iter().map(|entry| entry.digest).collect();
    assert_eq!(digests[0], digests[1]);
    for target in ["b", "later", "d"] {
        let refused = trick(&[
            member(b"b", EntryType::Link, target.as_bytes(), b""),
            plain("later", ""),
            plain("d/e", ""),
        ]);
        assert!(matches!(refused, Trick::HardLink { .. }), "{refused:?}");
    }
    assert!(matches!(trick(&[member(b"b", EntryType::Link, b"/etc/passwd", b"")]), Trick::Path(_)));
}

#[test]
fn devices_pipes_sparse_files_and_unknown_sorts_are_refused() {
    for sort in [EntryType::Char, EntryType::Block, EntryType::Fifo] {
        assert!(matches!(trick(&[member(b"x", sort, b"", b"")]), Trick::Special { .. }));
    }
    assert_eq!(trick(&[member(b"x", EntryType::GNUSparse, b"", b"")]), Trick::Sparse);
    assert_eq!(trick(&[pax(&[("GNU.sparse.major", "1")]), plain("x", "")]), Trick::Sparse);
    assert_eq!(trick(&[member(b"x", EntryType::new(b'V'), b"", b"")]), Trick::UnknownSort { sort: 'V' });
}

#[test]
fn set_user_id_bits_and_attributes_are_dropped_and_told() {
    let set_id = with_header(b"x", |header| {
        header.set_path("su").expect("fits");
        header.set_mode(0o6755);
    });
    let archive = tarred(&[set_id, pax(&[("SCHILY.xattr.security.capability", "x")]), plain("cap", "")]);
    let imported = import_with(&archive, "x.tar", &options(Strip::None));
    let notes = imported.result.expect("imported").notes;
    assert_eq!(
        notes,
        [ImportNote::SetId { path: "su".into() }, ImportNote::Attributes { path: "cap".into() }]
    );
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs_err::metadata(imported.destination.join("su")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o7777, 0o755);
}

#[test]
fn two_sizes_for_one_member_are_refused() {
    // "TARmageddon": one reader sees 512 bytes of content, another none and a file that is hidden in them.
    let hidden = plain("hidden", "");
    let outer = member(b"outer", EntryType::Regular, b"", b"");
    let archive = [pax(&[("size", "512")]), outer, hidden];
    assert_eq!(trick(&archive), Trick::SizesDisagree { one: 0, other: 512 });
    let agreed = tarred(&[pax(&[("size", "1")]), plain("a", "x")]);
    assert_eq!(paths(&import(&agreed).expect("imported")), ["f a"]);
    for header in [pax(&[("size", "1"), ("size", "1")]), pax(&[("size", "-1")]), pax(&[("size", "one")])] {
        assert!(matches!(trick(&[header, plain("a", "x")]), Trick::ExtendedHeader { .. }));
    }
}

#[test]
fn what_is_no_file_has_no_content() {
    for sort in [EntryType::Directory, EntryType::Symlink, EntryType::Link] {
        let refused = trick(&[plain("a", ""), member(b"x", sort, b"a", &[0; 512])]);
        assert_eq!(refused, Trick::UnexpectedContent { size: 512 });
    }
    assert_eq!(trick(&[plain("x/", "y")]), Trick::UnexpectedContent { size: 1 });
}

#[test]
fn long_names_are_read_and_contradictory_ones_refused() {
    let (long, other) = (format!("d/{}", "n".repeat(200)), format!("d/{}", "m".repeat(200)));
    let gnu = |name: &str| {
        let content = [name.as_bytes(), b"\0"].concat();
        with_header(&content, |header| {
            *header = Header::new_gnu();
            header.set_path("././@LongLink").expect("fits");
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_entry_type(EntryType::GNULongName);
        })
    };
    for extension in [gnu(&long), pax(&[("path", &long)])] {
        let report = import(&tarred(&[extension, plain("short", "x")])).expect("imported");
        assert_eq!(paths(&report), [format!("f {long}")]);
    }
    let contradiction = [gnu(&long), pax(&[("path", &other)]), plain("x", "")];
    assert!(matches!(trick(&contradiction), Trick::ExtendedHeader { .. }));
    assert!(matches!(trick(&[gnu(&long), gnu(&other), plain("x", "")]), Trick::ExtendedHeader { .. }));
    assert!(matches!(import(&tarred(&[gnu(&long)])), Err(ImportError::Damaged { .. })));
    let global = member(b"g", EntryType::XGlobalHeader, b"", b"10 path=a\n");
    assert!(matches!(trick(&[global, plain("x", "")]), Trick::ExtendedHeader { .. }));
    let remark = member(b"g", EntryType::XGlobalHeader, b"", b"12 comment=a");
    assert!(
        matches!(trick(&[remark, plain("x", "")]), Trick::ExtendedHeader { .. }),
        "a record without its end"
    );
    let broken = member(b"g", EntryType::XHeader, b"", b"99999999999999999999 a=b\n");
    assert!(matches!(trick(&[broken, plain("x", "")]), Trick::ExtendedHeader { .. }));
}

#[test]
fn names_that_come_twice_or_clash_are_refused_unless_they_are_the_same_file() {
    let report = import(&tarred(&[plain("a", "x"), plain("a", "x")])).expect("imported");
    assert_eq!(report.notes, [ImportNote::Repeated { path: "a".into() }]);
    assert_eq!(trick(&[plain("a", "x"), plain("a", "y")]), Trick::Twice);
    assert_eq!(trick(&[plain("a", "x"), plain("./a", "y")]), Trick::Twice);
    assert_eq!(trick(&[plain("a", "x"), member(b"a", EntryType::Symlink, b"b", b"")]), Trick::Twice);
    assert_eq!(trick(&[member(b"a", EntryType::Symlink, b"b", b""), plain("a", "x")]), Trick::Twice);
    for clash in [[plain("A", "x"), plain("a", "y")], [plain("d/x", ""), plain("D/y", "")]] {
        assert!(matches!(import(&tarred(&clash)), Err(ImportError::NotATree(_))));
    }
    assert!(import(&tarred(&[plain("a", "x"), plain("a/b", "y")])).is_err());
    assert!(import(&tarred(&[plain("a/b", "x"), plain("a", "y")])).is_err());
}

#[test]
fn a_tar_that_is_cut_between_or_inside_members_is_refused() {
    let whole = tarred(&[plain("a", "x"), plain("b", "y")]);
    for length in [0, 100, 512, 700, 1024, 1500, 2048] {
        assert!(import(&whole[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn folders_can_be_read_by_everybody_also_those_of_links_alone() {
    let tar = tarred(&[plain("d/a", "1"), member(b"links/l", EntryType::Symlink, b"../d/a", b"")]);
    let imported = import_with(&tar, "x.tar", &options(Strip::None));
    imported.result.expect("imported");
    let mode = |path| fs_err::metadata(imported.destination.join(path)).expect("there").mode() & 0o7777;
    assert_eq!(["", "d", "links", "d/a"].map(mode), [0o755, 0o755, 0o755, 0o644]);
}

#[test]
fn what_must_be_remembered_of_an_archive_is_bounded_too() {
    let link = |name: &[u8]| member(name, EntryType::Symlink, b"target", b"");
    let links = tarred(&[link(b"one"), link(b"two")]);
    let limited = |limits| import_with(&links, "x.tar", &ImportOptions { limits, ..options(Strip::None) });
    let all = Limits::default();
    assert!(limited(Limits { files: 2, link_bytes: 12, manifest_bytes: 6, ..all }).result.is_ok());
    for (limits, too_large) in [
        (Limits { files: 1, ..all }, "files"),
        (Limits { link_bytes: 11, ..all }, "bytes of link targets"),
        (Limits { manifest_bytes: 5, ..all }, "bytes of names"),
    ] {
        let refused = limited(limits).result;
        assert!(
            matches!(refused, Err(ImportError::TooLarge { what, .. }) if what == too_large),
            "{refused:?}"
        );
    }
    let endless = member(b"././@LongLink", EntryType::GNULongLink, b"", &[b'x'; 5000]);
    let refused = trick(&[endless, link(b"one")]);
    assert!(matches!(refused, Trick::Link(weir_tree::LinkError::Length { bytes: 5000 })), "{refused:?}");
}

#[test]
fn bombs_stop_at_the_bounds() {
    let zeros = vec![0; 80 << 20];
    let tar = tarred(&[member(b"zeros", EntryType::Regular, b"", &zeros)]);
    let bomb = zstd::encode_all(&tar[..], 3).expect("encoded");
    assert!(matches!(import(&bomb), Err(ImportError::TooLarge { .. })), "by its ratio");
    let limited =
        |limits| import_with(&tar, "x.tar", &ImportOptions { limits, ..options(Strip::None) }).result;
    let all = Limits::default();
    for limits in [
        Limits { unpacked_bytes: 1 << 20, ..all },
        Limits { pack_bytes: 1 << 20, ..all },
        Limits { files: 0, ..all },
    ] {
        assert!(matches!(limited(limits), Err(ImportError::TooLarge { .. })), "{limits:?}");
    }
    let copies: Vec<_> = std::iter::once(member(b"a", EntryType::Regular, b"", &zeros[..20 << 20]))
        .chain((0..10).map(|n| member(format!("l{n}").as_bytes(), EntryType::Link, b"a", b"")))
        .collect();
    let many = zstd::encode_all(&tarred(&copies)[..], 3).expect("encoded");
    assert!(matches!(import(&many), Err(ImportError::TooLarge { .. })), "by copies of one file");
    let name = with_header(b"", |header| {
        header.set_size(9 << 20);
        header.set_entry_type(EntryType::XHeader);
    });
    assert!(matches!(import(&tarred(&[name])), Err(ImportError::TooLarge { .. })), "by an extended header");
}

#[test]
fn every_single_wrong_byte_in_a_tar_header_is_survived() {
    let whole =
        tarred(&[pax(&[("size", "1")]), plain("a", "x"), member(b"l", EntryType::Symlink, b"a", b"")]);
    for at in (0..whole.len() - 1024).step_by(11) {
        let mut wrong = whole.clone();
        wrong[at] = wrong[at].wrapping_add(1);
        drop(import(&wrong));
    }
}

/// A zip that is written as it should be.
fn zipped(files: &[(&str, Item)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let with = |mode| zip::write::SimpleFileOptions::default().unix_permissions(mode);
    for (path, item) in files {
        match item {
            Item::File(content) => {
                zip.start_file(*path, with(0o644)).expect("started");
                zip.write_all(content).expect("written");
            }
            Item::Executable(content) => {
                zip.start_file(*path, with(0o4755)).expect("started");
                zip.write_all(content).expect("written");
            }
            Item::Link(target) => zip.add_symlink(*path, target.as_str(), with(0o777)).expect("a link"),
        }
    }
    zip.finish().expect("finished").into_inner()
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8], which: usize) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let found: Vec<usize> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(from)).collect();
    let mut bytes = bytes.to_vec();
    bytes[found[which]..found[which] + from.len()].copy_from_slice(to);
    bytes
}

#[test]
fn an_ordinary_zip_comes_in() {
    let archive = zipped(&[
        ("top/a", file("a")),
        ("top/b/run", Item::Executable(b"r".to_vec())),
        ("top/l", Item::Link("a".into())),
    ]);
    let imported = import_with(&archive, "x.whl", &options(Strip::SingleFolder));
    let report = imported.result.expect("imported");
    assert_eq!(report.format, ArchiveFormat::Zip);
    assert_eq!(paths(&report), ["f a", "x b/run", "l l"]);
}

#[test]
fn a_zip_whose_directory_and_headers_disagree_is_refused() {
    let archive = zipped(&[("name-one", file("content of one")), ("name-two", file("content of two"))]);
    for which in [0, 1] {
        let renamed = replaced(&archive, b"name-one", b"name-xxx", which);
        let refused = import_with(&renamed, "x.zip", &options(Strip::None)).result;
        assert!(matches!(refused, Err(ImportError::Contradiction { .. })), "{refused:?}");
    }
    let twice = replaced(&replaced(&archive, b"name-two", b"name-one", 1), b"name-two", b"name-one", 0);
    assert!(import_with(&twice, "x.zip", &options(Strip::None)).result.is_err());
}

#[test]
fn zip_entries_that_share_bytes_are_refused() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("one", zip::write::SimpleFileOptions::default()).expect("started");
    zip.write_all(&[0; 10_000]).expect("written");
    zip.shallow_copy_file("one", "two").expect("copied");
    let archive = zip.finish().expect("finished").into_inner();
    assert!(import_with(&archive, "x.zip", &options(Strip::None)).result.is_err());
}

#[test]
fn zip_tricks_with_names_links_and_encryption_are_refused() {
    for path in ["../x1", "/abs1", "a\\b11", "a:b1", "nul.x"] {
        let name = "n".repeat(path.len());
        let mut archive = zipped(&[(&name, file("x"))]);
        for _ in 0..2 {
            archive = replaced(&archive, name.as_bytes(), path.as_bytes(), 0);
        }
        let refused = import_with(&archive, "x.zip", &options(Strip::None)).result;
        assert!(
            matches!(refused, Err(ImportError::Refused { trick: Trick::Path(_), .. })),
            "{path}: {refused:?}"
        );
    }
    let link = zipped(&[("l", Item::Link("../../etc".into()))]);
    let refused = import_with(&link, "x.zip", &options(Strip::None)).result;
    assert!(matches!(refused, Err(ImportError::Refused { trick: Trick::Link(_), .. })), "{refused:?}");
    let mut encrypted = zipped(&[("a", file("x"))]);
    for (signature, flags) in [(&b"PK\x03\x04"[..], 6), (b"PK\x01\x02", 8)] {
        let at = encrypted.windows(4).position(|bytes| bytes == signature).expect("a header");
        encrypted[at + flags] |= 1;
    }
    let refused = import_with(&encrypted, "x.zip", &options(Strip::None)).result;
    assert!(matches!(refused, Err(ImportError::Refused { trick: Trick::Encrypted, .. })), "{refused:?}");
}

#[test]
fn a_zip_with_any_byte_changed_or_cut_off_is_survived() {
    let archive = zipped(&[("a", file("some content some content")), ("l", Item::Link("a".into()))]);
    for at in 0..archive.len() {
        let mut wrong = archive.clone();
        wrong[at] = wrong[at].wrapping_add(1);
        drop(import_with(&wrong, "x.zip", &options(Strip::None)));
        assert!(import_with(&archive[..at], "x.zip", &options(Strip::None)).result.is_err(), "cut at {at}");
    }
}

#[test]
fn what_is_no_archive_is_named_and_an_import_never_touches_a_folder_that_exists() {
    let refused = import_with(b"#!/bin/sh\n", "install.sh", &options(Strip::None)).result;
    assert!(matches!(refused, Err(ImportError::UnknownFormat { name }) if name == "install.sh"));
    let home = folder(&[("out/mine", file("kept"))]);
    let archive = Cursor::new(tarred(&[plain("a", "")]));
    let refused = import_archive_from(archive, "x.tar", &home.path().join("out"), &ImportOptions::default());
    assert!(refused.is_err());
    assert_eq!(fs_err::read(home.path().join("out/mine")).expect("kept"), b"kept");
}
