use super::{ElmJson, Lines};

const PACKAGE: &str = r#"{
    "type": "package",
    "name": "acme/str",
    "summary": "Texts",
    "license": "MIT",
    "version": "1.2.0",
    "exposed-modules": {
        "Texts": [
            "Str",
            "Str.Case"
        ],
        "More": []
    },
    "elm-version": "0.19.0 <= v < 0.20.0",
    "dependencies": {
        "elm/core": "1.0.0 <= v < 2.0.0"
    },
    "test-dependencies": {}
}
"#;

const APPLICATION: &str = r#"{
    "type": "application",
    "source-directories": [
        "src"
    ],
    "elm-version": "0.19.1",
    "dependencies": {
        "direct": {
            "a/x": "1.0.0",
            "a-b/x": "1.0.0",
            "elm/core": "1.0.5"
        },
        "indirect": {
            "elm/json": "1.1.3"
        }
    },
    "test-dependencies": {
        "direct": {},
        "indirect": {}
    },
    "zokka": 1
}
"#;

fn refused(text: &str) -> String {
    ElmJson::parse(text).unwrap_err().to_string()
}

#[test]
fn what_elm_wrote_is_written_byte_for_byte() {
    for text in [PACKAGE, APPLICATION] {
        assert_eq!(ElmJson::parse(text).unwrap().to_text(), text);
    }
}

#[test]
fn a_package_is_read() {
    let ElmJson::Package(package) = ElmJson::parse(PACKAGE).unwrap() else { panic!("it is a package") };
    assert_eq!(package.exposed_modules, ["Str", "Str.Case"]);
    assert_eq!(package.dependencies.len(), 1);
    assert_eq!(Lines::of(PACKAGE).of_package(&"elm/core".parse().unwrap()), 16);
}

#[test]
fn what_leads_elsewhere_is_refused() {
    for (from, to) in [
        ("acme/str", "../str"),
        ("acme/str", "acme/.."),
        ("acme/str", "acme/Str"),
        ("elm/core", "elm/../../core"),
        ("elm/core", "/etc/passwd"),
        ("Str.Case", "../../Str"),
        ("Str.Case", "Str/Case"),
        ("1.2.0", "../1.2.0"),
        ("1.2.0", "1.2.0-beta"),
        ("1.2.0", "1.99999.0"),
        ("<= v <", "<=  v <"),
        ("1.0.0 <= v < 2.0.0", "^1.0.0"),
        ("1.0.0 <= v < 2.0.0", " 1.0.0 <= v < 2.0.0"),
        ("1.0.0 <= v < 2.0.0", "1.0.0 <= v < 2.0.0-a"),
        ("1.0.0 <= v < 2.0.0", "2.0.0 <= v < 1.0.0"),
        ("\"test-dependencies\"", "\"other-dependencies\""),
    ] {
        refused(&PACKAGE.replace(from, to));
    }
    refused(&APPLICATION.replace("elm/json", "elm/core"));
}

#[test]
fn what_is_wrong_is_told_as_to_a_person() {
    assert!(refused("[]").contains("must be a JSON object"));
    assert!(refused(r#"{"type":"program"}"#).contains("there are two of them"));
    assert!(refused(r#"{"type":"package"}"#).contains("it has no `name`"));
    let conflict = APPLICATION.replace("            \"elm/core\"", "<<<<<<< HEAD\n            \"elm/core\"");
    assert!(refused(&conflict).contains("line 11 has a mark of a merge"), "{}", refused(&conflict));
    assert!(
        refused(&APPLICATION.replace("1.0.5", "1.0.0 <= v < 2.0.0")).contains("a version such as `1.0.0`")
    );
    assert!(refused(&"[".repeat(100_000)).contains("not the JSON that I expected"));
    assert!(refused("\n").contains("it is empty"));
    for (once, twice) in [
        ("\"elm/core\": ", "\"elm/core\": \"1.0.4\", \"elm/core\": "),
        ("\"type\": ", "\"type\": \"package\", \"type\": "),
    ] {
        let said = refused(&APPLICATION.replace(once, twice));
        assert!(said.contains("stands twice in one place at line"), "{said}");
    }
    assert!(refused(&" ".repeat(2 << 20)).contains("longer than"));
}
