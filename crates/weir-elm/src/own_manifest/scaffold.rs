//! A new package or application that compiles.

use weir_kind::NewManifest;
use weir_model::manifest::Package as About;
use weir_model::{PackageName, Version};

/// What nearly every program has, in the versions that are the newest since 2020. `weir update` finds newer ones.
const CORE: &str = "1.0.5";
const JSON: &str = "1.1.3";

/// The compiler that a new application is for where none is here.
const COMPILER: Version = Version::new(0, 19, 1);

const MAIN: &str = "module Main exposing (main)


main : Program () () ()
main =
    Platform.worker
        { init = \\_ -> ( (), Cmd.none )
        , update = \\_ model -> ( model, Cmd.none )
        , subscriptions = \\_ -> Sub.none
        }
";

pub(super) fn scaffold(new: &About, compiler: Option<&Version>) -> NewManifest {
    let (text, files) = match &new.name {
        None => (application(compiler.unwrap_or(&COMPILER)), vec![("src/Main.elm".into(), MAIN.into())]),
        Some(name) => package(name, new),
    };
    NewManifest { text, files, ignored: vec!["/elm-stuff/".into()] }
}

fn application(compiler: &Version) -> String {
    format!(
        r#"{{
    "type": "application",
    "source-directories": [
        "src"
    ],
    "elm-version": "{compiler}",
    "dependencies": {{
        "direct": {{
            "elm/core": "{CORE}"
        }},
        "indirect": {{
            "elm/json": "{JSON}"
        }}
    }},
    "test-dependencies": {{
        "direct": {{}},
        "indirect": {{}}
    }}
}}
"#
    )
}

fn package(name: &PackageName, new: &About) -> (String, Vec<(String, String)>) {
    let module = module(name);
    let version = new.version.clone().unwrap_or(Version::new(1, 0, 0));
    let license = new.license.as_deref().unwrap_or("BSD-3-Clause");
    let text = format!(
        r#"{{
    "type": "package",
    "name": "{name}",
    "summary": "What it is good for, in a line",
    "license": "{license}",
    "version": "{version}",
    "exposed-modules": [
        "{module}"
    ],
    "elm-version": "0.19.0 <= v < 0.20.0",
    "dependencies": {{
        "elm/core": "1.0.0 <= v < 2.0.0"
    }},
    "test-dependencies": {{}}
}}
"#
    );
    let source = format!(
        "module {module} exposing (twice)

{{-| What it is good for.

@docs twice

-}}


{{-| Twice as much: `twice 2 == 4`.
-}}
twice : Int -> Int
twice number =
    number + number
"
    );
    let readme = format!("# {name}\n\nWhat it is good for.\n");
    (text, vec![(format!("src/{module}.elm"), source), ("README.md".into(), readme)])
}

/// The name after the `/` as that of a module: `elm-json-more` gives `JsonMore`.
fn module(name: &PackageName) -> String {
    let words = name
        .name()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty() && *word != "elm");
    let module: String = words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect();
    if module.starts_with(|c: char| c.is_ascii_uppercase()) { module } else { "Main".into() }
}

#[cfg(test)]
mod tests {
    use weir_model::manifest::Package as About;

    use super::{module, scaffold};
    use crate::elm_json::ElmJson;

    #[test]
    fn what_is_begun_reads_and_is_written_as_elm_would() {
        let named = About { name: Some("acme/elm-json-more".parse().unwrap()), ..About::default() };
        for new in [About::default(), named] {
            let text = scaffold(&new, None).text;
            assert_eq!(ElmJson::parse(&text).unwrap().to_text(), text);
        }
        assert_eq!(module(&"acme/elm-json-more".parse().unwrap()), "JsonMore");
        assert_eq!(module(&"acme/elm".parse().unwrap()), "Main");
    }
}
