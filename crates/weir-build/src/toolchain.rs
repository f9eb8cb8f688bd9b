//! What is known of the tools that build: a part of the key of everything that they built.

use std::collections::BTreeMap;
use std::io;
use std::process::{Command, Stdio};

use serde_json::json;
use weir_model::canonical::canonical_json;
use weir_model::{Digest, Platform};

use crate::SandboxKind;
use crate::root::dpkg::Installed;

/// How builds are run. Raised whenever a change of `steps` makes something else of the same source.
const FORMAT: u32 = 1;

/// What stands for a compiler, where no package manager is known.
const ASKED: [&str; 8] = ["cc", "c++", "ld", "ldd", "make", "cmake", "ninja", "meson"];

/// A description of the tools, and its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toolchain {
    /// Canonical JSON: the format, the platform, the kind of sandbox, and what is known of the tools.
    pub document: Vec<u8>,
    /// The digest of the document.
    pub digest: Digest,
}

/// The tools of a machine with dpkg: exact versions of all packages that a build can see.
pub(crate) fn of_packages(platform: &Platform, sandbox: SandboxKind, installed: &Installed) -> Toolchain {
    let packages: Vec<String> = installed
        .tools
        .iter()
        .map(|(name, package)| format!("{name} {} {}", package.version, package.architecture))
        .collect();
    describe(platform, sandbox, "packages", &json!(packages))
}

/// The tools of an unpacked root: its content.
pub(crate) fn of_content(platform: &Platform, sandbox: SandboxKind, content: Digest) -> Toolchain {
    describe(platform, sandbox, "root", &json!(content))
}

/// The tools of any other machine: what each says of itself, a much weaker statement.
pub(crate) fn of_outputs(platform: &Platform, sandbox: SandboxKind) -> io::Result<Toolchain> {
    let mut running = Vec::new();
    for tool in ASKED {
        let child = Command::new(tool)
            .arg("--version")
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        match child {
            Ok(child) => running.push((tool, child)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let mut outputs = BTreeMap::new();
    for (tool, child) in running {
        let said = child.wait_with_output()?.stdout;
        outputs.insert(tool, String::from_utf8_lossy(&said).trim().to_owned());
    }
    Ok(describe(platform, sandbox, "versions", &json!(outputs)))
}

fn describe(platform: &Platform, sandbox: SandboxKind, what: &str, tools: &serde_json::Value) -> Toolchain {
    let document = json!({"format": FORMAT, "platform": platform, "sandbox": sandbox.as_str(), what: tools});
    let document = canonical_json(&document)
        .expect("one integer, strings, and keys that stand in this file")
        .into_bytes();
    Toolchain { digest: Digest::of(&document), document }
}
