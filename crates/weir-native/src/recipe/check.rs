//! What the names and values of a recipe may be.
//!
//! They become arguments and variables of programs that run on whoever builds the recipe: none may be
//! taken for an option, reach outside its folder, or undo what the sandbox sets.

use weir_tree::TreePath;

use super::System;

/// The most entries of one list or table of a recipe.
pub(crate) const MAX_ENTRIES: usize = 256;
/// The longest name, in bytes.
const MAX_NAME: usize = 128;
/// The longest value, in bytes.
const MAX_VALUE: usize = 16 << 10;
/// The longest address, in bytes.
const MAX_ADDRESS: usize = 2048;

/// What a build has from Weir, whatever a recipe says.
const OUR_VARIABLES: &str = "\
    ACLOCAL_PATH BASHOPTS BASH_ENV CDPATH CMAKE_GENERATOR CMAKE_PREFIX_PATH CPATH DESTDIR ENV GLOBIGNORE HOME HOSTNAME \
    IFS JOBS LANG LANGUAGE LIBRARY_PATH LOGNAME OLDPWD PATH PKG_CONFIG PKG_CONFIG_LIBDIR PKG_CONFIG_PATH \
    PKG_CONFIG_SYSROOT_DIR PREFIX PS4 PWD SHELL SHELLOPTS SOURCE_DATE_EPOCH SYSROOT TEMP TERM TMP TMPDIR TZ USER \
    VARIANT ZERO_AR_DATE";
/// Beginnings of the names of such variables: of the dynamic linker, of the locale, and of Weir itself.
const OUR_BEGINNINGS: &[&str] = &["DYLD_", "GLIBC_TUNABLES", "LC_", "LD_", "WEIR_"];

/// Checks the name of a variable of the environment.
pub(crate) fn variable(name: &str) -> Result<(), String> {
    if !is_identifier(name) {
        return Err("a variable is named with letters, digits and `_`, a letter or `_` first".into());
    }
    let is_ours = OUR_VARIABLES.split(' ').any(|ours| ours == name);
    if is_ours || OUR_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) {
        return Err(format!("`{name}` is set by Weir for every build"));
    }
    Ok(())
}

fn is_identifier(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Checks the name of a program of the build root, such as `tclsh`.
pub(crate) fn tool(name: &str) -> Result<(), String> {
    let good = name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c));
    good.then_some(()).ok_or_else(|| {
        "a tool is the name of a program, such as `tclsh`: neither a path nor words for it".into()
    })
}

/// Checks the name of a setting of a build system.
pub(crate) fn define(system: &System, name: &str) -> Result<(), String> {
    let (more, ours): (&str, &[&str]) = match system {
        System::Cmake => ("_-.+/", &["CMAKE_INSTALL_PREFIX", "CMAKE_PREFIX_PATH", "CMAKE_STAGING_PREFIX"]),
        System::Meson => ("_-.:", &["prefix", "cmake_prefix_path", "cmake-prefix-path"]),
        System::Autotools => ("_-", &["prefix", "exec-prefix", "srcdir"]),
        // A sign before the `=` would choose another assignment: `NAME!=command` runs a shell.
        System::Make { .. } => ("_", &["DESTDIR", "PREFIX", "prefix", "SHELL"]),
        // They are variables of its environment.
        System::Script { .. } => return variable(name),
    };
    let good = name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    if !good {
        return Err(format!(
            "a setting for {} is named with letters, digits and {}, a letter or `_` first, at most {MAX_NAME}",
            system.as_str(),
            more.chars().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(" ")
        ));
    }
    if ours.contains(&name) {
        return Err(format!("`{name}` is set by Weir for every build"));
    }
    Ok(())
}

/// Checks a value: of a setting, or of a variable.
pub(crate) fn value(value: &str) -> Result<(), String> {
    if value.len() > MAX_VALUE {
        return Err(format!("its value is longer than {MAX_VALUE} bytes"));
    }
    match value.chars().find(|c| c.is_control()) {
        Some(control) => Err(format!("its value has the control character {control:?}")),
        None => Ok(()),
    }
}

/// Checks a target of `make`.
pub(crate) fn target(name: &str) -> Result<(), String> {
    let good = name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.+/".contains(c))
        && name.split('/').all(|part| part != "..");
    good.then_some(()).ok_or_else(|| {
        "a target is named with letters, digits, `_`, `-`, `.`, `+` and `/`, at most 128, and none of its parts is `..`".into()
    })
}

/// Checks the file name of a shared library.
pub(crate) fn system_library(name: &str) -> Result<(), String> {
    let good = name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.+".contains(c))
        && name.contains(".so");
    good.then_some(()).ok_or_else(|| "a shared library is named by its file, such as `libm.so.6`".into())
}

/// Checks the path of a file or folder that must be inside another.
pub(crate) fn inside(path: &str) -> Result<(), String> {
    TreePath::new(path).map(drop).map_err(|error| error.to_string())
}

/// Checks the address of an archive: `https://`, `http://`, or a path.
pub(crate) fn archive_address(address: &str) -> Result<(), String> {
    printable(address)?;
    match address.split_once("://") {
        Some((scheme @ ("https" | "http"), rest)) => no_secret(scheme, rest),
        Some(("file", _)) | None => not_an_option(address),
        Some(_) => Err("an archive is at an `https://` or `http://` address, or a path".into()),
    }
}

/// Checks the address of a git repository: that git runs no other program because of it, and that it holds no password.
///
/// # Errors
///
/// Why it is refused, in words that end a sentence.
pub fn git_address(address: &str) -> Result<(), String> {
    printable(address)?;
    not_an_option(address)?;
    // `ext::command` makes git run the command.
    if address.contains("::") {
        return Err("an address with `::` makes git start another program".into());
    }
    match address.split_once("://") {
        Some((scheme @ ("https" | "http"), rest)) => no_secret(scheme, rest),
        Some(("ssh", rest)) => no_password(rest),
        Some(("git" | "file", _)) | None => Ok(()),
        Some(_) => {
            Err("a git repository is at an `https`, `http`, `ssh`, `git` or `file` address, or a path".into())
        }
    }
}

/// Checks the name of a tag: what git allows, and no spaces.
pub(crate) fn tag(tag: &str) -> Result<(), String> {
    let good = !tag.is_empty()
        && tag.len() <= MAX_ADDRESS
        && !tag.starts_with(['-', '/', '.'])
        && !tag.ends_with(['/', '.'])
        && !tag.contains("..")
        && !tag.contains("@{")
        && !tag.contains("//")
        && !tag.chars().any(|c| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c));
    good.then_some(()).ok_or_else(|| "no tag of git can have this name".into())
}

/// Checks the path of a source's folder, relative to that of the recipe; it may lead out of it.
pub(crate) fn source_path(path: &str) -> Result<(), String> {
    printable(path)?;
    if path.starts_with(['/', '~']) || path.contains('\\') || path.contains("://") {
        return Err("the folder of a source is relative to that of the recipe".into());
    }
    Ok(())
}

fn printable(text: &str) -> Result<(), String> {
    if text.is_empty() || text.len() > MAX_ADDRESS {
        return Err(format!("it must have from 1 to {MAX_ADDRESS} bytes"));
    }
    match text.chars().find(|c| c.is_control()) {
        Some(control) => Err(format!("it has the control character {control:?}")),
        None => Ok(()),
    }
}

fn not_an_option(text: &str) -> Result<(), String> {
    if text.starts_with('-') { Err("it begins with `-`, as an option does".into()) } else { Ok(()) }
}

/// Recipes and provenance are read by everyone: what is before the `@` of an address would be too.
fn no_secret(scheme: &str, rest: &str) -> Result<(), String> {
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || host.contains(char::is_whitespace) {
        return Err("the address names no host".into());
    }
    if host.contains('@') {
        return Err(format!("the address has a name or password before its host: write `{scheme}://host/…`"));
    }
    Ok(())
}

/// The user's name is part of an address of `ssh`; a password is not.
fn no_password(rest: &str) -> Result<(), String> {
    let host = rest.split('/').next().unwrap_or_default();
    match host.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => Err("the address holds a password".into()),
        _ => Ok(()),
    }
}
