//! Values as the shell reads them: `BacPack` puts them, unescaped, between double quotes into a command line.

use std::collections::BTreeMap;

/// What a value becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expanded {
    pub(crate) text: String,
    /// The variables that were replaced by nothing, because they are not set.
    pub(crate) unset: Vec<String>,
}

/// Replaces `$NAME` and `${NAME}` by what `environment` says.
///
/// # Errors
///
/// When the shell would do something else with the value: run a command, end the quotes, calculate.
pub(crate) fn expand(value: &str, environment: &BTreeMap<String, String>) -> Result<Expanded, String> {
    if let Some(sign) = value.chars().find(|c| matches!(c, '`' | '"' | '\\')) {
        return Err(format!("holds {sign:?}, which the shell would not leave as it is"));
    }
    let mut expanded = Expanded { text: String::new(), unset: Vec::new() };
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.text.push_str(before);
        let Some((name, after)) = variable(after)? else {
            expanded.text.push('$');
            rest = after;
            continue;
        };
        match environment.get(name) {
            Some(text) => expanded.text.push_str(text),
            None => expanded.unset.push(name.to_owned()),
        }
        rest = after;
    }
    expanded.text.push_str(rest);
    Ok(expanded)
}

/// The variable named after a `$`, and what follows it; nothing where the `$` stands for itself.
fn variable(after: &str) -> Result<Option<(&str, &str)>, String> {
    if let Some(braced) = after.strip_prefix('{') {
        return match braced.split_once('}') {
            Some((name, after)) if is_name(name) => Ok(Some((name, after))),
            _ => Err("holds a `${…}` that is more than the name of a variable".into()),
        };
    }
    let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
    let (name, rest) = after.split_at(end);
    if is_name(name) {
        return Ok(Some((name, rest)));
    }
    match after.chars().next() {
        Some('(' | '[') => Err("holds a `$(`, which the shell would run".into()),
        Some(c) if c.is_ascii_digit() || "@*#?$!-".contains(c) => {
            Err(format!("holds `${c}`, which only the shell that builds knows"))
        }
        _ => Ok(None),
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(value: &str) -> Result<(String, Vec<String>), String> {
        let environment = BTreeMap::from([("FLAGS".to_owned(), "-Wall".to_owned())]);
        expand(value, &environment).map(|expanded| (expanded.text, expanded.unset))
    }

    #[test]
    fn variables_are_replaced_as_the_shell_replaces_them() {
        assert_eq!(expanded("${FLAGS} -fPIC"), Ok(("-Wall -fPIC".into(), vec![])));
        assert_eq!(expanded("$FLAGS/x$FLAGSX"), Ok(("-Wall/x".into(), vec!["FLAGSX".into()])));
        assert_eq!(
            expanded("${CMAKE_CXX_FLAGS} -fPIC"),
            Ok((" -fPIC".into(), vec!["CMAKE_CXX_FLAGS".into()]))
        );
        for same in ["", "ON", "a b;c 'd' & e", "100$", "$ x", "$/x", "$é", "!x"] {
            assert_eq!(expanded(same), Ok((same.into(), vec![])));
        }
    }

    #[test]
    fn what_the_shell_would_run_or_unquote_is_refused() {
        for refused in
            ["$(x)", "`x`", "a\"; x; \"", "a\\b", "${x:-y}", "${", "${}", "${a", "$$", "$1", "$((1))", "$?"]
        {
            assert!(expanded(refused).is_err(), "{refused}");
        }
    }
}
