"""Why somebody has access, in one answer: from the request to the agreement."""

import json
from uuid import UUID

import pytest
import typer

from services.cli.access import say_why
from tests.integration.access.office import PROVIDER, Cast, Json, Office, created, ok, problem, record


async def granted(office: Office, cast: Cast) -> str:
    """A person who was nominated, checked, confirmed and granted."""
    request = created(await office.submit(cast.user))
    request_id = request["request_id"]
    ok(await office.decide("triage", request_id, cast.support))
    ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
    ok(await office.decide("confirmation", request_id, cast.contact))
    return str(request["person_id"])


async def why_of(office: Office, cast: Cast, person_id: str) -> Json:
    return ok(await office.get(f"/people/{person_id}/why", cast.auditor))


async def test_it_tells_the_whole_way_from_the_request_to_the_agreement(office: Office, cast: Cast) -> None:
    person_id = await granted(office, cast)
    (evidence,) = (await why_of(office, cast, person_id))["grants"]
    assert [(s["step"], s["by_name"]) for s in evidence["request"]["steps"]] == [
        ("Request made", "Dana Whitfield"),
        ("Passed on by support", "Sam Okoro"),
        ("Policy check passed", "Priya Raman"),
        ("Lead provider asked", None),
        ("Confirmed by the lead provider", "Lena Fischer"),
        ("Access granted", None),
    ]
    assert all(s["reason"] for s in evidence["request"]["steps"] if s["by_name"])
    assert evidence["request"]["check"]["covered"] is True
    assert [a["reference"] for a in evidence["agreements"]] == ["DSA-1"]
    assert [s["step"] for s in evidence["history"]] == ["Access given"]
    assert evidence["cover_today"]["covered"] is True


async def test_it_tells_what_became_of_the_grant(office: Office, cast: Cast) -> None:
    person_id = await granted(office, cast)
    ended = {"ended_early_on": str(office.today), "reason": "Given up."}
    ok(await office.post(f"/agreements/{cast.agreement_id}/end", cast.policy, **ended))
    await record(office, cast.policy, UUID(int=1), PROVIDER, reference="DSA-2")
    grant_id = (await why_of(office, cast, person_id))["grants"][0]["grant"]["grant_id"]
    ok(await office.post(f"/grants/{grant_id}/restore", cast.policy, reason="Renewed."))
    ok(await office.post(f"/grants/{grant_id}/revoke", cast.support, reason="Moved on."))
    (evidence,) = (await why_of(office, cast, person_id))["grants"]
    assert [(s["step"], s["by_name"], s["reason"]) for s in evidence["history"]] == [
        ("Access given", "Lena Fischer", None),
        ("Access suspended", None, "The last agreement that covered it ended."),
        ("Access restored", "Priya Raman", "Renewed."),
        ("Access ended", "Sam Okoro", "Moved on."),
    ]
    assert [a["reference"] for a in evidence["agreements"]] == ["DSA-2"]


async def test_it_is_for_staff(office: Office, cast: Cast) -> None:
    path = f"/people/{cast.user.person_id}/why"
    for by in (cast.user, cast.body_user, cast.contact):
        assert (await office.get(path, by)).status_code == 403
    missing = await office.get(f"/people/{UUID(int=99)}/why", cast.auditor)
    assert problem(missing) == (404, "not-found")
    staff = await why_of(office, cast, str(cast.policy.person_id))
    assert staff["grants"][0]["history"][0]["reason"] == "At installation"


async def test_the_command_says_the_same(
    office: Office, cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    await granted(office, cast)
    await say_why(office.store, "RAVI.menon@example.org", as_json=False)
    said = capsys.readouterr().out
    for fact in ("Confirmed by the lead provider, by Lena Fischer", "Agreement DSA-1", "in force"):
        assert fact in said
    await say_why(office.store, "ravi.menon@example.org", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["grants"][0]["request"]["check"]["covered"] is True
    with pytest.raises(typer.Exit):
        await say_why(office.store, "nobody@example.org", as_json=False)
