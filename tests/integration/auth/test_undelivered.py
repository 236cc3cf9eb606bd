"""Emails that did not arrive are shown to those who help people in, and to nobody else."""

import asyncio
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from services.auth.app import create
from shared.contracts.roles import Role
from tests.integration.auth.running import PERSON, Running, count

BOUNCED = text(
    "INSERT INTO sent_emails (reference, address, subject, state, reason, sent_at, looked_at) "
    "VALUES ('link-0', 'gone@example.org', 'Your link', 'failed', 'permanent-failure', now(), now())"
)


async def seen_by(auth: Running, role: Role) -> httpx.Response:
    token = auth.app.state.auth.issuer.for_person(PERSON, role, UUID(int=1), "auth", uuid4())
    return await auth.http.get("/emails/undelivered", headers={"authorization": f"Bearer {token}"})


@pytest.mark.parametrize("role", list(Role))
async def test_only_support_and_administrators_see_them(auth: Running, role: Role) -> None:
    async with auth.app.state.backbone.engine.begin() as connection:
        await connection.execute(BOUNCED)
    answer = await seen_by(auth, role)
    if role in {Role.SUPPORT, Role.ADMINISTRATOR}:
        assert [email["address"] for email in answer.json()] == ["gone@example.org"]
    else:
        assert answer.status_code == 403
        assert "gone@example.org" not in answer.text


async def test_what_became_of_emails_is_looked_after_while_a_service_runs(auth: Running) -> None:
    """Else nobody would ask what became of them, and none would ever be forgotten."""
    async with auth.app.state.backbone.engine.begin() as connection:
        await connection.execute(BOUNCED)
        await connection.execute(text("UPDATE sent_emails SET sent_at = now() - interval '31 days'"))
    again = create(auth.app.state.auth.settings, clock=auth.clock)
    async with again.router.lifespan_context(again), asyncio.timeout(20):
        while await count(auth, "SELECT count(*) FROM sent_emails"):
            await asyncio.sleep(0.05)


async def test_a_service_does_not_see_them(auth: Running) -> None:
    assert (await auth.http.get("/emails/undelivered")).status_code == 403
