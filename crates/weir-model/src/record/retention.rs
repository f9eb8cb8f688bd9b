//! What a registry keeps, where somebody says that it need not keep everything.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which releases stay. One that any of these keeps does; with none of them, all stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Retention {
    /// Those that are offered: what goes was yanked before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offered: bool,
    /// The newest so many of each package and platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u32>,
    /// Those that were published or downloaded within so many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u32>,
}

impl Retention {
    /// Whether it says anything: else everything stays.
    pub const fn is_empty(&self) -> bool {
        !self.offered && self.last.is_none() && self.days.is_none()
    }
}

impl fmt::Display for Retention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("everything");
        }
        let offered = self.offered.then(|| "what is offered".to_owned());
        let last = self.last.map(|last| format!("the last {last} of each package and platform"));
        let days = self.days.map(|days| format!("what was published or downloaded in {days} days"));
        let kept: Vec<String> = [offered, last, days].into_iter().flatten().collect();
        f.write_str(&kept.join(", "))
    }
}
