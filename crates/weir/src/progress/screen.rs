//! A few lines at the end of what is on the terminal, drawn again and again.
//!
//! The cursor is left at the beginning of the first of them. Whatever a terminal makes of its lines when it is resized, whether it
//! breaks those that no longer fit or cuts them off, that is still the first character of the first line; so all that was drawn
//! is below it, and one order takes it away. Nothing has to be known of how many lines it came to.

/// Takes away what was drawn: from the cursor to the end of the screen.
pub(super) const CLEAR: &str = "\r\x1b[J";

/// While these are drawn, a line that does not fit is cut off: the terminal may be narrower by now than when it was asked.
const CUT: &str = "\x1b[?7l";
const BREAK: &str = "\x1b[?7h";

/// What draws `lines` in the place of what was drawn before. It is to be written at once.
pub(super) fn frame(lines: &[String]) -> String {
    let mut text = format!("{CUT}\r{}\x1b[J", lines.join("\x1b[K\r\n"));
    if let Some(above) = lines.len().checked_sub(1).filter(|above| *above > 0) {
        text.push_str(&format!("\x1b[{above}A"));
    }
    text.push('\r');
    text.push_str(BREAK);
    text
}
