use proptest::prelude::*;

use super::{FluidChoice, LockedReference, LockedRelease, Lockfile, LockfileError, ReleaseText};
use crate::{Digest, KindName, Platform};

pub(super) fn release(name: &str, version: &str, dependencies: &[&str]) -> LockedRelease {
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

/// Facts as any kind could have them: names and texts of any characters that can be seen.
fn facts() -> impl Strategy<Value = serde_json::Value> {
    let text = any::<String>().prop_map(|text| crate::unseen::harmless(&text).into_owned());
    let leaf = prop_oneof![
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        text.prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |below| {
        let name = any::<String>().prop_map(|name| {
            name.chars().filter(|character| !crate::unseen::is_unseen(*character)).collect::<String>()
        });
        prop_oneof![
            prop::collection::vec(below.clone(), 0..4).prop_map(serde_json::Value::from),
            prop::collection::btree_map(name, below, 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(fact in facts(), text in any::<String>()) {
        let mut lockfile = sample();
        lockfile.releases[0].facts.insert("fact".into(), fact);
        lockfile.releases[0].registry = Some(text.clone());
        lockfile.releases[0].references[0].mirrors = vec![text.clone()];
        lockfile.releases[1].path = Some(text);
        let written = lockfile.to_text();
        let read = Lockfile::parse(&written).unwrap();
        let again = read.releases.iter().find(|release| release.name.as_str() == "acme/top").unwrap();
        prop_assert_eq!(&again.facts, &lockfile.releases[0].facts);
        prop_assert_eq!(read.to_text(), written);
    }

    #[test]
    fn whatever_a_lockfile_has_become_what_remains_of_it_can_be_told(text in any::<String>(), cut in any::<prop::sample::Index>()) {
        let whole = sample().to_text();
        let mut broken = whole.clone();
        broken.insert_str(broken.floor_char_boundary(cut.index(whole.len())), &text);
        let remains = Lockfile::remains(&broken);
        prop_assert!(remains.releases.len() + 1 >= sample().releases.len(), "{broken}");
    }
}

#[test]
fn a_fact_with_a_line_break_in_its_name_is_refused_and_written_as_text_that_reads() {
    let mut lockfile = sample();
    lockfile.releases[0].facts = serde_json::from_str(r#"{"bin":{"a\nb":"a"}}"#).unwrap();
    let refused = Lockfile::parse(&lockfile.to_text()).unwrap_err();
    assert!(matches!(refused, LockfileError::Facts { .. }), "{refused}");
}

#[test]
fn both_sides_of_a_conflict_remain() {
    let mut theirs = sample();
    theirs.releases[1].version = "3.0.0".parse().unwrap();
    let (ours, theirs) = (sample().to_text(), theirs.to_text());
    let (ours, theirs) = (ours.lines().collect::<Vec<_>>(), theirs.lines().collect::<Vec<_>>());
    let mut merged = String::new();
    for (ours, theirs) in ours.iter().zip(&theirs) {
        if ours == theirs {
            merged += &format!("{ours}\n");
        } else {
            merged += &format!(
                "<<<<<<< HEAD\n{ours}\n||||||| base\nversion = \"0\"\n=======\n{theirs}\n>>>>>>> other\n"
            );
        }
    }
    assert!(Lockfile::parse(&merged).is_err());
    let remains = Lockfile::remains(&merged);
    let ids: Vec<String> = remains.releases.iter().map(|release| release.id().to_string()).collect();
    assert_eq!(ids, ["acme/high 2.0.0-rc.1", "acme/low 0.1.0", "acme/top 1.0.0", "acme/high 3.0.0"]);
    assert_eq!(remains.direct, sample().direct);
}

#[test]
fn of_a_text_that_is_cut_or_of_a_newer_program_the_choices_remain() {
    let whole = sample().to_text();
    let at = whole.find("tree = ").unwrap() + 20;
    let ids =
        |text: &str| Lockfile::remains(text).releases.iter().map(|r| r.id().to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&whole[..at]), ["acme/high 2.0.0-rc.1"]);
    let newer = whole.replace("version = 1\n", "version = 2\n").replace("kind = ", "colour = 7\nkind = ");
    assert_eq!(ids(&newer).len(), 3);
    for nothing in ["", "garbage", "[[release]]\n", "\0\0", "[[release]]\nname = 1\n"] {
        assert_eq!(Lockfile::remains(nothing).releases, [], "{nothing:?}");
    }
}

#[test]
fn a_lockfile_has_no_more_tables_than_closures_have_releases() {
    let text = format!("version = 1\n{}", "[[release]]\n".repeat(2_000_000));
    let begun = std::time::Instant::now();
    let error = Lockfile::parse(&text).unwrap_err();
    assert_eq!(error.to_string(), "the lockfile cannot be read: it has more than 50000 tables");
    assert_eq!(Lockfile::remains(&text).releases, []);
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}
