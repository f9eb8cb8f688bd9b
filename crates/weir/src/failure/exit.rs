//! How the program ends: the one table of exit codes.
//!
//! `docs/reference/exit-codes.md` has a row for each, with examples; `tests/cli/exit_codes.rs` makes every example happen.

use std::process::ExitCode;

/// Declares the codes, in the order of their numbers, so that none is missing in `Exit::ALL`.
macro_rules! exits {
    ($($exit:ident = $code:literal, $name:literal, $means:literal;)+) => {
        /// How the program ends when it did not do what was asked.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Exit {
            $(#[doc = $means] $exit = $code,)+
        }

        impl Exit {
            /// All of them.
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$exit),+];

            /// Its name, in JSON and in the documentation.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$exit => $name,)+
                }
            }

            /// What it means, as the documentation says it.
            #[cfg(test)]
            const fn means(self) -> &'static str {
                match self {
                    $(Self::$exit => $means,)+
                }
            }
        }
    };
}

exits! {
    Failed = 1, "failed", "failed for a reason without a code of its own";
    Usage = 2, "usage", "called wrongly";
    NoResolution = 3, "no-resolution", "what is asked for cannot be had together";
    Refused = 4, "refused", "a policy said no, or a safeguard";
    NotFound = 5, "not-found", "not there, or offline and not cached";
    Integrity = 6, "integrity", "a hash, a signature or a log is not what it must be";
    BuildFailed = 7, "build-failed", "a build failed";
    Conflict = 8, "conflict", "something would be overwritten, or the closed world broken";
    Advised = 9, "advised", "an advisory is known against something that is used";
    Interrupted = 130, "interrupted", "stopped by the user";
}

/// The code, as a process ends with it.
pub(crate) fn ending(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_page_of_exit_codes_has_a_row_for_each_with_its_name_and_meaning() {
        let page = include_str!("../../../../docs/reference/exit-codes.md");
        let rows: Vec<Vec<&str>> = page
            .lines()
            .filter(|line| line.starts_with("| ") && !line.contains("---"))
            .map(|line| line.trim_matches('|').split(" | ").map(str::trim).take(3).collect())
            .skip(2)
            .collect();
        let wanted = Exit::ALL.iter().map(|exit| {
            vec![(*exit as u8).to_string(), format!("`{}`", exit.name()), exit.means().to_owned()]
        });
        assert_eq!(rows, wanted.collect::<Vec<_>>());
    }
}
