//! `docs.json`, read strictly: what the compiler says of each exposed module.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use super::source::{self, Sources};
use super::tipe::Type;
use crate::module::is_module_name;

/// The longest `docs.json` that is read, in bytes.
const MAX_BYTES: usize = 64 << 20;

/// What a package offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    pub(super) modules: BTreeMap<String, Module>,
}

/// What a module offers. Types have names of their own, so `Maybe` the type and `Maybe` a value of it do not meet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Module {
    pub(super) entries: BTreeMap<(Sort, String), Entry>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    Union,
    Alias,
    Value,
    Operator,
}

/// Something that a module offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// `type`, with the values that are shown of it.
    Union { name: String, vars: Vec<String>, cases: Vec<(String, Vec<Type>)> },
    /// `type alias`
    Alias { name: String, vars: Vec<String>, is: Type },
    /// A value, of a type.
    Value { name: String, is: Type },
    /// An operator.
    Operator { name: String, is: Type, associativity: String, precedence: i64 },
}

/// Why a text is no `docs.json`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`docs.json` is not what the compiler writes: {0}")]
pub struct BadDocs(pub(super) String);

#[derive(Deserialize)]
struct RawModule {
    name: String,
    #[serde(default)]
    unions: Vec<RawUnion>,
    #[serde(default)]
    aliases: Vec<RawAlias>,
    #[serde(default)]
    values: Vec<RawValue>,
    #[serde(default)]
    binops: Vec<RawOperator>,
}

#[derive(Deserialize)]
struct RawUnion {
    name: String,
    args: Vec<String>,
    cases: Vec<(String, Vec<String>)>,
}

#[derive(Deserialize)]
struct RawAlias {
    name: String,
    args: Vec<String>,
    r#type: String,
}

#[derive(Deserialize)]
struct RawValue {
    name: String,
    r#type: String,
}

#[derive(Deserialize)]
struct RawOperator {
    name: String,
    r#type: String,
    associativity: String,
    precedence: i64,
}

impl Api {
    /// Reads a `docs.json`.
    ///
    /// # Errors
    ///
    /// The first thing that the compiler would not have written.
    pub fn parse(text: &[u8]) -> Result<Self, BadDocs> {
        if text.len() > MAX_BYTES {
            return Err(BadDocs(format!("it is longer than {MAX_BYTES} bytes")));
        }
        let raw: Vec<RawModule> = serde_json::from_slice(text).map_err(|error| BadDocs(error.to_string()))?;
        let mut modules = BTreeMap::new();
        for module in raw {
            let name = module.name.clone();
            if !is_module_name(&name) {
                return Err(BadDocs(format!("`{}` is no name of a module", shown(&name))));
            }
            if modules.insert(name.clone(), Module::of(module)?).is_some() {
                return Err(BadDocs(format!("the module `{name}` is in it twice")));
            }
        }
        Ok(Self { modules })
    }

    /// The modules that it tells of, sorted.
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.modules.keys().map(String::as_str)
    }

    /// Why what is told of a module cannot have been made of its source; nothing where it can, or nothing is told of it.
    ///
    /// # Errors
    ///
    /// What keeps a module from being read.
    pub fn contradiction<E, F: FnMut(&str) -> Result<Option<String>, E>>(
        &self,
        module: &str,
        sources: &mut Sources<F>,
    ) -> Result<Option<String>, E> {
        self.modules.get(module).map_or(Ok(None), |docs| source::contradiction(docs, module, sources))
    }
}

impl Module {
    fn of(raw: RawModule) -> Result<Self, BadDocs> {
        let unions = raw.unions.into_iter().map(|RawUnion { name, args, cases }| {
            let cases = cases.into_iter().map(|(case, types)| {
                Ok((case, types.iter().map(|text| Type::parse(text)).collect::<Result<_, _>>()?))
            });
            let cases = cases.collect::<Result<_, BadDocs>>()?;
            Ok((Sort::Union, Entry::Union { name, vars: args, cases }))
        });
        let aliases = raw.aliases.into_iter().map(|RawAlias { name, args, r#type }| {
            Ok((Sort::Alias, Entry::Alias { name, vars: args, is: Type::parse(&r#type)? }))
        });
        let values = raw.values.into_iter().map(|RawValue { name, r#type }| {
            Ok((Sort::Value, Entry::Value { name, is: Type::parse(&r#type)? }))
        });
        let operators = raw.binops.into_iter().map(|raw| {
            let RawOperator { name, r#type, associativity, precedence } = raw;
            let is = Type::parse(&r#type)?;
            Ok((Sort::Operator, Entry::Operator { name, is, associativity, precedence }))
        });
        let mut entries = BTreeMap::new();
        for entry in unions.chain(aliases).chain(values).chain(operators) {
            let (sort, entry) = entry?;
            let name = entry.name().to_owned();
            if entries.insert((sort, name.clone()), entry).is_some() {
                return Err(BadDocs(format!("`{}` is in a module twice", shown(&name))));
            }
        }
        Ok(Self { entries })
    }
}

impl Entry {
    fn name(&self) -> &str {
        match self {
            Self::Union { name, .. }
            | Self::Alias { name, .. }
            | Self::Value { name, .. }
            | Self::Operator { name, .. } => name,
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Union { name, vars, cases } => {
                write!(f, "type {}", shown(name))?;
                vars.iter().try_for_each(|var| write!(f, " {}", shown(var)))?;
                for (place, (case, types)) in cases.iter().enumerate() {
                    write!(f, "{} {}", if place == 0 { " =" } else { " |" }, shown(case))?;
                    types.iter().try_for_each(|one| write!(f, " {}", one.as_argument()))?;
                }
                Ok(())
            }
            Self::Alias { name, vars, is } => {
                write!(f, "type alias {}", shown(name))?;
                vars.iter().try_for_each(|var| write!(f, " {}", shown(var)))?;
                write!(f, " = {is}")
            }
            Self::Value { name, is } => write!(f, "{} : {is}", shown(name)),
            Self::Operator { name, is, .. } => write!(f, "({}) : {is}", shown(name)),
        }
    }
}

/// Text of a stranger's, short and harmless.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(200).flat_map(char::escape_debug).collect()
}
