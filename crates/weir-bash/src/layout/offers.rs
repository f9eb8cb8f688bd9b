//! From the folders and globs of a manifest to the files they mean.
//!
//! Done once, when a release is inspected, and kept in its record: an install reads no tree.

use std::collections::HashSet;

use super::BashManifest;

/// A file of a package's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// Its path, `/`-separated.
    pub path: String,
    /// Whether it can be executed.
    pub executable: bool,
}

/// The files of a package that are sourced, or put where they are found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Offers {
    /// Files that are sourced, in order.
    pub source: Vec<String>,
    /// Commands.
    pub bin: Vec<String>,
    /// Commands that are called otherwise than their files: name and file.
    pub commands: Vec<(String, String)>,
    /// Completions.
    pub completion: Vec<String>,
    /// Man pages.
    pub man: Vec<String>,
}

impl Offers {
    /// What is linked where: `bin/greet`, `man/man1/greet.1`, and the file it is.
    pub(crate) fn places(&self) -> Vec<(String, &str)> {
        let name = |path: &'_ str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let bin = self.bin.iter().map(|path| (format!("bin/{}", name(path)), path.as_str()));
        let commands = self.commands.iter().map(|(name, path)| (format!("bin/{name}"), path.as_str()));
        let completion =
            self.completion.iter().map(|path| (format!("completion/{}", name(path)), path.as_str()));
        let man =
            self.man.iter().map(|path| (format!("man/man{}/{}", section(path), name(path)), path.as_str()));
        bin.chain(commands).chain(completion).chain(man).collect()
    }
}

/// The section of the manual that a page's name ends with.
fn section(path: &str) -> char {
    let path = path.strip_suffix(".gz").unwrap_or(path);
    let ending = path.rsplit('.').next().unwrap_or_default();
    ending.chars().next().filter(char::is_ascii_digit).unwrap_or('1')
}

/// The files that a manifest means, and what it names but the tree does not have.
///
/// A folder means the files in it (not below it): its shell files for `source`, what can be executed for `bin`, pages for `man`.
/// A path with `*` or `?` is a glob, in which `*` does not cross a `/` and `**` does; one for `bin` means what can be executed.
pub fn expand(manifest: &BashManifest, files: &[TreeFile]) -> (Offers, Vec<String>) {
    let mut missing = Vec::new();
    let mut list = |field: &str, entries: &[String], fits: &dyn Fn(&TreeFile) -> bool| {
        let mut found: Vec<String> = Vec::new();
        let mut known = HashSet::new();
        for entry in entries {
            let before = found.len();
            // What lies beside commands is no command.
            let is_meant = |file: &&TreeFile| {
                means(entry, file, fits) && (field != "bin" || !is_glob(entry) || fits(file))
            };
            let mut matched: Vec<&TreeFile> = files.iter().filter(is_meant).collect();
            matched.sort_by(|a, b| a.path.cmp(&b.path));
            for file in matched {
                if known.insert(file.path.as_str()) {
                    found.push(file.path.clone());
                }
            }
            let exists = found.len() > before
                || files.iter().any(|file| is_in(entry, &file.path) || file.path == *entry);
            if !exists {
                missing.push(format!("`{field}` names `{entry}`, which the package does not have"));
            }
        }
        found
    };
    let is_shell = |file: &TreeFile| file.path.ends_with(".sh") || file.path.ends_with(".bash");
    let is_page = |file: &TreeFile| {
        let path = file.path.strip_suffix(".gz").unwrap_or(&file.path);
        path.rsplit_once('.').is_some_and(|(_, section)| section.starts_with(|c: char| c.is_ascii_digit()))
    };
    let offers = Offers {
        source: list("source", &manifest.source, &is_shell),
        bin: list("bin", &manifest.bin, &|file| file.executable),
        completion: list("completion", &manifest.completion, &|_| true),
        man: list("man", &manifest.man, &is_page),
        commands: Vec::new(),
    };
    (offers, missing)
}

fn is_glob(entry: &str) -> bool {
    entry.contains(['*', '?'])
}

fn means(entry: &str, file: &TreeFile, fits: &dyn Fn(&TreeFile) -> bool) -> bool {
    if file.path == entry {
        return true;
    }
    if is_glob(entry) {
        return glob(entry.as_bytes(), file.path.as_bytes());
    }
    let in_it = match entry {
        "." => !file.path.contains('/'),
        _ => file
            .path
            .strip_prefix(entry)
            .and_then(|rest| rest.strip_prefix('/'))
            .is_some_and(|rest| !rest.contains('/')),
    };
    // Pages lie one folder further down, by section.
    let in_section = file
        .path
        .strip_prefix(entry)
        .is_some_and(|rest| rest.starts_with("/man") && rest.matches('/').count() == 2);
    (in_it || in_section) && fits(file)
}

fn is_in(folder: &str, path: &str) -> bool {
    folder == "." || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a glob matches a whole path. Linear in each `*`, by going back to the last one only.
fn glob(pattern: &[u8], path: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on after the last star: in the pattern, in the path, and whether it crosses `/`.
    let mut star: Option<(usize, usize, bool)> = None;
    let mut outer: Option<(usize, usize, bool)> = None;
    while t < path.len() {
        if pattern[p..].starts_with(b"**") {
            let next = p + 2 + usize::from(pattern.get(p + 2) == Some(&b'/'));
            star = Some((next, t, true));
            outer = star;
            p = next;
        } else if pattern.get(p) == Some(&b'*') {
            star = Some((p + 1, t, false));
            p += 1;
        } else if pattern.get(p).is_some_and(|c| *c == path[t] || (*c == b'?' && path[t] != b'/')) {
            (p, t) = (p + 1, t + 1);
        } else {
            // A star that may not cross this `/` gives way to the last `**` before it.
            let again = star
                .filter(|(_, at, crosses)| *crosses || path[*at] != b'/')
                .or_else(|| outer.filter(|_| star != outer));
            let Some((next, at, crosses)) = again else { return false };
            let again = Some((next, at + 1, crosses));
            star = again;
            if crosses {
                outer = again;
            }
            (p, t) = (next, at + 1);
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::{BashManifest, TreeFile, expand, glob};

    #[test]
    fn globs_match_as_in_a_shell() {
        for (pattern, path, expected) in [
            ("src/*.sh", "src/a.sh", true),
            ("src/*.sh", "src/b/a.sh", false),
            ("src/**/*.sh", "src/b/c/a.sh", true),
            ("src/**/*.sh", "src/a.sh", true),
            ("**/a?.sh", "x/y/ab.sh", true),
            ("*a*b", "xaxaxb", true),
            ("*.sh", "a.bash", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), path.as_bytes()), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn folders_files_and_globs_are_expanded_and_what_is_missing_is_told() {
        let file = |path: &str, executable| TreeFile { path: path.into(), executable };
        let files = [
            file("src/b.sh", false),
            file("src/a.sh", false),
            file("src/deep/c.sh", false),
            file("src/notes.txt", false),
            file("bin/tool", true),
            file("bin/README", false),
            file("man/man1/tool.1", false),
            file("share/tool.bash", false),
        ];
        let manifest = BashManifest {
            source: vec!["src".into()],
            bin: vec!["bin".into(), "gone".into()],
            completion: vec!["share/*.bash".into()],
            man: vec!["man".into()],
            ..BashManifest::default()
        };
        let (offers, missing) = expand(&manifest, &files);
        assert_eq!(offers.source, ["src/a.sh", "src/b.sh"]);
        assert_eq!(
            (offers.bin.clone(), offers.completion.clone()),
            (vec!["bin/tool".to_owned()], vec!["share/tool.bash".to_owned()])
        );
        assert_eq!(offers.places().last().unwrap(), &("man/man1/tool.1".to_owned(), "man/man1/tool.1"));
        assert_eq!(missing, ["`bin` names `gone`, which the package does not have"]);
    }
}
