//! The order of building: each after everything that it needs, and by name where that leaves a choice.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::PackageName;

/// Puts names in order. What is needed but not among the names plays no part.
///
/// # Errors
///
/// A cycle, if there is one: each name needs the next, and the first is also the last.
pub(super) fn order<'n, Needs>(
    names: &BTreeSet<&'n PackageName>,
    needs: impl Fn(&'n PackageName) -> Needs,
) -> Result<Vec<&'n PackageName>, Vec<PackageName>>
where
    Needs: Iterator<Item = &'n PackageName>,
{
    let mut waits_for: BTreeMap<&PackageName, BTreeSet<&PackageName>> = BTreeMap::new();
    let mut needed_by: BTreeMap<&PackageName, Vec<&PackageName>> = BTreeMap::new();
    for name in names {
        let needed: BTreeSet<_> = needs(name).filter(|needed| names.contains(needed)).collect();
        for needed in &needed {
            needed_by.entry(needed).or_default().push(name);
        }
        waits_for.insert(name, needed);
    }
    let mut ready: BTreeSet<_> =
        waits_for.iter().filter(|(_, needed)| needed.is_empty()).map(|(name, _)| *name).collect();
    let mut order = Vec::with_capacity(names.len());
    while let Some(name) = ready.pop_first() {
        order.push(name);
        waits_for.remove(name);
        for waiting in needed_by.remove(name).unwrap_or_default() {
            let Some(needed) = waits_for.get_mut(waiting) else { continue };
            needed.remove(name);
            if needed.is_empty() {
                ready.insert(waiting);
            }
        }
    }
    match waits_for.keys().next() {
        None => Ok(order),
        Some(first) => Err(cycle(first, &waits_for)),
    }
}

/// A cycle among names that all wait for one another: whatever it starts from leads into one.
fn cycle(
    start: &PackageName,
    waits_for: &BTreeMap<&PackageName, BTreeSet<&PackageName>>,
) -> Vec<PackageName> {
    let mut path: Vec<PackageName> = Vec::new();
    let mut name = start;
    loop {
        let seen = path.iter().position(|passed| passed == name);
        path.push(name.clone());
        if let Some(seen) = seen {
            return path.split_off(seen);
        }
        match waits_for.get(name).and_then(BTreeSet::first) {
            Some(next) => name = next,
            None => return path,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use weir_model::PackageName;

    fn order(graph: &[(&str, &[&str])]) -> Result<String, String> {
        let graph: Vec<(PackageName, Vec<PackageName>)> = graph
            .iter()
            .map(|(name, needs)| {
                (name.parse().unwrap(), needs.iter().map(|need| need.parse().unwrap()).collect())
            })
            .collect();
        let names: BTreeSet<&PackageName> = graph.iter().map(|(name, _)| name).collect();
        let needs = |name: &PackageName| graph.iter().find(|(other, _)| other == name).unwrap().1.iter();
        let text =
            |names: Vec<&PackageName>| names.iter().map(|name| name.name()).collect::<Vec<_>>().join(" ");
        super::order(&names, needs).map(text).map_err(|cycle| text(cycle.iter().collect()))
    }

    #[test]
    fn each_comes_after_what_it_needs_and_by_name_otherwise() {
        let graph: &[(&str, &[&str])] =
            &[("t/c", &["t/z", "t/z", "t/elsewhere"]), ("t/z", &[]), ("t/a", &["t/c"]), ("t/b", &[])];
        assert_eq!(order(graph).unwrap(), "b z c a");
    }

    #[test]
    fn a_cycle_is_shown_without_what_leads_into_it() {
        let graph: &[(&str, &[&str])] =
            &[("t/a", &["t/x"]), ("t/x", &["t/y"]), ("t/y", &["t/ok", "t/x"]), ("t/ok", &[])];
        assert_eq!(order(graph).unwrap_err(), "x y x");
        assert_eq!(order(&[("t/self", &["t/self"])]).unwrap_err(), "self self");
    }
}
