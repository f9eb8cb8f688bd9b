//! The modules that a package exposes: a list, or lists under headings, whose order is the author's.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor, value::SeqAccessDeserializer};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Exposed modules as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exposed {
    List(Vec<String>),
    UnderHeadings(Vec<(String, Vec<String>)>),
}

impl Exposed {
    /// All of them.
    pub(super) fn modules(&self) -> Vec<String> {
        match self {
            Self::List(modules) => modules.clone(),
            Self::UnderHeadings(lists) => lists.iter().flat_map(|(_, modules)| modules).cloned().collect(),
        }
    }
}

impl Serialize for Exposed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::List(modules) => modules.serialize(serializer),
            Self::UnderHeadings(lists) => {
                let mut map = serializer.serialize_map(Some(lists.len()))?;
                for (heading, modules) in lists {
                    map.serialize_entry(heading, modules)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Exposed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lists)
    }
}

struct Lists;

impl<'de> Visitor<'de> for Lists {
    type Value = Exposed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of modules, or lists of them under headings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, modules: A) -> Result<Exposed, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(modules)).map(Exposed::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Exposed, A::Error> {
        let mut lists = Vec::new();
        while let Some(list) = map.next_entry()? {
            lists.push(list);
        }
        Ok(Exposed::UnderHeadings(lists))
    }
}
