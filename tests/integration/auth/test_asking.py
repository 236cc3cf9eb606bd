"""Asking for access: nobody learns who has it, the address is proven, and mailboxes are not filled."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from shared.contracts.roles import Role
from tests.integration.auth.running import EMAIL, GRANT, PERSON, Running, count, grant_ended, work_is_done

STRANGER = "nia.novak@example.org"


async def asking_link(auth: Running, email: str = STRANGER) -> str:
    before = len(list(auth.inbox.glob("asking-*.json")))
    assert (await auth.post("/asking-links", email=email)).status_code == 202
    newest = (await auth.emails(before + 1, "asking-*.json"))[-1]
    return re.search(r"/ask-for-access/form/(\S+)", newest["body"])[1]  # type: ignore[index]


async def test_who_may_sign_in_gets_a_sign_in_link_and_others_the_form(auth: Running) -> None:
    answers = [await auth.post("/asking-links", email=email) for email in (STRANGER, EMAIL)]
    assert {(a.status_code, a.content) for a in answers} == {(202, b"null")}
    await work_is_done(auth)
    sent = {email["to"]: email["body"] for email in await auth.emails(2)}
    assert "/ask-for-access/form/" in sent[STRANGER]
    assert "/sign-in/link/" in sent["Dana@Example.org"]
    assert not any("/ask-for-access" in body for to, body in sent.items() if to != STRANGER)


async def test_who_lost_their_access_can_ask_again(auth: Running) -> None:
    await auth.tell(grant_ended(GRANT))
    assert await asking_link(auth, EMAIL)


async def test_a_link_proves_its_address_until_it_is_used(auth: Running) -> None:
    token = await asking_link(auth, " Nia.Novak@Example.org ")
    for _ in range(2):  # reading uses nothing up
        answer = await auth.post("/asking-links/read", token=token)
        assert (answer.status_code, answer.json()["email"]) == (200, "Nia.Novak@Example.org")
    for _ in range(2):
        assert (await auth.post("/asking-links/use", token=token)).status_code == 204
    assert (await auth.post("/asking-links/read", token=token)).status_code == 410


async def test_false_and_old_links_and_those_for_another_purpose_prove_nothing(auth: Running) -> None:
    asking, sign_in = await asking_link(auth), await auth.link()
    changed = asking[:-1] + ("A" if asking[-1] != "A" else "B")
    for token in ("", "x", changed, sign_in):
        assert (await auth.post("/asking-links/read", token=token)).status_code == 410
    assert (await auth.post("/links/redeem", token=asking)).status_code == 410
    auth.clock.now += timedelta(hours=24)
    assert (await auth.post("/asking-links/read", token=asking)).status_code == 410
    await auth.app.state.asking.forget_old()
    assert await count(auth, "SELECT count(*) FROM asking_links") == 0


async def test_a_mailbox_gets_three_a_day_also_when_they_were_used(auth: Running) -> None:
    for _ in range(3):
        await auth.post("/asking-links/use", token=await asking_link(auth))
    for spelling in (STRANGER, STRANGER.upper()):
        assert (await auth.post("/asking-links", email=spelling)).status_code == 202
    await work_is_done(auth)
    assert len(await auth.emails(3, "asking-*.json")) == 3
    auth.clock.now += timedelta(hours=24, seconds=1)
    assert await asking_link(auth)


async def test_the_limits_are_those_of_sign_in_links(auth: Running) -> None:
    ask = {"email": STRANGER, "network": "192.0.2.7"}
    answers = [(await auth.post("/links", **ask)).status_code for _ in range(5)]
    answers += [(await auth.post("/asking-links", **ask)).status_code for _ in range(6)]
    assert answers == [202] * 10 + [429]
    refused = await auth.post("/asking-links", **ask)
    assert int(refused.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "typed",
    [
        "nia@example.org, other@example.org",
        "Nia <nia@example.org>",
        "nia@example.org\r\nBcc: other@example.org",
        "nia",
        "@example.org",
        "nia@example",
        "\x00@example.org",
        "n" * 65 + "@example.org",
    ],
)
async def test_what_is_not_one_address_is_written_to_by_nobody(auth: Running, typed: str) -> None:
    assert (await auth.post("/asking-links", email=typed)).status_code == 202
    await work_is_done(auth)
    assert not list(auth.inbox.glob("*.json"))


async def test_only_the_gateway_asks(auth: Running) -> None:
    token = auth.app.state.auth.issuer.for_person(PERSON, Role.SUPPORT, None, "auth", UUID(int=1))
    for path in ("", "/read", "/use"):
        body = {"email": STRANGER, "token": "x"}
        as_person = {"authorization": f"Bearer {token}"}
        answer = await auth.http.post(f"/asking-links{path}", json=body, headers=as_person)
        assert answer.status_code == 403
