//! What holds for every log.

use std::collections::HashMap;

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::Config;
use weir_index::{Index, LoadedSnapshot, PackageFilter, SnapshotLimits};
use weir_model::record::{Description, Hold, Withdrawal};
use weir_model::{
    Action, Digest, InputDigest, KindName, ReferenceFact, Release, ReleaseId, TreeDigest, WithdrawalVerb,
};

use crate::support::{Log, above, fold, needing, release, seal, withdraw};

/// A move of somebody who writes a log. The numbers choose among what there is.
#[derive(Debug, Clone)]
enum Move {
    Publish { package: u8, version: u8, platform: bool, flavour: u8, needs: Vec<(u8, bool)>, admitted: bool },
    Withdraw { which: u8, how: u8, on: u8 },
    Other(u8),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let needs = proptest::collection::vec((any::<u8>(), any::<bool>()), 0..3);
    let publish = (0..6u8, 0..5u8, any::<bool>(), any::<u8>(), needs, any::<bool>()).prop_map(
        |(package, version, platform, flavour, needs, admitted)| Move::Publish {
            package,
            version,
            platform,
            flavour,
            needs,
            admitted,
        },
    );
    let withdraw =
        (any::<u8>(), 0..5u8, any::<u8>()).prop_map(|(which, how, on)| Move::Withdraw { which, how, on });
    let one = prop_oneof![6 => publish, 3 => withdraw, 1 => any::<u8>().prop_map(Move::Other), 1 => Just(Move::Other(0))];
    proptest::collection::vec(one, 0..40)
}

/// Makes a log of moves; all of them obey the rules.
#[derive(Default)]
struct Author {
    log: Log,
    releases: Vec<Release>,
    removed: Vec<ReleaseId>,
    revisions: HashMap<String, u32>,
    upstream: u64,
}

impl Author {
    fn write(moves: &[Move]) -> Log {
        let mut author = Self::default();
        for step in moves {
            author.make(step);
        }
        author.log
    }

    fn make(&mut self, step: &Move) {
        match step {
            Move::Publish { package, version, platform, flavour, needs, admitted } => {
                let owner = if *admitted { "above" } else { "acme" };
                let release = self.release(owner, *package, *version, *platform, *flavour, needs);
                if *admitted {
                    self.log.admit(release.clone())
                } else if flavour % 4 == 1 {
                    self.log.promote(release.clone())
                } else {
                    self.log.publish(release.clone())
                };
                self.releases.push(release);
            }
            Move::Withdraw { which, how, on } => self.withdraw(*which, *how, *on),
            Move::Other(what) => self.other(*what),
        }
    }

    fn release(
        &mut self,
        owner: &str,
        package: u8,
        version: u8,
        platform: bool,
        flavour: u8,
        needs: &[(u8, bool)],
    ) -> Release {
        let platform = if platform { " x86-64-debian-12" } else { "" };
        let place = format!("{owner}/package-{package} 1.{version}.0{platform}");
        let revision = self.revisions.entry(place.clone()).and_modify(|revision| *revision += 1).or_insert(0);
        let revision = if *revision > 0 { format!(" revision {revision}") } else { String::new() };
        let mut release = release(&format!("{place}{revision}"));
        for (which, baked) in needs {
            let Some(other) = pick(&self.releases, *which) else { continue };
            let range = if flavour.is_multiple_of(2) { "*" } else { "^1.0" };
            release = needing(release, other.id.name.as_str(), range, baked.then_some(other));
        }
        if flavour.is_multiple_of(7) {
            release = needing(release, "nobody/published-this", ">=1, <3", None);
        }
        release.kind = KindName::ALL[usize::from(flavour % 5)];
        release.description = (!flavour.is_multiple_of(3)).then(|| format!("flavour {}", flavour % 4));
        release.toolchain = (flavour % 4 == 1).then(|| Digest::of("toolchain"));
        release.recipe = (flavour % 4 == 1).then(|| Digest::of([flavour]));
        release.unpacked = 4000 + u64::from(flavour);
        if flavour % 5 == 2 {
            release.kind_facts.insert("keywords".into(), serde_json::json!(["tool", "thing"]));
        }
        if flavour % 6 == 3 {
            let (sha256, size) = (Some(Digest::of("data")), Some(12));
            release.references = vec![ReferenceFact {
                name: "data".into(),
                sha256,
                size,
                fluid: false,
                range: None,
                held: true,
            }];
        }
        // Rebuilding the same inputs must give the same tree, so a rebuild gets inputs of its own.
        release.recipe = release.recipe.or_else(|| (release.id.revision > 0).then(|| Digest::of(revision)));
        seal(&mut release);
        if flavour % 11 == 10 {
            release.input_digest = Digest::of(release.id.to_string());
        }
        release
    }

    fn withdraw(&mut self, which: u8, how: u8, on: u8) {
        let Some(release) = pick(&self.releases, which).map(|release| release.id.clone()) else { return };
        if self.removed.contains(&release) {
            return;
        }
        let because = pick(&self.releases, on).map(|release| release.id.clone());
        let advisory = on.is_multiple_of(2).then(|| "WEIR-1".to_owned());
        let verb = WithdrawalVerb::ALL[usize::from(how)];
        if verb == WithdrawalVerb::Remove {
            self.removed.push(release.clone());
        }
        let reason = Some(format!("reason {on}"));
        self.log.say(Action::Withdraw(Withdrawal {
            verb,
            id: release,
            reason,
            advisory,
            because,
            from: on.is_multiple_of(3).then(|| "up".to_owned()),
        }));
    }

    fn other(&mut self, what: u8) {
        let name = format!("owner-{}", what % 3);
        self.upstream += u64::from(what);
        let size = self.upstream;
        self.log.say(match what % 5 {
            4 => Action::Hold(Hold {
                id: format!("above/held-{} 1.0.{what}", what % 3).parse().unwrap(),
                registry: "up".into(),
                policy: "cooldown".into(),
                reason: name,
                until: what.is_multiple_of(2).then(|| "2026-11-20T12:00:00Z".parse().unwrap()),
            }),
            0 => Action::Claim { owner: name.parse().unwrap(), who: vec![format!("user:{what}")] },
            1 => Action::Policy { digest: Digest::of([what]) },
            2 => Action::Upstream { registry: "up".into(), size, root: Digest::of(size.to_string()) },
            _ => Action::Describe(Description {
                closed: Some(what % 8 == 3),
                upstreams: Some(vec![above(&name)]),
                ..Description::default()
            }),
        });
    }
}

fn pick<T>(things: &[T], which: u8) -> Option<&T> {
    things.get(usize::from(which) % things.len().max(1))
}

/// All that can be seen of a view.
fn seen(index: &Index) -> String {
    let mut seen = index.dump().unwrap();
    for query in ["package", "flavour", "tool", "acme package", "flavour 2", "pa"] {
        let results = index.search(query, &PackageFilter::default(), 100, 0).unwrap();
        seen.push_str(&format!("{query}: {results:?}\n"));
    }
    seen
}

fn folded_in_steps(log: &Log, steps: &[usize]) -> Index {
    let mut index = Index::in_memory().unwrap();
    let mut start = 0;
    for step in steps.iter().chain([&log.0.len()]) {
        let end = (start + step).min(log.0.len());
        fold(&mut index, log, start..end).unwrap();
        start = end;
    }
    index
}

fn snapshot(index: &Index) -> Vec<u8> {
    let mut bytes = Vec::new();
    index.write_snapshot(b"frontier", &mut bytes).unwrap();
    bytes
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]

    #[test]
    fn folding_a_log_gives_one_view_whatever_the_steps_were(
        moves in moves(),
        steps in proptest::collection::vec(0..9usize, 0..12),
    ) {
        let log = Author::write(&moves);
        let (at_once, in_steps) = (log.folded(), folded_in_steps(&log, &steps));
        prop_assert_eq!(seen(&at_once), seen(&in_steps));
        prop_assert!(snapshot(&at_once) == snapshot(&in_steps));
    }

    #[test]
    fn a_snapshot_and_the_rest_of_the_log_give_the_same_view_as_the_log(
        moves in moves(),
        cut in any::<proptest::sample::Index>(),
        in_one_fold in any::<bool>(),
    ) {
        let log = Author::write(&moves);
        let cut = cut.index(log.0.len() + 1);
        let bytes = snapshot(&folded_in_steps(&Log(log.0[..cut].to_vec()), &[]));
        let mut index = Index::in_memory().unwrap();
        let LoadedSnapshot { size, frontier, fold: mut rest } =
            index.load_snapshot(bytes.as_slice(), SnapshotLimits::default()).unwrap();
        prop_assert_eq!((size, frontier.as_slice()), (cut as u64, b"frontier".as_slice()));
        if in_one_fold {
            for (place, entry) in log.0.iter().enumerate().skip(cut) {
                rest.entry(place as u64, entry).unwrap();
            }
            rest.finish(b"").unwrap();
        } else {
            rest.finish(b"").unwrap();
            prop_assert_eq!(seen(&index), seen(&folded_in_steps(&Log(log.0[..cut].to_vec()), &[])));
            fold(&mut index, &log, cut..log.0.len()).unwrap();
        }
        prop_assert_eq!(seen(&index), seen(&log.folded()));
    }

    #[test]
    fn for_one_input_digest_there_is_one_tree_and_revisions_only_grow(
        attempts in proptest::collection::vec((0..3u8, 0..4u32, 0..4u8, 0..3u8, any::<bool>()), 1..25),
    ) {
        let mut index = Index::in_memory().unwrap();
        let mut trees: HashMap<InputDigest, TreeDigest> = HashMap::new();
        let mut newest: HashMap<u8, u32> = HashMap::new();
        let mut size = 0;
        for (package, revision, input_digest, tree, remove) in attempts {
            let mut release = release(&format!("acme/package-{package} 1.0.0 revision {revision}"));
            release.toolchain = Some(Digest::of([input_digest]));
            release.input_digest = release.compute_input_digest();
            release.tree = Digest::of([tree]);
            let allowed = newest.get(&package).is_none_or(|newest| revision > *newest)
                && trees.get(&release.input_digest).is_none_or(|bound| *bound == release.tree);
            let mut log = Log::default();
            log.publish(release.clone());
            if remove {
                log.say(withdraw(WithdrawalVerb::Remove, &release.id.to_string(), ""));
            }
            let mut fold = index.begin().unwrap();
            let accepted = log.0.iter().enumerate().try_for_each(|(place, entry)| fold.entry(size + place as u64, entry));
            prop_assert_eq!(accepted.is_ok(), allowed);
            if allowed {
                fold.finish(b"").unwrap();
                size += log.0.len() as u64;
                trees.insert(release.input_digest, release.tree);
                newest.insert(package, revision);
            }
        }
    }
}
