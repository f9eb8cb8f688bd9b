//! Solves every release of the public Elm registry of 2020 as a root, through Weir's resolver and
//! through the bare `pubgrub` crate, in one run, and prints both times.
//!
//! ```text
//! cargo run -p weir-resolve --release --example elm_2020 -- elm-packages-2020.ron
//! ```
//!
//! The data is the file `elm-packages-2020.ron` of pubgrub's `test-examples`. Both sides have it
//! in memory, parsed, before the clock starts; each round begins with a cold resolver.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::error::Error;
use std::time::{Duration, Instant};

use pubgrub::{OfflineDependencyProvider, Ranges, SemanticVersion};
use weir_model::{Dependency, Digest, KindName, PackageName, Platform, Range, Scope, Version};
use weir_resolve::{
    Candidate, Candidates, Origin, Request, Requirement, ResolveError, Resolver, Settings, View,
};

const ROUNDS: usize = 5;

type Intervals = Vec<(String, Option<String>)>;
type Data = BTreeMap<String, BTreeMap<String, BTreeMap<String, Intervals>>>;
type Bare<'a> = OfflineDependencyProvider<&'a str, Ranges<SemanticVersion>>;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: elm_2020 PATH")?;
    let data: Data = ron::from_str(&fs_err::read_to_string(std::path::Path::new(&path))?)?;
    let bare = bare_provider(&data)?;
    let bare_roots = bare_roots(&data)?;
    let view = Memory::read(&data)?;
    let roots = view.roots(&data)?;

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut counts = (0, 0);
    for _ in 0..ROUNDS {
        let (time, bare_answers) = solve_bare(&bare, &bare_roots);
        theirs.push(time);
        let (time, answers) = solve(&view, &roots)?;
        ours.push(time);
        if let Some(index) = (0..answers.len()).find(|index| answers[*index] != bare_answers[*index]) {
            return Err(format!("the two disagree on {:?}", bare_roots[index]).into());
        }
        let solvable = answers.iter().filter(|answer| **answer).count();
        counts = (solvable, answers.len() - solvable);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!("roots: {} solvable, {} not; the two agree on every one", counts.0, counts.1);
    println!("bare pubgrub: {theirs:.1?}");
    println!("weir-resolve: {ours:.1?}");
    println!("ratio: {:.2}", ours.as_secs_f64() / theirs.as_secs_f64());
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn bare_provider(data: &Data) -> Result<Bare<'_>, Box<dyn Error>> {
    let mut provider = Bare::new();
    for (package, versions) in data {
        for (version, dependencies) in versions {
            let mut constraints = Vec::new();
            for (name, intervals) in dependencies {
                let mut set = Ranges::empty();
                for (low, high) in intervals {
                    let low: SemanticVersion = low.parse()?;
                    set = set.union(&match high {
                        Some(high) => Ranges::between(low, high.parse::<SemanticVersion>()?),
                        None => Ranges::higher_than(low),
                    });
                }
                constraints.push((name.as_str(), set));
            }
            provider.add_dependencies(package, version.parse::<SemanticVersion>()?, constraints);
        }
    }
    Ok(provider)
}

fn bare_roots(data: &Data) -> Result<Vec<(&str, SemanticVersion)>, Box<dyn Error>> {
    let mut roots = Vec::new();
    for (package, versions) in data {
        for version in versions.keys() {
            roots.push((package.as_str(), version.parse()?));
        }
    }
    Ok(roots)
}

fn solve_bare(provider: &Bare<'_>, roots: &[(&str, SemanticVersion)]) -> (Duration, Vec<bool>) {
    let start = Instant::now();
    let answers = roots
        .iter()
        .map(|(package, version)| pubgrub::resolve(provider, *package, *version).is_ok())
        .collect();
    (start.elapsed(), answers)
}

fn solve(view: &Memory, roots: &[Requirement]) -> Result<(Duration, Vec<bool>), Box<dyn Error>> {
    let start = Instant::now();
    let resolver = Resolver::new(view, Settings::default())?;
    let mut answers = Vec::with_capacity(roots.len());
    for root in roots {
        match resolver.resolve(Request { requirements: std::slice::from_ref(root), lock: None }) {
            Ok(_) => answers.push(true),
            Err(ResolveError::Impossible(_)) => answers.push(false),
            Err(other) => return Err(other.into()),
        }
    }
    Ok((start.elapsed(), answers))
}

/// The data as a view.
struct Memory {
    packages: HashMap<PackageName, Vec<Candidate>>,
    dependencies: Vec<Vec<Dependency>>,
}

impl Memory {
    fn read(data: &Data) -> Result<Self, Box<dyn Error>> {
        let mut memory = Self { packages: HashMap::new(), dependencies: Vec::new() };
        for (package, versions) in data {
            let mut releases = Vec::new();
            for (version, dependencies) in versions {
                let mut needs = Vec::new();
                for (name, intervals) in dependencies {
                    let (name, range) = (package_name(name)?, range(intervals)?);
                    needs.push(Dependency { name, range, scope: Scope::Run, baked: None });
                }
                releases.push(Candidate {
                    version: version.parse()?,
                    platform: Platform::any(),
                    revision: 0,
                    input_digest: Digest::of(format!("{package} {version}")),
                    standing: weir_rules::Standing::Offered,
                    reason: None,
                    handle: memory.dependencies.len() as u64,
                });
                memory.dependencies.push(needs);
            }
            memory.packages.insert(package_name(package)?, releases);
        }
        Ok(memory)
    }

    fn roots(&self, data: &Data) -> Result<Vec<Requirement>, Box<dyn Error>> {
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
}

/// The compiler is the one package of the data without an owner.
fn package_name(text: &str) -> Result<PackageName, Box<dyn Error>> {
    Ok(if text.contains('/') { text.parse()? } else { format!("elm-compiler/{text}").parse()? })
}

fn range(intervals: &Intervals) -> Result<Range, Box<dyn Error>> {
    let parts: Vec<String> = intervals
        .iter()
        .map(|(low, high)| match high {
            Some(high) => format!("{low} <= v < {high}"),
            None => format!(">={low}"),
        })
        .collect();
    Ok(if parts.is_empty() { "<0.0.0".parse()? } else { parts.join(" || ").parse()? })
}

impl View for Memory {
    type Error = Infallible;

    fn candidates(&self, name: &PackageName, _: Option<&str>) -> Result<Option<Candidates>, Infallible> {
        Ok(self.packages.get(name).map(|releases| Candidates {
            kind: KindName::Elm,
            registry: "elm".into(),
            releases: releases.clone(),
        }))
    }

    fn dependencies(&self, _: &PackageName, candidate: &Candidate) -> Result<Vec<Dependency>, Infallible> {
        Ok(self.dependencies[candidate.handle as usize].clone())
    }
}
