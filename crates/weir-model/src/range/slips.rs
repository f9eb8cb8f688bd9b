//! What a text that is no range was probably meant to say, in our words: people come from npm, pip, Bundler, Maven,
//! NuGet, Gradle, Composer and Elm, and slip.

/// The range that `text` probably means. Whether it reads is for the caller to see.
pub(super) fn meant(text: &str) -> String {
    let text = text.trim().trim_matches(['"', '\'']).trim_start_matches('@');
    let text = text.replace("||", " or ").replace('|', " or ");
    let alternatives = split_at_word(&text, "or").into_iter().flat_map(|part| alternative(&part));
    alternatives.collect::<Vec<_>>().join(" || ")
}

/// One side of a `||`; several, where something is left out of its middle.
fn alternative(part: &str) -> Vec<String> {
    let part = part.trim();
    if is_any(part) {
        return vec!["*".to_owned()];
    }
    let both = between(part).or_else(|| hyphenated(part)).or_else(|| elm(part));
    if let Some(bounds) = both {
        return vec![bounds];
    }
    let mut alternatives = vec![Vec::new()];
    for word in words(part) {
        match comparator(&word) {
            Comparator::One(text) => alternatives.iter_mut().for_each(|all| all.push(text.clone())),
            Comparator::Not(version) => {
                let with = |sign: char| {
                    let outside = format!("{sign}{version}");
                    alternatives.iter().map(move |all| [&all[..], std::slice::from_ref(&outside)].concat())
                };
                alternatives = with('<').chain(with('>')).collect();
            }
        }
    }
    alternatives.into_iter().map(|all| all.join(", ")).collect()
}

/// `latest` and the like, and stars in every place.
fn is_any(part: &str) -> bool {
    const WORDS: [&str; 9] =
        ["latest", "newest", "any", "stable", "current", "main", "master", "head", "latest.release"];
    let lower = part.to_ascii_lowercase();
    let lower = lower.trim_start_matches(['=', '^', '~', '>', ' ']);
    WORDS.contains(&lower) || (!lower.is_empty() && lower.split('.').all(is_wild))
}

fn is_wild(number: &str) -> bool {
    matches!(number, "*" | "x" | "X" | "+")
}

/// `[1.0,2.0)`, as Maven and NuGet have it.
fn between(part: &str) -> Option<String> {
    let opened = part.strip_prefix('[').map(|rest| (">=", rest));
    let (above, rest) = opened.or_else(|| part.strip_prefix('(').map(|rest| (">", rest)))?;
    let closed = rest.strip_suffix(']').map(|rest| ("<=", rest));
    let (below, inside) = closed.or_else(|| rest.strip_suffix(')').map(|rest| ("<", rest)))?;
    let Some((low, high)) = inside.split_once(',') else { return Some(format!("={}", version(inside))) };
    let bounds =
        [(above, low.trim()), (below, high.trim())].into_iter().filter(|(_, bound)| !bound.is_empty());
    let bounds: Vec<String> = bounds.map(|(sign, bound)| format!("{sign}{}", version(bound))).collect();
    Some(if bounds.is_empty() { "*".to_owned() } else { bounds.join(", ") })
}

/// `1.2 - 1.5`, as npm has it.
fn hyphenated(part: &str) -> Option<String> {
    let (low, high) = part.split_once(" - ").or_else(|| part.split_once(" to "))?;
    Some(format!(">={}, <={}", version(low.trim()), version(high.trim())))
}

/// `1.0 <= v < 2.0`, with versions that are not written out, or without spaces.
fn elm(part: &str) -> Option<String> {
    let dense: String = part.split_ascii_whitespace().collect();
    let (left, right) = dense.split_once("v<").map(|(left, right)| (left, format!("<{right}")))?;
    let low = left.trim_end_matches(['<', '=']);
    let above = if left.ends_with('=') { ">=" } else { ">" };
    let high = right.trim_start_matches(['<', '=']);
    let below = &right[..right.len() - high.len()];
    Some(format!("{above}{}, {below}{}", version(low), version(high)))
}

/// The comparators of a part, whatever stands between them; an operator belongs to what follows it.
fn words(part: &str) -> Vec<String> {
    let part = part.replace("&&", ",").replace([';', '&'], ",");
    let part = split_at_word(&part, "and").join(",");
    let mut words: Vec<String> = Vec::new();
    for word in part.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
        match words.last_mut() {
            Some(last) if is_operator(last) => last.push_str(word),
            _ => words.push(word.to_owned()),
        }
    }
    words
}

fn is_operator(word: &str) -> bool {
    word.chars().all(|c| OPERATORS.contains(&c))
}

const OPERATORS: [char; 8] = ['<', '>', '=', '~', '^', '!', '≥', '≤'];

enum Comparator {
    One(String),
    /// All but one version.
    Not(String),
}

fn comparator(word: &str) -> Comparator {
    let written = word.trim_start_matches(OPERATORS);
    let operator = &word[..word.len() - written.len()];
    let version = version(written);
    let sign = match operator {
        "!=" | "<>" | "!" | "!==" => return Comparator::Not(version),
        "==" | "===" => "=",
        "=>" | "≥" => ">=",
        "=<" | "≤" => "<=",
        // Bundler's and pip's: the last number that is named may grow.
        "~>" | "~=" => return Comparator::One(last_may_grow(&version)),
        other => other,
    };
    // Behind an operator, what is left out need not be starred.
    let version = match sign {
        "" | "=" => version,
        _ => version.split('.').take_while(|number| !is_wild(number)).collect::<Vec<_>>().join("."),
    };
    Comparator::One(format!("{sign}{version}"))
}

/// `1.4` grows to `1.x`, `1.4.2` to `1.4.x`.
fn last_may_grow(version: &str) -> String {
    let numbers: Vec<&str> = version.split('.').collect();
    match numbers[..] {
        [_] => format!(">={version}"),
        [major, _] => match major.parse::<u64>().ok().and_then(|major| major.checked_add(1)) {
            Some(1) => format!(">={version}, <1"),
            _ => format!("^{version}"),
        },
        _ => format!("~{version}"),
    }
}

/// A version without a `v`, without zeros that lead, and with stars as we write them.
fn version(text: &str) -> String {
    let text = text.trim().trim_start_matches(['v', 'V']);
    let (numbers, pre) = text.split_at(text.find('-').unwrap_or(text.len()));
    let number = |number: &str| match number {
        _ if is_wild(number) => "*".to_owned(),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() > 1 => {
            let trimmed = digits.trim_start_matches('0');
            if trimmed.is_empty() { "0".to_owned() } else { trimmed.to_owned() }
        }
        other => other.to_owned(),
    };
    format!("{}{pre}", numbers.split('.').map(number).collect::<Vec<_>>().join("."))
}

/// The parts of a text between a word that stands alone.
fn split_at_word(text: &str, word: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    words.split(|other| other.eq_ignore_ascii_case(word)).map(|part| part.join(" ")).collect()
}

#[cfg(test)]
mod tests {
    use crate::Range;

    #[test]
    fn a_slip_is_answered_with_a_range_that_reads_and_says_what_was_meant() {
        for (slip, meant) in [
            ("latest", "*"),
            ("==1.2", "=1.2"),
            ("===1.2.3", "=1.2.3"),
            ("!=1.0.0", "<1.0.0 || >1.0.0"),
            (">=1.0, !=1.5.0", ">=1.0, <1.5.0 || >=1.0, >1.5.0"),
            ("~>1.2", "^1.2"),
            ("~> 1.2.3", "~1.2.3"),
            ("~>0.2", ">=0.2, <1"),
            ("~=1.4.2", "~1.4.2"),
            ("~=1.4", "^1.4"),
            (">1.0 <2", ">1.0, <2"),
            (">= 1.0 < 2.0", ">=1.0, <2.0"),
            (">1.0 <2 || >=3.0 <4", ">1.0, <2 || >=3.0, <4"),
            (">=1.0 && <2", ">=1.0, <2"),
            (">=1 and <2", ">=1, <2"),
            ("1.2 - 1.5", ">=1.2, <=1.5"),
            ("1.0 | 2.0", "1.0 || 2.0"),
            ("^1 or ^2", "^1 || ^2"),
            ("1.2.+", "1.2.*"),
            ("[1.0,2.0)", ">=1.0, <2.0"),
            ("[1.0]", "=1.0"),
            ("(,1.0]", "<=1.0"),
            ("1.0 <= v < 2.0", ">=1.0, <2.0"),
            ("1.0.0<=v<2.0.0", ">=1.0.0, <2.0.0"),
            ("=>1.0", ">=1.0"),
            ("≥1.0", ">=1.0"),
            ("^v1.2", "^1.2"),
            ("^1.x", "^1"),
            ("2024.01", "2024.1"),
            ("\"^1.2\"", "^1.2"),
            ("x.x.x", "*"),
            ("latest || 1.0", "* || 1.0"),
            (">=1.0,", ">=1.0"),
        ] {
            let read = slip.parse::<Range>();
            let said = match &read {
                Ok(range) => range.canonical().to_owned(),
                Err(error) => error.to_string(),
            };
            let answered = said.contains(&format!("did you mean `{meant}`?"));
            assert!(answered || meant.parse::<Range>() == read, "{slip}: {said}");
        }
    }

    #[test]
    fn what_could_mean_anything_is_not_answered() {
        for text in ["1.2.3.4", "newer than 3", "1..2", "a.b.c", "^", ">=", "!", "()", "[,", "v", "🦀"] {
            let error = text.parse::<Range>().unwrap_err().to_string();
            assert!(!error.contains("did you mean"), "{text}: {error}");
        }
    }
}
