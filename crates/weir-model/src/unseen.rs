//! Characters that are not what they look like: those that a terminal obeys, that turn the direction of the text beside
//! them, or that nobody sees.
//!
//! Names must have none of them, or two names could look alike. Text from outside is shown with [`harmless`], which is
//! the only way from such a text to a terminal.
//!
//! Marks that stand on other characters are bounded, too: a pile of them is drawn over the lines above and below.
//!
//! Sources: UAX #9 (`Bidi_Control`), UAX #44 (`Default_Ignorable_Code_Point`), ECMA-48 (control characters).

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;

/// So many marks stand on a character at most: words of no script have more.
const MOST_MARKS: usize = 4;

/// The longest name from outside that a message repeats, in characters.
const MOST_NAMED: usize = 200;

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

/// The marks on the character that was shown last.
#[derive(Debug, Clone, Copy, Default)]
pub struct Marks(usize);

impl Marks {
    /// A character as it may be shown after those before it: the first mark that is one too many is `U+FFFD`, and those behind it are
    /// nothing.
    pub fn shown(&mut self, character: char) -> Option<char> {
        // What joins characters is none on which others could stand.
        if !is_mark(character) && !is_joiner(character) {
            self.0 = 0;
            return Some(character);
        }
        self.0 += usize::from(!is_joiner(character));
        match self.0 {
            0..=MOST_MARKS => Some(character),
            marks => {
                (marks == MOST_MARKS + 1 && !is_joiner(character)).then_some(char::REPLACEMENT_CHARACTER)
            }
        }
    }

    /// Whether more marks stand on a character of `text` than are shown.
    pub fn are_too_many_in(text: &str) -> bool {
        let mut marks = Self::default();
        !text.is_ascii() && text.chars().any(|character| marks.shown(character) != Some(character))
    }
}

/// Whether a character stands on the one before it.
pub fn is_mark(character: char) -> bool {
    !character.is_ascii() && is_combining_mark(character)
}

fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}')
}

/// A text from outside, as a message names it.
pub trait Named {
    /// On one line, with nothing in it that [`harmless`] would not show, and cut where it is longer than anybody reads.
    fn named(&self) -> String;
}

impl Named for str {
    fn named(&self) -> String {
        let mut shown: String = harmless(self).chars().take(MOST_NAMED).collect();
        if self.chars().nth(MOST_NAMED).is_some() {
            shown.push('…');
        }
        shown.replace('\n', "\u{fffd}")
    }
}

impl Named for char {
    fn named(&self) -> String {
        match is_unseen(*self) {
            true => format!("U+{:04X}", u32::from(*self)),
            false => self.to_string(),
        }
    }
}

/// Whether a terminal may be given `text`: there is nothing in it that it would obey, and nothing that nobody sees. Piles of marks are
/// cut only where they are shown, and may be in what was registered.
pub fn is_harmless(text: &str) -> bool {
    !text.contains(is_obeyed)
}

/// `text` as a terminal may show it: what it would obey, and what nobody would see, is `U+FFFD`. Line ends stay as `\n`, and
/// a tab is a space.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if is_harmless(text) && !Marks::are_too_many_in(text) {
        return Cow::Borrowed(text);
    }
    let text = text.replace("\r\n", "\n");
    let mut marks = Marks::default();
    let shown = text.chars().map(|character| match character {
        '\t' => ' ',
        obeyed if is_obeyed(obeyed) => char::REPLACEMENT_CHARACTER,
        character => character,
    });
    Cow::Owned(shown.filter_map(|character| marks.shown(character)).collect())
}

/// The same in one line: what follows another line end would look as if the program said it.
pub fn harmless_line(text: &str) -> Cow<'_, str> {
    match harmless(text) {
        lines if lines.contains('\n') => Cow::Owned(lines.replace('\n', " ")),
        line => line,
    }
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

    use super::{Named as _, harmless, harmless_json, harmless_line, is_unseen};

    #[test]
    fn a_stranger_cannot_begin_a_line() {
        assert_eq!(harmless_line("x\n✓ all is well\r\nso"), "x ✓ all is well so");
        assert_eq!(harmless_line("x"), "x");
    }

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
        for text in [
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "👨\u{200d}👩",
            "❤\u{fe0f}",
            "日本語",
            "שלום",
            "Vi\u{302}\u{323}t",
            "בְּרֵאשִׁ֖ית",
            "ที่นี้",
            "བསྒྲུབས",
        ] {
            assert_eq!(harmless(text), text);
        }
    }

    #[test]
    fn a_pile_of_marks_is_cut() {
        let pile = "\u{301}".repeat(300);
        let cut = format!("Z{}\u{fffd}algo", "\u{301}".repeat(4));
        assert_eq!(harmless(&format!("Z{pile}algo")), cut);
        let joined = "\u{200d}\u{301}".repeat(300);
        assert!(harmless(&format!("Z{joined}algo")).chars().count() < 20);
    }

    #[test]
    fn a_name_is_told_on_one_line() {
        assert_eq!("a\nb\u{202e}'c".named(), "a\u{fffd}b\u{fffd}'c");
        assert_eq!("a".repeat(300).named(), "a".repeat(200) + "…");
        assert_eq!(('ä'.named(), '\u{202e}'.named()), ("ä".into(), "U+202E".into()));
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
