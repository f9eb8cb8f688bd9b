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
    lines
}

/// Whether a line defines `prefix` as the prefix, and nothing below it.
fn is_definition(line: &[u8]) -> bool {
    let Ok(line) = str::from_utf8(line) else { return false };
    let Some((name, value)) = line.split_once('=') else { return false };
    name.trim() == "prefix" && value.trim().trim_matches('"').trim_end_matches('/') == PREFIX
}
