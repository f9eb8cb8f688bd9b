//! Content of what was admitted, fetched from above when it is first asked for.

use std::sync::Arc;

use weir_model::TreeDigest;
use weir_registry::UPSTREAMS_FILE;

use super::upstreams::of_reaching;
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::Problem;
use crate::registries::Served;

/// Brings a pack that the registry does not hold, if a release that was admitted consists of it; whether it is there then.
pub(crate) async fn pull(
    app: &Arc<App>,
    asker: &Asker,
    served: &Arc<Served>,
    tree: TreeDigest,
) -> Result<bool, Problem> {
    // Most registries have nobody above them: they are not asked twice.
    if served.folder.look(UPSTREAMS_FILE).ok().flatten().is_none() {
        return Ok(false);
    }
    let caller = asker.caller(served.name.as_str())?;
    let (app, served, session) = (app.clone(), served.clone(), app.session());
    let place = app.uploading.place(&asker.place())?;
    blocking(move || {
        let _place = place;
        let registrar = app.registries.registrar(&served).map_err(|error| Problem::refused(&error, false))?;
        weir_reach::pull_pack(&session, &registrar, served.folder.path(), &caller, &tree)
            .map_err(|error| of_reaching(&error))
    })
    .await
}
