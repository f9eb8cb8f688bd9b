//! A page of a server, as a file that may be anywhere: addresses of its own server are relative, and those of pages that a site does not
//! have are none. A picture that a site does not have is what is said in its place.

use std::collections::BTreeSet;

use weir_web::tags::{attribute, end_of_tag, said_instead};

use crate::place::file_of;

/// Attributes that name an address.
const ADDRESSES: [&str; 4] = ["href", "src", "action", "formaction"];

/// Rewrites the addresses of a page that is the file `at` of the site of `registry`, which has these `pictures`.
pub(crate) fn relative(html: &str, registry: &str, at: &str, pictures: &BTreeSet<String>) -> String {
    let up = "../".repeat(at.matches('/').count());
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    // Text has no `<` of its own: what begins so is a tag.
    while let Some(begin) = rest.find('<') {
        out.push_str(&rest[..begin]);
        let end = end_of_tag(&rest[begin..]);
        let found = &rest[begin..begin + end];
        match found.strip_prefix("<img ").map(|picture| attribute(picture, "src")) {
            Some(src) if !is_there(src, registry, pictures) => out.push_str(&said_instead(found)),
            _ => tag(found, registry, &up, &mut out),
        }
        rest = &rest[begin + end..];
    }
    out.push_str(rest);
    out
}

/// Whether the site has what a picture shows.
fn is_there(src: &str, registry: &str, pictures: &BTreeSet<String>) -> bool {
    file_of(registry, &plain(src)).is_some_and(|file| pictures.contains(&file))
}

/// An address without what stands for its characters in HTML.
fn plain(address: &str) -> String {
    address.replace("&#38;", "&").replace("&amp;", "&")
}

fn tag(tag: &str, registry: &str, up: &str, out: &mut String) {
    let mut rest = tag;
    while let Some(equals) = rest.find("=\"") {
        let value = &rest[equals + 2..];
        let Some(end) = value.find('"') else { break };
        let (before, value, after) = (&rest[..equals], &value[..end], &value[end + 1..]);
        let name = before.rsplit(|c: char| c.is_ascii_whitespace()).next().unwrap_or_default();
        let is_own = ADDRESSES.contains(&name) && value.starts_with('/');
        if !is_own {
            out.push_str(&rest[..equals + 2 + end + 1]);
        } else if let Some(file) = file_of(registry, &plain(value)) {
            out.push_str(before);
            out.push_str(&format!("=\"{up}{}\"", file.replace('&', "&amp;")));
        } else {
            // Without its address, it leads nowhere.
            out.push_str(before[..before.len() - name.len()].trim_end());
        }
        rest = after;
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::relative;

    #[test]
    fn addresses_of_the_server_are_relative_or_gone_and_nothing_else_is_touched() {
        let pictures = BTreeSet::from(["packages/acme/str/1.0.0/pictures/a.png".to_owned()]);
        let page = |html: &str| relative(html, "team", "packages/acme/str/index.html", &pictures);
        let picture = |name: &str| {
            format!("<img src=\"/team/-/packages/acme/str/1.0.0/files/{name}?picture\" alt=\"a &lt; <b\">")
        };
        assert_eq!(
            page(&picture("a.png")),
            "<img src=\"../../../packages/acme/str/1.0.0/pictures/a.png\" alt=\"a &lt; <b\">"
        );
        assert_eq!(page(&picture("b.png")), "a &lt; &lt;b", "what a site does not have is said");
        assert_eq!(page("<img alt=\"x\">"), "x");
        assert_eq!(
            page("<a class=\"x\" href=\"/team\">up</a>"),
            "<a class=\"x\" href=\"../../../index.html\">up</a>"
        );
        assert_eq!(page("<a href=\"/team/-/log/1\" title=\"a > b\">1</a>"), "<a title=\"a > b\">1</a>");
        assert_eq!(
            page("<a href=\"/team/-/search?kind=data&#38;owner=a\">d</a>"),
            "<a href=\"../../../search/index.html?kind=data&amp;owner=a\">d</a>"
        );
        for same in [
            "<a href=\"https://str.example/team\">x</a>",
            "<a href=\"#main\">x</a>",
            "<code>href=\"/team\" &lt;a href=\"/team\"&gt;</code>",
            "<p title=\"href=\">x</p>",
        ] {
            assert_eq!(page(same), same);
        }
    }
}
