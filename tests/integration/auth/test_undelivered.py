"""Emails that did not arrive are shown to those who help people in, and to nobody else."""

from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from shared.contracts.roles import Role
from tests.integration.auth.running import PERSON, Running

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


async def test_a_service_does_not_see_them(auth: Running) -> None:
    assert (await auth.http.get("/emails/undelivered")).status_code == 403
