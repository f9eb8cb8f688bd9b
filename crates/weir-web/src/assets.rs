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
const ICON: Asset = Asset { media_type: "image/svg+xml", text: include_str!("../assets/icon.svg") };

static NAMES: LazyLock<[(String, Asset); 3]> = LazyLock::new(|| {
    [("css", STYLE), ("js", SCRIPT), ("svg", ICON)]
        .map(|(ending, asset)| (format!("{}.{ending}", &Sha256::of(asset.text).to_hex()[..16]), asset))
});

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

pub(crate) fn icon() -> String {
    address(2)
}

#[cfg(test)]
mod tests {
    use super::{SCRIPT, STYLE, asset, style};

    #[test]
    fn what_pages_refer_to_is_small_and_has_the_name_of_what_it_says() {
        assert!(SCRIPT.text.len() < 15 << 10, "{} bytes", SCRIPT.text.len());
        assert!(STYLE.text.len() < 20 << 10, "{} bytes", STYLE.text.len());
        let name = style();
        assert!(asset(name.rsplit('/').next().unwrap()).is_some());
        assert!(asset("other.css").is_none());
    }
}
