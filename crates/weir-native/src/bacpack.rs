//! Package Contexts of `BacPack`, read as they are.
//!
//! A context holds `package/<group>/*.json`, one config a build of a package: a release and a debug build are two
//! configs of one group. Two such become **one** recipe with two variants; what both say is said once, what
//! they say differently is said for the variant. The format is that of `bacpack-system/packager` 1.2 and of
//! `bringauto/packager` before it.
//!
//! What differs there, and what is made of it:
//!
//! * Packages have no owner: they get one, see [`OWNER`].
//! * Dependencies have no versions, since a context holds one of each: they become the range `*`. Where it holds
//!   several, kept apart by `DockerMatrix`, an image chooses, or else the highest is taken.
//! * Values are text for a shell. `$NAME` and `${NAME}` are replaced by what the config's own `Env` says, as its
//!   shell would; whatever would run a command or quote is refused.
//! * A build type that says what the variant says anyway is left out.
//! * `DockerMatrix`, `IsLibrary`, `IsDevLib`, apps and fields that nobody knows mean nothing here: each is a warning.

mod config;
mod json;
mod merge;
mod shell;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use weir_model::{OwnerName, Version, nearest};

use crate::recipe_set::{RecipeSetOptions, RecipeSetProblem, Scan};
use crate::{Recipe, Variant};
use config::{Config, Wrong};

/// The owner of packages that come from a context, where nobody names another. It is not the name of the
/// context's folder: a package's name must not change with the place somebody cloned it to.
pub const OWNER: &str = "bacpack";

/// The folder of the configs of packages.
pub(crate) const PACKAGE: &str = "package";
/// The folder of the configs of apps.
const APP: &str = "app";
/// The most configs of a context.
const MAX_CONFIGS: usize = 20_000;

/// A context being read, config by config. It reads no file.
#[derive(Debug)]
pub struct Context {
    folder: PathBuf,
    owner: OwnerName,
    image: Option<String>,
    configs: Vec<Config>,
    /// Groups of configs that cannot be read: they are there, and whoever depends on them is not wrong.
    unread: BTreeSet<String>,
    imported: Imported,
}

/// What became of a context.
#[derive(Debug, Default)]
pub struct Imported {
    /// Its recipes.
    pub recipes: Vec<Recipe>,
    /// What cannot be taken over.
    pub problems: Vec<RecipeSetProblem>,
    /// What was taken over otherwise than it stands there, or left out: a sentence each.
    pub warnings: Vec<String>,
}

/// Reads the context in the folder that is being looked through.
pub(crate) fn recipes(scan: &mut Scan, options: &RecipeSetOptions) -> Vec<Recipe> {
    let mut context = Context::new(scan.folder(), options);
    let folder = scan.folder().join(PACKAGE);
    for group in scan.folders(&folder) {
        for file in scan.files(&group) {
            if file.extension().is_none_or(|extension| extension != "json") {
                scan.warn(format!("`{}` is not a `.json` file: it is left out", file.display()));
            } else if context.configs.len() >= MAX_CONFIGS {
                scan.problem(RecipeSetProblem::TooMany { folder, most: MAX_CONFIGS });
                return Vec::new();
            } else if let Some(text) = scan.text(&file) {
                context.add(&file, &text);
            }
        }
    }
    if scan.is_folder(APP) {
        let folder = scan.folder().join(APP);
        if !scan.folders(&folder).is_empty() {
            scan.warn(format!("`{}` is left out: apps are no packages", folder.display()));
        }
    }
    let imported = context.finish();
    imported.problems.into_iter().for_each(|problem| scan.problem(problem));
    imported.warnings.into_iter().for_each(|warning| scan.warn(warning));
    imported.recipes
}

impl Context {
    /// The context in `folder`, of which nothing was read yet.
    pub fn new(folder: &Path, options: &RecipeSetOptions) -> Self {
        let owner = options.owner.clone();
        Self {
            folder: folder.to_owned(),
            owner: owner.unwrap_or_else(|| OWNER.parse().expect("it is the name of an owner")),
            image: options.image.clone(),
            configs: Vec::new(),
            unread: BTreeSet::new(),
            imported: Imported::default(),
        }
    }

    /// Takes the text of one config. The folder that `file` is in is its group.
    pub fn add(&mut self, file: &Path, text: &str) {
        match Config::read(file, text, &mut self.imported.warnings) {
            Ok(config) => self.configs.push(config),
            Err(wrong) => {
                let group = file.parent().and_then(Path::file_name).unwrap_or_default();
                self.unread.insert(group.to_string_lossy().into_owned());
                self.problem(file, wrong);
            }
        }
    }

    /// What became of all configs.
    pub fn finish(mut self) -> Imported {
        self.tell_what_means_nothing();
        let chosen = self.of_the_image();
        let chosen = self.of_one_version(chosen);
        let variants = chosen.iter().map(|(name, pair)| (name.clone(), pair.variants().collect())).collect();
        for pair in chosen.values() {
            self.check_dependencies(pair, &variants);
            match merge::recipe(&self.owner, pair, &mut self.imported.warnings) {
                Ok(recipe) => self.imported.recipes.push(recipe),
                Err((file, wrong)) => self.problem(&file, wrong),
            }
        }
        self.imported
    }

    fn problem(&mut self, file: &Path, Wrong { field, reason }: Wrong) {
        self.imported.problems.push(RecipeSetProblem::Config { file: file.to_owned(), field, reason });
    }

    /// Fields that most configs have, said once for all of them.
    fn tell_what_means_nothing(&mut self) {
        let images: BTreeSet<_> = self.configs.iter().flat_map(|config| &config.images).collect();
        if !images.is_empty() && self.image.is_none() {
            let images: Vec<_> = images.into_iter().map(String::as_str).collect();
            self.imported.warnings.push(format!(
                "`DockerMatrix` ({}) is not used: Weir builds in one build root, which gives packages their platform",
                images.join(", ")
            ));
        }
        if self.configs.iter().any(|config| config.is_library) {
            self.imported.warnings.push(
                "`IsLibrary` and `IsDevLib` are not used: a package has its group's name, and holds all that its build installs"
                    .into(),
            );
        }
    }

    /// The configs that are built for the image, if one is named.
    fn of_the_image(&mut self) -> Vec<Config> {
        let configs = std::mem::take(&mut self.configs);
        let Some(image) = self.image.clone() else { return configs };
        let known: BTreeSet<String> = configs.iter().flat_map(|config| config.images.clone()).collect();
        if !known.contains(&image) {
            let near = nearest(&image, known.iter().map(String::as_str));
            let near = near.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
            let reason = format!("names the image `{}` in no config{near}", image.escape_debug());
            self.problem(&self.folder.join(PACKAGE), Wrong::new("DockerMatrix.ImageNames", reason));
            return Vec::new();
        }
        let (chosen, others): (Vec<_>, Vec<_>) =
            configs.into_iter().partition(|config| config.images.contains(&image));
        if !others.is_empty() {
            self.imported
                .warnings
                .push(format!("{} configs that are not for `{image}` are left out", others.len()));
        }
        chosen
    }

    /// Of each package, the configs of its highest version.
    fn of_one_version(&mut self, configs: Vec<Config>) -> BTreeMap<String, Pair> {
        let mut packages: BTreeMap<String, BTreeMap<Version, Pair>> = BTreeMap::new();
        for config in configs {
            let pair =
                packages.entry(config.name.clone()).or_default().entry(config.version.clone()).or_default();
            if let Err((file, wrong)) = pair.put(config) {
                self.problem(&file, wrong);
            }
        }
        let mut chosen = BTreeMap::new();
        for (name, mut versions) in packages {
            let Some((version, pair)) = versions.pop_last() else { continue };
            for left_out in versions.keys() {
                self.imported.warnings.push(format!(
                    "`{name}` {left_out} is left out: the context has {version} too, and there is one version of a package"
                ));
            }
            chosen.insert(name, pair);
        }
        chosen
    }

    /// A variant that a dependency does not have is no problem: it lends its other one.
    fn check_dependencies(&mut self, pair: &Pair, variants: &BTreeMap<String, Vec<Variant>>) {
        for config in pair.configs() {
            for name in &config.depends_on {
                let reason = match variants.get(name) {
                    Some(_) if *name == config.name => format!("names `{name}` itself"),
                    Some(variants) if variants.contains(&config.variant) => continue,
                    Some(_) => {
                        self.imported.warnings.push(format!(
                            "`{}` is built against the other variant of `{name}`, which has no {} config",
                            config.file.display(),
                            config.variant
                        ));
                        continue;
                    }
                    None if self.unread.contains(name) => continue,
                    None => {
                        let near = nearest(name, variants.keys().map(String::as_str));
                        let near = near.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
                        format!("names `{}`, of which there is no config{near}", name.escape_debug())
                    }
                };
                self.problem(&config.file, Wrong::new("DependsOn", reason));
            }
        }
    }
}

/// The configs of one version of a package, at least one.
#[derive(Debug, Default)]
struct Pair {
    release: Option<Config>,
    debug: Option<Config>,
}

impl Pair {
    fn put(&mut self, config: Config) -> Result<(), (PathBuf, Wrong)> {
        let place = match config.variant {
            Variant::Release => &mut self.release,
            Variant::Debug => &mut self.debug,
        };
        match place {
            None => *place = Some(config),
            Some(first) if first.builds_the_same(&config) => {}
            Some(first) => {
                let reason = format!(
                    "is all that tells this config from `{}`: choose an image of one of them",
                    first.file.display()
                );
                return Err((config.file, Wrong::new("DockerMatrix", reason)));
            }
        }
        Ok(())
    }

    fn configs(&self) -> impl Iterator<Item = &Config> {
        self.release.iter().chain(&self.debug)
    }

    fn variants(&self) -> impl Iterator<Item = Variant> {
        self.configs().map(|config| config.variant)
    }
}

#[cfg(test)]
mod tests;
