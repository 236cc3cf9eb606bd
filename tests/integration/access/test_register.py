"""The agreement register, and what ends with an agreement; grants and people."""

import asyncio
from datetime import timedelta
from uuid import UUID

from services.access.handlers import lapse_due
from shared.contracts.roles import Role
from tests.integration.access.office import (
    OTHER_PARTNER,
    OTHER_PROVIDER,
    PARTNER,
    PROVIDER,
    Cast,
    Json,
    Office,
    Session,
    created,
    ok,
    problem,
    record,
)

ENDED = "The last agreement that covered it ended."
SUSPENDED_EMAIL = "Your access to Check data is suspended"
SIGN_IN_EMAIL = "You can sign in to Check data"


async def grants_of(office: Office, by: Session, person_id: UUID) -> dict[str, Json]:
    person = ok(await office.get(f"/people/{person_id}", by))
    return {grant["role"]: grant for grant in person["grants"]}


async def end(office: Office, by: Session, agreement_id: str, days: int = 0) -> Json:
    ended_early_on = office.today + timedelta(days=days)
    answer = await office.post(
        f"/agreements/{agreement_id}/end", by, ended_early_on=ended_early_on, reason="Given up."
    )
    return ok(answer)


async def test_the_register_says_what_is_in_force(office: Office, cast: Cast) -> None:
    listed = (await office.get("/agreements", cast.support)).json()
    assert [(a["delivery_partner_name"], a["lead_provider_name"], a["in_force"]) for a in listed] == [
        ("Harbour Education Group", "Beacon Training", True),
        ("Northwick Teaching School Hub", "Ambit Learning", True),
    ]
    ended = await end(office, cast.policy, cast.agreement_id)
    assert (ended["in_force"], ended["ended_early_on"]) == (False, str(office.today))


async def test_an_agreement_is_recorded_once_and_between_the_right_organisations(
    office: Office, cast: Cast
) -> None:
    terms = {"starts_on": "2026-09-01", "ends_on": "2027-08-31", "reference": "DSA-9"}

    async def attempt(partner: UUID, provider: UUID, **more: str) -> tuple[int, str]:
        body = {"delivery_partner_id": partner, "lead_provider_id": provider, **terms, **more}
        answer = await office.post("/agreements", cast.policy, **body)
        return (201, "") if answer.status_code == 201 else problem(answer)

    answers = await asyncio.gather(*(attempt(PARTNER, OTHER_PROVIDER) for _ in range(3)))
    assert sorted(answers) == [(201, ""), (409, "already-recorded"), (409, "already-recorded")]
    assert await attempt(PROVIDER, PARTNER) == (422, "wrong-kind-of-organisation")
    assert await attempt(UUID(int=99), PROVIDER) == (422, "unknown-organisation")
    assert await attempt(PARTNER, PROVIDER, ends_on="2026-08-31") == (422, "dates-reversed")


async def test_grants_are_suspended_with_the_last_agreement(office: Office, cast: Cast) -> None:
    await end(office, cast.policy, cast.agreement_id)
    grants = await grants_of(office, cast.support, cast.user.person_id)
    assert grants["delivery_partner"]["suspended_reason"] == ENDED
    assert grants["delivery_partner"]["suspended_at"] is not None
    assert grants["delivery_partner"]["ended_at"] is None
    assert grants["appropriate_body"]["suspended_at"] is None
    others = await grants_of(office, cast.support, cast.other_user.person_id)
    assert others["delivery_partner"]["suspended_at"] is None
    (email,) = await office.emails("dana.whitfield@example.org", SUSPENDED_EMAIL)
    assert ENDED in email["body"]


async def test_a_suspended_grant_is_restored_by_a_person_once_it_is_covered_again(
    office: Office, cast: Cast
) -> None:
    await end(office, cast.policy, cast.agreement_id)
    (suspended,) = (await office.get("/grants/suspended", cast.policy)).json()
    grants = {grant["role"]: grant for grant in suspended["grants"]}
    path = f"/grants/{grants['delivery_partner']['grant_id']}/restore"
    early = await office.post(path, cast.policy, reason="Renewed.")
    assert problem(early) == (409, "not-covered")
    again = await office.submit(cast.support, "Dana Whitfield")
    assert problem(again) == (409, "suspended")

    await record(office, cast.policy, PARTNER, OTHER_PROVIDER, reference="DSA-2")
    still = await grants_of(office, cast.support, cast.user.person_id)
    assert still["delivery_partner"]["suspended_at"] is not None  # until a person says so
    answers = await asyncio.gather(*(office.post(path, cast.policy, reason="Renewed.") for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    grants = await grants_of(office, cast.support, cast.user.person_id)
    assert grants["delivery_partner"]["suspended_at"] is None
    assert (await office.get("/grants/suspended", cast.policy)).json() == []
    assert len(await office.emails("dana.whitfield@example.org", SIGN_IN_EMAIL)) >= 1


async def test_a_user_says_that_a_colleague_has_left(office: Office, cast: Cast) -> None:
    request = created(await office.submit(cast.user))
    request_id = request["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    ok(await office.decide("confirmation", request_id, cast.contact))
    colleagues = (await office.get("/colleagues", cast.user)).json()
    assert [(c["full_name"], c["is_you"]) for c in colleagues] == [
        ("Dana Whitfield", True),
        ("Ravi Menon", False),
    ]
    path = f"/colleagues/{colleagues[1]['grant_id']}/left"
    for stranger in (cast.other_user, cast.body_user):
        assert problem(await office.post(path, stranger, reason="Left.")) == (404, "not-found")
        names = [c["full_name"] for c in (await office.get("/colleagues", stranger)).json()]
        assert "Ravi Menon" not in names
    answers = await asyncio.gather(*(office.post(path, cast.user, reason="Left.") for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert len((await office.get("/colleagues", cast.user)).json()) == 1
    grants = await grants_of(office, cast.support, UUID(request["person_id"]))
    assert grants["delivery_partner"]["ended_reason"] == "Left."


async def test_grants_stay_while_another_agreement_covers(office: Office, cast: Cast) -> None:
    await record(office, cast.policy, PARTNER, OTHER_PROVIDER, reference="DSA-2")
    await end(office, cast.policy, cast.agreement_id)
    grants = await grants_of(office, cast.support, cast.user.person_id)
    assert grants["delivery_partner"]["suspended_at"] is None


async def test_an_agreement_ended_from_a_later_day_suspends_grants_on_that_day(
    office: Office, cast: Cast
) -> None:
    await end(office, cast.policy, cast.agreement_id, days=2)
    assert await lapse_due(office.store, office.clock()) == 0
    office.clock.ahead = timedelta(days=1)
    assert await lapse_due(office.store, office.clock()) == 0
    office.clock.ahead = timedelta(days=2)
    assert await lapse_due(office.store, office.clock()) == 1
    grants = await grants_of(office, cast.support, cast.user.person_id)
    assert grants["delivery_partner"]["suspended_reason"] == ENDED


async def test_time_alone_suspends_grants_once_however_many_look(office: Office, cast: Cast) -> None:
    office.clock.ahead = timedelta(days=300)
    assert await lapse_due(office.store, office.clock()) == 0
    office.clock.ahead = timedelta(days=301)
    ended = await asyncio.gather(*(lapse_due(office.store, office.clock()) for _ in range(3)))
    assert sorted(ended) == [0, 0, 2]
    assert await lapse_due(office.store, office.clock()) == 0


async def test_nothing_is_confirmed_on_an_agreement_that_ended(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    await end(office, cast.policy, cast.agreement_id)
    late = await office.decide("confirmation", request_id, cast.contact)
    assert problem(late) == (409, "no-longer-covered")
    await record(office, cast.policy, PARTNER, PROVIDER, reference="DSA-2")
    assert ok(await office.decide("confirmation", request_id, cast.contact))["state"] == "granted"


async def test_no_grant_slips_in_while_the_last_agreement_ends(office: Office, cast: Cast) -> None:
    agreement_id = cast.agreement_id
    for round_, name in enumerate(("Ravi Menon", "Grace Adeyemi", "Tom Ellery")):
        request = created(await office.submit(cast.support, name))
        request_id = request["request_id"]
        ok(await office.decide("triage", request_id, cast.other_support))
        ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
        await asyncio.gather(
            office.decide("confirmation", request_id, cast.contact),
            end(office, cast.policy, agreement_id),
        )
        grants = await grants_of(office, cast.support, UUID(request["person_id"]))
        assert all(grant["suspended_at"] for grant in grants.values())
        agreement_id = await record(office, cast.policy, PARTNER, PROVIDER, reference=f"DSA-1{round_}")


async def test_a_grant_is_revoked_with_a_reason_and_once(office: Office, cast: Cast) -> None:
    grant = (await grants_of(office, cast.support, cast.user.person_id))["delivery_partner"]
    path = f"/grants/{grant['grant_id']}/revoke"
    answers = await asyncio.gather(
        office.post(path, cast.support, reason="Left the organisation."),
        office.post(path, cast.administrator, reason="Left the organisation."),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert {problem(a) for a in answers if a.status_code == 409} == {(409, "already-ended")}
    grants = await grants_of(office, cast.support, cast.user.person_id)
    assert grants["delivery_partner"]["ended_reason"] == "Left the organisation."
    created(await office.submit(cast.support, "Dana Whitfield"))


async def test_support_does_not_revoke_what_staff_hold(office: Office, cast: Cast) -> None:
    grant = (await grants_of(office, cast.support, cast.policy.person_id))["policy"]
    path = f"/grants/{grant['grant_id']}/revoke"
    assert problem(await office.post(path, cast.support, reason="No.")) == (403, "not-your-role")
    ok(await office.post(path, cast.administrator, reason="Moved to another team."))


async def test_a_contact_is_added_once_for_each_lead_provider(office: Office, cast: Cast) -> None:
    body = {"full_name": "Lena Fischer-Roth", "email": "LENA.fischer@example.org"}
    again = await office.post("/lead-provider-contacts", cast.policy, **body, lead_provider_id=PROVIDER)
    assert problem(again) == (409, "already-granted")
    more = await office.post("/lead-provider-contacts", cast.policy, **body, lead_provider_id=OTHER_PROVIDER)
    person = created(more)
    assert (person["person_id"], person["full_name"]) == (str(cast.contact.person_id), "Lena Fischer-Roth")
    assert len(person["grants"]) == 2
    wrong = await office.post("/lead-provider-contacts", cast.policy, **body, lead_provider_id=OTHER_PARTNER)
    assert problem(wrong) == (422, "wrong-kind-of-organisation")


async def test_people_are_found_by_part_of_a_name_or_an_address(office: Office, cast: Cast) -> None:
    async def found(q: str) -> list[str]:
        return [p["full_name"] for p in ok(await office.get("/people", cast.support, q=q))["people"]]

    assert await found("whitf") == ["Dana Whitfield"]
    assert await found("LENA.FISCHER@") == ["Lena Fischer"]
    assert await found("%") == []
    assert await found("") == sorted(await found("example.org"))


async def test_first_staff_are_put_in_once(office: Office) -> None:
    first = await office.staff("Alex Brandt", Role.ADMINISTRATOR)
    again = await office.staff("Alex Brandt", Role.ADMINISTRATOR)
    assert first == again
    grants = ok(await office.get(f"/people/{first.person_id}", first))["grants"]
    assert [grant["role"] for grant in grants] == ["administrator"]
