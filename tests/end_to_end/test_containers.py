"""The same story in containers, as deploy/compose.yaml brings them up: where Docker and the images are.

The images of the servers: POSTGRES_IMAGE, REDIS_IMAGE, STORE_IMAGE, or those that the file names. Nothing is
pulled or built here.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from typer.testing import CliRunner

from services.cli.commands import app
from shared.embedded.ports import free_ports
from tests.end_to_end.story import dana_of_the_partner, from_nomination_to_download

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(600)]

COMPOSE = Path(__file__).parents[2] / "deploy/compose.yaml"
COMMAND = ["docker", "compose"] if shutil.which("docker-compose") is None else ["docker-compose"]


def why_not() -> str | None:
    """None when it can be brought up here."""
    if shutil.which("docker") is None or _run("docker", "info") is None:
        return "no Docker engine answers"
    if _run(*COMMAND, "version") is None:
        return "there is no docker compose"
    for told in yaml.safe_load(COMPOSE.read_text())["services"].values():
        name, _, default = told["image"].removeprefix("${").removesuffix("}").partition(":-")
        image = os.environ.get(name, default)
        if _run("docker", "image", "inspect", image) is None:
            return f"the image {image} is not here"
    return None


def _run(*command: str, seconds: float = 20, **told: str) -> str | None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds, env={**os.environ, **told}
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout + done.stderr if done.returncode == 0 else None


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if why := why_not():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("deploy")
    shutil.copy(COMPOSE, folder)
    where = f"127.0.0.1:{free_ports(1)[0]}"
    written = CliRunner().invoke(
        app, ["compose-environment", str(folder / "environment"), "--url", f"http://{where}"]
    )
    assert written.exit_code == 0, written.output
    compose = [*COMMAND, "--project-name", "check-data-tests", "--file", str(folder / "compose.yaml")]
    told = {
        "CHECK_DATA_PUBLISHED": where,
        "CHECK_DATA_PARTICIPANTS": "900",
        "CHECK_DATA_TRICKLE_SECONDS": "0",
    }
    try:
        assert _run(*compose, "up", "--detach", seconds=300, **told) is not None
        _wait_until_people_are_in(compose)
        yield f"http://{where}"
    finally:
        _run(*compose, "down", "--volumes", "--timeout", "30", seconds=120, **told)


def _wait_until_people_are_in(compose: list[str]) -> None:
    until = time.monotonic() + 120
    while "The demo people are in" not in (_run(*compose, "logs", "people") or ""):
        assert time.monotonic() < until
        time.sleep(1)


async def test_from_nomination_to_download_in_containers(url: str) -> None:
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{url}/health/ready")).status_code == 200
    dana = await dana_of_the_partner(url)

    async def in_force(_started: float) -> None:
        """The email that follows says so."""

    await from_nomination_to_download(url, dana, in_force)
    await dana.close()
