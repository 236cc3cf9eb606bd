"""Auth's copy of access made anew: the rows, and none of the effects that they once had."""

from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy import text

from services.auth.consumers import AccessFollower
from shared.bus.applying import Applier
from shared.bus.publication import PublishedPage
from shared.bus.rebuilding import Followed, rebuild
from shared.contracts import access
from shared.contracts.envelope import CloudEvent, PublishedEvent
from shared.contracts.manage_ects import OrganisationKind
from shared.contracts.roles import Role
from shared.database.difference import Difference
from tests.integration.auth.running import (
    GRANT,
    PARTNER,
    PERSON,
    SECOND_GRANT,
    Running,
    count,
    grant_ended,
    granted,
    work_is_done,
)

HISTORY: Sequence[PublishedEvent] = (
    access.PersonRegistered(person_id=PERSON, full_name="Dana Whitfield", email="Dana@Example.org"),
    access.OrganisationNamed(
        kind=OrganisationKind.DELIVERY_PARTNER, organisation_id=PARTNER, name="Fernhill"
    ),
    granted(GRANT, Role.DELIVERY_PARTNER),
    granted(SECOND_GRANT, Role.APPROPRIATE_BODY),
    grant_ended(GRANT),
    access.ConfirmationRequested(request_id=uuid4(), lead_provider_id=uuid4(), contacts=[PERSON]),
)


class Told:
    """A feed of this history."""

    def __init__(self, auth: Running) -> None:
        self.envelopes = [
            CloudEvent(
                id=str(uuid4()),
                source="/access",
                type=event.type,
                subject=event.subject,
                time=auth.clock.now,
                data=event.model_dump(mode="json"),
                sequence=str(position),
            )
            for position, event in enumerate(HISTORY, 1)
        ]

    async def read(self, after: int, limit: int, partition: int, of: int) -> PublishedPage:
        page = self.envelopes[after : after + limit]
        return PublishedPage(page, after + len(page))


async def effects(auth: Running) -> list[int]:
    """Events of auth's own, jobs, and sessions that have ended."""
    return [
        await count(auth, "SELECT count(*) FROM events"),
        await count(auth, "SELECT count(*) FROM work"),
        await count(auth, "SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL"),
    ]


async def test_who_is_erased_is_forgotten_and_a_rebuild_knows_it(auth: Running) -> None:
    await auth.session()
    await auth.post("/links", email="Dana@Example.org")
    await work_is_done(auth)
    engine = auth.app.state.backbone.engine
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO asking_links (link_id, email, email_key, expires_at) VALUES"
                " (gen_random_uuid(), 'Dana@Example.org', 'dana@example.org', now())"
            )
        )
    await auth.tell(grant_ended(GRANT), access.PersonErased(person_id=PERSON))
    left = {}
    for table in ("people", "devices", "second_factors", "sent_emails", "asking_links"):
        left[table] = await count(auth, f"SELECT count(*) FROM {table}")  # noqa: S608
    assert left == dict.fromkeys(left, 0)
    assert await count(auth, "SELECT count(*) FROM sessions") == 1, "an ID, until its time is over"
    assert (await auth.post("/links", email="Dana@Example.org")).status_code == 202
    await work_is_done(auth)
    assert await count(auth, "SELECT count(*) FROM sent_emails") == 0


async def test_a_rebuild_mends_the_rows_and_repeats_no_effect(auth: Running) -> None:
    await auth.session()
    engine, feed = auth.app.state.backbone.engine, Told(auth)
    applier = Applier(AccessFollower(auth.clock), engine.begin, 0)
    await applier.reload()
    await applier.apply(feed.envelopes, len(HISTORY))
    await work_is_done(auth)
    before = await effects(auth)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE people SET full_name = 'Somebody Else'"))
        await connection.execute(text("UPDATE grants SET grant_id = gen_random_uuid()"))
        await connection.execute(text("DELETE FROM work"))
    model = Followed(AccessFollower(auth.clock), feed, partitions=1, batch=2)
    assert await rebuild(auth.owner_url, model) == {
        "people": Difference(0, 0, 1, 0),
        "organisations": Difference(1, 0, 0, 0),
        "grants": Difference(0, 1, 0, 1),
        "parked_events": Difference(0, 0, 0, 0),
    }
    assert await effects(auth) == [before[0], 0, before[2]]
    assert await count(auth, f"SELECT count(*) FROM grants WHERE grant_id = '{SECOND_GRANT}'") == 1  # noqa: S608
