//! Content of what was admitted, fetched from above when it is first asked for.

use std::sync::Arc;
use std::time::Instant;

use weir_activity::Measure;
use weir_reach::Lower;
use weir_registry::{Object, UPSTREAMS_FILE};

use super::upstreams::of_reaching;
use crate::app::App;
use crate::asker::Asker;
use crate::files::blocking;
use crate::problem::Problem;
use crate::registries::Served;

/// Brings content that the registry does not hold, if a release that was admitted consists of it; whether it is there then.
pub(crate) async fn pull(
    app: &Arc<App>,
    asker: &Asker,
    served: &Arc<Served>,
    object: Object,
) -> Result<bool, Problem> {
    // Most registries have nobody above them: they are not asked twice.
    if served.folder.look(UPSTREAMS_FILE).ok().flatten().is_none() {
        return Ok(false);
    }
    let caller = asker.caller(served.name.as_str())?;
    let (app, served, session) = (app.clone(), served.clone(), app.session());
    let place = app.uploading.place(&asker.place())?;
    let (counting, name, began) = (app.clone(), served.name.clone(), Instant::now());
    let pulled = blocking(move || {
        let _place = place;
        let registrar = app.registries.registrar(&served).map_err(|error| Problem::refused(&error, false))?;
        let root = served.folder.path();
        let lower = Lower { session: &session, registrar: &registrar, root, caller: &caller };
        lower.pull(object).map_err(|error| of_reaching(&error))
    })
    .await;
    match &pulled {
        Ok(true) => counting.counting.measure(&name, Measure::Brought, began.elapsed()),
        // Nothing of it was ever admitted: no registry above was asked.
        Ok(false) => {}
        Err(_) => counting.counting.measure(&name, Measure::NotBrought, began.elapsed()),
    }
    pulled
}
