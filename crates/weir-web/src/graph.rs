//! A drawing of what needs what: in layers from left to right, made here, so that a browser need only show it.
//!
//! Each release is in the layer after the last of those that need it. Within a layer they are ordered by where their neighbours are, in a
//! few sweeps (Sugiyama, Tagawa and Toda 1981). Releases that need each other in a circle are drawn with one line going back.

/// Between the top of one box and the next.
const ROW: usize = 34;
/// The height of a box.
const BOX: usize = 26;
/// Between two layers.
const GAP: usize = 70;
/// Around the drawing.
const EDGE: usize = 8;
/// The width of ten characters, about.
const TEN_CHARACTERS: usize = 74;
/// The most characters in a box: more than a name and a version have.
const LONGEST: usize = 200;
/// So often layers are ordered anew.
const SWEEPS: usize = 6;

/// A drawing.
pub(crate) struct Drawing {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// In the order in which they were given.
    pub(crate) boxes: Vec<Place>,
    pub(crate) lines: Vec<String>,
}

/// Where something is drawn.
pub(crate) struct Place {
    pub(crate) layer: usize,
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) width: usize,
    pub(crate) text: String,
}

impl Place {
    pub(crate) const HEIGHT: usize = BOX;
}

/// Draws boxes with these texts, and a line for each pair of their places, from the first to the second.
pub(crate) fn draw(texts: &[String], lines: &[(usize, usize)]) -> Drawing {
    let layers = layers(texts.len(), lines);
    let texts: Vec<String> = texts.iter().map(|text| cut(text)).collect();
    let columns = ordered(&layers, lines);
    let rows = columns.iter().map(Vec::len).max().unwrap_or_default();
    let boxes = texts.into_iter().zip(&layers);
    let mut boxes: Vec<Place> =
        boxes.map(|(text, layer)| Place { layer: *layer, x: 0, y: 0, width: 0, text }).collect();
    let mut x = EDGE;
    for column in &columns {
        let longest = column.iter().map(|one| boxes[*one].text.chars().count()).max().unwrap_or_default();
        let width = longest * TEN_CHARACTERS / 10 + 20;
        // A short column stands in the middle of the drawing.
        let top = EDGE + (rows - column.len()) * ROW / 2;
        for (row, one) in column.iter().enumerate() {
            let place = &mut boxes[*one];
            (place.x, place.y, place.width) = (x, top + row * ROW, width);
        }
        x += width + GAP;
    }
    let lines = lines.iter().map(|(from, to)| line(&boxes[*from], &boxes[*to])).collect();
    Drawing { width: (x + EDGE).saturating_sub(GAP), height: rows * ROW + 2 * EDGE, boxes, lines }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A line from the right of one box to the left of another.
fn line(from: &Place, to: &Place) -> String {
    let (x1, y1) = (from.x + from.width, from.y + BOX / 2);
    let (x2, y2) = (to.x, to.y + BOX / 2);
    let bend = x2.abs_diff(x1).min(160) / 2 + 10;
    format!("M{x1} {y1}C{} {y1} {} {y2} {x2} {y2}", x1 + bend, x2.saturating_sub(bend))
}

/// In which layer each is: after all that lead to it, but for lines that close a circle.
fn layers(number: usize, lines: &[(usize, usize)]) -> Vec<usize> {
    let mut leads: Vec<Vec<usize>> = vec![Vec::new(); number];
    for (from, to) in lines {
        leads[*from].push(*to);
    }
    // Those that are done last come first.
    let mut order = Vec::with_capacity(number);
    let mut seen = vec![false; number];
    for start in 0..number {
        let mut open = vec![(start, 0)];
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        while let Some((one, next)) = open.pop() {
            match leads[one].get(next) {
                Some(to) => {
                    open.push((one, next + 1));
                    if !std::mem::replace(&mut seen[*to], true) {
                        open.push((*to, 0));
                    }
                }
                None => order.push(one),
            }
        }
    }
    order.reverse();
    let mut position = vec![0; number];
    for (place, one) in order.iter().enumerate() {
        position[*one] = place;
    }
    let mut layers = vec![0; number];
    for one in order {
        for to in leads[one].iter().filter(|to| position[**to] > position[one]) {
            layers[*to] = layers[*to].max(layers[one] + 1);
        }
    }
    layers
}

/// The layers, each in the order in which it is drawn.
fn ordered(layers: &[usize], lines: &[(usize, usize)]) -> Vec<Vec<usize>> {
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); layers.iter().max().map_or(0, |last| last + 1)];
    for (one, layer) in layers.iter().enumerate() {
        columns[*layer].push(one);
    }
    let mut beside: Vec<Vec<usize>> = vec![Vec::new(); layers.len()];
    for (from, to) in lines {
        beside[*from].push(*to);
        beside[*to].push(*from);
    }
    let mut height = vec![0.0_f64; layers.len()];
    place(&columns, &mut height);
    for sweep in 0..SWEEPS {
        let forward: Vec<usize> = (0..columns.len()).collect();
        let order: Vec<usize> = if sweep % 2 == 0 { forward } else { forward.into_iter().rev().collect() };
        for layer in order {
            let middle = |one: &usize| {
                let near = &beside[*one];
                let sum: f64 = near.iter().map(|other| height[*other]).sum();
                if near.is_empty() { height[*one] } else { sum / near.len() as f64 }
            };
            let mut column: Vec<(f64, usize)> =
                columns[layer].iter().map(|one| (middle(one), *one)).collect();
            column.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            columns[layer] = column.into_iter().map(|(_, one)| one).collect();
            place(&columns[layer..=layer], &mut height);
        }
    }
    columns
}

/// How far from the middle of its layer each is.
fn place(columns: &[Vec<usize>], height: &mut [f64]) {
    for column in columns {
        let middle = column.len() as f64 / 2.0;
        for (row, one) in column.iter().enumerate() {
            height[*one] = row as f64 - middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(number: usize) -> Vec<String> {
        (0..number).map(|one| format!("acme/package-{one} 1.0.0")).collect()
    }

    #[test]
    fn what_is_needed_is_to_the_right_and_nothing_lies_on_anything_else() {
        let lines = [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (3, 4)];
        let drawing = draw(&texts(6), &lines);
        for (from, to) in lines {
            assert!(drawing.boxes[from].x + drawing.boxes[from].width < drawing.boxes[to].x);
        }
        for (at, one) in drawing.boxes.iter().enumerate() {
            assert!(one.x + one.width <= drawing.width && one.y + BOX <= drawing.height);
            for other in &drawing.boxes[at + 1..] {
                assert!(one.x != other.x || one.y.abs_diff(other.y) >= BOX);
            }
        }
    }

    #[test]
    fn a_circle_is_drawn_and_a_chain_of_lines_does_not_cross() {
        let circle = draw(&texts(3), &[(0, 1), (1, 2), (2, 0)]);
        assert_eq!(circle.boxes.iter().map(|one| one.layer).collect::<Vec<_>>(), [0, 1, 2]);
        // Two pairs that are given crosswise are drawn side by side.
        let pairs = draw(&texts(5), &[(0, 1), (0, 2), (2, 3), (1, 4)]);
        let above = |one: usize, other: usize| pairs.boxes[one].y < pairs.boxes[other].y;
        assert_eq!(above(1, 2), above(4, 3));
        assert!(draw(&[], &[]).boxes.is_empty());
    }

    #[test]
    fn three_hundred_are_drawn_at_once() {
        let lines: Vec<(usize, usize)> = (1..300).flat_map(|one| [(one / 2, one), (one / 3, one)]).collect();
        let began = std::time::Instant::now();
        let drawing = draw(&texts(300), &lines);
        assert!(began.elapsed().as_millis() < 1000, "{:?}", began.elapsed());
        assert_eq!((drawing.boxes.len(), drawing.lines.len()), (300, lines.len()));
    }
}
