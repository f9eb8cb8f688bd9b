//! A registry of an organisation that has an authority of its own, over `https`.

use insta::assert_snapshot;
use weir_testkit::{Authority, Identity, Sandbox, TlsServer};

use crate::greeting;

/// A registry over `https`, a project that uses it, and the authority's certificate in `ca.pem`.
fn site(identity: impl FnOnce(&Authority) -> Identity) -> (Sandbox, TlsServer) {
    let t = greeting();
    let authority = Authority::new("an organisation");
    t.write("ca.pem", authority.pem());
    let server = TlsServer::serve(t.path("org"), identity(&authority)).expect("a port is free");
    t.weir_in("", "registry remove org").succeeds();
    t.weir_in("", &format!("registry add web {} --default", server.url())).succeeds();
    t.project(&["acme/str = ^1"]);
    (t, server)
}

/// Has the user trust the authority, as the reference says.
fn trust(t: &Sandbox) {
    let config = "home/weir/config.toml";
    let text = format!("{}\n[http]\nca-file = \"../../ca.pem\"\n", t.read(config));
    t.write(config, text);
}

/// A page without the server's port.
fn page(run: &weir_testkit::Run, server: &TlsServer) -> String {
    run.to_string().replace(&server.url(), "[SERVER]")
}

#[test]
fn an_authority_that_the_configuration_names_is_trusted() {
    let (t, server) = site(|authority| authority.vouch_for("127.0.0.1"));
    assert_snapshot!(page(&t.weir("install"), &server), @r#"
    $ weir install
    -- stderr
      × `[SERVER]/weir.json` cannot be read: nobody whom this machine trusts vouches for the server's certificate
      help: if your organisation has an authority of its own, name the file with its certificate: `ca-file = "…"` under `[http]` in `config.toml`, or the variable `SSL_CERT_FILE`
    -- exit code 1
    "#);
    trust(&t);
    t.weir("install").succeeds();
    assert!(t.path("app/weir_packages/packages/acme/str/str.sh").exists());
    t.weir("registry verify --content").succeeds();
}

#[test]
fn an_authority_that_the_environment_names_is_trusted_instead_of_all_others() {
    let (t, _server) = site(|authority| authority.vouch_for("127.0.0.1"));
    let file = t.path("ca.pem").display().to_string();
    t.weir_with("app", "install", &[("SSL_CERT_FILE", &file)]).succeeds();
    // Somebody else's authority is not enough, and neither is a file that is none.
    t.write("other.pem", Authority::new("somebody else").pem());
    let other = t.path("other.pem").display().to_string();
    let run = t.weir_with("app", "update", &[("SSL_CERT_FILE", &other)]).fails_with(1);
    assert!(run.stderr.contains("nobody whom this machine trusts"), "{run}");
    t.write("none.pem", "no certificate");
    let none = t.path("none.pem").display().to_string();
    let run = t.weir_with("app", "update", &[("SSL_CERT_FILE", &none)]).fails_with(1);
    assert!(run.stderr.contains("there is no certificate in it"), "{run}");
}

#[test]
fn a_server_with_another_name_or_an_expired_certificate_is_refused_with_what_to_do() {
    let (t, server) = site(|authority| authority.vouch_for("weir.example"));
    trust(&t);
    assert_snapshot!(page(&t.weir("install"), &server), @r"
    $ weir install
    -- stderr
      × `[SERVER]/weir.json` cannot be read: the server's certificate is not for this name, but for weir.example
      help: use the address that the certificate is for
    -- exit code 1
    ");
    let (t, server) = site(|authority| authority.vouched_once_for("127.0.0.1"));
    trust(&t);
    assert_snapshot!(page(&t.weir("install"), &server), @r"
    $ weir install
    -- stderr
      × `[SERVER]/weir.json` cannot be read: the server's certificate has expired
      help: whoever runs the server has to renew its certificate; is the clock of this machine right?
    -- exit code 1
    ");
}
