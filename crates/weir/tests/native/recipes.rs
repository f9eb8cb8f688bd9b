//! Recipes of a few lines: a registry, a folder `recipes` for recipes, and libraries that give a number.

use serde_json::Value;
use weir_testkit::{Run, Sandbox};

/// An empty folder with a home of its own, a closed registry `org`, and a folder `recipes` for recipes.
pub(crate) fn recipe_set() -> Sandbox {
    let t = Sandbox::new(env!("CARGO_BIN_EXE_weir"));
    t.weir_in("", "registry init org --name org --closed --kind native --default").succeeds();
    fs_err::create_dir(t.path("recipes")).unwrap();
    t
}

/// `zlib`; `curl` and `png`, which need it; `view`, which needs both; and `fmt`, which needs nothing.
pub(crate) fn five(t: &Sandbox) {
    library(t, "zlib", "1.2.13").write();
    library(t, "fmt", "9.1.0").write();
    library(t, "curl", "7.88.1").needs("zlib", "^1.2").write();
    library(t, "png", "1.6.39").needs("zlib", "^1").write();
    library(t, "view", "2.0.0").needs("curl", "*").needs("png", "*").write();
}

/// The recipe of a library in the making: a function `<name>_number`, which adds to a number of its own those of
/// the libraries that it needs.
#[must_use = "nothing is written before `write`"]
pub(crate) struct Library<'t> {
    t: &'t Sandbox,
    name: String,
    version: String,
    needs: Vec<(String, String)>,
    uses: Vec<String>,
    number: u32,
    before: String,
    variants: &'static str,
}

pub(crate) fn library<'t>(t: &'t Sandbox, name: &str, version: &str) -> Library<'t> {
    Library {
        t,
        name: name.into(),
        version: version.into(),
        needs: Vec::new(),
        uses: Vec::new(),
        number: 1,
        before: String::new(),
        variants: "\"release\"",
    }
}

impl Library<'_> {
    /// A library that it declares and uses.
    pub(crate) fn needs(mut self, name: &str, range: &str) -> Self {
        self.needs.push((name.into(), range.into()));
        self.uses.push(name.into());
        self
    }

    /// A library that it uses and does not declare.
    pub(crate) fn uses(mut self, name: &str) -> Self {
        self.uses.push(name.into());
        self
    }

    pub(crate) fn number(mut self, number: u32) -> Self {
        self.number = number;
        self
    }

    /// Lines of shell that are run before it is compiled.
    pub(crate) fn first(mut self, lines: &str) -> Self {
        self.before.push_str(lines);
        self.before.push('\n');
        self
    }

    pub(crate) fn both_variants(mut self) -> Self {
        self.variants = "\"release\", \"debug\"";
        self
    }

    /// Writes its recipe and its source into the folder `recipes`, in place of what is there.
    pub(crate) fn write(self) {
        let Self { t, name, version, needs, uses, number, before, variants } = self;
        let folder = format!("recipes/packages/base/{name}");
        let needs: String =
            needs.iter().map(|(name, range)| format!("\"base/{name}\" = \"{range}\"\n")).collect();
        t.write(
            format!("{folder}/weir.toml"),
            format!(
                "[package]\nname = \"base/{name}\"\nversion = \"{version}\"\nkind = \"native\"\nlicense = \"MIT\"\n\n\
                 [dependencies]\n{needs}\n[recipe]\nsource = {{ path = \"src\" }}\nsystem = \"script\"\n\
                 script = \"build.sh\"\nvariants = [{variants}]\n"
            ),
        );
        let links: String = uses.iter().map(|name| format!(" -l{name}")).collect();
        t.write(
            format!("{folder}/build.sh"),
            format!(
                "{before}to=$DESTDIR$PREFIX\nmkdir -p \"$to/include\" \"$to/lib\"\ncp {name}.h \"$to/include/\"\n\
                 cc -fPIC -shared -Wl,-soname,lib{name}.so {name}.c -o \"$to/lib/lib{name}.so\" \
                 {links}\n"
            ),
        );
        let includes: String = uses.iter().map(|name| format!("#include <{name}.h>\n")).collect();
        let sum: String = uses.iter().map(|name| format!(" + {name}_number()")).collect();
        t.write(format!("{folder}/src/{name}.h"), format!("int {name}_number(void);\n"));
        t.write(
            format!("{folder}/src/{name}.c"),
            format!(
                "#include <stdlib.h>\n#include \"{name}.h\"\n{includes}\
                 int {name}_number(void) {{ return atoi(\"{number}\"){sum}; }}\n"
            ),
        );
    }
}

/// Runs the program among the recipes.
pub(crate) fn weir(t: &Sandbox, typed: &str) -> Run {
    t.weir_in("recipes", typed)
}

/// What it prints for programs.
#[track_caller]
pub(crate) fn json(t: &Sandbox, typed: &str) -> Value {
    let run = weir(t, &format!("--json {typed}"));
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}\n{run}"))
}

/// The log of the registry, as it stands: the same as before if nothing was changed.
pub(crate) fn checkpoint(t: &Sandbox) -> String {
    t.read("org/checkpoint")
}

/// What is offered: `curl 7.88.1 revision 1`, sorted.
pub(crate) fn offered(t: &Sandbox) -> Vec<String> {
    let lines = json(t, "repo status");
    let offered = lines["packages"].as_array().unwrap().iter().filter(|line| !line["offered"].is_null());
    offered.map(|line| release(&line["offered"])).collect()
}

/// A release as `curl 7.88.1 revision 1`.
pub(crate) fn release(id: &Value) -> String {
    let name = id["name"].as_str().unwrap().strip_prefix("base/").unwrap();
    match id["revision"].as_u64().unwrap_or_default() {
        0 => format!("{name} {}", id["version"].as_str().unwrap()),
        revision => format!("{name} {} revision {revision}", id["version"].as_str().unwrap()),
    }
}

/// The releases in a list of things that have an `id`.
pub(crate) fn releases(things: &Value) -> Vec<String> {
    things.as_array().unwrap().iter().map(|thing| release(&thing["id"])).collect()
}

/// What was built just now, and not taken from before.
pub(crate) fn built_now(document: &Value) -> Vec<String> {
    let built = document["report"]["built"].as_array().unwrap().iter();
    built.filter(|built| built["how"] == "built").map(|built| release(&built["id"])).collect()
}

/// The same for any platform and any speed, for comparing with what is written in a test.
pub(crate) fn plain(t: &Sandbox, run: &Run) -> String {
    let platform = json(t, "root show")["platform"].as_str().unwrap().to_owned();
    let page = run.to_string().replace(&platform, "[PLATFORM]");
    let mut plain = String::new();
    for line in page.lines() {
        match line.rsplit_once(" in ") {
            Some((before, time)) if time.ends_with(" s") => plain.push_str(&format!("{before} in [TIME]\n")),
            _ => plain.push_str(&format!("{line}\n")),
        }
    }
    plain
}
