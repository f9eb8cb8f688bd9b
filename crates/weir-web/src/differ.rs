//! How two texts differ, line by line, bounded in time and length.

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

/// So long is looked for the shortest way from one text to the other; after that a longer one does.
const PATIENCE: Duration = Duration::from_millis(150);

/// Lines around what differs.
const AROUND: usize = 3;

/// The most characters of a line that are shown.
const LONGEST: usize = 400;

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) sort: Sort,
    pub(crate) text: String,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Where what follows stands in both.
    Place,
    Both,
    Gone,
    New,
}

impl Line {
    /// The class that its colour goes by.
    pub(crate) fn class(&self) -> &'static str {
        match self.sort {
            Sort::Place => "place",
            Sort::Both => "both",
            Sort::Gone => "gone",
            Sort::New => "new",
        }
    }

    pub(crate) fn mark(&self) -> &'static str {
        match self.sort {
            Sort::Place => "",
            Sort::Both => " ",
            Sort::Gone => "-",
            Sort::New => "+",
        }
    }
}

/// How `new` differs from `old`, in lines that make about `most` bytes of a page, and whether there is more.
pub(crate) fn difference(old: &str, new: &str, most: usize) -> (Vec<Line>, bool) {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    let mut lines = Vec::new();
    let mut cost = 0;
    for hunk in diff.unified_diff().context_radius(AROUND).iter_hunks() {
        lines.push(Line { sort: Sort::Place, text: hunk.header().to_string() });
        for change in hunk.iter_changes() {
            let sort = match change.tag() {
                ChangeTag::Equal => Sort::Both,
                ChangeTag::Delete => Sort::Gone,
                ChangeTag::Insert => Sort::New,
            };
            let text = cut(change.value().trim_end_matches(['\n', '\r']));
            cost += text.len() + 40;
            if cost > most {
                return (lines, true);
            }
            lines.push(Line { sort, text });
        }
    }
    (lines, false)
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn lines_that_differ_are_told_with_those_around_them() {
        let old: String = (0..20).map(|line| format!("line {line}\n")).collect();
        let new = old.replace("line 10\n", "another\nand one more\n");
        let (lines, more) = difference(&old, &new, 10_000);
        let told: Vec<String> = lines.iter().map(|line| format!("{}{}", line.mark(), line.text)).collect();
        let expected = [
            "@@ -8,7 +8,8 @@",
            " line 7",
            " line 8",
            " line 9",
            "-line 10",
            "+another",
            "+and one more",
            " line 11",
            " line 12",
            " line 13",
        ];
        assert_eq!((told, more), (expected.map(str::to_owned).to_vec(), false));
        assert_eq!(difference(&old, &old, 10_000), (Vec::new(), false));
    }

    #[test]
    fn what_costs_much_is_cut() {
        let began = std::time::Instant::now();
        let text =
            |step: usize| (0..50_000).map(|line| format!("{}\n", line * step % 9973)).collect::<String>();
        let (lines, more) = difference(&text(7), &text(11), 20_000);
        assert!(more && lines.len() < 600, "{}", lines.len());
        let (lines, more) = difference("", &"x".repeat(1_000_000), 20_000);
        assert!(!more && lines[1].text.chars().count() == super::LONGEST + 1);
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
    }
}
