//! Which packages an address stands for, and in which repository each is.

use std::fmt;

use weir_model::{OwnerName, PackageName};

/// An address of one repository, or of a place below which an owner has theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// As git is given it, without what says which packages are there.
    url: String,
    packages: Packages,
}

/// What is at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Packages {
    /// One repository: this package.
    One(PackageName),
    /// A repository for each package of this owner, by its name.
    Of(OwnerName),
}

impl Address {
    /// Reads `https://HOST/OWNER/NAME`, or `https://HOST/OWNER/*` for all repositories of an owner; `?name=` behind it says what the
    /// package, or the owner, is called here where the address does not.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (place, called) = match text.split_once("?name=") {
            Some((place, called)) => (place, Some(called)),
            None => (text, None),
        };
        if place.contains('#') {
            return Err("every tag of a repository comes: leave out what begins with `#`".into());
        }
        if place.contains('?') {
            return Err("nothing but `?name=` is said behind the address of a repository".into());
        }
        let path = place.split_once("://").map_or(place, |(_, path)| path);
        let mut parts = path.trim_end_matches('/').rsplit('/');
        let last = parts.next().unwrap_or_default();
        let above = parts.next().unwrap_or_default();
        // A host names no owner.
        let above = if parts.next().is_some() { above } else { "" };
        let unsaid = |what: &str| {
            format!("it does not say {what}: write it behind the address, as in `{place}?name=acme")
        };
        if last == "*" {
            let url = place.trim_end_matches('/').trim_end_matches('*').trim_end_matches('/').to_owned();
            let owner = called.unwrap_or(above).parse::<OwnerName>();
            let owner = owner.map_err(|error| format!("{}`: {error}", unsaid("whose the packages are")))?;
            return Ok(Self { url, packages: Packages::Of(owner) });
        }
        let url = place.trim_end_matches('/').to_owned();
        let name = match called {
            Some(called) => called.to_owned(),
            None => format!("{above}/{}", last.strip_suffix(".git").unwrap_or(last)),
        };
        let name = name
            .parse::<PackageName>()
            .map_err(|error| format!("{}/str`: {error}", unsaid("what the package is called")))?;
        Ok(Self { url, packages: Packages::One(name) })
    }

    /// The repository of a package; nothing if it is none of these.
    pub(crate) fn repository(&self, name: &PackageName) -> Option<String> {
        match &self.packages {
            Packages::One(one) => (one == name).then(|| self.url.clone()),
            Packages::Of(owner) => {
                (*owner == name.owner_name()).then(|| format!("{}/{}", self.url, name.name()))
            }
        }
    }

    /// The package, where there is but one.
    pub(crate) fn only(&self) -> Option<&PackageName> {
        match &self.packages {
            Packages::One(name) => Some(name),
            Packages::Of(_) => None,
        }
    }

    /// Whether what comes from there is not seen or changed on the way.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// What a registry that stands for it is called: the address without how it is reached.
    pub(crate) fn name(&self) -> String {
        let (_, path) = self.url.split_once("://").unwrap_or(("", &self.url));
        path.strip_suffix(".git").unwrap_or(path).to_owned()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)?;
        if matches!(self.packages, Packages::Of(_)) { f.write_str("/*") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    fn repository(address: &str, name: &str) -> Option<String> {
        Address::parse(address).unwrap().repository(&name.parse().unwrap())
    }

    #[test]
    fn an_address_is_of_one_repository_or_of_all_that_an_owner_has() {
        let at = |url: &str| Some(url.to_owned());
        let one = "https://h.example/acme/str.git";
        assert_eq!(repository(one, "acme/str"), at(one));
        assert_eq!(repository(one, "acme/log"), None);
        assert_eq!(
            repository("https://h.example/x/y?name=acme/str", "acme/str"),
            at("https://h.example/x/y")
        );
        let all = "https://h.example/acme/*";
        assert_eq!(repository(all, "acme/log"), at("https://h.example/acme/log"));
        assert_eq!(repository(all, "other/log"), None);
        assert_eq!(repository("https://h.example/*?name=acme", "acme/log"), at("https://h.example/log"));
        assert_eq!(Address::parse(all).unwrap().name(), "h.example/acme");
    }

    #[test]
    fn what_names_no_package_is_refused() {
        for bad in [
            "https://h.example/str",
            "https://h.example/*",
            "https://h.example/acme/str?x=1",
            "https://h.example/a/b#c",
            "https://h.example/a/b?name=c",
            "https://h.example/A!/b",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }
}
