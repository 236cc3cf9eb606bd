"""A person whose access has ended is taken out of everything, and who allowed whom stays on record."""

from uuid import UUID

import asyncpg
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from services.access.audit import verify_chain
from shared.bus.publication import bus_stream
from shared.contracts.roles import Role
from shared.database.engine import create_engine
from tests.integration.access.office import (
    PARTNER,
    PROVIDER,
    Cast,
    Office,
    created,
    eventually,
    ok,
    problem,
)
from tests.integration.access.test_audit import everything_is_recorded
from tests.integration.cli.conftest import CheckData, check_data, told
from tests.security.canaries import rows_of

__all__ = ["told"]

NAME, ADDRESS = "Nia Novakova", "nia.novakova@example.org"
KNOWN_AS = (NAME, ADDRESS, "Novakova", "Nia Novák-Jones", "nia.jones@example.org")


@pytest.fixture
def run(office: Office, told: dict[str, str], redis_url: str) -> CheckData:
    return check_data(
        {
            **told,
            "CHECK_DATA_OWNER_DATABASE_URL": office.database.owner_url,
            "CHECK_DATA_REDIS_URL": redis_url,
        },
        office.database,
    )


async def granted(office: Office, cast: Cast) -> tuple[str, str]:
    """With words of others about her. Returns her ID and her grant's."""
    asked = created(await office.submit(cast.user, NAME))
    request_id = asked["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    approve = {"decision": "approve", "reason": f"Ms NOVAKOVA ({ADDRESS}) and Nia novakova are one person."}
    ok(
        await office.post(
            f"/requests/{request_id}/policy-check", cast.policy, **approve, lead_provider_id=PROVIDER
        )
    )
    ok(await office.decide("confirmation", request_id, cast.contact))
    # Staff know her by another name and address.
    await office.emails(ADDRESS, "You can sign in to Check data")
    person = ok(await office.get(f"/people/{asked['person_id']}", cast.support))
    return asked["person_id"], person["grants"][0]["grant_id"]


async def holds(office: Office, words: tuple[str, ...]) -> set[tuple[str, str]]:
    """Which tables of access hold which of the words, in any case."""
    connection = await asyncpg.connect(office.database.owner_url)
    found = {
        (table, word)
        async for table, content in rows_of(connection)
        for word in words
        if word.casefold() in content.casefold()
    }
    await connection.close()
    return found


async def on_the_bus(redis: Redis, words: tuple[str, ...]) -> set[str]:
    entries = await redis.xrange(bus_stream("access", 0))
    said = repr(entries)
    return {word for word in words if word in said}


async def test_nothing_holds_who_it_was_and_who_allowed_it_stays(
    office: Office, cast: Cast, run: CheckData, redis: Redis
) -> None:
    person, grant = await granted(office, cast)
    early = await run("access", "erase", person, "--why", "Asked for it")
    assert early.exit_code == 1
    assert "end it first" in early.output
    left = {"reason": f"{NAME} has left; so Nia told us."}
    ok(await office.post(f"/grants/{grant}/revoke", cast.support, **left))
    await everything_is_recorded(office)
    known = await holds(office, (NAME, ADDRESS))
    assert {table for table, _ in known} >= {"events", "people", "requests", "grants", "sent_emails"}
    assert await on_the_bus(redis, (NAME, ADDRESS)) == {NAME, ADDRESS}

    done = await run("access", "erase", ADDRESS, "--why", f"{NAME} asked for it", "--by", "dpo")
    assert done.exit_code == 0, done.output
    assert NAME not in done.output
    await everything_is_recorded(office)
    assert await holds(office, KNOWN_AS) == set()
    assert await on_the_bus(redis, KNOWN_AS) == set()

    evidence = ok(await office.get(f"/people/{person}/why", cast.auditor))
    steps = evidence["grants"][0]["request"]["steps"]
    assert [step["reason"] for step in steps][2] == "Ms (erased) ((erased)) and (erased) are one person."
    assert {step["by_name"] for step in steps} >= {"Sam Okoro", "Priya Raman", "Lena Fischer"}
    entries = ok(await office.get("/audit", cast.auditor, about=person))["entries"]
    assert any(f"Name and address of person {person} were erased" in entry["sentence"] for entry in entries)
    assert await verify_chain(office.engine) > 0
    async with office.engine.connect() as connection:
        event = await connection.scalar(text("SELECT data FROM events WHERE type = 'PersonErased'"))
    assert (event["operator"], event["why"]) == ("dpo", "(erased) asked for it")


async def test_the_log_stays_append_only_and_the_person_stays_away(
    office: Office, cast: Cast, run: CheckData
) -> None:
    person, grant = await granted(office, cast)
    ok(await office.post(f"/grants/{grant}/revoke", cast.support, reason="Has left."))
    assert (await run("access", "erase", person, "--why", "Asked for it")).exit_code == 0
    again = await run("access", "erase", person, "--why", "Asked for it")
    assert again.exit_code == 0
    assert f"{person}: 0 events" in again.output
    owner = create_engine(office.database.owner_url)
    with pytest.raises(Exception, match="append-only"):
        async with owner.begin() as connection:
            await connection.execute(text("UPDATE events SET type = 'changed'"))
    await owner.dispose()
    assert ok(await office.get("/people", cast.support, q="erased"))["people"] == []

    anew = created(await office.submit(cast.user, NAME))
    assert anew["person_id"] != person
    async with office.engine.connect() as connection:
        count = await connection.scalar(text("SELECT count(*) FROM events WHERE type = 'PersonErased'"))
    assert count == 1


async def test_who_has_asked_for_access_or_is_not_there_is_not_erased(
    office: Office, cast: Cast, run: CheckData
) -> None:
    asked = created(await office.submit(cast.user, NAME))
    waiting = await run("access", "erase", asked["person_id"], "--why", "Asked for it")
    assert waiting.exit_code == 1
    assert "open" in waiting.output
    nobody = await run("access", "erase", str(UUID(int=5)), "--why", "Asked for it")
    assert nobody.exit_code == 1
    nowhere = await run("access", "erase", "nobody@example.org", "--why", "Asked for it")
    assert nowhere.exit_code == 1
    assert await holds(office, (ADDRESS,)) != set()


async def test_nothing_is_sent_to_who_was_erased(office: Office, cast: Cast, run: CheckData) -> None:
    """They had asked for somebody else's access, and that is declined now."""
    person, grant = await granted(office, cast)
    nia = type(cast.user)(UUID(person), Role.DELIVERY_PARTNER, PARTNER)
    request_id = created(await office.submit(nia, "Ravi Menon"))["request_id"]
    ok(await office.post(f"/grants/{grant}/revoke", cast.support, reason="Has left."))
    assert (await run("access", "erase", person, "--why", "Asked for it")).exit_code == 0
    ok(await office.decide("triage", request_id, cast.support, "decline"))

    async def done() -> bool:
        async with office.engine.connect() as connection:
            query = text("SELECT count(*) FROM work WHERE kind = 'request-declined-email' AND state = 'done'")
            return bool(await connection.scalar(query))

    await eventually(done)
    assert not [file for file in office.inbox.glob("*.json") if "erased.invalid" in file.read_text()]


async def test_nobody_registers_with_the_address_of_the_erased(office: Office, cast: Cast) -> None:
    answer = await office.post(
        "/requests",
        cast.user,
        full_name="Ravi Menon",
        email=f"{UUID(int=7)}@erased.invalid",
        role=Role.DELIVERY_PARTNER.value,
        organisation_id=PARTNER,
        reason="Joined the team.",
    )
    assert problem(answer)[0] == 422
