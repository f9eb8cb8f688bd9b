//! Whether a draft says what the pack that was uploaded gives.

use std::io::Read;

use serde_json::{Map, Value};
use weir_kinds::check_facts;
use weir_model::{BuildFacts, License, Scope};
use weir_tree::TreeError;
use weir_wire::Draft;

use crate::error::PackageError;
use crate::pack::Unpacked;
use crate::package::{Package, built_facts, read_manifest};

/// The facts that say where a package was taken from, a git tag or somebody's archive. They are the publisher's word.
const TAKEN_FROM: [&str; 2] = ["git", ARCHIVE_FACT];

/// The fact that says which archive of which registry a package was taken from.
pub const ARCHIVE_FACT: &str = "archive";

/// The most characters of a value that a refusal shows.
const SHOWN: usize = 300;

/// Why a draft is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It says something else than its pack.
    #[error("its `{field}` is said to be {said}, and its pack gives {derived}")]
    Differs {
        /// The field, as it is called in a batch; of a fact, `facts` and its name.
        field: String,
        /// What the draft says, as JSON.
        said: String,
        /// What follows from the pack, as JSON.
        derived: String,
    },
    /// The files in its pack make no release.
    #[error(transparent)]
    NoRelease(#[from] PackageError),
    /// Its pack cannot be read, or is not what its name says.
    #[error(transparent)]
    Pack(TreeError),
}

/// Reads a package out of its pack as its publisher read it from its folder, and compares what follows with what `said` says.
/// `open` begins to read the pack, from its start each time.
///
/// What does not follow from the files is the publisher's word and is not compared: the revision, the bytes of the pack, the input
/// digest that is expected, and where the files come from. Of a tree without a manifest, which only a recipe builds, that is
/// everything that the recipe says.
///
/// # Errors
///
/// [`Refused`] names the first field that differs, or what is wrong with the package.
pub fn check(
    said: &Draft,
    open: &dyn Fn() -> Result<Box<dyn Read + Send>, TreeError>,
) -> Result<(), Refused> {
    let files = Unpacked::new(&said.tree, open).map_err(Refused::Pack)?;
    // Before any content is read: it costs what these say.
    compare("unpacked", &said.unpacked.into(), &files.tree().unpacked_size().into())?;
    compare("files", &said.files.into(), &files.tree().files().into())?;
    let derived = derive(said, &files);
    if let Some(error) = files.failure() {
        return Err(Refused::Pack(error));
    }
    let (said_fields, derived_fields) = (fields(said), fields(&derived?));
    for (field, value) in union(&said_fields, &derived_fields) {
        match (field, value) {
            ("facts", _) => {
                let (said, derived) = (facts(&said_fields), facts(&derived_fields));
                union(&said, &derived).try_for_each(|(fact, _)| {
                    compare(&format!("facts.{fact}"), get(&said, fact), get(&derived, fact))
                })?;
            }
            _ => compare(field, get(&said_fields, field), get(&derived_fields, field))?,
        }
    }
    check_facts(said.kind, &said.facts).map_err(PackageError::from)?;
    Ok(())
}

/// The draft that follows from the files of a pack, with what does not follow from them taken from what was `said`.
fn derive(said: &Draft, files: &Unpacked<'_>) -> Result<Draft, PackageError> {
    let mut derived = if read_manifest(files)?.is_some() {
        let mut draft = Package::read(files, files.tree().clone())?.draft(said.size);
        TAKEN_FROM.iter().for_each(|fact| keep(&mut draft, said, fact));
        draft
    } else {
        derive_built(said, files)?
    };
    derived.id.revision = said.id.revision;
    derived.input_digest = said.input_digest;
    sort(&mut derived);
    Ok(derived)
}

/// What a recipe built has no manifest: the recipe is evidence beside it.
fn derive_built(said: &Draft, files: &Unpacked<'_>) -> Result<Draft, PackageError> {
    if said.recipe.is_none() {
        return Err(PackageError::NoManifest);
    }
    said.license.as_deref().map(str::parse::<License>).transpose()?;
    let tree = files.tree();
    let facts = built_facts(said.kind, files, tree, &said.id.platform)?;
    let mut draft = Draft {
        tree: tree.digest(),
        unpacked: tree.unpacked_size(),
        files: tree.files(),
        references: Vec::new(),
        facts,
        ..said.clone()
    };
    keep(&mut draft, said, BuildFacts::NAME);
    Ok(draft)
}

/// Takes a fact from what was said.
fn keep(draft: &mut Draft, said: &Draft, fact: &str) {
    if let Some(value) = said.facts.get(fact) {
        draft.facts.insert(fact.into(), value.clone());
    }
}

/// The order of what a release needs means nothing.
fn sort(draft: &mut Draft) {
    draft.dependencies.sort_by(|one, other| (&one.name, one.scope).cmp(&(&other.name, other.scope)));
    draft.references.sort_by(|one, other| one.name.cmp(&other.name));
}

fn fields(draft: &Draft) -> Map<String, Value> {
    let mut draft = draft.clone();
    sort(&mut draft);
    // Where nothing is fixed anyway, whether it may move says nothing, and no record tells it.
    let kind = draft.kind;
    for wanted in draft.dependencies.iter_mut().filter(|wanted| !kind.bakes() || wanted.scope == Scope::Dev) {
        wanted.fluid = false;
    }
    let id = draft.id.to_string();
    let mut fields = match serde_json::to_value(draft) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    // As people write it.
    fields.insert("id".into(), id.into());
    fields
}

fn facts(fields: &Map<String, Value>) -> Map<String, Value> {
    fields.get("facts").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Every field that one of two objects has, with its value in the first that has it.
fn union<'m>(
    one: &'m Map<String, Value>,
    other: &'m Map<String, Value>,
) -> impl Iterator<Item = (&'m str, &'m Value)> {
    let only = other.iter().filter(|(field, _)| !one.contains_key(*field));
    one.iter().chain(only).map(|(field, value)| (field.as_str(), value))
}

fn get<'m>(fields: &'m Map<String, Value>, field: &str) -> &'m Value {
    fields.get(field).unwrap_or(&Value::Null)
}

fn compare(field: &str, said: &Value, derived: &Value) -> Result<(), Refused> {
    if said == derived {
        return Ok(());
    }
    Err(Refused::Differs { field: field.to_owned(), said: shown(said), derived: shown(derived) })
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
