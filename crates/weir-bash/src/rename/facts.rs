//! What is known of a package before anything is decided: every place where a name stands.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::SourceFile;
use super::report::Why;
use super::text::Text;
use super::values::Values;

/// Which function a place is in; [`TOP`] is outside any.
pub(crate) type FunctionId = u32;

/// Outside any function.
pub(crate) const TOP: FunctionId = 0;

/// What a word is to the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// The name in a function definition.
    Define,
    /// The name of a command.
    Command,
    /// An argument that names a function: of `declare -f`, `type`, `complete -F`, …
    FunctionName,
    /// An argument that names the beginning of functions' names: of `compgen -A function`.
    FunctionPrefix,
    /// Any other word. `callee` is the index of the command's own occurrence.
    Argument { callee: Option<u32> },
    /// A word that is printed; `to_people` if it cannot be anything but a message: it goes to standard error.
    Printed { to_people: bool },
    /// A word that a variable gets for its value.
    Value { variable: Vec<u8> },
    /// A variable is assigned.
    Assign,
    /// A variable is declared.
    Declare(Declaration),
    /// A variable is read.
    Use,
    /// A variable is read, with something to take its place where it is not set.
    UseWithDefault,
    /// As [`Role::UseWithDefault`], and the default is assigned.
    AssignDefault,
    /// `x=1 command`: for one command only.
    Environment { callee: Option<u32> },
    /// A word that names a variable, maybe with an index: of `read`, `printf -v`, `[[ -v … ]]`.
    VariableName { assigns: bool },
    /// The beginning of variables' names: `${!x@}`.
    VariablePrefix,
    /// `unset x`: a variable, or else a function.
    VariableOrFunction,
    /// A variable that is printed with its name: `declare -p x`.
    ShownVariable,
    /// A function that is printed with its name: `declare -f f`, `type f`.
    ShownFunction,
    /// A variable whose name is put together when the code runs, or a part of it.
    BuiltVariable,
    /// A bare word as an index: a variable's name, unless the array is associative.
    Index { array: Vec<u8> },
    /// The same in a list of elements, `([word]=…)`.
    ElementIndex { array: Vec<u8> },
}

/// How a variable is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Declaration {
    pub(crate) scope: Scope,
    pub(crate) associative: bool,
}

/// Where a declared variable is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Local,
    Global,
    Exported,
}

/// One place where a name stands, or might.
#[derive(Debug)]
pub(crate) struct Occurrence {
    pub(crate) file: u32,
    pub(crate) function: FunctionId,
    pub(crate) role: Role,
    pub(crate) text: Text,
    /// It happens whenever the file is sourced: outside any function, condition, loop and subshell.
    pub(crate) surely: bool,
}

/// A place where something happens that may concern any name.
#[derive(Debug)]
pub(crate) struct Unknown {
    pub(crate) file: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) why: Why,
}

/// What is at a place that no rule looked into: why a name there is not decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Region {
    Comment,
    /// Text for people, in which names stay as people know them.
    Message,
    HereDocument,
    String,
}

/// A function, as far as variables are concerned.
#[derive(Debug, Default)]
pub(crate) struct Function {
    pub(crate) name: Vec<u8>,
    pub(crate) locals: HashSet<Vec<u8>>,
    /// Variables that it declares with `-i`.
    pub(crate) integers: HashSet<Vec<u8>>,
    /// Variables whose values it takes for names of variables: `${!x}`.
    pub(crate) indirect: HashSet<Vec<u8>>,
    /// Variables whose values it uses as names of functions, and nothing else: `"$x" argument`, `declare -F "$x"`.
    pub(crate) called: HashSet<Vec<u8>>,
    /// Variables whose values it uses in any other way.
    pub(crate) spelled: HashSet<Vec<u8>>,
    /// Variables that are other variables there: `declare -n`.
    pub(crate) namerefs: HashSet<Vec<u8>>,
    /// The names that they are declared with, and the file that is in.
    pub(crate) bound: Vec<(u32, Vec<u8>, Text)>,
    /// Those of them that are declared without a value: the first one that they are given is a name.
    pub(crate) unbound: HashSet<Vec<u8>>,
    /// Variables that change what they are given: `declare -u`.
    pub(crate) changing: HashSet<Vec<u8>>,
    /// It moves its arguments: `shift`.
    pub(crate) shifts: bool,
    /// It treats arguments as names of variables: a nameref, an indirect expansion, `eval`.
    pub(crate) takes_names: bool,
    /// It runs a command whose name is only known then, so arguments may be names of functions.
    pub(crate) takes_functions: bool,
}

/// A change that is not of a name.
#[derive(Debug)]
pub(crate) struct Addition {
    pub(crate) file: u32,
    pub(crate) at: u32,
    pub(crate) text: &'static str,
}

/// All that was found in a package's files.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) occurrences: Vec<Occurrence>,
    pub(crate) functions: Vec<Function>,
    /// Places in each file that are not code.
    pub(crate) regions: Vec<Vec<(u32, u32, Region)>>,
    /// Files that are run and not sourced.
    pub(crate) programs: HashSet<u32>,
    /// Files that source others of the package.
    pub(crate) sourcing: HashSet<u32>,
    /// The paths of all files, to tell which of them are sourced.
    pub(crate) paths: Vec<String>,
    /// Functions that are defined whenever a file of the library is sourced.
    pub(crate) surely_defined: HashSet<Vec<u8>>,
    /// Places, by file and offset, where a variable is assigned that was looked at before.
    pub(crate) guarded: HashSet<(u32, u32)>,
    /// Where, in a file, a variable that is assigned at a place gets its value, if that is not where its name stands.
    pub(crate) assigned_at: HashMap<(u32, u32), u32>,
    /// Places, by file and offset, where a variable is assigned that is read by that: `x+=y`, `((x++))`.
    pub(crate) added_to: HashSet<(u32, u32)>,
    /// Places, by file and offset, where a variable is only looked at for whether to return at once.
    pub(crate) entry_guards: HashSet<(u32, u32)>,
    pub(crate) additions: Vec<Addition>,
    pub(crate) unknowns: Vec<Unknown>,
    pub(crate) values: Values,
}

impl Facts {
    pub(crate) fn new(files: &[SourceFile], programs: &BTreeSet<String>) -> Self {
        let is_program = |(_, file): &(u32, &SourceFile)| programs.contains(&file.path);
        Self {
            functions: vec![Function::default()],
            paths: files.iter().map(|file| file.path.clone()).collect(),
            programs: (0..).zip(files).filter(is_program).map(|(index, _)| index).collect(),
            ..Self::default()
        }
    }
}
