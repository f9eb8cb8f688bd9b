//! Events as a table for other programs: comma-separated values.

use weir_model::unseen::harmless;
use weir_wire::activity::Event;

/// The columns.
const COLUMNS: [&str; 12] = [
    "id", "at", "actor", "token", "from", "registry", "action", "subject", "done", "policy", "reason",
    "times",
];

/// Events as comma-separated values, with their names in the first line.
///
/// # Errors
///
/// When memory cannot be written, which it can.
pub fn table(events: &[Event]) -> std::io::Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(COLUMNS)?;
    for event in events {
        let text = |text: &Option<String>| in_a_spreadsheet(text.as_deref().unwrap_or_default());
        table.write_record([
            event.id.to_string(),
            event.at.to_string(),
            in_a_spreadsheet(&event.actor),
            text(&event.token),
            event.from.map(|from| from.to_string()).unwrap_or_default(),
            text(&event.registry),
            in_a_spreadsheet(&event.action),
            text(&event.subject),
            event.done.to_string(),
            text(&event.policy),
            text(&event.reason),
            event.times.to_string(),
        ])?;
    }
    table.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// A text that a spreadsheet does not take for a formula: some of it is what an asker chose.
fn in_a_spreadsheet(text: &str) -> String {
    let text = harmless(text);
    match text.starts_with(['=', '+', '-', '@']) {
        true => format!("'{text}"),
        false => text.into_owned(),
    }
}
