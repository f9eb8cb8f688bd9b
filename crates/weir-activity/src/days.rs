//! Days, as they are written down: their number since 1970.

use jiff::civil::Date;

const EPOCH: Date = jiff::civil::date(1970, 1, 1);

/// Days since 1970.
pub(crate) fn number(day: Date) -> i32 {
    (day - EPOCH).get_days()
}

/// The day of a number.
pub(crate) fn date(number: i32) -> Date {
    EPOCH.checked_add(jiff::Span::new().days(number)).unwrap_or(EPOCH)
}
