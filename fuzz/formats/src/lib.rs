//! What must hold for any bytes, format by format, and valid examples to start from.
//!
//! One module a format: `check` panics when bytes break what is promised of them, `seeds` gives valid
//! examples. The fuzzer runs `check` on what it invents; the test here runs it on every seed,
//! so that a check is known to hold before a night is spent on it.

pub mod archive;
pub mod bacpack;
pub mod bash;
pub mod bash_manifest;
pub mod checkpoint;
pub mod chunk_list;
pub mod delta;
pub mod descriptor;
pub mod elf;
pub mod elm_json;
pub mod export;
pub mod facts;
pub mod fold;
pub mod gzip;
pub mod lockfile;
pub mod log_files;
pub mod manifest;
pub mod pack;
pub mod quote;
pub mod range;
pub mod recipe;
pub mod record;
pub mod samples;
pub mod snapshot;
pub mod tar_headers;
pub mod tree_manifest;
pub mod tree_paths;
pub mod url;

/// A format: the name of its fuzz target, what must hold, and valid examples.
pub struct Format {
    pub name: &'static str,
    pub check: fn(&[u8]),
    pub seeds: fn() -> Vec<Vec<u8>>,
}

macro_rules! formats {
    ($($name:ident),+ $(,)?) => {
        &[$(Format { name: stringify!($name), check: $name::check, seeds: $name::seeds }),+]
    };
}

/// Every format.
pub const FORMATS: &[Format] = formats![
    archive,
    bacpack,
    bash,
    bash_manifest,
    checkpoint,
    chunk_list,
    delta,
    descriptor,
    elf,
    elm_json,
    export,
    facts,
    fold,
    gzip,
    log_files,
    lockfile,
    manifest,
    pack,
    quote,
    range,
    recipe,
    record,
    snapshot,
    tar_headers,
    tree_manifest,
    tree_paths,
    url,
];

#[cfg(test)]
mod tests {
    #[test]
    fn every_check_holds_for_its_seeds_and_for_their_beginnings() {
        for format in super::FORMATS {
            let seeds = (format.seeds)();
            assert!(!seeds.is_empty(), "{} has no seeds", format.name);
            (format.check)(b"");
            for seed in seeds {
                (format.check)(&seed);
                (format.check)(&seed[..seed.len() / 2]);
            }
        }
    }

    #[test]
    fn every_format_has_a_target() {
        let manifest = fs_err::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml")).unwrap();
        for format in super::FORMATS {
            assert!(
                manifest.contains(&format!("name = \"{}\"", format.name)),
                "{} has no target",
                format.name
            );
        }
    }
}
