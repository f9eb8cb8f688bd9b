//! Modules: their names, and what the first words of a file say.

/// The longest name of a module, in bytes.
const LONGEST: usize = 255;

/// What sort of module a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// A module like any other, or one that says nothing of itself.
    Plain,
    /// `port module`: it speaks with JavaScript, and only an application may have it.
    Port,
    /// `effect module`: only Elm's own packages may have it.
    Effect,
}

/// Whether this names a module: `Json.Decode`.
pub fn is_module_name(name: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    name.len() <= LONGEST && name.split('.').all(is_part)
}

impl Header {
    /// Reads the beginning of a file, after comments.
    pub fn read(text: &str) -> Self {
        match first_word(text) {
            "port" => Self::Port,
            "effect" => Self::Effect,
            _ => Self::Plain,
        }
    }
}

/// The first word that is not in a comment; comments between `{-` and `-}` nest.
fn first_word(text: &str) -> &str {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text).trim_start();
    loop {
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if rest.starts_with("{-") {
            after_comment(rest)
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            return &rest[..end];
        }
        .trim_start();
    }
}

/// What follows a comment that `text` begins with; nothing where it does not end.
pub(crate) fn after_comment(text: &str) -> &str {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(found) = text[at..].find(['{', '-']) {
        at += found;
        match &text.as_bytes()[at..] {
            [b'{', b'-', ..] => depth = depth.saturating_add(1),
            [b'-', b'}', ..] => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return &text[at..];
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::{Header, is_module_name};

    #[test]
    fn a_port_module_is_told_through_any_comments() {
        for text in [
            "port module A exposing (..)",
            "-- port\n\n  port module A",
            "{- module {- nested -} A -} port module A",
            "\u{feff}{-| -}\n-- x\nport module A",
        ] {
            assert_eq!(Header::read(text), Header::Port, "{text}");
        }
        for text in [
            "module A exposing (..)\nport x : Int",
            "ports",
            "{- port",
            "{- -- -}\nmodule",
            "",
            "{-{-",
            "{--}{-}",
        ] {
            assert_eq!(Header::read(text), Header::Plain, "{text}");
        }
        assert_eq!(Header::read("effect module Task where"), Header::Effect);
    }

    #[test]
    fn names_of_modules_are_no_paths() {
        assert!(is_module_name("Json.Decode") && is_module_name("A1_b"));
        for bad in ["", "a", "Json.", ".A", "A/B", "..", "A.b", "Ä", "A B", "A\u{0}"] {
            assert!(!is_module_name(bad), "{bad}");
        }
    }
}
