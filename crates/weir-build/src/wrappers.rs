//! Wrappers: scripts that stand on the `PATH` before compilers and the tools that look for packages, and tell them
//! where a build's packages are.
//!
//! Exported variables would reach build systems too, which give names such as `LIBRARY_PATH`, `PREFIX` or `CFLAGS`
//! meanings of their own: a makefile that says `LIBRARY_PATH ?= lib` installs wherever somebody else's variable
//! says. So a build's environment has none of them, and each tool is told what it alone must know.
//!
//! What a wrapper adds stands where it loses: optimisation before a build's own words, folders after them.

use fs_err::os::unix::fs::OpenOptionsExt as _;
use std::io;
use std::path::Path;

use weir_native::{PREFIX, System, Variant};

use crate::room::Places;
use crate::root::Program;

/// What wrappers tell.
pub(crate) struct Told<'a> {
    pub(crate) places: &'a Places,
    pub(crate) system: &'a System,
    pub(crate) variant: Variant,
    /// As whose source debuggers know what is built, such as `base/zlib-1.3.1`.
    pub(crate) source_name: String,
    /// What is in the sysroot and among the tools, on the machine.
    pub(crate) sysroot: &'a Path,
    pub(crate) tools: Option<&'a Path>,
}

/// What sort of program is told something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Compiler,
    Preprocessor,
    Linker,
    PkgConfig,
    Aclocal,
    Cmake,
}

/// Whether a compiler is asked to link, so far as its words tell: options for the linker count as files that are
/// linked, and would make `cc -v` fail.
const IS_LINKING: &str = "\
link=
for word do
    case $word in
    -c | -E | -S | -M | -MM | -fsyntax-only) link=no ;;
    - | [!-]*) link=${link:-yes} ;;
    esac
done
";

/// Writes the wrappers of these programs into the folder `to`.
pub(crate) fn write(to: &Path, programs: &[Program], told: &Told<'_>) -> io::Result<()> {
    for program in programs {
        let Some(sort) = sort_of(&program.name) else { continue };
        let script = told.script(sort, &format!("{}/{}", program.folder, program.name));
        let at = to.join(&program.name);
        let mut options = fs_err::OpenOptions::new();
        options.write(true).create_new(true);
        options.mode(0o755);
        let mut file = options.open(at)?;
        io::Write::write_all(&mut file, script.as_bytes())?;
    }
    Ok(())
}

/// What sort of program has this name, with or without the machine's own triplet and a version: `cc`,
/// `x86_64-linux-gnu-g++-12`.
fn sort_of(name: &str) -> Option<Sort> {
    let is_version = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let name = name.rsplit_once('-').filter(|(_, last)| is_version(last)).map_or(name, |(front, _)| front);
    // A compiler for another machine has no use for these packages.
    let own = name.strip_prefix(std::env::consts::ARCH).and_then(|rest| rest.strip_prefix("-linux-"));
    let name = own.and_then(|rest| rest.split_once('-')).map_or(name, |(_, name)| name);
    Some(match name {
        "cc" | "c++" | "gcc" | "g++" | "clang" | "clang++" | "gfortran" => Sort::Compiler,
        "cpp" => Sort::Preprocessor,
        "ld" | "ld.bfd" | "ld.gold" | "ld.lld" | "ld.mold" => Sort::Linker,
        "pkg-config" | "pkgconf" => Sort::PkgConfig,
        "aclocal" => Sort::Aclocal,
        "cmake" => Sort::Cmake,
        _ => return None,
    })
}

impl Told<'_> {
    fn script(&self, sort: Sort, program: &str) -> String {
        let (program, sysroot) = (quoted(program), &self.places.sysroot);
        let mut text = "#!/bin/sh\n".to_owned();
        let mut export = |name: &str, folders: Vec<String>| {
            if !folders.is_empty() {
                let folders = quoted(&folders.join(":"));
                text.push_str(&format!("export {name}=\"${{{name}:+${name}:}}\"{folders}\n"));
            }
        };
        let words = match sort {
            Sort::Compiler | Sort::Preprocessor => {
                export("CPATH", self.there(&["include"], Searched::Sysroot));
                export("LIBRARY_PATH", self.there(&["lib"], Searched::Sysroot));
                format!(" {} \"$@\"", self.compiling())
            }
            Sort::Linker => format!(" \"$@\"{}", self.linking("-L", "-rpath-link=")),
            Sort::PkgConfig => {
                // In place of the build root's own, and so not after it. Some folder there must be.
                let folders = self.there(&["lib/pkgconfig", "share/pkgconfig"], Searched::Both);
                let folders =
                    if folders.is_empty() { format!("{sysroot}/lib/pkgconfig") } else { folders.join(":") };
                text.push_str(&format!("export PKG_CONFIG_LIBDIR={}\n", quoted(&folders)));
                " \"$@\"".to_owned()
            }
            Sort::Aclocal => {
                export("ACLOCAL_PATH", self.there(&["share/aclocal"], Searched::Both));
                " \"$@\"".to_owned()
            }
            Sort::Cmake => {
                export("CMAKE_PREFIX_PATH", vec![sysroot.clone()]);
                " \"$@\"".to_owned()
            }
        };
        if sort == Sort::Compiler {
            let linking = self.run_paths();
            text.push_str(IS_LINKING);
            text.push_str(&format!(
                "test \"$link\" = yes || exec {program}{words}\nexec {program}{words}{linking}\n"
            ));
        } else {
            text.push_str(&format!("exec {program}{words}\n"));
        }
        text
    }

    /// Those folders that are there, as the build finds them.
    fn there(&self, folders: &[&str], searched: Searched) -> Vec<String> {
        let Places { sysroot, tools, .. } = self.places;
        let tools = self.tools.filter(|_| searched == Searched::Both).map(|on_disk| (on_disk, tools));
        let tops = std::iter::once((self.sysroot, sysroot)).chain(tools);
        let all = tops.flat_map(|(on_disk, place)| {
            let there = folders.iter().filter(|folder| on_disk.join(folder).is_dir());
            there.map(move |folder| format!("{place}/{folder}"))
        });
        all.collect()
    }

    /// Before all that a build says.
    fn compiling(&self) -> String {
        let Places { source, build, .. } = self.places;
        // Debuggers and messages name a source by its release, not by where it happened to be built.
        // None of these names has that of a place of a build in it, so that none is taken for one.
        let name = format!("/usr/src/weir-packages/{}", self.source_name);
        let maps = [format!("{source}={name}"), format!("{build}={name}/build")];
        let maps = maps.map(|map| quoted(&format!("-ffile-prefix-map={map}"))).join(" ");
        match self.system {
            // These know build types, and choose by them.
            System::Cmake | System::Meson => maps,
            System::Autotools | System::Make { .. } | System::Script { .. } => {
                format!("{} {maps}", optimisation(self.variant))
            }
        }
    }

    /// Where libraries are looked for while something is linked, and by it when it runs: here now, beside itself once
    /// it is installed and the places of its build are written anew.
    fn run_paths(&self) -> String {
        let lib = format!("{}/lib", self.places.sysroot);
        let own = format!(" -Wl,-rpath,{PREFIX}/lib");
        if self.sysroot.join("lib").is_dir() {
            let words = [format!("-Wl,-rpath-link,{lib}"), format!("-Wl,-rpath,{lib}")];
            format!(" {}{own}", words.map(|word| quoted(&word)).join(" "))
        } else {
            own
        }
    }

    fn linking(&self, search: &str, search_of_others: &str) -> String {
        let folders = self.there(&["lib"], Searched::Sysroot);
        let words =
            folders.iter().flat_map(|lib| [search, search_of_others].map(|option| format!("{option}{lib}")));
        words.map(|word| format!(" {}", quoted(&word))).collect()
    }
}

/// Where something is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Searched {
    /// In what runs with what is built.
    Sysroot,
    /// There, and then in what only builds it.
    Both,
}

/// How a compiler is to optimise, where the build system knows no build types.
pub(crate) const fn optimisation(variant: Variant) -> &'static str {
    match variant {
        Variant::Release => "-O2 -g0",
        Variant::Debug => "-O0 -g",
    }
}

/// One word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::{Sort, sort_of};

    #[test]
    fn programs_are_told_by_their_names_with_and_without_a_triplet_and_a_version() {
        let triplet = format!("{}-linux-gnu", std::env::consts::ARCH);
        for (name, sort) in [
            ("cc", Some(Sort::Compiler)),
            ("g++-12", Some(Sort::Compiler)),
            ("cpp", Some(Sort::Preprocessor)),
            ("ld.gold", Some(Sort::Linker)),
            ("pkg-config", Some(Sort::PkgConfig)),
            ("aclocal-1.16", Some(Sort::Aclocal)),
            ("gcc-ar", None),
            ("gcc-ranlib-12", None),
            ("clang-format-15", None),
            ("c++filt", None),
            ("sparc64-linux-gnu-gcc", None),
        ] {
            assert_eq!(sort_of(name), sort, "{name}");
            if sort.is_some() {
                assert_eq!(sort_of(&format!("{triplet}-{name}")), sort, "{triplet}-{name}");
            }
        }
    }
}
