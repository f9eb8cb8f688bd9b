//! What a package says of itself, made of CommonMark by one library and cleaned by another.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use ammonia::{Builder, UrlRelative};
use percent_encoding::percent_decode_str;
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};
use weir_model::ReleaseId;

use crate::address;
use crate::tags::{attribute, with_words};

/// So many bytes of a README are shown; the rest is in the file.
pub const MAX_README: usize = 48 << 10;

/// The most bytes of HTML that a README may become: entities and tables make more of less. Of one that becomes more, less is shown.
const MAX_HTML: usize = 72 << 10;

/// Lists, quotes and the like inside one another. Beyond it a README is shown as text.
const MAX_DEPTH: usize = 64;

/// The most cells of tables. A row is filled up to the width of its table, so few characters make many of them.
const MAX_CELLS: usize = 1 << 13;

/// The longest name of a place in a README, in characters.
const MAX_ANCHOR: usize = 100;

/// The media types of pictures that browsers decode and in which nothing runs, and how those begin.
const PICTURE_TYPES: [(&[u8], &str); 4] = [
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
];

/// What sort of picture bytes are, if they are one that pages show. Their beginning says so, and no name.
pub fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    PICTURE_TYPES.iter().find(|(begins, _)| bytes.starts_with(begins)).map(|(_, media_type)| *media_type)
}

/// How the names of pictures end that are shown: browsers decode these anyway, and nothing in them runs.
const PICTURES: [&str; 5] = ["png", "jpg", "jpeg", "gif", "webp"];

/// The elements that a README may have. None runs anything, loads anything but a picture of its own package, or looks like a part of
/// the page around it.
const ELEMENTS: [&str; 37] = [
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
    "img",
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
    /// The files of the package that it shows as pictures.
    pub pictures: Vec<String>,
}

impl Readme {
    /// What the file `path` of a release says. Whether it is CommonMark, its name tells; else it is text.
    pub fn new(registry: &str, id: &ReleaseId, path: &str, text: &str) -> Self {
        Self::rendered(registry, id, path, text, true)
    }

    /// The same of a text that stands on a page with others like it: nothing leads to places in it, which others may have, too.
    pub(crate) fn beside_others(registry: &str, id: &ReleaseId, path: &str, text: &str) -> Self {
        Self::rendered(registry, id, path, text, false)
    }

    fn rendered(registry: &str, id: &ReleaseId, path: &str, text: &str, anchors: bool) -> Self {
        let is_markdown = path.rsplit_once('.').is_some_and(|(_, ending)| {
            ending.eq_ignore_ascii_case("md") || ending.eq_ignore_ascii_case("markdown")
        });
        for part in [1, 2, 4] {
            let end = text.floor_char_boundary(MAX_README / part);
            let rendered = if is_markdown { markdown(&text[..end]) } else { None };
            let cleaned = rendered.map(|html| cleaned(&html, registry, id, path, anchors));
            if let Some((html, pictures)) = cleaned.filter(|(html, _)| html.len() <= MAX_HTML) {
                return Self { path: path.to_owned(), html, cut: end < text.len(), pictures };
            }
        }
        let (shown, cut) = beginning(text, MAX_HTML);
        let html = format!("<pre class=\"plain\">{}</pre>", escaped(shown));
        Self { path: path.to_owned(), html, cut, pictures: Vec::new() }
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
    let mut options = Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    options.set(Options::ENABLE_TABLES, cells(text) <= MAX_CELLS);
    let mut depth = 0_usize;
    let mut events = Vec::new();
    let mut pictures = Vec::new();
    for event in Parser::new_ext(text, options) {
        match &event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return None;
        }
        events.push(plainer(event, &mut pictures));
    }
    name_headings(&mut events);
    let mut out = String::with_capacity(text.len() * 2);
    html::push_html(&mut out, events.into_iter());
    (out.len() <= MAX_HTML && nesting(&out) <= MAX_DEPTH).then_some(out)
}

/// How many cells the tables of a text have at most. A table is as wide as the line below its head, and ends at an empty one.
fn cells(text: &str) -> usize {
    let (mut width, mut cells) = (0, 0_usize);
    for line in text.lines() {
        let pipes = line.matches('|').count();
        let is_rule = line.contains('-') && line.bytes().all(|byte| b"|:-> \t".contains(&byte));
        if line.trim().is_empty() {
            width = 0;
        } else if is_rule {
            width = width.max(pipes + 1);
        }
        // What is no table yet costs something, too, as it may become the head of one.
        cells = cells.saturating_add(width.max(pipes));
    }
    cells
}

/// Gives each heading the name by which links within the text find it: its words in lower case, joined by `-`.
fn name_headings(events: &mut [Event<'_>]) {
    let mut named: HashMap<String, usize> = HashMap::new();
    for at in 0..events.len() {
        if !matches!(events[at], Event::Start(Tag::Heading { .. })) {
            continue;
        }
        let inside =
            events[at + 1..].iter().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))));
        let words: String = inside
            .filter_map(|event| match event {
                Event::Text(text) | Event::Code(text) => Some(&**text),
                _ => None,
            })
            .collect();
        let Some(name) = anchor(&words.trim().replace(char::is_whitespace, "-")) else { continue };
        let times = named.entry(name.clone()).and_modify(|times| *times += 1).or_default();
        let name = if *times == 0 { name } else { format!("{name}-{times}") };
        if let Event::Start(Tag::Heading { id, .. }) = &mut events[at] {
            *id = Some(CowStr::from(name));
        }
    }
}

/// The name of a place in a README, as links and what they lead to have it alike; `None` where nothing is left of it.
fn anchor(name: &str) -> Option<String> {
    let plain = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let name: String = name.chars().flat_map(char::to_lowercase).filter(plain).take(MAX_ANCHOR).collect();
    (!name.is_empty()).then_some(name)
}

/// The name of a place in a README, as the page has it: none of the page's own is called so.
fn on_page(name: &str) -> Option<String> {
    anchor(name).map(|name| format!("readme-{name}"))
}

/// A picture from elsewhere is a link to it, as nothing is loaded from there; and headings are below those of the page. Of the `pictures`
/// that are open, it is kept which are shown.
fn plainer<'e>(event: Event<'e>, pictures: &mut Vec<bool>) -> Event<'e> {
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
            let is_shown = !has_scheme(&dest_url) && is_picture(file_of(&dest_url));
            pictures.push(is_shown);
            Event::Start(match is_shown {
                true => Tag::Image { link_type, dest_url, title, id },
                false => Tag::Link { link_type, dest_url, title, id },
            })
        }
        Event::End(TagEnd::Image) if !pictures.pop().unwrap_or_default() => Event::End(TagEnd::Link),
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

/// The same HTML with nothing in it that acts, loads what is not its package's, or leads elsewhere than it says; and the files that it
/// shows as pictures.
fn cleaned(html: &str, registry: &str, id: &ReleaseId, path: &str, anchors: bool) -> (String, Vec<String>) {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let pictures = Arc::new(Mutex::new(BTreeSet::new()));
    let shown = pictures.clone();
    let place =
        Place { registry: registry.to_owned(), id: id.clone(), folder: folder.to_owned(), anchors, shown };
    let html = Builder::empty()
        .tags(HashSet::from(ELEMENTS))
        .clean_content_tags(HashSet::from(["script", "style", "title", "textarea", "iframe", "noscript"]))
        .generic_attributes(HashSet::from(["id"]))
        .add_tag_attributes("a", ["href", "title", "name"])
        .add_tag_attributes("img", ["src", "alt", "title", "width", "height"])
        .set_tag_attribute_value("img", "loading", "lazy")
        .add_tag_attributes("ol", ["start"])
        .add_tag_attributes("details", ["open"])
        .add_tag_attributes("td", ["align"])
        .add_tag_attributes("th", ["align"])
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        .attribute_filter(move |element, attribute, value| place.shown(element, attribute, value))
        .link_rel(Some("nofollow noopener noreferrer ugc"))
        .strip_comments(true)
        .clean(html)
        .to_string();
    let html = with_words(&html, |picture| attribute(picture, "src").is_empty());
    let pictures = pictures.lock().unwrap_or_else(PoisonError::into_inner);
    (html, pictures.iter().cloned().collect())
}

/// Where a README is, for what it leads to.
struct Place {
    registry: String,
    id: ReleaseId,
    folder: String,
    /// Whether places in it can be led to.
    anchors: bool,
    /// The files that were shown as pictures.
    shown: Arc<Mutex<BTreeSet<String>>>,
}

impl Place {
    /// An attribute as a page has it, if it has it. Everything that is an address goes through here.
    fn shown<'u>(&self, element: &str, attribute: &str, value: &'u str) -> Option<Cow<'u, str>> {
        let Self { registry, id, folder, anchors, shown } = self;
        let file = || below(folder, file_of(value));
        match (element, attribute) {
            (_, "id") | ("a", "name") => on_page(value).filter(|_| *anchors).map(Cow::from),
            ("a", "href") if value.starts_with('#') => {
                let name = percent_decode_str(&value[1..]).decode_utf8().ok().filter(|_| *anchors)?;
                on_page(&name).map(|name| format!("#{name}").into())
            }
            ("a", "href") if has_scheme(value) => names_a_host(value).then_some(value.into()),
            ("a", "href") => Some(address::file(registry, id, &file()?).into()),
            ("img", "src") => {
                let picture = file().filter(|file| is_picture(file))?;
                shown.lock().unwrap_or_else(PoisonError::into_inner).insert(picture.clone());
                Some(address::picture(registry, id, &picture).into())
            }
            ("img", "width" | "height") if !value.bytes().all(|byte| byte.is_ascii_digit()) => None,
            _ => Some(value.into()),
        }
    }
}

/// What of a relative address names a file.
fn file_of(address: &str) -> &str {
    address.split(['#', '?']).next().unwrap_or_default()
}

fn is_picture(file: &str) -> bool {
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    PICTURES.iter().any(|picture| ending.eq_ignore_ascii_case(picture))
}

/// What browsers leave out at the beginning of an address, and whether what follows is no relative address.
fn has_scheme(address: &str) -> bool {
    let address = address.trim_start_matches(|c: char| c <= ' ');
    address.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+.-\t\r\n".contains(c))
    })
}

/// Whether an address with a scheme is one of another host. `https:/-/x` and `https:x` are, to a browser, addresses of the host that the
/// page is from.
fn names_a_host(address: &str) -> bool {
    let Some((scheme, rest)) = address.split_once(':') else { return false };
    if scheme.eq_ignore_ascii_case("mailto") {
        return true;
    }
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let host = rest.strip_prefix("//").unwrap_or_default();
    is_web && host.starts_with(|c: char| !matches!(c, '/' | '\\') && !c.is_control() && !c.is_whitespace())
}

/// The path of a file that is named from `folder`, as in an address, if it is one below the package.
fn below(folder: &str, path: &str) -> Option<String> {
    if path.is_empty() || path.starts_with(['/', '\\']) || path.contains(['\\', ':']) {
        return None;
    }
    let mut parts: Vec<String> =
        folder.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    for part in path.split('/') {
        // An address spells out what a name has that means something in it.
        let part = percent_decode_str(part).decode_utf8().ok().filter(|part| !part.contains('/'))?;
        match &*part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part.to_owned()),
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
            "<h2 id=\"readme-str\">Str</h2>\n<p>Trims <em>text</em>. See <a href=\"/team/-/packages/acme/str/1.0.0/files/docs/guide.md\" rel=\"nofollow noopener noreferrer ugc\">how</a> and <a href=\"/team/-/packages/acme/str/1.0.0/files/LICENSE\" rel=\"nofollow noopener noreferrer ugc\">all</a>, or <a href=\"https://str.example/\" rel=\"nofollow noopener noreferrer ugc\">https://str.example/</a>.</p>\n"
        );
        let table =
            shown("| a |\n| - |\n| b |\n\n<details><summary>more</summary>\n\nhidden\n\n</details>\n");
        assert!(table.contains("<table>") && table.contains("<summary>more</summary>"), "{table}");
        let picture = shown("![a picture](https://img.example/x.png)");
        assert!(picture.contains(">a picture</a>") && !picture.contains("<img"), "{picture}");
    }

    #[test]
    fn links_within_a_text_lead_to_places_in_it_and_to_none_of_the_page() {
        let text = "# Der Über-Blick: `x`\n\n[a](#der-%C3%BCber-blick-x) <a href=\"#Top\">b</a> <a name=top id=main></a>\n\n# Twice\n\n# Twice\n\n[c](#) [d](#\"onclick=x)";
        let html = shown(text);
        for told in [
            "<h2 id=\"readme-der-über-blick-x\">",
            "<a href=\"#readme-der-über-blick-x\"",
            "<a href=\"#readme-top\"",
            "name=\"readme-top\"",
            "id=\"readme-main\"",
            "<h2 id=\"readme-twice\">",
            "<h2 id=\"readme-twice-1\">",
            "<a href=\"#readme-onclickx\"",
        ] {
            assert!(html.contains(told), "{told}: {html}");
        }
        assert!(html.contains("<a rel=\"nofollow noopener noreferrer ugc\">c</a>"), "{html}");
        let id = "acme/str 1.0.0".parse().unwrap();
        let beside = Readme::beside_others("team", &id, "docs.md", text).html;
        assert!(!beside.contains("id=") && !beside.contains("href") && !beside.contains("name="), "{beside}");
    }

    #[test]
    fn a_picture_that_is_not_shown_is_said_in_words() {
        for (written, told) in [
            (
                "<p><img src=https://img.example/x.svg alt='builds & passes'></p>",
                "<p>builds &amp; passes</p>",
            ),
            ("<a href=x.md><img src=x.svg alt=\"<b>\"></a>", ">&lt;b&gt;</a>"),
            ("<p><img src=//evil.example/x.png></p>", "<p></p>"),
            ("<p title=\"<img alt=x>\">y</p>", ">y</p>"),
        ] {
            let html = shown(written);
            assert!(html.contains(told) && !html.contains("src="), "{told}: {html}");
            assert!(written.contains("title") || !html.contains("<img"), "{html}");
        }
    }

    #[test]
    fn files_are_found_by_addresses_that_spell_their_names_out() {
        let link = shown("[a](a%20b%c3%a4.md) [b](%2e%2e/LICENSE)");
        assert!(link.contains("/files/docs/a%20b%C3%A4.md\"") && link.contains("/files/LICENSE\""), "{link}");
        for nowhere in ["[a](a%2fb.md)", "[a](%ff.md)", "[a](%2e%2e/%2e%2e/x)"] {
            assert!(!shown(nowhere).contains("href"), "{nowhere}");
        }
    }

    #[test]
    fn pictures_of_the_package_are_shown_and_none_from_elsewhere() {
        let shot = "/team/-/packages/acme/str/1.0.0/files/docs/a%20b.png?picture\"";
        for own in [
            "![s](a%20b.png)",
            "<img src=\"a%20b.png\" alt=s width=100 onerror=alert(1)>",
            "<p><img src='./a b.png'></p>",
        ] {
            let html = shown(own);
            assert!(html.contains(&format!("src=\"{shot}")) && !html.contains("onerror"), "{html}");
        }
        assert!(shown("[![s](a.png)](b.md)").contains("</a>"));
        for other in [
            "<img src=https://evil.example/x.png>",
            "<img src=//evil.example/x.png>",
            "<img src=/-/sign-out.png>",
            "<img src=x.svg>",
            "<img src=https:x.png>",
            "<img src=\"java\nscript:x.png\">",
            "<img srcset=https://evil.example/x.png>",
        ] {
            let html = shown(other);
            assert!(!html.contains("src"), "{other}\ngave {html}");
        }
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
            "<a href=\"https:/-/sign-out\">x</a>",
            "<a href=\" HTTPS:-/sign-out\">x</a>",
            "<a href=\"http:\\\\-/sign-out\">x</a>",
            "<a href=\"ht\ntps:/-/sign-out\">x</a>",
            "[x](https:/-/sign-out)",
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
                "src=",
                "sign-out",
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
                "id=\"m",
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
            "|".repeat(MAX_README),
            "|".repeat(20_000) + "\n" + &"|-".repeat(12_000),
            "|\n".repeat(20_000),
            "|a".repeat(500) + "\n" + &"|-".repeat(500) + "|\n" + &"|\n".repeat(20_000),
            "a|b\n-|-\n".repeat(6_000),
            "a|b\n-|-\n".to_owned() + &"c|d\n".repeat(10_000),
        ] {
            let began = std::time::Instant::now();
            let id = "acme/str 1.0.0".parse().unwrap();
            let readme = Readme::new("team", &id, "README.md", &text);
            assert!(readme.cut || text.len() <= MAX_README);
            assert!(readme.html.len() < 80 << 10, "{}", readme.html.len());
            let took = began.elapsed();
            assert!(took.as_millis() < 1_000, "{took:?}: {}", text.get(..40).unwrap_or_default());
        }
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
