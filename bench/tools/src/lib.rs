//! What the programs of `bench/` share: chance that is the same in every run, and logs filled at once.

pub mod elm;

use std::path::Path;

use weir_log::{LogFolder, Origin, Signers, SigningKey, Stamp};
use weir_model::of::Subject;
use weir_model::{
    Action, Dependency, Digest, KindName, PackageName, Platform, Record, Release, ReleaseId, Version,
};

/// Any error: a benchmark only reports it.
pub type Anything = Box<dyn std::error::Error>;

/// Records under one checkpoint.
const BATCH: usize = 4096;

/// SplitMix64.
#[derive(Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// The next number.
    #[expect(clippy::should_implement_trait, reason = "it never ends, so it is no iterator")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A digest, which no compressor can shorten.
    pub fn digest<S: Subject>(&mut self) -> Digest<S> {
        Digest::of(self.next().to_le_bytes())
    }

    fn ulid(&mut self, seconds: i64) -> String {
        const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let value = ((seconds as u128 * 1000) << 80)
            | (u128::from(self.next()) << 16)
            | u128::from(self.next() as u16);
        (0..26).rev().map(|place| char::from(ALPHABET[(value >> (place * 5)) as usize & 31])).collect()
    }
}

/// A release of which only the name and what it needs matters: the smallest there is, for any platform.
pub fn bare_release(
    name: PackageName,
    version: Version,
    kind: KindName,
    dependencies: Vec<Dependency>,
    chance: &mut Chance,
) -> Release {
    Release {
        id: ReleaseId { name, version, platform: Platform::any(), revision: 0 },
        kind,
        tree: chance.digest(),
        size: 1,
        unpacked: 1,
        files: 1,
        input_digest: chance.digest(),
        dependencies,
        references: Vec::new(),
        recipe: None,
        toolchain: None,
        license: None,
        description: None,
        kind_facts: Default::default(),
    }
}

/// The record that publishes a release, at a time of its own, in a batch of its own.
pub fn record(release: Release, index: u64, chance: &mut Chance) -> Result<Vec<u8>, Anything> {
    let seconds = 1_700_000_000 + i64::try_from(index)? * 97;
    let record = Record {
        v: 1,
        batch: chance.ulid(seconds),
        at: jiff::Timestamp::from_second(seconds)?,
        by: format!("user:person-{}", index % 40),
        action: Action::Publish { release: Box::new(release.into()) },
    };
    Ok(record.to_bytes()?)
}

/// Appends records to the log of a registry that `weir registry init` made, signed with its key. The
/// registry's rules are not asked: what the records name need not be uploaded.
pub fn append(registry: &Path, key: &Path, entries: &[Vec<u8>]) -> Result<(), Anything> {
    // The line behind it says which place it signs for.
    let text = fs_err::read_to_string(key)?;
    let key: SigningKey = text.lines().next().unwrap_or_default().parse()?;
    let origin: Origin = key.origin().clone();
    let signers = Signers::new([key])?;
    let trusted = signers.trusted();
    let mut writer = LogFolder::new(registry).writer(signers, &trusted)?;
    for batch in entries.chunks(BATCH) {
        writer.append(batch, &Stamp::new(jiff::Timestamp::now(), None))?;
    }
    let bytes: usize = entries.iter().map(Vec::len).sum();
    println_result(&format!(
        "{}: {} records of `{origin}`, {bytes} bytes",
        registry.display(),
        entries.len()
    ));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a benchmark prints what it made")]
/// Prints a line of results.
pub fn println_result(line: &str) {
    println!("{line}");
}
