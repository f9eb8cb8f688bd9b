//! Where a machine keeps what all projects share.

use std::path::{Path, PathBuf};

use weir_registry::ReplicaHome;

/// The folders of one user on one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    data: PathBuf,
    config: PathBuf,
}

impl Home {
    /// Keeps data (store, replicas, trust, keys) in one folder and configuration in another.
    pub fn new(data: impl Into<PathBuf>, config: impl Into<PathBuf>) -> Self {
        Self { data: data.into(), config: config.into() }
    }

    /// The store, where nothing else is said.
    pub fn store(&self) -> PathBuf {
        self.data.join("store")
    }

    /// What is known of registries, and whom to trust.
    pub fn replicas(&self) -> ReplicaHome {
        ReplicaHome::new(&self.data)
    }

    /// The keys that sign for this user's own registries.
    pub fn keys(&self) -> PathBuf {
        self.data.join("keys")
    }

    /// What tags of repositories named when they were fetched.
    pub fn git_records(&self) -> PathBuf {
        self.data.join("git")
    }

    /// The user's configuration.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// What proves who the user is to servers.
    pub fn credentials(&self) -> PathBuf {
        self.config.join("credentials.toml")
    }

    /// Packages that were installed for the user and not for a project.
    pub fn global_project(&self) -> PathBuf {
        self.data.join("global")
    }

    /// What is known of the layouts of projects.
    pub fn layouts(&self) -> PathBuf {
        self.data.join("layouts")
    }

    /// The folder with data.
    pub fn data(&self) -> &Path {
        &self.data
    }
}
