//! What a path asks for.

use weir_model::{PackageName, Version};

/// What is asked for, by the path below a registry and a version of the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// `all-packages`
    AllPackages,
    /// `all-packages/since/{count}`
    Since(u64),
    /// `search.json`
    Search,
    /// `capabilities`
    Capabilities,
    /// `packages/{author}/{project}/releases.json`
    Releases(PackageName),
    /// `packages/{author}/{project}/{version}/{file}`
    File(PackageName, Version, ReleaseFile),
}

/// What there is of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReleaseFile {
    /// `elm.json`
    Manifest,
    /// `docs.json`: what the compiler made of the comments of its modules.
    Docs,
    /// `README.md`
    Readme,
    /// `endpoint.json`: where the archive is, and its SHA-1.
    Endpoint,
    /// `package.zip`: the archive.
    Archive,
}

impl Asked {
    /// Reads a path without a `/` before it; `None` where it is none of the protocol's.
    pub fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').take(8).collect();
        Some(match parts.as_slice() {
            ["all-packages"] => Self::AllPackages,
            ["all-packages", "since", count] => Self::Since(number(count)?),
            ["search.json"] => Self::Search,
            ["capabilities"] => Self::Capabilities,
            ["packages", author, project, "releases.json"] => Self::Releases(name(author, project)?),
            ["packages", author, project, version, file] => {
                Self::File(name(author, project)?, version.parse().ok()?, ReleaseFile::named(file)?)
            }
            _ => return None,
        })
    }
}

impl ReleaseFile {
    /// Its name in an address.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Manifest => "elm.json",
            Self::Docs => "docs.json",
            Self::Readme => "README.md",
            Self::Endpoint => "endpoint.json",
            Self::Archive => "package.zip",
        }
    }

    /// How its bytes are to be read.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Manifest | Self::Docs | Self::Endpoint => "application/json",
            Self::Readme => "text/plain; charset=utf-8",
            Self::Archive => "application/zip",
        }
    }

    fn named(name: &str) -> Option<Self> {
        let all = [Self::Manifest, Self::Docs, Self::Readme, Self::Endpoint, Self::Archive];
        all.into_iter().find(|file| file.file_name() == name)
    }
}

fn name(author: &str, project: &str) -> Option<PackageName> {
    format!("{author}/{project}").parse().ok()
}

/// Digits only: `+1` is no count.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::{Asked, ReleaseFile};

    #[test]
    fn a_path_is_one_of_the_protocol_or_nothing() {
        let name = || "acme/str".parse().unwrap();
        for (path, asked) in [
            ("all-packages", Asked::AllPackages),
            ("all-packages/since/16446", Asked::Since(16446)),
            ("search.json", Asked::Search),
            ("packages/acme/str/releases.json", Asked::Releases(name())),
            (
                "packages/acme/str/1.0.0/endpoint.json",
                Asked::File(name(), "1.0.0".parse().unwrap(), ReleaseFile::Endpoint),
            ),
        ] {
            assert_eq!(Asked::parse(path), Some(asked), "{path}");
        }
        for none in [
            "",
            "all-packages/",
            "all-packages/since/-1",
            "all-packages/since/",
            "all-packages/since/99999999999999999999",
            "packages/acme/../1.0.0/elm.json",
            "packages/acme/str/1.0.0/../elm.json",
            "packages/acme/str/1.0.0/src/Str.elm",
            "packages/acme/str/one/elm.json",
        ] {
            assert_eq!(Asked::parse(none), None, "{none}");
        }
    }
}
