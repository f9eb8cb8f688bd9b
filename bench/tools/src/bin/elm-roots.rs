//! Locks every release of the public Elm registry of 2020 by an `elm.json`, as `weir lock` does, and compares what was chosen.
//!
//! ```text
//! elm-roots elm-packages-2020.ron FOLDER
//! ```
//!
//! The releases are written into the log of a registry in FOLDER. Of each of them there are three projects:
//!
//! * a package that needs exactly it, for any compiler;
//! * an application for Elm 0.19.1 that needs exactly it;
//! * the package that its author works on, with the ranges that it has.
//!
//! The last is another question: what an author works on may need something that needs another version of it.
//!
//! Whether there is an answer has to be what the bare `pubgrub` crate says. What was chosen has to be what the solver chooses by itself, and
//! by the data alone everything in it has to go together. An application has to stay as it is when it is locked again.

#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use pubgrub::{Ranges, SemanticVersion};
use serde_json::{Map, Value, json};
use weir_bench::elm::{self, Bare, COMPILER, Data, Needs};
use weir_bench::{Anything, Chance, append, bare_release, record};
use weir_model::{Dependency, Digest, KindName, Observer, PackageName, Platform, Range, Scope, Version};
use weir_policy::Principal;
use weir_project::{InstallOptions, Project, ProjectError, lock};
use weir_reach::{Event, Home, Interrupt, Owners, Secrets, Session, registry_init};
use weir_registry::NewRegistry;
use weir_resolve::{
    Candidate, Candidates, Origin, Request, Requirement, ResolveError, Resolver, Settings, View,
};

/// The compiler of applications, and the version of the package that it wants in each.
const APPLICATIONS: &str = "0.19.1";
const JSON: (&str, &str) = ("elm/json", "1.0.0 <= v < 2.0.0");

/// What was chosen, the compiler not among it; nothing where there is no answer.
type Answer = Option<BTreeMap<String, String>>;

fn main() -> Result<(), Anything> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, folder] = arguments.as_slice() else {
        return Err("usage: elm-roots elm-packages-2020.ron FOLDER".into());
    };
    let data = elm::read(Path::new(data))?;
    let forms: [(&str, &str, Form<'_>); 3] = [
        ("needed", "needed by a package", Bench::needed),
        ("application", "needed by an application for 0.19.1", Bench::application),
        ("itself", "the package itself", Bench::package),
    ];
    let folder = Path::new(folder);
    let data = &data;
    let all = std::thread::scope(|threads| {
        let run = |(place, form, lock)| {
            let place = folder.join(place);
            threads.spawn(move || try_all(data, &place, form, lock).map_err(|error| error.to_string()))
        };
        let running: Vec<_> = forms.into_iter().map(run).collect();
        let joined =
            running.into_iter().map(|one| one.join().map_err(|_| "a thread has failed".to_owned())?);
        joined.collect::<Result<Vec<usize>, String>>()
    });
    match all?.into_iter().sum() {
        0 => Ok(()),
        different => Err(format!("{different} differ").into()),
    }
}

/// Locks a project of one form for every release. Gives how many are answered otherwise than they should be.
fn try_all<'d>(data: &'d Data, place: &Path, form: &str, lock: Form<'d>) -> Result<usize, Anything> {
    let start = Instant::now();
    let bench = Bench::begin(data, place)?;
    let mut counts = Counts::default();
    for (name, versions) in data {
        for (version, needs) in versions {
            // The compiler is no package: it can only be asked for as such.
            counts.count(match name == COMPILER {
                true => bench.compiler(version),
                false => lock(&bench, name, version, needs),
            });
        }
    }
    println!("{form}: {counts}; in {:.0?}", start.elapsed());
    Ok(counts.different)
}

/// A project for a release, locked.
type Form<'d> = fn(&Bench<'d>, &'d str, &'d str, &'d Needs) -> Result<Answer, Anything>;

/// So many differences are shown.
const SHOWN: usize = 20;

#[derive(Default)]
struct Counts {
    solved: usize,
    unsolvable: usize,
    different: usize,
}

impl Counts {
    fn count(&mut self, answer: Result<Answer, Anything>) {
        match answer {
            Ok(Some(_)) => self.solved += 1,
            Ok(None) => self.unsolvable += 1,
            Err(difference) => {
                self.different += 1;
                if self.different <= SHOWN {
                    println!("{difference}");
                }
            }
        }
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { solved, unsolvable, different } = self;
        write!(f, "{solved} solvable, {unsolvable} not, {different} different")
    }
}

/// The registry, a project in a folder, and those who know better.
struct Bench<'d> {
    data: &'d Data,
    session: Session,
    project: PathBuf,
    bare: RefCell<Bare<'d>>,
    /// How often that was asked.
    asked: Cell<u32>,
    solver: Resolver<InMemory<'d>>,
}

/// The data as a view.
struct InMemory<'d> {
    data: &'d Data,
}

impl<'d> Bench<'d> {
    fn begin(data: &'d Data, folder: &Path) -> Result<Self, Anything> {
        let mut session = session(folder);
        let registry = folder.join("registry");
        fs_err::create_dir_all(folder)?;
        let new =
            NewRegistry { name: "elm.example".parse()?, closed: false, kinds: Vec::new(), validity: None };
        let made = registry_init(&session, &registry, &new)?;
        append(&registry, &made.key, &records(data)?)?;
        session.registry = Some(registry.display().to_string());
        let project = folder.join("project");
        fs_err::create_dir(&project)?;
        let solver = Resolver::new(InMemory { data }, Settings::default())?;
        Ok(Self { data, session, project, bare: RefCell::new(elm::bare(data)?), asked: Cell::new(0), solver })
    }

    /// A package for any compiler that needs exactly one release.
    fn needed(&self, name: &'d str, version: &'d str, _: &Needs) -> Result<Answer, Anything> {
        let exactly: Map<String, Value> =
            [(name.to_owned(), format!("{version} <= v <= {version}").into())].into_iter().collect();
        let manifest = package("bench/of", "1.0.0", "0.0.0 <= v < 1.0.0", &exactly);
        let asked = [asked_for(name, Range::exact(&version.parse::<Version>()?))?];
        let answer = self.lock(&manifest, name, version)?;
        let is_solvable =
            self.is_solvable(vec![(name, Ranges::singleton(version.parse::<SemanticVersion>()?))]);
        self.compare(&format!("{name} {version}"), &answer, is_solvable, &asked)?;
        Ok(answer)
    }

    /// A release as the package that its author works on.
    fn package(&self, name: &'d str, version: &'d str, needs: &'d Needs) -> Result<Answer, Anything> {
        let mut dependencies = Map::new();
        for (name, intervals) in needs.iter().filter(|(name, _)| *name != COMPILER) {
            let written = match intervals.is_empty() {
                true => "0.0.0 <= v < 0.0.0".to_owned(),
                false => elm::written(intervals),
            };
            dependencies.insert(name.clone(), written.into());
        }
        let compilers = needs.get(COMPILER).map(elm::written);
        let manifest = package(name, version, &compilers.unwrap_or_default(), &dependencies);
        let (mut bare, mut asked) = (Vec::new(), Vec::new());
        for (name, intervals) in needs {
            bare.push((name.as_str(), elm::bare_range(intervals)?));
            asked.push(asked_for(name, elm::range(intervals)?)?);
        }
        let answer = self.lock(&manifest, name, version)?;
        self.compare(&format!("{name} {version} itself"), &answer, self.is_solvable(bare), &asked)?;
        Ok(answer)
    }

    /// A compiler as all that a package asks for.
    fn compiler(&self, version: &str) -> Result<Answer, Anything> {
        let only = format!("{version} <= v <= {version}");
        let answer = self.lock(&package("bench/of", "1.0.0", &only, &Map::new()), "bench/of", "1.0.0")?;
        if answer != Some(BTreeMap::new()) {
            return Err(format!("a package for the compiler {version} and nothing else: {answer:?}").into());
        }
        Ok(answer)
    }

    /// A release as all that an application needs.
    fn application(&self, name: &'d str, version: &'d str, _: &Needs) -> Result<Answer, Anything> {
        let what = format!("an application with {name} {version}");
        let manifest = json!({
            "type": "application", "source-directories": ["src"], "elm-version": APPLICATIONS,
            "dependencies": { "direct": { name: version }, "indirect": {} },
            "test-dependencies": { "direct": {}, "indirect": {} },
        });
        let versions = [(name, version), (COMPILER, APPLICATIONS)];
        let (mut bare, mut asked) = (Vec::new(), Vec::new());
        for (name, version) in versions {
            bare.push((name, Ranges::singleton(version.parse::<SemanticVersion>()?)));
            asked.push(asked_for(name, Range::exact(&version.parse::<Version>()?))?);
        }
        if name != JSON.0 {
            bare.push((JSON.0, Ranges::between((1, 0, 0), (2, 0, 0))));
            asked.push(asked_for(JSON.0, JSON.1.parse()?)?);
        }
        let answer = self.lock(&manifest, name, version)?;
        self.compare(&what, &answer, self.is_solvable(bare), &asked)?;
        if let Some(chosen) = &answer {
            self.is_settled(&what, name, chosen)?;
        }
        Ok(answer)
    }

    /// What the bare crate says of something that needs this.
    fn is_solvable(&self, needs: Vec<(&'d str, Ranges<SemanticVersion>)>) -> bool {
        const ROOT: &str = "the root";
        let version = SemanticVersion::new(self.asked.replace(self.asked.get() + 1), 0, 0);
        self.bare.borrow_mut().add_dependencies(ROOT, version, needs);
        pubgrub::resolve(&*self.bare.borrow(), ROOT, version).is_ok()
    }

    /// Writes an `elm.json`, and has it locked.
    fn lock(&self, manifest: &Value, name: &str, version: &str) -> Result<Answer, Anything> {
        for left in ["elm.json", "weir.lock"] {
            match fs_err::remove_file(self.project.join(left)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        fs_err::write(self.project.join("elm.json"), serde_json::to_vec_pretty(manifest)?)?;
        let mut project = Project::open(&self.project, &self.session.owners)?;
        match lock(&self.session, &mut project, &InstallOptions::default()) {
            Ok(_) => {}
            Err(ProjectError::NoResolution(_)) => return Ok(None),
            Err(error) => return Err(format!("{name} {version}: {error}").into()),
        }
        let releases = &project.locked()?.releases;
        Ok(Some(releases.iter().map(|one| (one.name.to_string(), one.version.to_string())).collect()))
    }

    /// Compares an answer with what others say.
    fn compare(
        &self,
        what: &str,
        answer: &Answer,
        is_solvable: bool,
        asked: &[Requirement],
    ) -> Result<(), Anything> {
        if answer.is_some() != is_solvable {
            let other = if is_solvable { "there is an answer" } else { "there is none" };
            return Err(format!("{what}: the bare crate says that {other}").into());
        }
        let by_itself = match self.solver.resolve(Request { requirements: asked, lock: None }) {
            Ok(resolution) => {
                let compiler = package_name(COMPILER)?;
                let chosen =
                    resolution.nodes.into_iter().map(|node| node.id).filter(|id| id.name != compiler);
                Some(chosen.map(|id| (id.name.to_string(), id.version.to_string())).collect())
            }
            Err(ResolveError::Impossible(_)) => None,
            Err(other) => return Err(other.into()),
        };
        if *answer != by_itself {
            return Err(format!("{what}: {answer:?}, and the solver by itself {by_itself:?}").into());
        }
        answer.as_ref().map_or(Ok(()), |chosen| self.goes_together(what, chosen))
    }

    /// Looks, by the data alone, whether everything that is needed is there, in a version that will do.
    fn goes_together(&self, what: &str, chosen: &BTreeMap<String, String>) -> Result<(), Anything> {
        for (name, version) in chosen {
            let needs = self.data[name].get(version).ok_or_else(|| format!("{what}: no {name} {version}"))?;
            for (needed, intervals) in needs.iter().filter(|(needed, _)| *needed != COMPILER) {
                let there = chosen.get(needed).ok_or_else(|| format!("{what}: {name} lacks {needed}"))?;
                if !elm::range(intervals)?.contains(&there.parse()?) {
                    return Err(format!("{what}: {name} {version} does not go with {needed} {there}").into());
                }
            }
        }
        Ok(())
    }

    /// Looks whether an `elm.json` that was locked says what was chosen, and stays so.
    fn is_settled(&self, what: &str, name: &str, chosen: &BTreeMap<String, String>) -> Result<(), Anything> {
        let path = self.project.join("elm.json");
        let text = fs_err::read_to_string(&path)?;
        let said: Value = serde_json::from_str(&text)?;
        let pins = |which: &str| -> BTreeMap<String, String> {
            serde_json::from_value(said["dependencies"][which].clone()).unwrap_or_default()
        };
        let (direct, mut all) = (pins("direct"), pins("indirect"));
        let is_direct = direct.len() == 1 && direct.contains_key(name);
        all.extend(direct);
        if !is_direct || all != *chosen {
            return Err(format!("{what}: `elm.json` says {all:?}, and {chosen:?} was chosen").into());
        }
        let mut project = Project::open(&self.project, &self.session.owners)?;
        let again =
            lock(&self.session, &mut project, &InstallOptions { locked: true, ..Default::default() })?;
        if again.changed || fs_err::read_to_string(&path)? != text {
            return Err(format!("{what}: it is another one when it is locked again").into());
        }
        Ok(())
    }
}

fn session(folder: &Path) -> Session {
    let quiet: Arc<dyn Observer<Event>> = Arc::new(|_: &Event| {});
    Session {
        home: Home::new(folder.join("home"), folder.join("home")),
        store: None,
        offline: false,
        looks_only: false,
        registry: None,
        platform: None,
        authorities: None,
        owners: Owners { users: vec![rustix::process::getuid().as_raw()], folders: Vec::new() },
        principal: Principal::user("bench"),
        secrets: Secrets::default(),
        now: Timestamp::now(),
        threads: 1,
        observer: quiet,
        interrupt: Interrupt::default(),
    }
}

/// The records of all releases, the compilers not among them.
fn records(data: &Data) -> Result<Vec<Vec<u8>>, Anything> {
    let mut chance = Chance(5);
    let mut log = Vec::new();
    for (package, versions) in data.iter().filter(|(name, _)| *name != COMPILER) {
        for (version, needs) in versions {
            let mut release = bare_release(
                package_name(package)?,
                version.parse()?,
                KindName::Elm,
                dependencies(needs.iter().filter(|(name, _)| *name != COMPILER))?,
                &mut chance,
            );
            let compilers = needs.get(COMPILER).ok_or("each release names its compilers")?;
            let facts = json!({ "elm": elm::written(compilers), "modules": ["Main"] });
            release.kind_facts = facts.as_object().cloned().unwrap_or_default();
            release.input_digest = release.compute_input_digest();
            log.push(record(release, log.len() as u64, &mut chance)?);
        }
    }
    Ok(log)
}

fn dependencies<'n>(
    needs: impl IntoIterator<Item = (&'n String, &'n elm::Intervals)>,
) -> Result<Vec<Dependency>, Anything> {
    let dependency = |(name, intervals): (&String, &elm::Intervals)| {
        let (name, range) = (package_name(name)?, elm::range(intervals)?);
        Ok(Dependency { name, range, scope: Scope::Run, baked: None })
    };
    needs.into_iter().map(dependency).collect()
}

/// The `elm.json` of a package.
fn package(name: &str, version: &str, compilers: &str, dependencies: &Map<String, Value>) -> Value {
    json!({
        "type": "package", "name": name, "summary": "", "license": "MIT", "version": version,
        "exposed-modules": ["Main"], "elm-version": compilers, "dependencies": dependencies,
        "test-dependencies": {},
    })
}

fn asked_for(name: &str, range: Range) -> Result<Requirement, Anything> {
    let origin = Origin::new("elm.json");
    Ok(Requirement { name: package_name(name)?, range, registry: None, fluid: false, origin })
}

fn package_name(text: &str) -> Result<PackageName, Anything> {
    Ok(if text == COMPILER { "elm/compiler".parse()? } else { text.parse()? })
}

/// The solver's view cannot fail: what it is built of was read before.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unreadable(String);

impl View for InMemory<'_> {
    type Error = Unreadable;

    fn candidates(&self, name: &PackageName, _: Option<&str>) -> Result<Option<Candidates>, Unreadable> {
        let Some(versions) = self.data.get(key(name)) else { return Ok(None) };
        let releases = versions.keys().map(|version| {
            Ok(Candidate {
                version: version.parse().map_err(|_| Unreadable(version.clone()))?,
                platform: Platform::any(),
                revision: 0,
                input_digest: Digest::of(format!("{name} {version}")),
                standing: weir_rules::Standing::Offered,
                reason: None,
                handle: 0,
            })
        });
        let releases = releases.collect::<Result<_, Unreadable>>()?;
        Ok(Some(Candidates { kind: KindName::Elm, registry: Arc::from("elm"), releases }))
    }

    fn dependencies(&self, name: &PackageName, of: &Candidate) -> Result<Vec<Dependency>, Unreadable> {
        let versions = self.data.get(key(name));
        let needs = versions.and_then(|versions| versions.get(&of.version.to_string()));
        dependencies(needs.into_iter().flatten()).map_err(|error| Unreadable(error.to_string()))
    }
}

/// What the data has a package as.
fn key(name: &PackageName) -> &str {
    if name.as_str() == "elm/compiler" { COMPILER } else { name.as_str() }
}
