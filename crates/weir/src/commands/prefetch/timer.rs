//! A systemd timer of the user's that fetches ahead once a day, when there is a network and nothing else to do.
//!
//! Units as in systemd.service(5) and systemd.timer(5). Weir writes them and starts nothing: enabling is the user's command. A unit sees nothing of the environment
//! that it was made in, so what counts of that is written into it; secrets are not.

use std::ffi::OsStr;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;
use weir_fs::{Access, Durability, Folder};
use weir_model::path_text;

use crate::failure::Failure;
use crate::output::Page;
use crate::settings::{self, Carried};

const SERVICE: &str = "weir-prefetch.service";
const TIMER: &str = "weir-prefetch.timer";

/// The longest unit that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// `weir prefetch --install-timer`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct TimerInstalled {
    /// The files that were written.
    files: Vec<String>,
    /// The timer, if there was one that somebody had changed: it stays as it is.
    kept: Option<String>,
    /// Variables that are set now and that the service does not have, for there is a secret in them.
    left_out: Vec<String>,
    /// What enables it.
    enable: Vec<String>,
}

/// Writes the units for fetching at most `budget` bytes, from the registry that is named in place of the default one if one is.
pub(super) fn install(budget: u64, registry: Option<&str>) -> Result<TimerInstalled, Failure> {
    let program = std::env::current_exe()?;
    let place = settings::user_units()?;
    let folder = Folder::make(&place).map_err(std::io::Error::from)?;
    let carried = settings::carried()?;
    let before = folder.find(TIMER, LONGEST).map_err(std::io::Error::from)?;
    let is_changed = before.is_some_and(|before| before != timer().as_bytes());
    let mut units = vec![(SERVICE, service(&program, budget, registry, &carried)?)];
    if !is_changed {
        units.push((TIMER, timer()));
    }
    for (name, text) in &units {
        folder.replace(name, text, Access::Usual, Durability::Durable).map_err(std::io::Error::from)?;
    }
    Ok(TimerInstalled {
        files: path_text::texts(units.iter().map(|(name, _)| place.join(name))),
        kept: is_changed.then(|| path_text::text(place.join(TIMER))),
        left_out: carried.secret,
        enable: ["systemctl --user daemon-reload".into(), format!("systemctl --user enable --now {TIMER}")]
            .into(),
    })
}

pub(super) fn show(page: &mut Page, installed: &TimerInstalled) {
    for file in &installed.files {
        page.line(format!("Wrote `{file}`"));
    }
    if let Some(kept) = &installed.kept {
        page.line(format!("Kept `{kept}`, which somebody has changed: remove it to have it written anew"));
    }
    for variable in &installed.left_out {
        page.line(format!(
            "`{variable}` has a secret in it and is not written: `systemctl --user edit {SERVICE}` sets it for the service"
        ));
    }
    page.line("Nothing runs yet. To have it fetch ahead once a day:");
    for command in &installed.enable {
        page.line(format!("  {command}"));
    }
    page.line(format!("To be rid of it: `systemctl --user disable --now {TIMER}`, and remove both files"));
}

/// It gives way to all other work.
fn service(
    program: &Path,
    budget: u64,
    registry: Option<&str>,
    carried: &Carried,
) -> Result<String, Failure> {
    let program = quoted(program.as_os_str())?;
    let registry = match registry {
        Some(registry) => format!(" --registry {}", quoted(OsStr::new(registry))?),
        None => String::new(),
    };
    let mut variables = String::new();
    for (name, value) in &carried.variables {
        variables += &format!("Environment={}\n", quoted_variable(name, value)?);
    }
    Ok(format!(
        "[Unit]\n\
         Description=Fetch packages that are likely to be wanted without a network\n\
         \n\
         [Service]\n\
         Type=oneshot\n\
         {variables}\
         ExecStart={program} --quiet prefetch --budget {budget}B{registry}\n\
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

/// A word as a command line of a unit has it: there `$` means something also between quotes.
fn quoted(word: &OsStr) -> Result<String, Failure> {
    Ok(format!("\"{}\"", escaped(word)?.replace('$', "$$")))
}

/// A variable as a unit sets it.
fn quoted_variable(name: &str, value: &OsStr) -> Result<String, Failure> {
    Ok(format!("\"{name}={}\"", escaped(value)?))
}

/// A word between quotes of a unit, where `%` means something everywhere.
fn escaped(word: &OsStr) -> Result<String, Failure> {
    let text = word.to_str().filter(|text| !text.contains(['\n', '\r']));
    let text =
        text.ok_or_else(|| Failure::usage(format!("a unit of systemd cannot name `{}`", word.display())))?;
    Ok(text.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::quoted;

    #[test]
    fn a_path_in_a_unit_means_itself() {
        let path = OsStr::new("/home/a b/100% \"$HOME\"\\weir");
        assert_eq!(quoted(path).unwrap(), r#""/home/a b/100%% \"$$HOME\"\\weir""#);
        quoted(OsStr::new("/a\nExecStart=/bin/false")).unwrap_err();
    }
}
