//! One lockfile for machines of several platforms.
//!
//! A table whose platform is not this machine's is another's: it is not used here, and it stays when this machine writes its own
//! choices. So two machines that work on one project do not take the lockfile from each other. What a table of another
//! platform reaches stays with it.

use std::collections::{BTreeMap, BTreeSet};

use super::{LockedRelease, Lockfile, ReleaseText};
use crate::{PackageName, Platform, ReleaseId};

impl Lockfile {
    /// The part that is used on `platform`: what the project asks for, and all below it, but for what is of another platform.
    #[must_use]
    pub fn on(&self, platform: &Platform) -> Self {
        let is_here = |text: &ReleaseText| text.0.platform.serves(platform);
        let direct: Vec<_> = self.direct.iter().filter(|text| is_here(text)).cloned().collect();
        let used = self.reached(direct.iter().map(|text| &text.0), &is_here);
        let releases = self.releases.iter().filter(|release| used.contains(&release.id())).map(|release| {
            let mut release = release.clone();
            release.dependencies.retain(is_here);
            keep_fluid(&mut release);
            release
        });
        Self {
            version: self.version,
            direct,
            releases: releases.collect(),
            references: self.references.clone(),
        }
    }

    /// This lockfile, which is `platform`'s, together with what `before` has for other platforms, as far as it still belongs to
    /// something that is asked for.
    #[must_use]
    pub fn beside(mut self, before: &Self, platform: &Platform) -> Self {
        let is_other = |text: &&ReleaseText| !text.0.platform.serves(platform);
        let mut others: Vec<ReleaseId> = Vec::new();
        let asked = names(&self.direct);
        let direct = before.direct.iter().filter(is_other).filter(|text| asked.contains(&text.0.name));
        let direct: Vec<ReleaseText> = direct.cloned().collect();
        others.extend(direct.iter().map(|text| text.0.clone()));
        self.direct.extend(direct);
        for release in &mut self.releases {
            let Some(old) = before.release(&release.id()) else { continue };
            let needed = names(&release.dependencies);
            let edges = old.dependencies.iter().filter(is_other).filter(|text| needed.contains(&text.0.name));
            let edges: Vec<ReleaseText> = edges.cloned().collect();
            others.extend(edges.iter().map(|text| text.0.clone()));
            let chosen = old.fluid.iter().filter(|choice| {
                !release.fluid.contains(choice)
                    && edges.iter().any(|edge| edge.0.name == choice.name && edge.0.version == choice.chosen)
            });
            let chosen: Vec<_> = chosen.cloned().collect();
            release.fluid.extend(chosen);
            release.dependencies.extend(edges);
        }
        let here: BTreeSet<ReleaseId> = self.releases.iter().map(LockedRelease::id).collect();
        for id in before.reached(others.iter(), &|_| true).difference(&here) {
            self.releases.extend(before.release(id).cloned());
        }
        self
    }

    /// Every release that is reached from some along those dependencies that `follow` says.
    fn reached<'l>(
        &'l self,
        from: impl Iterator<Item = &'l ReleaseId>,
        follow: &dyn Fn(&ReleaseText) -> bool,
    ) -> BTreeSet<ReleaseId> {
        let tables: BTreeMap<ReleaseId, &LockedRelease> =
            self.releases.iter().map(|release| (release.id(), release)).collect();
        let mut pending: Vec<&ReleaseId> = from.collect();
        let mut reached = BTreeSet::new();
        while let Some(id) = pending.pop() {
            if let Some(release) = tables.get(id)
                && reached.insert(id.clone())
            {
                let below = release.dependencies.iter().filter(|text| follow(text));
                pending.extend(below.map(|text| &text.0));
            }
        }
        reached
    }
}

fn names(texts: &[ReleaseText]) -> BTreeSet<PackageName> {
    texts.iter().map(|text| text.0.name.clone()).collect()
}

/// Of the choices that may move, those whose dependency is still there.
fn keep_fluid(release: &mut LockedRelease) {
    let dependencies = &release.dependencies;
    let is_there = |name: &PackageName, version: &crate::Version| {
        dependencies.iter().any(|on| on.0.name == *name && on.0.version == *version)
    };
    release.fluid.retain(|choice| is_there(&choice.name, &choice.chosen));
}

#[cfg(test)]
mod tests {
    use super::super::tests::release;
    use super::{Lockfile, ReleaseText};
    use crate::Platform;

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    /// `top` needs `low`, which is built for each platform and needs `names`.
    fn on(platform: &str, version: &str) -> Lockfile {
        let low = format!("acme/low {version} {platform}");
        let mut built = release("acme/low", version, &["acme/names 1.0.0"]);
        built.platform = platform.parse().unwrap();
        Lockfile {
            version: 1,
            direct: vec![ReleaseText("acme/top 1.0.0".parse().unwrap())],
            releases: vec![release("acme/top", "1.0.0", &[&low]), built, release("acme/names", "1.0.0", &[])],
            references: Vec::new(),
        }
    }

    #[test]
    fn what_one_platform_chose_stays_when_another_writes_its_own_choices() {
        let [debian, fedora] = ["x86-64-debian-12", "x86-64-fedora-40"].map(platform);
        let first = on("x86-64-debian-12", "1.0.0");
        let both = on("x86-64-fedora-40", "1.1.0").beside(&first, &fedora);
        Lockfile::parse(&both.to_text()).unwrap();
        assert_eq!(both.on(&debian).to_text(), first.to_text());
        assert_eq!(both.on(&fedora).to_text(), on("x86-64-fedora-40", "1.1.0").to_text());
        // Whoever writes it again, it is the same.
        assert_eq!(first.clone().beside(&both, &debian).to_text(), both.to_text());
        // What nobody asks for any more goes.
        let mut none = first;
        none.releases.truncate(1);
        none.releases[0].dependencies.clear();
        assert_eq!(none.clone().beside(&both, &debian).to_text(), none.to_text());
    }
}
