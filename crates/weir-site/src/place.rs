//! Where in the folder a page is, by the address that it has on a server.

use percent_encoding::percent_decode_str;

/// The file of an address of a server that serves `registry`, as it is written in an address; nothing where a site has none.
pub(crate) fn file_of(registry: &str, address: &str) -> Option<String> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    if let Some(asset) = path.strip_prefix("/-/assets/") {
        return Some(format!("assets/{asset}"));
    }
    let rest = path.strip_prefix('/')?.strip_prefix(registry)?;
    if rest.is_empty() || rest == "/" {
        return Some("index.html".to_owned());
    }
    let rest = rest.strip_prefix("/-/")?;
    if rest == "search" {
        return Some(match query.strip_prefix("after=") {
            Some(after) if !after.contains('&') => {
                format!("search/after/{}/index.html", percent_decode_str(after).decode_utf8().ok()?)
            }
            _ if query.is_empty() => "search/index.html".to_owned(),
            _ => format!("search/index.html?{query}"),
        });
    }
    let package = rest.strip_prefix("packages/")?;
    match (package.split('/').count(), query) {
        (2, "") => Some(format!("packages/{package}/index.html")),
        (3, "") => Some(format!("packages/{package}/index.html")),
        (3, query) => Some(format!("packages/{package}/{}/index.html", build_of(query)?)),
        (5.., query) => picture(package, query),
        _ => None,
    }
}

/// The place of a picture that a README shows: of the files of releases, a site has no others.
fn picture(of: &str, query: &str) -> Option<String> {
    let query = query.strip_suffix("picture")?;
    let (release, path) = of.split_once("/files/").filter(|(release, _)| release.split('/').count() == 3)?;
    Some(match query.strip_suffix('&') {
        None if query.is_empty() => format!("packages/{release}/pictures/{path}"),
        None => return None,
        Some(build) => format!("packages/{release}/{}/pictures/{path}", build_of(build)?),
    })
}

/// What a build of a version is called, where it is not the usual one.
fn build_of(query: &str) -> Option<String> {
    let mut parts = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=')? {
            ("platform", platform) => parts.push(platform.to_owned()),
            ("revision", revision) => parts.push(format!("r{revision}")),
            _ => return None,
        }
    }
    Some(parts.join("-"))
}

/// The path of a file, out of the address that names it.
pub(crate) fn path_of(file: &str) -> Option<String> {
    let path = file.split('?').next().unwrap_or_default();
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let is_plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.split('/').all(is_plain).then(|| path.into_owned())
}

#[cfg(test)]
mod tests {
    use super::{file_of, path_of};

    #[test]
    fn pages_for_reading_have_a_file_and_no_others() {
        for (address, file) in [
            ("/team", "index.html"),
            ("/team/-/search", "search/index.html"),
            ("/team/-/search?kind=data", "search/index.html?kind=data"),
            ("/team/-/search?after=acme%2Fstr", "search/after/acme/str/index.html"),
            ("/team/-/packages/acme/str", "packages/acme/str/index.html"),
            ("/team/-/packages/acme/str/1.0.0%2Bx", "packages/acme/str/1.0.0%2Bx/index.html"),
            (
                "/team/-/packages/acme/str/1.0.0?platform=x86-64-debian-12&revision=2",
                "packages/acme/str/1.0.0/x86-64-debian-12-r2/index.html",
            ),
            ("/-/assets/a.css", "assets/a.css"),
            (
                "/team/-/packages/acme/str/1.0.0/files/docs/a%20b.png?picture",
                "packages/acme/str/1.0.0/pictures/docs/a%20b.png",
            ),
            (
                "/team/-/packages/acme/str/1.0.0/files/a.png?revision=2&picture",
                "packages/acme/str/1.0.0/r2/pictures/a.png",
            ),
        ] {
            assert_eq!(file_of("team", address).as_deref(), Some(file), "{address}");
        }
        for none in [
            "/",
            "/other",
            "/teams",
            "/-/sign-in",
            "/team/-/policy",
            "/team/-/log/1",
            "/team/-/packages/acme/str/1.0.0/files/a",
            "/team/-/packages/acme/str/1.0.0/files/a?raw",
            "/team/-/packages/acme/str/1.0.0/withdraw",
            "/team/-/packages/acme/str/1.0.0?raw",
        ] {
            assert_eq!(file_of("team", none), None, "{none}");
        }
        assert_eq!(path_of("a/b%20c.html?x"), Some("a/b c.html".into()));
        assert_eq!((path_of("a/%2e%2e/b"), path_of("a//b"), path_of("%ff")), (None, None, None));
    }
}
