"""The HTML validator `html-validate`: the content model of the HTML standard, IDs, labels, references."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

from services.gateway.assets import npm

HERE: Final = Path(__file__).parent / "html"
CONFIGURATION: Final = ".htmlvalidate.json"
INSTALL: Final = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def installed(folder: Path) -> Path:
    """The validator in this folder, put there if it is not yet. Returns its program."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "node_modules" / "html-validate" / "bin" / "html-validate.mjs"
    for name in ("package.json", "package-lock.json", CONFIGURATION):
        there, wanted = folder / name, (HERE / name).read_bytes()
        if not there.exists() or there.read_bytes() != wanted:
            there.write_bytes(wanted)
            program.unlink(missing_ok=True)
    if not program.exists():
        subprocess.run([*npm(), *INSTALL], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return program


def complaints(program: Path, documents: dict[str, str], folder: Path) -> list[str]:
    """What is wrong, a line each. documents: HTML by a name for people."""
    names: dict[str, str] = {}
    for number, (name, html) in enumerate(documents.items()):
        file = folder / f"{number}.html"
        file.write_text(html)
        names[file.name] = name
    done = subprocess.run(
        [
            _node(),
            str(program),
            "--formatter",
            "json",
            "--config",
            str(program.parents[3] / CONFIGURATION),
            str(folder),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    return [
        f"{names[Path(report['filePath']).name]}:{said['line']}: {said['ruleId']}: {said['message']}"
        for report in json.loads(done.stdout)
        for said in report["messages"]
    ]


def _node() -> str:
    """What npm itself runs on."""
    return shutil.which("node") or npm()[0]
