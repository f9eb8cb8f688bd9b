//! The sets and rules that come with the program.

use weir_cedar::{BuiltIn, Facts, PolicyFiles, PolicySet, Question, RULES, SETS, find};
use weir_policy::{Decision, FolderGate, Gate as _, Principal, Verb};

use crate::{decide, plain, question, set, user};

fn built_in(name: &str) -> PolicySet {
    set(find(&SETS, name).unwrap().text)
}

/// A set that permits everything, with a rule beside it.
fn with_rule(name: &str) -> PolicySet {
    with_rules(&[name])
}

fn with_rules(names: &[&str]) -> PolicySet {
    let open = "@id(\"all\") permit (principal, action, resource);";
    let rules = names.iter().map(|name| find(&RULES, name).unwrap().file());
    let files = [crate::PolicyFile { name: "all.cedar".into(), text: open.into() }].into_iter().chain(rules);
    PolicySet::new(&PolicyFiles::new(files).unwrap()).unwrap()
}

/// A built-in set, and rules beside it.
fn with_rules_in(set: &str, names: &[&str]) -> PolicySet {
    let rules = names.iter().map(|name| find(&RULES, name).unwrap().file());
    let files = std::iter::once(find(&SETS, set).unwrap().file()).chain(rules);
    PolicySet::new(&PolicyFiles::new(files).unwrap()).unwrap()
}

fn of(facts: Facts, verb: Verb) -> Question {
    Question { facts: Some(facts), ..question(user("ann", &[]), verb) }
}

#[test]
fn all_of_them_are_sets() {
    for BuiltIn { name, text, .. } in SETS.iter().chain(&RULES) {
        assert!(set(text).rules().count() > 0, "{name}");
    }
}

/// The rust of `FolderGate` and the Cedar of `folder` are two texts of one set.
#[test]
fn the_set_of_folders_decides_as_the_gate_of_folders_on_everything() {
    let set = built_in("folder");
    let claims = [("ref".to_owned(), "main".to_owned())].into();
    let workload = Principal::workload("https://ci.example", "acme", claims);
    let trusted = Principal::Workload {
        issuer: "https://ci.example".into(),
        subject: "acme".into(),
        claims: Default::default(),
        acts_for: ["user:ann".to_owned(), "group:core".to_owned()].into(),
    };
    let principals = [
        Principal::Anonymous,
        workload,
        trusted,
        user("ann", &[]),
        user("bob", &["core"]),
        user("ann", &["core", "x"]),
    ];
    let holders: [Option<&[&str]>; 8] = [
        None,
        Some(&[]),
        Some(&["user:ann"]),
        Some(&["group:core"]),
        Some(&["user:cat", "group:x"]),
        Some(&["workload:https://ci.example acme"]),
        Some(&["anonymous"]),
        Some(&["ann", "core", "user:"]),
    ];
    let mut asked = 0;
    for principal in principals {
        for verb in Verb::ALL {
            for people in holders {
                let people = people.map(|people| people.iter().map(|&who| who.to_owned()).collect());
                let mut question = Question { owner_belongs_to: people, ..question(principal.clone(), verb) };
                if matches!(question.target, weir_policy::Target::Registry) {
                    question.owner_belongs_to = None;
                }
                let rust = question.ask(|request| FolderGate.decide(request));
                let cedar = decide(&set, &question);
                assert_eq!((rust.allowed, &rust.policy), (cedar.allowed, &cedar.policy), "{question:?}");
                asked += 1;
            }
        }
    }
    assert_eq!(asked, 6 * 14 * 8);
}

fn allowed(set: &PolicySet, principal: &Principal, verb: Verb) -> bool {
    decide(set, &question(principal.clone(), verb)).allowed
}

#[test]
fn a_team_is_closed_to_others() {
    let team = built_in("team");
    let (member, admin, other) = (user("ann", &["team"]), user("root", &["admins"]), user("eve", &["else"]));
    assert!(allowed(&team, &member, Verb::Read) && allowed(&team, &member, Verb::Publish));
    assert!(!allowed(&team, &member, Verb::Remove) && !allowed(&team, &member, Verb::Govern));
    assert!(allowed(&team, &admin, Verb::Govern) && allowed(&team, &admin, Verb::Remove));
    for verb in Verb::ALL {
        assert!(!allowed(&team, &other, verb) && !allowed(&team, &Principal::Anonymous, verb), "{verb:?}");
    }
    let of_others =
        Question { owner_belongs_to: Some(vec!["user:bob".into()]), ..question(member, Verb::Publish) };
    let decision = decide(&team, &of_others);
    assert_eq!((&*decision.policy, &*decision.reason), ("owner-claim", "the owner belongs to others"));
}

#[test]
fn a_curated_registry_is_read_by_all_and_filled_by_curators() {
    let curated = built_in("curated");
    assert!(allowed(&curated, &Principal::Anonymous, Verb::Read));
    assert!(!allowed(&curated, &user("ann", &[]), Verb::Publish));
    let curator = user("cat", &["curators"]);
    assert!(allowed(&curated, &curator, Verb::Publish) && !allowed(&curated, &curator, Verb::Govern));
    let nameless =
        Question { facts: Some(Facts { license: None, ..plain() }), ..question(curator, Verb::Publish) };
    assert_eq!(decide(&curated, &nameless).policy, "curated-license");
}

#[test]
fn a_closed_registry_is_seen_by_members_and_an_open_one_by_all() {
    let (closed, open) = (built_in("closed"), built_in("open"));
    assert!(!allowed(&closed, &Principal::Anonymous, Verb::Read));
    assert!(allowed(&closed, &user("ann", &["readers"]), Verb::Read));
    assert!(!allowed(&closed, &user("ann", &["readers"]), Verb::Publish));
    assert!(allowed(&closed, &user("bob", &["publishers"]), Verb::Publish));
    assert!(allowed(&open, &Principal::Anonymous, Verb::Read));
    assert!(!allowed(&open, &Principal::Anonymous, Verb::Publish));
    assert!(allowed(&open, &user("ann", &[]), Verb::Publish));
    assert!(!allowed(&open, &user("ann", &[]), Verb::Remove));
    let of_bob = |who: &str| Question {
        owner_belongs_to: Some(vec!["user:bob".into()]),
        ..question(user(who, &[]), Verb::Publish)
    };
    assert!(!decide(&open, &of_bob("ann")).allowed && decide(&open, &of_bob("bob")).allowed);
}

fn by(rule: &str, decision: &Decision) {
    assert_eq!((decision.allowed, &*decision.policy), (false, rule));
}

#[test]
fn rules_forbid_what_they_say() {
    let licenses = with_rule("licenses");
    let licensed = |license: Option<&str>| {
        let facts = Facts { license: license.map(str::to_owned), ..plain() };
        decide(&licenses, &of(facts, Verb::Publish))
    };
    assert!(licensed(Some("MIT OR Apache-2.0")).allowed);
    by("license-list", &licensed(Some("MIT OR GPL-3.0-only")));
    by("license-list", &licensed(None));

    let size = with_rule("size");
    assert!(decide(&size, &of(plain(), Verb::Publish)).allowed);
    by("size-limit", &decide(&size, &of(Facts { size: 200 << 20, ..plain() }, Verb::Publish)));
    by("size-limit", &decide(&size, &of(Facts { files: u64::MAX, ..plain() }, Verb::Admit)));

    let kinds = with_rule("kinds");
    let native = Facts { kind: weir_model::KindName::Native, ..plain() };
    by("kind-list", &decide(&kinds, &of(native.clone(), Verb::Publish)));
    assert!(decide(&kinds, &of(native, Verb::Yank)).allowed);

    let shadowing = with_rule("no-shadowing");
    by("no-lookalikes", &decide(&shadowing, &of(Facts { confusable: true, ..plain() }, Verb::Publish)));
    let claimed = Question { owner_belongs_to: Some(vec!["user:ann".into()]), ..of(plain(), Verb::Admit) };
    by("no-shadowing", &decide(&shadowing, &claimed));

    let signed = with_rule("signed-only");
    by("signed-only", &decide(&signed, &of(plain(), Verb::Publish)));
    assert!(decide(&signed, &of(Facts { provenance: true, ..plain() }, Verb::Publish)).allowed);
}

#[test]
fn what_was_published_lately_waits_and_what_goes_up_needs_two_others() {
    let cooldown = with_rule("cooldown");
    let published = |at: &str| {
        let facts = Facts { published: Some(at.parse().unwrap()), upstream: Some("org".into()), ..plain() };
        decide(&cooldown, &of(facts, Verb::Admit))
    };
    // It is asked on the 20th at noon.
    assert!(published("2026-11-13T12:00:00Z").allowed);
    by("cooldown", &published("2026-11-13T12:00:01Z"));
    by("cooldown", &decide(&cooldown, &of(plain(), Verb::Admit)));

    let approvals = with_rule("two-approvals");
    let promoted = |by: &[&str]| {
        let approved_by = by.iter().map(|&who| who.to_owned()).collect();
        of(Facts { approved_by, promoted: Some("team".into()), ..plain() }, Verb::Publish)
    };
    let approved = |by: &[&str]| decide(&approvals, &promoted(by));
    assert!(approved(&["user:bob", "user:cat"]).allowed);
    by("two-approvals", &approved(&["user:bob", "user:bob"]));
    // Who promotes is no other.
    by("two-approvals", &approved(&["user:bob", "user:ann"]));
    // What is published here first needs nobody's approval.
    assert!(decide(&approvals, &of(plain(), Verb::Publish)).allowed);
    assert!(promoted(&["user:bob"]).ask(|request| approvals.wants_approvals(request)));
    // Approvals do not help against another rule.
    let licensed = with_rules(&["two-approvals", "licenses"]);
    let unlicensed = Facts { license: None, promoted: Some("team".into()), ..plain() };
    assert!(!of(unlicensed, Verb::Publish).ask(|request| licensed.wants_approvals(request)));
    assert!(promoted(&[]).ask(|request| licensed.wants_approvals(request)));
    // Nor against that no rule permits it, and who may is told then.
    let curated = with_rules_in("curated", &["two-approvals"]);
    let told = decide(&curated, &promoted(&["user:bob", "user:cat"]));
    assert_eq!((told.allowed, &*told.policy), (false, "curated-curators"));
    let told = decide(&curated, &promoted(&[]));
    assert_eq!((told.allowed, &*told.policy), (false, "curated-curators"));
    assert!(told.reason.contains(r#"the nearest asks for `principal in Group::"curators"`"#), "{told:?}");
}
