"""Review campaigns: asked, answered by those who can know, suspended when nobody does."""

import asyncio
from datetime import timedelta
from uuid import UUID

from services.access.bank_holidays import is_bank_holiday
from services.access.domain.deadlines import working_days_earlier
from services.access.handlers.reviews import open_review_of_the_month
from tests.integration.access.office import (
    PROVIDER,
    Cast,
    Json,
    Office,
    created,
    eventually,
    ok,
    problem,
)

REVIEW = "Who still needs access to Check data?"
AGAIN = "Your answer is awaited: who still needs access to Check data?"
SUSPENDED_EMAIL = "Your access to Check data is suspended"


async def colleague(office: Office, cast: Cast) -> str:
    """A second user of the user's organisation. Returns the grant."""
    request_id = created(await office.submit(cast.user))["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    ok(await office.decide("confirmation", request_id, cast.contact))
    colleagues = (await office.get("/colleagues", cast.user)).json()
    return next(str(c["grant_id"]) for c in colleagues if not c["is_you"])


async def opened(office: Office, cast: Cast, days: int = 30) -> Json:
    due_until, answer_by = office.today + timedelta(days=400), office.today + timedelta(days=days)
    return created(await office.post("/reviews", cast.policy, due_until=due_until, answer_by=answer_by))


async def progress(office: Office, cast: Cast) -> tuple[int, int, int, int]:
    (review,) = (await office.get("/reviews", cast.auditor)).json()
    return review["open"], review["confirmed"], review["ended"], review["suspended"]


async def test_those_who_can_know_confirm_or_end_and_progress_is_shown(office: Office, cast: Cast) -> None:
    grant_id = await colleague(office, cast)
    assert (await opened(office, cast))["open"] == 4
    for address in ("dana.whitfield@example.org", "lena.fischer@example.org"):
        (email, *_) = await office.emails(address, REVIEW)
        assert "/reviews" in email["body"]

    (mine,) = (await office.get("/reviews/mine", cast.user)).json()
    assert (mine["full_name"], mine["grant_id"]) == ("Ravi Menon", grant_id)
    answer = {"decision": "approve", "reason": "Still here."}
    for stranger in (cast.other_user, cast.other_contact, cast.body_user):
        path = f"/reviews/grants/{grant_id}"
        assert problem(await office.post(path, stranger, **answer)) == (404, "not-found")
    answers = await asyncio.gather(
        *(office.post(f"/reviews/grants/{grant_id}", cast.user, **answer) for _ in range(3))
    )
    assert sorted(a.status_code for a in answers) == [200, 409, 409]
    assert {problem(a) for a in answers if a.status_code == 409} == {(409, "not-in-review")}

    theirs = (await office.get("/reviews/mine", cast.contact)).json()
    assert [item["full_name"] for item in theirs] == ["Dana Whitfield"]
    no = {"decision": "decline", "reason": "Not known to us."}
    ok(await office.post(f"/reviews/grants/{theirs[0]['grant_id']}", cast.contact, **no))
    assert await progress(office, cast) == (2, 1, 1, 0)
    person = ok(await office.get(f"/people/{cast.user.person_id}", cast.support))
    (ended,) = [g for g in person["grants"] if g["ended_at"]]
    assert (ended["role"], ended["ended_reason"]) == ("delivery_partner", "Not known to us.")


async def test_nobody_confirms_their_own_access(office: Office, cast: Cast) -> None:
    await opened(office, cast)
    assert (await office.get("/reviews/mine", cast.user)).json() == []
    theirs = (await office.get("/reviews/mine", cast.contact)).json()
    answer = await office.post(
        f"/reviews/grants/{theirs[0]['grant_id']}", cast.user, decision="approve", reason="Me."
    )
    assert problem(answer) == (409, "four-eyes")


async def test_what_nobody_answers_is_suspended(office: Office, cast: Cast) -> None:
    await opened(office, cast, days=10)
    await office.pass_days(9)
    await asyncio.sleep(0.3)
    assert (await progress(office, cast))[0] == 3
    await office.pass_days(3)

    async def all_suspended() -> bool:
        return await progress(office, cast) == (0, 0, 0, 3)

    await eventually(all_suspended)
    await office.emails("dana.whitfield@example.org", SUSPENDED_EMAIL)
    person = ok(await office.get(f"/people/{cast.user.person_id}", cast.support))
    assert all(g["suspended_reason"].startswith("Nobody confirmed") for g in person["grants"])
    late = await office.post(
        f"/reviews/grants/{person['grants'][0]['grant_id']}",
        cast.contact,
        decision="approve",
        reason="Sorry.",
    )
    assert problem(late) == (409, "not-in-review")
    grant_id = person["grants"][0]["grant_id"]
    ok(await office.post(f"/grants/{grant_id}/restore", cast.policy, reason="Confirmed by telephone."))


async def test_those_who_did_not_answer_are_reminded_once_before_it_is_due(
    office: Office, cast: Cast
) -> None:
    grant_id = await colleague(office, cast)
    await opened(office, cast, days=30)
    remind_on = working_days_earlier(office.today + timedelta(days=30), 5, is_bank_holiday)
    await office.pass_days((remind_on - office.today).days - 1)
    await asyncio.sleep(0.3)
    assert not office.arrived("marcus.bell@example.org", AGAIN)
    theirs = (await office.get("/reviews/mine", cast.contact)).json()
    assert {grant_id} < {item["grant_id"] for item in theirs}
    for item in theirs:
        answer = {"decision": "approve", "reason": "Still here."}
        ok(await office.post(f"/reviews/grants/{item['grant_id']}", cast.contact, **answer))
    await office.pass_days(2)
    (email,) = await office.emails("marcus.bell@example.org", AGAIN)
    assert "/access-requests/reviews" in email["body"]
    await office.pass_days(1)
    await asyncio.sleep(0.3)
    assert len(office.arrived("marcus.bell@example.org", AGAIN)) == 1
    assert not office.arrived("lena.fischer@example.org", AGAIN)  # nothing waits for her any more


async def test_a_review_opens_by_itself_once_a_month_when_something_is_due(
    office: Office, cast: Cast
) -> None:
    async def look() -> list[bool]:
        now = office.clock()
        looks = (open_review_of_the_month(office.store, now, 20, is_bank_holiday) for _ in range(3))
        return sorted(await asyncio.gather(*looks))

    assert await look() == [False, False, False]
    office.clock.ahead = timedelta(days=340)
    assert await look() == [False, False, True]
    assert await look() == [False, False, False]
    (review,) = (await office.get("/reviews", cast.support)).json()
    assert (review["open"], review["opened_by_name"]) == (3, None)


async def test_who_opens_a_review_and_what_for(office: Office, cast: Cast) -> None:
    body = {"due_until": office.today + timedelta(days=400), "answer_by": office.today + timedelta(days=9)}
    for by in (cast.support, cast.auditor, cast.user, cast.contact):
        assert (await office.post("/reviews", by, **body)).status_code == 403
    nothing = await office.post("/reviews", cast.policy, **{**body, "due_until": office.today})
    assert problem(nothing) == (409, "nothing-to-review")
    hasty = await office.post("/reviews", cast.policy, **{**body, "answer_by": office.today})
    assert problem(hasty) == (422, "too-soon")
    created(await office.post("/reviews", cast.administrator, **body))
    again = await office.post("/reviews", cast.policy, **body)
    assert problem(again) == (409, "nothing-to-review")  # each is asked about already
    answer = {"decision": "approve", "reason": "Yes."}
    unknown = await office.post(f"/reviews/grants/{UUID(int=5)}", cast.user, **answer)
    assert problem(unknown) == (404, "not-found")
