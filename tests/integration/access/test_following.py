"""Organisations heard of from Manage ECTs, the rows made anew from the log, and the demo."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, select, text

from services.access.consumers import Organisations
from services.access.demo import DEMO_PEOPLE, DemoOrganisations, seed_demo
from services.access.domain.events import OrganisationNamed
from services.access.rows import apply
from services.access.tables import agreements, grants, organisations, people, requests
from shared.contracts import manage_ects
from shared.contracts.roles import Role
from shared.database.engine import create_engine
from tests.integration.access.office import (
    BODY,
    OTHER_PARTNER,
    PARTNER,
    PROVIDER,
    Cast,
    Office,
    Session,
    created,
    eventually,
    ok,
)

ROWS = (organisations, people, requests, agreements, grants)
DEMO = DemoOrganisations(PARTNER, OTHER_PARTNER, PROVIDER, BODY)


async def names_told(office: Office, organisation_id: UUID) -> list[str]:
    recorded = await office.store.read_stream(f"organisation-{organisation_id}")
    return [r.event.name for r in recorded if isinstance(r.event, OrganisationNamed)]


async def test_an_organisation_is_named_once_and_renamed(office: Office) -> None:
    told = manage_ects.LeadProviderRegistered(lead_provider_id=PROVIDER, name="Ambit Learning")
    renamed = manage_ects.OrganisationRenamed(
        kind=manage_ects.OrganisationKind.LEAD_PROVIDER, organisation_id=PROVIDER, name="Ambit"
    )
    await office.hear(told)
    assert await names_told(office, PROVIDER) == ["Ambit Learning"]
    await office.hear(renamed, renamed)
    assert await names_told(office, PROVIDER) == ["Ambit Learning", "Ambit"]
    staff = await office.staff("Sam Okoro", Role.SUPPORT)
    listed = (await office.get("/organisations", staff, kind="lead_provider")).json()
    assert "Ambit" in [o["name"] for o in listed]


async def test_of_thousands_of_participants_nothing_is_read_or_kept(office: Office) -> None:
    """Their data would not even fit the contract: it is not looked at."""
    removed = manage_ects.ParticipantRemoved(participant_id=uuid4())
    unreadable = office.envelope(removed).model_copy(update={"data": {"trn": "not a TRN"}})
    crowd = [unreadable.model_copy(update={"id": str(number)}) for number in range(3000)]
    partner = UUID(int=77)
    named = manage_ects.DeliveryPartnerRegistered(delivery_partner_id=partner, name="Last in the Queue")
    async with office.engine.begin() as connection:
        await Organisations(office.clock).apply(connection, [*crowd, office.envelope(named)])
    assert await names_told(office, partner) == ["Last in the Queue"]
    async with office.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM events")) == 6


async def test_an_organisation_that_is_not_understood_is_refused_so_that_it_is_parked(
    office: Office,
) -> None:
    broken = manage_ects.DeliveryPartnerRegistered.model_construct(delivery_partner_id=PARTNER, name="")
    with pytest.raises(ValueError, match="name"):
        await office.hear(broken)


async def _all_rows(office: Office) -> dict[str, list[tuple[Any, ...]]]:
    async def of(table: Table) -> list[tuple[Any, ...]]:
        query = select(table).order_by(*table.primary_key.columns)
        async with office.engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(query)]

    return {table.name: await of(table) for table in ROWS}


async def test_the_rows_can_be_made_anew_from_the_log(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    ok(await office.decide("triage", request_id, cast.support, "decline"))
    body = {"ended_early_on": office.today, "reason": "Given up."}
    ok(await office.post(f"/agreements/{cast.agreement_id}/end", cast.policy, **body))
    before = await _all_rows(office)
    assert all(before.values())

    async def all_numbered() -> bool:
        async with office.engine.connect() as connection:
            return not await connection.scalar(text("SELECT count(*) FROM events_awaiting_position"))

    await eventually(all_numbered)
    owner = create_engine(office.database.owner_url, pool_size=1)
    async with owner.begin() as connection:
        for table in ROWS:
            await connection.execute(table.delete())
    await owner.dispose()
    recorded = await office.store.read_all(limit=10_000)
    async with office.engine.begin() as connection:
        await apply(connection, recorded)
    assert await _all_rows(office) == before


async def test_the_demo_has_everybody_and_a_request_at_each_stage(office: Office) -> None:
    await seed_demo(office.store, DEMO, clock=office.clock)
    staff = await office.staff(DEMO_PEOPLE.administrator.full_name, Role.ADMINISTRATOR)
    people_page = ok(await office.get("/people", staff))
    held = {
        p["full_name"]: sorted(g["role"] for g in p["grants"]) for p in people_page["people"] if p["grants"]
    }
    assert held == {
        "Sam Okoro": ["support"],
        "Tess Lindqvist": ["support"],
        "Priya Raman": ["policy"],
        "Alex Brandt": ["administrator"],
        "Audrey Lin": ["auditor"],
        "Lena Fischer": ["lead_provider"],
        "Dana Whitfield": ["appropriate_body", "delivery_partner"],
        "Marcus Bell": ["delivery_partner"],
    }
    by_state = ok(await office.get("/requests", staff))["by_state"]
    assert by_state == {
        "submitted": 1,
        "policy_check": 1,
        "awaiting_lead_provider": 1,
        "returned": 0,
        "granted": 3,
        "declined": 0,
        "withdrawn": 0,
        "expired": 0,
    }
    register = (await office.get("/agreements", staff)).json()
    assert sorted(a["in_force"] for a in register) == [False, True, True]


@pytest.mark.parametrize("day", [date(2026, 8, 31), date(2026, 9, 1), date(2027, 1, 1), date(2027, 3, 1)])
async def test_the_demo_works_on_any_day_of_the_year(office: Office, day: date) -> None:
    office.clock.ahead = day - office.today
    await seed_demo(office.store, DEMO, clock=office.clock)
    staff = await office.staff("Alex Brandt", Role.ADMINISTRATOR)
    assert ok(await office.get("/requests", staff))["by_state"]["granted"] == 3


async def test_the_demo_put_in_again_changes_nothing(office: Office) -> None:
    await seed_demo(office.store, DEMO, clock=office.clock)
    before = await _all_rows(office)
    await seed_demo(office.store, DEMO, clock=office.clock)
    assert await _all_rows(office) == before


async def test_the_demo_waits_for_its_organisations(office: Office) -> None:
    late = UUID(int=55)
    expected = DemoOrganisations(PARTNER, late, PROVIDER, BODY)
    with pytest.raises(TimeoutError, match="Manage ECTs"):
        await seed_demo(office.store, expected, clock=office.clock, wait_seconds=0.3)
    seeding = asyncio.create_task(seed_demo(office.store, expected, clock=office.clock))
    await office.hear(manage_ects.DeliveryPartnerRegistered(delivery_partner_id=late, name="Late Arrivals"))
    await seeding
    staff = await office.staff("Alex Brandt", Role.ADMINISTRATOR)
    marcus = ok(await office.get("/people", staff, q="Marcus"))["people"][0]
    assert marcus["grants"][0]["organisation_name"] == "Late Arrivals"
    assert Session(UUID(marcus["person_id"]), Role.DELIVERY_PARTNER, late)
