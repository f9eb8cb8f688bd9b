//! Which of a package's variables are its state, and so are renamed.
//!
//! State is what is assigned outside any function, declared with `-g`, or assigned in a function that does
//! not declare it local. It keeps its name if it is the shell's own, exported, listed in
//! `keep`, a return variable (`REPLY`, `REPLY1`, `REPLY_…`), or looks like a setting from the environment.
//!
//! A renamed name is renamed everywhere in the package, local declarations included: functions see their
//! callers' locals, and only a renaming of all of them keeps what each sees the same. A name that is
//! local in some functions, and in others assigned without any declaration, is mostly a caller's local or
//! a forgotten loop variable: it stays, and the report says so.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::facts::{Facts, FunctionId, Occurrence, Role, Scope, TOP};
use super::report::Why;

/// What is known of one name.
#[derive(Debug, Default)]
pub(crate) struct Variable {
    /// Assigned outside any function, or declared global.
    pub(crate) declared: bool,
    /// Assigned in a function that does not declare it.
    pub(crate) leaked: bool,
    /// Given a value other than in its declaration.
    pub(crate) assigned: bool,
    pub(crate) exported: bool,
    /// It is read with a default, or assigned only if it has no value yet: the value may be the user's.
    pub(crate) with_default: bool,
    /// It is read where it is assigned, before that: `x+=y`, `echo $x; x=y`.
    pub(crate) read_first: bool,
    /// It is assigned where it is not read before.
    pub(crate) made_anew: bool,
    /// The place where that happens first outside any function.
    pub(crate) looked_at: Option<(u32, u32)>,
    /// The place where it gets a value whenever its file is sourced, whatever it had before.
    pub(crate) given: Option<(u32, u32)>,
    pub(crate) local: bool,
    pub(crate) associative: bool,
    /// The occurrence that says most about it: where a doubt is reported.
    pub(crate) shown: usize,
}

/// What becomes of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Not the package's state.
    NotState,
    Renamed,
    Kept,
    KeptInDoubt(Why),
}

impl Variable {
    pub(crate) fn is_state(&self) -> bool {
        self.declared || self.leaked
    }

    /// Whether it may have a value that was the user's: it is looked at before it surely gets one.
    fn is_setting(&self) -> bool {
        match (self.looked_at, self.given) {
            (_, None) => self.with_default || self.read_first && !self.made_anew,
            (Some(looked), Some(given)) => looked.0 == given.0 && looked.1 < given.1,
            (None, Some(_)) => false,
        }
    }

    pub(crate) fn fate(&self, name: &str, keep: &HashSet<&str>, state: &HashSet<&str>) -> Fate {
        if state.contains(name) {
            return Fate::Renamed;
        }
        if !self.is_state() && !self.exported {
            return Fate::NotState;
        }
        if keep.contains(name) || is_well_known(name) {
            return Fate::Kept;
        }
        if self.exported {
            return Fate::KeptInDoubt(Why::Exported);
        }
        if self.local && !self.declared {
            return Fate::KeptInDoubt(Why::LocalAndGlobal);
        }
        // A name that begins with `_` is nobody's setting.
        if self.is_setting() && !name.starts_with('_') {
            return Fate::KeptInDoubt(Why::LikeSetting);
        }
        Fate::Renamed
    }
}

/// Every variable that these files of the package name, with what is known of it.
pub(crate) fn variables(facts: &Facts, of: impl Fn(u32) -> bool) -> BTreeMap<&str, Variable> {
    let mut found: BTreeMap<&str, Variable> = BTreeMap::new();
    let reads = first_reads(facts);
    for (index, occurrence) in facts.occurrences.iter().enumerate().filter(|(_, found)| of(found.file)) {
        let is_local = |name: &str| {
            occurrence.function != TOP
                && facts.functions[occurrence.function as usize].locals.contains(name.as_bytes())
        };
        let role = &occurrence.role;
        let names_variable = matches!(
            role,
            Role::Assign
                | Role::Declare(_)
                | Role::UseWithDefault
                | Role::AssignDefault
                | Role::VariableName { .. }
        );
        let Some(name) = names_variable.then(|| std::str::from_utf8(&occurrence.text.bytes).ok()).flatten()
        else {
            continue;
        };
        let entry = found.entry(name).or_insert_with(|| Variable { shown: index, ..Variable::default() });
        entry.assigned |=
            matches!(role, Role::Assign | Role::AssignDefault | Role::VariableName { assigns: true });
        let place = (occurrence.file, occurrence.text.start());
        let guarded = facts.guarded.contains(&place);
        let is_given = matches!(role, Role::Assign)
            || matches!(role, Role::Declare(declaration) if declaration.scope != Scope::Exported);
        let assigns = is_given || matches!(role, Role::AssignDefault | Role::VariableName { assigns: true });
        let read = assigns && is_read_first(facts, &reads, occurrence);
        if assigns && !is_local(name) {
            entry.read_first |= read;
            entry.made_anew |= !read && !guarded;
        }
        if is_given && occurrence.surely && !guarded && !read {
            entry.given.get_or_insert(place);
        }
        if guarded || matches!(role, Role::UseWithDefault | Role::AssignDefault) {
            entry.with_default = true;
            if occurrence.function == TOP {
                entry.looked_at.get_or_insert(place);
            }
        }
        match role {
            Role::Assign | Role::VariableName { assigns: true } if !is_local(name) => {
                entry.shown = index;
                if occurrence.function == TOP { entry.declared = true } else { entry.leaked = true }
            }
            Role::Declare(declaration) => {
                entry.associative |= declaration.associative;
                match declaration.scope {
                    Scope::Local if occurrence.function != TOP => entry.local = true,
                    Scope::Local => {}
                    Scope::Global => {
                        entry.declared = true;
                        entry.shown = index;
                    }
                    Scope::Exported => entry.exported = true,
                }
            }
            Role::AssignDefault if !is_local(name) => {
                entry.shown = index;
                if occurrence.function == TOP { entry.declared = true } else { entry.leaked = true }
            }
            _ => {}
        }
    }
    found
}

/// Where each variable is read first, by its name, the file and the function. Looks that only lead to a return do not count.
fn first_reads(facts: &Facts) -> HashMap<(&[u8], u32, FunctionId), u32> {
    let mut reads = HashMap::new();
    for occurrence in &facts.occurrences {
        let (file, start) = (occurrence.file, occurrence.text.start());
        let is_read = matches!(occurrence.role, Role::Use | Role::UseWithDefault);
        if is_read && !facts.entry_guards.contains(&(file, start)) {
            let first = reads.entry((&occurrence.text.bytes[..], file, occurrence.function)).or_insert(start);
            *first = start.min(*first);
        }
    }
    reads
}

/// Whether a variable is read before it is assigned: in the same function, or in the same file outside any. There, what is added to
/// is read, too: `x+=y`, `x=$((x + 1))`.
fn is_read_first(
    facts: &Facts,
    reads: &HashMap<(&[u8], u32, FunctionId), u32>,
    assigned: &Occurrence,
) -> bool {
    let (file, start) = (assigned.file, assigned.text.start());
    // A function that adds to what it made itself, as counters do, says nothing of the user's.
    let is_top = assigned.function == TOP;
    let at = facts.assigned_at.get(&(file, start)).copied().filter(|_| is_top).unwrap_or(start);
    is_top && facts.added_to.contains(&(file, start))
        || reads.get(&(&assigned.text.bytes[..], file, assigned.function)).is_some_and(|read| *read < at)
}

/// Whether a variable belongs to the shell or the system.
pub(crate) fn is_of_the_shell(name: &str) -> bool {
    const KNOWN: &[&str] = &[
        "BASH",
        "BASHOPTS",
        "BASHPID",
        "BASH_ALIASES",
        "BASH_ARGC",
        "BASH_ARGV",
        "BASH_ARGV0",
        "BASH_CMDS",
        "BASH_COMMAND",
        "BASH_COMPAT",
        "BASH_ENV",
        "BASH_EXECUTION_STRING",
        "BASH_LINENO",
        "BASH_LOADABLES_PATH",
        "BASH_MONOSECONDS",
        "BASH_REMATCH",
        "BASH_SOURCE",
        "BASH_SUBSHELL",
        "BASH_TRAPSIG",
        "BASH_VERSINFO",
        "BASH_VERSION",
        "BASH_XTRACEFD",
        "CDPATH",
        "CHILD_MAX",
        "COLUMNS",
        "COMPREPLY",
        "COMP_CWORD",
        "COMP_KEY",
        "COMP_LINE",
        "COMP_POINT",
        "COMP_TYPE",
        "COMP_WORDBREAKS",
        "COMP_WORDS",
        "COPROC",
        "DIRSTACK",
        "DISPLAY",
        "EDITOR",
        "EMACS",
        "ENV",
        "EPOCHREALTIME",
        "EPOCHSECONDS",
        "EUID",
        "EXECIGNORE",
        "FCEDIT",
        "FIGNORE",
        "FUNCNAME",
        "FUNCNEST",
        "GLOBIGNORE",
        "GLOBSORT",
        "GROUPS",
        "HISTCMD",
        "HISTCONTROL",
        "HISTFILE",
        "HISTFILESIZE",
        "HISTIGNORE",
        "HISTSIZE",
        "HISTTIMEFORMAT",
        "HOME",
        "HOSTFILE",
        "HOSTNAME",
        "HOSTTYPE",
        "IFS",
        "IGNOREEOF",
        "INPUTRC",
        "INSIDE_EMACS",
        "LANG",
        "LANGUAGE",
        "LINENO",
        "LINES",
        "LOGNAME",
        "MACHTYPE",
        "MAIL",
        "MAILCHECK",
        "MAILPATH",
        "MANPATH",
        "MAPFILE",
        "NO_COLOR",
        "OLDPWD",
        "OPTARG",
        "OPTERR",
        "OPTIND",
        "OSTYPE",
        "PAGER",
        "PATH",
        "PIPESTATUS",
        "POSIXLY_CORRECT",
        "PPID",
        "PROMPT_COMMAND",
        "PROMPT_DIRTRIM",
        "PS0",
        "PS1",
        "PS2",
        "PS3",
        "PS4",
        "PWD",
        "RANDOM",
        "READLINE_ARGUMENT",
        "READLINE_LINE",
        "READLINE_MARK",
        "READLINE_POINT",
        "REPLY",
        "SECONDS",
        "SHELL",
        "SHELLOPTS",
        "SHLVL",
        "SRANDOM",
        "TERM",
        "TIMEFORMAT",
        "TMOUT",
        "TMPDIR",
        "TZ",
        "UID",
        "USER",
        "VISUAL",
        "auto_resume",
        "histchars",
        "_",
    ];
    KNOWN.contains(&name) || name.starts_with("LC_")
}

/// Whether a variable belongs to the shell, the system, or a convention between packages.
pub(super) fn is_well_known(name: &str) -> bool {
    const FAMILIES: &[&str] = &["XDG_", "BATS_", "BASALT_", "WEIR_", "REPLY_"];
    let numbered =
        name.strip_prefix("REPLY").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    numbered || is_of_the_shell(name) || FAMILIES.iter().any(|family| name.starts_with(family))
}
