//! Files of an install tree that lie where nobody looks for them.

use std::collections::BTreeSet;

use super::BuildPlaces;
use crate::{Level, PREFIX};

/// The folders of a prefix, as the GNU Coding Standards have them ("Variables for Installation Directories").
const FOLDERS: [&str; 8] = ["bin", "etc", "include", "lib", "libexec", "sbin", "share", "var"];

/// What is to be told of these paths: how much it matters, of which, and what.
pub(super) fn findings(paths: &BTreeSet<String>) -> Vec<(Level, String, String)> {
    let places = BuildPlaces::default();
    let places: Vec<&String> = places.sysroots.iter().chain(&places.workplaces).collect();
    let tops: BTreeSet<&str> = paths.iter().filter_map(|path| path.split('/').next()).collect();
    let mut found = Vec::new();
    for top in tops.into_iter().filter(|top| !FOLDERS.contains(top)) {
        let below = || paths.iter().filter(|path| path.split('/').next() == Some(top));
        let of_the_build = below().find_map(|path| {
            let mut places = places.iter().map(|place| place.as_str()).chain([PREFIX]);
            places.find(|place| is_below(path, place)).map(|place| (path, place))
        });
        match of_the_build {
            Some((path, place)) => found.push((
                Level::Error,
                path.clone(),
                format!(
                    "lies in the package under a path of its build: its build system put the prefix before `{place}`, \
                     which it had from somewhere else; tell it a folder of the prefix, such as `lib`"
                ),
            )),
            None => found.push((
                Level::Warning,
                top.to_owned(),
                format!("is none of {}: nobody looks there for what is installed", FOLDERS.map(|folder| format!("`{folder}`")).join(", ")),
            )),
        }
    }
    found
}

/// Whether a relative path begins with the parts of an absolute one.
fn is_below(path: &str, place: &str) -> bool {
    path.strip_prefix(place.trim_start_matches('/')).is_some_and(|rest| rest.starts_with('/'))
}
