//! The text of a lockfile: sorted, one line a fact, nothing that depends on when or where it was written.

use std::fmt::{Display, Write as _};

use serde_json::Value as Json;

use super::{LockedReference, LockedRelease, Lockfile};
use crate::unseen::is_unseen;

const HEADER: &str = "# Written by weir. Commit it; do not edit it: `weir lock` makes it anew.\n";

pub(super) fn lockfile(lockfile: &Lockfile) -> String {
    let mut out = Text(HEADER.to_owned());
    out.bare("version", lockfile.version);
    out.list("direct", sorted(lockfile.direct.iter().map(|direct| quote(&direct.0.to_string()))));
    let mut releases: Vec<_> = lockfile.releases.iter().collect();
    releases.sort_unstable_by_key(|release| release.id());
    for release in releases {
        out.0.push_str("\n[[release]]\n");
        write_release(&mut out, release);
    }
    let mut references: Vec<_> = lockfile.references.iter().collect();
    references.sort_unstable_by_key(|reference| &reference.name);
    for reference in references {
        out.0.push_str("\n[[reference]]\n");
        for (key, value) in reference_fields(reference) {
            out.bare(key, value);
        }
    }
    out.0
}

fn write_release(out: &mut Text, release: &LockedRelease) {
    out.quoted("name", release.name.as_str());
    out.quoted("version", &release.version.to_string());
    if !release.platform.is_any() {
        out.quoted("platform", release.platform.as_str());
    }
    if release.revision > 0 {
        out.bare("revision", release.revision);
    }
    out.quoted("kind", release.kind.as_str());
    let digests = [
        ("tree", release.tree.map(|tree| tree.to_string())),
        ("input-digest", release.input_digest.map(|digest| digest.to_string())),
    ];
    for (name, digest) in digests {
        if let Some(digest) = digest {
            out.quoted(name, &digest);
        }
    }
    for (name, number) in [("size", release.size), ("unpacked", release.unpacked)] {
        if let Some(number) = number {
            out.bare(name, number);
        }
    }
    for (name, text) in [("registry", &release.registry), ("path", &release.path)] {
        if let Some(text) = text {
            out.quoted(name, text);
        }
    }
    if let Some(git) = &release.git {
        let [url, tag, commit] = [&git.url, &git.tag, &git.commit].map(|text| quote(text));
        let says = git.manifest.as_ref().map(|says| format!(", manifest = {}", quote(says)));
        let says = says.unwrap_or_default();
        out.bare("git", format_args!("{{ url = {url}, tag = {tag}, commit = {commit}{says} }}"));
    }
    out.list("dependencies", sorted(release.dependencies.iter().map(|text| quote(&text.0.to_string()))));
    let fluid = release.fluid.iter().map(|choice| {
        let [name, range, chosen] =
            [choice.name.to_string(), choice.range.to_string(), choice.chosen.to_string()]
                .map(|text| quote(&text));
        format!("{{ name = {name}, range = {range}, chosen = {chosen} }}")
    });
    out.list("fluid", sorted(fluid));
    let references = release.references.iter().map(|reference| {
        let fields: Vec<_> =
            reference_fields(reference).into_iter().map(|(key, value)| format!("{key} = {value}")).collect();
        format!("{{ {} }}", fields.join(", "))
    });
    out.list("references", sorted(references));
    if !release.facts.is_empty() {
        out.bare("facts", inline(&Json::Object(release.facts.clone())));
    }
}

fn reference_fields(reference: &LockedReference) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("name", quote(&reference.name)),
        ("sha256", quote(&reference.sha256.to_string())),
        ("size", reference.size.to_string()),
    ];
    if !reference.mirrors.is_empty() {
        let mirrors: Vec<_> = reference.mirrors.iter().map(|mirror| quote(mirror)).collect();
        fields.push(("mirrors", format!("[{}]", mirrors.join(", "))));
    }
    for (name, flag) in [("unpack", reference.unpack), ("fluid", reference.fluid)] {
        if flag {
            fields.push((name, "true".into()));
        }
    }
    fields
}

fn sorted(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut items: Vec<_> = items.collect();
    items.sort_unstable();
    items
}

/// A basic string of one line, which can be a key too, with everything escaped that a terminal would obey.
fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            unseen if is_unseen(unseen) => quoted.push_str(&format!("\\U{:08x}", u32::from(unseen))),
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// JSON as an inline TOML value. TOML has no null and no number beyond 64 bits, and facts have neither.
fn inline(value: &Json) -> String {
    match value {
        Json::Null => "\"\"".into(),
        Json::String(text) => quote(text),
        Json::Array(items) => {
            let items: Vec<_> = items.iter().filter(|item| !item.is_null()).map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(members) => {
            let mut members: Vec<_> = members.iter().filter(|(_, member)| !member.is_null()).collect();
            members.sort_unstable_by_key(|(key, _)| key.as_str());
            let members: Vec<_> = members
                .into_iter()
                .map(|(key, member)| format!("{} = {}", quote(key), inline(member)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

struct Text(String);

impl Text {
    fn bare(&mut self, key: &str, value: impl Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn quoted(&mut self, key: &str, value: &str) {
        self.bare(key, quote(value));
    }

    fn list(&mut self, key: &str, items: Vec<String>) {
        match items.len() {
            0 => {}
            1 => self.bare(key, format_args!("[{}]", items[0])),
            _ => {
                let _ = writeln!(self.0, "{key} = [");
                for item in items {
                    let _ = writeln!(self.0, "    {item},");
                }
                self.0.push_str("]\n");
            }
        }
    }
}
