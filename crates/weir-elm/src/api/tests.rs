use super::{Api, Difference, Magnitude};

fn module(name: &str, values: &[(&str, &str)]) -> String {
    let values: Vec<String> = values
        .iter()
        .map(|(name, is)| format!(r#"{{"name":"{name}","comment":"","type":"{is}"}}"#))
        .collect();
    format!(
        r#"{{"name":"{name}","comment":"","unions":[],"aliases":[],"values":[{}],"binops":[]}}"#,
        values.join(",")
    )
}

fn api(modules: &[String]) -> Api {
    Api::parse(format!("[{}]", modules.join(",")).as_bytes()).unwrap()
}

fn between(old: &str, new: &str) -> Magnitude {
    let of = |is: &str| api(&[module("A", &[("f", is)])]);
    Difference::between(&of(old), &of(new)).magnitude
}

#[test]
fn what_is_added_is_minor_and_what_is_removed_or_changed_is_major() {
    let (a, b) = (module("A", &[("f", "Int")]), module("B", &[]));
    let more = module("A", &[("f", "Int"), ("g", "String.String -> a")]);
    let other = module("A", &[("f", "String.String")]);
    for (old, new, expected) in [
        (vec![a.clone()], vec![a.clone()], Magnitude::Patch),
        (vec![a.clone()], vec![a.clone(), b.clone()], Magnitude::Minor),
        (vec![a.clone(), b], vec![a.clone()], Magnitude::Major),
        (vec![a.clone()], vec![more.clone()], Magnitude::Minor),
        (vec![more.clone()], vec![a.clone()], Magnitude::Major),
        (vec![a.clone()], vec![other.clone()], Magnitude::Major),
    ] {
        assert_eq!(Difference::between(&api(&old), &api(&new)).magnitude, expected, "{old:?} {new:?}");
    }
    let difference = Difference::between(&api(std::slice::from_ref(&a)), &api(&[more]));
    assert_eq!(difference.changed["A"].added, ["g : String -> a"]);
    let difference = Difference::between(&api(&[a]), &api(&[other]));
    assert_eq!(difference.changed["A"].changed, [("f : Int".to_owned(), "f : String".to_owned())]);
}

#[test]
fn types_are_the_same_whatever_their_variables_are_called() {
    for (old, new) in [
        ("a -> b -> a", "x -> y -> x"),
        ("List.List a", "List.List b"),
        ("List a", "List.List b"),
        ("{ a : Int, b : c }", "{ b : x, a : Int }"),
        ("{ r | a : Int }", "{ s | a : Int }"),
        ("( a, ( b, () ) )", "( x, ( y, () ) )"),
        ("(a -> b) -> List.List (Maybe.Maybe a)", "(b -> a) -> List.List (Maybe.Maybe b)"),
        ("number -> number", "comparable -> comparable"),
        ("comparable", "a"),
        ("( a )", "b"),
    ] {
        assert_eq!(between(old, new), Magnitude::Patch, "{old} to {new}");
    }
    for (old, new) in [
        ("a -> b", "a -> a"),
        ("a -> a", "a -> b"),
        ("a", "number"),
        ("comparable", "number"),
        ("appendable", "comparable"),
        ("(a -> b) -> c", "a -> b -> c"),
        ("{ r | a : Int }", "{ a : Int }"),
        ("{ a : Int }", "{ b : Int }"),
        ("( a, b )", "( a, b, c )"),
        ("A.T", "B.T"),
        ("List.List a", "List.List"),
    ] {
        assert_eq!(between(old, new), Magnitude::Major, "{old} to {new}");
    }
}

#[test]
fn unions_and_operators_are_compared_too() {
    let with = |union: &str, precedence: u8| {
        let text = format!(
            r#"[{{"name":"A","comment":"","unions":[{union}],"aliases":[{{"name":"P","comment":"","args":["a"],"type":"{{ x : a }}"}}],"values":[],
            "binops":[{{"name":"|=","comment":"","type":"a -> b","associativity":"left","precedence":{precedence}}}]}}]"#
        );
        Api::parse(text.as_bytes()).unwrap()
    };
    let union =
        |args: &str, cases: &str| format!(r#"{{"name":"T","comment":"","args":[{args}],"cases":[{cases}]}}"#);
    let one = union(r#""a""#, r#"["One",["a"]],["Two",["Int","List.List a"]]"#);
    let magnitude = |old: &str, new: &str| Difference::between(&with(old, 1), &with(new, 1)).magnitude;
    assert_eq!(magnitude(&one, &one.replace("\"a\"", "\"b\"").replace("List a", "List b")), Magnitude::Patch);
    assert_eq!(magnitude(&one, &union(r#""a""#, r#"["One",["a"]]"#)), Magnitude::Major);
    assert_eq!(
        magnitude(&one, &union("", r#"["One",["Int"]],["Two",["Int","List.List Int"]]"#)),
        Magnitude::Major
    );
    assert_eq!(Difference::between(&with(&one, 1), &with(&one, 2)).magnitude, Magnitude::Major);
    let gone = Difference::between(&with(&one, 1), &api(&[module("A", &[])]));
    assert_eq!(
        gone.changed["A"].removed,
        ["type T a = One a | Two Int (List a)", "type alias P a = { x : a }", "(|=) : a -> b"]
    );
}

#[test]
fn what_the_compiler_would_not_write_is_refused() {
    for text in [
        "",
        "{}",
        "[{}]",
        r#"[{"name":"../a"}]"#,
        r#"[{"name":"A"},{"name":"A"}]"#,
        r#"[{"name":"A","values":[{"name":"f","type":"Int ->"}]}]"#,
        r#"[{"name":"A","values":[{"name":"f","type":"( Int"}]}]"#,
        r#"[{"name":"A","values":[{"name":"f","type":"{ : Int }"}]}]"#,
        r#"[{"name":"A","values":[{"name":"f","type":"Int )"}]}]"#,
    ] {
        assert!(Api::parse(text.as_bytes()).is_err(), "{text}");
    }
    let deep = format!(r#"[{{"name":"A","values":[{{"name":"f","type":"{}a"}}]}}]"#, "(".repeat(10_000));
    assert!(Api::parse(deep.as_bytes()).is_err());
}
