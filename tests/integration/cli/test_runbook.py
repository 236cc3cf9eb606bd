"""The commands of the runbook are run, as it has them, on an installation in which something is wrong."""

import asyncio
import re
import shlex
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from services.cli.catalogue import SERVICES, WITH_DATABASE
from services.cli.commands import app
from services.cli.home import Home, new_secrets
from services.cli.told import told_each
from shared.bus.parking import park
from shared.contracts.envelope import CloudEvent
from shared.contracts.manage_ects import TrnValidated
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from shared.work_queue import enqueue
from tests.conftest import NewDatabase
from tests.notify import running_notify

RUNBOOK = (Path(__file__).parents[3] / "docs/runbook.md").read_text()
COMMANDS = list(dict.fromkeys(re.findall(r"(?m)^check-data (.+)$", RUNBOOK)))
SAYS = {
    "doctor": (1, "events and 1 jobs are parked"),
    "migrate access": (0, "the schema is up to date"),
    "parked list participants": (0, "event-1"),
    "parked show participants event-1": (0, '"type": "manage-ects.trn-validated.v1"'),
    "parked retry participants event-1": (1, "still not applied"),
    "parked discard participants event-1": (0, "event-1: discarded"),
    "parked list auth": (0, "job-1"),
    "parked show auth job-1": (0, "email_link"),
    "parked retry auth job-1": (0, "job-1"),
    "audit verify": (0, "The audit is whole"),
    "rebuild participants --dry-run": (0, "compared with the log"),
    "rebuild participants": (0, "made anew from the log"),
    "emails check": (1, "The template in GOV.UK Notify differs"),
}
"""What each says in an installation of these tests, and with which code it ends."""


@pytest.fixture
async def databases_of_all(new_database: NewDatabase) -> dict[str, ServiceDatabase]:
    found = {service: await new_database(service) for service in WITH_DATABASE}
    participants, auth = (create_engine(found[name].service_url) for name in ("participants", "auth"))
    async with participants.begin() as connection:
        await park(connection, "participants", misfit(), "trn: String should match pattern", 1)
    async with auth.begin() as connection:
        await enqueue(connection, "email_link", "a", {"link_id": str(uuid4())})
        given_up = "UPDATE work SET state = 'parked', settled_at = now(), tries = 60, last_error = 'OSError'"
        await connection.execute(text(given_up))
    await participants.dispose()
    await auth.dispose()
    return found


def misfit() -> CloudEvent:
    participant = str(uuid4())
    return CloudEvent(
        id=str(uuid4()),
        source="/manage-ects",
        type=TrnValidated.type,
        subject=participant,
        time="2026-03-01T09:00:00Z",
        data={"participant_id": participant, "trn": "12"},
        sequence="1",
    )


async def test_each_command_of_the_runbook_does_what_it_is_there_for(
    databases_of_all: dict[str, ServiceDatabase], redis_url: str, tmp_path: Path
) -> None:
    home = Home(tmp_path)
    home.prepare()
    urls = dict.fromkeys(SERVICES, "http://127.0.0.1:9")
    for service, told in told_each(new_secrets(), urls, redis_url, databases_of_all).items():
        home.save_environment(service, {**told, "CHECK_DATA_PORT": "9"})
    said = {}
    with running_notify() as notify:
        notify.template = {"subject": "((subject))", "body": "Something else"}
        environment = {
            "CHECK_DATA_HOME": str(tmp_path),
            "CHECK_DATA_OPERATOR": "ops",
            "CHECK_DATA_EMAIL_NOTIFY_URL": notify.url,
            "CHECK_DATA_EMAIL_NOTIFY_API_KEY": notify.settings.notify_api_key.get_secret_value(),
            "CHECK_DATA_EMAIL_NOTIFY_TEMPLATE_ID": notify.settings.notify_template_id,
        }
        for command in COMMANDS:
            words = shlex.split(command)
            result = await asyncio.to_thread(CliRunner().invoke, app, words, env=environment)
            said[command.partition(" --why")[0]] = (result.exit_code, result.output + repr(result.exception))
    assert said.keys() == SAYS.keys()
    for command, (code, words_said) in SAYS.items():
        assert words_said in said[command][1], (command, said[command])
        assert said[command][0] == code, (command, said[command])


async def test_its_question_to_the_database_is_one(databases_of_all: dict[str, ServiceDatabase]) -> None:
    (question,) = re.findall(r"`(SELECT [^`]+)`", RUNBOOK)
    engine = create_engine(databases_of_all["participants"].service_url)
    async with engine.connect() as connection:
        assert (await connection.execute(text(question))).all() == []
    await engine.dispose()
