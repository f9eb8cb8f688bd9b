//! What policies may ask of a version of an Elm package: which step it is from the one before it, and which step what changed asks for.

use weir_kind::{Facts, KindError, PackageFiles, read_text};
use weir_model::Version;

use super::inspect::{DOCS, MAX_DOCS};
use crate::api::{Api, Difference, step};

/// Which step a version is: `FIRST`, `MAJOR`, `MINOR`, `PATCH`, or `OTHER` where it is none of these.
const VERSION_BUMP: &str = "version_bump";

/// Which step what changed asks for: `MAJOR`, `MINOR` or `PATCH`, or `UNKNOWN` of one without documentation after one that has some. Not there
/// where the one before has none.
const API_CHANGE: &str = "api_change";

pub(super) fn compare(
    version: &Version,
    before: Option<&Version>,
    files: Option<&dyn PackageFiles>,
    files_before: Option<&dyn PackageFiles>,
) -> Result<Facts, KindError> {
    let mut facts = Facts::new();
    let bump = before.map_or_else(|| "FIRST".to_owned(), |before| bump(before, version));
    facts.insert(VERSION_BUMP.into(), bump.into());
    if let (Some(files), Some(files_before)) = (files, files_before)
        && let Some(old) = api(files_before)?
    {
        let change = api(files)?.map_or_else(
            || "UNKNOWN".to_owned(),
            |new| Difference::between(&old, &new).magnitude.to_string(),
        );
        facts.insert(API_CHANGE.into(), change.into());
    }
    Ok(facts)
}

fn bump(before: &Version, version: &Version) -> String {
    step(before, version).map_or_else(|| "OTHER".to_owned(), |step| step.to_string())
}

/// What a package offers, where its documentation says that.
fn api(files: &dyn PackageFiles) -> Result<Option<Api>, KindError> {
    let text = read_text(files, DOCS, MAX_DOCS)?;
    // One that was published before documentation was read strictly is as good as none.
    Ok(text.and_then(|text| Api::parse(text.as_bytes()).ok()).filter(|api| api.modules().next().is_some()))
}

#[cfg(test)]
mod tests {
    use super::bump;

    #[test]
    fn a_step_is_one_number_up_and_those_behind_it_zero() {
        let from = |before: &str, version: &str| bump(&before.parse().unwrap(), &version.parse().unwrap());
        assert_eq!(from("1.2.3", "1.2.4"), "PATCH");
        assert_eq!(from("1.2.3", "1.3.0"), "MINOR");
        assert_eq!(from("1.2.3", "2.0.0"), "MAJOR");
        for other in ["1.2.5", "1.3.1", "1.4.0", "3.0.0", "2.0.1"] {
            assert_eq!(from("1.2.3", other), "OTHER", "{other}");
        }
    }
}
