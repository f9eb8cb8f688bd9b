//! `weir env`: the variables with which a project's packages are used.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use weir_project::Project;

use crate::context::Context;
use crate::documents::project::Environment;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Format, write_stdout};
use crate::settings;

/// Print the variables with which the project's packages are used
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "eval \"$(weir env)\"",
    "eval \"$(weir env --shell bash)\"      and the packages' completions",
    "weir env --shell fish | source",
    "eval \"$(weir env --global)\"",
))]
pub(crate) struct Arguments {
    /// The shell to write for
    #[arg(long, value_enum, default_value_t)]
    shell: Shell,
    /// For what `weir install --global` installed: its commands and man pages
    #[arg(long)]
    global: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// Every shell of the POSIX family: sh, bash, zsh, dash
    #[default]
    Sh,
    /// bash, and its completions
    Bash,
    /// zsh, and its completions
    Zsh,
    /// fish, and its completions
    Fish,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let session = context.session()?;
    let (project, variables) = if arguments.global {
        let project = Project::open(&session.home.global_project(), &session.owners)?;
        let variables =
            weir_project::global_environment(&project, &settings::path_variable(), &settings::man_path());
        (project, variables)
    } else {
        let project = context.project()?;
        weir_project::check_commands(&session, &project)?;
        weir_project::warn_of_path(&session, &project);
        let variables = weir_project::environment(&project, &settings::path_variable());
        (project, variables)
    };
    match context.output.format {
        Format::Json => {
            let lossy = |(name, value): (String, OsString)| (name, value.to_string_lossy().into_owned());
            context.output.json(&Environment { variables: variables.into_iter().map(lossy).collect() })?;
        }
        Format::Text => {
            // Sorted, as in JSON; and in bytes, for a folder's name need not be UTF-8.
            let variables: BTreeMap<_, _> = variables.into_iter().collect();
            let lines = variables
                .iter()
                .flat_map(|(name, value)| assignment(arguments.shell, name, value.as_bytes()));
            let mut text: Vec<u8> = lines.collect();
            if arguments.shell != Shell::Sh {
                match weir_project::completions(&session, &project) {
                    Some(files) => text.extend(completions(arguments.shell, &files)),
                    None => session.warn("there are no completions before `weir install`"),
                }
            }
            write_stdout(&text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn assignment(shell: Shell, name: &str, value: &[u8]) -> Vec<u8> {
    let head = if shell == Shell::Fish { format!("set -gx {name} ") } else { format!("export {name}=") };
    [head.as_bytes(), &word(shell, value), b"\n"].concat()
}

/// Lines that have a shell take up those of the completions that are for it. Zsh finds them by their names, `_command`, in a
/// folder of its `fpath`, and looks there when `compinit` is called.
fn completions(shell: Shell, files: &[PathBuf]) -> Vec<u8> {
    let is_for = |file: &&PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let ending = file.extension().map(OsStr::to_string_lossy).unwrap_or_default();
        match shell {
            Shell::Sh => false,
            Shell::Bash => {
                matches!(&*ending, "" | "bash" | "sh" | "bash-completion") && !name.starts_with('_')
            }
            Shell::Zsh => name.starts_with('_'),
            Shell::Fish => ending == "fish",
        }
    };
    let mut lines = Vec::new();
    for file in files.iter().filter(is_for) {
        if shell == Shell::Zsh {
            let folder = word(shell, file.parent().unwrap_or(Path::new("/")).as_os_str().as_bytes());
            return [b"fpath=(", &*folder, b" $fpath)\n"].concat();
        }
        lines.extend([b"source ", &*word(shell, file.as_os_str().as_bytes()), b"\n"].concat());
    }
    lines
}

/// Any bytes as one word.
fn word(shell: Shell, value: &[u8]) -> Vec<u8> {
    let mut word = vec![b'\''];
    for &byte in value {
        match (shell, byte) {
            (Shell::Fish, b'\'' | b'\\') => word.extend([b'\\', byte]),
            (_, b'\'') => word.extend(br"'\''"),
            (_, byte) => word.push(byte),
        }
    }
    word.push(b'\'');
    word
}

#[cfg(test)]
mod tests {
    use super::{Shell, assignment};

    #[test]
    fn a_value_is_one_word_to_the_shell_whatever_is_in_it() {
        let value = b"/home/o'neil/\xff$(rm -rf \\)";
        assert_eq!(
            assignment(Shell::Sh, "PATH", value),
            b"export PATH='/home/o'\\''neil/\xff$(rm -rf \\)'\n"
        );
        assert_eq!(
            assignment(Shell::Fish, "PATH", value),
            b"set -gx PATH '/home/o\\'neil/\xff$(rm -rf \\\\)'\n"
        );
    }
}
