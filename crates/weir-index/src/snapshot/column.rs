//! Columns by name, and values that refer to values before them.

use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

use weir_model::Sha256;

use crate::wire::{Malformed, Reader, Writer};

macro_rules! columns {
    ($($column:ident = $name:literal,)*) => {
        /// A column; what each holds is told where [`write`](super::write) fills it.
        #[derive(Debug, Clone, Copy)]
        pub(super) enum Column { $($column,)* }

        const NAMES: &[&str] = &[$($name,)*];
    };
}

columns! {
    Name = "name",
    Text = "text",
    Digest = "digest",
    Package = "package",
    Index = "index",
    Seconds = "seconds",
    Subsecond = "subsecond",
    By = "by",
    Batch = "batch",
    BatchTime = "batch-time",
    BatchRandom = "batch-random",
    Came = "came",
    Origin = "origin",
    OriginIndex = "origin-index",
    OriginLeaf = "origin-leaf",
    Version = "version",
    Platform = "platform",
    Revision = "revision",
    Kind = "kind",
    Tree = "tree",
    Size = "size",
    Unpacked = "unpacked",
    Files = "files",
    Shape = "shape",
    Baked = "baked",
    References = "references",
    Recipe = "recipe",
    Toolchain = "toolchain",
    License = "license",
    Description = "description",
    KindFacts = "kind-facts",
    Withdrawal = "withdrawal",
    Claim = "claim",
    Upstream = "upstream",
    Seen = "seen",
    Adopted = "adopted",
    Held = "held",
    Advisory = "advisory",
    Quota = "quota",
    Fact = "fact",
}

/// Columns that older snapshots do not have.
const LATER: [&str; 3] =
    [NAMES[Column::Advisory as usize], NAMES[Column::Quota as usize], NAMES[Column::Seen as usize]];

/// Columns being filled.
#[derive(Debug)]
pub(super) struct ColumnsOut(Vec<Writer>);

impl ColumnsOut {
    pub(super) fn new() -> Self {
        Self(NAMES.iter().map(|_| Writer::default()).collect())
    }

    pub(super) fn at(&mut self, column: Column) -> &mut Writer {
        &mut self.0[column as usize]
    }

    /// How many there are, as what stands before all of them.
    pub(super) fn count(out: &mut Writer) {
        out.length(NAMES.len());
    }

    /// Each column by its name, with what stands before its bytes: they are written one after the other, and not copied into one.
    pub(super) fn framed(self) -> Vec<(&'static str, Writer, Writer)> {
        let columns = NAMES.iter().zip(self.0);
        columns
            .map(|(name, column)| {
                let mut head = Writer::default();
                head.text(name);
                head.length(column.0.len());
                (*name, head, column)
            })
            .collect()
    }
}

/// Columns being read.
#[derive(Debug)]
pub(super) struct ColumnsIn<'a>(Vec<Reader<'a>>);

impl<'a> ColumnsIn<'a> {
    /// Finds the known columns; others are passed over.
    pub(super) fn read(mut from: Reader<'a>) -> Result<Self, Malformed> {
        let mut found: HashMap<&str, &[u8]> = HashMap::new();
        for _ in 0..from.count()? {
            let (name, bytes) = (from.text()?, from.bytes()?);
            if found.insert(name, bytes).is_some() {
                return Err(Malformed::new("a column occurs twice"));
            }
        }
        from.finish()?;
        let columns = NAMES.iter().map(|name| {
            match found.get(name) {
                Some(bytes) => Ok(Reader(bytes)),
                // Snapshots were written before anybody told of these.
                None if LATER.contains(name) => Ok(Reader(&[])),
                None => Err(Malformed::new(format!("the column `{name}` is missing"))),
            }
        });
        Ok(Self(columns.collect::<Result<_, _>>()?))
    }

    pub(super) fn at(&mut self, column: Column) -> &mut Reader<'a> {
        &mut self.0[column as usize]
    }

    /// Checks that every column was read to its end.
    pub(super) fn finish(self) -> Result<(), Malformed> {
        for (column, name) in self.0.into_iter().zip(NAMES) {
            column.finish().map_err(|error| Malformed::new(format!("the column `{name}`: {error}")))?;
        }
        Ok(())
    }
}

// How a value that may be absent is told: not there, as before, new, or one that was new earlier.
const ABSENT: u64 = 0;
const AS_BEFORE: u64 = 1;
const NEW: u64 = 2;
const EARLIER: u64 = 3;

/// Distinct values, each written once, when it is new.
#[derive(Debug)]
pub(super) struct PoolOut<T>(HashMap<T, u64>);

/// What was new so far.
#[derive(Debug)]
pub(super) struct PoolIn<T>(Vec<T>);

impl<T: Eq + Hash + Clone> PoolOut<T> {
    pub(super) fn new() -> Self {
        Self(HashMap::new())
    }

    fn code(&mut self, value: Option<&T>, before: Option<&T>) -> u64 {
        let Some(value) = value else { return ABSENT };
        if before == Some(value) {
            return AS_BEFORE;
        }
        match self.0.get(value) {
            Some(place) => EARLIER + place,
            None => {
                self.0.insert(value.clone(), self.0.len() as u64);
                NEW
            }
        }
    }
}

impl<T: Clone> PoolIn<T> {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    fn value(
        &mut self,
        code: u64,
        before: Option<&T>,
        new: impl FnOnce() -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        match code {
            ABSENT => Ok(None),
            AS_BEFORE => before
                .cloned()
                .map(Some)
                .ok_or_else(|| Malformed::new("a value is as before where there was none")),
            NEW => {
                let value = new()?;
                self.0.push(value.clone());
                Ok(Some(value))
            }
            earlier => {
                let place = usize::try_from(earlier - EARLIER).ok();
                let value = place.and_then(|place| self.0.get(place)).cloned();
                value.map(Some).ok_or_else(|| Malformed::new("it refers to a value that was never told"))
            }
        }
    }
}

impl PoolOut<Rc<str>> {
    pub(super) fn put(
        &mut self,
        columns: &mut ColumnsOut,
        at: Column,
        value: Option<&Rc<str>>,
        before: Option<&Rc<str>>,
    ) {
        let code = self.code(value, before);
        columns.at(at).number(code);
        if let (NEW, Some(value)) = (code, value) {
            columns.at(Column::Text).text(value);
        }
    }
}

impl PoolIn<Rc<str>> {
    pub(super) fn take(
        &mut self,
        columns: &mut ColumnsIn<'_>,
        at: Column,
        before: Option<&Rc<str>>,
    ) -> Result<Option<Rc<str>>, Malformed> {
        let code = columns.at(at).number()?;
        self.value(code, before, || columns.at(Column::Text).text().map(Rc::from))
    }

    /// A text that must be there.
    pub(super) fn must(
        &mut self,
        columns: &mut ColumnsIn<'_>,
        at: Column,
        before: Option<&Rc<str>>,
    ) -> Result<Rc<str>, Malformed> {
        self.take(columns, at, before)?.ok_or_else(|| Malformed::new("a text is missing"))
    }
}

impl PoolOut<Sha256> {
    pub(super) fn put(
        &mut self,
        columns: &mut ColumnsOut,
        at: Column,
        value: Option<Sha256>,
        before: Option<Sha256>,
    ) {
        let code = self.code(value.as_ref(), before.as_ref());
        columns.at(at).number(code);
        if let (NEW, Some(value)) = (code, value) {
            columns.at(Column::Digest).raw(value.as_bytes());
        }
    }
}

impl PoolIn<Sha256> {
    pub(super) fn take(
        &mut self,
        columns: &mut ColumnsIn<'_>,
        at: Column,
        before: Option<Sha256>,
    ) -> Result<Option<Sha256>, Malformed> {
        let code = columns.at(at).number()?;
        self.value(code, before.as_ref(), || columns.at(Column::Digest).digest())
    }
}
