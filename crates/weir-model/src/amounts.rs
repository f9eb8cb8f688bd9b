//! Numbers as people say them, the same in the terminal and on a page.

const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// A number of bytes: `512 B`, `12.3 KiB`, `4.0 MiB`.
pub fn bytes(count: u64) -> String {
    const STEP: u64 = 1024;
    if count < STEP {
        return format!("{count} B");
    }
    let mut tenths = u128::from(count) * 10;
    let mut unit = 0;
    while tenths >= u128::from(STEP) * 10 && unit < UNITS.len() {
        tenths /= u128::from(STEP);
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit - 1])
}

/// A number of things: `1 entry`, `2 entries`.
pub fn count(number: impl TryInto<u64>, singular: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    let ending = match singular {
        _ if number == 1 => return format!("1 {singular}"),
        word if word.ends_with("ch") => "es",
        _ => "s",
    };
    match singular.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o'])) {
        Some(stem) => format!("{number} {stem}ies"),
        None => format!("{number} {singular}{ending}"),
    }
}
