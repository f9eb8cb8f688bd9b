use tempfile::TempDir;

use super::*;

/// A folder with these files; `{NAME}` in a text is a whole recipe of that name.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    folder
}

fn recipe_of(name: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nkind = \"native\"\n\
         [recipe]\nsource = {{ path = \"src\" }}\nsystem = \"cmake\"\n"
    )
}

fn problems(folder: &TempDir) -> String {
    let error = RecipeSet::read(folder.path()).unwrap_err();
    error.to_string().replace(&folder.path().display().to_string(), "BOOK")
}

#[test]
fn a_book_has_one_recipe_a_folder_by_its_name() {
    let folder = folder(&[
        ("packages/base/zlib/weir.toml", &recipe_of("base/zlib")),
        ("packages/base/zlib/fix.patch", ""),
        ("packages/acme/greet/weir.toml", &recipe_of("acme/greet")),
        ("packages/acme/.hidden/weir.toml", "not a recipe"),
        ("packages/README.md", "about"),
        ("weir.toml", "[scripts]\nbuild = \"weir repo update\"\n"),
    ]);
    let recipe_set = RecipeSet::read(folder.path()).unwrap();
    let names: Vec<_> = recipe_set.names().map(PackageName::as_str).collect();
    assert_eq!(names, ["acme/greet", "base/zlib"]);
    let zlib = recipe_set.get(&"base/zlib".parse().unwrap()).unwrap();
    assert_eq!(zlib.folder, folder.path().join("packages/base/zlib"));
    assert_eq!(recipe_set.warnings(), &[] as &[String]);
}

#[test]
fn the_folder_of_one_recipe_is_a_recipe_set_too() {
    let folder = folder(&[("weir.toml", &recipe_of("base/zlib"))]);
    assert_eq!(RecipeSet::read(folder.path()).unwrap().recipes().count(), 1);
    fs_err::write(folder.path().join("weir.toml"), recipe_of("base/zlib").replace("cmake", "cmaek")).unwrap();
    assert_eq!(
        problems(&folder),
        "one thing is wrong with the recipes in `BOOK`:\n  `BOOK/weir.toml`: `cmaek` is not a build system (line 7)"
    );
}

#[test]
fn a_folder_without_recipes_is_told_from_one_that_is_not_there() {
    let empty = folder(&[("weir.toml", "[package]\nname = \"a/b\"\n")]);
    assert!(matches!(RecipeSet::read(empty.path()), Err(RecipeSetError::NotARecipeSet { .. })));
    assert!(matches!(RecipeSet::read(&empty.path().join("gone")), Err(RecipeSetError::Io { .. })));
    assert!(matches!(RecipeSet::read(&empty.path().join("weir.toml")), Err(RecipeSetError::Io { .. })));
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let folder = folder(&[
        ("packages/base/a/weir.toml", "[package"),
        ("packages/base/b/weir.toml", &recipe_of("base/other")),
        ("packages/base/c/weir.toml", &recipe_of("base/c").replace("system", "sistem")),
        ("packages/base/d-e/weir.toml", &recipe_of("base/d-e")),
        ("packages/base/d_e/weir.toml", &recipe_of("base/d_e")),
        ("packages/base/nothing/README.md", ""),
    ]);
    fs_err::create_dir_all(folder.path().join("packages/base/f/weir.toml")).unwrap();
    fs_err::create_dir_all(folder.path().join("packages/base/g")).unwrap();
    fs_err::write(folder.path().join("packages/base/g/weir.toml"), b"\xff").unwrap();
    let said = problems(&folder);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[0], "6 things are wrong with the recipes in `BOOK`:");
    assert!(
        lines[1].starts_with("  `BOOK/packages/base/a/weir.toml`: ") && lines[1].ends_with("(line 1)"),
        "{said}"
    );
    assert_eq!(
        lines[2..],
        [
            "  `BOOK/packages/base/b/weir.toml` is the recipe of `base/other`, and its folder is that of `base/b`",
            "  `BOOK/packages/base/c/weir.toml`: unknown field `sistem` in `[recipe]` (line 7)",
            "  `BOOK/packages/base/f/weir.toml` is not a file",
            "  `BOOK/packages/base/g/weir.toml` is not UTF-8",
            "  `BOOK/packages/base/d_e/weir.toml` builds `base/d_e`, and `BOOK/packages/base/d-e/weir.toml` a package of this name or of one that looks like it",
        ]
    );
}

#[test]
fn of_very_many_problems_only_the_first_are_said() {
    let files: Vec<_> = (0..30).map(|n| (format!("packages/base/p{n:02}/weir.toml"), "[")).collect();
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let said = problems(&folder(&files));
    assert_eq!(said.lines().count(), 22);
    assert!(said.starts_with("30 things are wrong") && said.ends_with("and 10 more"), "{said}");
}

#[test]
fn a_link_out_of_the_book_is_not_followed() {
    let elsewhere = folder(&[("zlib/weir.toml", &recipe_of("base/zlib")), ("secret", "[package]\n")]);
    let folder = folder(&[("packages/base/a/weir.toml", &recipe_of("base/a"))]);
    let base = folder.path().join("packages/base");
    fs_err::os::unix::fs::symlink("a/weir.toml", base.join("inside")).unwrap();
    fs_err::os::unix::fs::symlink(elsewhere.path().join("zlib"), base.join("zlib")).unwrap();
    fs_err::create_dir_all(base.join("leak")).unwrap();
    fs_err::os::unix::fs::symlink(elsewhere.path().join("secret"), base.join("leak/weir.toml")).unwrap();
    fs_err::os::unix::fs::symlink("nowhere", base.join("dangling")).unwrap();
    let said = problems(&folder);
    assert!(said.contains("`BOOK/packages/base/zlib/weir.toml` leads out of the recipes, to "), "{said}");
    assert!(said.contains("`BOOK/packages/base/leak/weir.toml` leads out of the recipes, to "), "{said}");
    assert_eq!(said.lines().count(), 3, "{said}");
}

#[test]
fn a_folder_without_a_recipe_is_noticed() {
    let folder =
        folder(&[("packages/base/a/weir.toml", &recipe_of("base/a")), ("packages/base/b/README.md", "")]);
    let recipe_set = RecipeSet::read(folder.path()).unwrap();
    assert!(recipe_set.warnings()[0].ends_with("packages/base/b` has no `weir.toml`: it is left out"));
}

#[test]
fn an_unknown_package_is_answered_with_the_one_that_was_meant() {
    let folder = folder(&[("packages/base/zlib/weir.toml", &recipe_of("base/zlib"))]);
    let recipe_set = RecipeSet::read(folder.path()).unwrap();
    let nearest =
        |name: &str| recipe_set.get(&name.parse().unwrap()).unwrap_err().nearest.map(|name| name.to_string());
    assert_eq!(nearest("base/zilb"), Some("base/zlib".into()));
    assert_eq!(nearest("madler/zlib"), Some("base/zlib".into()));
    assert_eq!(nearest("acme/greet"), None);
}
