"""Requests that wait: sent back for information, reminded of, expired. Days pass at once."""

import asyncio
from uuid import UUID

from sqlalchemy import text

from services.access.bank_holidays import is_bank_holiday
from services.access.domain.request import Expire, Remind
from services.access.handlers.deadlines import set_deadlines, time_is_up
from services.access.tables import requests
from tests.integration.access.office import (
    PROVIDER,
    Cast,
    Office,
    created,
    eventually,
    ok,
    problem,
)

REMINDER = "An access request waits for you"
RETURNED = "A request for access needs more information"
EXPIRED = "A request for access has expired"


async def steps_of(office: Office, cast: Cast, request_id: str) -> list[str]:
    return [s["step"] for s in ok(await office.get(f"/requests/{request_id}", cast.auditor))["steps"]]


async def until(office: Office, cast: Cast, request_id: str, step: str) -> list[str]:
    async def there() -> bool:
        return step in await steps_of(office, cast, request_id)

    await eventually(there)
    return await steps_of(office, cast, request_id)


async def test_a_request_is_sent_back_and_goes_on_with_the_information(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    back = ok(await office.decide("triage", request_id, cast.support, "return"))
    assert back["state"] == "returned"
    (email,) = await office.emails("dana.whitfield@example.org", RETURNED)
    assert "found right" not in email["body"]
    seen = ok(await office.get(f"/requests/{request_id}", cast.user))
    assert seen["may"] == ["inform", "withdraw"]
    assert seen["steps"][-1]["reason"] == "Looked at, and found right."
    assert seen["steps"][-1]["by_name"] is None

    path = f"/requests/{request_id}/information"
    assert problem(await office.post(path, cast.support, information="Me.")) == (403, "not-your-step")
    assert problem(await office.post(path, cast.policy, information="Me.")) == (403, "not-your-role")
    answers = await asyncio.gather(
        *(office.post(path, cast.user, information="She runs the data team.") for _ in range(3))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    again = ok(await office.get(f"/requests/{request_id}", cast.support))
    assert (again["state"], again["may"]) == ("submitted", ["triage"])
    assert again["steps"][-1]["reason"] == "She runs the data team."
    ok(await office.decide("triage", request_id, cast.support))


async def test_a_no_needs_a_reason_from_the_list(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    bare = await office.post(f"/requests/{request_id}/triage", cast.support, decision="decline", reason="No.")
    assert problem(bare) == (422, "decline-reason-needed")
    declined = await office.decide("triage", request_id, cast.support, "decline", decline_kind="not_employed")
    assert ok(declined)["outcome_kind"] == "not_employed"


async def test_whoever_it_waits_for_is_reminded_once_in_working_days(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    await office.pass_days(10)
    await until(office, cast, request_id, "Support reminded")
    for address in ("sam.okoro@example.org", "tess.lindqvist@example.org"):
        assert len(await office.emails(address, REMINDER)) == 1

    ok(await office.decide("triage", request_id, cast.support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    await office.pass_days(12)
    steps = await until(office, cast, request_id, "The lead provider reminded")
    (email,) = await office.emails("lena.fischer@example.org", REMINDER)
    assert "Ravi Menon" in email["body"]
    assert "/lead-provider/confirmations" in email["body"]
    assert steps.count("Support reminded") == 1

    await office.pass_days(40)
    steps = await until(office, cast, request_id, "Expired: no answer from the lead provider in time")
    assert steps.count("The lead provider reminded") == 1
    await office.emails("dana.whitfield@example.org", EXPIRED)
    late = await office.decide("confirmation", request_id, cast.contact)
    assert problem(late) == (409, "not-awaiting-this-step")
    created(await office.submit(cast.user))  # and may be asked for again


async def test_what_was_decided_in_time_is_not_reminded_of(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    await set_deadlines(office.store, office.settings.deadlines, is_bank_holiday)
    ok(await office.post(f"/requests/{request_id}/withdraw", cast.user, reason="Left again."))
    await office.pass_days(100)

    async def all_done() -> bool:
        query = text("SELECT count(*) FROM work WHERE kind = 'request-deadline' AND state = 'due'")
        async with office.engine.connect() as connection:
            return bool((await connection.execute(query)).scalar_one() == 0)

    await eventually(all_done)
    assert await steps_of(office, cast, request_id) == ["Request made", "Withdrawn"]


async def test_deadlines_are_set_once_however_many_processes_look(office: Office, cast: Cast) -> None:
    await set_deadlines(office.store, office.settings.deadlines, is_bank_holiday)
    created(await office.submit(cast.user))
    arguments = (office.store, office.settings.deadlines, is_bank_holiday)
    await asyncio.gather(*(set_deadlines(*arguments) for _ in range(4)))
    async with office.engine.connect() as connection:
        query = text("SELECT count(*) FROM work WHERE kind = 'request-deadline'")
        assert (await connection.execute(query)).scalar_one() == 2
    assert await set_deadlines(*arguments) == 0


async def test_a_deadline_done_many_times_at_once_reminds_once(office: Office, cast: Cast) -> None:
    """As when a worker is taken for dead, and another does its job while it still does it."""
    request_id = UUID(created(await office.submit(cast.user))["request_id"])
    async with office.engine.connect() as connection:
        since = (await connection.execute(requests.select().where(requests.c.request_id == request_id))).one()
    remind = Remind(since.waiting_since, office.clock())
    done = await asyncio.gather(*(time_is_up(office.store, request_id, remind) for _ in range(4)))
    assert sorted(done) == [False, False, False, True]
    assert len(await office.emails("sam.okoro@example.org", REMINDER)) == 1


async def test_a_decision_and_the_expiry_at_once_have_one_outcome(office: Office, cast: Cast) -> None:
    for name in ("Ravi Menon", "Grace Adeyemi", "Tom Ellery"):
        request_id = created(await office.submit(cast.user, name))["request_id"]
        async with office.engine.connect() as connection:
            query = requests.select().where(requests.c.request_id == UUID(request_id))
            since = (await connection.execute(query)).one().waiting_since
        answer, expired = await asyncio.gather(
            office.decide("triage", request_id, cast.support),
            time_is_up(office.store, UUID(request_id), Expire(since, office.clock())),
        )
        assert (answer.status_code == 200) != expired
