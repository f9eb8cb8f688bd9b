//! What is asked of a package site, and how large an answer may be.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use weir_client::{HttpClient, Url};
use weir_elm_protocol::{LARGEST_ARCHIVE, ReleaseFile};
use weir_model::{PackageName, Version};
use weir_upstream::ForeignError;

/// The largest list of releases, in bytes: the public one has half a megabyte.
const LARGEST_LIST: u64 = 64 << 20;

/// The largest document of a release, in bytes.
const LARGEST_DOCUMENT: u64 = 16 << 20;

/// A package site.
pub(crate) struct Site {
    address: Url,
    client: HttpClient,
}

/// Where the archive of a release is, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Endpoint {
    /// Its address.
    pub(crate) url: String,
    /// Its SHA-1, in hexadecimal digits.
    pub(crate) hash: String,
}

impl Site {
    pub(crate) fn new(address: Url, client: HttpClient) -> Self {
        Self { address, client }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> String {
        self.address.to_string().trim_end_matches('/').to_owned()
    }

    /// Whether what it says is not seen or changed on the way.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.address.origin().is_https()
    }

    /// Its releases after the first so many, the newest first, each as `author/project@1.0.0`.
    pub(crate) fn since(&self, count: usize) -> Result<Vec<String>, ForeignError> {
        let path = format!("all-packages/since/{count}");
        let list = self.json(&path, LARGEST_LIST)?;
        list.ok_or_else(|| self.unreadable(&path, "there is no list of its releases"))
    }

    /// When the releases of a package were published; nothing of those that it does not say it of.
    pub(crate) fn times(&self, name: &PackageName) -> Result<BTreeMap<Version, Timestamp>, ForeignError> {
        let path = format!("packages/{name}/releases.json");
        let said: BTreeMap<String, i64> = self.json(&path, LARGEST_DOCUMENT)?.unwrap_or_default();
        let read = |(version, seconds): (String, i64)| {
            Some((version.parse().ok()?, Timestamp::from_second(seconds).ok()?))
        };
        Ok(said.into_iter().filter_map(read).collect())
    }

    /// A document of a release; nothing where it has none.
    pub(crate) fn document(
        &self,
        name: &PackageName,
        version: &Version,
        file: ReleaseFile,
    ) -> Result<Option<Vec<u8>>, ForeignError> {
        self.get(&path_of(name, version, file), LARGEST_DOCUMENT)
    }

    /// Where the archive of a release is.
    pub(crate) fn endpoint(&self, name: &PackageName, version: &Version) -> Result<Endpoint, ForeignError> {
        let path = path_of(name, version, ReleaseFile::Endpoint);
        let endpoint = self.json(&path, LARGEST_DOCUMENT)?;
        endpoint.ok_or_else(|| self.unreadable(&path, "it does not say where the archive is"))
    }

    /// The bytes at the address of an archive, which nobody has checked.
    ///
    /// The site says that address, and may not lead whoever asks to places that only they reach: it is the site itself, or a named host
    /// over `https`.
    pub(crate) fn archive(&self, endpoint: &Endpoint) -> Result<Vec<u8>, ForeignError> {
        let told = || endpoint.url.chars().take(300).flat_map(char::escape_debug).collect::<String>();
        let unreadable = |reason: String| ForeignError::Unreadable { address: told(), reason };
        let url: Url =
            endpoint.url.parse().map_err(|error: weir_client::UrlError| unreadable(error.to_string()))?;
        if url.origin() != self.address.origin() && !is_of_the_public(&url) {
            return Err(unreadable(format!(
                "an archive is fetched from `{}` itself, or over `https` from a host with a name",
                self.address.origin()
            )));
        }
        let archive = self.client.to_be_checked(&url, LARGEST_ARCHIVE as u64)?;
        archive.ok_or_else(|| unreadable("there is no archive".into()))
    }

    fn json<T: DeserializeOwned>(&self, path: &str, limit: u64) -> Result<Option<T>, ForeignError> {
        let Some(bytes) = self.get(path, limit)? else { return Ok(None) };
        let read = serde_json::from_slice(&bytes);
        read.map(Some).map_err(|error| self.unreadable(path, &error.to_string()))
    }

    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, ForeignError> {
        let url = self.address.below(path).map_err(|error| self.unreadable(path, &error.to_string()))?;
        Ok(self.client.document(&url, limit)?)
    }

    fn unreadable(&self, path: &str, reason: &str) -> ForeignError {
        ForeignError::Unreadable { address: format!("{}/{path}", self.address()), reason: reason.to_owned() }
    }
}

/// Whether an address is one that the whole world reaches, as far as its text says.
fn is_of_the_public(url: &Url) -> bool {
    let origin = url.origin();
    let host = origin.host();
    let is_number = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
    let is_local = origin.is_loopback()
        || !host.contains('.')
        || host.ends_with(".local")
        || host.ends_with(".internal");
    origin.is_https() && !is_number && !is_local
}

fn path_of(name: &PackageName, version: &Version, file: ReleaseFile) -> String {
    format!("packages/{name}/{version}/{}", file.file_name())
}

#[cfg(test)]
mod tests {
    use super::is_of_the_public;

    #[test]
    fn an_archive_is_fetched_from_nowhere_that_only_this_machine_reaches() {
        let is = |url: &str| is_of_the_public(&url.parse().expect("an address"));
        assert!(is("https://github.com/elm/core/zipball/1.0.5/"));
        for bad in [
            "http://github.com/elm/core/zipball/1.0.5/",
            "https://127.0.0.1/x",
            "https://10.0.0.7/x",
            "https://[::1]/x",
            "https://localhost/x",
            "https://metadata.google.internal/x",
            "https://printer.local/x",
        ] {
            assert!(!is(bad), "{bad}");
        }
    }
}
