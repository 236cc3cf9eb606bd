"""A service is stopped while it works: what is under way is answered and done, and nothing is lost."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.auth.consumers import AccessFollower
from services.cli import processes
from services.cli.processes import Child, start, stop
from shared.contracts import access
from shared.contracts.envelope import CloudEvent
from shared.contracts.manage_ects import OrganisationKind
from shared.contracts.roles import Role
from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase, provision
from shared.embedded.ports import free_ports
from tests.conftest import NewDatabase
from tests.integration.auth.running import EMAIL, GRANT, PARTNER, PERSON, granted
from tests.integration.shared.test_bus import eventually
from tests.notify import TEMPLATE_ID, Notify, running_notify
from tests.servers import Servers

SECRET = "s" * 40


class SlowNotify:
    """Holds each email until it is let go."""

    def __init__(self, notify: Notify) -> None:
        self.notify = notify
        self.asked, self.go_on = threading.Event(), threading.Event()
        answer = notify.answer

        def slowly(method: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            if method == "POST":
                self.asked.set()
                self.go_on.wait(20)
            return answer(method, path, body)

        notify.answer = slowly  # type: ignore[method-assign]


@pytest.fixture
def slow() -> Iterator[SlowNotify]:
    with running_notify() as notify:
        slow = SlowNotify(notify)
        yield slow
        slow.go_on.set()


def environment(told: dict[str, str], database: ServiceDatabase, notify: Notify | None) -> dict[str, str]:
    email = {
        "CHECK_DATA_EMAIL_VIA": "notify",
        "CHECK_DATA_EMAIL_NOTIFY_API_KEY": f"tests-{uuid4()}-{uuid4()}",
        "CHECK_DATA_EMAIL_NOTIFY_TEMPLATE_ID": TEMPLATE_ID,
        "CHECK_DATA_EMAIL_NOTIFY_URL": notify.url if notify else "",
    }
    return {
        **told,
        **(email if notify else {}),
        "CHECK_DATA_ENVIRONMENT": "development",
        "CHECK_DATA_DATABASE_URL": database.service_url,
        "CHECK_DATA_PORT": str(free_ports(1)[0]),
        "CHECK_DATA_SERVICE_SECRETS": json.dumps({"gateway": SECRET}),
        "CHECK_DATA_FEED_URLS": json.dumps({"access": "http://127.0.0.1:9"}),
    }


@asynccontextmanager
async def serving(told: dict[str, str], folder: Path) -> AsyncIterator[tuple[Child, httpx.AsyncClient]]:
    """auth as a process of its own, and the gateway's hands on it."""
    url = f"http://127.0.0.1:{told['CHECK_DATA_PORT']}"
    child = start("auth", ["serve", "auth"], told, folder / "auth.log")
    try:
        await asyncio.to_thread(processes.wait_until_ready, child, url, 60)
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            token = await http.post("/tokens", json={"audience": "auth"}, auth=("gateway", SECRET))
            http.headers["authorization"] = f"Bearer {token.json()['token']}"
            yield child, http
    finally:
        stop([child])


async def let_in(engine: AsyncEngine) -> None:
    """Access tells of a person who may sign in."""
    events = (
        access.PersonRegistered(person_id=PERSON, full_name="Dana Whitfield", email=EMAIL),
        access.OrganisationNamed(
            kind=OrganisationKind.DELIVERY_PARTNER, organisation_id=PARTNER, name="Fernhill"
        ),
        granted(GRANT, Role.DELIVERY_PARTNER),
    )
    now = datetime.now(UTC)
    async with engine.begin() as connection:
        for number, event in enumerate(events, 1):
            envelope = CloudEvent(
                id=str(uuid4()),
                source="/access",
                type=event.type,
                subject=event.subject,
                time=now,
                data=event.model_dump(mode="json"),
                sequence=str(number),
            )
            await AccessFollower(lambda: now).apply(connection, [envelope])


async def test_requests_and_jobs_under_way_are_finished_and_nothing_new_is_begun(
    new_database: NewDatabase, told: dict[str, str], slow: SlowNotify, tmp_path: Path
) -> None:
    database = await new_database("auth")
    engine = create_engine(database.service_url)
    await let_in(engine)
    async with serving(environment(told, database, slow.notify), tmp_path) as (child, http):
        assert (await http.post("/links", json={"email": EMAIL})).status_code == 202
        assert await asyncio.to_thread(slow.asked.wait, 30), "an email is being sent"
        async with engine.begin() as connection:
            await connection.execute(text("LOCK TABLE work IN EXCLUSIVE MODE"))
            under_way = [
                asyncio.create_task(http.post("/links", json={"email": f"{n}@example.org"})) for n in range(5)
            ]
            await eventually(lambda: waiting(engine, 5))
            child.process.send_signal(signal.SIGTERM)
            await eventually(lambda: refuses(http))
        answers = await asyncio.gather(*under_way)
        assert [answer.status_code for answer in answers] == [202] * 5
        slow.go_on.set()
        code = await asyncio.to_thread(child.process.wait, processes.STOP_SECONDS)
        assert code in (0, -signal.SIGTERM)
    async with engine.connect() as connection:
        jobs = (await connection.execute(text("SELECT kind, state, tries, lease FROM work"))).all()
    await engine.dispose()
    assert [(job.state, job.tries) for job in jobs if job.kind == "email_link"] == [("done", 1)]
    assert len(slow.notify.sent) == 1
    asked = [job for job in jobs if job.kind == "send_link"]
    assert len(asked) == 6, "each that was answered is there"
    assert all(job.state == "done" or (job.lease is None and job.tries == 0) for job in asked)
    assert "task_did_not_stop" not in child.log.read_text()


async def waiting(engine: AsyncEngine, count: int) -> bool:
    """Whether so many transactions wait for a lock."""
    query = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'work'::regclass")
    async with engine.connect() as connection:
        return int(await connection.scalar(query) or 0) >= count


async def refuses(http: httpx.AsyncClient) -> bool:
    async with httpx.AsyncClient(base_url=http.base_url) as another:
        try:
            await another.get("/health/ready")
        except httpx.ConnectError:
            return True
    return False


async def test_whatever_was_answered_is_there_and_whatever_was_not_is_not(
    new_database: NewDatabase, told: dict[str, str], tmp_path: Path
) -> None:
    """Asked by many without a pause, until it is gone."""
    database = await new_database("auth")
    told |= {
        f"CHECK_DATA_LINK_LIMITS_{of}": '["100000 per minute"]' for of in ("NETWORK", "ADDRESS", "EVERYBODY")
    }
    answered = 0

    async with serving(environment(told, database, None), tmp_path) as (child, http):

        async def ask_on(number: int) -> None:
            nonlocal answered
            while True:
                try:
                    answer = await http.post("/links", json={"email": f"{number}@example.org"})
                except httpx.TransportError:
                    return
                assert answer.status_code == 202, answer.text
                answered += 1

        asking = asyncio.gather(*(ask_on(number) for number in range(20)))
        await asyncio.sleep(1)
        child.process.send_signal(signal.SIGTERM)
        await asking
        await asyncio.to_thread(child.process.wait, processes.STOP_SECONDS)
    engine = create_engine(database.service_url)
    async with engine.connect() as connection:
        kept = await connection.scalar(text("SELECT count(*) FROM work WHERE kind = 'send_link'"))
        leased = await connection.scalar(text("SELECT count(*) FROM work WHERE lease IS NOT NULL"))
    await engine.dispose()
    assert answered > 20
    assert (kept, leased) == (answered, 0)


async def test_two_migrations_of_one_database_at_once_are_one_after_the_other(servers: Servers) -> None:
    database = await provision(servers.postgres_admin_url, "auth", f"test_auth_{uuid4().hex[:8]}", "secret")
    command = [sys.executable, "-m", "services", "migrate", "auth"]
    told = {"CHECK_DATA_OWNER_DATABASE_URL": database.owner_url}
    running = [start_command(command, told) for _ in range(3)]
    said = await asyncio.gather(*(asyncio.to_thread(process.communicate) for process in running))
    assert [process.returncode for process in running] == [0, 0, 0], said


async def test_a_service_does_not_migrate_and_does_not_start_without_its_schema(
    servers: Servers, told: dict[str, str], tmp_path: Path
) -> None:
    database = await provision(servers.postgres_admin_url, "auth", f"test_auth_{uuid4().hex[:8]}", "secret")
    child = start("auth", ["serve", "auth"], environment(told, database, None), tmp_path / "auth.log")
    try:
        assert await asyncio.to_thread(child.process.wait, 60) != 0
    finally:
        stop([child])
    assert "check-data migrate auth" in child.tail()
    owner = create_engine(database.owner_url)
    async with owner.connect() as connection:
        tables = await connection.scalar(
            text("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
        )
    await owner.dispose()
    assert tables == 0


def start_command(command: list[str], told: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, env={**os.environ, **told}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
