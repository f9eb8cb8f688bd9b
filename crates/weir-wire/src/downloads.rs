//! How often releases were downloaded, as the API tells of it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use weir_model::{PackageName, Version};

/// What sort of caller downloads something. Who exactly is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Downloader {
    /// Somebody who proved nothing.
    Anonymous,
    /// A user, or a token of theirs.
    User,
    /// A program that is trusted by what its identity provider says.
    Workload,
}

impl Downloader {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Anonymous, Self::User, Self::Workload];
}

/// How often something was downloaded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DownloadCounts {
    /// By callers who proved nothing.
    pub anonymous: u64,
    /// By users, or tokens of theirs.
    pub users: u64,
    /// By programs that are trusted.
    pub workloads: u64,
}

impl DownloadCounts {
    /// Counts `count` more.
    pub fn add(&mut self, by: Downloader, count: u64) {
        let field = match by {
            Downloader::Anonymous => &mut self.anonymous,
            Downloader::User => &mut self.users,
            Downloader::Workload => &mut self.workloads,
        };
        *field = field.saturating_add(count);
    }

    /// The same with others added.
    #[must_use]
    pub fn plus(self, others: Self) -> Self {
        Self {
            anonymous: self.anonymous.saturating_add(others.anonymous),
            users: self.users.saturating_add(others.users),
            workloads: self.workloads.saturating_add(others.workloads),
        }
    }

    /// By all of them.
    pub fn total(&self) -> u64 {
        self.anonymous.saturating_add(self.users).saturating_add(self.workloads)
    }
}

/// How often a version was downloaded on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct DayDownloads {
    /// The day, in UTC.
    pub day: Date,
    /// The version.
    pub version: Version,
    /// By whom, and how often.
    pub downloads: DownloadCounts,
}

/// How often the releases of a package were downloaded. Content that several releases share counts for each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct PackageDownloads {
    /// The package.
    pub package: PackageName,
    /// The first day that is told of.
    pub since: Date,
    /// All of them together.
    pub total: DownloadCounts,
    /// Each day and version of which there were any, the last day first.
    pub days: Vec<DayDownloads>,
}
