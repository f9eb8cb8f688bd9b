//! A log in a few lines.

use weir_index::{FoldError, Index};
use weir_model::record::{Only, Origin, Upstream, UpstreamMode, Withdrawal};
use weir_model::{
    Action, Baked, Dependency, Digest, KindName, Platform, Record, Release, ReleaseId, Scope, WithdrawalVerb,
};

/// Entries of a log, as bytes.
#[derive(Debug, Default, Clone)]
pub(crate) struct Log(pub(crate) Vec<Vec<u8>>);

impl Log {
    pub(crate) fn say(&mut self, action: Action) -> u64 {
        let index = self.0.len() as u64;
        let record = Record {
            v: 1,
            batch: format!("batch-{}", index / 3),
            at: jiff_time(index),
            by: format!("user:{}", ["ann", "bob"][index as usize % 2]),
            action,
        };
        self.0.push(record.to_bytes().unwrap());
        index
    }

    pub(crate) fn publish(&mut self, release: Release) -> u64 {
        self.say(Action::Publish { release: Box::new(release.into()) })
    }

    pub(crate) fn admit(&mut self, release: Release) -> u64 {
        self.admit_from("up", release)
    }

    pub(crate) fn admit_from(&mut self, registry: &str, release: Release) -> u64 {
        let from = Origin { registry: registry.into(), index: 7, leaf: Digest::of("leaf") };
        self.say(Action::Admit { release: Box::new(release.into()), from })
    }

    pub(crate) fn promote(&mut self, release: Release) -> u64 {
        let from = Origin { registry: "below".into(), index: 9, leaf: Digest::of("another leaf") };
        self.say(Action::Promote { release: Box::new(release.into()), from })
    }

    pub(crate) fn folded(&self) -> Index {
        let mut index = Index::in_memory().unwrap();
        fold(&mut index, self, 0..self.0.len()).unwrap();
        index
    }
}

/// A registry above that a log names.
pub(crate) fn above(name: &str) -> Upstream {
    Upstream {
        name: name.into(),
        key: format!("{name}+1234+key"),
        mode: UpstreamMode::OnDemand,
        only: Only::default(),
    }
}

fn jiff_time(index: u64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(1_700_000_000 + index as i64 * 61).unwrap()
}

pub(crate) fn fold(index: &mut Index, log: &Log, entries: std::ops::Range<usize>) -> Result<(), FoldError> {
    let mut fold = index.begin()?;
    for place in entries.clone() {
        fold.entry(place as u64, &log.0[place])?;
    }
    fold.finish(format!("state {}", entries.end).as_bytes())
}

pub(crate) fn id(text: &str) -> ReleaseId {
    text.parse().unwrap()
}

/// A release whose tree is made of its name, so that its input digest and its tree agree.
pub(crate) fn release(text: &str) -> Release {
    let mut release = Release {
        id: id(text),
        kind: KindName::Generic,
        tree: Digest::of("no tree yet"),
        size: 1000 + text.len() as u64,
        unpacked: 5000,
        files: 3,
        input_digest: Digest::of("no input digest yet"),
        dependencies: Vec::new(),
        references: Vec::new(),
        recipe: None,
        toolchain: None,
        license: Some("MIT".into()),
        description: Some(format!("What {text} is")),
        kind_facts: serde_json::Map::new(),
    };
    seal(&mut release);
    release
}

/// Gives a release the digest of its inputs, and a tree that goes with it.
pub(crate) fn seal(release: &mut Release) {
    release.input_digest = release.compute_input_digest();
    release.tree = Digest::of(release.input_digest.as_bytes());
}

pub(crate) fn needing(mut release: Release, name: &str, range: &str, baked: Option<&Release>) -> Release {
    release.dependencies.push(Dependency {
        name: name.parse().unwrap(),
        range: range.parse().unwrap(),
        scope: Scope::Run,
        baked: baked.map(|baked| Baked {
            version: baked.id.version.clone(),
            platform: baked.id.platform.clone(),
            revision: baked.id.revision,
            input_digest: baked.input_digest,
        }),
    });
    seal(&mut release);
    release
}

pub(crate) fn described(mut release: Release, description: &str) -> Release {
    release.description = Some(description.into());
    release
}

pub(crate) fn of_kind(mut release: Release, kind: KindName) -> Release {
    release.kind = kind;
    seal(&mut release);
    release
}

pub(crate) fn platform(text: &str) -> Platform {
    text.parse().unwrap()
}

pub(crate) fn withdraw(verb: WithdrawalVerb, text: &str, reason: &str) -> Action {
    let reason = Some(reason.into());
    Action::Withdraw(Withdrawal { verb, id: id(text), reason, advisory: None, because: None, from: None })
}
