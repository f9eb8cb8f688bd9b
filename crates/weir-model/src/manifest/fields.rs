//! Reading a TOML table strictly: every field has a type, and a field nobody asked for is an error.
//!
//! For the tables of the manifest, and for those that belong to a kind: an error names the line of the whole file.

use std::ops;
use std::str::FromStr;

use toml_edit::{Item, TableLike, Value};

use super::ManifestError;
use super::error::line_of;
use crate::nearest::nearest;
use crate::unseen::Named as _;

/// A table being read, and what to call it in messages.
#[derive(Clone)]
pub struct Fields<'a> {
    text: &'a str,
    table: &'a dyn TableLike,
    /// Such as `[package]`.
    title: String,
}

impl<'a> Fields<'a> {
    /// The fields of `table`, which was read from `text` with its places kept.
    pub fn new(text: &'a str, table: &'a dyn TableLike, title: impl Into<String>) -> Self {
        Self { text, table, title: title.into() }
    }

    /// Refuses every field that is not one of `known`.
    pub fn only(&self, known: &[&str]) -> Result<(), ManifestError> {
        for (key, _) in self.table.iter() {
            if !known.contains(&key) {
                let help = match nearest(key, known.iter().copied()) {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None => format!("{} knows: {}", self.title, known.join(", ")),
                };
                let message = format!("unknown field `{}` in {}", key.named(), self.title);
                return Err(self.error(key, message).help(Some(help)));
            }
        }
        Ok(())
    }

    /// An error about the field `key`.
    pub fn error(&self, key: &str, message: impl Into<String>) -> ManifestError {
        ManifestError::new(self.text, self.span(key), message)
    }

    /// The line, from 1, that the field `key` is on.
    pub fn line(&self, key: &str) -> usize {
        line_of(self.text, self.span(key).map_or(0, |span| span.start))
    }

    /// The lines, from 1, that these fields are on: for many of them at once, in one look at the text.
    pub fn lines<'k>(&self, keys: impl IntoIterator<Item = &'k str>) -> Vec<usize> {
        let ends: Vec<usize> = self.text.match_indices('\n').map(|(at, _)| at).collect();
        let start = |key| self.span(key).map_or(0, |span| span.start);
        keys.into_iter().map(|key| ends.partition_point(|end| *end < start(key)) + 1).collect()
    }

    fn span(&self, key: &str) -> Option<ops::Range<usize>> {
        let (key, item) = self.table.get_key_value(key)?;
        match (key.span(), item.span()) {
            (Some(key), Some(value)) if item.is_value() && value.start >= key.start => {
                Some(key.start..value.end)
            }
            (key, value) => key.or(value),
        }
    }

    /// A string, if the field is there.
    pub fn string(&self, key: &str) -> Result<Option<String>, ManifestError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(item) => {
                item.as_str().map(|s| Some(s.to_owned())).ok_or_else(|| self.wrong_type(key, "a string"))
            }
        }
    }

    /// `true` or `false`; `false` if the field is not there.
    pub fn flag(&self, key: &str) -> Result<bool, ManifestError> {
        match self.table.get(key) {
            None => Ok(false),
            Some(item) => item.as_bool().ok_or_else(|| self.wrong_type(key, "`true` or `false`")),
        }
    }

    /// A number that is not negative, if the field is there.
    pub fn number(&self, key: &str) -> Result<Option<u64>, ManifestError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(item) => item
                .as_integer()
                .and_then(|number| u64::try_from(number).ok())
                .map(Some)
                .ok_or_else(|| self.wrong_type(key, "a number that is not negative")),
        }
    }

    /// A string that reads as a `T`.
    pub fn parsed<T: FromStr<Err: std::fmt::Display>>(&self, key: &str) -> Result<Option<T>, ManifestError> {
        self.string(key)?
            .map(|text| text.parse().map_err(|error: T::Err| self.error(key, error.to_string())))
            .transpose()
    }

    /// A list of strings; empty if the field is not there.
    pub fn strings(&self, key: &str) -> Result<Vec<String>, ManifestError> {
        let Some(item) = self.table.get(key) else { return Ok(Vec::new()) };
        let wrong = || self.wrong_type(key, "a list of strings");
        let list = item.as_array().ok_or_else(wrong)?;
        list.iter().map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
    }

    /// The tables or values below `key`, each with its name, in the order written.
    pub fn children(&self, key: &str) -> Result<Vec<(&'a str, &'a Item)>, ManifestError> {
        match self.table.get(key) {
            None => Ok(Vec::new()),
            Some(item) => {
                let table = item.as_table_like().ok_or_else(|| self.wrong_type(key, "a table"))?;
                Ok(table.iter().collect())
            }
        }
    }

    /// The table below `key`, if it is there.
    pub fn table(&self, key: &str) -> Result<Option<Fields<'a>>, ManifestError> {
        self.table_titled(key, format!("`[{key}]`"))
    }

    /// The table below `key`, if it is there, and what to call it in messages.
    pub fn table_titled(
        &self,
        key: &str,
        title: impl Into<String>,
    ) -> Result<Option<Fields<'a>>, ManifestError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(item) => {
                let table = item.as_table_like().ok_or_else(|| self.wrong_type(key, "a table"))?;
                Ok(Some(Fields::new(self.text, table, title)))
            }
        }
    }

    /// Each field with its value, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Item)> {
        self.table.iter()
    }

    /// An error that says what type the field `key` must have.
    pub fn wrong_type(&self, key: &str, wanted: &str) -> ManifestError {
        let found = self.table.get(key).map_or("nothing", Item::type_name);
        self.error(key, format!("`{}` in {} must be {wanted}, not {found}", key.named(), self.title))
    }

    /// A table whose fields are all strings, such as `[scripts]`.
    pub fn string_map(&self, key: &str) -> Result<std::collections::BTreeMap<String, String>, ManifestError> {
        let Some(fields) = self.table(key)? else { return Ok(std::collections::BTreeMap::new()) };
        fields
            .table
            .iter()
            .map(|(name, item)| match item.as_value() {
                Some(Value::String(value)) => Ok((name.to_owned(), value.value().clone())),
                _ => Err(fields.wrong_type(name, "a string")),
            })
            .collect()
    }
}
