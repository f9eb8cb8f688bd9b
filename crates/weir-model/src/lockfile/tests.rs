use super::{FluidChoice, LockedReference, LockedRelease, Lockfile, LockfileError, ReleaseText};
use crate::{Digest, KindName, Platform};

fn release(name: &str, version: &str, dependencies: &[&str]) -> LockedRelease {
    LockedRelease {
        name: name.parse().unwrap(),
        version: version.parse().unwrap(),
        platform: Platform::any(),
        revision: 0,
        kind: KindName::Generic,
        tree: Some(Digest::of(name)),
        input_digest: Some(Digest::of(version)),
        size: Some(10),
        unpacked: Some(20),
        registry: Some("org".into()),
        path: None,
        git: None,
        dependencies: dependencies.iter().map(|text| ReleaseText(text.parse().unwrap())).collect(),
        fluid: Vec::new(),
        references: Vec::new(),
        facts: serde_json::Map::new(),
    }
}

fn sample() -> Lockfile {
    let mut top = release("acme/top", "1.0.0", &["acme/low 0.1.0", "acme/high 2.0.0-rc.1"]);
    top.fluid = vec![FluidChoice {
        name: "acme/low".parse().unwrap(),
        range: "^0.1".parse().unwrap(),
        chosen: "0.1.0".parse().unwrap(),
    }];
    top.facts = serde_json::from_str(r#"{"bin":{"a\"b":"x/y"},"n":[1,true]}"#).unwrap();
    top.references = vec![LockedReference {
        name: "corpus".into(),
        sha256: Digest::of("corpus"),
        size: 6,
        mirrors: vec!["https://host.example/corpus".into()],
        unpack: true,
        fluid: false,
    }];
    let mut low = release("acme/low", "0.1.0", &[]);
    low.platform = "x86-64-debian-12".parse().unwrap();
    low.platform = Platform::any();
    Lockfile {
        version: 1,
        requirements: Digest::of("r"),
        direct: vec![ReleaseText("acme/top 1.0.0".parse().unwrap())],
        releases: vec![top, release("acme/high", "2.0.0-rc.1", &[]), low],
        references: Vec::new(),
    }
}

#[test]
fn a_lockfile_reads_back_what_it_prints_whatever_the_order_it_was_made_in() {
    let lockfile = sample();
    let text = lockfile.to_text();
    let read = Lockfile::parse(&text).unwrap();
    assert_eq!(read.to_text(), text);
    let mut other = lockfile;
    other.releases.reverse();
    other.releases[2].dependencies.reverse();
    assert_eq!(other.to_text(), text);
}

#[test]
fn a_newer_format_is_refused_as_newer_even_if_it_does_not_read() {
    assert_eq!(Lockfile::parse("version = 2\nshape = 'other'\n"), Err(LockfileError::Newer { found: 2 }));
}

#[test]
fn a_lockfile_that_names_what_it_does_not_describe_is_refused() {
    let mut lockfile = sample();
    lockfile.releases.remove(1);
    let error = Lockfile::parse(&lockfile.to_text()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the lockfile names `acme/high 2.0.0-rc.1`, needed by `acme/top 1.0.0`, but has no table for it"
    );
}

#[test]
fn a_reference_cannot_be_called_what_would_lead_out_of_its_folder() {
    for name in ["../../.git/hooks/post-checkout", "/etc/passwd", "..", "", "a\u{1b}[2J"] {
        let mut own = sample();
        own.references = own.releases[0].references.clone();
        own.references[0].name = name.into();
        let mut of_a_package = sample();
        of_a_package.releases[0].references[0].name = name.into();
        for lockfile in [own, of_a_package] {
            let refused = Lockfile::parse(&lockfile.to_text());
            assert_eq!(refused, Err(LockfileError::ReferenceName { name: name.into() }));
        }
    }
}
