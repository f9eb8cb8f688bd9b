//! What a site offers, as a resolver sees it. What a release needs is in its `elm.json`, which is asked for when it is looked at, and kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_elm::ElmJson;
use weir_elm_protocol::ReleaseFile;
use weir_fs::{Access, Durability, Folder};
use weir_log::SourceError;
use weir_model::{
    Dependency, InputDigest, KindName, PackageName, Platform, Range, ReleaseId, Scope, Version,
};
use weir_resolve::{Candidate, Candidates, View};
use weir_rules::Standing;
use weir_upstream::ForeignError;

use crate::fetch::{FIRST, is_older};
use crate::site::Site;
use crate::told::Told;

/// The folder of what was seen, among the notes.
const MANIFESTS: &str = "manifests";

/// A site's releases.
pub(crate) struct Offered<'a> {
    site: &'a Site,
    notes: &'a Folder,
    told: &'a Told,
}

impl<'a> Offered<'a> {
    pub(crate) fn new(site: &'a Site, notes: &'a Folder, told: &'a Told) -> Self {
        Self { site, notes, told }
    }

    /// What a release needs, by its `elm.json`.
    pub(crate) fn needs(
        &self,
        name: &PackageName,
        version: &Version,
    ) -> Result<BTreeMap<PackageName, Range>, ForeignError> {
        let text = manifest(self.site, self.notes, name, version)?;
        match ElmJson::parse(&text) {
            Ok(ElmJson::Package(package)) if is_older(&package) => {
                let reason = format!("it is for compilers before {FIRST}, whose packages have no `elm.json`");
                Err(gone(name, version, reason))
            }
            Ok(ElmJson::Package(package)) => Ok(package.dependencies),
            Ok(ElmJson::Application(_)) => {
                Err(unusable(self.site, name, version, "its `elm.json` is of an application"))
            }
            Err(error) => Err(unusable(self.site, name, version, &error.message)),
        }
    }
}

impl View for Offered<'_> {
    type Error = ForeignError;

    fn candidates(&self, name: &PackageName, _: Option<&str>) -> Result<Option<Candidates>, ForeignError> {
        let Some(versions) = self.told.versions(name) else { return Ok(None) };
        let releases = versions.iter().rev().map(|version| Candidate {
            version: version.clone(),
            platform: Platform::default(),
            revision: 0,
            // Nothing was fetched: it tells one release from another, and no more.
            input_digest: InputDigest::of(format!("{name} {version}")),
            standing: Standing::Offered,
            reason: None,
            handle: 0,
        });
        Ok(Some(Candidates {
            kind: KindName::Elm,
            registry: Arc::from("above"),
            releases: releases.collect(),
        }))
    }

    fn dependencies(
        &self,
        name: &PackageName,
        candidate: &Candidate,
    ) -> Result<Vec<Dependency>, ForeignError> {
        let needed = self.needs(name, &candidate.version)?;
        let need = |(name, range)| Dependency { name, range, scope: Scope::Run, baked: None };
        Ok(needed.into_iter().map(need).collect())
    }
}

/// The `elm.json` of a release as it was first seen.
pub(crate) fn manifest(
    site: &Site,
    notes: &Folder,
    name: &PackageName,
    version: &Version,
) -> Result<String, ForeignError> {
    if let Some(known) = noted(notes, name, version)? {
        return Ok(known);
    }
    let bytes = site.document(name, version, ReleaseFile::Manifest);
    let bytes = bytes.map_err(|error| of_release(name, version, error))?;
    let bytes = bytes.ok_or_else(|| unusable(site, name, version, "it has no `elm.json`"))?;
    let text =
        String::from_utf8(bytes).map_err(|_| unusable(site, name, version, "its `elm.json` is no text"))?;
    if text.len() > weir_elm::MAX_BYTES {
        return Err(unusable(site, name, version, "its `elm.json` is too long"));
    }
    notes.make_folder(format!("{MANIFESTS}/{name}")).map_err(std::io::Error::from)?;
    notes
        .replace(kept(name, version), &text, Access::Usual, Durability::Quick)
        .map_err(std::io::Error::from)?;
    Ok(text)
}

/// The `elm.json` of a release that was seen; nothing if it was not.
pub(crate) fn noted(
    notes: &Folder,
    name: &PackageName,
    version: &Version,
) -> Result<Option<String>, ForeignError> {
    let known = notes.find_text(kept(name, version), weir_elm::MAX_BYTES as u64);
    known.map_err(|error| std::io::Error::from(error).into())
}

fn kept(name: &PackageName, version: &Version) -> String {
    format!("{MANIFESTS}/{name}/{version}.json")
}

/// Where what is asked for is of one release, and it is not there or not given out, that is so of the release: it is no reason to go without others.
/// A site that is out of reach, or wants to be asked less often, is.
pub(crate) fn of_release(name: &PackageName, version: &Version, error: ForeignError) -> ForeignError {
    const TOO_OFTEN: u16 = 429;
    let is_gone = match &error {
        ForeignError::Unreadable { .. } => true,
        ForeignError::Unreached(SourceError::Status { status, .. }) => {
            (400..500).contains(status) && *status != TOO_OFTEN
        }
        ForeignError::Unreached(error) => {
            matches!(error, SourceError::TooLarge { .. } | SourceError::Refused { .. })
        }
        _ => false,
    };
    match is_gone {
        true => gone(name, version, error.to_string()),
        false => error,
    }
}

/// What is wrong with a release of the site, in words.
pub(crate) fn unusable(site: &Site, name: &PackageName, version: &Version, reason: &str) -> ForeignError {
    let id = Box::new(id_of(name, version));
    ForeignError::Unusable { id, address: site.address(), reason: reason.to_owned() }
}

/// How a release of the site is another than it says, in words.
pub(crate) fn different(site: &Site, name: &PackageName, version: &Version, reason: &str) -> ForeignError {
    let id = Box::new(id_of(name, version));
    ForeignError::Different { id, address: site.address(), reason: reason.to_owned() }
}

/// A release that is not to be had, and why, in words.
pub(crate) fn gone(name: &PackageName, version: &Version, reason: String) -> ForeignError {
    ForeignError::Gone { id: Box::new(id_of(name, version)), reason }
}

fn id_of(name: &PackageName, version: &Version) -> ReleaseId {
    ReleaseId { name: name.clone(), version: version.clone(), platform: Platform::default(), revision: 0 }
}
