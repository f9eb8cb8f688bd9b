//! A plan, carried out by a real registry: what was foreseen is what the registry makes of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use jiff::Timestamp;
use weir_build::{
    BuildStep, Candidate, CandidateDependency, Offered, Plan, PlanRequest, Recipes, World, plan,
};
use weir_log::{FolderSource, Origin};
use weir_model::{Digest, InputDigest, KindName, PackageName, Scope, Sha256, Version, WithdrawalVerb};
use weir_policy::{Caller, FolderGate, Principal};
use weir_registry::{
    Acting, Batch, Draft, Intent, NewRegistry, Ports, Registrar, Registry, Replica, ReplicaHome, Wanted,
    Withdraw, folder_ports, location_of,
};
use weir_tree::{Selection, read_folder, write_pack};

const PLATFORM: &str = "x86-64-debian-12";
const TOOLCHAIN: &str = "gcc 12.2.0";

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn name(name: &str) -> PackageName {
    format!("base/{name}").parse().unwrap()
}

/// Recipes, and the texts that their digests are of.
struct RecipeSet(BTreeMap<PackageName, (Candidate, String)>);

impl Recipes for RecipeSet {
    type Error = Infallible;

    fn candidate(&self, name: &PackageName) -> Option<&Candidate> {
        self.0.get(name).map(|(candidate, _)| candidate)
    }

    fn names(&self) -> Vec<PackageName> {
        self.0.keys().cloned().collect()
    }

    fn digest(&self, name: &PackageName) -> Result<Sha256, Infallible> {
        Ok(Digest::of(&self.0[name].1))
    }

    fn toolchain(&self, _: &PackageName) -> Result<Sha256, Self::Error> {
        Ok(Digest::of(TOOLCHAIN))
    }
}

impl RecipeSet {
    fn write(&mut self, package: &str, version: &str, needs: &[(&str, &str, Scope)]) {
        let need = |(package, range, scope): &(&str, &str, Scope)| CandidateDependency {
            name: name(package),
            range: range.parse().unwrap(),
            scope: *scope,
        };
        let candidate = Candidate {
            name: name(package),
            version: version.parse().unwrap(),
            dependencies: needs.iter().map(need).collect(),
        };
        self.0.insert(name(package), (candidate, format!("{package} {version} {needs:?}")));
    }
}

struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { folder: tempfile::tempdir().unwrap() };
        let new = NewRegistry {
            name: Origin::new("org").unwrap(),
            closed: true,
            kinds: vec![KindName::Native],
            validity: None,
        };
        let at = home.folder.path();
        fs_err::create_dir(at.join("registry")).unwrap();
        Registrar::init(
            &home.ports(),
            &home.replicas(),
            &FolderGate,
            &Caller::new(Principal::user("ann"), now()),
            &new,
        )
        .unwrap();
        home
    }

    fn replicas(&self) -> ReplicaHome {
        ReplicaHome::new(&self.folder.path().join("home"))
    }

    fn ports(&self) -> Ports {
        let at = self.folder.path();
        folder_ports(&at.join("registry"), &at.join("keys")).unwrap()
    }

    fn registry(&self) -> Acting {
        let registrar = Registrar::open(self.ports(), &self.replicas(), Box::new(FolderGate)).unwrap();
        Arc::new(registrar).acting_for(Caller::new(Principal::user("ann"), now()))
    }

    fn replica(&self) -> Replica {
        let folder = self.folder.path().join("registry");
        let source = FolderSource::new(&folder);
        let mut replica =
            Replica::open_remembered(&self.replicas(), &location_of(&folder).unwrap(), &source, None)
                .unwrap();
        replica.sync(&source, now()).unwrap();
        replica
    }

    fn plan(&self, recipe_set: &RecipeSet, request: &PlanRequest) -> Plan {
        let replica = self.replica();
        let index = replica.index();
        let releases = index.live_releases().map(|view| view.unwrap().release);
        let offered: Vec<Offered> = releases
            .map(|release| Offered {
                id: release.id,
                input_digest: release.input_digest,
                recipe: release.recipe,
                toolchain: release.toolchain,
                dependencies: release.dependencies,
            })
            .collect();
        let revisions = |name: &PackageName, version: &Version| {
            let package = index.package(name).unwrap()?;
            let all = package.releases.iter().chain(&package.removed).map(|view| &view.release.id);
            all.filter(|id| id.version == *version).map(|id| id.revision).max()
        };
        let world = World { platform: PLATFORM.parse().unwrap(), offered: &offered, revisions: &revisions };
        plan(&world, recipe_set, request).unwrap()
    }

    /// Submits a plan as one batch, and checks that each input digest is what was foreseen.
    fn carry_out(&self, recipe_set: &RecipeSet, request: &PlanRequest) -> Plan {
        let plan = self.plan(recipe_set, request);
        let registry = self.registry();
        put_file(&registry, TOOLCHAIN);
        let mut intents: Vec<Intent> = plan
            .leaves
            .iter()
            .map(|leaving| Intent::Withdraw(Withdraw::exactly(WithdrawalVerb::Remove, leaving.id.clone())))
            .collect();
        for step in &plan.builds {
            put_file(&registry, &recipe_set.0[&step.id.name].1);
            intents.push(Intent::Publish(Box::new(draft(&registry, step))));
        }
        let receipt = registry.submit(&Batch { intents }).unwrap();
        let input_digests: Vec<InputDigest> =
            receipt.outcomes.iter().filter_map(|outcome| outcome.input_digest).collect();
        let foreseen: Vec<InputDigest> = plan.builds.iter().map(|step| step.input_digest).collect();
        assert_eq!(input_digests, foreseen);
        plan
    }
}

fn put_file(registry: &dyn Registry, text: &str) {
    registry.put_file(&Digest::of(text), &mut text.as_bytes()).unwrap();
}

/// What a step publishes; its content follows from its key. The registry bakes and computes keys by itself.
fn draft(registry: &dyn Registry, step: &BuildStep) -> Draft {
    let folder = tempfile::tempdir().unwrap();
    let share = folder.path().join("release/share");
    fs_err::create_dir_all(&share).unwrap();
    fs_err::write(share.join("inputs"), step.input_digest.to_string()).unwrap();
    let facts = serde_json::json!({ "native": { "variants": { "release": {} } } });
    let tree = read_folder(folder.path(), &Selection::everything()).unwrap();
    let mut pack = Vec::new();
    let size = write_pack(folder.path(), &tree, &mut pack, 3).unwrap().bytes;
    registry.put_pack(&tree.digest(), &mut pack.as_slice()).unwrap();
    let wanted = step.dependencies.iter().map(|dependency| Wanted {
        name: dependency.name.clone(),
        range: dependency.range.clone(),
        scope: dependency.scope,
        fluid: false,
    });
    Draft {
        id: step.id.clone(),
        kind: KindName::Native,
        tree: tree.digest(),
        size,
        unpacked: tree.unpacked_size(),
        files: 1,
        dependencies: wanted.collect(),
        references: Vec::new(),
        recipe: Some(step.recipe),
        toolchain: Some(Digest::of(TOOLCHAIN)),
        input_digest: None,
        license: None,
        description: None,
        facts: facts.as_object().cloned().unwrap(),
    }
}

#[test]
fn a_registry_comes_to_the_keys_that_were_foreseen_and_finds_its_world_closed() {
    let home = Home::new();
    let mut recipe_set = RecipeSet(BTreeMap::new());
    recipe_set.write("gen", "3.1.0", &[]);
    recipe_set.write("zlib", "1.2.11", &[("gen", "*", Scope::Build)]);
    recipe_set.write("png", "1.6.0", &[("zlib", "^1.2.3", Scope::Run), ("gen", ">=3", Scope::Build)]);
    recipe_set.write("curl", "7.79.1", &[("zlib", "^1.2", Scope::Run), ("zlib", "^1.2", Scope::Build)]);
    recipe_set.write("viewer", "2.0.0", &[("png", "^1", Scope::Run), ("curl", "^7", Scope::Run)]);
    assert_eq!(home.carry_out(&recipe_set, &PlanRequest::AddAll).builds.len(), 5);
    assert!(home.plan(&recipe_set, &PlanRequest::UpdateAll).is_empty());

    recipe_set.write("zlib", "1.3.0", &[]);
    let plan = home.carry_out(&recipe_set, &PlanRequest::Update(vec![name("zlib")]));
    assert_eq!((plan.leaves.len(), plan.builds.len()), (4, 4));
    assert!(home.plan(&recipe_set, &PlanRequest::UpdateAll).is_empty());

    // Back, and forth again: input digests that the registry has seen before, under revisions that it has not.
    recipe_set.write("zlib", "1.2.11", &[("gen", "*", Scope::Build)]);
    let plan = home.carry_out(&recipe_set, &PlanRequest::UpdateAll);
    assert_eq!(plan.builds.iter().map(|step| step.id.revision).collect::<Vec<_>>(), [1, 2, 2, 2]);

    home.carry_out(&recipe_set, &PlanRequest::Remove(vec![name("png")]));
    home.carry_out(&recipe_set, &PlanRequest::Add(vec![name("viewer")]));
    assert!(home.plan(&recipe_set, &PlanRequest::UpdateAll).is_empty());
}
