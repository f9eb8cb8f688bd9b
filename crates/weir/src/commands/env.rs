//! `weir env`: the variables with which a project's packages are used.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use weir_project::Project;

use crate::context::Context;
use crate::failure::Failure;
use crate::help::examples;
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
        let project = Project::open(&context.session()?.home.global_project())?;
        weir_project::global_environment(&project, &settings::path_variable(), &settings::man_path())
    } else {
        weir_project::environment(&context.project()?, &settings::path_variable())
    };
    let variables: BTreeMap<_, _> =
        variables.into_iter().map(|(name, value)| (name, value.to_string_lossy().into_owned())).collect();
    context.output.answer(&variables, |page| {
        for (name, value) in &variables {
            page.line(assignment(arguments.shell, name, value));
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn assignment(shell: Shell, name: &str, value: &str) -> String {
    match shell {
        Shell::Sh => format!("export {name}='{}'", value.replace('\'', r"'\''")),
        Shell::Fish => format!("set -gx {name} '{}'", value.replace('\\', r"\\").replace('\'', r"\'")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Shell, assignment};

    #[test]
    fn a_value_is_one_word_to_the_shell_whatever_is_in_it() {
        let value = r"/home/o'neil/$(rm -rf \)";
        assert_eq!(assignment(Shell::Sh, "PATH", value), r"export PATH='/home/o'\''neil/$(rm -rf \)'");
        assert_eq!(assignment(Shell::Fish, "PATH", value), r"set -gx PATH '/home/o\'neil/$(rm -rf \\)'");
    }
}
