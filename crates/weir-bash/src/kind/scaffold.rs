//! A new package: a library with a slug, a test, and nothing that shellcheck minds.

use weir_kind::Scaffold;

/// The files of a new package called `name`.
pub(super) fn scaffold(name: &str) -> Scaffold {
    let slug = slug(name);
    let fill = |text: &str| text.replace("@NAME@", name).replace("@SLUG@", &slug);
    let manifest = format!(
        "\n[bash]\n# What the names of its functions begin with.\nslug = \"{slug}\"\n\
         # What `weir.load` sources: folders, files or globs.\nsource = [\"src\"]\n"
    );
    let files = vec![
        (format!("src/{name}.sh"), fill(include_str!("scaffold/library.sh")), false),
        (format!("tests/{name}.bats"), fill(include_str!("scaffold/test.bats")), false),
        ("README.md".into(), fill(include_str!("scaffold/README.md")), false),
    ];
    Scaffold { manifest, files }
}

/// The name as a slug: a letter first, then letters, digits and `_`.
fn slug(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let plain: String = plain.chars().take(60).collect();
    if plain.starts_with(|c: char| c.is_ascii_alphabetic()) { plain } else { format!("p_{plain}") }
}
