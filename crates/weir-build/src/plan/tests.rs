//! What each action does, told on small repositories.

use insta::assert_snapshot;
use weir_model::Digest;

use super::repository::{Repository, name, names, shown};
use super::{PlanError, PlanRequest};

fn add(text: &str) -> PlanRequest {
    PlanRequest::Add(names(text))
}

fn update(text: &str) -> PlanRequest {
    PlanRequest::Update(names(text))
}

fn remove(text: &str) -> PlanRequest {
    PlanRequest::Remove(names(text))
}

/// Everything that `recipes` build is offered.
fn offering(recipes: &[&str]) -> Repository {
    let mut repository = Repository::new(recipes);
    repository.carry_out(&PlanRequest::AddAll);
    repository
}

const WEB: &[&str] = &[
    "zlib 1.2.11",
    "curl 7.79.1: zlib ^1.2",
    "png 1.6.0: zlib ^1.2.3",
    "viewer 2.0.0: png ^1; curl ^7",
    "fmt 8.0.0",
];

fn failure(repository: &Repository, request: &PlanRequest) -> String {
    let error = repository.plan(request).unwrap_err();
    format!("{error}\n{}", error.help().unwrap_or_default())
}

#[test]
fn adding_builds_what_is_needed_first() {
    let repository = Repository::new(WEB);
    assert_snapshot!(shown(&repository.plan(&add("viewer")).unwrap()), @"
    builds zlib 1.2.11: needed by png
    builds curl 7.79.1 with step 0: needed by viewer
    builds png 1.6.0 with step 0: needed by viewer
    builds viewer 2.0.0 with step 1, step 2: asked for
    ");
}

#[test]
fn adding_uses_what_is_offered_and_fits() {
    let mut repository = Repository::new(WEB);
    repository.carry_out(&add("zlib"));
    assert_snapshot!(shown(&repository.plan(&add("curl")).unwrap()), @"builds curl 7.79.1 with zlib 1.2.11: asked for");
    // Although the recipe of zlib builds something newer by now.
    repository.recipe("zlib 1.3.0");
    assert_snapshot!(shown(&repository.plan(&add("curl")).unwrap()), @"builds curl 7.79.1 with zlib 1.2.11: asked for");
}

#[test]
fn adding_updates_what_is_offered_and_does_not_fit() {
    let mut repository = Repository::new(WEB);
    repository.carry_out(&add("curl"));
    repository.recipe("zlib 1.3.0");
    repository.recipe("ssh 1.0.0: zlib ^1.3");
    assert_snapshot!(shown(&repository.plan(&add("ssh")).unwrap()), @"
    leaves zlib 1.2.11: needed by ssh, which takes ^1.3 and not 1.2.11
    leaves curl 7.79.1: depends on zlib 1.2.11, which leaves
    builds zlib 1.3.0: needed by ssh, which takes ^1.3 and not 1.2.11
    builds curl 7.79.1 revision 1 with step 0: depends on zlib 1.2.11, which leaves
    builds ssh 1.0.0 with step 0: asked for
    ");
}

#[test]
fn adding_again_does_nothing_and_never_replaces_a_version() {
    let mut repository = offering(WEB);
    assert_snapshot!(shown(&repository.plan(&add("curl zlib")).unwrap()), @"
    stays  curl 7.79.1: offered already
    stays  zlib 1.2.11: offered already
    ");
    repository.recipe("curl 7.80.0: zlib ^1.2");
    assert_snapshot!(failure(&repository, &add("curl")), @"
    `base/curl 7.79.1` is offered already, and the recipe builds 7.80.0
    `weir repo update base/curl` replaces it, and what was built with it
    ");
    assert_snapshot!(shown(&repository.plan(&PlanRequest::AddAll).unwrap()), @"
    stays  curl 7.79.1: offered already; its recipe builds 7.80.0
    stays  fmt 8.0.0: offered already
    stays  png 1.6.0: offered already
    stays  viewer 2.0.0: offered already
    stays  zlib 1.2.11: offered already
    ");
}

#[test]
fn updating_builds_again_what_was_built_with_it_and_nothing_else() {
    let mut repository = offering(WEB);
    repository.recipe("zlib 1.3.0");
    assert_snapshot!(shown(&repository.carry_out(&update("zlib"))), @"
    leaves zlib 1.2.11: asked for: version changed from 1.2.11 to 1.3.0
    leaves curl 7.79.1: depends on zlib 1.2.11, which leaves
    leaves png 1.6.0: depends on zlib 1.2.11, which leaves
    leaves viewer 2.0.0: depends on curl 7.79.1, which leaves
    builds zlib 1.3.0: asked for: version changed from 1.2.11 to 1.3.0
    builds curl 7.79.1 revision 1 with step 0: depends on zlib 1.2.11, which leaves
    builds png 1.6.0 revision 1 with step 0: depends on zlib 1.2.11, which leaves
    builds viewer 2.0.0 revision 1 with step 1, step 2: depends on curl 7.79.1, which leaves
    ");
    // Back to a version that was there before.
    repository.recipe("zlib 1.2.11");
    let plan = repository.carry_out(&update("zlib"));
    assert_eq!(plan.builds[0].id.revision, 1);
}

#[test]
fn dependents_are_built_by_their_recipes_as_they_are_now() {
    let mut repository = offering(WEB);
    repository.edit("zlib");
    repository.recipe("curl 7.80.0: zlib ^1.2; brotli *");
    repository.recipe("brotli 1.0.9");
    assert_snapshot!(shown(&repository.plan(&update("zlib")).unwrap()), @"
    leaves zlib 1.2.11: asked for: recipe changed
    leaves curl 7.79.1: depends on zlib 1.2.11, which leaves; version changed from 7.79.1 to 7.80.0
    leaves png 1.6.0: depends on zlib 1.2.11, which leaves
    leaves viewer 2.0.0: depends on curl 7.79.1, which leaves
    builds brotli 1.0.9: needed by curl
    builds zlib 1.2.11 revision 1: asked for: recipe changed
    builds curl 7.80.0 with step 0, step 1: depends on zlib 1.2.11, which leaves; version changed from 7.79.1 to 7.80.0
    builds png 1.6.0 revision 1 with step 1: depends on zlib 1.2.11, which leaves
    builds viewer 2.0.0 revision 1 with step 2, step 3: depends on curl 7.79.1, which leaves
    ");
}

#[test]
fn what_would_come_out_the_same_is_not_built() {
    let mut repository = offering(WEB);
    assert_snapshot!(shown(&repository.plan(&update("zlib viewer")).unwrap()), @"
    stays  viewer 2.0.0: nothing to do
    stays  zlib 1.2.11: nothing to do
    ");
    assert!(repository.plan(&PlanRequest::UpdateAll).unwrap().is_empty());
    repository.edit("viewer");
    repository.edit("fmt");
    assert_snapshot!(shown(&repository.plan(&update("zlib viewer")).unwrap()), @"
    leaves viewer 2.0.0: asked for: recipe changed
    builds viewer 2.0.0 revision 1 with curl 7.79.1, png 1.6.0: asked for: recipe changed
    stays  zlib 1.2.11: nothing to do
    ");
}

#[test]
fn updating_all_builds_what_the_recipes_or_the_toolchain_changed() {
    let mut repository = offering(WEB);
    repository.edit("png");
    repository.recipe("fmt 9.0.0");
    assert_snapshot!(shown(&repository.carry_out(&PlanRequest::UpdateAll)), @"
    leaves fmt 8.0.0: version changed from 8.0.0 to 9.0.0
    leaves png 1.6.0: recipe changed
    leaves viewer 2.0.0: depends on png 1.6.0, which leaves
    builds fmt 9.0.0: version changed from 8.0.0 to 9.0.0
    builds png 1.6.0 revision 1 with zlib 1.2.11: recipe changed
    builds viewer 2.0.0 revision 1 with curl 7.79.1, step 1: depends on png 1.6.0, which leaves
    stays  curl 7.79.1: nothing to do
    stays  zlib 1.2.11: nothing to do
    ");
    repository.toolchain = Digest::of("gcc 13");
    let plan = repository.carry_out(&PlanRequest::UpdateAll);
    assert_eq!(plan.builds.len(), WEB.len());
    assert!(plan.builds.iter().all(|step| step.because.to_string() == "toolchain changed"));
}

#[test]
fn removing_takes_along_what_was_built_with_it() {
    let repository = offering(WEB);
    assert_snapshot!(shown(&repository.plan(&remove("png")).unwrap()), @"
    leaves png 1.6.0: asked for
    leaves viewer 2.0.0: depends on png 1.6.0, which leaves
    ");
    assert_snapshot!(shown(&repository.plan(&remove("fmt zlib")).unwrap()), @"
    leaves fmt 8.0.0: asked for
    leaves zlib 1.2.11: asked for
    leaves curl 7.79.1: depends on zlib 1.2.11, which leaves
    leaves png 1.6.0: depends on zlib 1.2.11, which leaves
    leaves viewer 2.0.0: depends on curl 7.79.1, which leaves
    ");
}

#[test]
fn what_only_building_needs_counts_and_what_only_developers_need_does_not() {
    let mut repository =
        offering(&["gen 1.0.0", "lib 1.0.0: gen ^1 build; check * dev", "user 1.0.0: lib *"]);
    repository.recipe("check 1.0.0");
    repository.recipe("gen 1.1.0");
    assert_snapshot!(shown(&repository.plan(&update("gen")).unwrap()), @"
    leaves gen 1.0.0: asked for: version changed from 1.0.0 to 1.1.0
    leaves lib 1.0.0: depends on gen 1.0.0, which leaves
    leaves user 1.0.0: depends on lib 1.0.0, which leaves
    builds gen 1.1.0: asked for: version changed from 1.0.0 to 1.1.0
    builds lib 1.0.0 revision 1 with step 0 to build: depends on gen 1.0.0, which leaves
    builds user 1.0.0 revision 1 with step 1: depends on lib 1.0.0, which leaves
    ");
    assert_snapshot!(shown(&repository.plan(&remove("gen")).unwrap()), @"
    leaves gen 1.0.0: asked for
    leaves lib 1.0.0: depends on gen 1.0.0, which leaves
    leaves user 1.0.0: depends on lib 1.0.0, which leaves
    ");
    repository.recipe("lib 1.0.0: gen ^1 build; gen ^1; check * dev");
    assert_snapshot!(shown(&repository.carry_out(&update("lib"))), @"
    leaves lib 1.0.0: asked for: recipe changed
    leaves user 1.0.0: depends on lib 1.0.0, which leaves
    builds lib 1.0.0 revision 1 with gen 1.0.0, gen 1.0.0 to build: asked for: recipe changed
    builds user 1.0.0 revision 1 with step 0: depends on lib 1.0.0, which leaves
    ");
}

#[test]
fn sources_are_fetched_only_of_what_is_built_or_compared() {
    let repository = offering(WEB);
    repository.fetched.borrow_mut().clear();
    repository.plan(&update("png")).unwrap();
    assert_eq!(repository.fetched.take().into_iter().collect::<Vec<_>>(), names("png"));
    repository.plan(&remove("zlib")).unwrap();
    repository.plan(&PlanRequest::AddAll).unwrap();
    assert!(repository.fetched.take().is_empty());
}

#[test]
fn a_range_that_excludes_the_new_version_is_named() {
    let mut repository = offering(WEB);
    repository.recipe("zlib 2.0.0");
    assert_snapshot!(failure(&repository, &update("zlib")), @"
    `base/curl` (depends on base/zlib 1.2.11, which leaves) needs `base/zlib` ^1.2, of which 1.2.11 is offered and 2.0.0 would be built; `base/png` (depends on base/zlib 1.2.11, which leaves) needs `base/zlib` ^1.2.3, of which 1.2.11 is offered and 2.0.0 would be built
    let `base/curl`, `base/png` take `base/zlib` 2.0.0, or let its recipe build another version
    ");
    // A new range of what is asked for, which neither what is offered nor the recipe meets.
    let mut repository = offering(WEB);
    repository.recipe("curl 7.80.0: zlib ^3");
    assert_snapshot!(failure(&repository, &update("curl")), @"
    `base/curl` (asked for: version changed from 7.79.1 to 7.80.0) needs `base/zlib` ^3, whose recipe builds 1.2.11
    let `base/curl` take `base/zlib` 1.2.11, or let its recipe build another version
    ");
}

#[test]
fn what_nobody_knows_is_answered_with_what_was_probably_meant() {
    let mut repository = offering(WEB);
    assert_snapshot!(failure(&repository, &add("zlb")), @"
    `base/zlb` is not offered, and there is no recipe for it
    did you mean `base/zlib`?
    ");
    assert_snapshot!(failure(&repository, &update("crul")), @"
    `base/crul` is not offered, and there is no recipe for it
    did you mean `base/curl`?
    ");
    repository.recipe("web 1.0.0: cull ^7");
    assert_snapshot!(failure(&repository, &add("web")), @"
    `base/web` (asked for) needs `base/cull` ^7, which is not offered and has no recipe
    did you mean `base/curl`?
    ");
    assert_snapshot!(failure(&repository, &remove("web")), @"
    `base/web` is not offered
    `weir repo add base/web` offers it
    ");
}

#[test]
fn a_dependent_without_a_recipe_is_named() {
    let mut repository = offering(WEB);
    repository.recipe("zlib 1.3.0");
    repository.recipes.remove(&name("png"));
    assert_snapshot!(failure(&repository, &update("zlib")), @"
    `base/png 1.6.0` must be built again (depends on base/zlib 1.2.11, which leaves) and has no recipe
    write recipes, or let go what has none: `weir repo remove base/png`
    ");
    assert_snapshot!(failure(&repository, &update("png")), @"
    `base/png 1.6.0` must be built again (asked for) and has no recipe
    write recipes, or let go what has none: `weir repo remove base/png`
    ");
    // What has no recipe can stay, and can be removed.
    repository.recipe("zlib 1.2.11");
    assert_snapshot!(shown(&repository.plan(&PlanRequest::UpdateAll).unwrap()), @"
    stays  curl 7.79.1: nothing to do
    stays  fmt 8.0.0: nothing to do
    stays  png 1.6.0: has no recipe
    stays  viewer 2.0.0: nothing to do
    stays  zlib 1.2.11: nothing to do
    ");
    assert_eq!(repository.plan(&remove("png")).unwrap().leaves.len(), 2);
}

#[test]
fn recipes_that_need_each_other_are_shown() {
    let repository = Repository::new(&["a 1.0.0: b *", "b 1.0.0: c * build", "c 1.0.0: a *; d *", "d 1.0.0"]);
    assert_snapshot!(failure(&repository, &add("c")), @"
    recipes need each other to be built: `base/a` needs `base/b`, which needs `base/c`, which needs `base/a`
    take one of these dependencies out of its recipe
    ");
    // Through something that is offered.
    let mut repository = offering(WEB);
    repository.recipe("zlib 1.3.0: viewer *");
    assert_snapshot!(failure(&repository, &update("zlib")), @"
    recipes need each other to be built: `base/curl` needs `base/zlib`, which needs `base/viewer`, which needs `base/curl`
    take one of these dependencies out of its recipe
    ");
}

#[test]
fn a_diamond_is_refused_with_both_ways_to_it() {
    let mut repository = Repository::new(&["zlib 1.2.0", "png 1.0.0: zlib *"]);
    repository.carry_out(&add("png"));
    repository.offer_by_hand("zlib 1.3.0", &[]);
    repository.recipe("viewer 1.0.0: png *; zlib *");
    assert_snapshot!(failure(&repository, &add("viewer")), @"
    `base/zlib` would be used in two releases at once: `base/viewer 1.0.0` would be built with `base/zlib 1.3.0`, but `base/viewer 1.0.0` with `base/png 1.0.0`, built with `base/zlib 1.2.0`
    bring what is behind up to date first: `weir repo update base/png`
    ");
    // What the help says does help.
    repository.recipe("zlib 1.3.0");
    assert_snapshot!(shown(&repository.carry_out(&update("png"))), @"
    leaves png 1.0.0: asked for: what it needs changed
    builds png 1.0.0 revision 1 with zlib 1.3.0: asked for: what it needs changed
    ");
    repository.carry_out(&add("viewer"));
}

#[test]
fn an_update_leaves_one_release_of_a_name_where_there_were_several() {
    let mut repository = Repository::new(&["zlib 1.2.0", "png 1.0.0: zlib *"]);
    repository.carry_out(&add("png"));
    repository.offer_by_hand("zlib 1.3.0", &[]);
    repository.offer_by_hand("curl 7.0.0", &["zlib 1.3.0"]);
    repository.recipe("zlib 1.4.0");
    repository.recipe("curl 7.0.0: zlib *");
    assert_snapshot!(shown(&repository.carry_out(&update("zlib"))), @"
    leaves zlib 1.2.0: asked for: version changed from 1.3.0 to 1.4.0
    leaves zlib 1.3.0: asked for: version changed from 1.3.0 to 1.4.0
    leaves png 1.0.0: depends on zlib 1.2.0, which leaves
    leaves curl 7.0.0: depends on zlib 1.3.0, which leaves
    builds zlib 1.4.0: asked for: version changed from 1.3.0 to 1.4.0
    builds curl 7.0.0 revision 1 with step 0: depends on zlib 1.3.0, which leaves
    builds png 1.0.0 revision 1 with step 0: depends on zlib 1.2.0, which leaves
    ");
}

#[test]
fn the_last_revision_is_the_last() {
    let mut repository = Repository::new(&["zlib 1.2.0"]);
    repository.offer_by_hand("zlib 1.2.0 revision 4294967295", &[]);
    let error = repository.plan(&update("zlib")).unwrap_err();
    assert!(matches!(error, PlanError::Revisions { .. }), "{error}");
}

#[test]
fn a_plan_is_data() {
    let mut repository = offering(&["zlib 1.2.11", "curl 7.79.1: zlib ^1.2"]);
    repository.recipe("zlib 1.3.0");
    let plan = repository.plan(&update("zlib")).unwrap();
    assert_snapshot!(serde_json::to_string_pretty(&plan).unwrap(), @r#"
    {
      "leaves": [
        {
          "id": {
            "name": "base/zlib",
            "version": "1.2.11",
            "platform": "x86-64-debian-12",
            "revision": 0
          },
          "because": {
            "why": "asked",
            "change": {
              "what": "version",
              "from": "1.2.11",
              "to": "1.3.0"
            }
          }
        },
        {
          "id": {
            "name": "base/curl",
            "version": "7.79.1",
            "platform": "x86-64-debian-12",
            "revision": 0
          },
          "because": {
            "why": "depends-on",
            "on": {
              "name": "base/zlib",
              "version": "1.2.11",
              "platform": "x86-64-debian-12",
              "revision": 0
            }
          }
        }
      ],
      "builds": [
        {
          "id": {
            "name": "base/zlib",
            "version": "1.3.0",
            "platform": "x86-64-debian-12",
            "revision": 0
          },
          "input-digest": "sha256:5c50c0f620c793dd58ace444261d2020a8a62c02fed5d987881f233ecda3b9b0",
          "recipe": "sha256:cbc5be33ca3ab6e332e9323b373f1ea500c5dc6539fc0391ea8bcfc7c5ac0e5c",
          "dependencies": [],
          "because": {
            "why": "asked",
            "change": {
              "what": "version",
              "from": "1.2.11",
              "to": "1.3.0"
            }
          }
        },
        {
          "id": {
            "name": "base/curl",
            "version": "7.79.1",
            "platform": "x86-64-debian-12",
            "revision": 1
          },
          "input-digest": "sha256:c5b3d086a747bb3ff80a3bfb3b9b0f1e67c2015681fa73fdcc78e1fdaa4f241b",
          "recipe": "sha256:6659c989203f3a5e85d0e9b56ac3e0fe89640e8f63202935fee4f24a3fdc4927",
          "dependencies": [
            {
              "name": "base/zlib",
              "range": "^1.2",
              "scope": "run",
              "on": {
                "step": 0
              },
              "input-digest": "sha256:5c50c0f620c793dd58ace444261d2020a8a62c02fed5d987881f233ecda3b9b0"
            }
          ],
          "because": {
            "why": "depends-on",
            "on": {
              "name": "base/zlib",
              "version": "1.2.11",
              "platform": "x86-64-debian-12",
              "revision": 0
            }
          }
        }
      ],
      "untouched": []
    }
    "#);
}
