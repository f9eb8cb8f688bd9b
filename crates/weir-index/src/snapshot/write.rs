//! From the view to columns. [`read`](super::read) mirrors this file line by line.

use std::collections::HashMap;
use std::rc::Rc;

use weir_model::{Release, Scope, Sha256};

use super::column::{Column, ColumnsOut, PoolOut};
use super::past::{LogPast, Need, PackagePast, write_version};
use super::ulid;
use crate::error::{IndexError, SnapshotError};
use crate::facts::{came_code, kind_facts_text, scope_code, write_reference};
use crate::index::Index;
use crate::view::{Came, ReleaseView};
use crate::wire::Writer;

/// The columns of the whole view, and how many releases they hold.
pub(super) fn columns(index: &Index) -> Result<(ColumnsOut, u64), SnapshotError> {
    let mut columns = ColumnsOut::new();
    let names = names(index, &mut columns)?;
    let mut packages: Vec<PackagePast> = names.iter().map(|_| PackagePast::default()).collect();
    let mut teller = Teller {
        columns,
        names,
        texts: PoolOut::new(),
        digests: PoolOut::new(),
        known: HashMap::new(),
        log: LogPast::default(),
    };
    let mut releases = 0;
    for view in index.all_releases() {
        teller.release(&view?, &mut packages)?;
        releases += 1;
    }
    let mut columns = teller.columns;
    rows(index, &mut columns)?;
    Ok((columns, releases))
}

/// Every name, in the order in which the log first says it: its place is its number, less one.
fn names(index: &Index, columns: &mut ColumnsOut) -> Result<HashMap<String, usize>, IndexError> {
    let mut statement = index.connection.prepare_cached("SELECT id, name FROM package ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut names = HashMap::new();
    while let Some(row) = rows.next()? {
        let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
        if usize::try_from(id).ok() != Some(names.len() + 1) {
            return Err(IndexError::Damaged {
                what: "its packages",
                reason: format!("number {id} is out of order"),
            });
        }
        columns.at(Column::Name).text(&name);
        names.insert(name, names.len());
    }
    Ok(names)
}

/// Withdrawals, claims, upstreams, facts, advisories, and what is adopted and held: few, so their rows go as they are.
fn rows(index: &Index, columns: &mut ColumnsOut) -> Result<(), IndexError> {
    let mut statement = index
        .connection
        .prepare_cached("SELECT release, what, facts FROM withdrawal ORDER BY release, what")?;
    let mut rows = statement.query([])?;
    let mut last = 0;
    while let Some(row) = rows.next()? {
        let (release, blob) =
            (crate::rows::unsigned(row, 0)?, row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?);
        let column = columns.at(Column::Withdrawal);
        column.delta(last, release);
        column.byte(row.get(1)?);
        column.bytes(blob);
        last = release;
    }
    for (table, key, value, column) in [
        ("claim", "owner", "facts", Column::Claim),
        ("fact", "name", "value", Column::Fact),
        ("adopted", "name", "facts", Column::Adopted),
    ] {
        let mut statement =
            index.connection.prepare(&format!("SELECT {key}, {value} FROM {table} ORDER BY {key}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            columns.at(column).text(&row.get::<_, String>(0)?);
            columns.at(column).bytes(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?);
        }
    }
    for held in index.held(usize::MAX)? {
        let (id, column) = (&held.hold.id, columns.at(Column::Held));
        for text in [id.name.to_string(), id.version.to_string(), id.platform.to_string()] {
            column.text(&text);
        }
        column.number(id.revision.into());
        column.bytes(&crate::tiers::held_facts(&held));
    }
    for known in index.advisories_since(0, usize::MAX)? {
        columns.at(Column::Advisory).bytes(&crate::advice::facts(&known));
    }
    for set in index.quotas()? {
        columns.at(Column::Quota).text(crate::quotas::key(&set.of));
        columns.at(Column::Quota).bytes(&crate::quotas::facts(&set));
    }
    let mut statement = index
        .connection
        .prepare_cached("SELECT registry, size, root, facts FROM upstream ORDER BY registry")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let column = columns.at(Column::Upstream);
        column.text(&row.get::<_, String>(0)?);
        column.number(crate::rows::unsigned(row, 1)?);
        let root: Sha256 = crate::rows::digest(row, 2)?;
        column.raw(root.as_bytes());
        column.bytes(row.get_ref(3)?.as_blob().map_err(rusqlite::Error::from)?);
    }
    let mut statement =
        index.connection.prepare_cached("SELECT registry, size, at FROM seen ORDER BY registry, size")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let column = columns.at(Column::Seen);
        column.text(&row.get::<_, String>(0)?);
        column.number(crate::rows::unsigned(row, 1)?);
        column.text(&row.get::<_, i64>(2)?.to_string());
    }
    Ok(())
}

/// Tells one release after another.
struct Teller {
    columns: ColumnsOut,
    names: HashMap<String, usize>,
    texts: PoolOut<Rc<str>>,
    digests: PoolOut<Sha256>,
    /// One copy of each text that was met.
    known: HashMap<Box<str>, Rc<str>>,
    log: LogPast,
}

impl Teller {
    fn release(&mut self, view: &ReleaseView, packages: &mut [PackagePast]) -> Result<(), IndexError> {
        let package = self.package(view.release.id.name.as_str())?;
        self.columns.at(Column::Package).delta(self.log.package, package as u64);
        self.log.package = package as u64;
        self.mark(view);
        self.origin(view);
        self.numbers(&view.release, &mut packages[package]);
        self.dependencies(&view.release, package, packages)?;
        let past = &mut packages[package];
        self.texts_and_digests(&view.release, past);
        past.releases.push(weir_model::Baked {
            version: view.release.id.version.clone(),
            platform: view.release.id.platform.clone(),
            revision: view.release.id.revision,
            input_digest: view.release.input_digest,
        });
        Ok(())
    }

    fn mark(&mut self, view: &ReleaseView) {
        let (mark, columns) = (&view.mark, &mut self.columns);
        columns.at(Column::Index).number(mark.index - self.log.next);
        columns.at(Column::Seconds).signed(mark.at.as_second().wrapping_sub(self.log.at.as_second()));
        columns.at(Column::Subsecond).signed(mark.at.subsec_nanosecond().into());
        let by = Some(one(&mut self.known, &mark.by));
        self.texts.put(&mut self.columns, Column::By, by.as_ref(), self.log.by.as_ref());
        let batch = one(&mut self.known, &mark.batch);
        self.batch(&batch, mark.at);
        (self.log.next, self.log.at) = (mark.index + 1, mark.at);
        (self.log.by, self.log.batch) = (by, Some(batch));
    }

    /// 0: as before; 1: a ULID, told by how far it is from the time of the record; 2: a text.
    fn batch(&mut self, batch: &Rc<str>, at: jiff::Timestamp) {
        let columns = &mut self.columns;
        if self.log.batch.as_ref() == Some(batch) {
            columns.at(Column::Batch).byte(0);
        } else if let Some((time, random)) = ulid::split(batch) {
            columns.at(Column::Batch).byte(1);
            columns.at(Column::BatchTime).delta(at.as_millisecond() as u64, time);
            columns.at(Column::BatchRandom).raw(&random);
        } else {
            columns.at(Column::Batch).byte(2);
            columns.at(Column::Batch).text(batch);
        }
    }

    fn origin(&mut self, view: &ReleaseView) {
        let came = view.came();
        self.columns.at(Column::Came).byte(came_code(came.as_ref()));
        if let Some(origin) = came.as_ref().map(Came::origin) {
            let registry = Some(one(&mut self.known, &origin.registry));
            self.texts.put(&mut self.columns, Column::Origin, registry.as_ref(), self.log.origin.as_ref());
            self.columns.at(Column::OriginIndex).delta(self.log.origin_index, origin.index);
            self.columns.at(Column::OriginLeaf).raw(origin.leaf.as_bytes());
            self.log.origin_index = origin.index.wrapping_add(1);
            self.log.origin = registry;
        }
    }

    fn numbers(&mut self, release: &Release, past: &mut PackagePast) {
        let columns = &mut self.columns;
        write_version(columns.at(Column::Version), &release.id.version, past.version.as_ref());
        columns.at(Column::Revision).number(release.id.revision.into());
        columns.at(Column::Kind).byte(release.kind.code());
        columns.at(Column::Tree).raw(release.tree.as_bytes());
        columns.at(Column::Size).delta(past.size, release.size);
        columns.at(Column::Unpacked).delta(past.likely_unpacked(release.size), release.unpacked);
        columns.at(Column::Files).delta(past.files, release.files);
        past.version = Some(release.id.version.clone());
        (past.size, past.unpacked, past.files) = (release.size, release.unpacked, release.files);
    }

    /// 0: the same names, ranges and scopes as before; otherwise one more than their number, and
    /// they follow. What was baked is told apart from them, for it moves more often.
    fn dependencies(
        &mut self,
        release: &Release,
        package: usize,
        packages: &mut [PackagePast],
    ) -> Result<(), IndexError> {
        let mut shape = Vec::with_capacity(release.dependencies.len());
        for dependency in &release.dependencies {
            shape.push(Need {
                package: self.package(dependency.name.as_str())?,
                range: one(&mut self.known, dependency.range.as_str()),
                scope: dependency.scope,
                baked: dependency.baked.is_some(),
            });
        }
        if *shape == *packages[package].shape {
            self.columns.at(Column::Shape).byte(0);
        } else {
            self.columns.at(Column::Shape).length(shape.len() + 1);
            for need in &shape {
                self.need(need);
            }
            packages[package].shape = shape.into();
        }
        for (need, dependency) in packages[package].shape.iter().zip(&release.dependencies) {
            let Some(baked) = &dependency.baked else { continue };
            let candidates = &packages[need.package].releases;
            // How many newer releases it had.
            let age = candidates.iter().rev().position(|candidate| candidate == baked);
            let age = age.ok_or_else(|| IndexError::Damaged {
                what: "its releases",
                reason: format!("`{}` was built with what is none of them", release.id),
            })?;
            self.columns.at(Column::Baked).length(age);
        }
        Ok(())
    }

    fn need(&mut self, need: &Need) {
        self.columns.at(Column::Shape).length(need.package);
        self.columns.at(Column::Shape).byte(shape_code(need.scope, need.baked));
        self.texts.put(&mut self.columns, Column::Shape, Some(&need.range), None);
    }

    fn texts_and_digests(&mut self, release: &Release, past: &mut PackagePast) {
        let platform = Some(one(&mut self.known, release.id.platform.as_str()));
        let license = release.license.as_deref().map(|text| one(&mut self.known, text));
        let description = release.description.as_deref().map(|text| one(&mut self.known, text));
        let facts = kind_facts_text(release);
        let facts = (!facts.is_empty()).then(|| one(&mut self.known, &facts));
        for (column, value, before) in [
            (Column::Platform, platform, &mut past.platform),
            (Column::License, license, &mut past.license),
            (Column::Description, description, &mut past.description),
            (Column::KindFacts, facts, &mut past.kind_facts),
        ] {
            self.texts.put(&mut self.columns, column, value.as_ref(), before.as_ref());
            *before = value;
        }
        for (column, value, before) in [
            (Column::Recipe, release.recipe, &mut past.recipe),
            (Column::Toolchain, release.toolchain, &mut past.toolchain),
        ] {
            self.digests.put(&mut self.columns, column, value, *before);
            *before = value;
        }
        // 0: as before; 1: told.
        let mut references = Writer::default();
        if !release.references.is_empty() {
            references.length(release.references.len());
            for reference in &release.references {
                write_reference(&mut references, reference);
            }
        }
        let told = references.0 != past.references;
        self.columns.at(Column::References).byte(told.into());
        if told {
            self.columns.at(Column::References).bytes(&references.0);
            past.references = references.0;
        }
    }

    fn package(&self, name: &str) -> Result<usize, IndexError> {
        let missing = || IndexError::Damaged { what: "its packages", reason: format!("`{name}` is missing") };
        self.names.get(name).copied().ok_or_else(missing)
    }
}

/// The scope in the low two bits, and whether something was baked.
pub(super) const fn shape_code(scope: Scope, baked: bool) -> u8 {
    scope_code(scope) | (baked as u8) << 2
}

fn one(known: &mut HashMap<Box<str>, Rc<str>>, text: &str) -> Rc<str> {
    if let Some(text) = known.get(text) {
        return text.clone();
    }
    let shared: Rc<str> = text.into();
    known.insert(text.into(), shared.clone());
    shared
}
