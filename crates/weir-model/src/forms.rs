//! What the schemas say of words, held against what reads them: whoever keeps to a schema is understood.

use std::str::FromStr;

use proptest::prelude::*;
use proptest::string::string_regex;
use schemars::{JsonSchema, SchemaGenerator};

use crate::advisory::AdvisoryId;
use crate::record::Taken;
use crate::{OwnerName, PackageName, Platform, Version};

/// Words that the schema of a type allows.
fn words<T: JsonSchema>() -> impl Strategy<Value = String> {
    let schema = T::json_schema(&mut SchemaGenerator::default()).to_value();
    let pattern = schema["pattern"].as_str().expect("it says what they look like");
    let longest =
        schema["maxLength"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let between = pattern.trim_start_matches('^').trim_end_matches('$');
    let words = string_regex(between).expect("it is a pattern");
    words.prop_filter("it is too long", move |word| word.len() <= longest)
}

/// Whether a word is read, or is the name of one of Windows' devices: of those no pattern tells.
fn is_read<T: FromStr<Err: ToString>>(word: &str) -> Result<(), TestCaseError> {
    match word.parse::<T>() {
        Err(error) if !error.to_string().contains("a device on Windows") => {
            Err(TestCaseError::fail(error.to_string()))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

proptest! {
    #[test]
    fn words_that_their_schemas_allow_are_read(
        owner in words::<OwnerName>(),
        package in words::<PackageName>(),
        taken in words::<Taken>(),
        platform in words::<Platform>(),
        version in words::<Version>(),
        advisory in words::<AdvisoryId>(),
    ) {
        is_read::<OwnerName>(&owner)?;
        is_read::<PackageName>(&package)?;
        is_read::<Taken>(&taken)?;
        is_read::<Platform>(&platform)?;
        is_read::<Version>(&version)?;
        is_read::<AdvisoryId>(&advisory)?;
    }
}
