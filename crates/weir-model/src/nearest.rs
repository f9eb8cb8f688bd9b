//! "Did you mean": the known word nearest to a mistyped one.

/// The candidate most like `word`, if any is like enough to be worth suggesting
/// (Damerau-Levenshtein similarity of at least 0.6, or one is the start of the other).
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LIKE_ENOUGH: f64 = 0.6;
    // The measure is quadratic: a longer word is no typing mistake.
    const LONGEST: usize = 256;
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (likeness(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKE_ENOUGH)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

fn likeness(word: &str, candidate: &str) -> f64 {
    let word = word.to_lowercase();
    let other = candidate.to_lowercase();
    let starts =
        word.len() >= 3 && other.len() >= 3 && (other.starts_with(&word) || word.starts_with(&other));
    strsim::normalized_damerau_levenshtein(&word, &other).max(if starts { 0.65 } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_finds_its_word_and_nonsense_finds_none() {
        assert_eq!(nearest("dependancies", ["package", "dependencies"]), Some("dependencies"));
        assert_eq!(nearest("zzz", ["package", "dependencies"]), None);
    }
}
