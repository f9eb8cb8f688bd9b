//! Reading the objects of a config as its own program does: names of fields in any case, `null` as if it were not
//! there, and a wrong type as an error.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::config::Wrong;

/// An object, and the fields it is in.
pub(crate) struct Object<'a> {
    path: String,
    fields: Option<&'a Map<String, Value>>,
}

impl<'a> Object<'a> {
    pub(crate) fn root(value: &'a Value) -> Result<Self, Wrong> {
        match value {
            Value::Object(fields) => Ok(Self { path: String::new(), fields: Some(fields) }),
            _ => Err(Wrong::new("the config", "is not a JSON object")),
        }
    }

    /// The name of a field, with those around it.
    pub(crate) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The names of the fields that are none of `known`.
    pub(crate) fn unknown(&self, known: &[&str]) -> Vec<String> {
        let is_known = |name: &str| known.iter().any(|known| known.eq_ignore_ascii_case(name));
        let names = self.fields.into_iter().flat_map(Map::keys);
        names.filter(|name| !is_known(name)).map(|name| self.path(name)).collect()
    }

    /// Whether the object is there at all.
    pub(crate) fn is_there(&self) -> bool {
        self.fields.is_some()
    }

    fn field(&self, name: &str) -> Result<Option<&'a Value>, Wrong> {
        let fields = self.fields.into_iter().flatten();
        let mut found = fields.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let first = found.next();
        if found.next().is_some() {
            return Err(Wrong::new(self.path(name), "is there twice"));
        }
        Ok(first.map(|(_, value)| value).filter(|value| !value.is_null()))
    }

    fn wrong_type(&self, name: &str, expected: &str) -> Wrong {
        Wrong::new(self.path(name), format!("is not {expected}"))
    }

    /// The object below `name`; an empty one if it is not there.
    pub(crate) fn object(&self, name: &str) -> Result<Self, Wrong> {
        let fields = match self.field(name)? {
            None => None,
            Some(value) => Some(value.as_object().ok_or_else(|| self.wrong_type(name, "an object"))?),
        };
        Ok(Self { path: self.path(name), fields })
    }

    /// A string; empty if it is not there.
    pub(crate) fn string(&self, name: &str) -> Result<&'a str, Wrong> {
        match self.field(name)? {
            None => Ok(""),
            Some(value) => value.as_str().ok_or_else(|| self.wrong_type(name, "a string")),
        }
    }

    /// `true` or `false`; `false` if it is not there.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Wrong> {
        match self.field(name)? {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| self.wrong_type(name, "`true` or `false`")),
        }
    }

    /// A list of strings; empty if it is not there.
    pub(crate) fn strings(&self, name: &str) -> Result<Vec<String>, Wrong> {
        let wrong = || self.wrong_type(name, "a list of strings");
        match self.field(name)? {
            None => Ok(Vec::new()),
            Some(value) => {
                let list = value.as_array().ok_or_else(wrong)?;
                list.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
            }
        }
    }

    /// Names and their texts; none if it is not there. Unlike those of fields, the case of these names counts.
    pub(crate) fn texts(&self, name: &str) -> Result<BTreeMap<&'a str, &'a str>, Wrong> {
        let object = self.object(name)?;
        let entries = object.fields.into_iter().flatten().map(|(key, value)| match value {
            Value::String(text) => Ok((key.as_str(), text.as_str())),
            _ => Err(object.wrong_type(key, "a string")),
        });
        entries.collect()
    }
}
