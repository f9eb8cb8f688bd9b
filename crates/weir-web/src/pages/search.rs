//! What a search found, or all there is.

use std::collections::BTreeSet;

use askama::Template;
use weir_index::{HeldRelease, PackageSummary, SearchResults};
use weir_model::{KindName, Platform, Version};
use weir_rules::Standing;

use super::release::build;
use crate::frame::{Frame, Page, PageError};
use crate::{address, said};

/// Packages on a page.
pub const PAGE: usize = 30;

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct Looked {
    /// Words.
    pub words: String,
    /// Only packages of this kind.
    pub kind: Option<KindName>,
    /// Only packages of this owner.
    pub owner: Option<String>,
    /// Of what is searched by words, only packages that are offered for this platform.
    pub platform: Option<Platform>,
    /// How many are passed over.
    pub skip: usize,
    /// After which name a list goes on.
    pub after: Option<String>,
}

/// What was found.
#[derive(Debug)]
pub enum Found {
    /// By words, the best first.
    Hits(SearchResults),
    /// Without words: packages by name, and one more than a page where there are more.
    All(Vec<PackageSummary>),
}

/// What the page is made of.
#[derive(Debug)]
pub struct SearchPage<'a> {
    /// What is around it.
    pub frame: &'a Frame,
    /// What is looked for.
    pub looked: &'a Looked,
    /// What was found.
    pub found: &'a Found,
    /// Releases of registries above that policy keeps out, and that the words mean too: whoever makes the page asks for no more than
    /// [`MOST_HELD`].
    pub held: &'a [HeldRelease],
}

/// So many releases that are held are told of beside what was found.
pub const MOST_HELD: usize = 8;

#[derive(Template)]
#[template(path = "search.html")]
struct Search<'a> {
    frame: &'a Frame,
    looked: &'a Looked,
    kinds: Vec<Facet>,
    owners: Vec<Facet>,
    platforms: Vec<Facet>,
    held: Vec<Held>,
    rows: Vec<Row>,
    told: String,
    before: String,
    next: String,
}

struct Facet {
    word: String,
    href: String,
    chosen: bool,
}

struct Held {
    name: String,
    href: String,
    build: String,
    from: String,
    reason: String,
    policy: String,
}

struct Row {
    owner: String,
    short: String,
    href: String,
    version: String,
    /// Where it stands, if it offers nothing.
    standing: &'static str,
    kind: &'static str,
    description: String,
    needed: String,
    platforms: String,
    exact: bool,
}

impl SearchPage<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn page(&self) -> Result<Page, PageError> {
        let rows = self.rows();
        Page::write(&Search {
            frame: self.frame,
            looked: self.looked,
            kinds: self.kinds(),
            owners: self.owners(&rows),
            platforms: self.platforms(),
            held: self.held.iter().map(|held| self.held(held)).collect(),
            told: self.told(rows.len()),
            before: self.before(),
            next: self.next(),
            rows,
        })
    }

    fn rows(&self) -> Vec<Row> {
        let registry = self.frame.registry();
        match self.found {
            Found::Hits(found) => found
                .hits
                .iter()
                .map(|hit| Row {
                    needed: needed(hit.dependents),
                    exact: hit.exact,
                    ..row(
                        registry,
                        &hit.name,
                        hit.kind,
                        (hit.version.as_ref(), hit.standing),
                        hit.description.as_deref(),
                        &hit.platforms,
                    )
                })
                .collect(),
            Found::All(packages) => packages
                .iter()
                .take(PAGE)
                .map(|one| Row {
                    needed: needed(one.dependents),
                    ..row(
                        registry,
                        &one.name,
                        one.kind,
                        (one.version.as_ref(), one.standing),
                        one.description.as_deref(),
                        &one.platforms,
                    )
                })
                .collect(),
        }
    }

    fn told(&self, shown: usize) -> String {
        let shown = shown as u64;
        match self.found {
            Found::Hits(found) => match found.total {
                Some(total) => format!("{} found", said::count(total, "package")),
                None if shown < PAGE as u64 => {
                    format!("{} found", said::count(self.looked.skip as u64 + shown, "package"))
                }
                None => {
                    format!("more than {} found", said::count(self.looked.skip as u64 + shown - 1, "package"))
                }
            },
            Found::All(_) => "All packages, by name".to_owned(),
        }
    }

    fn kinds(&self) -> Vec<Facet> {
        let all = Facet {
            word: "any kind".into(),
            href: self.address(None, self.looked.owner.as_deref(), &[]),
            chosen: self.looked.kind.is_none(),
        };
        let kinds = KindName::ALL.into_iter().map(|kind| Facet {
            word: kind.as_str().to_owned(),
            href: self.address(Some(kind), self.looked.owner.as_deref(), &[]),
            chosen: self.looked.kind == Some(kind),
        });
        [all].into_iter().chain(kinds).collect()
    }

    /// The owners on the page, or the chosen one and a way back.
    fn owners(&self, rows: &[Row]) -> Vec<Facet> {
        let kind = self.looked.kind;
        let any = |chosen| Facet { word: "any owner".into(), href: self.address(kind, None, &[]), chosen };
        if let Some(owner) = &self.looked.owner {
            let chosen = Facet { word: owner.clone(), href: String::new(), chosen: true };
            return vec![any(false), chosen];
        }
        let mut names: Vec<&str> = rows.iter().map(|row| row.owner.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < 2 {
            return Vec::new();
        }
        let owners = names.into_iter().take(12).map(|owner| Facet {
            word: owner.to_owned(),
            href: self.address(kind, Some(owner), &[]),
            chosen: false,
        });
        [any(true)].into_iter().chain(owners).collect()
    }

    /// The platforms of what is on the page, or the chosen one and a way back. A list without words is not narrowed down by them.
    fn platforms(&self) -> Vec<Facet> {
        let Found::Hits(found) = self.found else { return Vec::new() };
        let at = |platform: Option<&Platform>| {
            let platform = platform.map(ToString::to_string);
            let more: Vec<(&str, &str)> =
                platform.iter().map(|platform| ("platform", platform.as_str())).collect();
            self.address_at(self.looked.kind, self.looked.owner.as_deref(), None, &more)
        };
        let any = |chosen| Facet { word: "any platform".into(), href: at(None), chosen };
        if let Some(platform) = &self.looked.platform {
            return vec![any(false), Facet { word: platform.to_string(), href: String::new(), chosen: true }];
        }
        let platforms: BTreeSet<&Platform> =
            found.hits.iter().flat_map(|hit| &hit.platforms).filter(|platform| !platform.is_any()).collect();
        if platforms.is_empty() {
            return Vec::new();
        }
        let facets = platforms.into_iter().take(12).map(|platform| Facet {
            word: platform.to_string(),
            href: at(Some(platform)),
            chosen: false,
        });
        [any(true)].into_iter().chain(facets).collect()
    }

    fn held(&self, HeldRelease { hold, .. }: &HeldRelease) -> Held {
        Held {
            name: hold.id.name.to_string(),
            href: address::queue(self.frame.registry()),
            build: build(&hold.id),
            from: said::line(&hold.registry),
            reason: said::line(&hold.reason),
            policy: said::line(&hold.policy),
        }
    }

    fn before(&self) -> String {
        match self.looked.skip {
            0 => String::new(),
            skip => self.page_at("skip", &skip.saturating_sub(PAGE).to_string()),
        }
    }

    fn next(&self) -> String {
        match self.found {
            Found::Hits(found) => {
                let end = self.looked.skip + found.hits.len();
                let more = match found.total {
                    Some(total) => total > end as u64,
                    None => found.hits.len() == PAGE,
                };
                if more { self.page_at("skip", &end.to_string()) } else { String::new() }
            }
            Found::All(packages) if packages.len() > PAGE => {
                self.page_at("after", packages[PAGE - 1].name.as_str())
            }
            Found::All(_) => String::new(),
        }
    }

    fn page_at(&self, name: &str, value: &str) -> String {
        self.address(self.looked.kind, self.looked.owner.as_deref(), &[(name, value)])
    }

    /// The address of the same search among others.
    fn address(&self, kind: Option<KindName>, owner: Option<&str>, more: &[(&str, &str)]) -> String {
        self.address_at(kind, owner, self.looked.platform.as_ref(), more)
    }

    fn address_at(
        &self,
        kind: Option<KindName>,
        owner: Option<&str>,
        platform: Option<&Platform>,
        more: &[(&str, &str)],
    ) -> String {
        let platform = platform.map(ToString::to_string);
        let mut query = Vec::new();
        if !self.looked.words.is_empty() {
            query.push(("q", self.looked.words.as_str()));
        }
        query.extend(kind.map(|kind| ("kind", kind.as_str())));
        query.extend(owner.map(|owner| ("owner", owner)));
        query.extend(platform.as_deref().map(|platform| ("platform", platform)));
        query.extend(more);
        address::search(self.frame.registry(), &query)
    }
}

fn needed(dependents: u64) -> String {
    if dependents == 0 { String::new() } else { format!("needed by {}", said::count(dependents, "package")) }
}

fn row(
    registry: &str,
    name: &weir_model::PackageName,
    kind: KindName,
    (version, standing): (Option<&Version>, Standing),
    description: Option<&str>,
    platforms: &[Platform],
) -> Row {
    let (owner, short) = name.as_str().split_once('/').unwrap_or(("", name.as_str()));
    let platforms: Vec<String> =
        platforms.iter().filter(|platform| !platform.is_any()).map(ToString::to_string).collect();
    Row {
        owner: owner.to_owned(),
        short: short.to_owned(),
        href: address::package(registry, name),
        version: version.map(ToString::to_string).unwrap_or_default(),
        standing: standing.as_str(),
        kind: kind.as_str(),
        description: said::line(description.unwrap_or_default()),
        needed: String::new(),
        platforms: platforms.join(", "),
        exact: false,
    }
}
