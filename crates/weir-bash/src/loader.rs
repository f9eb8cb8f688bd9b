//! The scripts that load packages: what `weir bash init` prints, and each project's index.
//!
//! `eval "$(weir bash init)"` defines `weir.load` and `weir.load-all` ([`init_script`]). They find the project
//! the caller belongs to by its file's place (or the current folder), and read its
//! index ([`index_script`]), `weir_packages/load.bash`, once. The index is plain data: where each package is, relative
//! to the project, what it needs, in which order, and what to source. It holds no absolute path, so a project can be moved.
//!
//! Loading costs one `source` a file and no process: nothing here forks. It works from Bash 4.3 on, under
//! `set -euo pipefail`, with any `IFS` and any shell options. Every name, path and value goes through
//! [`quote::word`](crate::quote::word), so that none of them is ever code.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::manifest::BashManifest;
use crate::quote::{comment, word};

/// Where a project's index is.
pub const INDEX_FILE: &str = "weir_packages/load.bash";

/// A package as the index knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexPackage {
    /// Its name, `owner/name`.
    pub name: String,
    /// Where it is, from the project's folder: `weir_packages/packages/acme/core@1.0.0`.
    pub path: String,
    /// Whether the project asks for it itself.
    pub direct: bool,
    /// The files that are sourced, from its own folder, in order.
    pub sources: Vec<String>,
    /// Variables to export where they are not set.
    pub environment: BTreeMap<String, String>,
    /// What `set -o` is told.
    pub options: BTreeMap<String, bool>,
    /// What `shopt` is told.
    pub shopt: BTreeMap<String, bool>,
    /// The packages it uses, as places in the list.
    pub dependencies: Vec<usize>,
}

/// The script that `weir bash init` prints. `global` is the folder of the global packages, used where
/// a caller belongs to no project.
pub fn init_script(global: Option<&str>) -> String {
    format!("{}__weir_global={}\n", include_str!("loader/init.bash"), word(global.unwrap_or_default()))
}

/// The text of a project's index.
pub fn index_script(packages: &[IndexPackage]) -> String {
    let mut text = String::from(
        "# shellcheck shell=bash disable=SC2034,SC2154\n# Written by Weir: `weir install` replaces it.\n",
    );
    let mut direct = Vec::new();
    for (index, package) in packages.iter().enumerate() {
        let _ = writeln!(text, "\n# {}", comment(&package.path));
        let _ = writeln!(text, "__weir_k=$__weir_root/{}", word(&package.path));
        let _ = writeln!(text, "__weir_name[\"$__weir_k\"]={}", word(&package.name));
        text.push_str("__weir_home[\"$__weir_k\"]=$__weir_root\n");
        // A command of the package may ask for the package itself.
        let _ = writeln!(text, "__weir_n={}", word(&package.name));
        text.push_str("__weir_found[\"$__weir_k:$__weir_n\"]=$__weir_k\n");
        if package.direct {
            direct.push(package.path.clone());
            let _ = writeln!(text, "__weir_found[\"$__weir_root:$__weir_n\"]=$__weir_k");
        }
        for dependency in package.dependencies.iter().filter_map(|dependency| packages.get(*dependency)) {
            let _ = writeln!(text, "__weir_n={}", word(&dependency.name));
            let _ = writeln!(
                text,
                "__weir_found[\"$__weir_k:$__weir_n\"]=$__weir_root/{}",
                word(&dependency.path)
            );
        }
        let needs: Vec<&str> =
            load_order(packages, index).into_iter().map(|need| packages[need].path.as_str()).collect();
        list(&mut text, "__weir_needs", needs.into_iter());
        let own = package.dependencies.iter().filter_map(|dependency| packages.get(*dependency));
        list(&mut text, "__weir_direct", own.map(|dependency| dependency.path.as_str()));
        list(&mut text, "__weir_sources", package.sources.iter().map(String::as_str));
        let settings = settings(package);
        list(&mut text, "__weir_settings", settings.iter().map(String::as_str));
    }
    let _ = writeln!(text, "\n__weir_k=$__weir_root");
    list(&mut text, "__weir_direct", direct.iter().map(String::as_str));
    text.push_str("\\builtin unset -v __weir_k __weir_n\n");
    text
}

/// The separator of lists in the index: no path, name or option holds it.
const SEPARATOR: char = '\u{1e}';

fn list<'a>(text: &mut String, array: &str, entries: impl Iterator<Item = &'a str>) {
    let entries: Vec<&str> = entries.filter(|entry| !entry.contains(SEPARATOR)).collect();
    if !entries.is_empty() {
        let _ = writeln!(text, "{array}[\"$__weir_k\"]={}", word(&entries.join(&SEPARATOR.to_string())));
    }
}

fn settings(package: &IndexPackage) -> Vec<String> {
    let switch = |on: &bool| if *on { '-' } else { '+' };
    let options = package.options.iter().map(|(name, on)| format!("o{}{name}", switch(on)));
    let shopt = package.shopt.iter().map(|(name, on)| format!("s{}{name}", switch(on)));
    let environment = BashManifest::safe_environment(&package.environment);
    let environment = environment.map(|(name, value)| format!("e-{name}={value}"));
    options.chain(shopt).chain(environment).collect()
}

/// What must be loaded before a package, dependencies first, each once; a cycle is entered where it is met.
pub(crate) fn load_order(packages: &[IndexPackage], package: usize) -> Vec<usize> {
    let mut order = Vec::new();
    let mut met = vec![false; packages.len()];
    met[package] = true;
    let mut path = vec![(package, 0)];
    while let Some((current, next)) = path.last_mut() {
        let current = *current;
        match packages[current].dependencies.get(*next).copied() {
            Some(dependency) => {
                *next += 1;
                if dependency < packages.len() && !met[dependency] {
                    met[dependency] = true;
                    path.push((dependency, 0));
                }
            }
            None => {
                path.pop();
                if current != package {
                    order.push(current);
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests;
