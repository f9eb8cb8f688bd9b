//! A drawing of amounts, one beside the other, and the table that says the same.
//!
//! It is drawn here, as wide as whoever shows it likes: nothing but bars is inside, and what is written stands around them, so that no
//! letter is stretched.

/// The height of the drawing; its width is [`SLOT`] for each bar.
const HEIGHT: u64 = 1000;
/// The place of a bar, and what of it the bar takes.
const SLOT: usize = 10;
const BAR: usize = 8;
/// A drawing is at least as wide as so many bars; fewer of them stand apart.
const FEWEST: usize = 10;
/// What is there at all is seen.
const LEAST: u64 = 8;

/// Amounts of a moment, a version, or whatever else follows one after the other.
pub(crate) struct Point {
    /// What it is called.
    pub(crate) name: String,
    /// An amount for each series.
    pub(crate) amounts: Vec<u64>,
}

/// A drawing with its table.
pub(crate) struct Chart {
    /// What is drawn, in a sentence without its full stop.
    pub(crate) label: String,
    /// What the points are: `day`.
    pub(crate) points: &'static str,
    /// The names of the series, each with the number that its colour goes by.
    pub(crate) series: Vec<(usize, &'static str)>,
    /// What the highest place of the drawing stands for.
    pub(crate) most: String,
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) width: usize,
    pub(crate) bars: Vec<Bar>,
    /// The last first: a name, and what each amount is said as.
    pub(crate) rows: Vec<(String, Vec<String>)>,
}

/// A bar, or a piece of one.
pub(crate) struct Bar {
    pub(crate) series: usize,
    pub(crate) x: usize,
    pub(crate) y: u64,
    pub(crate) height: u64,
}

impl Chart {
    /// Draws points that follow one after the other; nothing, where every amount is zero.
    pub(crate) fn new(
        label: impl Into<String>,
        points: &'static str,
        series: &[&'static str],
        of: &[Point],
        say: fn(u64) -> String,
    ) -> Option<Self> {
        let sum = |point: &Point| point.amounts.iter().fold(0_u64, |sum, amount| sum.saturating_add(*amount));
        let most = of.iter().map(sum).max().filter(|most| *most > 0)?;
        let width = of.len().max(FEWEST) * SLOT;
        let mut bars = Vec::new();
        for (place, point) in of.iter().enumerate() {
            let mut below = 0;
            for (series, amount) in point.amounts.iter().enumerate().filter(|(_, amount)| **amount > 0) {
                let height = scaled(*amount, most).max(LEAST);
                // What is lifted so that it can be seen does not push others out.
                let top = (below + height).min(HEIGHT);
                bars.push(Bar {
                    series,
                    x: (2 * place + 1) * width / (2 * of.len()) - BAR / 2,
                    y: HEIGHT - top,
                    height: top - below,
                });
                below = top;
            }
        }
        Some(Self {
            label: label.into(),
            points,
            series: series.iter().copied().enumerate().collect(),
            most: say(most),
            first: of.first().map(|point| point.name.clone()).unwrap_or_default(),
            last: of.last().filter(|_| of.len() > 1).map(|point| point.name.clone()).unwrap_or_default(),
            width,
            bars,
            rows: of
                .iter()
                .rev()
                .map(|point| (point.name.clone(), point.amounts.iter().map(|amount| say(*amount)).collect()))
                .collect(),
        })
    }

    /// The height of the drawing, in its own units.
    #[expect(clippy::unused_self, reason = "a template asks the drawing")]
    pub(crate) fn height(&self) -> u64 {
        HEIGHT
    }

    /// The width of a bar.
    #[expect(clippy::unused_self, reason = "a template asks the drawing")]
    pub(crate) fn bar(&self) -> usize {
        BAR
    }
}

fn scaled(amount: u64, most: u64) -> u64 {
    u64::try_from(u128::from(amount) * u128::from(HEIGHT) / u128::from(most)).unwrap_or(HEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(name: &str, amounts: &[u64]) -> Point {
        Point { name: name.into(), amounts: amounts.into() }
    }

    #[test]
    fn bars_stand_on_the_ground_and_on_one_another_and_none_leaves_the_drawing() {
        let of = [point("a", &[50, 50]), point("b", &[0, 0]), point("c", &[1, u64::MAX / 4])];
        let chart = Chart::new("It", "day", &["these", "those"], &of, |amount| amount.to_string()).unwrap();
        assert_eq!(chart.most, (u64::MAX / 4 + 1).to_string());
        assert_eq!((chart.first.as_str(), chart.last.as_str(), chart.width), ("a", "c", 100));
        for bar in &chart.bars {
            assert!(bar.y + bar.height <= HEIGHT && bar.x + BAR <= chart.width, "{} {}", bar.y, bar.height);
        }
        let places: Vec<(usize, usize, u64, u64)> =
            chart.bars.iter().map(|bar| (bar.x, bar.series, bar.y, bar.height)).collect();
        assert_eq!(places, [(12, 0, 992, 8), (12, 1, 984, 8), (79, 0, 992, 8), (79, 1, 0, 992)]);
        assert_eq!(chart.rows[0], ("c".to_owned(), vec!["1".to_owned(), (u64::MAX / 4).to_string()]));
    }

    #[test]
    fn nothing_is_not_drawn() {
        assert!(
            Chart::new("It", "day", &["these"], &[point("a", &[0])], |amount| amount.to_string()).is_none()
        );
        assert!(Chart::new("It", "day", &["these"], &[], |amount| amount.to_string()).is_none());
    }
}
