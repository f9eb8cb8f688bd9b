//! The last look: names that change, at places that no rule has looked at.
//!
//! Every file is cut into runs of name characters. A run that is the name of a renamed function or
//! variable, is in no comment, and was not decided, is reported as kept. This is what makes silence impossible,
//! whatever the rules have missed.

use std::collections::BTreeSet;

use super::SourceFile;
use super::decide::{Doubt, Verdicts};
use super::facts::{Facts, Region};
use super::names::{Names, Owner, is_distinctive, is_distinctive_variable};
use super::report::{Choice, Why};

/// Reports what no rule has looked at.
pub(crate) fn search(files: &[SourceFile], facts: &Facts, names: &Names, verdicts: &mut Verdicts) {
    if names.functions.is_empty() && names.variables.is_empty() {
        return;
    }
    for (index, file) in (0..).zip(files) {
        let mut regions = Regions::new(&facts.regions[index as usize]);
        for (start, name, owner) in found(index, &file.bytes, names) {
            let region = regions.at(start);
            let told = matches!(region, Some(Region::Comment | Region::Message));
            if told || verdicts.seen.contains(&(index, start)) {
                continue;
            }
            let why = match region {
                Some(Region::HereDocument) => Why::InHereDocument,
                Some(Region::String) => Why::InString,
                Some(Region::Comment | Region::Message) | None => Why::Elsewhere,
            };
            let (text, choice) = (name.to_vec(), Choice::Kept);
            verdicts.doubts.push(Doubt { file: index, start, text, why, choice, owner });
        }
    }
}

/// Whose names stand in a text, or begin a word in it.
pub(crate) fn mentioned(file: u32, bytes: &[u8], names: &Names) -> BTreeSet<Owner> {
    let mut owners: BTreeSet<Owner> =
        found(file, bytes, names).into_iter().map(|(_, _, owner)| owner).collect();
    functions(bytes, |_, name| owners.extend(names.prefix(name).map(|new| new.owner)));
    owners
}

/// Names that change, with where they begin and whose they are, in order of place.
fn found<'a>(file: u32, bytes: &'a [u8], names: &Names) -> Vec<(u32, &'a [u8], Owner)> {
    let mut found = Vec::new();
    functions(bytes, |start, name| {
        let new = names.function(file, name).filter(|_| is_distinctive(name));
        found.extend(new.map(|new| (start as u32, name, new.owner)));
    });
    runs(bytes, is_identifier, |start, name| {
        let telling = is_distinctive_variable(name) || is_expanded(bytes, start);
        let new = names.variables.get(name).filter(|_| telling);
        found.extend(new.map(|new| (start as u32, name, new.owner)));
    });
    found.sort_unstable();
    found.dedup();
    found
}

fn is_expanded(bytes: &[u8], start: usize) -> bool {
    [&b"$"[..], b"${", b"${#", b"${!"].iter().any(|sign| bytes[..start].ends_with(sign))
}

fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Runs of characters that names of functions are made of, without the punctuation around them.
fn functions<'a>(bytes: &'a [u8], mut found: impl FnMut(usize, &'a [u8])) {
    let is_name = |byte: u8| is_identifier(byte) || b".:-+@/".contains(&byte) || byte >= 0x80;
    runs(bytes, is_name, |start, run| {
        let trimmed = run.trim_ascii_start();
        let end =
            trimmed.iter().rposition(|byte| is_identifier(*byte) || *byte >= 0x80).map_or(0, |last| last + 1);
        found(start, &trimmed[..end]);
        // Names may end in punctuation, too.
        found(start, run);
        // As exported functions are called in the environment.
        if let Some(name) = trimmed[..end].strip_prefix(b"BASH_FUNC_") {
            found(start + run.len() - name.len(), name);
        }
    });
}

fn runs<'a>(bytes: &'a [u8], is_part: impl Fn(u8) -> bool, mut found: impl FnMut(usize, &'a [u8])) {
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..].iter().take_while(|byte| is_part(**byte)).count();
        if length > 0 {
            found(at, &bytes[at..at + length]);
        }
        at += length.max(1);
    }
}

/// The regions of a file, asked for in rising order of place.
struct Regions<'a> {
    regions: &'a [(u32, u32, Region)],
    open: Vec<(u32, Region)>,
}

impl<'a> Regions<'a> {
    fn new(regions: &'a [(u32, u32, Region)]) -> Self {
        Self { regions, open: Vec::new() }
    }

    /// The most telling region around a place.
    fn at(&mut self, place: u32) -> Option<Region> {
        while let Some(((start, end, region), rest)) = self.regions.split_first() {
            if *start > place {
                break;
            }
            self.open.push((*end, *region));
            self.regions = rest;
        }
        self.open.retain(|(end, _)| *end > place);
        self.open.iter().map(|(_, region)| *region).min()
    }
}
