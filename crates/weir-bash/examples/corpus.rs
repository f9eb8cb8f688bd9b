//! Renames whole projects and checks what comes out: `bench/bash/corpus` runs it over public ones.
//!
//! Where `KEEP` names a folder, the renamed files are left there; where `TELL` is set, what is undecided is told, and what could
//! not be read, with whether Bash itself reads it.
//!
//! Each folder given is taken for one package, renamed as a transitive dependency, and held against what must be true whatever
//! is in it. A line a project, and a line for each thing that is not so:
//!
//! * only characters were put in, and Bash reads a changed file as well as the file it was;
//! * the grammar sees the same tree, but for names (and `-g` behind a `declare`);
//! * renaming twice is renaming once;
//! * no name of a renamed function is left anywhere but in comments and in places that the report tells of.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use weir_bash::grammar;
use weir_bash::is_suite;
use weir_bash::rename::{Dependency, Output, SourceFile, Subject, rename, summary, version_mark};

/// What is told of one project at most.
const MOST_FAULTS: usize = 20;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let mut sound = true;
    writeln!(out, "project|files|lines|names|uses|undecided|unread|ms|faults")?;
    for folder in std::env::args_os().skip(1).map(PathBuf::from) {
        let files = shell_files(&folder)?;
        let subject = subject(&folder);
        let start = Instant::now();
        let output = rewrite(&files, &subject);
        let took = start.elapsed().as_millis();
        let faults = faults(&files, &output, &subject)?;
        let lines: usize = files.iter().map(|file| file.bytes.split(|byte| *byte == b'\n').count()).sum();
        let report = &output.report;
        writeln!(
            out,
            "{}|{}|{lines}|{}|{}|{}|{}|{took}|{}",
            folder.file_name().unwrap_or_default().display(),
            files.len(),
            output.exports.functions.len() + output.exports.variables.len(),
            report.uses.len(),
            report.undecided.len(),
            report.unread.len(),
            faults.len(),
        )?;
        sound &= faults.is_empty();
        if let Some(folder) = std::env::var_os("KEEP") {
            for file in &output.files {
                let path = PathBuf::from(&folder).join(&file.path);
                fs_err::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
                fs_err::write(path, &file.bytes)?;
            }
        }
        if std::env::var_os("TELL").is_some() {
            for line in summary(&report.undecided) {
                writeln!(out, "    {line}")?;
            }
            for unread in &report.unread {
                let reads = match files.iter().find(|file| *file.path == *unread.place.file) {
                    Some(file) => !file.path.ends_with(".bats") && bash_reads(file)?,
                    None => false,
                };
                let who = if reads { "Bash reads it" } else { "Bash does not read it either" };
                writeln!(out, "    unread ({who}): {unread}")?;
            }
        }
        for fault in faults.iter().take(MOST_FAULTS) {
            writeln!(out, "  {fault}")?;
        }
    }
    Ok(ExitCode::from(u8::from(!sound)))
}

/// Renames a package as an install does: what its suite calls, and not what the suite defines.
fn rewrite(files: &[SourceFile], subject: &Subject) -> Output {
    let (suite, library): (Vec<SourceFile>, Vec<SourceFile>) =
        files.iter().cloned().partition(|file| is_suite(&file.path));
    let mut output = rename(library, subject, &[]);
    let dependency = Dependency {
        name: "the package".into(),
        slugs: subject.slugs.clone(),
        mark: subject.mark.clone(),
        exports: output.exports.clone(),
        under_test: true,
    };
    let suite_subject = Subject { slugs: vec!["weir_suite".into()], ..Subject::default() };
    let suite = rename(suite, &suite_subject, &[dependency]);
    output.files.extend(suite.files);
    output.files.sort_by(|a, b| a.path.cmp(&b.path));
    output.report.uses.extend(suite.report.uses);
    output.report.undecided.extend(suite.report.undecided);
    output.report.unread.extend(suite.report.unread);
    output
}

fn subject(folder: &Path) -> Subject {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let slug: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    Subject { slugs: vec![format!("p{slug}")], mark: Some(version_mark("1.2.3")), ..Subject::default() }
}

/// The shell files below a folder, by their names or first lines.
fn shell_files(folder: &Path) -> Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in fs_err::read_dir(&current)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() && entry.file_name() != ".git" {
                folders.push(path);
            } else if kind.is_file() {
                let bytes = fs_err::read(&path)?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let named = [".sh", ".bash", ".bats"].iter().any(|ending| name.ends_with(ending));
                let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
                let first = String::from_utf8_lossy(first);
                let says = first.starts_with("#!")
                    && (first.contains("bash")
                        || first.contains("bats")
                        || first.ends_with("/sh")
                        || first.ends_with(" sh"));
                if named && !first.starts_with("#!") || says {
                    let path = path.strip_prefix(folder)?.to_string_lossy().into_owned();
                    files.push(SourceFile { path, bytes });
                }
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn faults(files: &[SourceFile], output: &Output, subject: &Subject) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let again = rewrite(&output.files, subject);
    let mut told: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for doubt in &output.report.undecided {
        told.entry(&doubt.place.file).or_default().insert(doubt.place.line);
    }
    let names = output.exports.functions.keys().map(String::as_bytes);
    let distinctive = |name: &&[u8]| name.iter().skip(1).any(|b| b"._:".contains(b));
    // What Bats calls keeps its name in a suite, whatever the package calls so.
    let called = |name: &&[u8]| name.starts_with(b"setup_") || name.starts_with(b"teardown_");
    let names: BTreeSet<&[u8]> = names.filter(distinctive).filter(|name| !called(name)).collect();
    for ((before, after), again) in files.iter().zip(&output.files).zip(&again.files) {
        let path = &before.path;
        if after.bytes != again.bytes {
            faults.push(format!(
                "{path}: renaming it twice changes more{}",
                difference(&after.bytes, &again.bytes)
            ));
        }
        let unread = output.report.unread.iter().any(|unread| *unread.place.file == **path);
        for line in left(after, &names).into_iter().filter(|_| !unread) {
            if !told.get(path.as_str()).is_some_and(|lines| lines.contains(&line)) {
                faults.push(format!("{path}:{line}: a renamed function's name is left, and nothing is told"));
            }
        }
        if before.bytes == after.bytes {
            continue;
        }
        if !is_within(&before.bytes, &after.bytes) {
            faults.push(format!("{path}: something is gone"));
        }
        let (was, is) = (shape(before), shape(after));
        if was != is {
            faults.push(format!("{path}: another tree{}", first_other(&was, &is)));
        }
        if !path.ends_with(".bats") && bash_reads(before)? && !bash_reads(after)? {
            faults.push(format!("{path}: Bash cannot read it any more"));
        }
    }
    Ok(faults)
}

/// Whether `short` is `long` with some bytes left out.
fn is_within(short: &[u8], long: &[u8]) -> bool {
    let mut rest = short.iter().peekable();
    for byte in long {
        rest.next_if_eq(&byte);
    }
    rest.next().is_none()
}

fn parsed(file: &SourceFile) -> Option<grammar::Parsed> {
    let bytes = match file.path.ends_with(".bats") {
        true => grammar::mask_bats(&file.bytes),
        false => file.bytes.clone(),
    };
    grammar::parse_helped(bytes).ok()
}

/// The kinds of all nodes (as numbers of the grammar) of a file and the lines they begin at, without the `-g` that renaming puts in. Where the grammar cannot
/// read a file, only that it cannot.
fn shape(file: &SourceFile) -> Vec<(u16, usize)> {
    let Some(parsed) = parsed(file) else { return Vec::new() };
    if parsed.tree.root_node().has_error() {
        return vec![(u16::MAX, 0)];
    }
    let mut shape = Vec::new();
    each(&parsed.tree, |node| {
        let put_in = node.kind() == "word" && &parsed.bytes[node.byte_range()] == b"-g";
        if !put_in {
            shape.push((node.kind_id(), node.start_position().row + 1));
        }
    });
    shape
}

fn each<'t>(tree: &'t tree_sitter::Tree, mut seen: impl FnMut(tree_sitter::Node<'t>)) {
    let mut cursor = tree.walk();
    loop {
        seen(cursor.node());
        if cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

/// The lines where one of these names stands by itself, and not in a comment or a message.
fn left(file: &SourceFile, names: &BTreeSet<&[u8]>) -> Vec<u32> {
    let Some(parsed) = parsed(file) else { return Vec::new() };
    let mut comments = Vec::new();
    let prints = |node: tree_sitter::Node<'_>| {
        let name = node.child_by_field_name("name").map(|name| &parsed.bytes[name.byte_range()]);
        name.is_some_and(|name| matches!(name, b"echo" | b"printf" | b"alias"))
    };
    each(&parsed.tree, |node| {
        if matches!(node.kind(), "comment" | "heredoc_body") || node.kind() == "command" && prints(node) {
            comments.push(node.byte_range());
        }
    });
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:+@/-".contains(&byte) || byte >= 0x80;
    let mut lines = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < file.bytes.len() {
        let run = file.bytes[at..].iter().take_while(|byte| is_part(**byte)).count();
        let word = &file.bytes[at..at + run];
        let commented = |at: usize| comments.iter().any(|range| range.contains(&at));
        if run > 0 && names.contains(word) && !commented(at) {
            lines.push(line);
        }
        if run == 0 {
            line += u32::from(file.bytes[at] == b'\n');
        }
        at += run.max(1);
    }
    lines
}

fn bash_reads(file: &SourceFile) -> Result<bool> {
    let mut child = Command::new("bash")
        .args(["-n", "-O", "extglob"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    // Bash may stop reading at an error: what it says of the file is what counts.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(&file.bytes));
    Ok(child.wait()?.success())
}

fn first_other(was: &[(u16, usize)], is: &[(u16, usize)]) -> String {
    let place = was.iter().zip(is).position(|(a, b)| a != b).unwrap_or(was.len().min(is.len()));
    format!(": {:?} and not {:?}", is.get(place), was.get(place))
}

fn difference(once: &[u8], twice: &[u8]) -> String {
    let line = |bytes: &[u8], at: usize| {
        let line = bytes.split(|byte| *byte == b'\n').nth(at).unwrap_or_default();
        String::from_utf8_lossy(line).trim().chars().take(100).collect::<String>()
    };
    let lines = once.split(|byte| *byte == b'\n').zip(twice.split(|byte| *byte == b'\n'));
    let at = lines.into_iter().position(|(a, b)| a != b).unwrap_or_default();
    format!(" in line {}: `{}` became `{}`", at + 1, line(once, at), line(twice, at))
}
