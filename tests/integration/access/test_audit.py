"""The audit: everybody's facts in one chain, in plain words, and no change goes unnoticed."""

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from services.access.audit import BrokenChain, Recorder, verify_chain
from services.access.tables import audit
from shared.bus.parking import list_parked
from shared.contracts.auth import RoleChosen, SignedIn
from shared.contracts.envelope import PublishedEvent
from shared.contracts.export import ExportDownloaded, ExportFormat
from shared.contracts.participants import ListViewed, ParticipantViewed
from shared.contracts.roles import Role
from shared.database.engine import create_engine
from tests.integration.access.office import (
    PARTNER,
    PROVIDER,
    Cast,
    Json,
    Office,
    Session,
    created,
    eventually,
    ok,
)


async def hear(office: Office, publisher: str, *events: PublishedEvent) -> None:
    """Apply a publisher's events as its projection does."""
    envelopes = [office.envelope(event, f"/{publisher}") for event in events]
    async with office.engine.begin() as connection:
        await Recorder(publisher).apply(connection, envelopes)


async def everything_is_recorded(office: Office) -> None:
    """Until the audit has caught up with what access itself has told, over the real bus."""

    async def caught_up() -> bool:
        async with office.engine.connect() as connection:
            waiting = await connection.scalar(text("SELECT count(*) FROM events_awaiting_position"))
            last = await connection.scalar(text("SELECT max(position) FROM event_positions"))
            at = await connection.scalar(
                text("SELECT position FROM checkpoints WHERE projection = 'audit-access'")
            )
        return waiting == 0 and at is not None and at >= last

    await eventually(caught_up)


async def tamper(office: Office, statement: str) -> None:
    """As the owner of the table, with the guard taken down first."""
    owner = create_engine(office.database.owner_url, pool_size=1)
    async with owner.begin() as connection:
        await connection.execute(text("ALTER TABLE audit DISABLE TRIGGER append_only"))
        await connection.execute(text(statement))
        await connection.execute(text("ALTER TABLE audit ENABLE TRIGGER append_only"))
    await owner.dispose()


async def sentences(office: Office, by: Session, **query: object) -> list[str]:
    return [entry["sentence"] for entry in ok(await office.get("/audit", by, **query))["entries"]]


def viewed(person_id: UUID, participant_id: UUID) -> ParticipantViewed:
    return ParticipantViewed(
        person_id=person_id,
        role=Role.DELIVERY_PARTNER,
        organisation_id=PARTNER,
        participant_id=participant_id,
    )


async def test_the_way_to_a_grant_is_in_the_audit_in_plain_words(office: Office, cast: Cast) -> None:
    request = created(await office.submit(cast.user))
    request_id = request["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    ok(await office.decide("confirmation", request_id, cast.contact))
    await everything_is_recorded(office)
    assert await sentences(office, cast.auditor, person_id=request["person_id"]) == [
        "Lena Fischer gave Ravi Menon access as Delivery partner, Northwick Teaching School Hub.",
        "The request about Ravi Menon was granted.",
        "Lena Fischer confirmed for the lead provider that Ravi Menon is a valid user.",
        "Priya Raman passed the policy check of the request about Ravi Menon.",
        "Sam Okoro passed on the request about Ravi Menon.",
        "Dana Whitfield asked for access for Ravi Menon.",
        "Ravi Menon was registered, or their details changed.",
    ]
    assert await verify_chain(office.engine) > 30


async def test_what_others_tell_is_found_by_who_and_by_whose_data(office: Office, cast: Cast) -> None:
    dana, seen, unseen = cast.user.person_id, uuid4(), uuid4()
    session_id = uuid4()
    await hear(
        office,
        "auth",
        SignedIn(session_id=session_id, person_id=dana, link_id=uuid4()),
        RoleChosen(
            session_id=session_id,
            person_id=dana,
            grant_id=uuid4(),
            role=Role.DELIVERY_PARTNER,
            organisation_id=PARTNER,
        ),
    )
    await hear(
        office,
        "participants",
        ListViewed(
            person_id=dana,
            role=Role.DELIVERY_PARTNER,
            organisation_id=PARTNER,
            searched=True,
            filters={},
            page=1,
            total=120,
            participant_ids=[seen, uuid4()],
        ),
        viewed(dana, seen),
    )
    await hear(
        office,
        "export",
        ExportDownloaded(
            export_id=uuid4(),
            person_id=dana,
            role=Role.DELIVERY_PARTNER,
            organisation_id=PARTNER,
            rows=120,
            searched=True,
            filters={"status": ["participant_deferred"], "academic_year": ["2024", "2025"]},
            format=ExportFormat.XLSX,
        ),
    )
    assert await sentences(office, cast.auditor, participant_id=seen) == [
        f"Dana Whitfield saw the record of participant {seen} for Northwick Teaching School Hub.",
        "Dana Whitfield saw page 1 of the list of Northwick Teaching School Hub: 2 of 120 participants, "
        "found by a search.",
    ]
    assert await sentences(office, cast.auditor, participant_id=unseen) == []
    assert await sentences(office, cast.auditor, kind="export.downloaded.v1") == [
        "Dana Whitfield downloaded an Excel workbook of 120 participants of Northwick Teaching School Hub, "
        "found by a search, filtered by academic year 2024 or 2025, status participant deferred."
    ]
    assert await sentences(office, cast.auditor, kind="auth.role-chosen.v1", person_id=dana) == [
        "Dana Whitfield went on as Delivery partner, Northwick Teaching School Hub."
    ]
    (entry,) = ok(await office.get("/audit", cast.administrator, kind="auth.signed-in.v1"))["entries"]
    assert (entry["person_name"], entry["person_id"]) == ("Dana Whitfield", str(dana))
    assert await verify_chain(office.engine) > 0


async def test_the_chain_holds_no_names_and_no_addresses(office: Office, cast: Cast) -> None:
    await everything_is_recorded(office)
    async with office.engine.connect() as connection:
        stored = str((await connection.execute(select(audit))).all())
    assert "access.person-registered.v1" in stored
    for personal in ("Whitfield", "Okoro", "example.org", "Joined the team"):
        assert personal not in stored


async def test_several_projections_write_one_chain(office: Office, cast: Cast) -> None:
    await everything_is_recorded(office)
    before = await verify_chain(office.engine)
    dana = cast.user.person_id
    await asyncio.gather(
        *(hear(office, "participants", *(viewed(dana, uuid4()) for _ in range(5))) for _ in range(6))
    )
    assert await verify_chain(office.engine) == before + 30


async def test_an_event_told_again_is_recorded_once(office: Office, cast: Cast) -> None:
    await everything_is_recorded(office)
    before = await verify_chain(office.engine)
    envelope = office.envelope(viewed(cast.user.person_id, uuid4()), "/participants")
    for _ in range(2):
        async with office.engine.begin() as connection:
            await Recorder("participants").apply(connection, [envelope, envelope])
    assert await verify_chain(office.engine) == before + 1


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("UPDATE audit SET person_id = gen_random_uuid() WHERE number = 5", 5),
        ("UPDATE audit SET data = data || '{\"by\": null}' WHERE number = 6", 6),
        ("UPDATE audit SET at = at - interval '1 microsecond' WHERE number = 7", 7),
        ("UPDATE audit SET hash = repeat('0', 64) WHERE number = 8", 8),
        ("DELETE FROM audit WHERE number = 9", 9),
        ("UPDATE audit SET number = -number WHERE number = 1", 1),
    ],
)
async def test_a_changed_or_missing_entry_is_found(
    office: Office, cast: Cast, statement: str, number: int
) -> None:
    await everything_is_recorded(office)
    assert await verify_chain(office.engine) > 9
    await tamper(office, statement)
    with pytest.raises(BrokenChain) as broken:
        await verify_chain(office.engine)
    assert broken.value.number == number


async def test_entries_missing_at_the_end_are_found(office: Office, cast: Cast) -> None:
    await everything_is_recorded(office)
    last = await verify_chain(office.engine)
    await tamper(office, "DELETE FROM audit WHERE number > (SELECT max(number) - 2 FROM audit)")
    with pytest.raises(BrokenChain) as broken:
        await verify_chain(office.engine)
    assert broken.value.number == last - 1


@pytest.mark.parametrize("statement", ["UPDATE audit SET kind = ''", "DELETE FROM audit", "TRUNCATE audit"])
async def test_the_table_refuses_changes_even_from_its_owner(office: Office, statement: str) -> None:
    owner = create_engine(office.database.owner_url, pool_size=1)
    for who in (office.engine, owner):
        with pytest.raises(DBAPIError, match=r"permission denied|append-only"):
            async with who.begin() as connection:
                await connection.execute(text(statement))
    await owner.dispose()


async def test_what_is_not_understood_is_refused_so_that_it_is_parked(office: Office) -> None:
    class Unheard(PublishedEvent):
        type = "auth.unheard-of.v1"
        subject_field = "person_id"
        person_id: UUID

    with pytest.raises(ValueError, match="unheard-of"):
        await hear(office, "auth", Unheard(person_id=uuid4()))
    assert await verify_chain(office.engine) == 0


async def test_nothing_that_access_tells_is_parked(office: Office, cast: Cast) -> None:
    await everything_is_recorded(office)
    async with office.engine.connect() as connection:
        assert await list_parked(connection) == []


async def test_the_newest_entries_come_first_page_by_page(office: Office, cast: Cast) -> None:
    await everything_is_recorded(office)
    first: Json = ok(await office.get("/audit", cast.auditor))
    second: Json = ok(await office.get("/audit", cast.auditor, page=2))
    numbers = [entry["number"] for page in (first, second) for entry in page["entries"]]
    assert numbers == sorted(numbers, reverse=True)
    assert (first["total"], numbers[0]) == (await verify_chain(office.engine),) * 2
    assert len(first["entries"]) == 25
    beyond: Json = ok(await office.get("/audit", cast.auditor, page=99))
    assert (beyond["page"], bool(beyond["entries"])) == (beyond["pages"], True)
