//! Signing in by a code: the terminal shows it, and somebody says in a browser that it is theirs.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use weir_reach::ReachedServer;
use weir_remote::Answered;

use super::machine;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::harmless;
use crate::settings;

/// The longest that is waited for somebody, whatever the server says.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// The shortest and the longest time between two questions.
const SHORTEST_PAUSE: u64 = 1;
const LONGEST_PAUSE: u64 = 60;

/// By how much longer it is waited for where the server says that it is asked too often (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// What the program calls itself to whoever says that the code is theirs.
const CLIENT: &str = concat!("weir ", env!("CARGO_PKG_VERSION"));

/// The token of whoever says, at the server's page, that the code is theirs that is shown here.
pub(super) fn token(context: &Context, reached: &ReachedServer, browse: bool) -> Result<String, Failure> {
    let begun = reached.server.begin_device(CLIENT, &machine())?;
    let page = begun.verification_uri_complete;
    let is_address = page.starts_with("https://") || page.starts_with("http://");
    if !is_address || !page.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::failed("the server names no address where the code could be said"));
    }
    // Who waits for it must see it, however quiet the rest is.
    context.output.screen.clear();
    context.output.write_stderr(&format!(
        "Open {page}\nand check that it shows this code: {}\n",
        harmless(&begun.user_code)
    ));
    if browse && !opened(&page) {
        context.output.warn("no browser could be opened: open the address yourself");
    }
    let mut pause = Duration::from_secs(begun.interval.clamp(SHORTEST_PAUSE, LONGEST_PAUSE));
    let until = Instant::now() + Duration::from_secs(begun.expires_in).min(LONGEST);
    while Instant::now() < until {
        std::thread::sleep(pause);
        match reached.server.ask_device(&begun.device_code)? {
            Answered::Token(token) => return Ok(token),
            Answered::Waits => {}
            Answered::TooSoon => pause += SLOWER,
        }
    }
    Err(Failure::refused("nobody said in time that the code is theirs").with_help("say `weir login` again"))
}

/// Has a browser open a page, which it does by itself: what it says goes nowhere.
fn opened(page: &str) -> bool {
    let mut browser = Command::new(settings::browser());
    browser.arg(page).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match browser.spawn() {
        Ok(mut running) => {
            // It may stay as long as it likes.
            std::thread::spawn(move || running.wait());
            true
        }
        Err(_) => false,
    }
}
