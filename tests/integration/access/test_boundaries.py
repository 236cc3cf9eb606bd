"""Who sees and may do what: other organisations, other lead providers, other roles."""

import asyncio
from uuid import uuid4

import pytest

from shared.contracts.roles import Role
from tests.integration.access.office import (
    BODY,
    OTHER_PARTNER,
    PARTNER,
    PROVIDER,
    Cast,
    Office,
    Session,
    created,
    ok,
    problem,
)

NOT_FOUND = (404, "not-found")


async def test_a_request_of_another_organisation_is_not_found(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    for stranger in (
        cast.other_user,
        cast.body_user,
        Session(cast.user.person_id, Role.DELIVERY_PARTNER, OTHER_PARTNER),
    ):
        assert problem(await office.get(f"/requests/{request_id}", stranger)) == NOT_FOUND
        assert (await office.decide("triage", request_id, stranger)).status_code == 403
        withdrawal = await office.post(f"/requests/{request_id}/withdraw", stranger, reason="No.")
        assert problem(withdrawal) == NOT_FOUND
        listed = ok(await office.get("/requests", stranger))
        assert request_id not in [r["request_id"] for r in listed["requests"]]
    missing = await office.get(f"/requests/{uuid4()}", cast.user)
    assert (problem(missing), missing.json()["detail"]) == (
        NOT_FOUND,
        (await office.get(f"/requests/{request_id}", cast.other_user)).json()["detail"],
    )


async def test_a_contact_of_another_lead_provider_sees_nothing(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    before = await office.decide("confirmation", request_id, cast.contact)
    assert problem(before) == NOT_FOUND
    ok(await office.decide("triage", request_id, cast.support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    assert (await office.get("/confirmations", cast.other_contact)).json() == []
    assert problem(await office.decide("confirmation", request_id, cast.other_contact)) == NOT_FOUND
    assert len((await office.get("/confirmations", cast.contact)).json()) == 1


async def test_nobody_decides_twice_whatever_roles_they_hold(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    twice = Session(cast.support.person_id, Role.POLICY)
    assert ok(await office.get(f"/requests/{request_id}", twice))["may"] == []
    refused = await office.decide("policy-check", request_id, twice, lead_provider_id=PROVIDER)
    assert problem(refused) == (409, "four-eyes")


async def test_support_does_not_triage_what_they_entered_themselves(office: Office, cast: Cast) -> None:
    request = created(await office.submit(cast.support))
    assert request["may"] == ["withdraw"]
    own = await office.decide("triage", request["request_id"], cast.support)
    assert problem(own) == (409, "four-eyes")
    ok(await office.decide("triage", request["request_id"], cast.other_support))


async def test_a_step_needs_its_role(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    for by in (cast.policy, cast.administrator, cast.auditor, cast.user):
        assert problem(await office.decide("triage", request_id, by)) == (403, "not-your-role")


async def test_a_user_asks_for_the_own_organisation_only(office: Office, cast: Cast) -> None:
    elsewhere = await office.submit(cast.user, organisation=OTHER_PARTNER)
    assert problem(elsewhere) == (403, "not-your-organisation")
    held = await office.submit(cast.user, "Marcus Bell", organisation=OTHER_PARTNER)
    assert problem(held) == (403, "not-your-organisation")
    other_role = await office.submit(cast.user, role=Role.APPROPRIATE_BODY, organisation=BODY)
    assert problem(other_role) == (403, "not-your-organisation")


async def test_the_same_is_not_asked_twice_and_case_variants_are_one_person(
    office: Office, cast: Cast
) -> None:
    first = created(await office.submit(cast.user))
    shouting = await office.post(
        "/requests",
        cast.support,
        full_name="R Menon",
        email="  RAVI.Menon@Example.ORG ",
        role="delivery_partner",
        organisation_id=PARTNER,
        reason="Asked by email.",
    )
    assert problem(shouting) == (409, "already-requested")
    held = await office.submit(cast.user, "Dana Whitfield")
    assert problem(held) == (409, "already-granted")
    elsewhere = created(await office.submit(cast.support, organisation=OTHER_PARTNER))
    assert elsewhere["person_id"] == first["person_id"]


async def test_of_the_same_request_sent_at_once_one_is_made(office: Office, cast: Cast) -> None:
    answers = await asyncio.gather(*(office.submit(cast.user) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    people = ok(await office.get("/people", cast.support, q="ravi.menon"))
    assert people["total"] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "ravi menon@example.org"), ("full_name", "   "), ("email", "not an address")],
)
async def test_a_malformed_form_is_refused_by_field(
    office: Office, cast: Cast, field: str, value: str
) -> None:
    form = {
        "full_name": "Ravi Menon",
        "email": "ravi.menon@example.org",
        "role": "delivery_partner",
        "organisation_id": PARTNER,
        "reason": "Joined the team.",
    }
    refused = await office.post("/requests", cast.user, **{**form, field: value})
    assert problem(refused) == (422, "not-understood")
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    assert value.strip() == "" or value not in refused.text


async def test_what_a_user_types_does_not_rename_a_known_person(office: Office, cast: Cast) -> None:
    answer = await office.post(
        "/requests",
        cast.other_user,
        full_name="Somebody Else",
        email="sam.okoro@example.org",
        role="delivery_partner",
        organisation_id=OTHER_PARTNER,
        reason="Joined the team.",
    )
    request_id = created(answer)["request_id"]
    person = ok(await office.get(f"/people/{cast.support.person_id}", cast.support))
    assert person["full_name"] == "Sam Okoro"
    for by in (cast.other_support, cast.auditor):
        seen = ok(await office.get(f"/requests/{request_id}", by))
        assert (seen["full_name"], seen["registered_name"]) == ("Somebody Else", "Sam Okoro")


async def test_who_asks_for_a_known_address_does_not_learn_the_name(office: Office, cast: Cast) -> None:
    """Whether an address is known, and to whom it belongs, is nobody's business but staff's."""
    body = {
        "full_name": "Somebody Else",
        "email": "Sam.Okoro@Example.org",
        "role": "delivery_partner",
        "organisation_id": PARTNER,
        "reason": "Joined the team.",
    }
    answer = await office.post("/requests", cast.user, **body)
    request_id = created(answer)["request_id"]
    answers = [answer, await office.get("/requests", cast.user)]
    ok(await office.decide("triage", request_id, cast.other_support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    answers += [await office.get("/confirmations", cast.contact)]
    answers += [await office.decide("confirmation", request_id, cast.contact, "decline")]
    answers += [await office.get(f"/requests/{request_id}", cast.user)]
    for told in answers:
        assert "Somebody Else" in told.text
        assert "Sam.Okoro@Example.org" in told.text
        assert "Sam Okoro" not in told.text
        assert "sam.okoro@example.org" not in told.text
    (email,) = await office.emails("dana.whitfield@example.org", "A request for access was declined")
    assert "Somebody Else" in email["body"]
    assert "Sam Okoro" not in email["body"]


async def test_look_alikes_are_shown_to_staff_and_never_merged(office: Office, cast: Cast) -> None:
    requests = []
    for address in ("dana.whitfie1d@example.org", "dana.whitfeild@example.org"):
        body = {
            "full_name": "Dana Whitfield",
            "email": address,
            "role": "delivery_partner",
            "organisation_id": PARTNER,
            "reason": "Asked by email.",
        }
        requests.append(created(await office.post("/requests", cast.support, **body)))
    assert len({r["person_id"] for r in requests} | {str(cast.user.person_id)}) == 3
    for request, why in zip(requests, ("It looks the same", "It is one letter off"), strict=True):
        seen = ok(await office.get(f"/requests/{request['request_id']}", cast.other_support))
        alike = {each["person_id"]: each["why"] for each in seen["look_alikes"]}
        assert alike[str(cast.user.person_id)] == why
    user = ok(await office.get(f"/requests/{requests[0]['request_id']}", cast.user))
    assert user["look_alikes"] == []


async def test_users_see_their_own_organisation_only(office: Office, cast: Cast) -> None:
    listed = (await office.get("/organisations", cast.user)).json()
    assert [o["name"] for o in listed] == ["Northwick Teaching School Hub"]
    assert len((await office.get("/organisations", cast.support)).json()) == 5
    providers = (await office.get("/organisations", cast.policy, kind="lead_provider")).json()
    assert [o["name"] for o in providers] == ["Ambit Learning", "Beacon Training"]


PATHS = (
    "/requests",
    "/confirmations",
    "/organisations",
    "/agreements",
    "/people",
    "/audit",
    "/emails/undelivered",
)


async def test_without_a_token_nothing_is_answered(office: Office) -> None:
    for path in (*PATHS, "/events"):
        assert problem(await office.http.get(path)) == (401, "no-valid-token")


async def test_the_feed_is_for_auth_and_for_access_itself(office: Office, cast: Cast) -> None:
    for service, status in (("auth", 200), ("access", 200), ("participants", 403), ("gateway", 403)):
        headers = {"authorization": f"Bearer {office.issuer.service(service)}"}
        assert (await office.http.get("/events", headers=headers)).status_code == status
    assert (await office.get("/events", cast.administrator)).status_code == 403


async def test_the_list_counts_what_the_caller_may_see(office: Office, cast: Cast) -> None:
    waiting = created(await office.submit(cast.user))
    withdrawn = created(await office.submit(cast.user, "Grace Adeyemi"))["request_id"]
    ok(await office.post(f"/requests/{withdrawn}/withdraw", cast.user, reason="Left again."))
    own = ok(await office.get("/requests", cast.user))
    assert own["total"] == 3  # with the one that granted the user's own access
    assert own["by_state"] == {
        "submitted": 1,
        "policy_check": 0,
        "awaiting_lead_provider": 0,
        "returned": 0,
        "granted": 1,
        "declined": 0,
        "withdrawn": 1,
        "expired": 0,
    }
    queue = ok(await office.get("/requests", cast.support, state="submitted"))
    assert [r["request_id"] for r in queue["requests"]] == [waiting["request_id"]]
    assert queue["requests"][0]["may"] == ["triage"]
    assert ok(await office.get("/requests", cast.support))["total"] == 5
    beyond = ok(await office.get("/requests", cast.support, page=2))
    assert (beyond["page"], len(beyond["requests"])) == (1, 5)
