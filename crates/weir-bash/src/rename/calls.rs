//! Who calls whom, and what variables are given, by their names: what of a package [`trace`](super::trace) looks up at every step.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::facts::{Facts, Function, FunctionId, Role};
use super::values::{Gift, Given};

/// How often each function assigns a variable, by their names.
pub(super) fn assignments(facts: &Facts) -> HashMap<(FunctionId, &[u8]), usize> {
    let mut all = HashMap::new();
    for occurrence in &facts.occurrences {
        let assigns = matches!(
            occurrence.role,
            Role::Assign | Role::AssignDefault | Role::VariableName { assigns: true }
        );
        if assigns {
            *all.entry((occurrence.function, &occurrence.text.bytes[..])).or_default() += 1;
        }
    }
    all
}

/// Names of functions that are written as anything else than a command: those may be called by value.
pub(super) fn names_by_value(facts: &Facts) -> HashSet<&[u8]> {
    let is_value = |role: &Role| matches!(role, Role::Argument { .. } | Role::Value { .. });
    let values = facts.occurrences.iter().filter(|occurrence| is_value(&occurrence.role));
    values.map(|occurrence| &occurrence.text.bytes[..]).collect()
}

/// Who calls each function by its name.
pub(super) fn callers(facts: &Facts) -> HashMap<&[u8], BTreeSet<FunctionId>> {
    let calls = facts.values.calls.iter();
    calls.map(|(name, gifts)| (&name[..], gifts.iter().map(|gift| gift.function).collect())).collect()
}

/// Which functions hand something back to a variable, by the name that they are called with.
pub(super) fn takers(facts: &Facts) -> HashMap<&[u8], BTreeSet<FunctionId>> {
    let mut all: HashMap<&[u8], BTreeSet<FunctionId>> = HashMap::new();
    for (id, function) in (0..).zip(&facts.functions).skip(1) {
        if function.namerefs.is_empty() && !facts.values.handed_back.contains_key(&id) {
            continue;
        }
        for gift in facts.values.calls.get(&function.name).into_iter().flatten() {
            let Given::Words { texts, .. } = &gift.given else { continue };
            for text in texts.iter().filter(|text| text.is_known()) {
                all.entry(&text.bytes).or_default().insert(id);
            }
        }
    }
    all
}

/// What the variables of one name are given.
#[derive(Debug, Default)]
pub(super) struct Gifts<'a> {
    /// Where it is no local one.
    pub(super) shared: Vec<&'a Gift>,
    /// In functions that have one for themselves.
    pub(super) own: BTreeMap<FunctionId, Vec<&'a Gift>>,
}

/// What the variables of each name are given.
pub(super) fn gifts(facts: &Facts) -> HashMap<&[u8], Gifts<'_>> {
    let mut all: HashMap<&[u8], Gifts<'_>> = HashMap::new();
    for (name, gifts) in &facts.values.variables {
        let of = all.entry(name).or_default();
        for gift in gifts {
            match facts.functions[gift.function as usize].locals.contains(name) {
                true => of.own.entry(gift.function).or_default().push(gift),
                false => of.shared.push(gift),
            }
        }
    }
    all
}

/// The functions of each name.
pub(super) fn by_name(functions: &[Function]) -> HashMap<&[u8], Vec<FunctionId>> {
    let mut all: HashMap<&[u8], Vec<FunctionId>> = HashMap::new();
    for (id, function) in (0..).zip(functions).skip(1) {
        all.entry(&function.name).or_default().push(id);
    }
    all
}
