//! `weir man`: the manual, one page a command, made from the same definitions as `--help`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_mangen::Man;
use jiff::Timestamp;

use crate::Weir;
use crate::context::Context;
use crate::documents::itself::Manual;
use crate::failure::Failure;
use crate::help::examples;
use crate::output::{Format, write_stdout};
use crate::settings;

/// Print a page of the manual, or write all of them into a folder
#[derive(Debug, Args)]
#[command(after_help = examples!(
    "weir man | man -l -",
    "weir man registry add | man -l -",
    "weir man --out ~/.local/share/man/man1",
))]
pub(crate) struct Arguments {
    /// The command to read about, instead of the overview
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    command: Vec<String>,
    /// Write every page into this folder
    #[arg(long, short, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut command = Weir::command();
    command.build();
    match &arguments.out {
        Some(folder) => {
            let folder = context.path(folder)?;
            let pages = write_all(&command, &folder)?;
            let text = format!("Wrote {pages} pages to `{}`", folder.display());
            context.output.show(&Manual::Written { folder, pages }, |page| page.line(text))?;
        }
        None => {
            let page = page(find(&command, &arguments.command)?)?;
            match context.output.format {
                Format::Json => {
                    let page = String::from_utf8_lossy(&page).into_owned();
                    context.output.json(&Manual::Page { page })?;
                }
                Format::Text => write_stdout(&page)?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn find<'a>(top: &'a clap::Command, words: &[String]) -> Result<&'a clap::Command, Failure> {
    words.iter().try_fold(top, |command, word| {
        command.find_subcommand(word).ok_or_else(|| {
            let known: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
            let failure = Failure::usage(format!("`{}` has no command `{word}`", command.get_name()));
            match weir_model::nearest(word, known) {
                Some(nearest) => failure.with_help(format!("did you mean `{nearest}`?")),
                None => failure,
            }
        })
    })
}

/// The day that the pages bear: that of `SOURCE_DATE_EPOCH`, or today, in UTC.
fn date() -> String {
    let at = settings::source_date().unwrap_or_else(Timestamp::now);
    at.to_string().chars().take_while(|character| *character != 'T').collect()
}

fn page(command: &clap::Command) -> Result<Vec<u8>, Failure> {
    let title = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut text = Vec::new();
    Man::new(command.clone())
        .title(title.to_uppercase())
        .date(date())
        .source(concat!("weir ", env!("CARGO_PKG_VERSION")))
        .manual("Weir")
        .render(&mut text)?;
    Ok(text)
}

fn write_all(top: &clap::Command, folder: &std::path::Path) -> Result<usize, Failure> {
    fs_err::create_dir_all(folder)?;
    let mut pending = vec![top];
    let mut written = 0;
    while let Some(command) = pending.pop() {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name());
        fs_err::write(folder.join(format!("{name}.1")), page(command)?)?;
        written += 1;
        pending.extend(command.get_subcommands().filter(|command| command.get_name() != "help"));
    }
    Ok(written)
}
