//! basher's `package.sh`: a shell file that basher sources, and that is only parsed here.
//!
//! Literal assignments at the top level count. Anything else would need running it, and is a warning.

use tree_sitter::Node;

use super::{ForeignManifest, GitRequirement, ManifestError, check_path};
use crate::grammar;

/// Reads a `package.sh`.
///
/// # Errors
///
/// If it cannot be parsed at all. Whatever is not a literal assignment is a warning with its line.
pub fn read_basher(text: &str) -> Result<ForeignManifest, ManifestError> {
    let syntax = |error: grammar::GrammarError| ManifestError::Syntax {
        file: "package.sh",
        reason: error.to_string(),
    };
    let tree = grammar::parse(text.as_bytes()).map_err(syntax)?;
    let mut manifest = ForeignManifest::default();
    let root = tree.root_node();
    for node in root.named_children(&mut root.walk()) {
        let line = node.start_position().row + 1;
        match (node.kind(), literal_assignment(node, text)) {
            ("comment", _) => {}
            (_, Some((name, value))) => assign(&mut manifest, name, &value, line),
            _ => manifest.warnings.push(format!("line {line} is not a literal assignment: it is ignored")),
        }
    }
    Ok(manifest)
}

fn literal_assignment<'a>(node: Node<'_>, text: &'a str) -> Option<(&'a str, String)> {
    if node.kind() != "variable_assignment" || node.has_error() {
        return None;
    }
    let name = node.child_by_field_name("name").filter(|name| name.kind() == "variable_name")?;
    let name = &text[name.byte_range()];
    let whole = &text[node.byte_range()];
    let Some(value) = node.child_by_field_name("value") else {
        return whole.strip_prefix(name).filter(|rest| *rest == "=").map(|_| (name, String::new()));
    };
    let raw = &text[value.byte_range()];
    let literal = match value.kind() {
        "raw_string" => raw.get(1..raw.len() - 1)?,
        "string" if value.named_children(&mut value.walk()).all(|child| child.kind() == "string_content") => {
            raw.get(1..raw.len() - 1)?
        }
        "word" | "number" => raw,
        _ => return None,
    };
    let special = |c: char| matches!(c, '\\' | '$' | '`' | '*' | '?' | '~');
    (value.kind() == "raw_string" || !literal.contains(special)).then(|| (name, literal.to_owned()))
}

fn assign(manifest: &mut ForeignManifest, name: &str, value: &str, line: usize) {
    let entries = || value.split(':').map(str::trim).filter(|entry| !entry.is_empty());
    let mut add = |list: fn(&mut ForeignManifest) -> &mut Vec<String>| {
        for entry in entries() {
            match check_path(name, entry) {
                Ok(path) => list(manifest).push(path),
                Err(error) => manifest.warnings.push(format!("line {line}: {error}: it is left out")),
            }
        }
    };
    match name {
        "BINS" => add(|manifest| &mut manifest.bash.bin),
        "BASH_COMPLETIONS" | "ZSH_COMPLETIONS" => add(|manifest| &mut manifest.bash.completion),
        "DEPS" => {
            for entry in dependencies(value) {
                match entry.parse::<GitRequirement>() {
                    Ok(requirement) => manifest.dependencies.push(requirement),
                    Err(error) => manifest.warnings.push(format!("line {line}: {error}: it is left out")),
                }
            }
        }
        "REMOVE_EXTENSION" => {
            manifest.warnings.push(format!("line {line}: `{name}`: commands keep the names of their files"));
        }
        _ => manifest.warnings.push(format!("line {line}: `{name}` is not known: it is ignored")),
    }
}

/// The entries of a list separated by `:`, where an entry may itself be an address that has one.
fn dependencies(value: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for part in value.split(':') {
        match entries.last_mut() {
            Some(last) if part.starts_with("//") => *last = format!("{last}:{part}"),
            _ => entries.push(part.trim().to_owned()),
        }
    }
    entries.retain(|entry| !entry.is_empty());
    entries
}
