//! Forms of names that are made when the code runs: what of them is known, and where there may be anything.

use super::collect::identifier;
use super::text::Text;

/// A part of a form: text that is known, or anything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Part {
    Known(Vec<u8>),
    Any,
}

/// The form of a text: what is known of it, and where there may be anything.
pub(super) fn parts(text: &Text) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut known = Vec::new();
    let mut at = 0;
    while at < text.bytes.len() {
        let byte = text.bytes[at];
        let braces = alternatives(&text.bytes[at..]);
        // Escapes of `$'…'` are this byte, whatever they stand for.
        if text.origin(at).opaque || byte == b'\x01' || braces.is_some() {
            if !known.is_empty() {
                parts.push(Part::Known(std::mem::take(&mut known)));
            }
            if parts.last() != Some(&Part::Any) {
                parts.push(Part::Any);
            }
        } else {
            known.push(byte);
        }
        at += braces.unwrap_or(1);
    }
    if !known.is_empty() {
        parts.push(Part::Known(known));
    }
    parts
}

/// The length of `{a,b}` or `{1..3}`.
pub(super) fn alternatives(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'{') {
        return None;
    }
    let end = text.iter().take(256).position(|byte| *byte == b'}')?;
    let inner = &text[1..end];
    (inner.contains(&b',') || inner.windows(2).any(|pair| pair == b"..")).then_some(end + 1)
}

/// Whether a name has a form: each known part in its order, with whatever between them.
pub(super) fn has_form(name: &[u8], form: &[Part]) -> bool {
    let mut rest = name;
    let mut anything = false;
    for (index, part) in form.iter().enumerate() {
        match part {
            Part::Any => anything = true,
            Part::Known(known) if !anything => match rest.strip_prefix(&known[..]) {
                Some(after) => rest = after,
                None => return false,
            },
            Part::Known(known) if index + 1 == form.len() => return rest.ends_with(known),
            Part::Known(known) => match memchr::memmem::find(rest, known) {
                Some(at) => {
                    rest = &rest[at + known.len()..];
                    anything = false;
                }
                None => return false,
            },
        }
    }
    anything || rest.is_empty()
}

/// The form of what `printf` makes of a format, to its first line's or column's end; and whether all that goes into it are numbers.
pub(super) fn of_format(format: &Text) -> (Vec<Part>, bool) {
    let end = format.bytes.windows(2).position(|pair| matches!(pair, b"\\n" | b"\\t"));
    let format = format.slice(0..end.unwrap_or(format.bytes.len()));
    let mut form: Vec<Part> = Vec::new();
    let (mut directive, mut numbers) = (false, true);
    for part in parts(&format) {
        let Part::Known(known) = part else {
            form.push(Part::Any);
            numbers = false;
            continue;
        };
        let mut literal = Vec::new();
        for byte in known {
            if directive {
                directive = !(byte.is_ascii_alphabetic() || byte == b'%');
                numbers &= directive || b"diouxXeEfgG".contains(&byte);
                if byte == b'%' {
                    literal.push(byte);
                } else if !directive {
                    form.push(Part::Known(std::mem::take(&mut literal)));
                    form.push(Part::Any);
                }
            } else if byte == b'%' {
                directive = true;
            } else if byte == b'\\' {
                form.push(Part::Known(std::mem::take(&mut literal)));
                form.push(Part::Any);
            } else {
                literal.push(byte);
            }
        }
        form.push(Part::Known(literal));
    }
    form.retain(|part| *part != Part::Known(Vec::new()));
    (form, numbers)
}

/// The part of a form that is the name of a variable: of `x_*=…` and `x_*[…` it is what comes before. Nothing, if no variable has
/// such a name.
pub(super) fn of_variable(form: &[Part]) -> Vec<Part> {
    let mut name = Vec::new();
    for part in form {
        let Part::Known(known) = part else {
            name.push(Part::Any);
            continue;
        };
        let length = known.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        if length > 0 {
            name.push(Part::Known(known[..length].to_vec()));
        }
        match known.get(length) {
            None => {}
            Some(b'=' | b'[' | b'+') => break,
            Some(_) => return Vec::new(),
        }
    }
    match name.first() {
        Some(Part::Known(known)) if identifier(known) == 0 => Vec::new(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, has_form, of_variable};

    #[test]
    fn a_name_has_a_form_or_not() {
        let form = |text: &str| -> Vec<Part> {
            let known = text.split('*').map(|part| Part::Known(part.into()));
            let mut parts: Vec<Part> = known.flat_map(|part| [part, Part::Any]).collect();
            parts.pop();
            parts.retain(|part| *part != Part::Known(Vec::new()));
            parts
        };
        for (name, text, has) in [
            ("c_red", "c_*", true),
            ("red_c", "*_c", true),
            ("c_red", "*_c", false),
            ("a_b_c", "*_*", true),
            ("a_b_c", "a*_c", true),
            ("ab", "a*b*", true),
            ("a", "a*a", false),
            ("cmd", "cmd_*", false),
            ("x", "*", true),
        ] {
            assert_eq!(has_form(name.as_bytes(), &form(text)), has, "{name} {text}");
        }
    }

    #[test]
    fn the_name_of_a_variable_ends_where_its_value_or_index_begins() {
        let known = |text: &str| Part::Known(text.into());
        assert_eq!(
            of_variable(&[known("a_"), Part::Any, known("=b-c"), Part::Any]),
            [known("a_"), Part::Any]
        );
        assert_eq!(of_variable(&[known("a=b")]), [known("a")]);
        assert_eq!(of_variable(&[Part::Any, known("[1]")]), [Part::Any]);
        assert_eq!(of_variable(&[known("a-b")]), []);
        assert_eq!(of_variable(&[known("1a")]), []);
    }
}
