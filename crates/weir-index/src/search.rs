//! Search by words, ranked.
//!
//! Every word must occur, the last one as the start of a word. The order is: the package of that
//! very name, then names that start with the words, then names that hold them, then the rest.
//! Within such a tier, few hits are ordered by bm25, in which a name weighs more than a description,
//! with a mild bonus for packages that many others need; many hits are ordered by that bonus alone.
//!
//! Why so: bm25 reads a row for every hit. Over 63,440 Debian packages, `lib*` has 30,418 hits and
//! took 40 ms, where fetching the bare row numbers took 4. So the row numbers of a common word are
//! taken tier by tier, as far as the page asked for needs them, and what orders them, kind and
//! number of dependents, is kept in `standing`: three bytes a package, 4,096 packages a row.

mod standing;

use std::collections::HashSet;

use rusqlite::{Connection, params};
use weir_model::{KindName, PackageName, Platform, Version};
use weir_rules::Standing;

use crate::error::IndexError;
use crate::index::Index;
use crate::query::{PackageFilter, SUMMARY_COLUMNS, read_summary};

pub(crate) use standing::Standings;

/// Up to how many hits bm25 orders.
const FEW: u64 = 600;
/// How many bytes and words of a query are read; what follows is ignored.
const LONGEST_QUERY: usize = 256;
const MOST_WORDS: usize = 8;

/// A page of what a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchResults {
    /// The hits, best first.
    pub hits: Vec<SearchHit>,
    /// How many there are in all; nothing where counting them would cost more than the search.
    pub total: Option<u64>,
}

/// A package that a search found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct SearchHit {
    /// Its name.
    pub name: PackageName,
    /// What sort of package it is.
    pub kind: KindName,
    /// Its newest version that is offered.
    pub version: Option<Version>,
    /// Where it stands: of what offers nothing, the mildest that is so of any of its releases.
    pub standing: Standing,
    /// What that version says it is, or else the newest that is there.
    pub description: Option<String>,
    /// The platforms it is offered for.
    pub platforms: Vec<Platform>,
    /// The licences that it names, each once, as SPDX identifiers, sorted.
    pub licenses: Vec<String>,
    /// How many of its releases are yanked.
    pub yanked: u64,
    /// How many of its releases are quarantined.
    pub quarantined: u64,
    /// How many packages need it.
    pub dependents: u64,
    /// Whether the query is its name, with or without the owner.
    pub exact: bool,
}

/// What a package is found by, beside its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) description: Option<String>,
    pub(crate) keywords: String,
}

/// Puts a package's document into the search, or takes it away.
pub(crate) fn replace(
    connection: &Connection,
    package: i64,
    name: &str,
    was_there: bool,
    document: Option<&Document>,
) -> Result<(), IndexError> {
    if was_there {
        connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([package])?;
    }
    if let Some(document) = document {
        let short = name.split_once('/').map_or(name, |(_, short)| short);
        let start = short.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        connection
            .prepare_cached(
                "INSERT INTO search(rowid, start, name, keywords, description) VALUES(?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![package, start, name, document.keywords, document.description])?;
    }
    Ok(())
}

impl Index {
    /// Finds packages by words of their name, keywords and description. Without a word, nothing is found.
    pub fn search(
        &self,
        query: &str,
        filter: &PackageFilter,
        limit: usize,
        offset: usize,
    ) -> Result<SearchResults, IndexError> {
        let Some(query) = Query::read(query) else {
            return Ok(SearchResults { hits: Vec::new(), total: Some(0) });
        };
        let _still = self.reading()?;
        let mut search =
            Search { connection: &self.connection, standings: Standings::new(&self.connection), filter };
        let exact = search.exact(&query)?;
        let total = search.count(&query.all())?;
        let wanted = offset.saturating_add(limit);
        let ranked = if total <= FEW {
            search.few(&query, &exact)?
        } else {
            // What is in their rows may rule out any number of them.
            let enough = if filter.reads_rows() { usize::MAX } else { wanted };
            search.many(&query, &exact, enough)?
        };
        let complete = total <= FEW;
        let total = match filter {
            filter if filter.reads_rows() => None,
            PackageFilter { kind: Some(_), .. } => complete.then_some(ranked.len() as u64),
            _ => Some(total),
        };
        Ok(SearchResults { hits: search.page(&ranked, &exact, limit, offset)?, total })
    }
}

/// The words of a query, which are never syntax.
struct Query {
    words: Vec<String>,
    /// The query as if it were a name, for comparing with names.
    as_name: String,
}

impl Query {
    fn read(text: &str) -> Option<Self> {
        let text = &text[..text.floor_char_boundary(LONGEST_QUERY)];
        let words: Vec<String> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .take(MOST_WORDS)
            .map(str::to_lowercase)
            .collect();
        let as_name = text.trim().to_ascii_lowercase().replace(['_', '.', ' '], "-");
        (!words.is_empty()).then_some(Self { words, as_name })
    }

    /// All words, anywhere.
    fn all(&self) -> String {
        let (last, others) = self.words.split_last().expect("a query has a word");
        let mut expression = String::new();
        for word in others {
            expression.push_str(&format!("\"{word}\" "));
        }
        expression.push_str(&format!("\"{last}\"*"));
        expression
    }

    /// All words in the name.
    fn in_name(&self) -> String {
        format!("name : ({})", self.all())
    }

    /// All words in the name, and the first of them first.
    fn at_start(&self) -> String {
        match self.words.as_slice() {
            [only] => format!("start : \"{only}\"*"),
            words => format!("(start : \"{}\") AND (name : ({}))", words[0], self.all()),
        }
    }
}

struct Search<'a> {
    connection: &'a Connection,
    standings: Standings<'a>,
    filter: &'a PackageFilter,
}

impl Search<'_> {
    /// Packages whose name is the query, with or without the owner.
    fn exact(&mut self, query: &Query) -> Result<Vec<i64>, IndexError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM package WHERE offered + yanked + quarantined > 0 AND id IN
             (SELECT id FROM package WHERE short = ?1 UNION SELECT id FROM package WHERE confusable = ?1)",
        )?;
        let found =
            statement.query_map([&query.as_name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        self.by_popularity(found, usize::MAX)
    }

    fn count(&self, expression: &str) -> Result<u64, IndexError> {
        let mut statement =
            self.connection.prepare_cached("SELECT count(*) FROM search WHERE search MATCH ?1")?;
        Ok(statement.query_row([expression], |row| crate::rows::unsigned(row, 0))?)
    }

    fn matches(&self, expression: &str) -> Result<Vec<i64>, IndexError> {
        let mut statement =
            self.connection.prepare_cached("SELECT rowid FROM search WHERE search MATCH ?1")?;
        Ok(statement.query_map([expression], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }

    /// All hits, ordered by tier and bm25.
    fn few(&mut self, query: &Query, exact: &[i64]) -> Result<Vec<i64>, IndexError> {
        let starting: HashSet<i64> = self.matches(&query.at_start())?.into_iter().collect();
        let named: HashSet<i64> = self.matches(&query.in_name())?.into_iter().collect();
        let mut statement = self
            .connection
            .prepare_cached("SELECT rowid, bm25(search, 0, 8, 4, 1) FROM search WHERE search MATCH ?1")?;
        let mut found = statement.query([query.all()])?;
        let mut scored: Vec<(u8, f64, i64)> = Vec::new();
        while let Some(row) = found.next()? {
            let (id, score): (i64, f64) = (row.get(0)?, row.get(1)?);
            if exact.contains(&id) || !self.passes(id)? {
                continue;
            }
            let tier = if starting.contains(&id) {
                0
            } else if named.contains(&id) {
                1
            } else {
                2
            };
            // A thousand dependents weigh as much as a word that is twice as rare.
            let bonus = 1.0 + f64::from(self.standings.dependents(id)?).ln_1p() / 7.0;
            scored.push((tier, score * bonus, id));
        }
        scored.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        Ok(exact.iter().copied().chain(scored.into_iter().map(|(_, _, id)| id)).collect())
    }

    /// At least the first `enough` hits, ordered by tier and popularity.
    fn many(&mut self, query: &Query, exact: &[i64], enough: usize) -> Result<Vec<i64>, IndexError> {
        let mut ranked = exact.to_vec();
        // Sorted, as row numbers come; looking up is quicker than hashing tens of thousands.
        let mut seen = exact.to_vec();
        seen.sort_unstable();
        for expression in [query.at_start(), query.in_name(), query.all()] {
            if ranked.len() >= enough {
                break;
            }
            let mut tier = self.matches(&expression)?;
            let found = tier.clone();
            tier.retain(|id| seen.binary_search(id).is_err());
            // Whatever is in a tier is in the next one too.
            seen = found;
            seen.extend(exact);
            seen.sort_unstable();
            let missing = enough - ranked.len();
            ranked.extend(self.by_popularity(tier, missing)?);
        }
        Ok(ranked)
    }

    /// The first `most` of them, or all, in order.
    fn by_popularity(&mut self, found: Vec<i64>, most: usize) -> Result<Vec<i64>, IndexError> {
        let mut passing = Vec::with_capacity(found.len());
        for id in found {
            if self.passes(id)? {
                passing.push((std::cmp::Reverse(self.standings.dependents(id)?), id));
            }
        }
        if most < passing.len() {
            passing.select_nth_unstable(most);
            passing.truncate(most);
        }
        passing.sort_unstable();
        Ok(passing.into_iter().map(|(_, id)| id).collect())
    }

    fn passes(&mut self, id: i64) -> Result<bool, IndexError> {
        match self.filter.kind {
            None => Ok(true),
            Some(kind) => self.standings.is_of_kind(id, kind),
        }
    }

    fn page(
        &self,
        ranked: &[i64],
        exact: &[i64],
        limit: usize,
        offset: usize,
    ) -> Result<Vec<SearchHit>, IndexError> {
        let sql = format!("SELECT {SUMMARY_COLUMNS} FROM package WHERE id = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut left_to_skip = offset;
        let mut hits = Vec::new();
        for id in ranked {
            if hits.len() >= limit {
                break;
            }
            if !self.filter.reads_rows() && left_to_skip > 0 {
                left_to_skip -= 1;
                continue;
            }
            let mut found = statement.query([id])?;
            let Some(row) = found.next()? else { continue };
            let summary = read_summary(row)?;
            if !self.filter.admits(&summary) {
                continue;
            }
            if left_to_skip > 0 {
                left_to_skip -= 1;
                continue;
            }
            hits.push(SearchHit {
                exact: exact.contains(id),
                name: summary.name,
                kind: summary.kind,
                version: summary.version,
                standing: summary.standing,
                description: summary.description,
                platforms: summary.platforms,
                licenses: summary.licenses,
                yanked: summary.yanked,
                quarantined: summary.quarantined,
                dependents: summary.dependents,
            });
        }
        Ok(hits)
    }
}
