//! The last look: names that change, at places that no rule has looked at.
//!
//! Every file is cut into runs of name characters. A run that is the name of a renamed function or
//! variable, is in no comment, and was not decided, is reported as kept. This is what makes silence impossible,
//! whatever the rules have missed.

use super::SourceFile;
use super::decide::{Change, Doubt, Edit, Target, Verdicts};
use super::facts::{Facts, Region};
use super::names::{Names, is_distinctive, is_distinctive_variable};
use super::report::{Choice, What, Why};
use crate::grammar::in_arithmetic;

/// Reports what no rule has looked at.
pub(crate) fn search(files: &[SourceFile], facts: &Facts, names: &Names, verdicts: &mut Verdicts) {
    if names.functions.is_empty() && names.variables.is_empty() {
        return;
    }
    for (index, file) in files.iter().enumerate() {
        let mut regions = Regions::new(&facts.regions[index]);
        let mut found = Vec::new();
        functions(&file.bytes, |start, name| {
            if is_distinctive(name) && names.functions.contains_key(name) {
                found.push((start, name));
            }
        });
        found.dedup();
        let damaged = facts.damaged[index];
        runs(&file.bytes, is_identifier, |start, name| {
            let plainly =
                is_expanded(&file.bytes, start) || (damaged && is_variable(&file.bytes, start, name.len()));
            let told = is_distinctive_variable(name) || plainly;
            if told && names.variables.contains_key(name) {
                found.push((start, name));
            }
        });
        found.sort_unstable();
        for (start, name) in found {
            let (file, start) = (index as u32, start as u32);
            let region = regions.at(start);
            if region == Some(Region::Comment) || verdicts.seen.contains(&(file, start)) {
                continue;
            }
            if region == Some(Region::Unreadable)
                && defines(&files[index].bytes[start as usize + name.len()..])
            {
                define(names, verdicts, (file, start), name);
                continue;
            }
            // Names of variables change everywhere or nowhere: what is plainly one changes here too.
            let length = name.len();
            let variable = names.variables.get(name).filter(|_| {
                let bytes = &files[index].bytes;
                let expanded = region == Some(Region::Unreadable) && is_expanded(bytes, start as usize);
                expanded || damaged && is_variable(bytes, start as usize, length)
            });
            if let Some(insertion) = variable {
                verdicts.edits.push(Edit {
                    file,
                    at: start + insertion.at as u32,
                    text: insertion.text.clone(),
                });
                let (text, why, choice) = (name.to_vec(), Why::Unreadable, Choice::Renamed);
                verdicts.doubts.push(Doubt { file, start, text, why, choice });
                continue;
            }
            let why = match region {
                Some(Region::Unreadable) => Why::Unreadable,
                Some(Region::HereDocument) => Why::InHereDocument,
                Some(Region::String) => Why::InString,
                Some(Region::Comment) | None => Why::Elsewhere,
            };
            verdicts.doubts.push(Doubt { file, start, text: name.to_vec(), why, choice: Choice::Kept });
        }
    }
}

/// Whether a name is a variable's by what stands around it: `$x`, `${x`, `x=`, `x+=`, `x[`, `((x`.
fn is_variable(bytes: &[u8], start: usize, length: usize) -> bool {
    let (before, after) = (&bytes[..start], &bytes[start + length..]);
    let fresh = before.last().is_none_or(|byte| byte.is_ascii_whitespace() || b";&|({".contains(byte));
    is_expanded(bytes, start)
        || in_arithmetic(bytes, start)
        || (fresh && [&b"="[..], b"+=", b"["].iter().any(|sign| after.starts_with(sign)))
}

fn is_expanded(bytes: &[u8], start: usize) -> bool {
    [&b"$"[..], b"${", b"${#", b"${!"].iter().any(|sign| bytes[..start].ends_with(sign))
}

/// Whether what follows a name makes it the name of a function that is defined.
fn defines(rest: &[u8]) -> bool {
    let rest = rest.trim_ascii_start();
    rest.starts_with(b"()") || rest.starts_with(b"( )")
}

fn define(names: &Names, verdicts: &mut Verdicts, (file, start): (u32, u32), name: &[u8]) {
    let Some(insertion) = names.functions.get(name) else { return };
    verdicts.edits.push(Edit { file, at: start + insertion.at as u32, text: insertion.text.clone() });
    let (what, target, from) = (What::Function, Target::Definition, name.to_vec());
    verdicts.changes.push(Change { file, start, what, target, from, insertion: insertion.clone() });
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
