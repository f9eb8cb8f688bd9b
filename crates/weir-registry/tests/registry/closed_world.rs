//! The view after a batch is closed, if the policy says so; a batch that would break it is refused.

use proptest::prelude::*;
use weir_registry::{Intent, SubmitError, audit};

use crate::world::{World, withdraw};

#[test]
fn what_others_were_built_with_is_removed_together_with_them_or_not_at_all() {
    let world = World::new(true);
    world.publish(&[("acme/base 1.0.0", &[]), ("acme/top 1.0.0", &["acme/base ^1"])]).unwrap();
    let base = || Intent::Remove(withdraw("acme/base 1.0.0"));
    let error = world.submit(vec![base()]).unwrap_err();
    let SubmitError::WouldBreak { dependents, .. } = &error else { panic!("{error}") };
    assert_eq!(dependents[0].to_string(), "acme/top 1.0.0");
    world.submit(vec![base(), Intent::Remove(withdraw("acme/top 1.0.0"))]).unwrap();
}

#[test]
fn an_open_registry_lets_it_happen() {
    let world = World::new(false);
    world.publish(&[("acme/base 1.0.0", &[]), ("acme/top 1.0.0", &["acme/base ^1"])]).unwrap();
    world.submit(vec![Intent::Remove(withdraw("acme/base 1.0.0"))]).unwrap();
}

/// What somebody may try: publish a version that needs another package, or remove one.
#[derive(Debug, Clone)]
enum Attempt {
    Publish { package: usize, version: u64, needs: Option<usize> },
    Remove { package: usize, version: u64 },
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let package = 0..3_usize;
    prop_oneof![
        (package.clone(), 0..3_u64, proptest::option::of(package.clone()))
            .prop_map(|(package, version, needs)| Attempt::Publish { package, version, needs }),
        (package, 0..3_u64).prop_map(|(package, version)| Attempt::Remove { package, version }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_is_tried_the_registry_stays_closed_and_sound(
        batches in proptest::collection::vec(proptest::collection::vec(attempt(), 1..3), 1..6),
    ) {
        let world = World::new(true);
        let registry = world.open();
        for batch in batches {
            let intents = batch.iter().map(|attempt| match attempt {
                Attempt::Publish { package, version, needs } => {
                    let needs: Vec<String> = needs.iter().map(|needed| format!("acme/p{needed} *")).collect();
                    let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
                    let id = format!("acme/p{package} 1.0.{version}");
                    Intent::Publish(Box::new(world.draft(&registry, &id, &needs, "")))
                }
                Attempt::Remove { package, version } => {
                    Intent::Remove(withdraw(&format!("acme/p{package} 1.0.{version}")))
                }
            });
            // Many attempts are refused; what matters is what is there afterwards.
            let _ = world.submit(intents.collect());
            let replica = world.fresh_replica();
            let source = weir_log::FolderSource::new(world.folder());
            let found = audit(&source, replica.keys(), true, Some(registry.content()), &mut |_, _| {}).unwrap();
            prop_assert_eq!(found.problems, Vec::<String>::new());
        }
    }
}
