use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use weir_model::manifest::Source;
use weir_model::{Digest, Scope, Sha256};

use super::*;

fn parse(text: &str) -> Result<Recipe, RecipeError> {
    Recipe::parse(text, Path::new("weir.toml"), Path::new("recipes/zlib"))
}

const PACKAGE: &str = "[package]\nname = \"base/zlib\"\nversion = \"1.3.1\"\nkind = \"native\"\n";
const SOURCE: &str = "source = { path = \"src\" }\n";

/// A recipe with more lines in `[recipe]`; the first of them is line 8.
fn with(lines: &str) -> Result<Recipe, RecipeError> {
    parse(&format!("{PACKAGE}\n[recipe]\n{SOURCE}{lines}"))
}

fn message(read: Result<Recipe, RecipeError>) -> String {
    let error = read.unwrap_err().error;
    match error.help {
        Some(help) => format!("{}: {} ({help})", error.line, error.message),
        None => format!("{}: {}", error.line, error.message),
    }
}

const FULL: &str = r#"
[package]
name = "base/curl"
version = "7.79.1"
kind = "native"
license = "curl"

[dependencies]
"base/zlib" = "^1.2.11"

[build-dependencies]
"base/pkgconf" = "2"

[dev-dependencies]
"base/check" = "*"

[recipe]
source = { url = "https://host.example/curl.tar.gz", mirrors = ["../cache/curl.tar.gz"], sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", subfolder = "src/lib" }
patches = ["fix.patch", "patches/more.patch"]
system = "cmake"
defines = { BUILD_SHARED_LIBS = true, TESTS = false, LEVEL = 3, NAME = "a b;c $(d)" }
environment = { CFLAGS = "-g" }
variants = ["debug", "release"]
system-libraries = ["libm.so.6", "libdl.so.2"]
timeout = "30m"
memory = "4GiB"
disk = "8GiB"
processes = 512

[recipe.debug]
defines = { LEVEL = 0 }
environment = { CXXFLAGS = "-O0" }
"#;

#[test]
fn a_recipe_says_what_is_built_from_what_and_how() {
    let recipe = parse(FULL).unwrap();
    assert_eq!(recipe.name.as_str(), "base/curl");
    let needed: Vec<_> = recipe.dependencies.iter().map(|d| (d.name.to_string(), d.scope)).collect();
    assert_eq!(needed, [("base/zlib".into(), Scope::Run), ("base/pkgconf".into(), Scope::Build)]);
    let mirrors = vec!["https://host.example/curl.tar.gz".into(), "../cache/curl.tar.gz".into()];
    assert_eq!(recipe.source, SourceSpec::Archive { mirrors, sha256: Digest::of("") });
    assert_eq!(recipe.subfolder.as_deref(), Some("src/lib"));
    assert_eq!(recipe.system, System::Cmake);
    assert_eq!(recipe.variants, Variant::ALL);
    assert_eq!(recipe.system_libraries, ["libdl.so.2", "libm.so.6"]);
    let limits =
        BuildLimits { time: Duration::from_mins(30), memory: 4 << 30, disk: 8 << 30, processes: 512 };
    assert_eq!(recipe.limits, limits);
}

#[test]
fn what_is_set_for_one_variant_comes_before_what_is_set_for_all() {
    let recipe = parse(FULL).unwrap();
    let release = recipe.settings(Variant::Release);
    let debug = recipe.settings(Variant::Debug);
    assert_eq!((&*release.defines["LEVEL"], &*debug.defines["LEVEL"]), ("3", "0"));
    assert_eq!((&*release.defines["TESTS"], &*debug.defines["BUILD_SHARED_LIBS"]), ("OFF", "ON"));
    assert_eq!(release.environment.get("CXXFLAGS"), None);
    assert_eq!((&*debug.environment["CXXFLAGS"], &*debug.environment["CFLAGS"]), ("-O0", "-g"));
}

#[test]
fn submodules_are_part_of_a_git_source_that_asks_for_them() {
    let source = |fields: &str| {
        let text = format!("{PACKAGE}\n[recipe]\nsystem = \"cmake\"\nsource = {{ {fields} }}\n");
        parse(&text).map(|recipe| recipe.source)
    };
    let git = |fields: &str| source(&format!("git = \"https://host.example/r\", tag = \"v1\"{fields}"));
    for (fields, expected) in [("", false), (", submodules = false", false), (", submodules = true", true)] {
        let Ok(SourceSpec::Git { submodules, .. }) = git(fields) else { panic!("{fields}") };
        assert_eq!(submodules, expected, "{fields}");
    }
    let refused = source("path = \"src\", submodules = true").unwrap_err();
    assert_eq!(refused.error.message, "`submodules` are those of a `git` repository");
}

#[test]
fn yes_and_no_are_said_as_the_build_system_says_them() {
    for (system, yes, no) in
        [("cmake", "ON", "OFF"), ("meson", "true", "false"), ("autotools", "yes", "no"), ("make", "1", "0")]
    {
        let recipe = with(&format!("system = \"{system}\"\ndefines = {{ A = true, B = false }}\n")).unwrap();
        assert_eq!((&*recipe.defines["A"], &*recipe.defines["B"]), (yes, no), "{system}");
    }
}

#[test]
fn a_mistyped_field_is_named_with_its_line_and_the_nearest_known_one() {
    let lines = "system = \"cmake\"\ndefine = { A = 1 }\n";
    assert_eq!(message(with(lines)), "9: unknown field `define` in `[recipe]` (did you mean `defines`?)");
    assert_eq!(
        message(with("system = \"cmaek\"\n")),
        "8: `cmaek` is not a build system (did you mean `cmake`?)"
    );
    assert_eq!(
        message(with("system = \"cmake\"\n[recipe.debug]\nenviroment = {}\n")),
        "10: unknown field `enviroment` in `[recipe.debug]` (did you mean `environment`?)"
    );
    assert_eq!(
        message(with("system = \"cmake\"\nvariants = [\"relase\"]\n")),
        "9: `relase` is not a variant: expected `release` or `debug` (did you mean `release`?)"
    );
}

#[test]
fn a_wrong_type_is_named_with_its_line() {
    for (line, expected) in [
        ("defines = [1]", "9: `defines` in `[recipe]` must be a table, not array"),
        (
            "defines = { A = 1.5 }",
            "9: `A` in `defines` must be a string, a whole number, `true` or `false`, not float",
        ),
        ("environment = { A = 1 }", "9: `A` in `environment` must be a string, not integer"),
        ("patches = \"x\"", "9: `patches` in `[recipe]` must be a list of strings, not string"),
        ("timeout = 30", "9: `timeout` in `[recipe]` must be a string, not integer"),
        ("processes = -1", "9: `processes` in `[recipe]` must be a number that is not negative, not integer"),
        ("debug = 1", "9: `debug` in `[recipe]` must be a table, not integer"),
    ] {
        assert_eq!(message(with(&format!("system = \"cmake\"\n{line}\n"))), expected);
    }
}

#[test]
fn a_source_is_exactly_one_thing() {
    let source =
        |source: &str| message(parse(&format!("{PACKAGE}[recipe]\nsystem = \"cmake\"\nsource = {source}\n")));
    for both in [
        "{ path = \"a\", git = \"https://h.example/a\", tag = \"v1\" }",
        "{ url = \"a.tar\", path = \"a\" }",
        "{ path = \"a\", tag = \"v1\" }",
        "{ path = \"a\", sha256 = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\" }",
    ] {
        assert!(source(both).starts_with("7: `source` says more than one thing"), "{}", source(both));
    }
    assert!(source("{}").contains("names nothing"));
    assert!(source("{ git = \"https://h.example/a\" }").contains("needs a `tag`"));
    assert!(source("{ url = \"a.tar\" }").contains("needs a `sha256`"));
    assert!(source("{ url = \"a.tar\", sha256 = \"1234\" }").contains("is not a digest"));
    assert!(message(parse(&format!("{PACKAGE}[recipe]\nsystem = \"cmake\"\n"))).contains("needs a `source`"));
}

#[test]
fn what_becomes_an_argument_or_a_path_is_checked() {
    let refused = |lines: &str| {
        assert!(with(lines).is_err(), "{lines}");
    };
    for name in ["-A", "A=B", "", "a b", "CMAKE_INSTALL_PREFIX", "é", "A\\u0000", "A;B"] {
        refused(&format!("system = \"cmake\"\ndefines = {{ \"{name}\" = 1 }}\n"));
    }
    for name in ["PATH", "HOME", "LD_PRELOAD", "LC_ALL", "1A", "A-B", "A=B", "", "WEIR_X", "DESTDIR"] {
        refused(&format!("system = \"cmake\"\nenvironment = {{ \"{name}\" = \"x\" }}\n"));
        refused(&format!("system = \"script\"\nscript = \"b.sh\"\ndefines = {{ \"{name}\" = \"x\" }}\n"));
    }
    refused("system = \"cmake\"\ndefines = { A = \"x\\u0000y\" }\n");
    refused("system = \"cmake\"\nenvironment = { A = \"x\\ny\" }\n");
    for path in ["../x.patch", "/x.patch", "a/../x", "", "a\\\\b", "nul"] {
        refused(&format!("system = \"cmake\"\npatches = [\"{path}\"]\n"));
        refused(&format!("system = \"script\"\nscript = \"{path}\"\n"));
    }
    for target in ["-f", "A=B", "../x", "", "a b", "$(x)"] {
        refused(&format!("system = \"make\"\ntargets = [\"{target}\"]\n"));
    }
    for library in ["../libm.so", "libm", "", "-l.so", "/lib/libm.so.6"] {
        refused(&format!("system = \"cmake\"\nsystem-libraries = [\"{library}\"]\n"));
    }
    let many: String = (0..257).map(|n| format!("A{n} = 1, ")).collect();
    refused(&format!("system = \"cmake\"\ndefines = {{ {many} }}\n"));
    refused(&format!("system = \"cmake\"\ndefines = {{ A = \"{}\" }}\n", "x".repeat(20_000)));
}

#[test]
fn addresses_that_would_start_something_or_tell_a_secret_are_refused() {
    let source = |source: &str| parse(&format!("{PACKAGE}[recipe]\nsystem = \"cmake\"\nsource = {source}\n"));
    for git in [
        "--upload-pack=x",
        "ext::sh -c x",
        "https://me:secret@h.example/a",
        "gopher://h/a",
        "ssh://a:b@h/c",
        "",
    ] {
        assert!(source(&format!("{{ git = \"{git}\", tag = \"v1\" }}")).is_err(), "{git}");
    }
    for git in [
        "https://h.example/a.git",
        "git@h.example:a/b.git",
        "ssh://git@h.example/a",
        "../a",
        "/srv/a",
        "file:///srv/a",
    ] {
        assert!(source(&format!("{{ git = \"{git}\", tag = \"v1\" }}")).is_ok(), "{git}");
    }
    for tag in ["-x", "a b", "a..b", "a:b", "", "a~1", "a\\u0007", "/a", "a/", "a@{1}"] {
        assert!(source(&format!("{{ git = \"../a\", tag = \"{tag}\" }}")).is_err(), "{tag}");
    }
    let digest = Sha256::of("").to_hex();
    for url in ["ftp://h.example/a", "https://me@h.example/a", "-x", "https:///a", "a\\u0000"] {
        assert!(source(&format!("{{ url = \"{url}\", sha256 = \"{digest}\" }}")).is_err(), "{url}");
    }
    for path in ["/etc", "~/x", "", "https://h.example"] {
        assert!(source(&format!("{{ path = \"{path}\" }}")).is_err(), "{path}");
    }
}

#[test]
fn a_script_and_targets_stand_only_with_their_system() {
    assert!(message(with("system = \"cmake\"\nscript = \"b.sh\"\n")).contains("needs `system = \"script\"`"));
    assert!(message(with("system = \"script\"\n")).contains("needs a `script`"));
    assert!(message(with("system = \"cmake\"\ntargets = [\"all\"]\n")).contains("need `system = \"make\"`"));
    assert!(message(with("")).contains("needs a `system`"));
}

#[test]
fn variants_are_named_once_and_only_they_have_settings() {
    for (lines, expected) in [
        ("variants = []", "must name at least one"),
        ("variants = [\"debug\", \"debug\"]", "`debug` is named twice"),
        ("variants = [\"release\"]\n[recipe.debug]\ndefines = { A = 1 }", "`variants` leaves out"),
    ] {
        assert!(message(with(&format!("system = \"cmake\"\n{lines}\n"))).contains(expected), "{lines}");
    }
    assert_eq!(with("system = \"cmake\"\nvariants = [\"debug\"]\n").unwrap().variants, [Variant::Debug]);
}

#[test]
fn what_a_recipe_cannot_have_is_refused() {
    let text = format!("{PACKAGE}[recipe]\n{SOURCE}system = \"cmake\"\n");
    let twisted = |from: &str, to: &str| message(parse(&text.replace(from, to)));
    assert!(twisted("kind = \"native\"", "kind = \"bash\"").contains("of the kind `native`, not `bash`"));
    assert!(twisted("version = \"1.3.1\"\n", "").contains("needs a `version`"));
    assert!(twisted("name = \"base/zlib\"\n", "").contains("needs a `name`"));
    assert!(twisted("[recipe]", "platform = \"x86-64-debian-12\"\n[recipe]").contains("names no `platform`"));
    let more = |more: &str| message(parse(&format!("{text}{more}")));
    assert!(more("[dependencies]\n\"base/zlib\" = \"1\"\n").contains("needs itself"));
    assert!(more("[dependencies]\n\"base/a\" = { path = \"../a\" }\n").contains("give a range only"));
    assert!(
        more("[dependencies]\n\"base/a\" = { range = \"1\", fluid = true }\n").contains("cannot be fluid")
    );
    assert!(more("[bin]\nx = \"y\"\n").contains("has no `[bin]`"));
    assert!(message(parse(PACKAGE)).contains("there is no table `[recipe]`"));
}

fn inputs() -> RecipeInputs {
    RecipeInputs { source: Digest::of("tree"), script: None, patches: Vec::new() }
}

#[test]
fn spelling_limits_and_where_a_source_comes_from_do_not_change_the_document() {
    let document = |text: &str| parse(text).unwrap().document(&inputs());
    let whole = document(FULL);
    for (from, to) in [
        ("LEVEL = 3", "LEVEL = \"3\""),
        ("memory = \"4GiB\"", "memory = \"1GiB\""),
        ("https://host.example", "https://elsewhere.example"),
        ("[\"debug\", \"release\"]", "[\"release\", \"debug\"]"),
        ("version = \"7.79.1\"", "version = \"7.79.2\""),
    ] {
        assert_eq!(document(&FULL.replace(from, to)), whole, "{to}");
    }
    let same = FULL
        .replace("defines = { LEVEL = 0 }", "defines = { LEVEL = 0, OWN = 1 }")
        .replace("[recipe.debug]", "[recipe.release]\ndefines = { OWN = 1 }\n[recipe.debug]");
    assert_eq!(document(&same), document(&FULL.replace("LEVEL = 3", "LEVEL = 3, OWN = 1")));
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["A", "BUILD_SHARED", "c", "_d", "E1"]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[ -~]{0,12}", "[a-z\"'\\\\$é]{1,4}", Just("ON".to_owned())]
}

fn settings() -> impl Strategy<Value = BTreeMap<String, String>> {
    prop::collection::btree_map(name(), value(), 0..3)
}

fn path() -> impl Strategy<Value = String> {
    "[a-c]{1,2}(/[a-c ]?[a-c]{1,2}){0,2}"
}

fn system() -> impl Strategy<Value = System> {
    prop_oneof![
        Just(System::Cmake),
        Just(System::Meson),
        Just(System::Autotools),
        prop::collection::vec("[a-b]{1,2}", 0..3).prop_map(|targets| System::Make { targets }),
        path().prop_map(|file| System::Script { file }),
    ]
}

fn source() -> impl Strategy<Value = SourceSpec> {
    prop_oneof![
        ("[a-z]{1,3}", "v[0-9]{1,2}", any::<bool>()).prop_map(|(host, tag, submodules)| {
            SourceSpec::Git { url: format!("https://{host}.example/r.git"), tag, submodules }
        }),
        (prop::collection::vec("[a-z]{1,3}", 1..3), any::<[u8; 32]>())
            .prop_map(|(mirrors, hash)| SourceSpec::Archive { mirrors, sha256: Digest::from_bytes(hash) }),
        "(\\.\\./)?[a-z]{1,3}".prop_map(SourceSpec::Path),
    ]
}

fn dependencies() -> impl Strategy<Value = Vec<Requirement>> {
    let ranges = prop::sample::select(vec!["*", "^1.2", ">=1, <3 || 4.*", "1.0.0 <= v < 2.0.0"]);
    let scopes = prop::sample::select(vec![Scope::Run, Scope::Build]);
    prop::collection::btree_map((scopes, "[a-c]{1,2}"), ranges, 0..4).prop_map(|needed| {
        let mut needed: Vec<_> = needed
            .into_iter()
            .map(|((scope, name), range)| Requirement {
                name: format!("dep/{name}").parse().unwrap(),
                range: range.parse().unwrap(),
                scope,
                fluid: false,
                registry: None,
                source: Source::Registry,
                line: 0,
            })
            .collect();
        needed.sort_by_key(|needed| needed.scope == Scope::Build);
        needed
    })
}

fn limits() -> impl Strategy<Value = BuildLimits> {
    (1_u64..172_800, (1_u64 << 20)..(1 << 44), (1_u64 << 20)..(1 << 44), 1_u32..65_536).prop_map(
        |(seconds, memory, disk, processes)| BuildLimits {
            time: Duration::from_secs(seconds),
            memory,
            disk,
            processes,
        },
    )
}

prop_compose! {
    pub(crate) fn recipe()(
        license in prop::option::of("[A-Z]{1,4}"),
        description in prop::option::of("[ -~é]{0,20}"),
        dependencies in dependencies(),
        source in source(),
        subfolder in prop::option::of(path()),
        patches in prop::collection::vec(path(), 0..3),
        system in system(),
        (defines, environment) in (settings(), settings()),
        variants in prop::sample::subsequence(Variant::ALL.to_vec(), 1..=2),
        own in prop::collection::btree_map(prop::sample::select(Variant::ALL.to_vec()), (settings(), settings()), 0..3),
        system_libraries in prop::collection::btree_set("lib[a-c]\\.so\\.[0-9]", 0..3),
        limits in limits(),
    ) -> Recipe {
        let of_variant = own
            .into_iter()
            .map(|(variant, (defines, environment))| (variant, Settings { defines, environment }))
            .filter(|(variant, settings)| variants.contains(variant) && !settings.is_empty());
        Recipe {
            name: "base/lib".parse().unwrap(),
            version: Version::new(1, 2, 3),
            license,
            description,
            dependencies,
            folder: "recipes/lib".into(),
            file: "recipes/lib/weir.toml".into(),
            source,
            subfolder,
            patches,
            system,
            defines,
            environment,
            of_variant: of_variant.collect(),
            variants,
            tools: Vec::new(),
            system_libraries: system_libraries.into_iter().collect(),
            limits,
        }
    }
}

/// A recipe as it was, but for the lines of the file that its dependencies are on.
pub(crate) fn without_lines(mut recipe: Recipe) -> Recipe {
    for needed in &mut recipe.dependencies {
        needed.line = 0;
    }
    recipe
}

/// What a recipe tells a build, said again in another way than the document says it.
fn decisive(recipe: &Recipe) -> impl PartialEq {
    let settings: Vec<_> =
        recipe.variants.iter().map(|variant| (*variant, recipe.settings(*variant))).collect();
    let system = match &recipe.system {
        // The script counts by what is in it, not by what it is called.
        System::Script { .. } => System::Script { file: String::new() },
        system => system.clone(),
    };
    (system, settings, recipe.subfolder.clone(), recipe.system_libraries.clone())
}

/// One recipe with some fields of another.
fn crossed(one: &Recipe, other: &Recipe, take: u16) -> Recipe {
    let mut recipe = one.clone();
    let mut bit = 0;
    let mut taken = || {
        bit += 1;
        take & (1 << (bit - 1)) != 0
    };
    macro_rules! cross {
        ($($field:ident),+) => { $(if taken() { recipe.$field = other.$field.clone(); })+ };
    }
    cross!(
        license,
        dependencies,
        source,
        subfolder,
        system,
        defines,
        environment,
        variants,
        of_variant,
        system_libraries,
        limits
    );
    recipe.of_variant.retain(|variant, _| recipe.variants.contains(variant));
    recipe
}

proptest! {
    #[test]
    fn what_is_written_reads_as_the_same_recipe(recipe in recipe()) {
        let text = recipe.to_manifest_text();
        let read = Recipe::parse(&text, &recipe.file, &recipe.folder);
        let read = read.unwrap_or_else(|error| panic!("{error}\n{text}"));
        prop_assert_eq!(without_lines(read), recipe, "{}", text);
    }

    #[test]
    fn two_recipes_differ_in_what_they_build_if_and_only_if_their_documents_do(
        one in recipe(),
        other in recipe(),
        take in prop_oneof![any::<u16>(), (0_u16..11).prop_map(|bit| 1_u16 << bit)],
    ) {
        let crossed = crossed(&one, &other, take);
        let same = one.document(&inputs()) == crossed.document(&inputs());
        prop_assert_eq!(same, decisive(&one) == decisive(&crossed));
    }

    #[test]
    fn any_text_ends(text in any::<String>(), lines in "[ -~\n]{0,200}") {
        let _ = parse(&text);
        let _ = with(&lines);
        let _ = parse(&format!("{PACKAGE}{lines}"));
    }
}

/// A recipe built by a script, with a patch, in a folder of its own.
fn on_disk() -> (tempfile::TempDir, Recipe) {
    let folder = tempfile::tempdir().unwrap();
    fs_err::create_dir_all(folder.path().join("recipe/patches")).unwrap();
    fs_err::write(folder.path().join("recipe/build.sh"), "make\n").unwrap();
    fs_err::write(folder.path().join("recipe/patches/fix.patch"), "fixed").unwrap();
    let mut recipe =
        with("system = \"script\"\nscript = \"build.sh\"\npatches = [\"patches/fix.patch\"]\n").unwrap();
    recipe.folder = folder.path().join("recipe");
    (folder, recipe)
}

#[test]
fn the_inputs_are_the_files_that_the_recipe_names_and_decide_its_document() {
    let (_folder, recipe) = on_disk();
    let source = Digest::of("tree");
    let inputs = RecipeInputs::read(&recipe, source).unwrap();
    assert_eq!(inputs.script.as_ref().unwrap().bytes, b"make\n");
    assert_eq!(
        (&*inputs.patches[0].name, inputs.patches[0].digest),
        ("patches/fix.patch", Digest::of("fixed"))
    );
    let document = recipe.document(&inputs);
    for (name, text) in [("build.sh", "make all\n"), ("patches/fix.patch", "fixed again")] {
        let (_folder, other) = on_disk();
        fs_err::write(other.folder.join(name), text).unwrap();
        assert_ne!(other.document(&RecipeInputs::read(&other, source).unwrap()), document, "{name}");
    }
    assert_ne!(recipe.document(&RecipeInputs::read(&recipe, Digest::of("another")).unwrap()), document);
}

#[test]
fn a_file_that_is_gone_no_file_too_long_or_elsewhere_is_no_input() {
    type Spoil = fn(&Path);
    let cases: [(Spoil, &str); 4] = [
        (|script| fs_err::remove_file(script).unwrap(), "is not there"),
        (
            |script| {
                fs_err::remove_file(script).unwrap();
                fs_err::create_dir(script).unwrap();
            },
            "is not a file",
        ),
        (|script| fs_err::File::create(script).unwrap().set_len(17 << 20).unwrap(), "is longer than"),
        (
            |script| {
                fs_err::rename(script, script.with_file_name("../outside")).unwrap();
                fs_err::os::unix::fs::symlink("../outside", script).unwrap();
            },
            "leads out of the recipe's folder",
        ),
    ];
    for (spoil, expected) in cases {
        let (_folder, recipe) = on_disk();
        spoil(&recipe.folder.join("build.sh"));
        let said = RecipeInputs::read(&recipe, Digest::of("tree")).unwrap_err().to_string();
        assert!(said.contains(expected), "{said}");
    }
}
