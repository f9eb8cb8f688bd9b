"""Turns what Weir built into packages of Conan.

    peers.py WEIR REGISTRY RECIPES OUT

OUT gets a folder a package: `Release/` and `Debug/` with the files of that package alone, and a conanfile that
packs them as they are; `order`, the folders with dependencies first; and `packages.json`.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

CONANFILE = """
from conan import ConanFile
from conan.tools.files import copy


class Package(ConanFile):
    name = "{name}"
    version = "{version}"
    settings = "os", "arch", "build_type"
    requires = {requires}

    def package(self):
        copy(self, "*", src=f"{{self.recipe_folder}}/{{self.settings.build_type}}", dst=self.package_folder)

    def package_info(self):
        self.cpp_info.libs = []
"""


def main():
    weir, registry, recipes, out = sys.argv[1:]
    out = Path(out)
    packages = {}
    for file in Path(recipes).glob("packages/*/*/weir.toml"):
        manifest = tomllib.loads(file.read_text())
        packages[manifest["package"]["name"]] = manifest
    done = []

    def take(name):
        if name in done:
            return
        for needed in packages[name].get("dependencies", {}):
            take(needed)
        export(name)
        done.append(name)

    def export(name):
        manifest = packages[name]
        folder = out / name.split("/")[1]
        sysroot = out / "sysroots" / name.split("/")[1]
        sysroot.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([weir, "-q", "--registry", registry, "sysroot", "create", str(sysroot), name], check=True)
        for variant, conan in (("release", "Release"), ("debug", "Debug")):
            others = set()
            for needed in manifest.get("dependencies", {}):
                others |= files(out / "sysroots" / needed.split("/")[1], variant)
            for path in sorted(files(sysroot, variant) - others):
                target = folder / conan / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(variant_folder(sysroot, variant) / path, target, follow_symlinks=False)
        requires = tuple(f"{other.split('/')[1]}/{packages[other]['package']['version']}" for other in manifest.get("dependencies", {}))
        text = CONANFILE.format(name=name.split("/")[1], version=manifest["package"]["version"], requires=repr(requires))
        (folder / "conanfile.py").write_text(text)

    for name in sorted(packages):
        take(name)
    (out / "order").write_text("".join(f"{out / name.split('/')[1]}\n" for name in done))
    listing = [{"name": name, "conan": name.split("/")[1], "version": packages[name]["package"]["version"]} for name in sorted(packages)]
    (out / "packages.json").write_text(json.dumps(listing))


def variant_folder(sysroot, variant):
    return next(path for path in (sysroot / variant, *sysroot.glob(f"*/{variant}")) if path.is_dir())


def files(sysroot, variant):
    folder = variant_folder(sysroot, variant)
    found = set()
    for place, _, names in os.walk(folder):
        found |= {os.path.relpath(os.path.join(place, name), folder) for name in names}
    return found


main()
