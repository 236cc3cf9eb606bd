"""A person without access asks for themself: into support's queue, and to nobody else's knowledge."""

import json

import httpx

from tests.integration.access.office import (
    BODY,
    PARTNER,
    PROVIDER,
    Cast,
    Json,
    Office,
    ok,
    problem,
)

NIA = "nia.novak@example.org"
RETURNED = "Your request for access needs more information"
DECLINED = "A request for access was declined"


async def ask(office: Office, *, as_service: str | None = "gateway", **other: object) -> httpx.Response:
    """The gateway asks, for somebody whose address it knows to be theirs."""
    body = {
        "full_name": "Nia Novak",
        "email": NIA,
        "role": "delivery_partner",
        "organisation_id": PARTNER,
        "reason": "I keep the records.",
    }
    token = office.issuer.service(as_service) if as_service else ""
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    content = json.dumps({**body, **other}, default=str)
    return await office.http.post("/requests/own", headers=headers, content=content)


async def asked(office: Office, cast: Cast) -> Json:
    answer = await ask(office)
    assert (answer.status_code, answer.content) == (204, b"")
    (request,) = ok(await office.get("/requests", cast.support, state="submitted"))["requests"]
    return dict(request)


async def test_it_waits_for_support_as_asked_by_the_person_themself(office: Office, cast: Cast) -> None:
    request = await asked(office, cast)
    assert (request["full_name"], request["email"], request["asked_by_themself"]) == ("Nia Novak", NIA, True)
    assert request["may"] == ["triage", "withdraw"]
    full = ok(await office.get(f"/requests/{request['request_id']}", cast.policy))
    (step,) = full["steps"]
    assert (step["step"], step["by_role"]) == ("Request made by the person themself", None)


async def test_would_be_colleagues_learn_nothing_of_it(office: Office, cast: Cast) -> None:
    request = await asked(office, cast)
    page = ok(await office.get("/requests", cast.user))
    assert request["request_id"] not in {each["request_id"] for each in page["requests"]}
    path = f"/requests/{request['request_id']}"
    assert (await office.get(path, cast.user)).status_code == 404
    assert (await office.post(f"{path}/withdraw", cast.user, reason="No.")).status_code == 404


async def test_it_goes_the_way_of_every_request(office: Office, cast: Cast) -> None:
    request_id = (await asked(office, cast))["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    ok(await office.decide("confirmation", request_id, cast.contact))
    await office.emails(NIA, "You can sign in to Check data")


async def test_the_same_twice_and_what_is_held_is_said_to_the_person_alone(
    office: Office, cast: Cast
) -> None:
    await asked(office, cast)
    assert problem(await ask(office)) == (409, "already-requested")
    assert problem(await ask(office, email=NIA.upper())) == (409, "already-requested")
    dana = {"email": "dana.whitfield@example.org", "full_name": "Dana W."}
    assert problem(await ask(office, **dana)) == (409, "already-granted")


async def test_they_are_told_by_email_what_is_needed_and_support_enters_the_answer(
    office: Office, cast: Cast
) -> None:
    request_id = (await asked(office, cast))["request_id"]
    path = f"/requests/{request_id}"
    ok(await office.post(f"{path}/triage", cast.support, decision="return", reason="Who is your manager?"))
    (email,) = await office.emails(NIA, RETURNED)
    assert "Who is your manager?" in email["body"]
    assert "ign in" not in email["body"]
    ok(await office.post(f"{path}/information", cast.other_support, information="By email: Dana."))
    ok(await office.decide("triage", request_id, cast.support))


async def test_they_are_told_why_it_was_declined_but_not_in_whose_words(office: Office, cast: Cast) -> None:
    request_id = (await asked(office, cast))["request_id"]
    no = {"decline_kind": "not_employed"}
    ok(await office.decide("triage", request_id, cast.support, "decline", **no))
    (email,) = await office.emails(NIA, DECLINED)
    assert "they do not work for this organisation" in email["body"].lower()
    assert "Looked at, and found right." not in email["body"]


async def test_only_the_gateway_can_ask_for_somebody(office: Office, cast: Cast) -> None:
    assert (await ask(office, as_service="export")).status_code == 403
    assert (await office.post("/requests/own", cast.support)).status_code == 403
    assert (await office.get("/requests/own/organisations", cast.user)).status_code == 403


async def test_no_other_role_or_kind_can_be_asked_for(office: Office, cast: Cast) -> None:
    assert problem(await ask(office, role="support")) == (422, "not-requestable")
    assert problem(await ask(office, organisation_id=BODY)) == (422, "wrong-kind-of-organisation")
    assert problem(await ask(office, email="nia")) == (422, "not-understood")
