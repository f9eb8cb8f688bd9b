//! Questions to the person at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use crate::failure::Failure;
use crate::output::{Format, Output};

/// The longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 4096;

/// Whether a person is there to be asked.
pub(crate) fn can_be_asked() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question that yes or no answers. Whatever is not yes is no.
pub(crate) fn ask(output: &Output, question: &str) -> Result<bool, Failure> {
    output.screen.clear();
    output.write_stderr(&format!("{question} [y/N] "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if !answer.ends_with('\n') {
        // The end of the input leaves the cursor behind the question.
        writeln!(io::stderr())?;
    }
    let answer = answer.trim();
    Ok(answer.eq_ignore_ascii_case("y") || answer.eq_ignore_ascii_case("yes"))
}

/// Asks for a line of text.
///
/// # Errors
///
/// When nobody can be asked: `instead` says how to say it.
pub(crate) fn answer(output: &Output, question: &str, instead: &str) -> Result<String, Failure> {
    must_be_here(output, question, instead)?;
    let mut answer = String::new();
    io::stdin().lock().take(MAX_ANSWER).read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

/// Asks for a secret, which nobody who looks on can read.
///
/// # Errors
///
/// When nobody can be asked: `instead` says how to say it.
pub(crate) fn secret(output: &Output, question: &str, instead: &str) -> Result<String, Failure> {
    must_be_here(output, question, instead)?;
    Ok(rpassword::read_password()?)
}

fn must_be_here(output: &Output, question: &str, instead: &str) -> Result<(), Failure> {
    if output.format == Format::Json || !can_be_asked() {
        let what = question.trim_end_matches(':').to_lowercase();
        return Err(Failure::usage(format!("nobody can be asked for the {what}"))
            .with_help(format!("say it with `{instead}`")));
    }
    output.screen.clear();
    output.write_stderr(&format!("{question} "));
    Ok(())
}

/// Goes on if a person agrees, who said so beforehand (`yes`) or is asked.
///
/// # Errors
///
/// When the answer is no, and when nobody can be asked.
pub(crate) fn must_agree(output: &Output, yes: bool, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if output.format == Format::Json || !can_be_asked() {
        return Err(
            Failure::conflict(format!("{question} Nobody can be asked")).with_help("to go on, say `--yes`")
        );
    }
    if ask(output, question)? { Ok(()) } else { Err(Failure::declined()) }
}
