//! Stylesheet, script and icon. Each has a name that changes with what it says, so that whoever has it never asks again.

use std::sync::LazyLock;

use weir_model::Sha256;

use crate::address::ASSETS;

/// Something that pages refer to.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// What it is.
    pub media_type: &'static str,
    /// Its bytes.
    pub text: &'static str,
}

const STYLE: Asset =
    Asset { media_type: "text/css; charset=utf-8", text: include_str!("../assets/style.css") };
const SCRIPT: Asset =
    Asset { media_type: "text/javascript; charset=utf-8", text: include_str!("../assets/script.js") };
const SITE_SCRIPT: Asset =
    Asset { media_type: "text/javascript; charset=utf-8", text: include_str!("../assets/site.js") };
const ICON: Asset = Asset { media_type: "image/svg+xml", text: include_str!("../assets/icon.svg") };

static NAMES: LazyLock<[(String, Asset); 4]> = LazyLock::new(|| {
    [("css", STYLE), ("js", SCRIPT), ("svg", ICON), ("js", SITE_SCRIPT)]
        .map(|(ending, asset)| (format!("{}.{ending}", &Sha256::of(asset.text).to_hex()[..16]), asset))
});

/// What the pages of a site refer to: names, and texts.
pub static SITE_ASSETS: LazyLock<[(String, &'static str); 3]> =
    LazyLock::new(|| [0, 2, 3].map(|position: usize| (NAMES[position].0.clone(), NAMES[position].1.text)));

/// The asset of that name.
pub fn asset(name: &str) -> Option<Asset> {
    NAMES.iter().find(|(known, _)| known == name).map(|(_, asset)| *asset)
}

fn address(position: usize) -> String {
    format!("{ASSETS}/{}", NAMES[position].0)
}

pub(crate) fn style() -> String {
    address(0)
}

pub(crate) fn script() -> String {
    address(1)
}

pub(crate) fn site_script() -> String {
    address(3)
}

pub(crate) fn icon() -> String {
    address(2)
}

#[cfg(test)]
mod tests {
    use super::{SCRIPT, SITE_SCRIPT, STYLE, asset, style};

    #[test]
    fn what_pages_refer_to_is_small_and_has_the_name_of_what_it_says() {
        for script in [SCRIPT, SITE_SCRIPT] {
            assert!(script.text.len() < 15 << 10, "{} bytes", script.text.len());
        }
        assert!(STYLE.text.len() < 20 << 10, "{} bytes", STYLE.text.len());
        let name = style();
        assert!(asset(name.rsplit('/').next().unwrap()).is_some());
        assert!(asset("other.css").is_none());
    }
}
