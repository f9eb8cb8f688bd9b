//! `weir env`: the variables with which a project's packages are used.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
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
    /// fish
    Fish,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let variables = if arguments.global {
        let project = {
            let session = context.session()?;
            Project::open(&session.home.global_project(), &session.owners)?
        };
        weir_project::global_environment(&project, &settings::path_variable(), &settings::man_path())
    } else {
        weir_project::environment(&context.project()?, &settings::path_variable())
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
            write_stdout(&lines.collect::<Vec<u8>>())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn assignment(shell: Shell, name: &str, value: &[u8]) -> Vec<u8> {
    let mut line = match shell {
        Shell::Sh => format!("export {name}='"),
        Shell::Fish => format!("set -gx {name} '"),
    }
    .into_bytes();
    for &byte in value {
        match (shell, byte) {
            (Shell::Sh, b'\'') => line.extend(br"'\''"),
            (Shell::Fish, b'\'' | b'\\') => line.extend([b'\\', byte]),
            (_, byte) => line.push(byte),
        }
    }
    line.extend(b"'\n");
    line
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
