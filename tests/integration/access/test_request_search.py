"""Requests are found by words of the name, the address and the organisation."""

import pytest

from tests.integration.access.office import OTHER_PARTNER, PARTNER, Cast, Office, Session, created, ok


async def names(office: Office, by: Session, q: str, **more: object) -> list[str]:
    page = ok(await office.get("/requests", by, q=q, **more))
    assert page["total"] == len(page["requests"])
    return sorted(request["full_name"] for request in page["requests"])


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("menon", ["Ravi Menon"]),
        ("  MENON ravi ", ["Ravi Menon"]),
        ("grace.adeyemi@", ["Grace Adeyemi"]),
        ("ravi adeyemi", []),
        ("harbour", ["Grace Adeyemi", "Marcus Bell"]),
        ("harbour grace", ["Grace Adeyemi"]),
        ("%", []),
        ("\x00", []),
    ],
)
async def test_each_word_is_part_of_what_the_request_says(
    office: Office, cast: Cast, words: str, found: list[str]
) -> None:
    created(await office.submit(cast.support, "Ravi Menon", organisation=PARTNER))
    created(await office.submit(cast.support, "Grace Adeyemi", organisation=OTHER_PARTNER))
    assert await names(office, cast.policy, words) == found


async def test_states_are_counted_of_what_is_found(office: Office, cast: Cast) -> None:
    first = created(await office.submit(cast.support, "Ravi Menon"))["request_id"]
    created(await office.submit(cast.support, "Grace Adeyemi"))
    ok(await office.decide("triage", first, cast.other_support))
    page = ok(await office.get("/requests", cast.support, q="ravi"))
    assert {state: number for state, number in page["by_state"].items() if number} == {"policy_check": 1}
    assert await names(office, cast.support, "ravi", state="submitted") == []
    assert await names(office, cast.support, "ravi", state="policy_check") == ["Ravi Menon"]


async def test_users_do_not_learn_a_registered_name_by_searching_for_it(office: Office, cast: Cast) -> None:
    """Somebody is registered as Tess Jones; a user who asks for that address writes another name."""
    registered = {"full_name": "Tess Jones", "email": "tj@example.org", "role": "delivery_partner"}
    entered = {**registered, "organisation_id": OTHER_PARTNER, "reason": "By email."}
    created(await office.post("/requests", cast.support, **entered))
    asked = {**registered, "full_name": "T. J.", "organisation_id": PARTNER, "reason": "Joined."}
    created(await office.post("/requests", cast.user, **asked))
    assert await names(office, cast.user, "tj@example.org") == ["T. J."]
    assert await names(office, cast.user, "Jones") == []
    assert await names(office, cast.policy, "Jones") == ["T. J.", "Tess Jones"]
