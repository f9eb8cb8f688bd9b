//! Packages in one line.

use crate::sandbox::{Run, Sandbox};

/// A package in the making: a folder with a manifest and files.
#[derive(Debug)]
#[must_use = "nothing is written before `write` or `publish`"]
pub struct PackageBuilder<'sandbox> {
    sandbox: &'sandbox Sandbox,
    name: String,
    version: String,
    kind: String,
    description: String,
    license: String,
    dependencies: String,
    rest: String,
    files: Vec<(String, String)>,
    programs: Vec<String>,
}

impl<'sandbox> PackageBuilder<'sandbox> {
    pub(crate) fn new(sandbox: &'sandbox Sandbox, name: &str, version: &str) -> Self {
        Self {
            sandbox,
            name: name.into(),
            version: version.into(),
            kind: "generic".into(),
            description: format!("The package {name}"),
            license: "MIT".into(),
            dependencies: String::new(),
            rest: String::new(),
            files: Vec::new(),
            programs: Vec::new(),
        }
    }

    /// What sort of package it is; `generic` where nothing is said.
    pub fn kind(mut self, kind: &str) -> Self {
        self.kind = kind.into();
        self
    }

    /// What it says it is.
    pub fn description(mut self, text: &str) -> Self {
        self.description = text.into();
        self
    }

    /// Its licence, as an SPDX expression; `MIT` where nothing is said.
    pub fn license(mut self, expression: &str) -> Self {
        self.license = expression.into();
        self
    }

    /// A dependency.
    pub fn dependency(mut self, name: &str, range: &str) -> Self {
        self.dependencies.push_str(&format!("\"{name}\" = \"{range}\"\n"));
        self
    }

    /// A dependency that may move within its range.
    pub fn fluid(mut self, name: &str, range: &str) -> Self {
        self.dependencies.push_str(&format!("\"{name}\" = {{ range = \"{range}\", fluid = true }}\n"));
        self
    }

    /// More of the manifest.
    pub fn manifest(mut self, text: &str) -> Self {
        self.rest.push_str(text);
        self
    }

    /// A file of it.
    pub fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.into(), text.into()));
        self
    }

    /// An executable file of it.
    pub fn program(mut self, path: &str, text: &str) -> Self {
        self.programs.push(path.into());
        self.file(path, text)
    }

    /// Writes its folder, and says which it is.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub fn write(mut self) -> String {
        let folder = format!("packages/{}-{}", self.name.replace('/', "-"), self.version);
        if self.files.is_empty() {
            self.files.push(("content.txt".into(), format!("{} {}\n", self.name, self.version)));
        }
        let manifest = format!(
            "[package]\nname = \"{}\"\nversion = \"{}\"\nkind = \"{}\"\nlicense = \"{}\"\ndescription = \"{}\"\n\n[dependencies]\n{}\n{}",
            self.name, self.version, self.kind, self.license, self.description, self.dependencies, self.rest
        );
        self.sandbox.write(format!("{folder}/weir.toml"), manifest);
        for (path, text) in &self.files {
            self.sandbox.write(format!("{folder}/{path}"), text);
        }
        for path in &self.programs {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            let path = self.sandbox.path(format!("{folder}/{path}"));
            fs_err::set_permissions(path, mode).expect("the sandbox can be written");
        }
        folder
    }

    /// Writes its folder and publishes it.
    ///
    /// # Panics
    ///
    /// When that fails.
    #[track_caller]
    pub fn publish(self) -> Run {
        let sandbox = self.sandbox;
        let folder = self.write();
        sandbox.weir_in("", &format!("publish {folder}")).succeeds()
    }
}

/// `acme/str = ^1` as a line of a manifest.
pub(crate) fn dependency_line(text: &str) -> String {
    let (name, range) = text.split_once('=').unwrap_or((text, "*"));
    format!("\"{}\" = \"{}\"\n", name.trim(), range.trim())
}
