//! A repository for tests: recipes, what a registry offers, and what it makes of a plan.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt::Write as _;

use weir_model::{
    Baked, Dependency, Digest, InputDigest, KindName, PackageName, Platform, Release, ReleaseId, Scope,
    Sha256, Version,
};

use super::{
    BuildStep, Candidate, CandidateDependency, Offered, On, Plan, PlanError, PlanRequest, Recipes, World,
    plan,
};

pub(super) const PLATFORM: &str = "x86-64-debian-12";

#[derive(Debug, Clone)]
pub(super) struct Repository {
    pub(super) recipes: BTreeMap<PackageName, (Candidate, Sha256)>,
    pub(super) offered: Vec<Offered>,
    pub(super) toolchain: Sha256,
    revisions: BTreeMap<(PackageName, Version), u32>,
    /// For which packages a digest was asked for.
    pub(super) fetched: RefCell<BTreeSet<PackageName>>,
}

impl Recipes for Repository {
    type Error = Infallible;

    fn candidate(&self, name: &PackageName) -> Option<&Candidate> {
        self.recipes.get(name).map(|(candidate, _)| candidate)
    }

    fn names(&self) -> Vec<PackageName> {
        self.recipes.keys().cloned().collect()
    }

    fn digest(&self, name: &PackageName) -> Result<Sha256, Infallible> {
        self.fetched.borrow_mut().insert(name.clone());
        Ok(self.recipes[name].1)
    }

    fn toolchain(&self, _: &PackageName) -> Result<Sha256, Infallible> {
        Ok(self.toolchain)
    }
}

pub(super) fn name(name: &str) -> PackageName {
    format!("base/{name}").parse().unwrap()
}

pub(super) fn names(names: &str) -> Vec<PackageName> {
    names.split_whitespace().map(name).collect()
}

impl Repository {
    pub(super) fn new(recipes: &[&str]) -> Self {
        let mut repository = Self {
            recipes: BTreeMap::new(),
            offered: Vec::new(),
            toolchain: Digest::of("gcc 12"),
            revisions: BTreeMap::new(),
            fetched: RefCell::default(),
        };
        recipes.iter().for_each(|recipe| repository.recipe(recipe));
        repository
    }

    /// Writes a recipe: `name version`, and after a colon `name range [scope]`, separated by `;`.
    pub(super) fn recipe(&mut self, text: &str) {
        let (what, needs) = text.split_once(": ").unwrap_or((text, ""));
        let (package, version) = what.split_once(' ').unwrap();
        let needs = needs.split(';').map(str::trim).filter(|need| !need.is_empty());
        let candidate = Candidate {
            name: name(package),
            version: version.parse().unwrap(),
            dependencies: needs.map(dependency).collect(),
        };
        self.recipes.insert(name(package), (candidate, Digest::of(text)));
    }

    /// Changes a recipe in a way that the planner cannot see.
    pub(super) fn edit(&mut self, package: &str) {
        let digest = &mut self.recipes.get_mut(&name(package)).unwrap().1;
        *digest = Digest::of(digest.to_string());
    }

    pub(super) fn plan(&self, request: &PlanRequest) -> Result<Plan, PlanError<Infallible>> {
        let revisions = |name: &PackageName, version: &Version| {
            self.revisions.get(&(name.clone(), version.clone())).copied()
        };
        let world =
            World { platform: PLATFORM.parse().unwrap(), offered: &self.offered, revisions: &revisions };
        plan(&world, self, request)
    }

    /// Plans and carries out.
    pub(super) fn carry_out(&mut self, request: &PlanRequest) -> Plan {
        let plan = self.plan(request).unwrap();
        self.apply(&plan);
        plan
    }

    /// Does what a registry does with the batch of a plan: it knows the drafts and what leaves, and bakes
    /// each dependency to the newest release in range. Checks that this is what the plan foresaw.
    pub(super) fn apply(&mut self, plan: &Plan) {
        let leaving: BTreeSet<&ReleaseId> = plan.leaves.iter().map(|leaving| &leaving.id).collect();
        assert_eq!(leaving.len(), plan.leaves.len(), "nothing leaves twice");
        let before = self.offered.len();
        self.offered.retain(|offered| !leaving.contains(&offered.id));
        assert_eq!(before - self.offered.len(), leaving.len(), "only what is offered can leave");
        for (place, step) in plan.builds.iter().enumerate() {
            let mut dependencies = Vec::new();
            for dependency in &step.dependencies {
                let fitting = self.offered.iter().filter(|offered| {
                    offered.id.name == dependency.name && dependency.range.contains(&offered.id.version)
                });
                let best = fitting
                    .max_by_key(|offered| (offered.id.version.clone(), offered.id.revision))
                    .expect("what a step needs is there before it");
                match &dependency.on {
                    On::Step(before) => {
                        assert!(*before < place);
                        assert_eq!(plan.builds[*before].id, best.id);
                    }
                    On::Offered(id) => assert_eq!(*id, best.id),
                }
                let ReleaseId { version, platform, revision, .. } = best.id.clone();
                dependencies.push(Dependency {
                    name: dependency.name.clone(),
                    range: dependency.range.clone(),
                    scope: dependency.scope,
                    baked: Some(Baked { version, platform, revision, input_digest: best.input_digest }),
                });
            }
            self.publish(step, dependencies);
        }
    }

    fn publish(&mut self, step: &BuildStep, dependencies: Vec<Dependency>) {
        let at = (step.id.name.clone(), step.id.version.clone());
        let revision = self.revisions.get(&at).map_or(0, |highest| highest + 1);
        assert_eq!(step.id.revision, revision, "a release is never given twice");
        self.revisions.insert(at, revision);
        let offered = Offered {
            id: step.id.clone(),
            input_digest: input_digest(&step.id, &dependencies, Some(step.recipe), Some(self.toolchain)),
            recipe: Some(step.recipe),
            toolchain: Some(self.toolchain),
            dependencies,
        };
        assert_eq!(step.input_digest, offered.input_digest, "the input digest was foreseen");
        self.offered.push(offered);
    }

    /// Offers something that the planner would not have made.
    pub(super) fn offer_by_hand(&mut self, id: &str, built_with: &[&str]) {
        let mut id: ReleaseId = format!("base/{id}").parse().unwrap();
        id.platform = PLATFORM.parse().unwrap();
        let dependency = |text: &&str| {
            let mut on: ReleaseId = format!("base/{text}").parse().unwrap();
            on.platform = Platform::clone(&id.platform);
            let on = self.offered.iter().find(|offered| offered.id == on).unwrap();
            let ReleaseId { version, platform, revision, .. } = on.id.clone();
            Dependency {
                name: on.id.name.clone(),
                range: "*".parse().unwrap(),
                scope: Scope::Run,
                baked: Some(Baked { version, platform, revision, input_digest: on.input_digest }),
            }
        };
        let dependencies: Vec<Dependency> = built_with.iter().map(dependency).collect();
        self.revisions.insert((id.name.clone(), id.version.clone()), id.revision);
        let input_digest = input_digest(&id, &dependencies, None, None);
        self.offered.push(Offered { id, input_digest, recipe: None, toolchain: None, dependencies });
    }
}

fn dependency(text: &str) -> CandidateDependency {
    let mut words = text.split_whitespace();
    CandidateDependency {
        name: name(words.next().unwrap()),
        range: words.next().unwrap().parse().unwrap(),
        scope: match words.next() {
            None => Scope::Run,
            Some("build") => Scope::Build,
            Some("dev") => Scope::Dev,
            Some(other) => panic!("{other}"),
        },
    }
}

pub(super) fn input_digest(
    id: &ReleaseId,
    dependencies: &[Dependency],
    recipe: Option<Sha256>,
    toolchain: Option<Sha256>,
) -> InputDigest {
    let mut release = Release {
        id: id.clone(),
        kind: KindName::Native,
        tree: Digest::of("some tree"),
        size: 1,
        unpacked: 1,
        files: 1,
        input_digest: Digest::of("no input digest yet"),
        dependencies: dependencies.to_vec(),
        references: Vec::new(),
        recipe,
        toolchain,
        license: Some("Zlib".into()),
        description: None,
        kind_facts: serde_json::Map::new(),
    };
    release.dependencies.sort_by(|a, b| (&a.name, a.scope).cmp(&(&b.name, b.scope)));
    release.compute_input_digest()
}

/// A plan as a person might see it.
pub(super) fn shown(plan: &Plan) -> String {
    let id = |id: &ReleaseId| id.to_string().replace("base/", "").replace(&format!(" {PLATFORM}"), "");
    let mut text = String::new();
    for leaving in &plan.leaves {
        let _ = writeln!(text, "leaves {}: {}", id(&leaving.id), leaving.because);
    }
    for step in &plan.builds {
        let _ = write!(text, "builds {}", id(&step.id));
        for (place, dependency) in step.dependencies.iter().enumerate() {
            let on = match &dependency.on {
                On::Step(step) => format!("step {step}"),
                On::Offered(offered) => id(offered),
            };
            let scope = if dependency.scope == Scope::Build { " to build" } else { "" };
            let _ = write!(text, "{} {on}{scope}", if place == 0 { " with" } else { "," });
        }
        let _ = writeln!(text, ": {}", step.because);
    }
    for untouched in &plan.untouched {
        let _ = writeln!(text, "stays  {}: {}", id(&untouched.id), untouched.because);
    }
    text.replace("base/", "").replace(&format!(" {PLATFORM}"), "")
}
