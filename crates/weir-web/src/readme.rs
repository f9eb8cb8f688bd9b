//! What a package says of itself, made of CommonMark by one library and cleaned by another.

use std::borrow::Cow;
use std::collections::HashSet;

use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, html};
use weir_model::ReleaseId;

use crate::address;

/// So many bytes of a README are shown; the rest is in the file.
pub const MAX_README: usize = 48 << 10;

/// The most bytes of HTML that a README may become: entities and tables make more of less. Of one that becomes more, less is shown.
const MAX_HTML: usize = 72 << 10;

/// Lists, quotes and the like inside one another. Beyond it a README is shown as text.
const MAX_DEPTH: usize = 64;

/// The elements that a README may have. None loads anything, runs anything or looks like a part of the page around it.
const ELEMENTS: [&str; 36] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
];

/// A README, harmless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readme {
    /// Its file.
    pub path: String,
    /// What is shown of it: HTML.
    pub html: String,
    /// Whether there is more in the file.
    pub cut: bool,
}

impl Readme {
    /// What the file `path` of a release says. Whether it is CommonMark, its name tells; else it is text.
    pub fn new(registry: &str, id: &ReleaseId, path: &str, text: &str) -> Self {
        let is_markdown = path.rsplit_once('.').is_some_and(|(_, ending)| {
            ending.eq_ignore_ascii_case("md") || ending.eq_ignore_ascii_case("markdown")
        });
        for part in [1, 2, 4] {
            let end = text.floor_char_boundary(MAX_README / part);
            let rendered = if is_markdown { markdown(&text[..end]) } else { None };
            let cleaned = rendered.map(|html| cleaned(&html, registry, id, path));
            if let Some(html) = cleaned.filter(|html| html.len() <= MAX_HTML) {
                return Self { path: path.to_owned(), html, cut: end < text.len() };
            }
        }
        let (shown, cut) = beginning(text, MAX_HTML);
        Self { path: path.to_owned(), html: format!("<pre class=\"plain\">{}</pre>", escaped(shown)), cut }
    }
}

/// The beginning of a text that makes at most `most` bytes of a page, and whether there is more of it. What must be escaped
/// counts as what it becomes, and a line for its number.
pub fn beginning(text: &str, most: usize) -> (&str, bool) {
    let mut cost = 0;
    for (at, character) in text.char_indices() {
        cost += match character {
            '<' | '>' | '&' | '"' | '\'' => 5,
            '\n' => 8,
            character => character.len_utf8(),
        };
        if cost > most {
            return (&text[..at], true);
        }
    }
    (text, false)
}

/// A text as HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// HTML of CommonMark, not to be trusted; `None` where it would cost more than it is worth.
fn markdown(text: &str) -> Option<String> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut depth = 0_usize;
    let mut events = Vec::new();
    for event in Parser::new_ext(text, options) {
        match &event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return None;
        }
        events.push(plainer(event));
    }
    let mut out = String::with_capacity(text.len() * 2);
    html::push_html(&mut out, events.into_iter());
    (out.len() <= MAX_HTML && nesting(&out) <= MAX_DEPTH).then_some(out)
}

/// A picture is a link to it, as nothing is loaded from elsewhere; and headings are below those of the page.
fn plainer(event: Event<'_>) -> Event<'_> {
    use pulldown_cmark::HeadingLevel::{H1, H2, H3, H4, H5, H6};
    let below = |level| match level {
        H1 => H2,
        H2 => H3,
        H3 => H4,
        H4 => H5,
        H5 | H6 => H6,
    };
    match event {
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        Event::Start(Tag::Heading { level, .. }) => Event::Start(Tag::Heading {
            level: below(level),
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        }),
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below(level))),
        Event::TaskListMarker(done) => Event::Text(if done { "☑ " } else { "☐ " }.into()),
        event => event,
    }
}

/// How many elements are open at once at most, roughly: HTML inside CommonMark nests without lists or quotes.
fn nesting(html: &str) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    let bytes = html.as_bytes();
    for (at, _) in html.match_indices('<') {
        match bytes.get(at + 1) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'a'..=b'z' | b'A'..=b'Z') if !is_void(&html[at + 1..]) => {
                depth += 1;
                most = most.max(depth);
            }
            _ => {}
        }
    }
    most
}

/// Whether an element has no end.
fn is_void(tag: &str) -> bool {
    let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    ["br", "hr", "img", "input", "wbr"].iter().any(|void| name.eq_ignore_ascii_case(void))
}

/// The same HTML with nothing in it that acts, loads, or leads elsewhere than it says.
fn cleaned(html: &str, registry: &str, id: &ReleaseId, path: &str) -> String {
    let (registry, id) = (registry.to_owned(), id.clone());
    let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let relative = move |url: &str| -> Option<Cow<'static, str>> {
        let file = url.split(['#', '?']).next().unwrap_or_default();
        let path = below(&folder, file)?;
        Some(address::file(&registry, &id, &path).into())
    };
    Builder::empty()
        .tags(HashSet::from(ELEMENTS))
        .clean_content_tags(HashSet::from(["script", "style", "title", "textarea", "iframe", "noscript"]))
        .add_tag_attributes("a", ["href", "title"])
        .add_tag_attributes("ol", ["start"])
        .add_tag_attributes("details", ["open"])
        .add_tag_attributes("td", ["align"])
        .add_tag_attributes("th", ["align"])
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Custom(Box::new(Relative(relative))))
        .link_rel(Some("nofollow noopener noreferrer ugc"))
        .strip_comments(true)
        .clean(html)
        .to_string()
}

/// How an address that names no host is read: as a file of the package.
struct Relative<F>(F);

impl<'a, F: Send + Sync + Fn(&str) -> Option<Cow<'static, str>> + 'a> ammonia::UrlRelativeEvaluate<'a>
    for Relative<F>
{
    fn evaluate<'u>(&self, url: &'u str) -> Option<Cow<'u, str>> {
        (self.0)(url)
    }
}

/// The path of a file that is named from `folder`, if it is one below the package.
fn below(folder: &str, path: &str) -> Option<String> {
    if path.is_empty() || path.starts_with(['/', '\\']) || path.contains(['\\', ':']) {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{MAX_README, Readme};

    fn shown(text: &str) -> String {
        let id = "acme/str 1.0.0".parse().unwrap();
        Readme::new("team", &id, "docs/README.md", text).html
    }

    #[test]
    fn what_a_package_says_looks_as_its_author_meant() {
        assert_eq!(
            shown(
                "# Str\n\nTrims *text*. See [how](guide.md) and [all](../LICENSE), or <https://str.example/>."
            ),
            "<h2>Str</h2>\n<p>Trims <em>text</em>. See <a href=\"/team/-/packages/acme/str/1.0.0/files/docs/guide.md\" rel=\"nofollow noopener noreferrer ugc\">how</a> and <a href=\"/team/-/packages/acme/str/1.0.0/files/LICENSE\" rel=\"nofollow noopener noreferrer ugc\">all</a>, or <a href=\"https://str.example/\" rel=\"nofollow noopener noreferrer ugc\">https://str.example/</a>.</p>\n"
        );
        let table =
            shown("| a |\n| - |\n| b |\n\n<details><summary>more</summary>\n\nhidden\n\n</details>\n");
        assert!(table.contains("<table>") && table.contains("<summary>more</summary>"), "{table}");
        let picture = shown("![a picture](https://img.example/x.png)");
        assert!(picture.contains(">a picture</a>") && !picture.contains("<img"), "{picture}");
    }

    #[test]
    fn what_would_act_is_gone() {
        for attack in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<svg onload=alert(1)><script>alert(1)</script></svg>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](&#106;avascript:alert(1))",
            "<a href=\"java\nscript:alert(1)\">x</a>",
            "<a href=\"data:text/html,<script>alert(1)</script>\">x</a>",
            "<a href=\"//evil.example\">x</a>",
            "<a href=\"/\\evil.example\">x</a>",
            "<iframe src=https://evil.example></iframe>",
            "<form action=https://evil.example><input name=p></form>",
            "<style>*{display:none}</style>",
            "<p style=\"position:fixed\" class=top id=main onclick=alert(1)>x</p>",
            "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
            "<meta http-equiv=refresh content=0;url=https://evil.example>",
            "<base href=https://evil.example>",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
            "```html\n<script>alert(1)</script>\n```",
        ] {
            let html = shown(attack);
            for forbidden in [
                "<script",
                "<img",
                "<svg",
                "<iframe",
                "<form",
                "<style",
                "<meta",
                "<base",
                "<math",
                "onerror=a",
                "style=",
                "class=",
                "id=",
                "onclick",
                "href=\"j",
                "href=\"J",
                "href=\"d",
                "href=\"//",
                "href=\"/\\",
            ] {
                // What is escaped is text.
                assert!(!html.contains(forbidden), "{attack}\ngave {html}");
            }
        }
    }

    #[test]
    fn what_is_long_or_deep_costs_little_and_is_shown_as_text() {
        let started = std::time::Instant::now();
        for text in [
            "> ".repeat(20_000) + "x",
            "* ".repeat(20_000) + "x",
            "[".repeat(20_000) + &"](a)".repeat(5_000),
            "<div>".repeat(10_000),
            "*a ".repeat(15_000),
            "`".repeat(40_000),
            "![".repeat(20_000),
            "a\n".repeat(5_000_000),
            "<a href=".repeat(6_000),
        ] {
            let id = "acme/str 1.0.0".parse().unwrap();
            let readme = Readme::new("team", &id, "README.md", &text);
            assert!(readme.cut || text.len() <= MAX_README);
            assert!(readme.html.len() < 80 << 10, "{}", readme.html.len());
        }
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
