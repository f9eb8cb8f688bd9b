//! What somebody does on the pages of a server who has signed in, and what nobody does in their name.

use std::marker::PhantomData;
use std::net::SocketAddr;

use weir_testkit::{Reply, Sandbox, WeirServer};

use crate::empty;

const BROWSER: &str = "Accept: text/html";

/// The password of the administrator `ann` in tests.
const PASSWORD: &str = "correct+horse";

/// A browser: what it keeps of cookies.
pub(crate) struct Browser<'server> {
    address: SocketAddr,
    server: PhantomData<&'server WeirServer>,
    cookies: Vec<(String, String)>,
}

impl<'server> Browser<'server> {
    pub(crate) fn new(server: &'server WeirServer) -> Self {
        Self::at(server.address())
    }

    /// One that looks at what a server shows that another program runs.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { address, server: PhantomData, cookies: Vec::new() }
    }

    /// One in which `ann` has signed in.
    pub(crate) fn of_ann(server: &'server WeirServer) -> Self {
        let mut browser = Self::new(server);
        browser.sign_in("ann", PASSWORD);
        browser
    }

    /// Has somebody sign in by their password.
    pub(crate) fn sign_in(&mut self, name: &str, password: &str) {
        self.get("/-/sign-in");
        let reply = self.send("/-/sign-in", "/-/sign-in", &format!("name={name}&password={password}"));
        assert_eq!((reply.status, reply.header("location")), (303, Some("/")), "{}", reply.text());
    }

    /// One that has the secret of somebody who has signed in.
    pub(crate) fn signed_in_by(server: &'server WeirServer, secret: &str) -> Self {
        Self { cookies: vec![("weir".to_owned(), secret.to_owned())], ..Self::new(server) }
    }

    /// One that has kept what another kept.
    pub(crate) fn with_cookies(server: &'server WeirServer, cookies: &[(String, String)]) -> Self {
        Self { cookies: cookies.to_vec(), ..Self::new(server) }
    }

    pub(crate) fn cookies_kept(&self) -> Vec<(String, String)> {
        self.cookies.clone()
    }

    fn cookie(&self) -> String {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("Cookie: {}", pairs.join("; "))
    }

    pub(crate) fn get(&mut self, path: &str) -> Reply {
        let reply = Reply::to(self.address, "GET", path, &[BROWSER, &self.cookie()], &[]);
        self.keep(&reply);
        reply
    }

    pub(crate) fn page(&mut self, path: &str) -> String {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text()
    }

    /// Sends a form from the page `from`, with what is hidden in it.
    pub(crate) fn send(&mut self, from: &str, to: &str, fields: &str) -> Reply {
        let html = self.get(from).text();
        self.post(to, &filled_in(&html, to, fields), &[])
    }

    /// Sends a form as [`Browser::send`] does, and gives the page that comes after it.
    pub(crate) fn done(&mut self, from: &str, to: &str, fields: &str) -> String {
        let reply = self.send(from, to, fields);
        assert_eq!(reply.status, 303, "{to}: {}", reply.text());
        let next = reply.header("location").expect("it leads on").to_owned();
        self.page(&next)
    }

    pub(crate) fn post(&mut self, to: &str, body: &str, headers: &[&str]) -> Reply {
        let cookie = self.cookie();
        let mut lines = vec![BROWSER, "Content-Type: application/x-www-form-urlencoded", &cookie];
        lines.extend(headers);
        let reply = Reply::to(self.address, "POST", to, &lines, body.as_bytes());
        self.keep(&reply);
        reply
    }

    fn keep(&mut self, reply: &Reply) {
        for line in reply.head.split("\r\n") {
            let Some((_, cookie)) = line.split_once("set-cookie: ") else { continue };
            let (name, value) =
                cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("it is one");
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    pub(crate) fn secret(&self) -> &str {
        let session = self.cookies.iter().find(|(name, _)| name == "weir");
        session.map(|(_, value)| value.as_str()).unwrap_or_default()
    }
}

/// The fields of a form as they are sent: what was typed, and what every form hides, of the one on the page that is about that.
pub(crate) fn filled_in(html: &str, to: &str, fields: &str) -> String {
    let typed: Vec<(String, String)> = fields
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect();
    let is_about = |form: &&str| {
        let forms = form.split("<input type=\"hidden\" name=\"").skip(1);
        let hides: Vec<(&str, &str)> = forms
            .filter_map(|input| {
                let (name, rest) = input.split_once("\" value=\"")?;
                Some((name, rest.split('"').next()?))
            })
            .collect();
        let agrees =
            |(name, value): &(&str, &str)| typed.iter().all(|(known, given)| known != name || given == value);
        form.contains(&format!("action=\"{to}\"")) && hides.iter().all(agrees)
    };
    let forms = html.split("<form").skip(1).filter_map(|form| form.split("</form>").next());
    let form = forms.into_iter().find(is_about).unwrap_or(html);
    let seen = hidden(form, "seen");
    let seen = if seen.is_empty() || form == html { String::new() } else { format!("&seen={seen}") };
    format!("form={}{seen}&{fields}", hidden(html, "form"))
}

/// What a form said that sent this.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let both = digit(rest.next()).zip(digit(rest.next()));
                bytes.extend(both.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()));
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) fn hidden(html: &str, name: &str) -> String {
    let (_, after) = html.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or(("", ""));
    after.split('"').next().unwrap_or_default().to_owned()
}

/// A text as a form sends it.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(plain).collect()
}

/// A server with the registry `team` and `acme/str` in it.
fn served(t: &Sandbox) -> WeirServer {
    let server = WeirServer::with_team(t, &[]);
    t.package("acme/str", "1.0.0").file("str.sh", "trim() { :; }\n").publish();
    server
}

const RELEASE: &str = "/team/-/packages/acme/str/1.0.0";

#[test]
fn who_signs_in_has_a_secret_that_only_pages_know_until_they_sign_out() {
    let t = empty();
    let server = served(&t);
    let mut browser = Browser::new(&server);
    let begun = browser.get("/-/sign-in?back=/team/-/search?q%3Dstr");
    assert!(begun.text().contains("value=\"/team/-/search?q=str\""), "{}", begun.text());
    let signed_in = browser.send(
        "/-/sign-in",
        "/-/sign-in",
        &format!("name=ann&password={PASSWORD}&back=/team/-/search?q%3Dstr"),
    );
    assert_eq!((signed_in.status, signed_in.header("location")), (303, Some("/team/-/search?q=str")));
    let cookie = signed_in
        .head
        .split("\r\n")
        .find(|line| line.starts_with("set-cookie: weir="))
        .expect("there is one");
    for wanted in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(wanted), "{cookie}");
    }
    let reply = browser.get("/team");
    assert!(reply.text().contains(">ann</a>"), "{}", reply.text());
    assert_eq!(reply.header("cache-control"), Some("private, no-store"));
    assert_eq!(
        server.ask("GET", "/api/v1/whoami", &[&browser.cookie()]).status,
        401,
        "the API knows no cookie"
    );

    let secret = browser.secret().to_owned();
    let signed_out = browser.send("/", "/-/sign-out", "");
    assert_eq!((signed_out.status, browser.secret()), (303, ""));
    let stolen = server.ask("GET", "/", &[BROWSER, &format!("Cookie: weir={secret}")]);
    assert!(stolen.text().contains("Sign in"), "what was kept of it is good no longer");
}

#[test]
fn the_first_administrator_follows_the_link_that_the_server_says() {
    let t = empty();
    let server = WeirServer::start(&t, "data", &[]);
    let link = format!("/-/sign-in?invitation={}", server.invitation().expect("nobody governs it yet"));
    assert_eq!(server.invitation_link(), Some(format!("{}{link}", server.url()).as_str()));
    let mut browser = Browser::new(&server);
    assert!(browser.get(&link).text().contains("<details class=\"invited\" open>"));
    let invitation = server.invitation().expect("nobody governs it yet");
    let accept = |password: &str| format!("invitation={invitation}&name=ann&password={password}");
    let short = browser.send(&link, "/-/sign-in", &accept("short"));
    assert!(
        short.text().contains(&format!("value=\"{invitation}\"")),
        "it need not be typed again: {}",
        short.text()
    );
    let accepted = browser.send(&link, "/-/sign-in", &accept(PASSWORD));
    assert_eq!((accepted.status, accepted.header("location")), (303, Some("/")));
    assert_eq!(browser.get("/-/people").status, 200, "only administrators see it");

    let mut late = Browser::new(&server);
    let refused = late.send(&link, "/-/sign-in", &accept(PASSWORD));
    assert!(refused.text().contains("it was used already"), "{}", refused.text());
}

#[test]
fn behind_tls_a_browser_takes_the_cookie_from_this_host_alone_and_sends_it_encrypted() {
    let t = empty();
    let server = WeirServer::start(&t, "data", &[("WEIR_SERVER_TRUSTED_PROXIES", "127.0.0.0/8")]);
    let reply = server.ask("GET", "/-/sign-in", &[BROWSER, "X-Forwarded-Proto: https"]);
    let cookie = reply.header("set-cookie").expect("there is one");
    assert!(cookie.starts_with("__Host-weir-form=") && cookie.contains("; Secure"), "{cookie}");
}

#[test]
fn a_wrong_password_is_told_and_nobody_is_led_elsewhere() {
    let t = empty();
    let server = served(&t);
    let mut browser = Browser::new(&server);
    browser.get("/-/sign-in");
    let wrong = browser.send("/-/sign-in", "/-/sign-in", "name=ann&password=guessed-it");
    assert_eq!((wrong.status, browser.secret()), (401, ""));
    assert!(wrong.text().contains("the name or the password is wrong"), "{}", wrong.text());
    for elsewhere in ["https://evil.example/", "//evil.example", "/%5Cevil.example", "/%0d%0aSet-Cookie:x=y"]
    {
        let mut browser = Browser::new(&server);
        let fields = format!("name=ann&password={PASSWORD}&back={elsewhere}");
        browser.get("/-/sign-in");
        let reply = browser.send("/-/sign-in", "/-/sign-in", &fields);
        assert_eq!((reply.status, reply.header("location")), (303, Some("/")), "{elsewhere}");
    }
}

#[test]
fn signing_in_makes_another_secret_and_ends_the_one_before() {
    let t = empty();
    let server = served(&t);
    let mut browser = Browser::of_ann(&server);
    let before = browser.secret().to_owned();
    let form = hidden(&browser.page("/"), "form");
    let again = browser.post("/-/sign-in", &format!("form={form}&name=ann&password={PASSWORD}"), &[]);
    assert_eq!(again.status, 303);
    assert_ne!(browser.secret(), before);
    let old = server.ask("GET", "/-/account", &[BROWSER, &format!("Cookie: weir={before}")]);
    assert_eq!(old.status, 401);
    let two = format!("Cookie: weir={}; weir={before}", browser.secret());
    assert_eq!(server.ask("GET", "/-/account", &[BROWSER, &two]).status, 401, "of two, one may be another's");
}

#[test]
fn no_other_page_acts_for_whoever_has_signed_in() {
    let t = empty();
    let server = served(&t);
    let mut browser = Browser::of_ann(&server);
    let page = browser.page(RELEASE);
    let form = hidden(&page, "form");
    let withdraw = format!("{RELEASE}/withdraw");
    let body = format!("seen={}&verb=yank&reason=because", hidden(&page, "seen"));
    let body = body.as_str();
    let mine = format!("form={form}&{body}");
    let other = Browser::new(&server).get("/-/sign-in").text();
    let others = format!("form={}&{body}", hidden(&other, "form"));
    for (body, header) in [
        (body, "X-Nothing: 1"),
        ("form=&verb=yank&reason=because", "X-Nothing: 1"),
        (others.as_str(), "X-Nothing: 1"),
        (mine.as_str(), "Sec-Fetch-Site: cross-site"),
        (mine.as_str(), "Sec-Fetch-Site: same-site"),
        (mine.as_str(), "Origin: https://evil.example"),
        (mine.as_str(), "Origin: null"),
    ] {
        let reply = browser.post(&withdraw, body, &[header]);
        assert_eq!(reply.status, 403, "{body} {header}: {}", reply.text());
    }
    let cookie = browser.cookie();
    let plain =
        server.say("POST", &withdraw, &[BROWSER, &cookie, "Content-Type: text/plain"], mine.as_bytes());
    assert_eq!(plain.status, 403);
    assert_eq!(server.ask("GET", &format!("{withdraw}?{mine}"), &[BROWSER, &cookie]).status, 405);
    assert!(!browser.page(RELEASE).contains("yanked"), "nothing was done");
    let nobody = server.say(
        "POST",
        &withdraw,
        &[BROWSER, "Content-Type: application/x-www-form-urlencoded"],
        mine.as_bytes(),
    );
    assert_eq!(nobody.status, 401);
    let good =
        browser.post(&withdraw, &mine, &["Sec-Fetch-Site: same-origin", "Origin: http://registry.example"]);
    assert_eq!((good.status, good.header("location")), (303, Some(RELEASE)), "{}", good.text());
    assert!(browser.page(RELEASE).contains("because"));
}

#[test]
fn a_curator_withdraws_releases_with_a_reason_and_sees_who_did_what() {
    let t = empty();
    let server = served(&t);
    let mut browser = Browser::of_ann(&server);
    let withdraw = format!("{RELEASE}/withdraw");
    let silent = browser.send(RELEASE, &withdraw, "verb=quarantine&reason=++");
    assert_eq!(silent.status, 422);
    assert!(silent.text().contains("Say why"), "{}", silent.text());
    assert_eq!(browser.send(RELEASE, &withdraw, "verb=quarantine&reason=a+stolen+key").status, 303);
    let page = browser.page(RELEASE);
    assert!(page.contains("a stolen key") && page.contains("value=\"unquarantine\""), "{page}");
    assert!(!page.contains("value=\"yank\""), "{page}");
    let info = t.weir_in("", "info acme/str@1.0.0").stdout;
    assert!(info.contains("quarantined") && info.contains("by user:ann: a stolen key"), "{info}");
    assert_eq!(browser.send(RELEASE, &withdraw, "verb=unquarantine&reason=").status, 303);

    let activity = browser.page("/-/activity?about=acme/str");
    for wanted in [
        "<strong>quarantined</strong> acme/str 1.0.0",
        "a stolen key",
        "unquarantined",
        "owner-claim",
        "published",
    ] {
        assert!(activity.contains(wanted), "{wanted}: {activity}");
    }
    let table = browser.get("/-/activity?about=acme/str&table=csv");
    assert_eq!(table.header("content-disposition"), Some("attachment; filename=\"activity.csv\""));
    assert!(
        table.text().starts_with("id,at,actor,") && table.text().contains(",acme/str 1.0.0,true,"),
        "{}",
        table.text()
    );
    assert!(browser.page("/-/activity?refused=on&about=none").contains("Nothing like that has happened"));
}

#[test]
fn a_token_is_shown_once_does_what_it_was_made_for_and_is_revoked() {
    let t = empty();
    let server = served(&t);
    let mut browser = Browser::of_ann(&server);
    let fields = "name=ci&verb=publish&registry=team&names=acme&days=30";
    let text = browser.done("/-/account", "/-/account/tokens", fields);
    let secret = text
        .split("<code class=\"secret\">")
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .expect("it is shown");
    assert!(text.contains("publish of acme at team"), "{text}");
    assert!(browser.page("/-/account").contains(secret), "whoever loads the page again has it still");
    browser.page("/");
    assert!(!browser.page("/-/account").contains(secret), "and never again, once they went on");
    let bearer = format!("Authorization: Bearer {secret}");
    assert_eq!(server.ask("GET", "/api/v1/whoami", &[&bearer]).status, 200);
    let by_it = server.ask("GET", "/-/account", &[BROWSER, &format!("Cookie: weir={secret}")]);
    assert_eq!(by_it.status, 401, "a token for a program is no session");
    let page = server.ask("GET", RELEASE, &[BROWSER, &format!("Cookie: weir={secret}")]).text();
    assert!(page.contains("Sign in") && !page.contains("What becomes of it"), "{page}");
    let account = browser.page("/-/account");
    for days in ["0", "367", "99999999999", "soon"] {
        let refused = browser.send("/-/account", "/-/account/tokens", &format!("name=long&days={days}"));
        assert_eq!(refused.status, 422, "{days}");
    }
    // Which field, and what is wanted there.
    for (fields, told) in [
        ("name=long&days=soon", "The field <code>days</code>: <code>soon</code> is no number of days"),
        ("name=long&days=30&verb=fly", "The field <code>verb</code>: "),
        ("name=long&days=30&names=a/b/c", "The field <code>names</code>: "),
    ] {
        let refused = browser.send("/-/account", "/-/account/tokens", fields).text();
        assert!(refused.contains(told), "{fields}: {refused}");
    }
    // What is to narrow it down and names nothing does not leave it as strong as it can be.
    let refused = browser.send("/-/account", "/-/account/tokens", "name=long&days=30&names=%2C+%2C");
    assert_eq!(refused.status, 422);
    let id = hidden(&account, "which");
    assert_eq!(browser.send("/-/account", "/-/account/tokens/revoke", &format!("which={id}")).status, 303);
    assert_eq!(server.ask("GET", "/api/v1/whoami", &[&bearer]).status, 401);
}

#[test]
fn an_administrator_invites_somebody_who_then_sees_what_is_theirs_and_no_more() {
    let t = empty();
    let server = served(&t);
    let mut ann = Browser::of_ann(&server);
    let text = ann.done("/-/people", "/-/people/invite", "name=bob&groups=");
    // What it is, and what to do with it: a link for a browser, a command for a terminal.
    let shown = |which: usize| text.split("<code class=\"secret\">").nth(which).unwrap_or_default();
    let (link, command) = (shown(1), shown(2));
    assert!(link.starts_with("http://registry.example/-/sign-in?invitation=weir_"), "{text}");
    assert!(
        command.starts_with("weir login http://registry.example --user bob --invitation weir_"),
        "{text}"
    );
    let secret = link.split(['=', '<']).nth(1).expect("it is shown");
    ann.send("/-/people", "/-/people/invite", "name=eve&groups=team");
    let people = ann.page("/-/people");
    let (_, of_eve) =
        people.split_once("<td>eve</td><td data-is=\"groups\">team</td>").expect("who is invited is listed");
    let which = hidden(of_eve, "which");
    assert_eq!(ann.send("/-/people", "/-/people/uninvite", &format!("which={which}")).status, 303);
    assert!(!ann.page("/-/people").contains("<td>eve</td>"), "and is not, once that was taken back");
    assert_eq!(ann.send("/-/people", "/-/people/uninvite", &format!("which={which}")).status, 404);
    let mut bob = Browser::new(&server);
    bob.get("/-/sign-in");
    let accepted =
        bob.send("/-/sign-in", "/-/sign-in", &format!("invitation={secret}&name=&password=bobs+password"));
    assert_eq!(accepted.status, 303, "{}", accepted.text());
    assert!(bob.page("/").contains(">bob</a>"));
    for (path, status) in [("/-/people", 403), ("/-/activity", 403), ("/-/account", 200)] {
        assert_eq!(bob.get(path).status, status, "{path}");
    }
    assert!(!bob.page("/").contains("/-/people"));
    let mut stranger = Browser::new(&server);
    assert_eq!(stranger.get("/-/people").status, 401);
    assert!(stranger.get("/-/people").header("www-authenticate").is_none(), "no box of the browser's own");

    assert_eq!(
        ann.send("/-/people", "/-/people/change", "name=bob&what=groups&groups=team,+readers").status,
        303
    );
    assert!(ann.page("/-/people").contains("value=\"readers, team\""));
    assert_eq!(ann.send("/-/people", "/-/people/change", "name=bob&what=disable").status, 303);
    assert!(bob.page("/").contains("Sign in"), "who is disabled is signed in no longer");
}

#[test]
fn what_a_policy_says_is_asked_on_its_page() {
    let t = empty();
    let server = WeirServer::with_team(&t, &[]);
    t.weir_in("", "registry create pub --policy open").succeeds();
    let mut browser = Browser::of_ann(&server);
    let page = browser.page("/pub/-/policy?who=user:eve&verb=quarantine&what=acme/str@1.0.0");
    assert!(page.contains("<strong>No</strong>"), "{page}");
    assert!(page.contains("would permit it, if this held"), "{page}");
    assert!(page.contains("permit ("), "its text in Cedar: {page}");
    // Who is asked for is in the groups that the server has them in; where nobody is named, it is about who asks.
    for who in ["", "user:ann"] {
        let page = browser.page(&format!("/pub/-/policy?who={who}&verb=govern&what="));
        assert!(page.contains("<strong>Yes</strong>"), "{who}: {page}");
    }
    let page = browser.page("/pub/-/policy?who=eve&verb=yank&what=acme/str");
    assert!(!page.contains("<strong>No</strong>") && !page.contains("<strong>Yes</strong>"), "{page}");
    let stranger = Browser::new(&server).page("/pub/-/policy?who=user:eve&verb=read");
    assert!(stranger.contains("to see the rules") && !stranger.contains("permit ("), "{stranger}");
}
