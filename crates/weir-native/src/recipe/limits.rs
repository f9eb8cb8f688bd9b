//! What a build may use, and how people write it: `30m`, `4GiB`.

use std::time::Duration;

/// What a build may use before it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildLimits {
    /// How long it may take, on the clock.
    pub time: Duration,
    /// Bytes of memory that one process may have.
    pub memory: u64,
    /// Bytes that it may write to the disk.
    pub disk: u64,
    /// How many processes it may have at once.
    pub processes: u32,
}

/// The longest time that a recipe may ask for.
const LONGEST: Duration = Duration::from_hours(48);
/// The least memory and disk that a build can be given: less starts no compiler.
const FEWEST_BYTES: u64 = 1 << 20;
/// The most memory and disk that a recipe may ask for.
const MOST_BYTES: u64 = 16 << 40;
/// The most processes that a recipe may ask for.
const MOST_PROCESSES: u32 = 65_536;

const TIME_UNITS: [(&str, u64); 3] = [("h", 3600), ("m", 60), ("s", 1)];
const BYTE_UNITS: [(&str, u64); 5] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl Default for BuildLimits {
    fn default() -> Self {
        Self { time: Duration::from_hours(2), memory: 16 << 30, disk: 32 << 30, processes: 2048 }
    }
}

/// Reads a time such as `30m`: a whole number of `s`, `m` or `h`, from a second to two days.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    let seconds = counted(text, &TIME_UNITS)
        .ok_or_else(|| "a time is a whole number of `s`, `m` or `h`, such as \"30m\"".to_owned())?;
    let time = Duration::from_secs(seconds);
    if time.is_zero() || time > LONGEST {
        return Err("a build may take from \"1s\" to \"48h\"".into());
    }
    Ok(time)
}

/// Reads an amount of bytes such as `4GiB`: a whole number of `B`, `KiB`, `MiB`, `GiB` or `TiB`, from 1 MiB to 16 TiB.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let bytes = counted(text, &BYTE_UNITS).ok_or_else(|| {
        "an amount is a whole number of `KiB`, `MiB`, `GiB` or `TiB`, such as \"4GiB\"".to_owned()
    })?;
    if !(FEWEST_BYTES..=MOST_BYTES).contains(&bytes) {
        return Err("a build may be given from \"1MiB\" to \"16TiB\"".into());
    }
    Ok(bytes)
}

/// Checks how many processes a build may have.
pub(crate) fn processes(count: u64) -> Result<u32, String> {
    u32::try_from(count)
        .ok()
        .filter(|count| (1..=MOST_PROCESSES).contains(count))
        .ok_or_else(|| format!("a build may have from 1 to {MOST_PROCESSES} processes"))
}

/// A time as it is read; what is less than a second is cut off.
pub(crate) fn written_time(time: Duration) -> String {
    written(time.as_secs(), &TIME_UNITS)
}

/// An amount of bytes as it is read.
pub(crate) fn written_bytes(bytes: u64) -> String {
    written(bytes, &BYTE_UNITS)
}

/// A number and its unit, multiplied. Longer units come first, because `B` ends all of them.
fn counted(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (digits, size) =
        units.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?.trim_end(), size)))?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(*size)
}

/// In the largest unit of which it is a whole number.
fn written(amount: u64, units: &[(&str, u64)]) -> String {
    let whole = units.iter().find(|(_, size)| amount.is_multiple_of(*size) && amount >= *size);
    let (unit, size) = whole.copied().unwrap_or(units[units.len() - 1]);
    format!("{}{unit}", amount / size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_amounts_have_units_and_bounds() {
        assert_eq!(time("30m"), Ok(Duration::from_mins(30)));
        assert_eq!(bytes("4GiB"), Ok(4 << 30));
        assert_eq!(bytes("512 MiB"), Ok(512 << 20));
        for wrong in ["", "m", "30", "-1m", "1.5h", "0s", "49h", "30min", "99999999999999999999s", "٣m"] {
            time(wrong).unwrap_err();
        }
        for wrong in ["", "GiB", "4GB", "4 gib", "1KiB", "17TiB", "99999999999TiB", "+4GiB"] {
            bytes(wrong).unwrap_err();
        }
        assert!(processes(0).is_err() && processes(1).is_ok() && processes(65_537).is_err());
    }

    #[test]
    fn what_is_written_reads_back() {
        for seconds in [1, 59, 60, 61, 3600, 5400, 172_800] {
            let duration = Duration::from_secs(seconds);
            assert_eq!(time(&written_time(duration)), Ok(duration));
        }
        assert_eq!(written_time(Duration::from_mins(90)), "90m");
        for amount in [1 << 20, (1 << 20) + 1, 3 << 29, 4 << 30, 16 << 40] {
            assert_eq!(bytes(&written_bytes(amount)), Ok(amount));
        }
        assert_eq!(written_bytes(3 << 29), "1536MiB");
    }
}
