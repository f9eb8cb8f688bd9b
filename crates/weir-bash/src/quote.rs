//! Quoting: the one way in which a name enters a generated script.
//!
//! A text becomes one single-quoted word, so that nothing in it is special to the shell: `'it'\''s'`.
//! Every script this crate generates puts every name, path and value through [`word`]; a property test has
//! real Bash read them back.

/// The text as one word of shell, which stands for exactly that text.
///
/// A zero byte, which no shell word can hold, is left out.
pub fn word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./@-+,".contains(&byte);
    // A word that begins with `-` or `+` is safe for the parser; what reads it is told `--` where it matters.
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for character in text.chars() {
        match character {
            '\'' => quoted.push_str("'\\''"),
            '\0' => {}
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// The text as part of a comment: on one line, whatever is in it.
pub fn comment(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
    use std::process::Command;

    #[test]
    fn plain_words_stay_plain() {
        assert_eq!(super::word("acme/greet@1.2.0"), "acme/greet@1.2.0");
        assert_eq!(super::word(""), "''");
        assert_eq!(super::word("it's"), "'it'\\''s'");
        assert_eq!(super::word("~x"), "'~x'");
        assert_eq!(super::comment("a\nrm -rf /"), "a rm -rf /");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn bash_reads_every_text_back_as_it_was(texts in proptest::collection::vec(any::<String>(), 1..40), nasty in "[$`'\"\\\\;&|<>(){}!\n\r\t *?~#=%-]{0,40}") {
            let mut texts: Vec<String> = texts.iter().map(|text| text.replace('\0', "")).collect();
            texts.push(nasty);
            let words: Vec<String> = texts.iter().map(|text| super::word(text)).collect();
            let script = format!("printf '%s\\0' {}", words.join(" "));
            let output = Command::new("bash").args(["--norc", "-c", &script]).output().unwrap();
            let read: Vec<String> = output.stdout.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned()).collect();
            prop_assert_eq!(&read[..texts.len()], &texts[..]);
        }
    }
}
