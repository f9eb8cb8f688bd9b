//! Where pages are: every address, spelled in one place.
//!
//! Pages of a registry are below `/<registry>/-/`, those of the server below `/-/`: no owner, no file of a registry and no
//! registry has a name that begins with `-`.

use form_urlencoded::Serializer;
use weir_model::{PackageName, ReleaseId, Sha256, Version};

/// The page that says which registries there are.
pub const HOME: &str = "/";
/// Where somebody signs in.
pub const SIGN_IN: &str = "/-/sign-in";
/// Below this somebody goes to an identity provider, and comes back.
pub const SIGN_IN_WITH: &str = "/-/sign-in/with";
/// Where somebody says that a terminal is theirs.
pub const DEVICE: &str = "/-/device";
/// Where somebody signs out.
pub const SIGN_OUT: &str = "/-/sign-out";
/// One's own account: tokens.
pub const ACCOUNT: &str = "/-/account";
/// Where a token is made.
pub const NEW_TOKEN: &str = "/-/account/tokens";
/// Where a token is revoked.
pub const REVOKE_TOKEN: &str = "/-/account/tokens/revoke";
/// Where somebody signs in by an account of a provider no longer.
pub const UNLINK: &str = "/-/account/unlink";
/// What happened on the server.
pub const ACTIVITY: &str = "/-/activity";
/// Who there is.
pub const PEOPLE: &str = "/-/people";
/// Where somebody is invited.
pub const INVITE: &str = "/-/people/invite";
/// Where an invitation is taken back.
pub const UNINVITE: &str = "/-/people/uninvite";
/// Where a user is changed.
pub const CHANGE_USER: &str = "/-/people/change";
/// The programs that are trusted.
pub const TRUST: &str = "/-/trust";
/// Where one is trusted.
pub const ADD_TRUST: &str = "/-/trust/add";
/// Where one is trusted no longer.
pub const REMOVE_TRUST: &str = "/-/trust/remove";
/// Who is told what happens.
pub const WEBHOOKS: &str = "/-/webhooks";
/// How much the server is used, without a time.
pub const STATISTICS: &str = "/-/statistics";
/// Below this are stylesheet, script and icon.
pub const ASSETS: &str = "/-/assets";

/// Where somebody who was invited chooses a password.
pub fn accept(invitation: &str) -> String {
    with_query(SIGN_IN.to_owned(), &[("invitation", invitation)])
}

/// The page of a registry.
pub fn registry(registry: &str) -> String {
    format!("/{registry}")
}

/// Searching a registry, or looking through all of it.
pub fn search(registry: &str, query: &[(&str, &str)]) -> String {
    with_query(format!("/{registry}/-/search"), query)
}

/// The page of a package.
pub fn package(registry: &str, name: &PackageName) -> String {
    format!("/{registry}/-/packages/{name}")
}

/// The page of a version: of its newest build for any platform, or for the first.
pub fn version(registry: &str, name: &PackageName, version: &Version) -> String {
    format!("/{registry}/-/packages/{name}/{}", encoded(&version.to_string()))
}

/// The page of a release.
pub fn release(registry: &str, id: &ReleaseId) -> String {
    with_query(version(registry, &id.name, &id.version), &build_query(id))
}

/// A file of a release.
pub fn file(registry: &str, id: &ReleaseId, path: &str) -> String {
    let path: Vec<String> = path.split('/').map(encoded).collect();
    let file = format!("{}/files/{}", version(registry, &id.name, &id.version), path.join("/"));
    with_query(file, &build_query(id))
}

/// The bytes of a file of a release, to be kept.
pub fn raw_file(registry: &str, id: &ReleaseId, path: &str) -> String {
    asking_too(&file(registry, id, path), "raw")
}

/// A file of a release, as a picture that a page shows.
pub fn picture(registry: &str, id: &ReleaseId, path: &str) -> String {
    asking_too(&file(registry, id, path), "picture")
}

/// A document about the build of a release.
pub fn evidence(registry: &str, id: &ReleaseId, sha256: &Sha256) -> String {
    let document = format!("{}/evidence/{}", version(registry, &id.name, &id.version), sha256.to_hex());
    with_query(document, &build_query(id))
}

/// The bytes of a document about the build of a release, to be kept.
pub fn raw_evidence(registry: &str, id: &ReleaseId, sha256: &Sha256) -> String {
    asking_too(&evidence(registry, id, sha256), "raw")
}

/// What a version reaches.
pub fn impact(registry: &str, name: &PackageName, version: &Version) -> String {
    format!("{}/impact", self::version(registry, name, version))
}

/// What a release needs, or what needs it, as a drawing of some size in hundredths.
pub fn graph(registry: &str, id: &ReleaseId, reaches: bool, zoom: Option<usize>) -> String {
    let mut query = build_query(id);
    if reaches {
        query.push(("of", "dependents".to_owned()));
    }
    query.extend(zoom.filter(|zoom| *zoom != 100).map(|zoom| ("zoom", zoom.to_string())));
    with_query(format!("{}/graph", version(registry, &id.name, &id.version)), &query)
}

/// What the modules of a release offer, of one or of the first.
pub fn modules(registry: &str, id: &ReleaseId, module: Option<&str>) -> String {
    let mut query = build_query(id);
    query.extend(module.map(|module| ("module", module.to_owned())));
    with_query(format!("{}/modules", version(registry, &id.name, &id.version)), &query)
}

/// Where it is asked how a version differs from another.
pub fn version_difference(registry: &str, id: &ReleaseId) -> String {
    format!("{}/difference", version(registry, &id.name, &id.version))
}

/// How a release differs from the one before.
pub fn newest_difference(registry: &str, id: &ReleaseId) -> String {
    with_query(version_difference(registry, id), &build_query(id))
}

/// How a release differs from another version of its package, in all or in one file.
pub fn difference(registry: &str, id: &ReleaseId, with: &Version, file: Option<&str>) -> String {
    let mut query = build_query(id);
    query.push(("with", with.to_string()));
    query.extend(file.map(|file| ("file", file.to_owned())));
    with_query(version_difference(registry, id), &query)
}

/// Where a release is withdrawn, or taken back.
pub fn withdraw(registry: &str, id: &ReleaseId) -> String {
    with_query(format!("{}/withdraw", version(registry, &id.name, &id.version)), &build_query(id))
}

/// An entry of the log, with its proof.
pub fn entry(registry: &str, index: u64) -> String {
    format!("/{registry}/-/log/{index}")
}

/// The proof of an entry, as a file.
pub fn proof(registry: &str, index: u64) -> String {
    format!("/{registry}/-/log/{index}/proof")
}

/// The policy of a registry.
pub fn policy(registry: &str) -> String {
    format!("/{registry}/-/policy")
}

/// Where a changed policy set is simulated.
pub fn simulate_policy(registry: &str) -> String {
    format!("{}/simulate", policy(registry))
}

/// Where a policy set is put in force.
pub fn set_policy(registry: &str) -> String {
    format!("{}/set", policy(registry))
}

/// How much a registry is used, in so many days.
pub fn statistics(registry: &str, days: u32) -> String {
    with_query(format!("/{registry}/-/statistics"), &[("days", days.to_string())])
}

/// How much the server is used, in so many days.
pub fn server_statistics(days: u32) -> String {
    with_query(STATISTICS.to_owned(), &[("days", days.to_string())])
}

/// What waits for a decision in a registry.
pub fn queue(registry: &str) -> String {
    format!("/{registry}/-/queue")
}

/// Where a release that is held is admitted.
pub fn admit(registry: &str) -> String {
    format!("{}/admit", queue(registry))
}

/// Where a promotion is approved.
pub fn approve(registry: &str) -> String {
    format!("{}/approve", queue(registry))
}

/// Where a promotion is refused, or taken back.
pub fn refuse(registry: &str) -> String {
    format!("{}/refuse", queue(registry))
}

/// Who is told what happens by this name, and how that goes.
pub fn webhook(name: &str) -> String {
    format!("{WEBHOOKS}/{name}")
}

/// Where `what` is done to it.
pub(crate) fn change_webhook(name: &str, what: &str) -> String {
    format!("{}/{what}", webhook(name))
}

/// Signing in, and back to where somebody was.
pub fn sign_in(back: &str) -> String {
    with_query(SIGN_IN.to_owned(), &[("back", back)])
}

/// The page with the form that is sent to an address: whoever has to sign in first comes back to it, and not to where only forms are sent.
pub fn page_of_form(path: &str) -> &str {
    let path = path.split('?').next().unwrap_or_default();
    if path.starts_with(NEW_TOKEN) {
        return ACCOUNT;
    }
    if matches!(path, SIGN_IN | DEVICE | WEBHOOKS) || path.starts_with(SIGN_IN_WITH) {
        return path;
    }
    match path.rsplit_once('/') {
        Some((above, _)) if !above.is_empty() && !above.ends_with("/-") => above,
        _ => HOME,
    }
}

/// Signing in by an identity provider.
pub fn sign_in_with(provider: &str) -> String {
    format!("{SIGN_IN_WITH}/{provider}")
}

/// Saying that a terminal is one's own, which shows a code.
pub fn device(code: Option<&str>) -> String {
    let query: Vec<(&str, &str)> = code.map(|code| ("code", code)).into_iter().collect();
    with_query(DEVICE.to_owned(), &query)
}

/// What has to be said beside a version to mean this build of it.
pub(crate) fn build_query(id: &ReleaseId) -> Vec<(&'static str, String)> {
    let mut query = Vec::new();
    if !id.platform.is_any() {
        query.push(("platform", id.platform.to_string()));
    }
    if id.revision > 0 {
        query.push(("revision", id.revision.to_string()));
    }
    query
}

/// An address with what is asked of it.
pub(crate) fn with_query(address: String, query: &[(&str, impl AsRef<str>)]) -> String {
    if query.is_empty() {
        return address;
    }
    let begins = address.len() + 1;
    let mut pairs = Serializer::for_suffix(address + "?", begins);
    for (name, value) in query {
        pairs.append_pair(name, value.as_ref());
    }
    pairs.finish()
}

/// An address that asks for one thing more, without a value.
fn asking_too(address: &str, name: &str) -> String {
    let joint = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joint}{name}")
}

/// A part of a path, with every byte spelled out that could mean something else.
fn encoded(part: &str) -> String {
    let mut spelled = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'+' => {
                spelled.push(char::from(byte));
            }
            byte => spelled.push_str(&format!("%{byte:02X}")),
        }
    }
    spelled
}

#[cfg(test)]
mod tests {
    use weir_model::ReleaseId;

    use super::{ACCOUNT, ACTIVITY, DEVICE, PEOPLE, STATISTICS, TRUST, WEBHOOKS, page_of_form};

    #[test]
    fn a_form_is_on_the_page_above_where_it_is_sent() {
        for (sent_to, page) in [
            ("/org/-/packages/acme/str/1.0.0/withdraw?platform=any", "/org/-/packages/acme/str/1.0.0"),
            ("/org/-/queue/admit", "/org/-/queue"),
            ("/org/-/policy/set", "/org/-/policy"),
            ("/-/people/invite", PEOPLE),
            ("/-/account/tokens", ACCOUNT),
            ("/-/account/tokens/revoke", ACCOUNT),
            ("/-/webhooks", WEBHOOKS),
            ("/-/webhooks/chat/change", "/-/webhooks/chat"),
            ("/-/device", DEVICE),
            ("/-/sign-out", "/"),
            ("/", "/"),
        ] {
            assert_eq!(page_of_form(sent_to), page, "{sent_to}");
        }
    }

    #[test]
    fn the_guide_names_every_page_of_a_server() {
        let guide = include_str!("../../../docs/guide/web.md");
        for page in [ACCOUNT, ACTIVITY, DEVICE, PEOPLE, STATISTICS, TRUST, WEBHOOKS] {
            assert!(guide.contains(&format!("| `{page}` |")), "{page}");
        }
        let of_registry = ["policy", "queue", "statistics", "search?q=words", "log/17"];
        for page in of_registry.map(|page| format!("`/team/-/{page}`")) {
            assert!(guide.contains(&page), "{page}");
        }
        for page in
            ["graph", "impact", "modules", "difference"].map(|page| format!("`…/acme/greet/1.0.0/{page}`"))
        {
            assert!(guide.contains(&page) || guide.contains(&page.replace("greet", "texts")), "{page}");
        }
    }

    #[test]
    fn a_build_is_meant_by_what_differs_from_the_usual() {
        let id: ReleaseId = "acme/str 1.0.0-rc.1".parse().unwrap();
        assert_eq!(super::release("team", &id), "/team/-/packages/acme/str/1.0.0-rc.1");
        let id: ReleaseId = "base/sum 1.0.0 x86-64-debian-12 revision 2".parse().unwrap();
        assert_eq!(
            super::raw_file("team", &id, "a b/ä?.h"),
            "/team/-/packages/base/sum/1.0.0/files/a%20b/%C3%A4%3F.h?platform=x86-64-debian-12&revision=2&raw"
        );
    }
}
