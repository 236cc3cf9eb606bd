"""Emails that did not arrive are shown to those who help people in, and to nobody else."""

from uuid import UUID

import pytest
from sqlalchemy import text

from shared.contracts.roles import Role
from tests.integration.auth.running import Running, granted

OTHER_GRANT = UUID(int=77)
BOUNCED = text(
    "INSERT INTO sent_emails (reference, address, subject, state, reason, sent_at, looked_at) "
    "VALUES ('link-0', 'gone@example.org', 'Your link', 'failed', 'permanent-failure', now(), now())"
)


@pytest.mark.parametrize("role", list(Role))
async def test_only_support_and_administrators_see_them(auth: Running, role: Role) -> None:
    async with auth.app.state.backbone.engine.begin() as connection:
        await connection.execute(BOUNCED)
    await auth.tell(granted(OTHER_GRANT, role))
    chosen = await auth.post(
        "/sessions/role", session=(await auth.session()).session, grant_id=str(OTHER_GRANT)
    )
    answer = await auth.post("/emails/undelivered", session=chosen.json()["session"])
    if role in {Role.SUPPORT, Role.ADMINISTRATOR}:
        assert [email["address"] for email in answer.json()] == ["gone@example.org"]
    else:
        assert answer.status_code == 403
        assert "gone@example.org" not in answer.text


async def test_a_session_that_is_over_sees_nothing(auth: Running) -> None:
    assert (await auth.post("/emails/undelivered", session="none")).status_code == 401
