//! Whether two things that packages offer are the same to whoever uses them: variables of types may have other names, as long as
//! each has one and no two have the same.

use std::collections::{BTreeMap, BTreeSet};

use super::docs::Entry;
use super::tipe::Type;

/// What a variable was called and is called.
type Renamed<'a> = Vec<(&'a str, &'a str)>;

/// Whether two entries of one name are the same.
pub(super) fn is_same(old: &Entry, new: &Entry) -> bool {
    match (old, new) {
        (Entry::Union { vars, cases, .. }, Entry::Union { vars: new_vars, cases: new_cases, .. }) => {
            cases.len() == new_cases.len()
                && cases.iter().zip(new_cases).all(|((old_name, old), (new_name, new))| {
                    old_name == new_name
                        && old.len() == new.len()
                        && old.iter().zip(new).all(|(old, new)| is_same_type(vars, old, new_vars, new))
                })
                && vars.len() == new_vars.len()
        }
        (Entry::Alias { vars, is, .. }, Entry::Alias { vars: new_vars, is: new_is, .. }) => {
            is_same_type(vars, is, new_vars, new_is)
        }
        (Entry::Value { is, .. }, Entry::Value { is: new_is, .. }) => is_same_type(&[], is, &[], new_is),
        (
            Entry::Operator { is, associativity, precedence, .. },
            Entry::Operator {
                is: new_is, associativity: new_associativity, precedence: new_precedence, ..
            },
        ) => {
            is_same_type(&[], is, &[], new_is)
                && associativity == new_associativity
                && precedence == new_precedence
        }
        _ => false,
    }
}

fn is_same_type(old_vars: &[String], old: &Type, new_vars: &[String], new: &Type) -> bool {
    let mut renamed: Renamed<'_> =
        old_vars.iter().zip(new_vars).map(|(old, new)| (old.as_str(), new.as_str())).collect();
    old_vars.len() == new_vars.len() && compare(old, new, &mut renamed) && is_renaming(&renamed)
}

/// Whether two types have the same form; collects how variables are called in both.
fn compare<'a>(old: &'a Type, new: &'a Type, renamed: &mut Renamed<'a>) -> bool {
    let all = |old: &'a [Type], new: &'a [Type], renamed: &mut Renamed<'a>| {
        old.len() == new.len() && old.iter().zip(new).all(|(old, new)| compare(old, new, renamed))
    };
    match (old, new) {
        (Type::Var(old), Type::Var(new)) => {
            renamed.push((old, new));
            true
        }
        (Type::Function(old, old_to), Type::Function(new, new_to)) => {
            compare(old, new, renamed) && compare(old_to, new_to, renamed)
        }
        (Type::Named(old, old_given), Type::Named(new, new_given)) => {
            is_same_name(old, new) && all(old_given, new_given, renamed)
        }
        (Type::Tuple(old), Type::Tuple(new)) => all(old, new, renamed),
        (Type::Record(old_extended, old), Type::Record(new_extended, new)) => {
            match (old_extended, new_extended) {
                (None, None) => {}
                (Some(old), Some(new)) => renamed.push((old, new)),
                _ => return false,
            }
            let sorted = |fields: &'a [(String, Type)]| {
                fields.iter().map(|(name, is)| (name.as_str(), is)).collect::<BTreeMap<_, _>>()
            };
            let (old, new) = (sorted(old), sorted(new));
            old.len() == new.len()
                && old.into_iter().zip(new).all(|((old_name, old), (new_name, new))| {
                    old_name == new_name && compare(old, new, renamed)
                })
        }
        _ => false,
    }
}

/// Very old documentation has names without the modules that they come from.
fn is_same_name(old: &str, new: &str) -> bool {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    match old.contains('.') && new.contains('.') {
        true => old == new,
        false => last(old) == last(new),
    }
}

/// Whether each variable has one new name that no other has, and stands for as much as it did.
fn is_renaming(renamed: &Renamed<'_>) -> bool {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let is_one = renamed.iter().all(|(old, new)| *names.entry(old).or_insert(new) == *new);
    let distinct: BTreeSet<&&str> = names.values().collect();
    is_one && distinct.len() == names.len() && names.iter().all(|(old, new)| stands_for_as_much(old, new))
}

/// Variables with some names stand for some types only.
fn stands_for_as_much(old: &str, new: &str) -> bool {
    let sort = |name: &str| {
        ["compappend", "comparable", "appendable", "number"].into_iter().find(|sort| name.starts_with(sort))
    };
    match (sort(old), sort(new)) {
        (_, None) => true,
        (Some("number"), Some("comparable")) => true,
        (old, new) => old == new,
    }
}
