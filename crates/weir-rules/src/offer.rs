//! Which of several releases of one package is taken.

use weir_model::{Baked, Platform, Range, Release, Version};

use crate::Standing;

/// A release of a package, as far as choosing goes.
pub trait Offer {
    /// Its version.
    fn version(&self) -> &Version;
    /// Where it runs.
    fn platform(&self) -> &Platform;
    /// How often this version was built again for its platform.
    fn revision(&self) -> u32;
    /// Whether it may be used.
    fn standing(&self) -> Standing;
}

impl<T: Offer + ?Sized> Offer for &T {
    fn version(&self) -> &Version {
        (**self).version()
    }

    fn platform(&self) -> &Platform {
        (**self).platform()
    }

    fn revision(&self) -> u32 {
        (**self).revision()
    }

    fn standing(&self) -> Standing {
        (**self).standing()
    }
}

/// What was published is offered as long as nobody says otherwise.
impl Offer for Release {
    fn version(&self) -> &Version {
        &self.id.version
    }

    fn platform(&self) -> &Platform {
        &self.id.platform
    }

    fn revision(&self) -> u32 {
        self.id.revision
    }

    fn standing(&self) -> Standing {
        Standing::Offered
    }
}

/// What something may be fixed to is offered.
impl Offer for Baked {
    fn version(&self) -> &Version {
        &self.version
    }

    fn platform(&self) -> &Platform {
        &self.platform
    }

    fn revision(&self) -> u32 {
        self.revision
    }

    fn standing(&self) -> Standing {
        Standing::Offered
    }
}

/// Of several releases that would do, the one that compares highest is taken: the newest version, one that was made
/// for the platform before one for `any`, and the latest build.
pub fn preference<T: Offer + ?Sized>(offer: &T) -> impl Ord + use<'_, T> {
    (offer.version(), !offer.platform().is_any(), offer.revision())
}

/// Whether a release that nobody has yet may be taken where versions in `range` are wanted on `platform`.
pub fn fits<T: Offer + ?Sized>(offer: &T, range: &Range, platform: &Platform) -> bool {
    offer.standing().is_offered() && is_meant(offer, range, platform)
}

/// Whether a release is among those that are wanted so, however it stands.
pub fn is_meant<T: Offer + ?Sized>(offer: &T, range: &Range, platform: &Platform) -> bool {
    offer.platform().serves(platform) && range.contains(offer.version())
}

/// The release to take where versions in `range` are wanted on `platform`.
pub fn best<T: Offer>(offers: impl IntoIterator<Item = T>, range: &Range, platform: &Platform) -> Option<T> {
    let fitting = offers.into_iter().filter(|offer| fits(offer, range, platform));
    fitting.max_by(|a, b| preference(a).cmp(&preference(b)))
}

/// The release that a person means who names no version: the one to take of all that are offered for `platform`, or
/// anywhere if none is given; a pre-release only where there is nothing else.
pub fn newest<T: Offer>(offers: impl IntoIterator<Item = T>, platform: Option<&Platform>) -> Option<T> {
    let serves = |offer: &T| platform.is_none_or(|platform| offer.platform().serves(platform));
    let offered = offers.into_iter().filter(|offer| offer.standing().is_offered() && serves(offer));
    let stable = |offer: &T| !offer.version().is_prerelease();
    offered.max_by(|a, b| (stable(a), preference(a)).cmp(&(stable(b), preference(b))))
}

/// All that [`newest`] could be taken from, what it would take first: pre-releases come last.
pub fn newest_first<T: Offer>(offers: impl IntoIterator<Item = T>, platform: &Platform) -> Vec<T> {
    let offered = offers.into_iter().filter(|offer| offer.standing().is_offered());
    let mut offered: Vec<T> = offered.filter(|offer| offer.platform().serves(platform)).collect();
    let stable = |offer: &T| !offer.version().is_prerelease();
    offered.sort_by(|a, b| (stable(b), preference(b)).cmp(&(stable(a), preference(a))));
    offered
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(Version, Platform, u32, Standing);

    impl Offer for One {
        fn version(&self) -> &Version {
            &self.0
        }

        fn platform(&self) -> &Platform {
            &self.1
        }

        fn revision(&self) -> u32 {
            self.2
        }

        fn standing(&self) -> Standing {
            self.3
        }
    }

    fn offers(texts: &[&str]) -> Vec<One> {
        let one = |text: &&str| {
            let words: Vec<&str> = text.split(' ').collect();
            let standing = match words.get(3) {
                None => Standing::Offered,
                Some(&"yanked") => Standing::Yanked,
                Some(_) => Standing::Quarantined,
            };
            let part = |at: usize, or: &'static str| words.get(at).copied().unwrap_or(or).to_owned();
            One(
                part(0, "").parse().unwrap(),
                part(1, "any").parse().unwrap(),
                part(2, "0").parse().unwrap(),
                standing,
            )
        };
        texts.iter().map(one).collect()
    }

    fn shown(one: Option<&One>) -> String {
        one.map_or_else(|| "nothing".into(), |one| format!("{} {} {}", one.0, one.1, one.2))
    }

    #[test]
    fn the_newest_that_fits_is_taken_then_the_nearest_platform_then_the_latest_build() {
        let platform = "x86-64-debian-12".parse().unwrap();
        let taken =
            |texts: &[&str], range: &str| shown(best(&offers(texts), &range.parse().unwrap(), &platform));
        assert_eq!(taken(&["1.0.0", "1.2.0", "2.0.0"], "^1"), "1.2.0 any 0");
        assert_eq!(
            taken(&["1.0.0 any 7", "1.0.0 x86-64-debian-12", "1.0.0 arm-debian-12 9"], "*"),
            "1.0.0 x86-64-debian-12 0"
        );
        assert_eq!(taken(&["1.0.0 any 1", "1.0.0 any 3", "1.0.0 any 2"], "*"), "1.0.0 any 3");
        assert_eq!(taken(&["1.0.0", "1.1.0 any 0 yanked", "1.2.0 any 0 quarantined"], "*"), "1.0.0 any 0");
        assert_eq!(taken(&["1.0.0-rc.1"], "*"), "nothing");
    }

    #[test]
    fn who_names_no_version_means_no_prerelease_unless_there_is_nothing_else() {
        let platform = "x86-64-debian-12".parse().unwrap();
        let meant = |texts: &[&str]| shown(newest(&offers(texts), Some(&platform)));
        assert_eq!(meant(&["1.0.0", "2.0.0-rc.1"]), "1.0.0 any 0");
        assert_eq!(meant(&["2.0.0-rc.1", "2.0.0-rc.2"]), "2.0.0-rc.2 any 0");
        assert_eq!(meant(&["1.0.0", "2.0.0 arm-debian-12"]), "1.0.0 any 0");
        assert_eq!(shown(newest(&offers(&["1.0.0", "2.0.0 arm-debian-12"]), None)), "2.0.0 arm-debian-12 0");
        assert_eq!(meant(&["1.0.0 any 0 yanked"]), "nothing");
    }
}
