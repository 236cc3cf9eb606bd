"""deploy/compose.yaml is a compose file, keeps its promises, and is told what its containers need."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from typer.testing import CliRunner

from services.cli.catalogue import SERVICES, WITH_DATABASE, create_service
from services.cli.commands import app

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((Path(__file__).parent / "schemas/compose-spec.json").read_text())
"""https://github.com/compose-spec/compose-spec, schema/compose-spec.json at 170098b (Apache 2.0)."""

COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
CONTAINERS: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name for name, told in CONTAINERS.items() if "CHECK_DATA_IMAGE" in told["image"]}


def test_it_is_a_compose_file() -> None:
    jsonschema.Draft7Validator(SCHEMA).validate(COMPOSE)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(SCHEMA).validate({"services": {"auth": {"imagine": "check-data"}}})


def test_only_the_gateway_is_published_and_at_the_door() -> None:
    assert [name for name, told in CONTAINERS.items() if "ports" in told] == ["gateway"]
    assert [name for name, told in CONTAINERS.items() if "door" in told["networks"]] == ["gateway"]
    assert all("behind" in told["networks"] for told in CONTAINERS.values())
    assert COMPOSE["networks"]["behind"]["internal"] is True


@pytest.mark.parametrize("name", sorted(CONTAINERS))
def test_no_container_writes_to_its_image_or_gains_rights(name: str) -> None:
    told = CONTAINERS[name]
    assert told["read_only"] is True
    assert "no-new-privileges:true" in told["security_opt"]
    if name in OURS:
        assert told["cap_drop"] == ["ALL"]
    assert not any(volume.startswith(("/", ".")) for volume in told.get("volumes", ()))


def test_each_service_runs_when_its_schema_is_there_and_says_when_it_is_ready() -> None:
    running = {
        told["command"][1]: (name, told)
        for name, told in CONTAINERS.items()
        if name in OURS and told["command"][0] == "serve"
    }
    assert set(running) == set(SERVICES)
    for service, (name, told) in running.items():
        assert "/health/ready" in told["healthcheck"]["test"][-1]
        assert told["stop_grace_period"] == "30s"
        if service in WITH_DATABASE and service != "manage_ects":
            assert told["depends_on"][f"migrate-{name}"] == {"condition": "service_completed_successfully"}


def test_commands_of_containers_exist() -> None:
    for name in OURS:
        result = CliRunner().invoke(app, [*CONTAINERS[name]["command"], "--help"])
        assert result.exit_code == 0, (name, result.output)


def test_what_is_written_for_them_is_all_that_they_read_and_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "environment"
    result = CliRunner().invoke(app, ["compose-environment", str(folder)])
    assert result.exit_code == 0, result.output
    asked = {Path(file).name for told in CONTAINERS.values() for file in told.get("env_file", ())}
    assert {file.name for file in folder.iterdir()} == asked
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())
    for service in SERVICES:
        with monkeypatch.context() as patch:
            for line in (folder / f"{service}.env").read_text().splitlines():
                name, _, value = line.partition("=")
                assert "OWNER" not in name, "a service owns no table"
                patch.setenv(name, value)
            create_service(service)
    again = CliRunner().invoke(app, ["compose-environment", str(folder)])
    assert again.exit_code != 0, "secrets that are in use are not written over"


def test_its_secrets_are_not_in_the_repository() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "deploy/environment/" in ignored
    assert not re.search(r"(?i)(password|secret|key)\w*: *\S", (ROOT / "deploy/compose.yaml").read_text())


def test_it_says_how_it_is_begun() -> None:
    first = (ROOT / "deploy/compose.yaml").read_text().split("x-program")[0]
    assert "compose-environment" in first
    assert "docker build" in first
