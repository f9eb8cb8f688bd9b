//! Tags of HTML that a serialiser wrote: text has no `<` of its own there, and values stand in double quotes and have none.

/// Where a tag ends that `html` begins with: a `>` within quotes is none of its own.
pub fn end_of_tag(html: &str) -> usize {
    let mut quoted = false;
    for (at, byte) in html.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'>' if !quoted => return at + 1,
            _ => {}
        }
    }
    html.len()
}

/// The value of an attribute of a tag, as it is written; empty where it has none.
pub fn attribute<'t>(tag: &'t str, name: &str) -> &'t str {
    let named = tag
        .split_once(&format!("{name}=\""))
        .filter(|(before, _)| before.is_empty() || before.ends_with(|c: char| c.is_ascii_whitespace()));
    named.and_then(|(_, value)| value.split('"').next()).unwrap_or_default()
}

/// What is said in the place of a picture.
pub fn said_instead(tag: &str) -> String {
    attribute(tag, "alt").replace('<', "&lt;").replace('>', "&gt;")
}

/// The same HTML with each picture that is `missing` said in words.
pub(crate) fn with_words(html: &str, missing: impl Fn(&str) -> bool) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(begin) = rest.find('<') {
        out.push_str(&rest[..begin]);
        let (tag, after) = rest[begin..].split_at(end_of_tag(&rest[begin..]));
        match tag.starts_with("<img ") && missing(tag) {
            true => out.push_str(&said_instead(tag)),
            false => out.push_str(tag),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
