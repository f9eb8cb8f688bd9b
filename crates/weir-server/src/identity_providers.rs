//! The providers by which people sign in: what they are asked for, and what of what they say counts here.

use std::collections::BTreeMap;

use weir_accounts::Said;
use weir_client::HttpClient;
use weir_openid::{Application, Identity, Issuer, Providers};
use weir_wire::AccountName;

use crate::data::DataFolder;
use crate::settings::{Provider, Settings, SettingsError};

/// The longest secret that is read, in bytes.
const MAX_SECRET: u64 = 4096;

/// What people are sent back to, below the address of the server and before the name of a provider.
pub(crate) use weir_web::address::SIGN_IN_WITH;

/// The providers by which people sign in.
pub(crate) struct IdentityProviders {
    pub(crate) openid: Providers,
    each: BTreeMap<String, IdentityProvider>,
}

/// One of them.
pub(crate) struct IdentityProvider {
    name: String,
    issuer: Issuer,
    secret: Option<String>,
    settings: Provider,
}

impl IdentityProviders {
    /// Those that the settings name, asked by `client`.
    ///
    /// # Errors
    ///
    /// When one cannot be used, or its secret not be read.
    pub(crate) fn new(
        settings: &Settings,
        data: &DataFolder,
        client: HttpClient,
    ) -> Result<Self, SettingsError> {
        let mut each = BTreeMap::new();
        for (name, provider) in &settings.sign_in.providers {
            let unusable = |reason: String| SettingsError::Unusable { setting: "sign-in.providers", reason };
            let issuer = Issuer::parse(&provider.issuer, settings.openid.allow_loopback)
                .map_err(|error| unusable(format!("has a provider `{name}` that cannot be used: {error}")))?;
            let secret = match &provider.client_secret_file {
                Some(file) => Some(weir_fs::read_text(data.root().join(file), MAX_SECRET)?.trim().to_owned()),
                None => provider.client_secret.as_ref().map(|secret| secret.0.clone()),
            };
            if secret.as_ref().is_some_and(String::is_empty) {
                return Err(unusable(format!("has a provider `{name}` whose secret is empty")));
            }
            let provider =
                IdentityProvider { name: name.clone(), issuer, secret, settings: provider.clone() };
            each.insert(name.clone(), provider);
        }
        let issuers: Vec<Issuer> = each.values().map(|provider| provider.issuer.clone()).collect();
        Ok(Self { openid: Providers::new(client, issuers, warn), each })
    }

    /// The one of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&IdentityProvider> {
        self.each.get(name)
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = &IdentityProvider> {
        self.each.values()
    }

    /// What the provider at an address is called, where it is one of these.
    pub(crate) fn title_of(&self, issuer: &str) -> Option<&str> {
        self.all().find(|provider| provider.issuer.as_str() == issuer).map(IdentityProvider::title)
    }
}

/// Trouble with a provider is a line of the log: whoever wants to sign in is only told that it did not work.
pub(crate) fn warn(issuer: &Issuer, reason: &str) {
    tracing::warn!(%issuer, reason, "an identity provider does not answer as it should");
}

impl IdentityProvider {
    /// What it is called in addresses.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What people are told that it is called.
    pub(crate) fn title(&self) -> &str {
        self.settings.title.as_deref().unwrap_or(&self.name)
    }

    /// This server, at `address`, as the provider knows it.
    pub(crate) fn application(&self, address: &str) -> Application {
        let Provider { client_id, scopes, name_claim, groups_claim, groups, .. } = &self.settings;
        let rules = &self.settings;
        let mut claims = vec![name_claim.clone()];
        if !groups.is_empty() || !rules.admit_groups.is_empty() {
            claims.push(groups_claim.clone());
        }
        if !rules.admit_domains.is_empty() {
            claims.extend(["email".to_owned(), "email_verified".to_owned()]);
        }
        claims
            .extend(rules.admit_claims.iter().filter_map(|claim| Some(claim.split_once('=')?.0.to_owned())));
        Application {
            issuer: self.issuer.clone(),
            id: client_id.clone(),
            secret: self.secret.clone(),
            scopes: scopes.clone(),
            redirect: format!("{address}{SIGN_IN_WITH}/{}", self.name),
            claims,
        }
    }

    /// What counts here of what it says of somebody.
    pub(crate) fn said(&self, identity: &Identity) -> Said {
        let theirs = identity.list(&self.settings.groups_claim);
        Said {
            issuer: identity.issuer.to_string(),
            subject: identity.subject.clone(),
            name: identity.claim(&self.settings.name_claim).and_then(|said| name(&said)),
            groups: theirs.iter().filter_map(|group| self.settings.group(group)).collect(),
            may_come_in: self.admits(identity, &theirs),
        }
    }

    /// Whether somebody may come in who was not invited: each rule that is said must hold.
    fn admits(&self, identity: &Identity, groups: &[String]) -> bool {
        let Provider { admit_domains, admit_groups, admit_claims, .. } = &self.settings;
        let has_domain = || {
            let is_verified = identity.claim("email_verified").as_deref() == Some("true");
            let email = identity.claim("email").filter(|_| is_verified).unwrap_or_default();
            let domain = email.rsplit_once('@').map(|(_, domain)| domain.to_owned()).unwrap_or_default();
            admit_domains.iter().any(|wanted| wanted.eq_ignore_ascii_case(&domain))
        };
        let has_claim = || {
            let pairs = admit_claims.iter().filter_map(|claim| claim.split_once('='));
            pairs.into_iter().any(|(claim, value)| {
                identity.list(claim).iter().any(|said| said == value)
                    || identity.claim(claim).as_deref() == Some(value)
            })
        };
        let in_group = || admit_groups.iter().any(|wanted| groups.contains(wanted));
        self.settings.admits_any()
            && (admit_domains.is_empty() || has_domain())
            && (admit_groups.is_empty() || in_group())
            && (admit_claims.is_empty() || has_claim())
    }
}

/// The name that somebody has here who is called so elsewhere, if anything of it can be one.
fn name(said: &str) -> Option<AccountName> {
    let before = said.split('@').next().unwrap_or_default().to_lowercase();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let name: String = before.chars().map(plain).take(AccountName::MAX_LEN).collect();
    name.trim_matches(['-', '_', '.']).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_is_made_of_what_somebody_is_called_elsewhere() {
        for (said, made) in
            [("ann", "ann"), ("Ann.Lee@acme.example", "ann.lee"), ("Ann Lee", "ann-lee"), ("--x--", "x")]
        {
            assert_eq!(name(said).map(String::from).as_deref(), Some(made), "{said}");
        }
        for none in ["", "@acme.example", "日本", "---"] {
            assert_eq!(name(none), None, "{none}");
        }
    }
}
