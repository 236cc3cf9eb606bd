"""The image's recipe: linted, and made of nothing but what is named."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
HADOLINT = shutil.which("hadolint", path=str(Path(sys.executable).parent))


@pytest.mark.skipif(HADOLINT is None, reason="hadolint has no program for this kind of machine")
def test_hadolint_has_nothing_to_say() -> None:
    assert HADOLINT is not None
    said = subprocess.run(
        [HADOLINT, "--no-color", str(DOCKERFILE)], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_only_what_is_named_goes_into_the_image() -> None:
    first, *others = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")
    ]
    assert first == "*"
    named = {line.removeprefix("!") for line in others if line.startswith("!")}
    assert named == {
        "requirements",
        "pyproject.toml",
        "package.json",
        "package-lock.json",
        "shared",
        "services",
    }


def test_what_is_installed_is_locked_by_hashes_and_the_process_is_nobody() -> None:
    recipe = DOCKERFILE.read_text()
    result = recipe.split("FROM ")[-1]
    assert "USER 10001:10001" in result
    assert "RUN " not in result, "nothing is installed in the result"
    installs = [line for line in recipe.splitlines() if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line or "--no-deps" in line for line in installs)
