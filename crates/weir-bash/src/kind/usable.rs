//! What would be published quietly and fail, or do nothing, where it is used.

use std::collections::BTreeSet;

use weir_kind::{KindError, PackageFiles};
use weir_tree::{Mode, TreeManifest};

use super::foreign::is_shell_program;
use super::inspect::{content, package_files};
use crate::grammar::MAX_BYTES;
use crate::layout::Offers;
use crate::manifest::BashManifest;
use crate::rename::SourceFile;

/// The most things told of one package.
const MOST: usize = 10;

/// Refuses a package with a command that cannot be started, a shell file with CRLF, or a name to be kept that it does not have.
pub(super) fn refuse_unusable(
    files: &dyn PackageFiles,
    tree: &TreeManifest,
    manifest: &BashManifest,
    offers: &Offers,
) -> Result<(), KindError> {
    let mut faults = not_executable(tree, offers);
    faults.extend(with_crlf(files, tree, offers)?);
    if !manifest.keep.is_empty() || !manifest.state.is_empty() {
        let (_, sources) = package_files(files, tree, offers)?;
        faults.extend(idle_names(manifest, &sources));
    }
    if faults.is_empty() {
        return Ok(());
    }
    let more = faults.len().saturating_sub(MOST);
    faults.truncate(MOST);
    if more > 0 {
        faults.push(format!("and {more} more"));
    }
    Err(KindError::NotAllowed(faults.join("\n")))
}

fn not_executable(tree: &TreeManifest, offers: &Offers) -> Vec<String> {
    let is_plain = |path: &&String| tree.entry(path).is_some_and(|entry| entry.mode == Mode::File);
    let plain = offers.bin.iter().filter(is_plain);
    plain.map(|path| format!("the command `{path}` is not executable: `chmod +x {path}`")).collect()
}

/// Shell files that are sourced or run, and have lines that end in CRLF.
fn with_crlf(
    files: &dyn PackageFiles,
    tree: &TreeManifest,
    offers: &Offers,
) -> Result<Vec<String>, KindError> {
    let commands = offers.commands.iter().map(|(_, path)| path);
    let offered: BTreeSet<&String> =
        offers.source.iter().chain(&offers.completion).chain(&offers.bin).chain(commands).collect();
    let mut faults = Vec::new();
    for path in offered {
        let is_text = |mode| mode != Mode::Link;
        let Some(entry) = tree.entry(path).filter(|entry| is_text(entry.mode)) else { continue };
        if entry.size > MAX_BYTES as u64 {
            continue;
        }
        let bytes = content(files, path)?;
        let is_sourced = offers.source.contains(path) || offers.completion.contains(path);
        if !is_sourced && !is_shell_program(&bytes) {
            continue;
        }
        let mut lines = bytes.split(|byte| *byte == b'\n');
        if let Some(index) = lines.position(|line| line.ends_with(b"\r")) {
            faults.push(format!(
                "`{path}`: line {} ends in CRLF, and Bash takes the CR for part of a word: have the file end its lines in LF",
                index + 1
            ));
        }
    }
    Ok(faults)
}

/// Names below `keep` and `state` that stand nowhere in a package's shell files.
pub(crate) fn idle_names(manifest: &BashManifest, files: &[SourceFile]) -> Vec<String> {
    let named = [("keep", &manifest.keep), ("state", &manifest.state)];
    let named = named.into_iter().flat_map(|(field, names)| names.iter().map(move |name| (field, name)));
    let idle = named.filter(|(_, name)| !files.iter().any(|file| stands_in(&file.bytes, name.as_bytes())));
    idle.map(|(field, name)| {
        format!("`{field}` names `{name}`, which stands nowhere in the package's shell files")
    })
    .collect()
}

/// Whether a name stands by itself somewhere in a text.
fn stands_in(text: &[u8], name: &[u8]) -> bool {
    let is_part = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_.:@+".contains(byte) || *byte >= 0x80)
    };
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&text[from..], name) {
        let (start, end) = (from + at, from + at + name.len());
        if !is_part(start.checked_sub(1).and_then(|before| text.get(before))) && !is_part(text.get(end)) {
            return true;
        }
        from = start + 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::stands_in;

    #[test]
    fn a_name_stands_by_itself_and_not_within_another() {
        for (text, stands) in [
            ("t_cmd() { :; }", true),
            ("x; t_cmd", true),
            ("declare -g t_cmd=1", true),
            ("t_cmd_one() { :; }", false),
            ("my.t_cmd my_t_cmd", false),
            ("t_cm", false),
        ] {
            assert_eq!(stands_in(text.as_bytes(), b"t_cmd"), stands, "{text}");
        }
    }
}
