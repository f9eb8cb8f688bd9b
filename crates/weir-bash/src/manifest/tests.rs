//! Manifests as they are found, and as they should not be.

use super::{GitRequirement, ManifestError, read_basalt, read_basher, read_bpkg, read_table_text};

fn git(text: &str) -> Result<(String, Option<String>), &'static str> {
    let requirement = text.parse::<GitRequirement>().map_err(|error| error.reason)?;
    Ok((
        format!("{}|{}|{}|{}", requirement.site, requirement.owner, requirement.repo, requirement.url),
        requirement.reference,
    ))
}

#[test]
fn a_repository_is_named_in_many_ways() {
    let github = "github.com|a|b|https://github.com/a/b.git".to_owned();
    for text in [
        "a/b@v1",
        "https://github.com/a/b.git@v1",
        "https://github.com/a/b@v1",
        "github.com/a/b@v1",
        "git@github.com:a/b.git@v1",
    ] {
        assert_eq!(git(text), Ok((github.clone(), Some("v1".into()))), "{text}");
    }
    assert_eq!(git("a/b"), Ok((github, None)));
    assert_eq!(git("file:///srv/a/b@x/y"), Ok(("file|a|b|file:///srv/a/b".into(), Some("x/y".into()))));
    assert_eq!(
        git("https://Example.org/a/b"),
        Ok(("example.org|a|b|https://example.org/a/b.git".into(), None))
    );
}

#[test]
fn what_could_be_an_option_or_code_names_no_repository() {
    for text in [
        "a",
        "",
        "-a/b",
        "a/--upload-pack=x",
        "a/b@--x",
        "a/b@v1;rm",
        "a/b@$(x)",
        "ext::sh -c x/y",
        "a/../b",
        "https://a/b",
        "ftp://h/a/b",
        "a/b@",
        "a/b@x..y",
    ] {
        assert!(git(text).is_err(), "{text}");
    }
}

#[test]
fn the_table_is_read_and_unknown_fields_name_the_nearest() {
    let manifest = read_table_text(
        "[bash]\nslug = 'bash_toml'\nsource = ['src/', './lib/*.sh']\nbin = 'bin'\noptions = ['errexit']\nshopt = { nullglob = false }\nkeep = ['X']\n[bash.environment]\nA = 'b'\n",
    )
    .unwrap();
    assert_eq!(
        (manifest.slugs[0].as_str(), manifest.source, manifest.bin),
        ("bash_toml", vec!["src".into(), "lib/*.sh".into()], vec!["bin".into()])
    );
    assert_eq!(
        (manifest.options["errexit"], manifest.shopt["nullglob"], manifest.environment["A"].as_str()),
        (true, false, "b")
    );
    let error = read_table_text("sorce = 'x'\n").unwrap_err();
    assert_eq!(error.to_string(), "`bash` has no field `sorce`: did you mean `source`?");
}

#[test]
fn paths_outside_the_package_and_dangerous_variables_are_refused() {
    for text in [
        "source = '../x'",
        "bin = '/usr/bin'",
        "slug = 'a.b'",
        "slug = '1'",
        "environment = { PATH = 'x' }",
        "environment = { WEIR_HOME = 'x' }",
        "environment = { GIT_SSH_COMMAND = 'x' }",
        "environment = { SSH_ASKPASS = 'x' }",
        "environment = { https_proxy = 'x' }",
        "environment = { PYTHONPATH = 'x' }",
        "environment = { LC_ALL = 'x' }",
        "environment = { PAGER = 'x' }",
        "environment = { 'a b' = 'x' }",
        "options = ['a;b']",
    ] {
        assert!(matches!(read_table_text(text), Err(ManifestError::BadValue { .. })), "{text}");
    }
}

#[test]
fn an_untidy_basalt_file_is_read_with_warnings() {
    let text = "[package]\nname = 'bash-term'\nslug = ['term']\nversion = 'v0.6.3'\nauthors = ['Ann']\n[run]\n\
        dependencies = ['https://github.com/hyperupcall/bash-core@v0.11.0', 'owner/repo@v1', '???']\n\
        binDirs = []\nsourceDirs = ['pkg/src/public', '../out']\n[run.setOptions]\nerrexit = 'on'\n[run.shoptOptions]\nextglob = 'on'\n[run.shellEnvironment]\n";
    let manifest = read_basalt(text).unwrap();
    assert_eq!((manifest.name.as_deref(), manifest.version.as_deref()), (Some("bash-term"), Some("0.6.3")));
    assert_eq!(
        (manifest.bash.slugs, manifest.bash.source),
        (vec!["term".to_owned()], vec!["pkg/src/public".to_owned()])
    );
    let names: Vec<String> = manifest.dependencies.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["github.com/hyperupcall/bash-core@v0.11.0", "github.com/owner/repo@v1"]);
    assert!(manifest.bash.options["errexit"] && manifest.bash.shopt["extglob"]);
    assert_eq!(manifest.warnings.len(), 3, "{:?}", manifest.warnings);
    assert!(read_basalt("[package").is_err());
}

#[test]
fn bpkg_and_npm_files_are_told_apart() {
    let bpkg = read_bpkg(r#"{"name":"term","version":"0.0.1","scripts":["term.sh"],"files":["lib.sh","a.txt"],"dependencies":{"a/b":"1.0.0"},"install":"make"}"#).unwrap();
    assert_eq!((bpkg.bash.bin, bpkg.bash.source), (vec!["term.sh".to_owned()], vec!["lib.sh".to_owned()]));
    assert_eq!(bpkg.dependencies[0].reference.as_deref(), Some("1.0.0"));
    assert_eq!(bpkg.warnings.len(), 1);
    let npm = read_bpkg(r#"{"name":"bats","bin":{"bats":"bin/bats"},"scripts":{"test":"x"},"dependencies":{"left-pad":"^1"}}"#).unwrap();
    assert_eq!((npm.bash.bin, npm.dependencies.len()), (vec!["bin/bats".to_owned()], 0));
    assert!(read_bpkg("[]").is_err());
}

#[test]
fn the_parts_of_a_program_are_not_sourced_and_the_files_of_a_library_are() {
    let read = |text: &str| read_bpkg(text).unwrap();
    let program =
        read(r#"{"name":"shellspec","scripts":["shellspec"],"files":["lib/bootstrap.sh","lib/core.sh"]}"#);
    assert!(program.bash.source.is_empty());
    assert_eq!(program.warnings, ["`files`: `lib/bootstrap.sh`, `lib/core.sh` are packed, and not sourced"]);
    let many: Vec<String> = (1..=105).map(|number| format!("\"lib/part{number}.sh\"")).collect();
    let program = read(&format!(r#"{{"name":"spec","scripts":["spec"],"files":[{}]}}"#, many.join(",")));
    assert_eq!(
        program.warnings,
        [
            "`files`: 105 shell files are packed, and not sourced: `lib/part1.sh`, `lib/part2.sh`, `lib/part3.sh`, …"
        ]
    );
    let with_entry = read(r#"{"name":"a/str","scripts":["str"],"files":["lib/str.sh","lib/more.sh"]}"#);
    assert_eq!(with_entry.bash.source, ["lib/str.sh"]);
    let library = read(r#"{"name":"str","files":["lib/one.sh","lib/two.sh"]}"#);
    assert_eq!(library.bash.source, ["lib/one.sh", "lib/two.sh"]);
}

#[test]
fn a_basher_file_is_parsed_and_never_run() {
    let text = "# about\nBINS=bin/a:bin/b\nBASH_COMPLETIONS='c/a.bash'\nDEPS=\"a/b@v1:https://h.org/c/d\"\nX=$(touch /tmp/pwned)\nrm -rf /\nBINS=../x\nBINS=(bin/c)\n";
    let manifest = read_basher(text).unwrap();
    assert_eq!(
        (manifest.bash.bin, manifest.bash.completion),
        (vec!["bin/a".to_owned(), "bin/b".to_owned()], vec!["c/a.bash".to_owned()])
    );
    let names: Vec<String> = manifest.dependencies.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["github.com/a/b@v1", "h.org/c/d"]);
    assert_eq!(manifest.warnings.len(), 4, "{:?}", manifest.warnings);
    assert!(manifest.warnings[0].starts_with("line 5 is not a literal assignment"));
    assert!(manifest.warnings[3].starts_with("line 8 is not a literal assignment"));
}

#[test]
fn of_the_files_that_npm_packs_an_installer_is_never_sourced() {
    let text = r#"{"name":"bats-x","scripts":{"test":"x"},"files":["install.sh","load.bash","lib"],"directories":{"bin":"bin","man":"man"}}"#;
    let manifest = super::read_bpkg(text).unwrap();
    assert_eq!(manifest.bash.source, ["load.bash"]);
    assert_eq!((manifest.bash.bin, manifest.bash.man), (vec!["bin".to_owned()], vec!["man".to_owned()]));
    assert_eq!(manifest.warnings, ["`files`: `install.sh` is packed, and not sourced"]);
}

#[test]
fn the_guide_names_every_field_and_what_it_shows_is_read() {
    let guide = include_str!("../../../../docs/guide/bash.md");
    let tables = guide.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let table = tables.into_iter().find(|table| table.contains("slug = ")).unwrap();
    let manifest = read_table_text(table).unwrap();
    assert_eq!(manifest.slugs, ["greet"]);
    for field in super::table::FIELDS {
        assert!(table.lines().any(|line| line.starts_with(&format!("{field} = "))), "{field}");
    }
}
