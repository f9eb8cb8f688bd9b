//! A terminal that waits to be signed in: what it is, and whether it is one's own.

use askama::Template;
use jiff::Timestamp;

use crate::frame::{Frame, Page, PageError};
use crate::{address, said};

/// What is told of a terminal that was allowed, and of one that was not.
const ALLOWED: &str = "The terminal is signed in in a moment. You can close this page.";
const DENIED: &str = "The terminal was turned away: it gets nothing. If you did not begin this yourself, somebody wanted you to sign them in as you.";

/// What the page is made of.
#[derive(Debug)]
pub struct DevicePage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// What there is to say.
    pub said: DeviceSaid<'a>,
    /// Now.
    pub now: Timestamp,
}

/// What there is to say of a terminal.
#[derive(Debug, Clone, Copy)]
pub enum DeviceSaid<'a> {
    /// No code was typed yet.
    Nothing,
    /// The code is none.
    Failed(&'a str),
    /// It asks to be signed in.
    Asks {
        /// The code that it shows.
        code: &'a str,
        /// What it is.
        terminal: &'a AskingTerminal,
    },
    /// It was allowed.
    Allowed,
    /// It was not.
    Denied,
}

/// A terminal that asks to be signed in.
#[derive(Debug, Clone)]
pub struct AskingTerminal {
    /// What it says it is.
    pub client: String,
    /// What it says its machine is called.
    pub machine: String,
    /// From where it asks.
    pub from: String,
    /// Whether that is another address than that of whoever looks.
    pub elsewhere: bool,
    /// When it began.
    pub at: Timestamp,
    /// For how many days it would be signed in.
    pub days: u32,
}

#[derive(Template)]
#[template(path = "device.html")]
struct Device<'a> {
    frame: &'a Frame,
    failed: &'a str,
    code: &'a str,
    terminal: Option<Row>,
    done: &'static str,
    action: &'static str,
    account: &'static str,
}

struct Row {
    client: String,
    machine: String,
    from: String,
    elsewhere: bool,
    ago: String,
    days: u32,
}

impl DevicePage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let mut page = Device {
            frame: self.frame,
            failed: "",
            code: "",
            terminal: None,
            done: "",
            action: address::DEVICE,
            account: address::ACCOUNT,
        };
        match self.said {
            DeviceSaid::Nothing => {}
            DeviceSaid::Failed(why) => page.failed = why,
            DeviceSaid::Allowed => page.done = ALLOWED,
            DeviceSaid::Denied => page.done = DENIED,
            DeviceSaid::Asks { code, terminal } => {
                page.code = code;
                page.terminal = Some(Row {
                    client: said::line(&terminal.client),
                    machine: said::line(&terminal.machine),
                    from: terminal.from.clone(),
                    elsewhere: terminal.elsewhere,
                    ago: said::ago(terminal.at, self.now),
                    days: terminal.days,
                });
            }
        }
        Page::write(&page)
    }
}
