//! What would be published quietly and fail, or do nothing, where it is used.

use std::collections::{BTreeMap, BTreeSet};

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

/// Refuses a package with a command that cannot be started, a shell file with CRLF, a byte order mark or zeros, files that it names and
/// does not have, options that Bash does not know, or a name to be kept that it does not have.
pub(super) fn refuse_unusable(
    files: &dyn PackageFiles,
    tree: &TreeManifest,
    manifest: &BashManifest,
    offers: &Offers,
    missing: &[String],
) -> Result<(), KindError> {
    let mut faults = not_executable(tree, offers);
    faults.extend(missing.iter().map(|missing| format!("`[bash]`: {missing}")));
    faults.extend(unknown_options(manifest));
    faults.extend(with_odd_bytes(files, tree, offers)?);
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

/// Options that Bash 5.3 has, for `set -o`.
const OPTIONS: &[&str] = &[
    "allexport",
    "braceexpand",
    "emacs",
    "errexit",
    "errtrace",
    "functrace",
    "hashall",
    "histexpand",
    "history",
    "ignoreeof",
    "interactive-comments",
    "keyword",
    "monitor",
    "noclobber",
    "noexec",
    "noglob",
    "nolog",
    "notify",
    "nounset",
    "onecmd",
    "physical",
    "pipefail",
    "posix",
    "privileged",
    "verbose",
    "vi",
    "xtrace",
];

/// Options that Bash 4.0 to 5.3 have, for `shopt`.
const SHELL_OPTIONS: &[&str] = &[
    "array_expand_once",
    "assoc_expand_once",
    "autocd",
    "bash_source_fullpath",
    "cdable_vars",
    "cdspell",
    "checkhash",
    "checkjobs",
    "checkwinsize",
    "cmdhist",
    "compat31",
    "compat32",
    "compat40",
    "compat41",
    "compat42",
    "compat43",
    "compat44",
    "complete_fullquote",
    "direxpand",
    "dirspell",
    "dotglob",
    "execfail",
    "expand_aliases",
    "extdebug",
    "extglob",
    "extquote",
    "failglob",
    "force_fignore",
    "globasciiranges",
    "globskipdots",
    "globstar",
    "gnu_errfmt",
    "histappend",
    "histreedit",
    "histverify",
    "hostcomplete",
    "huponexit",
    "inherit_errexit",
    "interactive_comments",
    "lastpipe",
    "lithist",
    "localvar_inherit",
    "localvar_unset",
    "login_shell",
    "mailwarn",
    "no_empty_cmd_completion",
    "nocaseglob",
    "nocasematch",
    "noexpand_translation",
    "nullglob",
    "patsub_replacement",
    "progcomp",
    "progcomp_alias",
    "promptvars",
    "restricted_shell",
    "shift_verbose",
    "sourcepath",
    "varredir_close",
    "xpg_echo",
];

/// Options that no Bash has: setting them fails whenever the package is loaded.
fn unknown_options(manifest: &BashManifest) -> Vec<String> {
    let of = |field: &'static str,
              names: &BTreeMap<String, bool>,
              known: &'static [&'static str]|
     -> Vec<String> {
        let unknown = names.keys().filter(|name| !known.contains(&name.as_str()));
        let told = |name: &String| {
            let meant = weir_model::nearest(name, known.iter().copied());
            let meant = meant.map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default();
            format!("`{field}` names `{name}`, which Bash does not know{meant}")
        };
        unknown.map(told).collect()
    };
    let mut faults = of("options", &manifest.options, OPTIONS);
    faults.extend(of("shopt", &manifest.shopt, SHELL_OPTIONS));
    faults
}

/// Shell files that are sourced or run, and begin with a byte order mark, are no text or have lines that end in CRLF.
fn with_odd_bytes(
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
        let marked = bytes.strip_prefix(b"\xef\xbb\xbf");
        if !is_sourced && !is_shell_program(marked.unwrap_or(&bytes)) {
            continue;
        }
        if marked.is_some() {
            faults.push(format!(
                "`{path}` begins with a byte order mark, which Bash takes for part of the first word: save it without"
            ));
        }
        if let Some(zero) = memchr::memchr(0, &bytes).filter(|_| is_sourced) {
            faults.push(format!(
                "`{path}` is no text: byte {} is zero, and Bash does not source it: save it as UTF-8",
                zero + 1
            ));
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
