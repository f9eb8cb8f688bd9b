//! How a package is used, in the words of its kind: what one types, and what one writes.

use weir_elm::{until_next_major, written};
use weir_index::ReleaseView;
use weir_model::KindName;

/// A step: what it is for, and what is typed or written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    /// What it is for.
    pub(crate) what: &'static str,
    /// The text.
    pub(crate) text: String,
}

/// The steps that use a release, of a registry that a project may know already.
pub(crate) fn steps(view: &ReleaseView, registry: &str, location: &str) -> Vec<Step> {
    let name = &view.release.id.name;
    let short = name.as_str().split_once('/').map_or(name.as_str(), |(_, short)| short);
    let mut steps = Vec::new();
    if !location.is_empty() {
        let text = format!("weir registry add {registry} {location}");
        steps.push(Step { what: "Once, to know the registry", text });
    }
    steps.push(Step { what: "In a project", text: format!("weir add {name}") });
    let last = match view.release.kind {
        KindName::Bash => {
            Step { what: "In a script", text: format!("eval \"$(weir bash init)\"\nweir.load {name}") }
        }
        KindName::Elm => {
            // What `weir add` writes there, for who would rather see it.
            let text = match written(&until_next_major(&view.release.id.version)) {
                Some(range) => format!(
                    "\"{name}\": \"{}\"    in an application\n\"{name}\": \"{range}\"    in a package",
                    view.release.id.version
                ),
                None => format!("\"{name}\": \"{}\"", view.release.id.version),
            };
            steps.push(Step { what: "In elm.json stands then", text });
            Step { what: "To compile", text: "weir run -- elm make src/Main.elm".to_owned() }
        }
        KindName::Native => {
            Step { what: "In CMakeLists.txt", text: format!("find_package({short} CONFIG REQUIRED)") }
        }
        KindName::Data | KindName::Generic => {
            Step { what: "Its files", text: format!("ls weir_packages/packages/{name}") }
        }
    };
    steps.push(last);
    steps
}
