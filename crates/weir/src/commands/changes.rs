//! What moved in a lockfile, like a changelog. Used by every command that changes one.

use weir_model::ReleaseId;
use weir_project::{Changes, Direction};

use crate::output::{Cell, Page};

/// One line a change: `+` added, `-` removed, `^` moved up, `v` moved down, `~` other content.
pub(super) fn show(page: &mut Page, changes: &Changes) {
    let palette = page.palette;
    let mut rows = Vec::new();
    for id in &changes.added {
        rows.push((
            id.name.to_string(),
            vec![mark("+", palette.good), name(id.name.as_str()), Cell::plain(version(id))],
        ));
    }
    for moved in &changes.moved {
        let (sign, style) = match moved.direction {
            Direction::Up => ("^", palette.good),
            Direction::Down => ("v", palette.notice),
            Direction::Content => ("~", palette.notice),
        };
        let versions = match moved.direction {
            Direction::Content if moved.before_revision == moved.after_revision => {
                format!("{} with other content", moved.to())
            }
            _ => format!("{} → {}", moved.from(), moved.to()),
        };
        rows.push((
            moved.name.to_string(),
            vec![mark(sign, style), name(moved.name.as_str()), Cell::plain(versions)],
        ));
    }
    for id in &changes.removed {
        rows.push((
            id.name.to_string(),
            vec![mark("-", palette.bad), name(id.name.as_str()), Cell::plain(version(id))],
        ));
    }
    for reference in &changes.references {
        let (sign, style, digests) = match (&reference.before, &reference.after) {
            (None, Some(after)) => ("+", palette.good, after.short().to_string()),
            (Some(before), Some(after)) => {
                ("~", palette.notice, format!("{} → {}", before.short(), after.short()))
            }
            (Some(before), None) => ("-", palette.bad, before.short().to_string()),
            (None, None) => continue,
        };
        rows.push((
            reference.name.clone(),
            vec![mark(sign, style), name(&reference.name), Cell::plain(digests)],
        ));
    }
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    page.table(&[], rows.into_iter().map(|(_, cells)| cells).collect());
}

fn mark(sign: &str, style: clap::builder::styling::Style) -> Cell {
    Cell::new(format!(" {sign}"), style)
}

fn name(text: &str) -> Cell {
    Cell::plain(text)
}

/// All of a release's identity but its name.
pub(super) fn version(id: &ReleaseId) -> String {
    let whole = id.to_string();
    whole.split_once(' ').map_or(whole.clone(), |(_, rest)| rest.to_owned())
}
