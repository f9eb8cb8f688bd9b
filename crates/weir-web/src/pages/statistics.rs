//! How much a registry is used, how large it is, and how a server answers: over time, drawn, each drawing with its table.

use std::collections::BTreeMap;

use askama::Template;
use jiff::civil::Date;
use jiff::{Span, ToSpan as _};
use weir_activity::{DayMeasures, Measure, Pace, Sum};
use weir_index::Stats;
use weir_model::PackageName;
use weir_wire::downloads::DownloadCounts;

use super::rows::Fact;
use crate::chart::{Chart, Point};
use crate::frame::{Frame, Page, PageError};
use crate::{address, said};

/// For how many days one can ask.
const PERIODS: [(u32, &str); 3] = [(30, "30 days"), (90, "90 days"), (365, "a year")];

/// Of more days than these, a bar is a week.
const DAY_BY_DAY: u32 = 92;

/// Of a registry that is older than so many days, a bar of its size is a month.
const YOUNG: i32 = 92;

/// So many months of its size are drawn.
const MOST_MONTHS: usize = 120;

/// So many packages are told of that are downloaded most: whoever makes the page asks for no more.
pub const MOST_DOWNLOADED: usize = 12;

/// A time of some days that ends today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    days: u32,
    today: Date,
}

impl Period {
    /// The days that are asked for, if they can be; else the first that can.
    pub fn of(asked: Option<u32>, today: Date) -> Self {
        let days = PERIODS.iter().map(|(days, _)| *days).find(|days| asked == Some(*days));
        Self { days: days.unwrap_or(PERIODS[0].0), today }
    }

    /// How many days it has.
    pub(crate) fn days(self) -> u32 {
        self.days
    }

    /// Its first day.
    pub fn first(self) -> Date {
        self.today.saturating_sub(Span::new().days(i64::from(self.days) - 1))
    }

    /// What was counted on its days, as points: each a day, or a week where there are many.
    fn points<T>(
        self,
        counted: impl IntoIterator<Item = (Date, T)>,
        series: usize,
        amounts: impl Fn(T) -> Vec<u64>,
    ) -> Vec<Point> {
        let (first, width) = (self.first(), if self.days > DAY_BY_DAY { 7 } else { 1 });
        let number = self.days.div_ceil(width);
        let mut points: Vec<Point> = (0..number)
            .map(|place| Point {
                name: first.saturating_add(Span::new().days(i64::from(place * width))).to_string(),
                amounts: vec![0; series],
            })
            .collect();
        for (day, counted) in counted {
            let place = usize::try_from((day - first).get_days()).ok().map(|day| day / width as usize);
            let Some(point) = place.and_then(|place| points.get_mut(place)) else { continue };
            for (so_far, more) in point.amounts.iter_mut().zip(amounts(counted)) {
                *so_far = so_far.saturating_add(more);
            }
        }
        points
    }

    /// What a bar is.
    fn point(self) -> &'static str {
        if self.days > DAY_BY_DAY { "Week from" } else { "Day" }
    }

    fn choices(self, address: impl Fn(u32) -> String) -> Vec<Choice> {
        let choice = |(days, word): (u32, &'static str)| Choice {
            word,
            href: address(days),
            chosen: days == self.days,
        };
        PERIODS.into_iter().map(choice).collect()
    }
}

struct Choice {
    word: &'static str,
    href: String,
    chosen: bool,
}

/// What was published on a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Grown {
    /// How many releases.
    pub releases: u64,
    /// Bytes of their packs.
    pub bytes: u64,
}

/// What the page of a registry is made of.
#[derive(Debug)]
pub struct StatisticsPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// Of which time.
    pub period: Period,
    /// How often anything was downloaded on a day of it.
    pub downloads: &'a [(Date, DownloadCounts)],
    /// The first day of which downloads are known.
    pub counted_since: Option<Date>,
    /// What was downloaded most, the most first.
    pub most: &'a [(PackageName, u64)],
    /// How much there is.
    pub stats: &'a Stats,
    /// What was published, by day, from the beginning of the log on.
    pub growth: &'a BTreeMap<Date, Grown>,
    /// What was asked of the registries above, by day; nothing where there are none.
    pub above: Option<&'a BTreeMap<Date, DayMeasures>>,
}

#[derive(Template)]
#[template(path = "statistics.html")]
struct Statistics<'a> {
    frame: &'a Frame,
    days: u32,
    told: String,
    counted: String,
    periods: Vec<Choice>,
    downloads: Option<Chart>,
    most: Vec<MostRow>,
    growth: Option<Chart>,
    has_above: bool,
    above_told: String,
    brought: Option<Chart>,
    waited: Option<Chart>,
    asked: Option<Chart>,
    facts: Vec<Fact>,
}

struct MostRow {
    name: String,
    href: String,
    downloads: u64,
    /// Of a hundred, the first having all.
    share: u64,
}

impl StatisticsPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let registry = self.frame.registry();
        let total = self.downloaded();
        let none = BTreeMap::new();
        let above = self.above.unwrap_or(&none);
        Page::write(&Statistics {
            frame: self.frame,
            days: self.period.days,
            told: format!("{} in {}.", said::count(total, "download"), said::count(self.period.days, "day")),
            counted: match self.counted_since {
                Some(day) => format!(
                    "Downloads are known from {day} on, from this server only, and by days in UTC; who it was is not kept."
                ),
                None => "No download is known yet: those of this server are counted, by days in UTC; who it was is not kept.".to_owned(),
            },
            periods: self.period.choices(|days| address::statistics(registry, days)),
            downloads: downloads_chart("Downloads, by sort of caller", self.period, self.downloads),
            most: self.most(),
            growth: self.growth_chart(),
            has_above: self.above.is_some(),
            above_told: above_told(total, above),
            brought: self.above_chart(
                "Content that was not here and was brought from above",
                ["brought", "could not be brought"],
                above,
                [Measure::Brought, Measure::NotBrought],
            ),
            waited: self.waited_chart(above),
            asked: self.above_chart(
                "Times that a registry above was asked what is to be admitted",
                ["answered", "not answered or not believed"],
                above,
                [Measure::Asked, Measure::NotAsked],
            ),
            facts: self.facts(),
        })
    }

    fn downloaded(&self) -> u64 {
        self.downloads.iter().map(|(_, counts)| counts.total()).fold(0, u64::saturating_add)
    }

    fn most(&self) -> Vec<MostRow> {
        let most = self.most.first().map_or(1, |(_, downloads)| (*downloads).max(1));
        let row = |(name, downloads): &(PackageName, u64)| MostRow {
            name: name.to_string(),
            href: address::package(self.frame.registry(), name),
            downloads: *downloads,
            share: (u128::from(*downloads) * 100 / u128::from(most)).try_into().unwrap_or(100),
        };
        self.most.iter().take(MOST_DOWNLOADED).map(row).collect()
    }

    /// All that was published, by day where the registry is young and else by month.
    fn growth_chart(&self) -> Option<Chart> {
        let (first, today) = (*self.growth.first_key_value()?.0, self.period.today);
        let is_young = (today - first).get_days() <= YOUNG;
        let begins = |day: Date| if is_young { day } else { day.first_of_month() };
        let next =
            |day: Date| if is_young { day.saturating_add(1.day()) } else { day.saturating_add(1.month()) };
        let name = |day: Date| if is_young { day.to_string() } else { day.strftime("%Y-%m").to_string() };
        let mut points = Vec::new();
        let (mut bytes, mut at) = (0_u64, begins(first));
        let mut days = self.growth.iter().peekable();
        // A release may have been published by a clock that went ahead.
        let end = begins(today.max(*self.growth.last_key_value()?.0));
        while at <= end {
            while let Some((_, grown)) = days.next_if(|(day, _)| begins(**day) <= at) {
                bytes = bytes.saturating_add(grown.bytes);
            }
            points.push(Point { name: name(at), amounts: vec![bytes] });
            if points.len() > MOST_MONTHS * 2 {
                points.drain(..MOST_MONTHS);
            }
            let after = next(at);
            if after == at {
                break;
            }
            at = after;
        }
        let points = &points[points.len().saturating_sub(MOST_MONTHS)..];
        let word = if is_young { "Day" } else { "Month" };
        Chart::new("Bytes of all packs published so far", word, &["so far"], points, said::bytes)
    }

    fn above_chart(
        &self,
        label: &str,
        series: [&'static str; 2],
        above: &BTreeMap<Date, DayMeasures>,
        what: [Measure; 2],
    ) -> Option<Chart> {
        let counts = |day: &DayMeasures| what.map(|what| of(day, what).count).to_vec();
        let points = self.period.points(above.iter().map(|(day, found)| (*day, found)), 2, counts);
        Chart::new(label, self.period.point(), &series, &points, |count| count.to_string())
    }

    /// How long bringing took on average: a mean of a week is none of its days' means.
    fn waited_chart(&self, above: &BTreeMap<Date, DayMeasures>) -> Option<Chart> {
        let sums = |day: &DayMeasures| {
            let sum = of(day, Measure::Brought);
            vec![sum.count, sum.microseconds]
        };
        let mut points = self.period.points(above.iter().map(|(day, found)| (*day, found)), 2, sums);
        for point in &mut points {
            point.amounts = vec![point.amounts[1] / point.amounts[0].max(1)];
        }
        let label = "How long that took on average";
        Chart::new(label, self.period.point(), &["on average"], &points, said::microseconds)
    }

    fn facts(&self) -> Vec<Fact> {
        let Stats { packages, offered, yanked, quarantined, removed, size, .. } = *self.stats;
        let some = |number: u64| if number > 0 { number.to_string() } else { String::new() };
        let last = self.growth.values().map(|grown| grown.releases).fold(0, u64::saturating_add);
        [
            Fact::new("packages", packages.to_string()),
            Fact::new("offered", said::count(offered, "release")),
            Fact::new("yanked", some(yanked)),
            Fact::new("quarantined", some(quarantined)),
            Fact::new("removed", some(removed)),
            Fact::new("published", said::count(last, "release")),
            Fact::new("size", said::bytes(size)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A drawing of downloads, by class of whoever downloads.
pub(crate) fn downloads_chart(
    label: &str,
    period: Period,
    downloads: &[(Date, DownloadCounts)],
) -> Option<Chart> {
    let counts = |counts: DownloadCounts| vec![counts.anonymous, counts.users, counts.workloads];
    let points = period.points(downloads.iter().copied(), 3, counts);
    let series = ["nobody in particular", "users", "trusted programs"];
    Chart::new(label, period.point(), &series, &points, |count| count.to_string())
}

fn of(day: &DayMeasures, what: Measure) -> Sum {
    day.get(&what).copied().unwrap_or_default()
}

fn all(days: &BTreeMap<Date, DayMeasures>, what: Measure) -> Sum {
    days.values().map(|day| of(day, what)).fold(Sum::default(), Sum::plus)
}

/// How many downloads were answered by what was here.
fn above_told(downloads: u64, above: &BTreeMap<Date, DayMeasures>) -> String {
    let brought = all(above, Measure::Brought).count;
    match (downloads, brought) {
        (0, 0) => "Nothing was wanted from above in that time.".to_owned(),
        (_, 0) => {
            "All that was downloaded was here already: nothing had to be brought from above.".to_owned()
        }
        (downloads, brought) => {
            // What was brought for a page or a delta is no download of its own.
            let here = downloads.saturating_sub(brought) * 100 / downloads.max(1);
            format!(
                "{} brought from above when it was first wanted; {here}% of the downloads were answered by what was here already.",
                if brought == 1 { "1 content was".to_owned() } else { format!("{brought} contents were") }
            )
        }
    }
}

/// A registry, as the page of its server tells of it.
#[derive(Debug)]
pub struct RegistryUse {
    /// By the name it is served under.
    pub name: String,
    /// How much there is; nothing where it cannot be read.
    pub stats: Option<Stats>,
    /// How often anything of it was downloaded.
    pub downloads: u64,
    /// What was brought for it from above.
    pub brought: Sum,
}

/// What the page of a server is made of.
#[derive(Debug)]
pub struct ServerStatisticsPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// Of which time.
    pub period: Period,
    /// What was measured of the server, by day.
    pub measures: &'a BTreeMap<Date, DayMeasures>,
    /// The first day of which anything is known.
    pub measured_since: Option<Date>,
    /// Its registries, by name.
    pub registries: &'a [RegistryUse],
}

#[derive(Template)]
#[template(path = "server_statistics.html")]
struct ServerStatistics<'a> {
    frame: &'a Frame,
    told: String,
    counted: String,
    periods: Vec<Choice>,
    requests: Option<Chart>,
    failed: Option<Chart>,
    registries: Vec<UseRow>,
}

struct UseRow {
    name: String,
    href: String,
    packages: String,
    size: String,
    downloads: u64,
    brought: u64,
    took: String,
}

impl ServerStatisticsPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let by_day = || self.measures.iter().map(|(day, found)| (*day, found));
        let paces = |day: &DayMeasures| Pace::ALL.map(|pace| of(day, Measure::Answered(pace)).count).to_vec();
        let points = self.period.points(by_day(), Pace::ALL.len(), paces);
        let say = |count: u64| count.to_string();
        let label = "Requests, by how soon their answers began";
        let requests = Chart::new(label, self.period.point(), &Pace::ALL.map(word), &points, say);
        let failed = self.period.points(by_day(), 1, |day| vec![of(day, Measure::Failed).count]);
        let label = "Requests at which the server failed";
        Page::write(&ServerStatistics {
            frame: self.frame,
            told: self.told(),
            counted: match self.measured_since {
                Some(day) => format!(
                    "Known from {day} on, by days in UTC, written down a few times a minute. Who asked for what is not kept here."
                ),
                None => "Nothing is known yet. Who asks for what is not kept here.".to_owned(),
            },
            periods: self.period.choices(address::server_statistics),
            requests,
            failed: Chart::new(label, self.period.point(), &["failed"], &failed, say),
            registries: self.registries.iter().map(|one| self.row(one)).collect(),
        })
    }

    fn told(&self) -> String {
        let paces = Pace::ALL.map(|pace| all(self.measures, Measure::Answered(pace)));
        let Sum { count, microseconds } = paces.into_iter().fold(Sum::default(), Sum::plus);
        let failed = all(self.measures, Measure::Failed).count;
        let days = said::count(self.period.days, "day");
        match count {
            0 => format!("No requests in {days}."),
            count => format!(
                "{} in {days}, answered after {} on average; the server failed at {failed}.",
                said::count(count, "request"),
                said::microseconds(microseconds / count)
            ),
        }
    }

    fn row(&self, RegistryUse { name, stats, downloads, brought }: &RegistryUse) -> UseRow {
        UseRow {
            name: name.clone(),
            href: address::statistics(name, self.period.days),
            packages: stats.map(|stats| stats.packages.to_string()).unwrap_or_default(),
            size: stats.map(|stats| said::bytes(stats.size)).unwrap_or_default(),
            downloads: *downloads,
            brought: brought.count,
            took: match brought.count {
                0 => String::new(),
                count => said::microseconds(brought.microseconds / count),
            },
        }
    }
}

const fn word(pace: Pace) -> &'static str {
    match pace {
        Pace::Millisecond => "within 1 ms",
        Pace::Ten => "10 ms",
        Pace::Hundred => "100 ms",
        Pace::Second => "1 s",
        Pace::Later => "later",
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn what_is_counted_is_told_by_day_and_of_a_year_by_week() {
        let today = date(2026, 3, 1);
        let month = Period::of(None, today);
        assert_eq!((month.first(), Period::of(Some(31), today)), (date(2026, 1, 31), month));
        let counted = [(date(2026, 1, 30), 9_u64), (month.first(), 2), (today, 3)];
        let points = month.points(counted, 1, |count| vec![count]);
        assert_eq!((points.len(), points[0].amounts[0], points[29].amounts[0]), (30, 2, 3));
        let year = Period::of(Some(365), today);
        let points = year.points([(today, 1_u64), (date(2026, 2, 27), 1)], 1, |count| vec![count]);
        assert_eq!((points.len(), points[52].amounts[0], points[51].amounts[0]), (53, 1, 1));
    }

    #[test]
    fn what_was_here_already_is_told_as_a_share() {
        let days = |brought| {
            BTreeMap::from([(
                date(2026, 3, 1),
                [(Measure::Brought, Sum { count: brought, microseconds: 5 })].into(),
            )])
        };
        assert!(above_told(0, &BTreeMap::new()).starts_with("Nothing"));
        assert!(above_told(10, &BTreeMap::new()).starts_with("All"));
        assert!(
            above_told(10, &days(1)).contains("1 content was") && above_told(10, &days(1)).contains("90%")
        );
        assert!(above_told(1, &days(5)).contains("0%"));
    }
}
