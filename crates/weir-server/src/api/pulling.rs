//! Content of what was admitted, fetched from above when it is first asked for.

use std::sync::Arc;
use std::time::Instant;

use weir_activity::Measure;
use weir_registry::{Object, UPSTREAMS_FILE};

use super::upstreams::with_those_above;
use crate::app::App;
use crate::asker::Asker;
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
    let place = app.uploading.place(&asker.place())?;
    let began = Instant::now();
    let pulled = with_those_above(app, asker, served, move |lower| {
        let _place = place;
        lower.pull(object)
    })
    .await;
    match &pulled {
        Ok(true) => app.counting.measure(&served.name, Measure::Brought, began.elapsed()),
        // Nothing of it was ever admitted: no registry above was asked.
        Ok(false) => {}
        Err(_) => app.counting.measure(&served.name, Measure::NotBrought, began.elapsed()),
    }
    pulled
}
