//! What a release needs, or what needs it, as a drawing and as a list.

use askama::Template;
use weir_index::{Closure, Impact, WithdrawnNeed};
use weir_model::{PackageName, ReleaseId};

use super::release::build;
use super::rows::Mark;
use crate::frame::{Frame, Page, PageError};
use crate::graph::{Place, draw};
use crate::{address, said};

/// So many releases are drawn: whoever makes the page asks for no more.
pub const MOST_DRAWN: usize = 300;

/// How large a drawing is, in hundredths.
const ZOOMS: [usize; 4] = [50, 75, 100, 150];

/// What is drawn.
#[derive(Debug)]
pub enum Drawn<'a> {
    /// What a release needs.
    Needs(&'a Closure),
    /// What needs it.
    Reaches(&'a Impact),
}

/// What the page is made of.
#[derive(Debug)]
pub struct GraphPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// The release.
    pub id: &'a ReleaseId,
    /// What is drawn of it.
    pub drawn: Drawn<'a>,
    /// How large, in hundredths.
    pub zoom: usize,
}

#[derive(Template)]
#[template(path = "graph.html")]
struct Graph<'a> {
    frame: &'a Frame,
    package: String,
    package_href: String,
    build: String,
    release_href: String,
    reaches: bool,
    other: String,
    told: String,
    complete: bool,
    missing: Vec<Missing>,
    view: String,
    width: usize,
    height: usize,
    box_height: usize,
    boxes: Vec<BoxRow>,
    lines: Vec<String>,
    zooms: Vec<Zoom>,
    steps: Vec<Step>,
}

/// What is needed and not offered here.
struct Missing {
    name: String,
    href: String,
    /// What is withdrawn of it.
    withdrawn: Option<Mark>,
}

struct BoxRow {
    x: usize,
    y: usize,
    width: usize,
    text_x: usize,
    text_y: usize,
    text: String,
    href: String,
    asked: bool,
    /// How it stands, where that is not as usual.
    word: &'static str,
}

struct Zoom {
    word: String,
    href: String,
    chosen: bool,
}

/// All that are equally far away.
struct Step {
    far: String,
    releases: Vec<Listed>,
}

struct Listed {
    name: String,
    href: String,
    withdrawn: Option<Mark>,
}

impl GraphPage<'_> {
    /// How large a drawing is that is asked for: as near to it as there is one.
    pub fn zoom(asked: Option<usize>) -> usize {
        let asked = asked.unwrap_or(100);
        ZOOMS.into_iter().min_by_key(|zoom| zoom.abs_diff(asked)).unwrap_or(100)
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let registry = self.frame.registry();
        let (releases, lines, complete) = self.parts();
        let texts: Vec<String> = releases.iter().map(|id| self.text(id)).collect();
        let drawing = draw(&texts, &lines);
        let reaches = matches!(self.drawn, Drawn::Reaches(_));
        let missing = match &self.drawn {
            Drawn::Needs(closure) => closure.missing.iter().map(|name| self.missing(name)).collect(),
            Drawn::Reaches(_) => Vec::new(),
        };
        let zoom = |zoom: usize| Zoom {
            word: format!("{zoom} %"),
            href: address::graph(registry, self.id, reaches, Some(zoom)),
            chosen: zoom == self.zoom,
        };
        let others = (releases.len() - 1) as u64;
        Page::write(&Graph {
            frame: self.frame,
            package: self.id.name.to_string(),
            package_href: address::package(registry, &self.id.name),
            build: build(self.id),
            release_href: address::release(registry, self.id),
            reaches,
            other: address::graph(registry, self.id, !reaches, None),
            told: match (others, reaches) {
                (0, false) => "It needs nothing.".to_owned(),
                (0, true) => format!("Nothing in the registry {registry} needs it."),
                (_, false) => format!("It brings {} along.", said::count(others, "release")),
                (_, true) => format!("It reaches {}.", said::count(others, "release")),
            },
            complete,
            missing,
            view: format!("0 0 {} {}", drawing.width, drawing.height),
            width: drawing.width * self.zoom / 100,
            height: drawing.height * self.zoom / 100,
            box_height: Place::HEIGHT,
            steps: self.steps(&releases, &drawing.boxes),
            boxes: releases.iter().zip(drawing.boxes).map(|(id, place)| self.row(id, place)).collect(),
            lines: drawing.lines,
            zooms: ZOOMS.into_iter().map(zoom).collect(),
        })
    }

    /// What is drawn: the releases, the one that was asked about first, and the lines between them.
    fn parts(&self) -> (Vec<ReleaseId>, Vec<(usize, usize)>, bool) {
        match &self.drawn {
            Drawn::Needs(closure) => (closure.releases.clone(), closure.needs.clone(), closure.complete),
            Drawn::Reaches(impact) => ways(self.id, impact),
        }
    }

    fn row(&self, id: &ReleaseId, place: Place) -> BoxRow {
        BoxRow {
            x: place.x,
            y: place.y,
            width: place.width,
            text_x: place.x + 10,
            text_y: place.y + 17,
            text: place.text,
            href: address::release(self.frame.registry(), id),
            asked: id == self.id,
            word: self.withdrawn(id).map_or("", |withdrawn| withdrawn.standing.as_str()),
        }
    }

    /// What stands in a box: colours alone tell not everybody.
    fn text(&self, id: &ReleaseId) -> String {
        match self.withdrawn(id) {
            Some(withdrawn) => format!("{id} · {}", withdrawn.standing.as_str()),
            None => id.to_string(),
        }
    }

    fn withdrawn(&self, id: &ReleaseId) -> Option<&WithdrawnNeed> {
        match &self.drawn {
            Drawn::Needs(closure) => closure.withdrawn.iter().find(|withdrawn| withdrawn.id == *id),
            Drawn::Reaches(_) => None,
        }
    }

    fn mark(&self, withdrawn: &WithdrawnNeed) -> Mark {
        Mark::new(self.frame.registry(), withdrawn)
    }

    fn missing(&self, name: &PackageName) -> Missing {
        let withdrawn = match &self.drawn {
            Drawn::Needs(closure) => closure.withdrawn.iter().find(|withdrawn| withdrawn.id.name == *name),
            Drawn::Reaches(_) => None,
        };
        Missing {
            name: name.to_string(),
            href: address::package(self.frame.registry(), name),
            withdrawn: withdrawn.map(|withdrawn| self.mark(withdrawn)),
        }
    }

    fn steps(&self, releases: &[ReleaseId], boxes: &[Place]) -> Vec<Step> {
        let last = boxes.iter().map(|place| place.layer).max().unwrap_or_default();
        let step = |layer: usize| {
            let here = releases.iter().zip(boxes).filter(|(_, place)| place.layer == layer);
            let mut releases: Vec<Listed> = here.map(|(id, _)| self.listed(id)).collect();
            releases.sort_unstable_by(|a, b| a.name.cmp(&b.name));
            Step {
                far: if layer == 1 { "Directly".to_owned() } else { format!("After {layer} steps") },
                releases,
            }
        };
        (1..=last).map(step).collect()
    }

    fn listed(&self, id: &ReleaseId) -> Listed {
        Listed {
            name: id.to_string(),
            href: address::release(self.frame.registry(), id),
            withdrawn: self.withdrawn(id).map(|withdrawn| self.mark(withdrawn)),
        }
    }
}

/// The ways from what is reached to the one that was asked about, together.
fn ways(id: &ReleaseId, impact: &Impact) -> (Vec<ReleaseId>, Vec<(usize, usize)>, bool) {
    let mut releases = vec![id.clone()];
    let mut lines = Vec::new();
    let mut complete = impact.complete;
    for package in &impact.packages {
        // From the one that was asked about outwards.
        let mut before = 0;
        for step in package.way.iter().rev().filter(|step| *step != id) {
            let place = match releases.iter().position(|known| known == step) {
                Some(place) => place,
                None if releases.len() >= MOST_DRAWN => {
                    complete = false;
                    break;
                }
                None => {
                    releases.push(step.clone());
                    releases.len() - 1
                }
            };
            if !lines.contains(&(before, place)) {
                lines.push((before, place));
            }
            before = place;
        }
    }
    (releases, lines, complete)
}
