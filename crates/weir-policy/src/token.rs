//! What a token may do. It speaks for its owner, and can only narrow what they may.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use weir_model::{OwnerName, PackageName};

use crate::{Decision, Request, Target, Verb};

/// What a token may do: all that its owner may, or less.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenScope {
    /// The actions it may ask for; any, if none is named.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub verbs: BTreeSet<Verb>,
    /// The owners and packages that it may change; any, if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<Named>,
}

/// An owner with all its packages, or one package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Named {
    /// All of an owner.
    Owner(OwnerName),
    /// One package.
    Package(PackageName),
}

impl TokenScope {
    /// Whether it may ask for an action at all. Whoever changes a registry reads it, and whoever publishes uploads.
    fn allows(&self, verb: Verb) -> bool {
        match verb {
            Verb::Read => true,
            Verb::Upload if self.verbs.contains(&Verb::Publish) => true,
            verb => self.verbs.is_empty() || self.verbs.contains(&verb),
        }
    }

    /// Why a token of this scope may not ask for something, if it may not.
    pub fn refuses(&self, request: &Request<'_>) -> Option<Decision> {
        let refused =
            |reason: String| Some(Decision { allowed: false, policy: "token-scope".into(), reason });
        if !self.allows(request.verb) {
            let verbs: Vec<String> = self.verbs.iter().map(|verb| format!("`{}`", verb.as_str())).collect();
            return refused(format!("the token is only for {}", verbs.join(", ")));
        }
        // Reading and uploading are of the registry as a whole: what is uploaded is nobody's until it is published.
        if self.names.is_empty() || matches!(request.verb, Verb::Read | Verb::Upload) {
            return None;
        }
        if self.names.iter().any(|named| named.covers(&request.target)) {
            return None;
        }
        let names: Vec<String> = self.names.iter().map(|name| format!("`{name}`")).collect();
        refused(format!("the token is only for {}", names.join(", ")))
    }
}

impl Named {
    fn covers(&self, target: &Target) -> bool {
        match (self, target) {
            (Self::Owner(owner), Target::Owner(other)) => owner == other,
            (Self::Owner(owner), Target::Release(id)) => id.name.owner() == owner.as_str(),
            (Self::Package(name), Target::Release(id)) => *name == id.name,
            _ => false,
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner(owner) => owner.fmt(f),
            Self::Package(name) => name.fmt(f),
        }
    }
}

impl FromStr for Named {
    type Err = String;

    /// `acme` is an owner, `acme/greet` a package.
    fn from_str(text: &str) -> Result<Self, String> {
        let told = |error: &dyn fmt::Display| error.to_string();
        match text.contains('/') {
            true => text.parse().map(Self::Package).map_err(|error| told(&error)),
            false => text.parse().map(Self::Owner).map_err(|error| told(&error)),
        }
    }
}

impl schemars::JsonSchema for Named {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OwnerOrPackage".into()
    }

    fn json_schema(forms: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An owner with all its packages, or one package.",
            "anyOf": [forms.subschema_for::<OwnerName>(), forms.subschema_for::<PackageName>()],
        })
    }
}

impl From<Named> for String {
    fn from(named: Named) -> Self {
        named.to_string()
    }
}

impl TryFrom<String> for Named {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Caller, FolderGate, Principal, authorize};

    fn may(scope: &TokenScope, verb: Verb, target: Target) -> Result<(), String> {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let caller = Caller::new(Principal::user("ann"), at).by_token(scope.clone());
        let request = Request { target, ..Request::of_registry(&caller, verb) };
        authorize(&FolderGate, request).map(drop).map_err(|denied| denied.to_string())
    }

    fn release(id: &str) -> Target {
        Target::Release(id.parse().unwrap())
    }

    #[test]
    fn a_token_only_narrows() {
        let whole = TokenScope::default();
        assert!(may(&whole, Verb::Remove, release("acme/greet 1.0.0")).is_ok());
        let scope = TokenScope {
            verbs: [Verb::Publish].into(),
            names: vec!["acme".parse().unwrap(), "other/one".parse().unwrap()],
        };
        assert!(may(&scope, Verb::Publish, release("acme/greet 1.0.0")).is_ok());
        assert!(may(&scope, Verb::Publish, release("other/one 1.0.0")).is_ok());
        assert!(may(&scope, Verb::Upload, Target::Registry).is_ok());
        assert_eq!(
            may(&scope, Verb::Publish, release("other/two 1.0.0")).unwrap_err(),
            "`user:ann` may not publish `other/two 1.0.0`: the token is only for `acme`, `other/one` (policy `token-scope`)"
        );
        assert_eq!(
            may(&scope, Verb::Yank, release("acme/greet 1.0.0")).unwrap_err(),
            "`user:ann` may not yank or unyank `acme/greet 1.0.0`: the token is only for `publish` (policy `token-scope`)"
        );
    }

    #[test]
    fn a_scope_is_read_back_as_it_was_written() {
        let scope = TokenScope { verbs: [Verb::Publish].into(), names: vec!["acme".parse().unwrap()] };
        let text = serde_json::to_string(&scope).unwrap();
        assert_eq!(text, r#"{"verbs":["publish"],"names":["acme"]}"#);
        assert_eq!(serde_json::from_str::<TokenScope>(&text).unwrap(), scope);
    }
}
