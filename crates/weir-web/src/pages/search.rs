//! What a search found, or all there is.

use std::collections::BTreeSet;
use std::str::FromStr;

use askama::Template;
use weir_index::{HeldRelease, PackageSummary, SearchResults};
use weir_model::{KindName, OwnerName, PackageName, Platform, Version};
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
    pub owner: Option<OwnerName>,
    /// Only packages that are offered for this platform.
    pub platform: Option<Platform>,
    /// Only packages that name this licence.
    pub license: Option<String>,
    /// Only what is in this state.
    pub state: Option<FoundState>,
    /// What else is said by what to narrow down, and cannot be meant, in a sentence: nothing is like that.
    pub unknown: Option<String>,
    /// How many are passed over.
    pub skip: usize,
    /// After which name a list goes on.
    pub after: Option<String>,
}

/// In which state something is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundState {
    /// A package of the registry with a release that stands so.
    Here(Standing),
    /// A release of a registry above that policy keeps out.
    Held,
}

impl FoundState {
    /// All there are.
    pub fn all() -> impl Iterator<Item = Self> {
        Standing::FOUND.into_iter().map(Self::Here).chain([Self::Held])
    }

    /// As people write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Here(standing) => standing.as_str(),
            Self::Held => "held",
        }
    }
}

impl FromStr for FoundState {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::all().find(|state| state.as_str() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::all().map(Self::as_str).collect();
            format!("`{name}` is no state: there are {}", names.join(", "))
        })
    }
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

/// So many owners, licences or platforms are there to choose from.
const MOST_CHOICES: usize = 12;

/// So many releases that are held are told of beside what was found.
pub const MOST_HELD: usize = 8;

#[derive(Template)]
#[template(path = "search.html")]
struct Search<'a> {
    frame: &'a Frame,
    looked: &'a Looked,
    facets: Vec<Facet>,
    held: Vec<Held>,
    rows: Vec<Row>,
    told: String,
    /// Why nothing can be like that.
    unknown: Vec<(bool, String)>,
    before: String,
    next: String,
}

/// By what the search can be narrowed down.
struct Facet {
    /// What it is about, for who does not see the page.
    name: &'static str,
    choices: Vec<Choice>,
}

struct Choice {
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
    /// How much of it was withdrawn, if it offers something: in which way, and in words.
    withdrawn: Vec<(&'static str, String)>,
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
            facets: self.facets(),
            held: self.held.iter().map(|held| self.held(held)).collect(),
            told: self.told(rows.len()),
            unknown: said::marked(&self.looked.unknown.as_deref().map(said::sentence).unwrap_or_default()),
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
                    withdrawn: withdrawn(hit.standing, hit.yanked, hit.quarantined),
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
                    withdrawn: withdrawn(one.standing, one.yanked, one.quarantined),
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

    /// Each with what is on the page, or with what was chosen and a way back.
    fn facets(&self) -> Vec<Facet> {
        let looked = self.looked;
        let kinds = KindName::ALL.into_iter().map(|kind| {
            self.choice(kind.as_str(), looked.kind == Some(kind), |looked| looked.kind = Some(kind))
        });
        let states = FoundState::all().map(|state| {
            self.choice(state.as_str(), looked.state == Some(state), |looked| looked.state = Some(state))
        });
        let owner = looked.owner.as_ref().map(OwnerName::as_str);
        let owners = self.on_page(owner, |package| vec![package.name.owner().to_owned()]);
        let owners = owners.into_iter().map(|owner| {
            let is_chosen = looked.owner.is_some();
            self.choice(&owner, is_chosen, |looked| looked.owner = owner.parse().ok())
        });
        let platform = looked.platform.as_ref().map(Platform::as_str);
        let platforms = self.on_page(platform, |package| {
            package.platforms.iter().filter(|one| !one.is_any()).map(ToString::to_string).collect()
        });
        let platforms = platforms.into_iter().map(|platform| {
            let is_chosen = looked.platform.is_some();
            self.choice(&platform, is_chosen, |looked| looked.platform = platform.parse().ok())
        });
        let licenses = self.on_page(looked.license.as_deref(), |package| package.licenses.to_vec());
        let licenses = licenses.into_iter().map(|license| {
            self.choice(&license, looked.license.is_some(), |looked| looked.license = Some(license.clone()))
        });
        let facets = [
            self.facet("kind", kinds.collect(), |looked| looked.kind = None),
            self.facet("state", states.collect(), |looked| looked.state = None),
            self.facet("owner", owners.collect(), |looked| looked.owner = None),
            self.facet("licence", licenses.collect(), |looked| looked.license = None),
            self.facet("platform", platforms.collect(), |looked| looked.platform = None),
        ];
        facets.into_iter().flatten().collect()
    }

    /// What the packages on the page have of something, or what was chosen of it.
    fn on_page(&self, chosen: Option<&str>, of: impl Fn(Listed<'_>) -> Vec<String>) -> BTreeSet<String> {
        match chosen {
            Some(chosen) => BTreeSet::from([chosen.to_owned()]),
            None => self.found.listed().flat_map(of).take(MOST_CHOICES).collect(),
        }
    }

    /// A facet, if there is something to choose.
    fn facet(
        &self,
        name: &'static str,
        choices: Vec<Choice>,
        without: impl FnOnce(&mut Looked),
    ) -> Option<Facet> {
        let is_chosen = choices.iter().any(|choice| choice.chosen);
        let any = self.choice(&format!("any {name}"), !is_chosen, without);
        (is_chosen || choices.len() > 1)
            .then(|| Facet { name, choices: [any].into_iter().chain(choices).collect() })
    }

    /// Another search, which is this one but for what `change` does.
    fn choice(&self, word: &str, chosen: bool, change: impl FnOnce(&mut Looked)) -> Choice {
        let mut looked = Looked { skip: 0, after: None, ..self.looked.clone() };
        change(&mut looked);
        Choice { word: said::line(word), href: looked.address(self.frame.registry()), chosen }
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
            skip => self.page_at(skip.saturating_sub(PAGE), None),
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
                if more { self.page_at(end, None) } else { String::new() }
            }
            Found::All(packages) if packages.len() > PAGE => {
                self.page_at(0, Some(packages[PAGE - 1].name.to_string()))
            }
            Found::All(_) => String::new(),
        }
    }

    fn page_at(&self, skip: usize, after: Option<String>) -> String {
        Looked { skip, after, ..self.looked.clone() }.address(self.frame.registry())
    }
}

impl Looked {
    /// Where this is looked for.
    fn address(&self, registry: &str) -> String {
        let platform = self.platform.as_ref().map(ToString::to_string);
        let skip = (self.skip > 0).then(|| self.skip.to_string());
        let query: Vec<(&str, &str)> = [
            ("q", Some(self.words.as_str()).filter(|words| !words.is_empty())),
            ("kind", self.kind.map(KindName::as_str)),
            ("state", self.state.map(FoundState::as_str)),
            ("owner", self.owner.as_ref().map(OwnerName::as_str)),
            ("license", self.license.as_deref()),
            ("platform", platform.as_deref()),
            ("skip", skip.as_deref()),
            ("after", self.after.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        address::search(registry, &query)
    }
}

/// What of a package that is listed the page narrows down by.
struct Listed<'a> {
    name: &'a PackageName,
    platforms: &'a [Platform],
    licenses: &'a [String],
}

impl Found {
    fn listed(&self) -> Box<dyn Iterator<Item = Listed<'_>> + '_> {
        match self {
            Self::Hits(found) => Box::new(found.hits.iter().map(|hit| Listed {
                name: &hit.name,
                platforms: &hit.platforms,
                licenses: &hit.licenses,
            })),
            Self::All(packages) => Box::new(packages.iter().take(PAGE).map(|one| Listed {
                name: &one.name,
                platforms: &one.platforms,
                licenses: &one.licenses,
            })),
        }
    }
}

/// How much of a package was withdrawn that offers something all the same.
fn withdrawn(standing: Standing, yanked: u64, quarantined: u64) -> Vec<(&'static str, String)> {
    [(Standing::Yanked, yanked), (Standing::Quarantined, quarantined)]
        .into_iter()
        .filter(|(_, releases)| standing.is_offered() && *releases > 0)
        .map(|(way, releases)| (way.as_str(), format!("{releases} {way}")))
        .collect()
}

fn needed(dependents: u64) -> String {
    if dependents == 0 { String::new() } else { format!("needed by {}", said::count(dependents, "package")) }
}

fn row(
    registry: &str,
    name: &PackageName,
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
        withdrawn: Vec::new(),
        kind: kind.as_str(),
        description: said::line(description.unwrap_or_default()),
        needed: String::new(),
        platforms: platforms.join(", "),
        exact: false,
    }
}
