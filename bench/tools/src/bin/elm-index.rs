//! Solves every release of the public Elm registry of 2020 as a root, through Weir's index and resolver
//! and through the bare `pubgrub` crate, in one run, and prints both times.
//!
//! ```text
//! elm-index elm-packages-2020.ron FOLDER
//! ```
//!
//! The data is the file `elm-packages-2020.ron` of pubgrub's `test-examples`. Its releases are folded as
//! records into an index on disk, in FOLDER. Each round opens that index anew and solves with a cold
//! resolver; pubgrub has the data in memory, parsed, before its clock starts.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_bench::elm::{self, Data};
use weir_bench::{Anything, Chance, bare_release, record};
use weir_index::{Index, IndexError};
use weir_model::{Dependency, KindName, PackageName, Range, Scope, Version};
use weir_resolve::{
    Candidate, Candidates, Origin, Request, Requirement, ResolveError, Resolver, Settings, View,
};

const ROUNDS: usize = 9;

fn main() -> Result<(), Anything> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, folder] = arguments.as_slice() else {
        return Err("usage: elm-index elm-packages-2020.ron FOLDER".into());
    };
    let data = elm::read(Path::new(data))?;
    let path = Path::new(folder).join("elm.sqlite");
    fold(&data, &path)?;
    let bare = elm::bare(&data)?;
    let bare_roots = elm::bare_roots(&data)?;
    let roots = roots(&data)?;

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut counts = (0, 0);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let bare_answers: Vec<bool> = bare_roots
            .iter()
            .map(|(package, version)| pubgrub::resolve(&bare, *package, *version).is_ok())
            .collect();
        theirs.push(start.elapsed());
        let start = Instant::now();
        let answers = solve(&path, &roots)?;
        ours.push(start.elapsed());
        if let Some(index) = (0..answers.len()).find(|index| answers[*index] != bare_answers[*index]) {
            return Err(format!("the two disagree on {:?}", bare_roots[index]).into());
        }
        let solvable = answers.iter().filter(|answer| **answer).count();
        counts = (solvable, answers.len() - solvable);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!("roots: {} solvable, {} not; the two agree on every one", counts.0, counts.1);
    println!("bare pubgrub, in memory: {theirs:.1?}");
    println!("weir, opening its index on disk: {ours:.1?}");
    println!("ratio: {:.2}", ours.as_secs_f64() / theirs.as_secs_f64());
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn fold(data: &Data, path: &Path) -> Result<(), Anything> {
    let mut chance = Chance(3);
    let mut index = Index::open(path)?;
    let mut fold = index.begin()?;
    let mut position = 0;
    for (package, versions) in data {
        for (version, needs) in versions {
            let mut dependencies = Vec::new();
            for (name, intervals) in needs {
                let (name, range) = (package_name(name)?, elm::range(intervals)?);
                dependencies.push(Dependency { name, range, scope: Scope::Run, baked: None });
            }
            let (name, version) = (package_name(package)?, version.parse()?);
            let mut release = bare_release(name, version, KindName::Elm, dependencies, &mut chance);
            release.input_digest = release.compute_input_digest();
            fold.entry(position, &record(release, position, &mut chance)?)?;
            position += 1;
        }
    }
    Ok(fold.finish(b"")?)
}

fn roots(data: &Data) -> Result<Vec<Requirement>, Anything> {
    let origin = Origin::new("the benchmark");
    let mut roots = Vec::new();
    for (package, versions) in data {
        for version in versions.keys() {
            roots.push(Requirement {
                name: package_name(package)?,
                range: Range::exact(&version.parse::<Version>()?),
                registry: None,
                fluid: false,
                origin: origin.clone(),
            });
        }
    }
    Ok(roots)
}

fn solve(path: &Path, roots: &[Requirement]) -> Result<Vec<bool>, Anything> {
    let index = Index::open_read_only(path)?;
    let _still = index.reading()?;
    let view = Indexed { index: &index, found: RefCell::default() };
    let resolver = Resolver::new(&view, Settings::default())?;
    let mut answers = Vec::with_capacity(roots.len());
    for root in roots {
        match resolver.resolve(Request { requirements: std::slice::from_ref(root), lock: None }) {
            Ok(_) => answers.push(true),
            Err(ResolveError::Impossible(_)) => answers.push(false),
            Err(other) => return Err(other.into()),
        }
    }
    Ok(answers)
}

/// The compiler is the one package of the data without an owner.
fn package_name(text: &str) -> Result<PackageName, Anything> {
    Ok(if text.contains('/') { text.parse()? } else { format!("elm-compiler/{text}").parse()? })
}

/// An index as a view, as a project has it with one registry.
struct Indexed<'i> {
    index: &'i Index,
    found: RefCell<HashMap<PackageName, Option<Rc<weir_index::Candidates>>>>,
}

impl Indexed<'_> {
    fn find(&self, name: &PackageName) -> Result<Option<Rc<weir_index::Candidates>>, IndexError> {
        if let Some(found) = self.found.borrow().get(name) {
            return Ok(found.clone());
        }
        let found = self.index.candidates(name)?.map(Rc::new);
        self.found.borrow_mut().insert(name.clone(), found.clone());
        Ok(found)
    }
}

impl View for Indexed<'_> {
    type Error = IndexError;

    fn candidates(&self, name: &PackageName, _: Option<&str>) -> Result<Option<Candidates>, IndexError> {
        let Some(found) = self.find(name)? else { return Ok(None) };
        let releases = found.releases.iter().enumerate().map(|(position, candidate)| Candidate {
            version: candidate.version.clone(),
            platform: candidate.platform.clone(),
            revision: candidate.revision,
            input_digest: candidate.input_digest,
            standing: weir_rules::Standing::Offered,
            reason: None,
            handle: position as u64,
        });
        Ok(Some(Candidates { kind: found.kind, registry: Arc::from("elm"), releases: releases.collect() }))
    }

    fn dependencies(&self, name: &PackageName, candidate: &Candidate) -> Result<Vec<Dependency>, IndexError> {
        let Some(found) = self.find(name)? else { return Ok(Vec::new()) };
        self.index.dependencies(&found, &found.releases[candidate.handle as usize])
    }
}
