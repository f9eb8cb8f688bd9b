//! A systemd timer of the user's that fetches ahead once a day, when there is a network and nothing else to do.
//!
//! Units as in systemd.service(5) and systemd.timer(5). Weir writes them and starts nothing: enabling is the user's command.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use weir_fs::{Access, Durability, Folder};
use weir_model::path_text;

use crate::failure::Failure;
use crate::output::Page;
use crate::settings;

const SERVICE: &str = "weir-prefetch.service";
const TIMER: &str = "weir-prefetch.timer";

/// `weir prefetch --install-timer`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct TimerInstalled {
    /// The files that were written.
    files: Vec<String>,
    /// What enables it.
    enable: Vec<String>,
}

/// Writes the units for fetching at most `budget` bytes.
pub(super) fn install(budget: u64) -> Result<TimerInstalled, Failure> {
    let program = std::env::current_exe()?;
    let place = settings::user_units()?;
    let folder = Folder::make(&place).map_err(std::io::Error::from)?;
    let units = [(SERVICE, service(&program, budget)?), (TIMER, timer())];
    for (name, text) in &units {
        folder.replace(name, text, Access::Usual, Durability::Durable).map_err(std::io::Error::from)?;
    }
    Ok(TimerInstalled {
        files: path_text::texts(units.iter().map(|(name, _)| place.join(name))),
        enable: ["systemctl --user daemon-reload".into(), format!("systemctl --user enable --now {TIMER}")]
            .into(),
    })
}

pub(super) fn show(page: &mut Page, installed: &TimerInstalled) {
    for file in &installed.files {
        page.line(format!("Wrote `{file}`"));
    }
    page.line("Nothing runs yet. To have it fetch ahead once a day:");
    for command in &installed.enable {
        page.line(format!("  {command}"));
    }
    page.line(format!("To be rid of it: `systemctl --user disable --now {TIMER}`, and remove both files"));
}

/// It gives way to all other work.
fn service(program: &Path, budget: u64) -> Result<String, Failure> {
    let program = quoted(program)?;
    // A unit sees nothing of the environment that it was made in.
    let home = match settings::home() {
        Some(home) => format!("Environment={}\n", quoted_variable("WEIR_HOME", &std::path::absolute(home)?)?),
        None => String::new(),
    };
    Ok(format!(
        "[Unit]\n\
         Description=Fetch packages that are likely to be wanted without a network\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         {home}\
         ExecStart={program} --quiet prefetch --budget {budget}B\n\
         Nice=19\n\
         CPUSchedulingPolicy=idle\n\
         IOSchedulingClass=idle\n\
         TimeoutStartSec=1h\n"
    ))
}

fn timer() -> String {
    format!(
        "[Unit]\n\
         Description=Fetch ahead once a day\n\
         \n\
         [Timer]\n\
         OnCalendar=daily\n\
         RandomizedDelaySec=1h\n\
         Persistent=true\n\
         Unit={SERVICE}\n\
         \n\
         [Install]\n\
         WantedBy=timers.target\n"
    )
}

/// A path as a command line of a unit has it: there `$` means something also between quotes.
fn quoted(path: &Path) -> Result<String, Failure> {
    Ok(format!("\"{}\"", escaped(path)?.replace('$', "$$")))
}

/// A variable as a unit sets it.
fn quoted_variable(name: &str, path: &Path) -> Result<String, Failure> {
    Ok(format!("\"{name}={}\"", escaped(path)?))
}

/// A path between quotes of a unit, where `%` means something everywhere.
fn escaped(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().filter(|text| !text.contains(['\n', '\r']));
    let text =
        text.ok_or_else(|| Failure::usage(format!("a unit of systemd cannot name `{}`", path.display())))?;
    Ok(text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::quoted;

    #[test]
    fn a_path_in_a_unit_means_itself() {
        let path = Path::new("/home/a b/100% \"$HOME\"\\weir");
        assert_eq!(quoted(path).unwrap(), r#""/home/a b/100%% \"$$HOME\"\\weir""#);
        quoted(Path::new("/a\nExecStart=/bin/false")).unwrap_err();
    }
}
