//! What a search on a site reads: a compact index, in parts.
//!
//! `search/parts.json` lists the beginnings of words by which parts are called, and how many packages there are. A part, such as
//! `search/words/str.json`, has every word that begins so and, in increasing numbers, the packages that have it: twice the number of the
//! package, and one more where the word is in its description alone. Packages are numbered by how many others need them, then by name, so that
//! lower numbers are shown first; a hundred of them are in a file, such as `search/packages/0.json`. A part has at most [`LARGEST`] bytes or words that
//! begin with as many characters as are told apart ([`DEEPEST`]).

use std::collections::BTreeMap;

use serde::Serialize;
use weir_index::PackageSummary;

/// Bytes from which on a part is divided.
const LARGEST: usize = 16 << 10;

/// So many characters of words tell parts apart.
const DEEPEST: usize = 5;

/// Packages in one file.
const TOGETHER: usize = 100;

/// The longest word that is kept, in characters, and the most words of a description.
const LONGEST: usize = 40;
const MOST_WORDS: usize = 60;

#[derive(Serialize)]
struct Parts<'a> {
    packages: usize,
    together: usize,
    parts: Vec<&'a str>,
}

/// A package, as a list shows it: name, version, kind, where it stands if not offered, description.
type Row<'a> = (&'a str, String, &'a str, &'a str, &'a str);

/// Packages that have a word.
type Posting = Vec<u64>;

/// The files of the index, by path, of packages with their keywords.
pub(crate) fn index(
    mut packages: Vec<(PackageSummary, String)>,
) -> serde_json::Result<BTreeMap<String, Vec<u8>>> {
    packages.sort_by(|(a, _), (b, _)| b.dependents.cmp(&a.dependents).then_with(|| a.name.cmp(&b.name)));
    let mut words: BTreeMap<String, Posting> = BTreeMap::new();
    for (number, (package, keywords)) in packages.iter().enumerate() {
        let number = number as u64 * 2;
        let mut of_it: BTreeMap<String, u64> = BTreeMap::new();
        let description = package.description.as_deref().unwrap_or_default();
        for word in words_of(description).take(MOST_WORDS) {
            of_it.insert(word, number + 1);
        }
        for word in words_of(keywords).take(MOST_WORDS).chain(words_of(package.name.as_str())) {
            of_it.insert(word, number);
        }
        for (word, number) in of_it {
            words.entry(word).or_default().push(number);
        }
    }
    let words: Vec<(&str, &Posting)> = words.iter().map(|(word, posting)| (word.as_str(), posting)).collect();
    let mut parts: BTreeMap<String, &[(&str, &Posting)]> = BTreeMap::new();
    divide(&words, 1, &mut parts);
    let mut files = BTreeMap::new();
    for (part, words) in &parts {
        let words: BTreeMap<&str, &Posting> = words.iter().copied().collect();
        files.insert(format!("search/words/{}.json", spelled(part)), serde_json::to_vec(&words)?);
    }
    for (number, together) in packages.chunks(TOGETHER).enumerate() {
        let rows: Vec<Row<'_>> = together.iter().map(|(package, _)| row(package)).collect();
        files.insert(format!("search/packages/{number}.json"), serde_json::to_vec(&rows)?);
    }
    let parts = Parts {
        packages: packages.len(),
        together: TOGETHER,
        parts: parts.keys().map(String::as_str).collect(),
    };
    files.insert("search/parts.json".to_owned(), serde_json::to_vec(&parts)?);
    Ok(files)
}

fn row(package: &PackageSummary) -> Row<'_> {
    let standing = if package.version.is_some() { "" } else { package.standing.as_str() };
    let description = package.description.as_deref().unwrap_or_default();
    let end = description.floor_char_boundary(200);
    (
        package.name.as_str(),
        package.version.as_ref().map(ToString::to_string).unwrap_or_default(),
        package.kind.as_str(),
        standing,
        &description[..end],
    )
}

/// The words of a text, as a search takes them.
fn words_of(text: &str) -> impl Iterator<Item = String> + '_ {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word.to_lowercase().chars().take(LONGEST).collect())
}

/// Divides words, which are sorted and begin alike up to `depth - 1` characters, into parts.
fn divide<'w>(
    words: &'w [(&'w str, &'w Posting)],
    depth: usize,
    parts: &mut BTreeMap<String, &'w [(&'w str, &'w Posting)]>,
) {
    let beginning = |word: &str| word.chars().take(depth).collect::<String>();
    for alike in words.chunk_by(|a, b| beginning(a.0) == beginning(b.0)) {
        let bytes: usize = alike.iter().map(|(word, posting)| word.len() + 8 + posting.len() * 5).sum();
        let begins = beginning(alike[0].0);
        // Words that end here have no more characters to be told apart by.
        let longer = alike.partition_point(|(word, _)| word.chars().count() <= depth);
        if bytes <= LARGEST || depth >= DEEPEST || longer == alike.len() {
            parts.insert(begins, alike);
            continue;
        }
        if longer > 0 {
            parts.insert(begins, &alike[..longer]);
        }
        divide(&alike[longer..], depth + 1, parts);
    }
}

/// The beginning of words, as the name of a file: letters and digits of other languages are spelled out.
fn spelled(part: &str) -> String {
    part.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("-{:x}", u32::from(c)) })
        .collect()
}

#[cfg(test)]
mod tests {
    use weir_model::KindName;
    use weir_rules::Standing;

    use super::*;

    fn package(name: &str, dependents: u64, description: &str) -> (PackageSummary, String) {
        let summary = PackageSummary {
            name: name.parse().unwrap(),
            kind: KindName::Generic,
            version: Some("1.0.0".parse().unwrap()),
            standing: Standing::Offered,
            description: Some(description.to_owned()),
            platforms: Vec::new(),
            licenses: Vec::new(),
            releases: 1,
            yanked: 0,
            quarantined: 0,
            dependents,
        };
        (summary, String::new())
    }

    #[test]
    fn a_word_leads_to_its_packages_those_that_many_need_first() {
        let files =
            index(vec![package("acme/str", 1, "Strings, trimmed"), package("base/strings", 9, "größer")])
                .unwrap();
        let words: BTreeMap<String, Vec<u64>> =
            serde_json::from_slice(&files["search/words/s.json"]).unwrap();
        assert_eq!(words["str"], [2]);
        assert_eq!(words["strings"], [0, 3], "in the name, and in the description");
        let rows: serde_json::Value = serde_json::from_slice(&files["search/packages/0.json"]).unwrap();
        assert_eq!(rows[0][0], "base/strings");
        let parts: serde_json::Value = serde_json::from_slice(&files["search/parts.json"]).unwrap();
        assert_eq!(parts["parts"], serde_json::json!(["a", "b", "g", "s", "t"]));
    }

    #[test]
    fn a_keyword_leads_to_a_package_as_its_name_does() {
        let (summary, _) = package("acme/str", 0, "Trims text");
        let files = index(vec![(summary, "text subshell".to_owned())]).unwrap();
        let words = |part: &str| serde_json::from_slice::<BTreeMap<String, Vec<u64>>>(&files[part]).unwrap();
        assert_eq!(words("search/words/s.json")["subshell"], [0]);
        assert_eq!(words("search/words/t.json")["text"], [0], "the description says it, too");
    }

    #[test]
    fn parts_stay_small_and_no_word_is_lost() {
        let packages: Vec<(PackageSummary, String)> = (0..20_000)
            .map(|number| package(&format!("lib/lib{number}"), 0, &format!("library {}", number % 7)))
            .collect();
        let files = index(packages).unwrap();
        let mut words = 0;
        for (path, bytes) in &files {
            if let Some(part) = path.strip_prefix("search/words/") {
                let found: BTreeMap<String, Vec<u64>> = serde_json::from_slice(bytes).unwrap();
                words += found.len();
                let begins = part.trim_end_matches(".json");
                assert!(found.keys().all(|word| word.starts_with(begins)), "{path}");
                // A word that all have is in one piece.
                assert!(bytes.len() < 64 << 10 || found.len() == 1, "{path}: {}", bytes.len());
            }
        }
        // `lib`, `library`, the numbers and seven digits.
        assert_eq!(words, 2 + 20_000 + 7);
        assert!(files["search/parts.json"].len() < 32 << 10);
    }
}
