//! Promotions.

use weir_promote::PromoteError;
use weir_rules::Standing;

use super::{Exit, Verdict, there_are};

impl Verdict for PromoteError {
    fn exit(&self) -> Exit {
        match self {
            Self::Reach(error) => error.exit(),
            Self::Submit(error) => error.exit(),
            Self::Replica(error) => error.exit(),
            Self::Remote(error) => error.exit(),
            Self::Content(error) => error.exit(),
            Self::Source(error) => error.exit(),
            Self::Index(_) => Exit::Failed,
            Self::SameRegistry { .. } | Self::TooMany { .. } | Self::NoUpstream { .. } => Exit::Usage,
            Self::NoSuchBuild { .. } => Exit::NotFound,
            Self::Withdrawn { .. } | Self::WithdrawnAbove { .. } | Self::NotBelow { .. } => Exit::Refused,
            Self::Differs { .. } => Exit::Conflict,
            Self::NotOwn { .. } => Exit::NotFound,
            Self::OtherRecord { .. } | Self::LostPack { .. } | Self::LostFile { .. } => Exit::Integrity,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Reach(error) => error.help(),
            Self::Submit(error) => error.help(),
            Self::Replica(error) => error.help(),
            Self::Remote(error) => error.help(),
            Self::Source(error) => error.help(),
            Self::NoUpstream { .. } => Some(
                "name the one that it is to go into: `--to REGISTRY`; or the one above, once and for all: `weir registry upstream add ADDRESS`".into(),
            ),
            Self::SameRegistry { .. } => Some(
                "name the one that it is to go into: `--to REGISTRY`; `--registry` names the one it is in"
                    .into(),
            ),
            Self::TooMany { .. } => Some("promote what it needs first, in parts".into()),
            Self::NoSuchBuild { there, .. } if !there.is_empty() => Some(there_are(there)),
            Self::Withdrawn { standing, .. } => Some(match standing {
                Standing::Quarantined => "`weir unquarantine` lets it out; or publish a newer version".into(),
                _ => "`weir unyank` takes a yank back; or publish a newer version".into(),
            }),
            Self::NotBelow { .. } => Some("`weir promote --withdraw REQUEST` turns it down".into()),
            Self::Differs { .. } => Some("publish it under another version, and promote that".into()),
            Self::NotOwn { above, .. } => {
                Some(format!("have `{above}` admit it from there first: a registry promotes what is its own"))
            }
            Self::LostPack { .. } | Self::LostFile { .. } => Some(
                "`weir registry verify` tells what else is lost; publishing it again brings it back".into(),
            ),
            _ => None,
        }
    }
}
