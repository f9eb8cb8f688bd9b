//! The blobs in rows of `release`, `withdrawal`, `claim` and `upstream`: what a record says beyond
//! what has a column of its own.

use jiff::Timestamp;
use weir_model::record::{Origin, reason};
use weir_model::{Baked, Dependency, ReferenceFact, Release, ReleaseId, Scope, Sha256};

use crate::candidates::Interner;
use crate::view::{Came, Mark, Withdrawn};
use crate::wire::{Malformed, Reader, Writer};

type Result<T> = std::result::Result<T, Malformed>;

/// What of a release has no column of its own.
#[derive(Debug)]
pub(crate) struct ReleaseFacts {
    pub(crate) mark: Mark,
    pub(crate) came: Option<Came>,
    pub(crate) size: u64,
    pub(crate) unpacked: u64,
    pub(crate) files: u64,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) references: Vec<ReferenceFact>,
    pub(crate) recipe: Option<Sha256>,
    pub(crate) toolchain: Option<Sha256>,
    pub(crate) license: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) kind_facts: serde_json::Map<String, serde_json::Value>,
}

pub(crate) fn write_release(release: &Release, mark: &Mark, came: Option<&Came>) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity(256));
    write_mark(&mut out, mark);
    out.byte(came_code(came));
    if let Some(origin) = came.map(Came::origin) {
        out.text(&origin.registry);
        out.number(origin.index);
        out.raw(origin.leaf.as_bytes());
    }
    for number in [release.size, release.unpacked, release.files] {
        out.number(number);
    }
    out.length(release.dependencies.len());
    for dependency in &release.dependencies {
        out.text(dependency.name.as_str());
        out.text(dependency.range.as_str());
        out.byte(scope_code(dependency.scope));
        out.optional(dependency.baked.as_ref(), write_baked);
    }
    out.length(release.references.len());
    for reference in &release.references {
        write_reference(&mut out, reference);
    }
    for digest in [release.recipe, release.toolchain] {
        out.optional(digest, |out, digest| out.raw(digest.as_bytes()));
    }
    for text in [&release.license, &release.description] {
        out.optional(text.as_deref(), Writer::text);
    }
    out.text(&kind_facts_text(release));
    out.0
}

pub(crate) fn read_release(blob: &[u8], index: u64, interner: &mut Interner) -> Result<ReleaseFacts> {
    let mut from = Reader(blob);
    let mark = read_mark(&mut from, index)?;
    let came = came(from.byte()?)?;
    let came = match came {
        None => None,
        Some(way) => Some(way(Origin {
            registry: from.text()?.to_owned(),
            index: from.number()?,
            leaf: from.digest()?,
        })),
    };
    let (size, unpacked, files) = (from.number()?, from.number()?, from.number()?);
    let dependencies = (0..from.count()?)
        .map(|_| {
            Ok(Dependency {
                name: interner.name(from.bytes()?)?,
                range: interner.range(from.bytes()?)?,
                scope: scope(from.byte()?)?,
                baked: from.optional(read_baked)?,
            })
        })
        .collect::<Result<_>>()?;
    let references = (0..from.count()?).map(|_| read_reference(&mut from)).collect::<Result<_>>()?;
    let facts = ReleaseFacts {
        mark,
        came,
        size,
        unpacked,
        files,
        dependencies,
        references,
        recipe: from.optional(Reader::digest)?,
        toolchain: from.optional(Reader::digest)?,
        license: from.optional(Reader::text)?.map(str::to_owned),
        description: from.optional(Reader::text)?.map(str::to_owned),
        kind_facts: read_kind_facts(from.text()?)?,
    };
    from.finish()?;
    Ok(facts)
}

/// By which way a release came, as a number.
pub(crate) const fn came_code(came: Option<&Came>) -> u8 {
    match came {
        None => 0,
        Some(Came::Admitted(_)) => 1,
        Some(Came::Promoted(_)) => 2,
    }
}

/// What a release that came from there came by.
type Way = fn(Origin) -> Came;

/// The way that has this number.
pub(crate) fn came(code: u8) -> Result<Option<Way>> {
    match code {
        0 => Ok(None),
        1 => Ok(Some(Came::Admitted)),
        2 => Ok(Some(Came::Promoted)),
        other => Err(Malformed::new(format!("{other} is no way by which a release comes"))),
    }
}

pub(crate) fn write_withdrawn(withdrawn: &Withdrawn) -> Vec<u8> {
    let mut out = Writer::default();
    out.number(withdrawn.mark.index);
    write_mark(&mut out, &withdrawn.mark);
    for text in [&withdrawn.reason, &withdrawn.advisory] {
        out.optional(text.as_deref(), Writer::text);
    }
    out.optional(withdrawn.because.as_ref(), write_id);
    out.optional(withdrawn.from.as_deref(), Writer::text);
    out.0
}

pub(crate) fn read_withdrawn(blob: &[u8]) -> Result<Withdrawn> {
    let mut from = Reader(blob);
    let index = from.number()?;
    let withdrawn = Withdrawn {
        mark: read_mark(&mut from, index)?,
        reason: from.optional(read_reason)?,
        advisory: from.optional(read_reason)?,
        because: from.optional(read_id)?,
        from: from.optional(Reader::text)?.map(str::to_owned),
    };
    from.finish()?;
    Ok(withdrawn)
}

/// What somebody said of something. Who keeps a registry above can write as much as an entry holds.
fn read_reason(from: &mut Reader<'_>) -> Result<String> {
    Ok(reason(from.text()?.to_owned()))
}

/// A mark together with its index, and texts that go with it.
pub(crate) fn write_marked(mark: &Mark, texts: &[String]) -> Vec<u8> {
    let mut out = Writer::default();
    out.number(mark.index);
    write_mark(&mut out, mark);
    out.length(texts.len());
    for text in texts {
        out.text(text);
    }
    out.0
}

pub(crate) fn read_marked(blob: &[u8]) -> Result<(Mark, Vec<String>)> {
    let mut from = Reader(blob);
    let index = from.number()?;
    let mark = read_mark(&mut from, index)?;
    let texts = (0..from.count()?).map(|_| Ok(from.text()?.to_owned())).collect::<Result<_>>()?;
    from.finish()?;
    Ok((mark, texts))
}

fn write_mark(out: &mut Writer, mark: &Mark) {
    write_time(out, mark.at);
    out.text(&mark.by);
    out.text(&mark.batch);
}

fn read_mark(from: &mut Reader<'_>, index: u64) -> Result<Mark> {
    Ok(Mark { index, at: read_time(from)?, by: from.text()?.to_owned(), batch: from.text()?.to_owned() })
}

fn write_time(out: &mut Writer, time: Timestamp) {
    out.signed(time.as_second());
    out.signed(time.subsec_nanosecond().into());
}

fn read_time(from: &mut Reader<'_>) -> Result<Timestamp> {
    let (seconds, nanoseconds) = (from.signed()?, from.signed()?);
    let nanoseconds =
        i32::try_from(nanoseconds).map_err(|_| Malformed::new("a time has too many nanoseconds"))?;
    Timestamp::new(seconds, nanoseconds).map_err(|error| Malformed::new(error.to_string()))
}

fn write_id(out: &mut Writer, id: &ReleaseId) {
    out.text(id.name.as_str());
    out.text(&id.version.to_string());
    out.text(id.platform.as_str());
    out.number(id.revision.into());
}

fn read_id(from: &mut Reader<'_>) -> Result<ReleaseId> {
    Ok(ReleaseId {
        name: from.parsed()?,
        version: from.parsed()?,
        platform: from.parsed()?,
        revision: from.small()?,
    })
}

pub(crate) fn write_baked(out: &mut Writer, baked: &Baked) {
    out.text(&baked.version.to_string());
    out.text(baked.platform.as_str());
    out.number(baked.revision.into());
    out.raw(baked.input_digest.as_bytes());
}

pub(crate) fn read_baked(from: &mut Reader<'_>) -> Result<Baked> {
    Ok(Baked {
        version: from.parsed()?,
        platform: from.parsed()?,
        revision: from.small()?,
        input_digest: from.digest()?,
    })
}

pub(crate) fn write_reference(out: &mut Writer, reference: &ReferenceFact) {
    out.text(&reference.name);
    out.optional(reference.sha256, |out, digest| out.raw(digest.as_bytes()));
    out.optional(reference.size, Writer::number);
    out.byte(u8::from(reference.fluid) | u8::from(reference.held) << 1);
    out.optional(reference.range.as_ref(), |out, range| out.text(range.as_str()));
}

pub(crate) fn read_reference(from: &mut Reader<'_>) -> Result<ReferenceFact> {
    let name = from.text()?.to_owned();
    let sha256 = from.optional(Reader::digest)?;
    let size = from.optional(Reader::number)?;
    let flags = from.byte()?;
    if flags > 3 {
        return Err(Malformed::new(format!("{flags} says nothing of a reference")));
    }
    let range = from.optional(Reader::parsed)?;
    Ok(ReferenceFact { name, sha256, size, fluid: flags & 1 != 0, range, held: flags & 2 != 0 })
}

/// What the kind found out, as JSON; nothing for nothing, which is most releases.
pub(crate) fn kind_facts_text(release: &Release) -> String {
    if release.kind_facts.is_empty() {
        return String::new();
    }
    serde_json::to_string(&release.kind_facts).expect("JSON that was read can be written")
}

pub(crate) fn read_kind_facts(text: &str) -> Result<serde_json::Map<String, serde_json::Value>> {
    if text.is_empty() {
        return Ok(serde_json::Map::new());
    }
    serde_json::from_str(text).map_err(|error| Malformed::new(error.to_string()))
}

pub(crate) const fn scope_code(scope: Scope) -> u8 {
    match scope {
        Scope::Run => 0,
        Scope::Build => 1,
        Scope::Dev => 2,
    }
}

pub(crate) fn scope(code: u8) -> Result<Scope> {
    match code {
        0 => Ok(Scope::Run),
        1 => Ok(Scope::Build),
        2 => Ok(Scope::Dev),
        other => Err(Malformed::new(format!("{other} is no scope"))),
    }
}
