//! How much a registry, and the server, is used.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use weir_activity::{ActivityError, Measure, Sum};
use weir_index::{Index, IndexError};
use weir_model::PackageName;
use weir_registry::UPSTREAMS_FILE;
use weir_web::{Grown, MOST_DOWNLOADED, Period, RegistryUse, ServerStatisticsPage, StatisticsPage};

use super::account::administrators_only;
use super::{Visitor, answer, number_asked_for};
use crate::api::Asked;
use crate::app::App;
use crate::counting::Counting;
use crate::files::blocking;
use crate::problem::Problem;

/// So many contents are looked at to find the packages that are downloaded most: several may be of one.
const MOST_CONTENTS: u32 = 200;

/// What was published in a registry, by day, as far as its log was read.
#[derive(Default)]
pub(crate) struct Growth {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Entries of the log that are in it.
    size: u64,
    days: BTreeMap<Date, Grown>,
}

impl Growth {
    /// Reads on in the log, and tells what it was until now.
    fn follow(&self, index: &Index) -> Result<BTreeMap<Date, Grown>, IndexError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let size = index.position()?.size;
        if size < kept.size {
            // Another registry has this name now.
            *kept = Kept::default();
        }
        for view in index.releases_from(kept.size)? {
            let view = view?;
            // Others may have written meanwhile: those are for the next time.
            if view.mark.index >= size {
                break;
            }
            let grown = kept.days.entry(view.mark.at.to_zoned(TimeZone::UTC).date()).or_default();
            grown.releases += 1;
            grown.bytes = grown.bytes.saturating_add(view.release.size);
        }
        kept.size = size;
        Ok(kept.days.clone())
    }
}

/// `GET /{registry}/-/statistics`: for everybody who may read the registry.
pub(crate) async fn of_registry(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let asked = Asked::of_visitor(&app, &visitor.asker, &name).await?;
    // What was counted just now is to be seen, also by who tries it out.
    Counting::write(&app).await;
    let (frame, period) = (visitor.frame_of(&name), period(query.as_deref(), &visitor)?);
    let served = asked.served.clone();
    let page = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let index = view.index();
        let counted = |error: ActivityError| std::io::Error::other(error);
        let (registry, since) = (served.name.as_str(), period.first());
        let has_above = served.folder.look(UPSTREAMS_FILE).ok().flatten().is_some();
        let above = has_above.then(|| app.measures.since(registry, since)).transpose().map_err(counted)?;
        let most = app.downloads.most(registry, since, MOST_CONTENTS).map_err(counted)?;
        let page = StatisticsPage {
            frame: &frame,
            period,
            downloads: &app.downloads.of_registry(registry, since).map_err(counted)?,
            counted_since: app.downloads.first_day(registry).map_err(counted)?,
            most: &packages(index, most)?,
            stats: &index.stats()?,
            growth: &served.growth.follow(index)?,
            above: above.as_ref(),
        };
        Ok(page.page())
    });
    answer(&visitor, StatusCode::OK, page.await?)
}

/// The packages whose contents were downloaded most. Content that several packages have counts for each of them.
fn packages(
    index: &Index,
    most: Vec<(weir_model::TreeDigest, u64)>,
) -> Result<Vec<(PackageName, u64)>, IndexError> {
    let mut packages: BTreeMap<PackageName, u64> = BTreeMap::new();
    for (tree, count) in most {
        let mut names: Vec<PackageName> =
            index.by_tree(&tree)?.into_iter().map(|view| view.release.id.name).collect();
        names.dedup();
        for name in names {
            let so_far = packages.entry(name).or_default();
            *so_far = so_far.saturating_add(count);
        }
    }
    let mut packages: Vec<(PackageName, u64)> = packages.into_iter().collect();
    packages.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    packages.truncate(MOST_DOWNLOADED);
    Ok(packages)
}

/// `GET /-/statistics`: for administrators.
pub(crate) async fn of_server(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    visitor: Visitor,
) -> Result<Response, Problem> {
    administrators_only(&visitor)?;
    Counting::write(&app).await;
    let period = period(query.as_deref(), &visitor)?;
    let mut registries = Vec::new();
    for name in super::reading::visible(&app, &visitor).await? {
        let asked = Asked::of_visitor(&app, &visitor.asker, &name).await?;
        let stats = asked.carry_out(|acting| Ok(acting.view()?.index().stats()?)).await.ok();
        registries.push(RegistryUse { name, stats, downloads: 0, brought: Sum::default() });
    }
    let counted = blocking(move || {
        let since = period.first();
        for one in &mut registries {
            let downloads = app.downloads.of_registry(&one.name, since)?;
            one.downloads = downloads.iter().map(|(_, counts)| counts.total()).fold(0, u64::saturating_add);
            let above = app.measures.since(&one.name, since)?;
            let brought = above.values().filter_map(|day| day.get(&Measure::Brought));
            one.brought = brought.fold(Sum::default(), |sum, more| sum.plus(*more));
        }
        Ok((registries, app.measures.since("", since)?, app.measures.first_day()?))
    });
    let (registries, measures, measured_since) =
        counted.await.map_err(|error: ActivityError| Problem::internal(&error))?;
    let frame = visitor.frame();
    let page = ServerStatisticsPage {
        frame: &frame,
        period,
        measures: &measures,
        measured_since,
        registries: &registries,
    };
    answer(&visitor, StatusCode::OK, page.page())
}

fn period(query: Option<&str>, visitor: &Visitor) -> Result<Period, Problem> {
    Ok(Period::of(number_asked_for(query, "days")?, visitor.asker.day()))
}
