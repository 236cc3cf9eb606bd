"""From the nomination to the grant, over HTTP."""

import asyncio

import pytest

from shared.contracts.roles import Role
from tests.integration.access.office import (
    BODY,
    OTHER_PROVIDER,
    PARTNER,
    PROVIDER,
    Cast,
    Office,
    created,
    ok,
    problem,
)

SIGN_IN_EMAIL = "You can sign in to Check data"
DECLINED_EMAIL = "A request for access was declined"


async def test_a_nominated_colleague_is_granted_access_and_told_by_email(office: Office, cast: Cast) -> None:
    request = created(await office.submit(cast.user))
    request_id = request["request_id"]
    assert (request["state"], request["may"]) == ("submitted", ["withdraw"])
    assert request["submitted_by_name"] == "Dana Whitfield"
    assert request["organisation_name"] == "Northwick Teaching School Hub"

    triaged = ok(await office.decide("triage", request_id, cast.support))
    assert triaged["state"] == "policy_check"

    due = ok(await office.get(f"/requests/{request_id}", cast.policy))
    assert due["may"] == ["policy_check"]
    assert due["check"]["covered"] is True
    assert [a["lead_provider_name"] for a in due["check"]["covering"]] == ["Ambit Learning"]

    asked = ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    assert (asked["state"], asked["lead_provider_name"]) == ("awaiting_lead_provider", "Ambit Learning")

    (waiting,) = (await office.get("/confirmations", cast.contact)).json()
    assert (waiting["full_name"], waiting["may"]) == ("Ravi Menon", ["confirmation"])

    granted = ok(await office.decide("confirmation", request_id, cast.contact))
    assert granted["state"] == "granted"
    assert (await office.get("/confirmations", cast.contact)).json() == []

    person = ok(await office.get(f"/people/{request['person_id']}", cast.support))
    (grant,) = person["grants"]
    assert (grant["role"], grant["organisation_id"], grant["request_id"]) == (
        "delivery_partner",
        str(PARTNER),
        request_id,
    )
    assert grant["ended_at"] is None
    (email,) = await office.emails("ravi.menon@example.org", SIGN_IN_EMAIL)
    assert "https://check.example.org/sign-in" in email["body"]
    assert "Delivery partner, Northwick Teaching School Hub" in email["body"]


async def test_the_time_line_says_who_did_what_to_staff_and_less_to_users(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    ok(await office.decide("confirmation", request_id, cast.contact))

    staff = ok(await office.get(f"/requests/{request_id}", cast.auditor))["steps"]
    assert [(s["step"], s["by_name"]) for s in staff] == [
        ("Request made", "Dana Whitfield"),
        ("Passed on by support", "Sam Okoro"),
        ("Policy check passed", "Priya Raman"),
        ("Lead provider asked", None),
        ("Confirmed by the lead provider", "Lena Fischer"),
        ("Access granted", None),
    ]
    users = ok(await office.get(f"/requests/{request_id}", cast.user))
    assert [s["by_name"] for s in users["steps"]] == ["Dana Whitfield", None, None, None, None, None]
    assert [s["reason"] for s in users["steps"]] == ["Joined the team.", None, None, None, None, None]
    assert users["check"] is None


async def test_a_lead_provider_contact_sees_no_more_than_is_needed(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    (waiting,) = (await office.get("/confirmations", cast.contact)).json()
    confirmed = ok(await office.decide("confirmation", request_id, cast.contact))
    for seen in (waiting, confirmed):
        assert (seen["steps"], seen["check"], seen["submitted_by_name"]) == ([], None, None)


@pytest.mark.parametrize("step", ["triage", "policy-check", "confirmation"])
async def test_a_declined_request_is_told_to_who_made_it(office: Office, cast: Cast, step: str) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    deciders = {"triage": cast.support, "policy-check": cast.policy, "confirmation": cast.contact}
    for earlier, by in deciders.items():
        if earlier == step:
            break
        ok(await office.decide(earlier, request_id, by, lead_provider_id=PROVIDER))
    ok(await office.decide(step, request_id, deciders[step], "decline"))

    seen = ok(await office.get(f"/requests/{request_id}", cast.user))
    assert (seen["state"], seen["outcome_reason"]) == ("declined", "Looked at, and found right.")
    assert seen["may"] == []
    (email,) = await office.emails("dana.whitfield@example.org", DECLINED_EMAIL)
    assert "Ravi Menon" in email["body"]
    assert "found right" not in email["body"]
    again = created(await office.submit(cast.user))
    assert again["request_id"] != request_id


async def test_for_an_appropriate_body_policy_grants_without_a_lead_provider(
    office: Office, cast: Cast
) -> None:
    request = created(await office.submit(cast.body_user, role=Role.APPROPRIATE_BODY, organisation=BODY))
    ok(await office.decide("triage", request["request_id"], cast.support))
    check = ok(await office.get(f"/requests/{request['request_id']}", cast.policy))["check"]
    assert (check["covered"], check["covering"]) == (True, [])
    granted = ok(await office.decide("policy-check", request["request_id"], cast.policy))
    assert (granted["state"], granted["lead_provider_id"]) == ("granted", None)
    (grant,) = ok(await office.get(f"/people/{request['person_id']}", cast.support))["grants"]
    assert grant["role"] == "appropriate_body"


async def test_passing_against_the_registers_advice_is_marked(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=OTHER_PROVIDER))
    steps = ok(await office.get(f"/requests/{request_id}", cast.auditor))["steps"]
    assert steps[2]["step"] == "Policy check passed, against what the agreement register says"
    granted = ok(await office.decide("confirmation", request_id, cast.other_contact))
    assert granted["state"] == "granted"


async def test_policy_must_name_a_lead_provider_that_can_answer(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    unnamed = await office.decide("policy-check", request_id, cast.policy)
    assert problem(unnamed) == (422, "lead-provider-needed")
    wrong = await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PARTNER)
    assert problem(wrong) == (422, "wrong-kind-of-organisation")
    lena = ok(await office.get(f"/people/{cast.contact.person_id}", cast.support))
    grant_id = lena["grants"][0]["grant_id"]
    ok(await office.post(f"/grants/{grant_id}/revoke", cast.support, reason="Left."))
    nobody = await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER)
    assert problem(nobody) == (409, "no-contacts")


async def test_a_withdrawn_request_is_closed(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    withdrawn = ok(await office.post(f"/requests/{request_id}/withdraw", cast.user, reason="Left again."))
    assert (withdrawn["state"], withdrawn["outcome_reason"]) == ("withdrawn", "Left again.")
    late = await office.decide("triage", request_id, cast.support)
    assert problem(late) == (409, "not-awaiting-this-step")
    assert "withdrawn" in late.json()["detail"]


@pytest.mark.parametrize("second", ["approve", "decline"])
async def test_of_two_decisions_at_once_one_wins_and_the_other_learns_of_it(
    office: Office, cast: Cast, second: str
) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    answers = await asyncio.gather(
        office.decide("triage", request_id, cast.support),
        office.decide("triage", request_id, cast.other_support, second),
    )
    winner, loser = sorted(answers, key=lambda answer: answer.status_code)
    assert winner.status_code == 200
    assert problem(loser) == (409, "not-awaiting-this-step")
    steps = ok(await office.get(f"/requests/{request_id}", cast.auditor))["steps"]
    assert len(steps) == 2


async def test_a_confirmation_sent_many_times_at_once_grants_once(office: Office, cast: Cast) -> None:
    request = created(await office.submit(cast.user))
    request_id = request["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    answers = await asyncio.gather(
        *(office.decide("confirmation", request_id, cast.contact) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    person = ok(await office.get(f"/people/{request['person_id']}", cast.support))
    assert len(person["grants"]) == 1
    assert len(await office.emails("ravi.menon@example.org", SIGN_IN_EMAIL)) == 1
