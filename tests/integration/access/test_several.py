"""Several decisions at once: each by itself."""

from uuid import uuid4

from tests.integration.access.office import PROVIDER, Cast, Office, created, ok, problem

YES = {"decision": "approve", "reason": "All known to us."}


async def test_support_passes_several_on_and_is_told_which_could_not_be(office: Office, cast: Cast) -> None:
    mine = created(await office.submit(cast.support, "Own Nominee"))["request_id"]
    others = [
        created(await office.submit(cast.user, name))["request_id"]
        for name in ("Ravi Menon", "Grace Adeyemi", "Tom Ellery")
    ]
    ok(await office.decide("triage", others[0], cast.other_support))
    unknown = str(uuid4())
    answer = await office.post(
        "/requests/triage", cast.support, request_ids=[mine, *others, others[1], unknown], **YES
    )
    outcomes = {o["request_id"]: o for o in answer.json()}
    assert {request_id: o["done"] for request_id, o in outcomes.items()} == {
        mine: False,
        others[0]: False,
        others[1]: True,
        others[2]: True,
        unknown: False,
    }
    assert all(o["why_not"].endswith(".") for o in outcomes.values() if not o["done"])
    assert ok(await office.get("/requests", cast.policy, state="policy_check"))["total"] == 3


async def test_a_contact_confirms_several_of_their_own_lead_provider(office: Office, cast: Cast) -> None:
    waiting = []
    for name, asked in (("Ravi Menon", True), ("Grace Adeyemi", True), ("Tom Ellery", False)):
        request_id = created(await office.submit(cast.user, name))["request_id"]
        ok(await office.decide("triage", request_id, cast.support))
        if asked:
            ok(await office.decide("policy-check", request_id, cast.policy, lead_provider_id=PROVIDER))
        waiting.append(request_id)
    elsewhere = await office.post("/confirmations", cast.other_contact, request_ids=waiting, **YES)
    assert [o["done"] for o in elsewhere.json()] == [False, False, False]
    answer = await office.post("/confirmations", cast.contact, request_ids=waiting, **YES)
    assert [o["done"] for o in answer.json()] == [True, True, False]
    assert (await office.get("/confirmations", cast.contact)).json() == []


async def test_several_refusals_need_a_reason_from_the_list(office: Office, cast: Cast) -> None:
    request_id = created(await office.submit(cast.user))["request_id"]
    no = {"decision": "decline", "reason": "No."}
    bare = await office.post("/requests/triage", cast.support, request_ids=[request_id], **no)
    assert problem(bare) == (422, "decline-reason-needed")
    said = {**no, "decline_kind": "no_need"}
    answer = await office.post("/requests/triage", cast.support, request_ids=[request_id], **said)
    assert [o["done"] for o in answer.json()] == [True]
