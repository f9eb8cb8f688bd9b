//! What the arguments of a command are to the shell.
//!
//! Builtins that take names of functions, names of variables, or code are few and known; this
//! is the table. Everything else gets [`Meaning::Plain`].

use super::text::Text;

/// What one argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    Plain,
    /// An option, a path, a signal: never a name.
    Nothing,
    Function,
    FunctionPrefix,
    /// A variable that is read or unset.
    Variable,
    /// A variable that is assigned.
    AssignedVariable,
    /// Code, on its own.
    Code,
    /// Code for another process, which shares no variables with this one.
    ForeignCode,
    /// Code, together with the arguments after it.
    JoinedCode,
    /// An alias's `name=code`.
    Alias,
    /// A file that is sourced.
    Sourced,
    /// Words that are divided and expanded when they are used.
    Words,
    /// A text that is printed.
    Printed,
    /// What `printf -v` puts into a variable: the argument that names it.
    ValueOf(usize),
    Arithmetic,
}

/// A command as far as its arguments are concerned.
pub(crate) fn meanings(name: &[u8], arguments: &[Text]) -> Vec<Meaning> {
    let mut meanings = vec![Meaning::Plain; arguments.len()];
    let mut set = |index: usize, meaning| {
        if let Some(slot) = meanings.get_mut(index) {
            *slot = meaning;
        }
    };
    match name {
        b"eval" => set(usize::from(is(arguments, 0, b"--")), Meaning::JoinedCode),
        b"trap" => {
            let first = arguments.iter().position(|text| !matches!(&text.bytes[..], b"--" | b"-p" | b"-l"));
            for index in 0..arguments.len() {
                set(index, Meaning::Nothing);
            }
            if let Some(first) = first.filter(|first| arguments.len() > first + 1) {
                let resets = matches!(&arguments[first].bytes[..], b"-" | b"");
                set(first, if resets { Meaning::Nothing } else { Meaning::Code });
            }
        }
        b"type" | b"hash" | b"which" => positional(arguments, b"p", |index| set(index, Meaning::Function)),
        b"source" | b"." => set(usize::from(is(arguments, 0, b"--")), Meaning::Sourced),
        b"alias" => (0..arguments.len()).for_each(|index| set(index, Meaning::Alias)),
        b"enable" => (0..arguments.len()).for_each(|index| set(index, Meaning::Nothing)),
        b"echo" => (0..arguments.len()).for_each(|index| set(index, Meaning::Printed)),
        b"let" => (0..arguments.len()).for_each(|index| set(index, Meaning::Arithmetic)),
        b"read" => {
            positional(arguments, b"adinNptu", |index| set(index, Meaning::AssignedVariable));
            option_values(arguments, b'a', b"adinNptu", |index| set(index, Meaning::AssignedVariable));
        }
        b"mapfile" | b"readarray" => {
            positional(arguments, b"dnOsuCc", |index| set(index, Meaning::AssignedVariable));
            option_values(arguments, b'C', b"dnOsuCc", |index| set(index, Meaning::Code));
        }
        b"printf" if is(arguments, 0, b"-v") => {
            (2..arguments.len()).for_each(|index| set(index, Meaning::ValueOf(1)));
            set(1, Meaning::AssignedVariable);
        }
        b"printf" => (0..arguments.len()).for_each(|index| set(index, Meaning::Printed)),
        b"wait" => option_values(arguments, b'p', b"p", |index| set(index, Meaning::AssignedVariable)),
        b"getopts" => set(1, Meaning::AssignedVariable),
        b"test" => {
            for index in 1..arguments.len() {
                if is(arguments, index - 1, b"-v") || is(arguments, index - 1, b"-R") {
                    set(index, Meaning::Variable);
                }
            }
        }
        b"complete" | b"compopt" => {
            const VALUED: &[u8] = b"AGWFCXPSo";
            option_values(arguments, b'F', VALUED, |index| set(index, Meaning::Function));
            option_values(arguments, b'C', VALUED, |index| set(index, Meaning::Code));
            option_values(arguments, b'W', VALUED, |index| set(index, Meaning::Words));
        }
        b"compgen" => {
            const VALUED: &[u8] = b"AGWFCXPSoV";
            let functions =
                arguments.windows(2).any(|pair| pair[0].bytes == b"-A" && pair[1].bytes == b"function");
            if functions {
                positional(arguments, VALUED, |index| set(index, Meaning::FunctionPrefix));
            }
            option_values(arguments, b'F', VALUED, |index| set(index, Meaning::Function));
            option_values(arguments, b'C', VALUED, |index| set(index, Meaning::Code));
            option_values(arguments, b'W', VALUED, |index| set(index, Meaning::Words));
        }
        _ => {
            if let Some(code) = shell_code(name, arguments) {
                set(code, Meaning::ForeignCode);
            }
        }
    }
    meanings
}

/// Whether a command answers with names: of all functions or variables, or of those that begin in some way.
pub(crate) fn lists_names(name: &[u8], arguments: &[Text]) -> bool {
    let has = |wanted: &[u8]| arguments.iter().any(|text| text.bytes == wanted);
    match name {
        b"compgen" => {
            let positional = arguments.last().is_some_and(|last| !last.bytes.starts_with(b"-"));
            let action = has(b"function") || has(b"variable") || has(b"-v");
            action && !(has(b"function") && positional && arguments.len() > 2)
        }
        b"set" => arguments.is_empty(),
        b"caller" => true,
        _ => false,
    }
}

/// Whether a name is one of a command that Bash has itself: a function of this name takes its place in the whole shell.
pub(crate) fn is_builtin(name: &[u8]) -> bool {
    const BUILTINS: &[&str] = &[
        ".",
        ":",
        "[",
        "alias",
        "bg",
        "bind",
        "break",
        "builtin",
        "caller",
        "cd",
        "command",
        "compgen",
        "complete",
        "compopt",
        "continue",
        "declare",
        "dirs",
        "disown",
        "echo",
        "enable",
        "eval",
        "exec",
        "exit",
        "export",
        "false",
        "fc",
        "fg",
        "getopts",
        "hash",
        "help",
        "history",
        "jobs",
        "kill",
        "let",
        "local",
        "logout",
        "mapfile",
        "popd",
        "printf",
        "pushd",
        "pwd",
        "read",
        "readarray",
        "readonly",
        "return",
        "set",
        "shift",
        "shopt",
        "source",
        "suspend",
        "test",
        "times",
        "trap",
        "true",
        "type",
        "typeset",
        "ulimit",
        "umask",
        "unalias",
        "unset",
        "wait",
    ];
    std::str::from_utf8(name).is_ok_and(|name| BUILTINS.contains(&name))
}

/// The argument of `bash -c …` that is code, wherever in a command the shell is called.
fn shell_code(name: &[u8], arguments: &[Text]) -> Option<usize> {
    let from = if is_shell(name) { 0 } else { arguments.iter().position(|text| is_shell(&text.bytes))? + 1 };
    for (index, text) in arguments.iter().enumerate().skip(from) {
        match &text.bytes[..] {
            [b'-', b'-', ..] | [b'+', ..] => {}
            [b'-', flags @ ..] if flags.contains(&b'c') => return Some(index + 1),
            [b'-', ..] => {}
            _ => return None,
        }
    }
    None
}

/// What a command puts other text for in the code that it hands to a shell: the `{}` of `xargs -I{}` and `find -exec`.
pub(crate) fn holes(name: &[u8], arguments: &[Text]) -> Vec<Vec<u8>> {
    let mut holes = Vec::new();
    if name == b"xargs" {
        option_values(arguments, b'I', b"adEILnPs", |index| {
            holes.extend(arguments.get(index).map(|text| text.bytes.clone()));
        });
        let attached = arguments.iter().filter_map(|text| text.bytes.strip_prefix(b"-I"));
        holes.extend(attached.filter(|hole| !hole.is_empty()).map(<[u8]>::to_vec));
    }
    if !is_shell(name) {
        holes.push(b"{}".to_vec());
    }
    holes.retain(|hole| !hole.is_empty());
    holes
}

/// Whether a command is a shell that Bash code can be given to.
pub(crate) fn is_shell(name: &[u8]) -> bool {
    let file = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
    matches!(file, b"bash" | b"sh" | b"dash" | b"zsh" | b"ksh")
}

fn is(arguments: &[Text], index: usize, text: &[u8]) -> bool {
    arguments.get(index).is_some_and(|argument| argument.bytes == text)
}

/// Calls `found` for each argument that is neither an option nor an option's value.
fn positional(arguments: &[Text], valued: &[u8], mut found: impl FnMut(usize)) {
    let mut index = 0;
    while index < arguments.len() {
        match &arguments[index].bytes[..] {
            b"--" => return (index + 1..arguments.len()).for_each(found),
            [b'-', flags @ ..] if !flags.is_empty() => {
                // The value follows in the next argument if the letter is the last one.
                let takes = flags.iter().position(|flag| valued.contains(flag));
                index += usize::from(takes == Some(flags.len() - 1));
            }
            _ => found(index),
        }
        index += 1;
    }
}

/// Calls `found` for each argument that is the value of this option.
fn option_values(arguments: &[Text], option: u8, valued: &[u8], mut found: impl FnMut(usize)) {
    let mut index = 0;
    while index < arguments.len() {
        match &arguments[index].bytes[..] {
            b"--" => return,
            [b'-', flags @ ..] if !flags.is_empty() => {
                let takes = flags.iter().position(|flag| valued.contains(flag));
                if takes == Some(flags.len() - 1) {
                    if flags.last() == Some(&option) {
                        found(index + 1);
                    }
                    index += 1;
                }
            }
            _ => {}
        }
        index += 1;
    }
}
