//! One release, fetched: its documents from the site, its sources from wherever the site says, and all of it checked.

use std::collections::BTreeMap;
use std::ops::Bound;

use sha1::{Digest as _, Sha1};
use weir_elm::{ElmJson, Package};
use weir_elm_protocol::{Arrived, Keep, NotTaken, ReleaseFile};
use weir_fs::Folder;
use weir_model::{PackageName, Version};
use weir_upstream::ForeignError;

use crate::offered::{different, manifest, of_release, unusable};
use crate::site::Site;

/// A release that came, and is what it must be.
pub(crate) struct Fetched {
    pub(crate) arrived: Arrived,
}

/// Fetches a release.
///
/// The archive has to have the SHA-1 that the site gives for it, and in it the `elm.json` that the site shows: else the resolution was of
/// another package. Documentation is the site's, for the archive has none. Nothing comes of a release for compilers that did not know `elm.json`:
/// what the site shows as such was made for it, and is not in its archive.
pub(crate) fn fetch(
    site: &Site,
    notes: &Folder,
    name: &PackageName,
    version: &Version,
) -> Result<Option<Fetched>, ForeignError> {
    let bad = |reason: &str| unusable(site, name, version, reason);
    let shown = ElmJson::parse(&manifest(site, notes, name, version)?);
    if matches!(&shown, Ok(ElmJson::Package(said)) if is_older(said)) {
        return Ok(None);
    }
    let different = |reason: &str| different(site, name, version, reason);
    let gone = |error| of_release(name, version, error);
    let docs = site.document(name, version, ReleaseFile::Docs).map_err(gone)?;
    let readme = site.document(name, version, ReleaseFile::Readme).map_err(gone)?;
    let endpoint = site.endpoint(name, version).map_err(gone)?;
    let archive = site.archive(&endpoint).map_err(gone)?;
    let sha1: String = Sha1::digest(&archive).iter().map(|byte| format!("{byte:02x}")).collect();
    if !sha1.eq_ignore_ascii_case(&endpoint.hash) {
        let said: String = endpoint.hash.chars().take(40).flat_map(char::escape_debug).collect();
        return Err(different(&format!(
            "the archive at `{}` has the SHA-1 {sha1}, and must have {said}: it is not what was published",
            endpoint.url
        )));
    }
    let beside = [(ReleaseFile::Docs, &docs), (ReleaseFile::Readme, &readme)];
    let beside: Vec<(ReleaseFile, &[u8])> =
        beside.into_iter().filter_map(|(file, bytes)| Some((file, bytes.as_deref()?))).collect();
    let taken = |error: NotTaken| match error {
        NotTaken::Unusable(reason) => bad(&reason),
        NotTaken::Io(error) => error.into(),
    };
    let mut arrived = Arrived::unpack(&archive, Keep::OfPackage, &beside).map_err(taken)?;
    arrived.must_be(name, version).map_err(taken)?;
    // Written with other white space, it says the same.
    if ElmJson::parse(&arrived.manifest()?) != shown {
        return Err(different(
            "the `elm.json` in its archive says something else than the one that is shown",
        ));
    }
    arrived.taken_from(BTreeMap::from([("registry", site.address()), ("url", endpoint.url), ("sha1", sha1)]));
    Ok(Some(Fetched { arrived }))
}

/// The first compiler that knows `elm.json`.
pub(crate) const FIRST: Version = Version::new(0, 19, 0);

/// Whether a package is for compilers that do not know `elm.json`.
pub(crate) fn is_older(said: &Package) -> bool {
    said.elm_version.intervals().iter().all(|(_, high)| match high {
        Bound::Included(high) => *high < FIRST,
        Bound::Excluded(high) => *high <= FIRST,
        Bound::Unbounded => false,
    })
}
