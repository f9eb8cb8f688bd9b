//! Provenance: what was built from what, how, by whom and where, as a statement that anybody's tools read.
//!
//! The statement is an [in-toto Statement v1](https://in-toto.io/Statement/v1) whose predicate is
//! [SLSA Provenance v1](https://slsa.dev/provenance/v1). Fields have the names of these specifications and of
//! in-toto's `ResourceDescriptor` and `DigestSet`. What is our own:
//!
//! * the build type [`BUILD_TYPE`]: the recipe in `externalParameters` is carried out for each of its variants
//!   on the source, against the packages among the `resolvedDependencies`, by the tools of the toolchain;
//! * the digest `weirTree`: of a tree, the SHA-256 of its manifest (`weir-tree v1`) in lower-case hex.
//!   `sha256` stands for the digest of the bytes of one file only;
//! * the annotation `input-digest`, the digest of the inputs of a release, as its record has it;
//! * the extension fields `weir_by` and `weir_host` of the metadata.
//!
//! A build says nothing of the revision it is published as: the same build may be published again.

use jiff::Timestamp;
use serde_json::{Value, json};
use weir_model::canonical::{CanonicalError, canonical_json};
use weir_model::{InputDigest, ReleaseId, Sha256, TreeDigest};
use weir_native::{SourceSpec, Variant};

use crate::SandboxKind;

/// The URI of the way in which native packages are built.
pub const BUILD_TYPE: &str = "urn:weir:build:native:v1";

/// What is known of a build that succeeded.
#[derive(Debug, Clone)]
pub struct ProvenanceFacts<'a> {
    /// What was built. Its revision plays no part.
    pub id: &'a ReleaseId,
    /// The digest of what it was built from.
    pub input_digest: InputDigest,
    /// The digest of what came out.
    pub tree: TreeDigest,
    /// The document of the recipe, JSON.
    pub recipe: &'a [u8],
    /// The variants that were built.
    pub variants: &'a [Variant],
    /// Where the source comes from, as it was asked for.
    pub source: &'a SourceSpec,
    /// The tree that the source is.
    pub source_tree: TreeDigest,
    /// Of a source from a git tag, the commit.
    pub commit: Option<&'a str>,
    /// The digest of the document that describes the toolchain.
    pub toolchain: Sha256,
    /// Whether it was built in an unpacked root file system, whose content the toolchain's document names,
    /// rather than with the tools of the host.
    pub unpacked_root: bool,
    /// Every package that the build could see.
    pub packages: &'a [ProvenancePackage<'a>],
    /// How the build was contained.
    pub sandbox: SandboxKind,
    /// How many jobs it might run at once.
    pub jobs: usize,
    /// The version of the program that ran it.
    pub weir: &'a str,
    /// Who ran it, such as `user:ann`.
    pub by: &'a str,
    /// The name of the machine it ran on.
    pub host: &'a str,
    /// What tells this run from all others.
    pub invocation: &'a str,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub finished: Timestamp,
    /// The SHA-256 of what it printed, as it was before it is compressed.
    pub log: Sha256,
}

/// A package that a build could see.
#[derive(Debug, Clone, Copy)]
pub struct ProvenancePackage<'a> {
    /// Which release it is.
    pub id: &'a ReleaseId,
    /// Its input digest.
    pub input_digest: InputDigest,
    /// The digest of its tree.
    pub tree: TreeDigest,
}

/// Why there is no statement.
#[derive(Debug, thiserror::Error)]
pub enum ProvenanceError {
    /// The document of the recipe is no JSON.
    #[error("the document of the recipe cannot be read: {0}")]
    Recipe(#[from] serde_json::Error),
    /// Something in it has no canonical form.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
}

/// The statement, as canonical JSON: the same facts give the same bytes.
///
/// # Errors
///
/// When the document of the recipe is not what it should be.
pub fn provenance(facts: &ProvenanceFacts<'_>) -> Result<Vec<u8>, ProvenanceError> {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{
            "name": without_revision(facts.id),
            "digest": {"weirTree": facts.tree.to_hex()},
            "annotations": {"input-digest": facts.input_digest},
        }],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": build_definition(facts)?, "runDetails": run_details(facts)},
    });
    Ok(canonical_json(&statement)?.into_bytes())
}

fn build_definition(facts: &ProvenanceFacts<'_>) -> Result<Value, ProvenanceError> {
    let mut dependencies = vec![
        source(facts),
        json!({
            "name": "toolchain",
            "digest": {"sha256": facts.toolchain.to_hex()},
            "mediaType": "application/json",
        }),
    ];
    let mut packages = facts.packages.to_vec();
    packages.sort_unstable_by_key(|package| package.id);
    dependencies.extend(packages.iter().map(package));
    Ok(json!({
        "buildType": BUILD_TYPE,
        "externalParameters": {
            "name": facts.id.name,
            "version": facts.id.version,
            "platform": facts.id.platform,
            "variants": facts.variants,
            "recipe": serde_json::from_slice::<Value>(facts.recipe)?,
        },
        "internalParameters": {
            "root": if facts.unpacked_root { "unpacked" } else { "host" },
            "sandbox": facts.sandbox.as_str(),
            "jobs": facts.jobs,
        },
        "resolvedDependencies": dependencies,
    }))
}

fn run_details(facts: &ProvenanceFacts<'_>) -> Value {
    json!({
        // Builds that are not contained are to be trusted less, so they have a builder of their own.
        "builder": {
            "id": format!("urn:weir:builder:{}:v1", facts.sandbox.as_str()),
            "version": {"weir": facts.weir},
        },
        "metadata": {
            "invocationId": facts.invocation,
            "startedOn": facts.started.to_string(),
            "finishedOn": facts.finished.to_string(),
            "weir_by": facts.by,
            "weir_host": facts.host,
        },
        "byproducts": [{
            "name": "log",
            "digest": {"sha256": facts.log.to_hex()},
            "mediaType": "text/plain",
        }],
    })
}

/// The source. A path of the machine it was built on says nothing to anybody else, so it is left out.
fn source(facts: &ProvenanceFacts<'_>) -> Value {
    let mut source = json!({"name": "source", "digest": {"weirTree": facts.source_tree.to_hex()}});
    match facts.source {
        SourceSpec::Git { url, tag, submodules } => {
            if is_address(url) {
                source["uri"] = format!("git+{}@refs/tags/{tag}", without_credentials(url)).into();
            }
            if let Some(commit) = facts.commit {
                source["digest"]["gitCommit"] = commit.into();
            }
            if *submodules {
                source["annotations"] = json!({"submodules": true});
            }
        }
        SourceSpec::Archive { mirrors, sha256 } => {
            source["digest"]["sha256"] = sha256.to_hex().into();
            if let Some(mirror) = mirrors.iter().find(|mirror| is_address(mirror)) {
                source["uri"] = without_credentials(mirror).into();
            }
        }
        SourceSpec::Path(_) => {}
    }
    source
}

fn package(package: &ProvenancePackage<'_>) -> Value {
    json!({
        "name": package.id.to_string(),
        "digest": {"weirTree": package.tree.to_hex()},
        "annotations": {"input-digest": package.input_digest},
    })
}

fn is_address(text: &str) -> bool {
    text.contains("://") && !text.starts_with("file:")
}

/// A statement is for everybody to read: what opens a door to somebody is left out of an address.
fn without_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

fn without_revision(id: &ReleaseId) -> String {
    ReleaseId { revision: 0, ..id.clone() }.to_string()
}

#[cfg(test)]
mod tests {
    use weir_model::canonical::canonical_json;
    use weir_model::{Digest, ReleaseId};
    use weir_native::{SourceSpec, Variant};

    use super::{ProvenanceFacts, ProvenancePackage, provenance};
    use crate::SandboxKind;

    /// Tells about a build from `source`.
    fn statement(source: &SourceSpec, commit: Option<&str>) -> serde_json::Value {
        let id: ReleaseId = "base/curl 7.79.1 x86-64-debian-12 revision 3".parse().unwrap();
        let zlib: ReleaseId = "base/zlib 1.2.11 x86-64-debian-12 revision 1".parse().unwrap();
        let gen_id: ReleaseId = "base/gen 2.0.0".parse().unwrap();
        let package = |id, text| ProvenancePackage {
            id,
            input_digest: Digest::of(format!("{text} input digest")),
            tree: Digest::of(text),
        };
        let facts = ProvenanceFacts {
            id: &id,
            input_digest: Digest::of("input-digest"),
            tree: Digest::of("tree"),
            recipe: br#"{"system":"cmake","variants":{"release":{"defines":{"SHARED":"ON"}}}}"#,
            variants: &Variant::ALL,
            source,
            source_tree: Digest::of("source"),
            commit,
            toolchain: Digest::of("toolchain"),
            unpacked_root: false,
            packages: &[package(&zlib, "zlib"), package(&gen_id, "gen")],
            sandbox: SandboxKind::Bubblewrap,
            jobs: 2,
            weir: "0.1.0",
            by: "user:ann",
            host: "builder-7",
            invocation: "01KANS5R9M8Q3F2V5T7XAZB4CD",
            started: "2026-11-20T12:00:00Z".parse().unwrap(),
            finished: "2026-11-20T12:00:09.25Z".parse().unwrap(),
            log: Digest::of("log"),
        };
        let bytes = provenance(&facts).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(canonical_json(&value).unwrap().as_bytes(), bytes);
        value
    }

    #[test]
    fn a_statement_says_what_was_built_from_what() {
        let source = SourceSpec::Git {
            url: "https://git.example/curl.git".into(),
            tag: "curl-7_79_1".into(),
            submodules: true,
        };
        let statement = statement(&source, Some("0123456789abcdef0123456789abcdef01234567"));
        insta::assert_snapshot!(serde_json::to_string_pretty(&statement).unwrap(), @r#"
        {
          "_type": "https://in-toto.io/Statement/v1",
          "predicate": {
            "buildDefinition": {
              "buildType": "urn:weir:build:native:v1",
              "externalParameters": {
                "name": "base/curl",
                "platform": "x86-64-debian-12",
                "recipe": {
                  "system": "cmake",
                  "variants": {
                    "release": {
                      "defines": {
                        "SHARED": "ON"
                      }
                    }
                  }
                },
                "variants": [
                  "release",
                  "debug"
                ],
                "version": "7.79.1"
              },
              "internalParameters": {
                "jobs": 2,
                "root": "host",
                "sandbox": "bubblewrap"
              },
              "resolvedDependencies": [
                {
                  "annotations": {
                    "submodules": true
                  },
                  "digest": {
                    "gitCommit": "0123456789abcdef0123456789abcdef01234567",
                    "weirTree": "7d1aa223722b2aaa89b92fc6b2ef0baa709c01eab9f8494b1de5c335f2750707"
                  },
                  "name": "source",
                  "uri": "git+https://git.example/curl.git@refs/tags/curl-7_79_1"
                },
                {
                  "digest": {
                    "sha256": "0db3de82a739e43a2b560d166d037c3c0061601bb194866eb79b2c87045d00f2"
                  },
                  "mediaType": "application/json",
                  "name": "toolchain"
                },
                {
                  "annotations": {
                    "input-digest": "sha256:2b1eb58d74e6d8902f299dc9e4293b758bf4e957e42368e549e4e2749bca1a31"
                  },
                  "digest": {
                    "weirTree": "168acaa9464805cb3a5c5304196dc1ecca27e689f48a3ed9640ba1303446ae56"
                  },
                  "name": "base/gen 2.0.0"
                },
                {
                  "annotations": {
                    "input-digest": "sha256:de2a33e5e41e5684598f28797d089151a77322570174c772ada8365440599dd2"
                  },
                  "digest": {
                    "weirTree": "85b7c580b21bed337053550c2a4a9b2af2314133ad227f325ef93d17b3780362"
                  },
                  "name": "base/zlib 1.2.11 x86-64-debian-12 revision 1"
                }
              ]
            },
            "runDetails": {
              "builder": {
                "id": "urn:weir:builder:bubblewrap:v1",
                "version": {
                  "weir": "0.1.0"
                }
              },
              "byproducts": [
                {
                  "digest": {
                    "sha256": "836ff184e7b41b1e13cb5fd89fa1de98dbbab99e9d2918913ff43b86a5c7c213"
                  },
                  "mediaType": "text/plain",
                  "name": "log"
                }
              ],
              "metadata": {
                "finishedOn": "2026-11-20T12:00:09.25Z",
                "invocationId": "01KANS5R9M8Q3F2V5T7XAZB4CD",
                "startedOn": "2026-11-20T12:00:00Z",
                "weir_by": "user:ann",
                "weir_host": "builder-7"
              }
            }
          },
          "predicateType": "https://slsa.dev/provenance/v1",
          "subject": [
            {
              "annotations": {
                "input-digest": "sha256:104c92af170b72888c5be5b64aa08aff686010ae232cd101b8c1c61f7eff0636"
              },
              "digest": {
                "weirTree": "6baa6c9f461fe834a9da0ebb62e0f6fb8c11988a58cbc51b8da8040aea19bc3a"
              },
              "name": "base/curl 7.79.1 x86-64-debian-12"
            }
          ]
        }
        "#);
    }

    #[test]
    fn an_archive_is_told_by_its_bytes_and_a_path_of_this_machine_is_not_told() {
        let source = |source: &SourceSpec| {
            statement(source, None)["predicate"]["buildDefinition"]["resolvedDependencies"][0].to_string()
        };
        let mirrors = vec!["../curl.tar.gz".into(), "https://data.example/curl.tar.gz".into()];
        let archive = SourceSpec::Archive { mirrors, sha256: Digest::of("archive") };
        insta::assert_snapshot!(source(&archive), @r#"
        {"digest":{"sha256":"0eb3e36bfb24dcd9bb1d1bece1531216b59539a8fde17ee80224af0653c92aa3","weirTree":"7d1aa223722b2aaa89b92fc6b2ef0baa709c01eab9f8494b1de5c335f2750707"},"name":"source","uri":"https://data.example/curl.tar.gz"}
        "#);
        insta::assert_snapshot!(source(&SourceSpec::Path("/home/ann/curl".into())), @r#"
        {"digest":{"weirTree":"7d1aa223722b2aaa89b92fc6b2ef0baa709c01eab9f8494b1de5c335f2750707"},"name":"source"}
        "#);
        let private = SourceSpec::Git {
            url: "https://ann:secret@git.example/a@b.git".into(),
            tag: "v1".into(),
            submodules: false,
        };
        insta::assert_snapshot!(source(&private), @r#"
        {"digest":{"weirTree":"7d1aa223722b2aaa89b92fc6b2ef0baa709c01eab9f8494b1de5c335f2750707"},"name":"source","uri":"git+https://git.example/a@b.git@refs/tags/v1"}
        "#);
        let local = SourceSpec::Git { url: "/home/ann/curl.git".into(), tag: "v1".into(), submodules: false };
        assert_eq!(source(&local), source(&SourceSpec::Path("curl".into())));
    }
}
