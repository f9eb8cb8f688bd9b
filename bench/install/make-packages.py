"""Makes the packages of the install benchmark: N packages of M small files, the same in every run.

    make-packages.py OUT [PACKAGES] [FILES]

Makes OUT/weir/pkg-NNN (with weir.toml), OUT/npm (a static npm registry: metadata and tarballs, whose
addresses begin with @SERVER@, replaced by the runner), OUT/all.tar, OUT/project-weir and OUT/project-npm.
"""

import base64
import hashlib
import io
import json
import pathlib
import random
import sys
import tarfile

WORDS = ("const let function return export import from if else for of while new this async await "
         "map filter reduce index value result options callback error node path buffer stream").split()


def source(chance, size):
    lines = []
    length = 0
    while length < size:
        line = "  " * chance.randrange(4) + " ".join(chance.choice(WORDS) for _ in range(chance.randrange(3, 9)))
        line += f"_{chance.randrange(10**6)};\n"
        lines.append(line)
        length += len(line)
    return "".join(lines)[:size].encode()


def tar(files, out, prefix="", mode="w"):
    with tarfile.open(out, mode) as archive:
        for path, content in files:
            info = tarfile.TarInfo(prefix + path)
            info.size, info.mode, info.mtime = len(content), 0o644, 500_000_000
            archive.addfile(info, io.BytesIO(content))


def main():
    out = pathlib.Path(sys.argv[1])
    packages = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    chance = random.Random(20201120)
    names, everything, total = [], [], 0
    npm = out / "npm"
    npm.mkdir(parents=True)
    for number in range(packages):
        name = f"pkg-{number:03}"
        names.append(name)
        manifest = json.dumps({"name": name, "version": "1.0.0", "license": "MIT", "main": "src/0/0.js"}).encode()
        files = [(f"src/{index % 10}/{index}.js", source(chance, 500 + int(7500 * chance.random() ** 3)))
                 for index in range(count - 1)]
        files.append(("package.json", manifest))
        total += sum(len(content) for _, content in files)
        folder = out / "weir" / name
        for path, content in files:
            at = folder / path
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_bytes(content)
        (folder / "weir.toml").write_text(
            f'[package]\nname = "bench/{name}"\nversion = "1.0.0"\nlicense = "MIT"\n')
        everything += [(f"{name}/{path}", content) for path, content in files]
        tarball = npm / f"{name}-1.0.0.tgz"
        tar(files, tarball, "package/", "w:gz")
        integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
        (npm / f"{name}.json").write_text(json.dumps({
            "name": name, "dist-tags": {"latest": "1.0.0"},
            "versions": {"1.0.0": {"name": name, "version": "1.0.0", "dependencies": {},
                                   "dist": {"tarball": f"@SERVER@/npm/{name}-1.0.0.tgz",
                                            "integrity": integrity}}}}))
    tar(everything, out / "all.tar")
    project = out / "project-weir"
    project.mkdir()
    (project / "weir.toml").write_text(
        '[package]\n\n[registries]\nbench = { url = "@REGISTRY@", default = true }\n\n[dependencies]\n'
        + "".join(f'"bench/{name}" = "^1"\n' for name in names))
    project = out / "project-npm"
    project.mkdir()
    (project / "package.json").write_text(
        json.dumps({"name": "project", "version": "1.0.0", "dependencies": {name: "^1.0.0" for name in names}}))
    print(f"{packages} packages, {packages * count} files, {total} bytes")


main()
