//! What is known of the tools that build: a part of the input digest of everything that they built.

use std::collections::BTreeMap;
use std::io;
use std::process::{Command, Stdio};

use serde_json::json;
use weir_model::canonical::canonical_json;
use weir_model::{Digest, Platform, Sha256};

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
    pub digest: Sha256,
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
pub(crate) fn of_content(platform: &Platform, sandbox: SandboxKind, content: Sha256) -> Toolchain {
    describe(platform, sandbox, "root", &json!(content))
}

/// The tools of any other machine, which are looked for on this search path: what each says of itself, a much weaker
/// statement.
pub(crate) fn of_outputs(
    platform: &Platform,
    sandbox: SandboxKind,
    search_path: &str,
    more: &[String],
) -> io::Result<Toolchain> {
    let mut running = Vec::new();
    for tool in ASKED.into_iter().chain(more.iter().map(String::as_str)) {
        let child = Command::new(tool)
            .arg("--version")
            .env_clear()
            .env("PATH", search_path)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        match child {
            Ok(child) => running.push((tool, child)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    let mut outputs = BTreeMap::new();
    for (tool, child) in running {
        let output = child.wait_with_output()?;
        // Some C libraries have no such option: they say what they are as an error.
        let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::of_outputs;
    use crate::SandboxKind;

    #[test]
    fn where_no_package_manager_is_known_the_tools_say_what_they_are() {
        let place = tempfile::tempdir().unwrap();
        let tool = |name: &str, script: &str| {
            let path = place.path().join(name);
            fs_err::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        let made = || {
            let platform = "x86-64-alpine-3.20".parse().unwrap();
            let path = place.path().to_str().unwrap();
            let toolchain = of_outputs(&platform, SandboxKind::None, path, &["named".to_owned()]).unwrap();
            (String::from_utf8(toolchain.document).unwrap(), toolchain.digest)
        };
        tool("cc", "echo 'cc 13.2.1'");
        // As musl does.
        tool("ldd", "echo 'musl libc (x86_64)' >&2; echo 'Version 1.2.5' >&2; exit 1");
        tool("not-asked", "echo 1");
        tool("named", "echo 2");
        let (document, first) = made();
        insta::assert_snapshot!(document, @r#"{"format":1,"platform":"x86-64-alpine-3.20","sandbox":"none","versions":{"cc":"cc 13.2.1","ldd":"musl libc (x86_64)\nVersion 1.2.5","named":"2"}}"#);
        assert_eq!(first, made().1);
        tool("ldd", "echo 'musl libc (x86_64)' >&2; echo 'Version 1.2.6' >&2; exit 1");
        assert_ne!(first, made().1, "another C library is another toolchain");
    }
}
