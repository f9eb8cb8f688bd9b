//! The vectors in `vectors/` by which another implementation can check itself: recipes with their
//! documents and digests.
//!
//! `WEIR_WRITE_VECTORS=1 cargo test -p weir-native --test vectors` writes them anew, after a change of the format.
use std::path::Path;

use serde_json::json;
use weir_model::{Digest, Sha256};
use weir_native::{Recipe, RecipeInputs};

const PACKAGE: &str = "[package]\nname = \"base/lib\"\nversion = \"1.0.0\"\nkind = \"native\"\n\n[recipe]\n";

const RECIPES: [(&str, &str); 5] = [
    (
        "as little as can be said",
        "source = { git = \"https://git.example/lib\", tag = \"v1\" }\nsystem = \"cmake\"\n",
    ),
    (
        "settings of both variants, of one, and as a build system says them",
        "source = { path = \"src\", subfolder = \"a/b\" }\nsystem = \"meson\"\nsystem-libraries = [\"libm.so.6\", \"libdl.so.2\"]\n\
         defines = { shared = true, level = 3, text = \"“é” \\\\ \\\" $(x)\" }\nenvironment = { CFLAGS = \"-g -O1\" }\n\
         [recipe.debug]\ndefines = { level = 0 }\nenvironment = { CXXFLAGS = \"\" }\n",
    ),
    (
        "one variant",
        "source = { path = \"src\" }\nsystem = \"autotools\"\nvariants = [\"release\"]\n[recipe.defines]\ndisable-static = \"\"\n",
    ),
    (
        "targets, in their order",
        "source = { path = \"src\" }\nsystem = \"make\"\ntargets = [\"lib\", \"all\"]\n",
    ),
    (
        "a script and patches",
        "source = { path = \"src\" }\nsystem = \"script\"\nscript = \"build.sh\"\npatches = [\"2.patch\", \"1.patch\"]\n",
    ),
];

#[test]
fn the_document_of_a_recipe_is_what_the_vectors_say() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("build.sh", "make\n"), ("1.patch", "one"), ("2.patch", "two")] {
        fs_err::write(folder.path().join(name), text).unwrap();
    }
    let source = Digest::of("weir-tree v1\n");
    let made = RECIPES.map(|(what, recipe)| {
        let text = format!("{PACKAGE}{recipe}");
        let recipe = Recipe::parse(&text, Path::new("weir.toml"), folder.path()).unwrap();
        let document = recipe.document(&RecipeInputs::read(&recipe, source).unwrap());
        let digest = Sha256::of(&document);
        json!({"what": what, "manifest": text, "document": String::from_utf8(document).unwrap(), "sha256": digest})
    });
    let about = "The source's tree is the empty one; build.sh is \"make\\n\", 1.patch is \"one\", 2.patch is \"two\".";
    let mut made = json!({"about": about, "recipes": made});
    made.sort_all_objects();
    let text = format!("{}\n", serde_json::to_string_pretty(&made).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/recipes.json");
    if std::env::var_os("WEIR_WRITE_VECTORS").is_some() {
        fs_err::write(&path, &text).unwrap();
    }
    assert_eq!(fs_err::read_to_string(&path).unwrap(), text, "the format changed");
}
