//! Files that a stranger wrote.

use std::os::unix::fs::symlink;

use weir_cedar::{Cases, MAX_FILE, PolicyError, PolicyFile, PolicyFiles, PolicySet};

use crate::{files, problems};

fn first(text: &str) -> String {
    problems(text)[0].to_string()
}

#[test]
fn a_mistake_is_told_with_its_place_and_what_was_meant() {
    assert_eq!(
        first("@id(\"a\")\npermit (principal, action == Action::\"publich\", resource);"),
        "rules.cedar:2:30: unrecognized action `Action::\"publich\"` (did you mean `Action::\"publish\"`?)"
    );
    let size = first(
        "@id(\"a\")\npermit (principal, action == Action::\"publish\", resource)\nwhen { resource.sise > 1 };",
    );
    assert!(size.starts_with("rules.cedar:3:8: ") && size.contains("did you mean `size`?"), "{size}");
    let comma = first("@id(\"a\")\npermit (principal action, resource);");
    assert!(
        comma.starts_with("rules.cedar:2:19: it cannot be read as Cedar here: unexpected token"),
        "{comma}"
    );
    assert_eq!(
        first("@id(\"a\") @raeson(\"x\") permit (principal, action, resource);"),
        "rules.cedar:1:1: no annotation is called `@raeson` (did you mean `@reason`?)"
    );
}

#[test]
fn a_rule_has_a_plain_name_of_its_own() {
    let rest = "permit (principal, action, resource);";
    assert!(first(rest).starts_with("rules.cedar:1:1: a rule has no name"));
    for id in ["A", "a b", "a\\u{1b}[2J", "ä", "\\u{202e}a", &"a".repeat(65)] {
        let told = first(&format!("@id(\"{id}\") {rest}"));
        assert!(told.contains("is no name of a rule"), "{told}");
        assert!(!told.contains('\u{1b}') && !told.contains('\u{202e}'));
    }
    let twins = first(&format!("@id(\"a\") {rest}\n@id(\"a\") {rest}"));
    assert_eq!(twins, "rules.cedar:2:1: a rule is called `a` already, in rules.cedar:1");
    let unseen = first(&format!("@id(\"a\") @reason(\"x\\u{{1b}}[2J\") {rest}"));
    assert!(unseen.contains("the reason of `a`"), "{unseen}");
}

#[test]
fn templates_and_empty_sets_are_none() {
    let template = first("@id(\"a\") permit (principal == ?principal, action, resource);");
    assert!(template.contains("templates"), "{template}");
    assert_eq!(first("// nothing\n"), "policy: there is no rule");
}

#[test]
fn text_that_is_nested_deep_is_refused_before_cedar_reads_it() {
    let deep = |open: &str, close: &str, times: usize| {
        format!(
            "@id(\"a\") permit (principal, action, resource) when {{ {}true{} }};",
            open.repeat(times),
            close.repeat(times)
        )
    };
    for (open, close) in
        [("(", ")"), ("[", "]"), ("{a: ", "}"), ("!", ""), ("if true then true else ", ""), ("true && ", "")]
    {
        let told = first(&deep(open, close, 2500));
        assert!(told.contains("a policy has at most"), "{told}");
    }
    // As deep as is allowed, it is read, checked and evaluated.
    let set = crate::set(&deep("(", ")", 30));
    assert!(crate::decide(&set, &crate::question(crate::user("ann", &[]), weir_policy::Verb::Read)).allowed);
    let set = crate::set(&deep("true && ", "", 250));
    assert!(crate::decide(&set, &crate::question(crate::user("ann", &[]), weir_policy::Verb::Read)).allowed);
    let set = crate::set(&deep("if true then true else ", "", 31));
    assert!(crate::decide(&set, &crate::question(crate::user("ann", &[]), weir_policy::Verb::Read)).allowed);
}

#[test]
fn a_set_is_bounded_in_files_bytes_rules_and_problems() {
    let rule = |number: usize| format!("@id(\"r-{number}\") permit (principal, action, resource);\n");
    let many: String = (0..600).map(rule).collect();
    assert_eq!(first(&many), "policy: there are 600 rules, 512 are allowed");
    let broken = "permit (principal, action == Action::\"x\", resource);\n".repeat(500);
    assert_eq!(problems(&broken).len(), 50);

    let new = |files: Vec<PolicyFile>| PolicyFiles::new(files).unwrap_err().to_string();
    let large = PolicyFile { name: "a.cedar".into(), text: "/".repeat(MAX_FILE as usize + 1) };
    assert!(new(vec![large]).contains("65537 bytes, 65536 are allowed"));
    let full = |name: String| PolicyFile { name, text: "/".repeat(MAX_FILE as usize) };
    let five = (0..5).map(|number| full(format!("{number}.cedar"))).collect();
    assert!(new(five).contains("the rules have 327680 bytes together"));
    let names = (0..65).map(|number| PolicyFile { name: format!("{number}.toml"), text: String::new() });
    assert!(new(names.collect()).contains("there are 65 files, 64 are allowed"));
    for name in ["a.txt", "../a.cedar", ".cedar", "a/b.cedar", "\u{1b}.cedar", "groups.toml.bak"] {
        let told = new(vec![PolicyFile { name: name.into(), text: String::new() }]);
        assert!(told.contains("a policy set has") && !told.contains('\u{1b}'), "{told}");
    }
}

#[test]
fn files_of_a_folder_are_files_and_no_more_of_them_is_read_than_may_be() {
    let root = tempfile::tempdir().unwrap();
    let policy = root.path().join("policy");
    let read = || PolicyFiles::read(root.path());
    assert!(read().unwrap().is_empty());
    fs_err::create_dir(&policy).unwrap();
    fs_err::write(policy.join("README.md"), "not looked at").unwrap();
    assert!(read().unwrap().is_empty());

    let told = |result: Result<PolicyFiles, PolicyError>| result.unwrap_err().to_string();
    symlink("/dev/zero", policy.join("a.cedar")).unwrap();
    assert!(told(read()).contains("is a link"));
    fs_err::remove_file(policy.join("a.cedar")).unwrap();
    fs_err::write(policy.join("a.cedar"), [0xff, 0xfe]).unwrap();
    assert!(told(read()).contains("is not UTF-8"));
    fs_err::File::create(policy.join("a.cedar")).unwrap().set_len(3 << 30).unwrap();
    assert!(told(read()).contains("is larger than the 65536 bytes"));
    fs_err::remove_file(policy.join("a.cedar")).unwrap();
    fs_err::create_dir(policy.join("a.cedar")).unwrap();
    assert!(told(read()).contains("is a folder"));

    fs_err::remove_dir_all(&policy).unwrap();
    symlink("/etc", &policy).unwrap();
    assert!(told(read()).contains("is a link"));
}

#[test]
fn a_set_is_read_back_as_it_was_written_and_replaces_the_one_before() {
    let root = tempfile::tempdir().unwrap();
    let before = files(&[("a.cedar", "x"), ("b.cedar", "y"), ("cases.toml", "")]);
    before.write(root.path()).unwrap();
    assert_eq!(PolicyFiles::read(root.path()).unwrap(), before);
    let after = files(&[("b.cedar", "z"), ("groups.toml", "")]);
    after.write(root.path()).unwrap();
    assert_eq!(PolicyFiles::read(root.path()).unwrap(), after);
    assert_ne!(before.digest(), after.digest());
    // What is beside the bytes of a file counts as well: its name, and where it ends.
    let whole = files(&[("a.cedar", "xy")]).digest();
    assert_ne!(whole, files(&[("b.cedar", "xy")]).digest());
    assert_ne!(
        files(&[("a.cedar", "xb.cedar 0\n")]).digest(),
        files(&[("a.cedar", "x"), ("b.cedar", "")]).digest()
    );
    // Cases decide nothing.
    assert_eq!(whole, files(&[("a.cedar", "xy"), ("c.toml", "z")]).digest());
}

#[test]
fn groups_and_cases_that_do_not_read_are_told() {
    let rule = ("a.cedar", "@id(\"a\") permit (principal, action, resource);");
    let groups = |text: &str| PolicySet::new(&files(&[rule, ("groups.toml", text)])).unwrap_err().to_string();
    assert!(groups("team = 5").starts_with("groups.toml:1:8: "), "{}", groups("team = 5"));
    assert!(groups("team = [\"a b\"]").contains("is no name of a group or a user"));
    assert!(groups("team = [\"\\u001b[2J\"]").contains("`\u{fffd}[2J`"));
    let case = |text: &str| Cases::read(&files(&[rule, ("c.toml", text)])).unwrap_err().to_string();
    assert!(case("[[case]]\nnam = \"x\"").starts_with("c.toml:2:1: "), "{}", case("[[case]]\nnam = \"x\""));
    let asks = |who: &str, action: &str| {
        case(&format!(
            "[[case]]\nname = \"x\"\nprincipal = \"{who}\"\naction = \"{action}\"\nexpect = \"permit\""
        ))
    };
    assert!(asks("ann", "read").contains("`ann` is nobody"));
    assert!(asks("user:ann", "raed").contains("no action is called `raed`"));
}
