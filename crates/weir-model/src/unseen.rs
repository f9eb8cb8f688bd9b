//! Characters that are not what they look like: those that a terminal obeys, that turn the direction of the text beside
//! them, or that nobody sees.
//!
//! Names must have none of them, or two names could look alike. Text from outside is shown with [`harmless`], which is
//! the only way from such a text to a terminal.
//!
//! Sources: UAX #9 (`Bidi_Control`), UAX #44 (`Default_Ignorable_Code_Point`), ECMA-48 (control characters).

use std::borrow::Cow;

/// Whether a reader does not see this character, or it changes how others are shown. The selectors of emoji and of ideographs
/// (U+FE00 to U+FE0F) are not counted, as they choose between two shapes that can be seen.
pub fn is_unseen(character: char) -> bool {
    !character.is_ascii()
        && (character.is_control()
            || matches!(character,
                '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'))
        || character.is_ascii_control()
}

/// Whether a terminal must not get this character from a stranger: as [`is_unseen`], but for the two joiners that
/// words of Persian and Hindi, and emoji of several people, are written with.
fn is_obeyed(character: char) -> bool {
    is_unseen(character) && !matches!(character, '\n' | '\u{200c}' | '\u{200d}')
}

/// `text` as a terminal may show it: what it would obey, and what nobody would see, is `U+FFFD`. Line ends stay as `\n`, and
/// a tab is a space.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    let shown = text.chars().map(|character| match character {
        '\t' => ' ',
        obeyed if is_obeyed(obeyed) => char::REPLACEMENT_CHARACTER,
        character => character,
    });
    Cow::Owned(shown.collect())
}

/// JSON whose strings have such characters escaped, so that it means the same and can be shown.
pub fn harmless_json(json: &str) -> Cow<'_, str> {
    if !json.contains(is_obeyed) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 64);
    for character in json.chars() {
        if is_obeyed(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{harmless, harmless_json, is_unseen};

    #[test]
    fn a_stranger_cannot_command_the_terminal() {
        assert_eq!(
            harmless("\u{1b}]0;owned\u{7}\r\u{9b}2J\u{202e}txt\u{200b}"),
            "\u{fffd}]0;owned\u{fffd}\u{fffd}\u{fffd}2J\u{fffd}txt\u{fffd}"
        );
        assert_eq!(harmless("two\nlines, größer"), "two\nlines, größer");
        assert_eq!(harmless("a\tb\r\nc"), "a b\nc");
    }

    #[test]
    fn words_of_every_script_are_shown_as_they_are() {
        for text in ["می\u{200c}خواهم", "क्\u{200d}ष", "👨\u{200d}👩", "❤\u{fe0f}", "日本語", "שלום"]
        {
            assert_eq!(harmless(text), text);
        }
    }

    #[test]
    fn what_changes_how_other_characters_are_shown_is_unseen() {
        for character in ['\u{7}', '\u{7f}', '\u{9b}', '\u{61c}', '\u{2066}', '\u{200d}', '\u{e0041}'] {
            assert!(is_unseen(character), "{character:?}");
        }
        for character in ['a', ' ', 'é', '\u{fe0f}', '\u{301}', '\u{1f600}'] {
            assert!(!is_unseen(character), "{character:?}");
        }
    }

    proptest! {
        #[test]
        fn json_made_harmless_means_the_same(text in any::<String>()) {
            let json = serde_json::to_string_pretty(&[&text]).unwrap();
            let shown = harmless_json(&json);
            prop_assert!(!shown.chars().any(super::is_obeyed));
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&shown).unwrap(), vec![text]);
        }
    }
}
