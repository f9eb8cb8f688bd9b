//! Many who publish at once: batches that wait are appended together, and each is still alone in what becomes of it.

use std::sync::{Arc, Barrier};

use weir_log::NoFaults;
use weir_model::Unobserved;
use weir_policy::{Caller, FolderGate, Principal};
use weir_registry::{
    Acting, Batch, Done, Intent, Look, Receipt, Registrar, Registry as _, SubmitError, audit, folder_ports,
};

use crate::world::{World, draft, now};

/// How many publish at once.
const PUBLISHERS: usize = 24;

/// One registrar, at work for many.
fn registrar(world: &World) -> Arc<Registrar> {
    let ports = folder_ports(&world.folder(), &world.keys()).unwrap();
    Arc::new(Registrar::open(ports, &world.home(), Box::new(FolderGate)).unwrap())
}

/// Has each publish what `releases` says for it, all at once, and gives back what each was told.
fn publish(world: &World, releases: &[(String, Vec<&str>, String)]) -> Vec<Result<Receipt, SubmitError>> {
    let registrar = registrar(world);
    let begin = Barrier::new(releases.len());
    std::thread::scope(|scope| {
        let publishers: Vec<_> = releases
            .iter()
            .map(|(id, needs, content)| {
                let (registrar, begin) = (registrar.clone(), &begin);
                scope.spawn(move || {
                    let acting: Acting = registrar.acting_for(Caller::new(Principal::user("ann"), now()));
                    let draft = draft(&acting, id, needs, content);
                    begin.wait();
                    acting.submit(&Batch { intents: vec![Intent::Publish(Box::new(draft))] })
                })
            })
            .collect();
        publishers.into_iter().map(|publisher| publisher.join().unwrap()).collect()
    })
}

fn sound(world: &World) {
    let replica = world.fresh_replica();
    let source = weir_log::FolderSource::new(world.folder());
    let found = audit(&source, replica.keys(), true, Look::Held(&world.content()), &Unobserved).unwrap();
    assert_eq!(found.problems, Vec::<String>::new());
}

#[test]
fn all_are_registered_and_each_in_a_batch_of_its_own() {
    let world = World::new(true);
    let releases: Vec<_> =
        (0..PUBLISHERS).map(|n| (format!("acme/p{n} 1.0.0"), Vec::new(), String::new())).collect();
    let receipts: Vec<Receipt> = publish(&world, &releases).into_iter().map(Result::unwrap).collect();
    assert!(receipts.iter().all(|receipt| receipt.outcomes[0].done == Done::Published));
    let mut batches: Vec<_> = receipts.iter().map(|receipt| receipt.batch.clone().unwrap()).collect();
    batches.sort();
    batches.dedup();
    assert_eq!(batches.len(), PUBLISHERS);
    let view = world.fresh_replica();
    assert_eq!(view.index().live_releases().count(), PUBLISHERS);
    // Whoever was told of a checkpoint finds their release under it.
    assert!(receipts.iter().all(|receipt| receipt.size <= view.checkpoint().unwrap().size()));
    sound(&world);
}

#[test]
fn one_that_is_refused_takes_no_other_with_it() {
    let world = World::new(true);
    let refused = |n: usize| n.is_multiple_of(3);
    let releases: Vec<_> = (0..PUBLISHERS)
        .map(|n| {
            let needs = if refused(n) { vec!["acme/none ^1"] } else { Vec::new() };
            (format!("acme/p{n} 1.0.0"), needs, String::new())
        })
        .collect();
    for (n, told) in publish(&world, &releases).into_iter().enumerate() {
        match (refused(n), told) {
            (true, Err(SubmitError::Unsatisfiable { .. })) | (false, Ok(_)) => {}
            (_, told) => panic!("{n}: {told:?}"),
        }
    }
    assert_eq!(world.fresh_replica().index().live_releases().count(), PUBLISHERS - PUBLISHERS / 3);
    sound(&world);
}

#[test]
fn of_many_who_publish_the_same_release_one_is_first_and_the_others_are_told() {
    let world = World::new(true);
    let releases: Vec<_> = (0..PUBLISHERS)
        .map(|n| {
            (
                "acme/same 1.0.0".to_owned(),
                Vec::new(),
                if n.is_multiple_of(2) { "even" } else { "odd" }.to_owned(),
            )
        })
        .collect();
    let told = publish(&world, &releases);
    let done = |done: Done| told.iter().flatten().filter(|receipt| receipt.outcomes[0].done == done).count();
    assert_eq!((done(Done::Published), done(Done::Already)), (1, PUBLISHERS / 2 - 1));
    let others: Vec<_> = told
        .iter()
        .filter_map(|told| told.as_ref().err())
        .filter(|error| !matches!(error, SubmitError::AlreadyPublished { .. }))
        .collect();
    assert!(others.is_empty(), "{others:?}");
    sound(&world);
}

#[test]
fn a_registrar_that_is_open_for_long_notices_that_the_key_was_changed_elsewhere() {
    let world = World::new(false);
    let registrar = registrar(&world);
    let acting = registrar.acting_for(Caller::new(Principal::user("ann"), now()));
    let publish = |id: &str| {
        let draft = draft(&acting, id, &[], "");
        acting.submit(&Batch { intents: vec![Intent::Publish(Box::new(draft))] })
    };
    publish("acme/a 1.0.0").unwrap();
    world
        .open_with(Box::new(FolderGate), Arc::new(NoFaults), Caller::new(Principal::user("ann"), now()))
        .rotate_key()
        .unwrap();
    publish("acme/b 1.0.0").unwrap();
    acting.rotate_key().unwrap();
    publish("acme/c 1.0.0").unwrap();
    assert_eq!(world.fresh_replica().index().live_releases().count(), 3);
}
