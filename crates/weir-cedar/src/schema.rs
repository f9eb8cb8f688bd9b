//! What a policy can ask, as Cedar's schema language says it.

use std::sync::LazyLock;

use cedar_policy::{Schema, Validator};

/// The schema that every set is checked against.
pub const SCHEMA: &str = include_str!("schema.cedarschema");

/// What checks sets against it.
pub(crate) fn validator() -> &'static Validator {
    #[expect(
        clippy::expect_used,
        reason = "the schema is a constant of this crate, and the tests below read it"
    )]
    static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| {
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).expect("the schema is one");
        Validator::new(schema)
    });
    &VALIDATOR
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use weir_policy::Verb;

    #[test]
    fn the_schema_has_every_action_that_a_gate_is_asked_for_and_no_other() {
        let schema = super::validator().schema();
        let actions: BTreeSet<String> =
            schema.actions().map(|action| action.id().unescaped().to_owned()).collect();
        let verbs: BTreeSet<String> = Verb::ALL.iter().map(|verb| verb.as_str().to_owned()).collect();
        assert_eq!(actions, verbs);
    }
}
