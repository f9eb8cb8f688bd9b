//! How often releases were downloaded: for everybody who may read the registry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use weir_model::{PackageName, TreeDigest, Version};
use weir_wire::downloads::{DayDownloads, DownloadCounts, PackageDownloads};

use super::{Asked, json};
use crate::app::App;
use crate::asker::Asker;
use crate::counting::Counting;
use crate::files::blocking;
use crate::problem::{Code, Problem};

/// So many days are told of where nothing else is said.
const DAYS: u32 = 30;

/// `GET …/downloads?package=acme/greet&days=30`
pub(crate) async fn of_package(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    asker: Asker,
) -> Result<Response, Problem> {
    let asked = Asked::of_visitor(&app, &asker, &name).await?;
    let (package, days) = wanted(query.as_deref().unwrap_or_default())?;
    let since = first_day(&asker, days);
    let wanted = package.clone();
    let releases = asked
        .carry_out(move |acting| {
            let view = acting.view()?;
            Ok(view.index().package(&wanted)?.map(|package| {
                package
                    .releases
                    .into_iter()
                    .map(|view| (view.release.id.version, view.release.tree))
                    .collect()
            }))
        })
        .await?;
    // Builds of one version may share content: it is counted for the version once.
    let releases: BTreeSet<(Version, TreeDigest)> = releases.ok_or_else(|| {
        Problem::new(Code::NotFound, format!("the registry `{name}` has no package `{package}`"))
    })?;
    // What was counted just now is to be seen, also by who tries it out.
    Counting::write(&app).await;
    let registry = asked.served.name.to_string();
    let told = blocking(move || added_up(&app, &registry, package, since, &releases)).await;
    Ok(json(StatusCode::OK, &told?))
}

/// Of which package, and of how many days.
fn wanted(query: &str) -> Result<(PackageName, u32), Problem> {
    let bad = |detail: String| Problem::new(Code::BadRequest, detail);
    let (mut package, mut days) = (None, DAYS);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "package" => {
                package = Some(value.parse().map_err(|error: weir_model::NameError| bad(error.to_string()))?);
            }
            "days" => days = value.parse().map_err(|_| bad("`days` is a number".to_owned()))?,
            _ => return Err(bad("it is asked for with `?package=OWNER/NAME&days=NUMBER`".to_owned())),
        }
    }
    let package = package.ok_or_else(|| bad("it is asked for with `?package=OWNER/NAME`".to_owned()))?;
    Ok((package, days))
}

fn added_up(
    app: &App,
    registry: &str,
    package: PackageName,
    since: Date,
    releases: &BTreeSet<(Version, TreeDigest)>,
) -> Result<PackageDownloads, Problem> {
    let mut days: BTreeMap<(Date, Version), DownloadCounts> = BTreeMap::new();
    for (version, tree) in releases {
        let counted = app.downloads.of_tree(registry, tree, since);
        for (day, counts) in counted.map_err(|error| Problem::internal(&error))? {
            let so_far = days.entry((day, version.clone())).or_default();
            *so_far = so_far.plus(counts);
        }
    }
    let total = days.values().fold(DownloadCounts::default(), |total, counts| total.plus(*counts));
    let told = |((day, version), downloads)| DayDownloads { day, version, downloads };
    Ok(PackageDownloads { package, since, total, days: days.into_iter().rev().map(told).collect() })
}

/// The first of so many days, today the last of them.
fn first_day(asker: &Asker, days: u32) -> Date {
    let today = asker.day();
    let back = jiff::Span::new().try_days(i64::from(days.max(1)) - 1);
    back.and_then(|back| today.checked_sub(back)).unwrap_or(Date::MIN)
}
