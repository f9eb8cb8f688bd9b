//! Packages that need one another: the compiler never ends on them, so nobody is handed any.

use std::collections::BTreeMap;

use weir_kind::{Closure, KindError, Placed};
use weir_model::{KindName, PackageName};
use weir_rules::needed_first;

/// Refuses a project in which a package of Elm needs itself, whatever is between.
pub(crate) fn refuse_circles(closure: &Closure) -> Result<(), KindError> {
    let packages: Vec<&Placed> =
        closure.packages.iter().filter(|placed| placed.kind == KindName::Elm).collect();
    let places: BTreeMap<&PackageName, usize> =
        packages.iter().enumerate().map(|(place, placed)| (&placed.id.name, place)).collect();
    let needs = |place: usize| {
        packages[place].dependencies.iter().filter_map(|id| places.get(&id.name).copied()).collect::<Vec<_>>()
    };
    needed_first(packages.len(), needs).map(drop).map_err(|circle| {
        let circle: Vec<String> = circle.into_iter().map(|place| packages[place].id.to_string()).collect();
        KindError::NotAllowed(format!(
            "Elm's compiler never ends on packages that need one another: `{}`. Another version of one of them may be without that",
            circle.join("` needs `")
        ))
    })
}
