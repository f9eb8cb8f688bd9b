//! Replays history: of what projects came to need within some months, which share had been fetched ahead, by Weir's rules and by simple ones.
//!
//! ```text
//! prefetch-replay HISTORY.json FOLDER
//! ```
//!
//! `bench/prefetch/run` makes the history. An index with what was there at the moment of fetching is folded in FOLDER; needs are closures over it.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use weir_bench::{Anything, Chance, bare_release, record};
use weir_index::{Index, PackageFilter};
use weir_model::{Dependency, KindName, OwnerName, PackageName, Platform, Range, ReleaseId, Scope, Version};
use weir_prefetch::{Asked, Offers, UsedProject, Wanted, Why, Wish, wishes, within};

/// So many releases may be fetched ahead.
const BUDGETS: [u64; 3] = [50, 200, 1000];

/// A machine that came to need fewer says nothing.
const LEAST_NEEDED: usize = 5;

/// A simple rule takes so many wishes at most.
const MOST_WISHES: usize = 3000;

type Requirements = BTreeMap<String, String>;

/// What there was, and what became of some machines.
#[derive(Deserialize)]
struct History {
    /// Each package with its versions and what each needs.
    packages: BTreeMap<String, Vec<(String, Requirements)>>,
    machines: Vec<Machine>,
}

#[derive(Deserialize)]
struct Machine {
    projects: Vec<Before>,
    /// What projects of the machine asked for in the months that followed.
    next: Vec<Requirements>,
}

#[derive(Deserialize)]
struct Before {
    asks: Requirements,
    /// `name version` each.
    lock: Vec<String>,
}

fn main() -> Result<(), Anything> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [history, folder] = arguments.as_slice() else {
        return Err("usage: prefetch-replay HISTORY.json FOLDER".into());
    };
    let history: History = serde_json::from_slice(&fs_err::read(history)?)?;
    let path = Path::new(folder).join("index.sqlite");
    fold(&history, &path)?;
    let index = Index::open(&path)?;
    let platform = Platform::any();
    let replay = Replay { index: &index, offers: Offers::new(&index, &platform) };
    let mut shares: BTreeMap<&str, [f64; BUDGETS.len()]> = BTreeMap::new();
    let (mut machines, mut needed, mut held) = (0_usize, 0, 0);
    for machine in &history.machines {
        let Some(told) = replay.machine(machine)? else { continue };
        machines += 1;
        needed += told.needed;
        held += told.held;
        for (rule, of) in told.shares {
            let sum = shares.entry(rule).or_default();
            sum.iter_mut().zip(of).for_each(|(sum, share)| *sum += share);
        }
    }
    let mean = |sum: usize| sum / machines.max(1);
    println!(
        "{} packages, {machines} machines, which held {} releases and came to need {} more, on average",
        history.packages.len(),
        mean(held),
        mean(needed)
    );
    println!("share of these that was there in time, when so many were fetched: {BUDGETS:?}");
    for (rule, sum) in shares {
        println!("{rule:<16} {}", sum.map(|sum| format!("{:.3}", sum / machines.max(1) as f64)).join("  "));
    }
    Ok(())
}

/// What became of one machine.
struct Told {
    needed: usize,
    held: usize,
    shares: Vec<(&'static str, [f64; BUDGETS.len()])>,
}

struct Replay<'i> {
    index: &'i Index,
    offers: Offers<'i>,
}

impl Replay<'_> {
    fn machine(&self, machine: &Machine) -> Result<Option<Told>, Anything> {
        let projects: Vec<UsedProject> =
            machine.projects.iter().map(project).collect::<Result<_, Anything>>()?;
        let here: BTreeSet<ReleaseId> =
            projects.iter().flat_map(|project| project.releases.iter().cloned()).collect();
        let mut needed = BTreeSet::new();
        for asked in &machine.next {
            for asked in asked_of(asked)? {
                let Some(release) = self.offers.best(&asked.name, &asked.range)? else { continue };
                let closure = self.offers.closure(release)?.unwrap_or_default();
                needed.extend(closure.into_iter().map(|release| release.id).filter(|id| !here.contains(id)));
            }
        }
        if needed.len() < LEAST_NEEDED {
            return Ok(None);
        }
        let rules = [
            ("weir", wishes(&self.offers, &projects)?),
            ("most popular", self.popular()?),
            ("newest in range", self.newest_in_range(&projects)?),
            ("same owner", self.same_owner(&projects)?),
        ];
        let mut shares = Vec::new();
        for (rule, wishes) in rules {
            let mut wanted = Vec::new();
            for wish in wishes {
                let mut missing = self.offers.closure(wish.release.clone())?.unwrap_or_default();
                missing.retain(|release| !here.contains(&release.id));
                wanted.push(((), Wanted { wish, missing }));
            }
            let share = BUDGETS.map(|budget| {
                let (chosen, _) = within(budget, wanted.clone(), |_| 1);
                let hits = chosen.iter().filter(|chosen| needed.contains(&chosen.release.id)).count();
                hits as f64 / needed.len() as f64
            });
            shares.push((rule, share));
        }
        Ok(Some(Told { needed: needed.len(), held: here.len(), shares }))
    }

    /// What most packages need.
    fn popular(&self) -> Result<Vec<Wish>, Anything> {
        let mut wishes = Vec::new();
        for summary in self.index.most_needed(MOST_WISHES)? {
            let chance = summary.dependents as f64;
            self.wish(&mut wishes, &summary.name, None, chance)?;
        }
        Ok(wishes)
    }

    /// The newest that is compatible with what is used.
    fn newest_in_range(&self, projects: &[UsedProject]) -> Result<Vec<Wish>, Anything> {
        let mut used: BTreeMap<(&PackageName, &Version), usize> = BTreeMap::new();
        for id in projects.iter().flat_map(|project| &project.releases) {
            *used.entry((&id.name, &id.version)).or_default() += 1;
        }
        let mut wishes = Vec::new();
        for ((name, version), projects) in used {
            self.wish(&mut wishes, name, Some(&Range::caret(version)), projects as f64)?;
        }
        Ok(wishes)
    }

    /// What else there is of the owners of what is used.
    fn same_owner(&self, projects: &[UsedProject]) -> Result<Vec<Wish>, Anything> {
        let mut owners: BTreeMap<OwnerName, usize> = BTreeMap::new();
        for asked in projects.iter().flat_map(|project| &project.asked) {
            *owners.entry(asked.name.owner_name()).or_default() += 1;
        }
        let mut wishes = Vec::new();
        for (owner, projects) in owners {
            let theirs = PackageFilter { owner: Some(owner), ..PackageFilter::default() };
            for summary in self.index.list(&theirs, None, MOST_WISHES)? {
                self.wish(&mut wishes, &summary.name, None, projects as f64)?;
            }
        }
        Ok(wishes)
    }

    fn wish(
        &self,
        wishes: &mut Vec<Wish>,
        name: &PackageName,
        range: Option<&Range>,
        chance: f64,
    ) -> Result<(), Anything> {
        let chosen = match range {
            Some(range) => self.offers.best(name, range)?,
            None => self.offers.newest(name)?,
        };
        wishes.extend(chosen.map(|release| Wish::new(release, Why::Popular { dependents: 0 }, chance)));
        Ok(())
    }
}

fn project(before: &Before) -> Result<UsedProject, Anything> {
    let releases = before.lock.iter().map(|text| Ok(text.parse()?)).collect::<Result<_, Anything>>()?;
    Ok(UsedProject { asked: asked_of(&before.asks)?, releases })
}

fn asked_of(requirements: &Requirements) -> Result<Vec<Asked>, Anything> {
    let asked =
        requirements.iter().map(|(name, range)| Ok(Asked { name: name.parse()?, range: range.parse()? }));
    asked.collect()
}

fn fold(history: &History, path: &Path) -> Result<(), Anything> {
    let mut chance = Chance(5);
    let mut index = Index::open(path)?;
    let mut fold = index.begin()?;
    let mut position = 0;
    for (name, versions) in &history.packages {
        let name: PackageName = name.parse()?;
        for (version, needs) in versions {
            let dependencies = asked_of(needs)?.into_iter().map(|Asked { name, range }| Dependency {
                name,
                range,
                scope: Scope::Run,
                baked: None,
            });
            let (name, version) = (name.clone(), version.parse()?);
            let mut release = bare_release(name, version, KindName::Elm, dependencies.collect(), &mut chance);
            release.input_digest = release.compute_input_digest();
            fold.entry(position, &record(release, position, &mut chance)?)?;
            position += 1;
        }
    }
    Ok(fold.finish(b"")?)
}
