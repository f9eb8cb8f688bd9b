//! From columns to the view. Mirrors [`write`](super::write), and checks what a fold would check.

use std::collections::HashMap;
use std::rc::Rc;

use rusqlite::{OptionalExtension as _, params};
use weir_model::record::Origin;
use weir_model::{
    Baked, Dependency, InputDigest, OwnerName, PackageName, Platform, Range, Release, ReleaseId, Sha256, of,
};
use weir_rules::Standing;

use super::column::{Column, ColumnsIn, PoolIn};
use super::past::{LogPast, Need, PackagePast, read_version};
use super::ulid;
use crate::advice;
use crate::error::SnapshotError;
use crate::facts;
use crate::fold::Fold;
use crate::quotas;
use crate::rows::{self, kind, row_id};
use crate::schema::{DROP_LATE_INDEXES, LATE_INDEXES};
use crate::tiers;
use crate::view::{Came, Mark};
use crate::wire::{Malformed, Reader, parse};

type Read<T> = Result<T, Malformed>;

/// Writes every row that the columns tell.
pub(super) fn load(
    fold: &mut Fold<'_>,
    mut columns: ColumnsIn<'_>,
    size: u64,
    stored_limit: u64,
) -> Result<(), SnapshotError> {
    row_id(size)?;
    fold.transaction.execute_batch(DROP_LATE_INDEXES)?;
    let names = names(fold, &mut columns)?;
    releases(fold, &mut columns, &names, size, stored_limit)?;
    fold.transaction.execute_batch(LATE_INDEXES).map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => contradiction("a release is in it twice"),
        _ => error.into(),
    })?;
    check_rules(fold)?;
    withdrawals(fold, &mut columns, size)?;
    other_rows(fold, &mut columns)?;
    columns.finish()?;
    fold.loaded(size)?;
    Ok(())
}

fn names(fold: &Fold<'_>, columns: &mut ColumnsIn<'_>) -> Result<Vec<PackageName>, SnapshotError> {
    let mut names = Vec::new();
    while !columns.at(Column::Name).is_empty() {
        let name: PackageName = columns.at(Column::Name).parsed()?;
        let id = rows::intern_package(&fold.transaction, &name)?;
        names.push(name);
        if usize::try_from(id).ok() != Some(names.len()) {
            return Err(SnapshotError::Malformed("a name is in it twice".into()));
        }
    }
    Ok(names)
}

fn releases(
    fold: &Fold<'_>,
    columns: &mut ColumnsIn<'_>,
    names: &[PackageName],
    size: u64,
    stored_limit: u64,
) -> Result<(), SnapshotError> {
    let mut packages: Vec<PackagePast> = names.iter().map(|_| PackagePast::default()).collect();
    let mut listener = Listener::new(names);
    let mut stored = 0u64;
    let mut owners: HashMap<OwnerName, String> = HashMap::new();
    while !columns.at(Column::Package).is_empty() {
        let (package, release, mark, came) = listener.release(columns, &mut packages)?;
        if mark.index >= size {
            return Err(contradiction("it tells of an entry beyond its size"));
        }
        let id = package as i64 + 1;
        let length =
            rows::insert_release(&fold.transaction, id, &release, &mark, came.as_ref(), Standing::Offered)?;
        if let Some(Came::Admitted(origin)) = &came {
            let owner = release.id.name.owner_name();
            if owners
                .insert(owner.clone(), origin.registry.clone())
                .is_none_or(|same| same == origin.registry)
            {
                tiers::bind(&fold.transaction, &owner, &origin.registry)?;
            } else {
                return Err(contradiction(format!("`{owner}` comes from two registries above")));
            }
        }
        stored = stored.saturating_add(length as u64);
        if stored > stored_limit {
            return Err(SnapshotError::TooLarge { limit: stored_limit });
        }
    }
    Ok(())
}

/// One tree for an input digest, and revisions that only grow.
fn check_rules(fold: &Fold<'_>) -> Result<(), SnapshotError> {
    let mut several = fold
        .transaction
        .prepare("SELECT input_digest FROM release GROUP BY input_digest HAVING count(*) > 1")?;
    let mut trees =
        fold.transaction.prepare("SELECT count(DISTINCT tree) FROM release WHERE input_digest = ?1")?;
    let mut input_digests = several.query([])?;
    while let Some(row) = input_digests.next()? {
        let input_digest: InputDigest = rows::digest(row, 0)?;
        if trees.query_row([input_digest.as_bytes()], |row| row.get::<_, i64>(0))? > 1 {
            return Err(contradiction(format!("the input digest {input_digest} is bound to two trees")));
        }
    }
    let went_back = fold
        .transaction
        .query_row(
            "SELECT id FROM (SELECT id, lag(id) OVER (PARTITION BY package, version, platform ORDER BY revision)
             AS earlier FROM release) WHERE earlier > id LIMIT 1",
            [],
            |row| rows::unsigned(row, 0),
        )
        .optional()?;
    went_back.map_or(Ok(()), |index| Err(contradiction(format!("a revision goes back before entry {index}"))))
}

fn withdrawals(fold: &Fold<'_>, columns: &mut ColumnsIn<'_>, size: u64) -> Result<(), SnapshotError> {
    let mut update = fold.transaction.prepare("UPDATE release SET state = max(state, ?2) WHERE id = ?1")?;
    let column = columns.at(Column::Withdrawal);
    let mut last = 0;
    while !column.is_empty() {
        last = column.delta(last)?;
        let what = rows::state(column.byte()?)?;
        let withdrawn = facts::read_withdrawn(column.bytes()?)?;
        let row = row_id(last)?;
        let known = update.execute(params![row, rows::state_code(what)])? == 1;
        if !known || what == Standing::Offered || withdrawn.mark.index >= size {
            return Err(contradiction("it withdraws what it does not tell"));
        }
        rows::put_withdrawal(&fold.transaction, row, what, &withdrawn)?;
    }
    Ok(())
}

fn other_rows(fold: &Fold<'_>, columns: &mut ColumnsIn<'_>) -> Result<(), SnapshotError> {
    let column = columns.at(Column::Claim);
    while !column.is_empty() {
        let (owner, blob) = (column.parsed::<weir_model::OwnerName>()?, column.bytes()?);
        facts::read_marked(blob)?;
        let row = params![owner.as_str(), owner.confusable(), blob];
        fold.transaction.execute("INSERT OR REPLACE INTO claim VALUES(?1, ?2, ?3)", row)?;
    }
    let column = columns.at(Column::Fact);
    while !column.is_empty() {
        let (name, blob) = (column.text()?, column.bytes()?);
        facts::read_marked(blob)?;
        fold.transaction.execute("INSERT OR REPLACE INTO fact VALUES(?1, ?2)", params![name, blob])?;
    }
    let column = columns.at(Column::Adopted);
    while !column.is_empty() {
        let (name, blob) = (column.parsed::<PackageName>()?, column.bytes()?);
        facts::read_marked(blob)?;
        fold.transaction
            .execute("INSERT OR REPLACE INTO adopted VALUES(?1, ?2)", params![name.as_str(), blob])?;
    }
    let column = columns.at(Column::Held);
    while !column.is_empty() {
        let (name, version, platform) = (column.parsed()?, column.parsed()?, column.parsed()?);
        let id = ReleaseId { name, version, platform, revision: column.small()? };
        let blob = column.bytes()?;
        tiers::read_hold(id.clone(), blob)?;
        tiers::put_hold(&fold.transaction, &id, blob)?;
    }
    let column = columns.at(Column::Advisory);
    while !column.is_empty() {
        advice::put(&fold.transaction, &advice::read_facts(column.bytes()?)?)?;
    }
    let column = columns.at(Column::Quota);
    while !column.is_empty() {
        let (key, blob) = (column.text()?, column.bytes()?);
        quotas::read(key, blob)?;
        quotas::put(&fold.transaction, key, blob)?;
    }
    let column = columns.at(Column::Upstream);
    while !column.is_empty() {
        let (registry, size, root, blob) =
            (column.text()?, column.number()?, column.digest::<of::Bytes>()?, column.bytes()?);
        facts::read_marked(blob)?;
        let row = params![registry, row_id(size)?, root.as_bytes(), blob];
        fold.transaction.execute("INSERT OR REPLACE INTO upstream VALUES(?1, ?2, ?3, ?4)", row)?;
    }
    let column = columns.at(Column::Seen);
    while !column.is_empty() {
        let (registry, size, at) = (column.text()?, column.number()?, column.parsed::<i64>()?);
        let row = params![registry, row_id(size)?, at];
        fold.transaction.execute("INSERT OR REPLACE INTO seen VALUES(?1, ?2, ?3)", row)?;
    }
    Ok(())
}

/// Hears one release after another.
struct Listener<'a> {
    names: &'a [PackageName],
    texts: PoolIn<Rc<str>>,
    digests: PoolIn<Sha256>,
    ranges: HashMap<Rc<str>, Range>,
    platforms: HashMap<Rc<str>, Platform>,
    log: LogPast,
}

impl<'a> Listener<'a> {
    fn new(names: &'a [PackageName]) -> Self {
        Self {
            names,
            texts: PoolIn::new(),
            digests: PoolIn::new(),
            ranges: HashMap::new(),
            platforms: HashMap::new(),
            log: LogPast::default(),
        }
    }

    fn release(
        &mut self,
        columns: &mut ColumnsIn<'_>,
        packages: &mut [PackagePast],
    ) -> Read<(usize, Release, Mark, Option<Came>)> {
        self.log.package = columns.at(Column::Package).delta(self.log.package)?;
        let package = usize::try_from(self.log.package).ok().filter(|package| *package < packages.len());
        let package = package.ok_or_else(|| Malformed::new("a release is of a package that has no name"))?;
        let mark = self.mark(columns)?;
        let came = self.origin(columns)?;
        let past = &mut packages[package];
        let version = read_version(columns.at(Column::Version), past.version.as_ref())?;
        let revision = columns.at(Column::Revision).small()?;
        let kind = kind(columns.at(Column::Kind).byte()?)?;
        let tree = columns.at(Column::Tree).digest()?;
        let size = columns.at(Column::Size).delta(past.size)?;
        let unpacked = columns.at(Column::Unpacked).delta(past.likely_unpacked(size))?;
        let files = columns.at(Column::Files).delta(past.files)?;
        past.version = Some(version.clone());
        (past.size, past.unpacked, past.files) = (size, unpacked, files);
        let dependencies = self.dependencies(columns, package, packages)?;
        let past = &mut packages[package];
        self.texts_and_digests(columns, past)?;
        let mut release = Release {
            id: ReleaseId {
                name: self.names[package].clone(),
                version,
                platform: self.platform(past.platform.as_ref())?,
                revision,
            },
            kind,
            tree,
            size,
            unpacked,
            files,
            input_digest: InputDigest::from_bytes([0; 32]),
            dependencies,
            references: references(&past.references)?,
            recipe: past.recipe,
            toolchain: past.toolchain,
            license: past.license.as_deref().map(str::to_owned),
            description: past.description.as_deref().map(str::to_owned),
            kind_facts: facts::read_kind_facts(past.kind_facts.as_deref().unwrap_or_default())?,
        };
        release.input_digest = release.compute_input_digest();
        past.releases.push(Baked {
            version: release.id.version.clone(),
            platform: release.id.platform.clone(),
            revision,
            input_digest: release.input_digest,
        });
        Ok((package, release, mark, came))
    }

    fn mark(&mut self, columns: &mut ColumnsIn<'_>) -> Read<Mark> {
        let late = || Malformed::new("a number of an entry or a time is too large");
        let index = columns.at(Column::Index).number()?.checked_add(self.log.next).ok_or_else(late)?;
        let seconds =
            columns.at(Column::Seconds).signed()?.checked_add(self.log.at.as_second()).ok_or_else(late)?;
        let nanoseconds = i32::try_from(columns.at(Column::Subsecond).signed()?).map_err(|_| late())?;
        let at =
            jiff::Timestamp::new(seconds, nanoseconds).map_err(|error| Malformed::new(error.to_string()))?;
        let by = self.texts.must(columns, Column::By, self.log.by.as_ref())?;
        let batch = self.batch(columns, at)?;
        let mark = Mark { index, at, by: by.as_ref().to_owned(), batch: batch.as_ref().to_owned() };
        (self.log.next, self.log.at) = (index.checked_add(1).ok_or_else(late)?, at);
        (self.log.by, self.log.batch) = (Some(by), Some(batch));
        Ok(mark)
    }

    fn batch(&mut self, columns: &mut ColumnsIn<'_>, at: jiff::Timestamp) -> Read<Rc<str>> {
        match columns.at(Column::Batch).byte()? {
            0 => self.log.batch.clone().ok_or_else(|| Malformed::new("the first batch has no name")),
            1 => {
                let time = columns.at(Column::BatchTime).delta(at.as_millisecond() as u64)?;
                let random = columns.at(Column::BatchRandom).raw(10)?;
                Ok(ulid::join(time, random.try_into().expect("ten bytes were taken")).into())
            }
            2 => Ok(columns.at(Column::Batch).text()?.into()),
            other => Err(Malformed::new(format!("{other} is no way to name a batch"))),
        }
    }

    fn origin(&mut self, columns: &mut ColumnsIn<'_>) -> Read<Option<Came>> {
        let Some(way) = facts::came(columns.at(Column::Came).byte()?)? else { return Ok(None) };
        let registry = self.texts.must(columns, Column::Origin, self.log.origin.as_ref())?;
        let index = columns.at(Column::OriginIndex).delta(self.log.origin_index)?;
        let leaf = columns.at(Column::OriginLeaf).digest()?;
        let origin = Origin { registry: registry.as_ref().to_owned(), index, leaf };
        self.log.origin_index = index.wrapping_add(1);
        self.log.origin = Some(registry);
        Ok(Some(way(origin)))
    }

    fn dependencies(
        &mut self,
        columns: &mut ColumnsIn<'_>,
        package: usize,
        packages: &mut [PackagePast],
    ) -> Read<Vec<Dependency>> {
        let told = columns.at(Column::Shape).number()?;
        if let Some(length) = told.checked_sub(1) {
            if length > columns.at(Column::Shape).0.len() as u64 {
                return Err(Malformed::new(format!("it announces {length} dependencies")));
            }
            let shape = (0..length).map(|_| self.need(columns)).collect::<Read<Vec<_>>>()?;
            packages[package].shape = shape.into();
        }
        let shape = packages[package].shape.clone();
        let mut dependencies = Vec::with_capacity(shape.len());
        for need in shape.iter() {
            let baked =
                if need.baked { Some(baked(columns, &packages[need.package].releases)?) } else { None };
            let name = self.names[need.package].clone();
            dependencies.push(Dependency { name, range: self.range(&need.range)?, scope: need.scope, baked });
        }
        Ok(dependencies)
    }

    fn need(&mut self, columns: &mut ColumnsIn<'_>) -> Read<Need> {
        let package = columns.at(Column::Shape).index(self.names.len())?;
        let code = columns.at(Column::Shape).byte()?;
        let (scope, baked) = (facts::scope(code & 3)?, code >> 2);
        if baked > 1 {
            return Err(Malformed::new("a dependency is neither baked nor fluid"));
        }
        let range = self.texts.must(columns, Column::Shape, None)?;
        Ok(Need { package, range, scope, baked: baked == 1 })
    }

    fn texts_and_digests(&mut self, columns: &mut ColumnsIn<'_>, past: &mut PackagePast) -> Read<()> {
        for (column, before) in [
            (Column::Platform, &mut past.platform),
            (Column::License, &mut past.license),
            (Column::Description, &mut past.description),
            (Column::KindFacts, &mut past.kind_facts),
        ] {
            *before = self.texts.take(columns, column, before.as_ref())?;
        }
        for (column, before) in [(Column::Recipe, &mut past.recipe), (Column::Toolchain, &mut past.toolchain)]
        {
            *before = self.digests.take(columns, column, *before)?;
        }
        if columns.at(Column::References).flag()? {
            past.references = columns.at(Column::References).bytes()?.to_vec();
        }
        Ok(())
    }

    fn range(&mut self, text: &Rc<str>) -> Read<Range> {
        intern(&mut self.ranges, text)
    }

    fn platform(&mut self, text: Option<&Rc<str>>) -> Read<Platform> {
        let text = text.ok_or_else(|| Malformed::new("a platform is missing"))?;
        intern(&mut self.platforms, text)
    }
}

fn baked(columns: &mut ColumnsIn<'_>, candidates: &[Baked]) -> Read<Baked> {
    let age = columns.at(Column::Baked).index(usize::MAX)?;
    let found = candidates.iter().rev().nth(age);
    found.cloned().ok_or_else(|| Malformed::new("a dependency is baked to a release that was not told"))
}

fn references(blob: &[u8]) -> Read<Vec<weir_model::ReferenceFact>> {
    if blob.is_empty() {
        return Ok(Vec::new());
    }
    let mut from = Reader(blob);
    let references = (0..from.count()?).map(|_| facts::read_reference(&mut from)).collect::<Read<_>>()?;
    from.finish()?;
    Ok(references)
}

fn intern<T: Clone + std::str::FromStr<Err: std::fmt::Display>>(
    known: &mut HashMap<Rc<str>, T>,
    text: &Rc<str>,
) -> Read<T> {
    if let Some(value) = known.get(text) {
        return Ok(value.clone());
    }
    let value: T = parse(text)?;
    known.insert(text.clone(), value.clone());
    Ok(value)
}

fn contradiction(what: impl Into<String>) -> SnapshotError {
    SnapshotError::Contradiction(what.into())
}
