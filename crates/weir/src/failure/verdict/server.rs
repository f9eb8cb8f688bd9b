//! `weir serve`.

use weir_server::{DataError, DataFolder, ServeError, SettingsError};

use super::{Exit, Verdict};

impl Verdict for DataError {
    fn exit(&self) -> Exit {
        match self {
            Self::Strange { .. } => Exit::Conflict,
            Self::Io(error) => error.exit(),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Strange { .. } => Some(format!(
                "name a new folder, or one that a server has used: it has a folder `registries` or a file `{}`",
                DataFolder::SETTINGS
            )),
            Self::Io(_) => None,
        }
    }
}

impl Verdict for SettingsError {
    fn exit(&self) -> Exit {
        match self {
            Self::File(error) => error.exit(),
            Self::Bad { .. } | Self::Unknown { .. } | Self::Unusable { .. } => Exit::Usage,
        }
    }

    fn help(&self) -> Option<String> {
        Some("docs/reference/server.md lists the settings".into())
    }
}

impl Verdict for ServeError {
    fn exit(&self) -> Exit {
        match self {
            Self::Listen { .. } => Exit::Failed,
            Self::Tls { .. } => Exit::Usage,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Listen { .. } => Some(
                "another program may have it: `--listen ADDRESS:PORT` takes another, and port 0 a free one"
                    .into(),
            ),
            Self::Tls { .. } => None,
        }
    }
}
