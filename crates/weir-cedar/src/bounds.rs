//! How much a policy may be. Cedar reads text by recursion, and so it drops, checks and evaluates what it has read: what is
//! nested deeper than any person writes is refused before it sees it.

use crate::problem::Problem;

/// Brackets of any sort within one another.
const MAX_DEPTH: usize = 32;

/// `if` in one policy: each is one deeper than the one before.
const MAX_CONDITIONALS: usize = 32;

/// Operators, and fields of fields, in one policy: a chain of them is as deep as it is long.
const MAX_OPERATORS: usize = 512;

/// Refuses text in which something is nested too deep, by brackets, conditionals or chains. It need not be Cedar: what is no
/// token counts for nothing here, and is refused by who reads it.
pub(crate) fn check(file: &str, text: &str) -> Result<(), Problem> {
    let mut depth = 0_usize;
    let (mut conditionals, mut operators) = (0_usize, 0_usize);
    let mut rest = text.char_indices().peekable();
    let mut word_before = false;
    while let Some((at, character)) = rest.next() {
        let too = |what: &str, most: usize| {
            Problem::at(file, text, at, format!("a policy has at most {most} {what}"))
        };
        let is_word = character.is_alphanumeric() || character == '_';
        match character {
            '"' => {
                while let Some((_, inside)) = rest.next() {
                    match inside {
                        '\\' => drop(rest.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '/' if rest.peek().is_some_and(|(_, next)| *next == '/') => {
                while rest.next_if(|(_, inside)| *inside != '\n').is_some() {}
            }
            '(' | '[' | '{' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(too("brackets within one another", MAX_DEPTH));
                }
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ';' => (depth, conditionals, operators) = (0, 0, 0),
            'i' if !word_before && text[at..].starts_with("if") => {
                conditionals += 1;
                if conditionals > MAX_CONDITIONALS {
                    return Err(too("conditionals", MAX_CONDITIONALS));
                }
            }
            '|' | '&' | '+' | '-' | '*' | '!' | '.' | '<' | '>' | '=' => {
                operators += 1;
                if operators > MAX_OPERATORS {
                    return Err(too("operators", MAX_OPERATORS));
                }
            }
            _ => {}
        }
        word_before = is_word;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_people_write_is_within_bounds() {
        let list: Vec<String> = (0..2000).map(|number| format!("\"((((if a.b && {number}\"")).collect();
        let text = format!("// (((( ...\n permit (p, a, r) when {{ [{}].contains(x) }};", list.join(", "));
        assert_eq!(check("a.cedar", &text), Ok(()));
        assert_eq!(check("a.cedar", &"permit (p, a, r) when { a.b && c == d };\n".repeat(2000)), Ok(()));
    }

    #[test]
    fn what_is_nested_deeper_is_not() {
        for part in ["(", "[", "{", "{a:", "!", "-", "a.", "a && ", "if a then b else ", "a[", "!("] {
            let text = format!("permit (p, a, r) when {{ {} }};", part.repeat(2000));
            let problem = check("a.cedar", &text).expect_err(part);
            assert!(problem.message.starts_with("a policy has at most"), "{problem}");
        }
    }
}
