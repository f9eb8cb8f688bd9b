//! Files of pkg-config that say where they are themselves.
//!
//! `${pcfiledir}` is the folder of the file that is read. Both pkg-config (since 0.16) and pkgconf know it.
//! Source: pc(5).

use weir_kind::{find_path, replace_path};

use crate::PREFIX;

/// The text of the file at `path`, a path relative to the prefix, with nothing in it that says where the prefix was.
pub(super) fn relocatable(text: &[u8], path: &str) -> Vec<u8> {
    let depth = path.matches('/').count();
    let from_here = format!("${{pcfiledir}}{}", "/..".repeat(depth));
    let mut lines = Vec::new();
    let mut defined = false;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if is_definition(line) {
            defined = true;
            lines.extend(replace_path(line, PREFIX, from_here.as_bytes()));
        } else if find_path(line, PREFIX).next().is_some() {
            // A variable can be used only after its definition.
            let prefix = if defined { "${prefix}" } else { &from_here };
            lines.extend(replace_path(line, PREFIX, prefix.as_bytes()));
        } else {
            lines.extend_from_slice(line);
        }
    }
    with_folders(&lines, &from_here)
}

/// The text with the folders of headers and libraries in it, if it names none: it was written for a prefix in which
/// compilers look anyway.
fn with_folders(text: &[u8], from_here: &str) -> Vec<u8> {
    let has = |line: &[u8], what: &str| memchr::memmem::find(line, what.as_bytes()).is_some();
    let mut lines = Vec::new();
    let mut has_flags = false;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let add = match line.split(|byte| *byte == b':').next() {
            Some(b"Libs") if has(line, "-l") && !has(line, "-L") => {
                Some(("Libs:", format!(" -L{from_here}/lib")))
            }
            Some(b"Cflags" | b"CFlags") => {
                has_flags = true;
                (!has(line, "-I") && !has(line, "${")).then(|| ("Cflags:", format!(" -I{from_here}/include")))
            }
            _ => None,
        };
        match add {
            Some((field, folder)) => {
                lines.extend_from_slice(field.as_bytes());
                lines.extend_from_slice(folder.as_bytes());
                lines.extend_from_slice(&line[field.len()..]);
            }
            None => lines.extend_from_slice(line),
        }
    }
    if !has_flags && has(text, "Libs:") {
        let line_break = if lines.ends_with(b"\n") { "" } else { "\n" };
        lines.extend(format!("{line_break}Cflags: -I{from_here}/include\n").into_bytes());
    }
    lines
}

/// Whether a line defines `prefix` as the prefix, and nothing below it.
fn is_definition(line: &[u8]) -> bool {
    let Ok(line) = str::from_utf8(line) else { return false };
    let Some((name, value)) = line.split_once('=') else { return false };
    name.trim() == "prefix" && value.trim().trim_matches('"').trim_end_matches('/') == PREFIX
}
