//! Searching a registry, and narrowing down what is found.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;
use weir_index::{HeldRelease, Index, PackageFilter};
use weir_model::{KindName, OwnerName, PackageName, Platform};
use weir_registry::SubmitError;
use weir_web::{Found, FoundState, Looked, MOST_HELD, PAGE, SearchPage};

use super::reading::{At, looking};
use super::{answer, pairs};
use crate::problem::Problem;

/// So many releases that are held are looked through for a search.
const HELD_LOOKED_AT: usize = 1000;

/// `GET /{registry}/-/search`
pub(crate) async fn search(
    (State(app), Path(name), RawQuery(query), visitor): At<String>,
) -> Result<Response, Problem> {
    let looked = looked(query.as_deref().unwrap_or_default());
    let asked = looking(&app, &visitor, &name).await?;
    let mut frame = visitor.frame_of(&name);
    frame.query.clone_from(&looked.words);
    let page = asked.carry_out(move |acting| {
        let view = acting.view()?;
        let found = find(view.index(), &looked)?;
        let held = held(view.index(), &looked)?;
        Ok(SearchPage { frame: &frame, looked: &looked, found: &found, held: &held }.page())
    });
    answer(&visitor, StatusCode::OK, page.await?)
}

/// What is looked for. By what nothing can be narrowed down is told, in place of all there is.
fn looked(query: &str) -> Looked {
    let mut looked = Looked::default();
    for (name, value) in pairs(query) {
        match &*name {
            "q" => looked.words = value.trim().chars().take(256).collect(),
            // As a form sends it in which nothing was chosen.
            _ if value.is_empty() => {}
            "kind" => looked.kind = known::<KindName>(&value, &mut looked.unknown),
            "platform" => looked.platform = known::<Platform>(&value, &mut looked.unknown),
            "owner" => looked.owner = known::<OwnerName>(&value, &mut looked.unknown),
            "license" => {
                looked.license =
                    Some(value.trim().chars().take(64).collect()).filter(|text: &String| !text.is_empty());
            }
            "state" => looked.state = known::<FoundState>(&value, &mut looked.unknown),
            "skip" => {
                let number =
                    value.parse::<usize>().map_err(|_| format!("`skip` is a number, and `{value}` is none"));
                looked.skip = said(number, &mut looked.unknown).unwrap_or_default().min(10_000);
            }
            "after" => {
                let after = known::<PackageName>(&value, &mut looked.unknown);
                looked.after = after.map(|name| name.to_string());
            }
            _ => {}
        }
    }
    looked
}

/// What a text means; what is wrong with the first that means nothing is kept.
fn known<T: FromStr>(text: &str, unknown: &mut Option<String>) -> Option<T>
where
    T::Err: Display,
{
    said(text.parse(), unknown)
}

fn said<T, E: Display>(read: Result<T, E>, unknown: &mut Option<String>) -> Option<T> {
    match read {
        Ok(known) => Some(known),
        Err(error) => {
            unknown.get_or_insert_with(|| error.to_string().chars().take(200).collect());
            None
        }
    }
}

fn find(index: &Index, looked: &Looked) -> Result<Found, SubmitError> {
    if looked.unknown.is_some() {
        return Ok(Found::All(Vec::new()));
    }
    let filter = PackageFilter {
        prefix: None,
        owner: looked.owner.clone(),
        kind: looked.kind,
        platform: looked.platform.clone(),
        license: looked.license.clone(),
        standing: match looked.state {
            Some(FoundState::Here(standing)) => Some(standing),
            Some(FoundState::Held) => return Ok(Found::All(Vec::new())),
            None => None,
        },
    };
    if looked.words.is_empty() {
        let after = looked.after.as_deref().and_then(|after| after.parse::<PackageName>().ok());
        return Ok(Found::All(index.list(&filter, after.as_ref(), PAGE + 1)?));
    }
    Ok(Found::Hits(index.search(&looked.words, &filter, PAGE, looked.skip)?))
}

/// What policy keeps out and is looked for too: each of the words is in its name. It is told where a search begins; without words, if what
/// is held is asked for.
fn held(index: &Index, looked: &Looked) -> Result<Vec<HeldRelease>, SubmitError> {
    let lower = looked.words.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_meant = match looked.state {
        Some(FoundState::Here(_)) => false,
        Some(FoundState::Held) => true,
        None => !words.is_empty(),
    };
    if !is_meant || looked.skip > 0 || looked.unknown.is_some() {
        return Ok(Vec::new());
    }
    let mut held = index.held(HELD_LOOKED_AT)?;
    held.retain(|held| {
        let name = &held.hold.id.name;
        words.iter().all(|word| name.as_str().contains(word))
            && looked.owner.as_ref().is_none_or(|owner| owner.as_str() == name.owner())
    });
    held.truncate(if looked.state.is_some() { PAGE } else { MOST_HELD });
    Ok(held)
}
