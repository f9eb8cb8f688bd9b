//! When a release of a registry above was published, for rules that ask how old it is.

use jiff::Timestamp;
use weir_index::{Index, IndexError, ReleaseView};

/// When a release of the registry `upstream` was published: when its record says so, and not before `own` last looked through that log without
/// finding it. Whoever has the key of a registry can write any time into it. A transcript is this machine's own, and grows when it is asked.
///
/// # Errors
///
/// When the view cannot be read.
pub fn published_above(
    own: &Index,
    view: &ReleaseView,
    upstream: &str,
    is_transcript: bool,
) -> Result<Timestamp, IndexError> {
    if is_transcript {
        return Ok(view.mark.at);
    }
    let without = own.last_without(upstream, view.mark.index)?;
    Ok(without.map_or(view.mark.at, |without| without.max(view.mark.at)))
}
