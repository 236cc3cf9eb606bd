"""Events in over HTTP and over the bus: each answered, none lost, whatever the order, however often."""

import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from uuid import uuid4

import orjson
import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from services.participants.api import MOST_EVENTS
from shared.bus.parking import list_parked
from shared.bus.publication import bus_stream
from shared.contracts import manage_ects as m
from shared.database.engine import create_engine
from tests.integration.participants.conftest import Participants
from tests.integration.participants.world import Json, World, as_json, hub

READ_MODEL = (
    "SELECT * FROM participant_views ORDER BY participant_id, organisation_id",
    # When we heard of something differs, and nothing else may.
    "SELECT participant_id, organisation_id, number, since, status, state FROM status_history"
    " ORDER BY participant_id, organisation_id, number",
    "SELECT participant_id, mentor_participant_id, number, since, until FROM mentor_namings ORDER BY 1, 2, 3",
)


async def read_model(participants: Participants) -> list[list[tuple[Any, ...]]]:
    return [await participants.rows(statement) for statement in READ_MODEL]


def outcomes(answer: Json) -> list[str]:
    return [one["outcome"] for one in answer["answers"]]


async def test_the_same_event_twice_is_harmless(fresh: Participants) -> None:
    world = hub().world
    first = await fresh.send([*world.told, world.told[0]])
    assert (first["accepted"], first["duplicates"]) == (len(world.told), 1)
    before = await read_model(fresh)
    again = await fresh.send(world.told)
    assert (again["accepted"], again["duplicates"], again["parked"]) == (0, len(world.told), 0)
    assert await read_model(fresh) == before


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_between_subjects_gives_the_same_rows(fresh: Participants, seed: int) -> None:
    """Some of it in one batch, some one by one; within a subject the order is kept."""
    made = story_with_a_mentor()
    await fresh.send(made.told)
    expected = await read_model(fresh)
    assert all(expected), "the comparison must compare something"
    await forget_everything(fresh)

    rng = random.Random(seed)
    by_subject: dict[str, list[Any]] = {}
    for event in made.told:
        by_subject.setdefault(event.subject, []).append(event)
    shuffled = []
    while by_subject:
        subject = rng.choice(list(by_subject))
        shuffled.append(by_subject[subject].pop(0))
        if not by_subject[subject]:
            del by_subject[subject]
    await fresh.send(shuffled[:7])
    for event in shuffled[7:14]:
        await fresh.send([event])
    await fresh.send(shuffled[14:])
    assert await read_model(fresh) == expected


async def test_events_of_one_subject_that_come_late_are_put_in_their_place(fresh: Participants) -> None:
    made = story_with_a_mentor()
    await fresh.send(made.told)
    expected = await read_model(fresh)
    await forget_everything(fresh)
    await fresh.send(reversed(made.told))
    assert await read_model(fresh) == expected


def story_with_a_mentor() -> World:
    made = hub()
    world, mia = made.world, made.people["mia"]
    mentored = world.participant("Mentored Person", made.oak, made.oak_partnership, trn="1111111", mentor=mia)
    world.tell(m.SchoolChanged(school_id=made.oak, urn="100001", name="Oakfield Academy"))
    world.tell(
        m.OrganisationRenamed(
            kind=m.OrganisationKind.LEAD_PROVIDER, organisation_id=made.lead_provider, name="Brightwater"
        )
    )
    world.tell(m.PartnershipChallenged(partnership_id=made.elm_partnership, reason=m.ChallengeReason.MISTAKE))
    world.tell(m.PartnershipUnchallenged(partnership_id=made.elm_partnership))
    world.tell(
        m.MentorAssigned(
            participant_id=mentored,
            induction_record_id=world.record_of(mentored),
            mentor_participant_id=None,
        )
    )
    return world


async def forget_everything(participants: Participants) -> None:
    """As the owner of the tables, who alone may."""
    owner = create_engine(participants.database.owner_url)
    async with owner.begin() as connection:
        await connection.execute(text("ALTER TABLE received_events DISABLE TRIGGER append_only"))
        await connection.execute(
            text(
                "TRUNCATE received_events, subject_references, mentor_namings, derivations_due,"
                " participant_views, status_history, parked_events"
            )
        )
        await connection.execute(text("ALTER TABLE received_events ENABLE TRIGGER append_only"))
    await owner.dispose()


async def test_a_partnership_that_comes_after_its_participants_shows_them(fresh: Participants) -> None:
    made = hub()
    late = [e for e in made.world.told if e.subject == str(made.oak_partnership)]
    await fresh.send(e for e in made.world.told if e not in late)
    assert await fresh.names(made.north, academic_year="2025") == []
    await fresh.send(late)
    assert len(await fresh.names(made.north, academic_year="2025")) == 3


async def test_a_challenge_hides_at_once_and_names_follow_their_owners(fresh: Participants) -> None:
    made = hub()
    world = made.world
    await fresh.send(world.told)
    already = len(world.told)
    world.tell(m.PartnershipChallenged(partnership_id=made.elm_partnership, reason=m.ChallengeReason.NO_ECTS))
    world.tell(m.SchoolChanged(school_id=made.oak, urn="199999", name="Renamed School"))
    world.tell(
        m.OrganisationRenamed(
            kind=m.OrganisationKind.LEAD_PROVIDER, organisation_id=made.lead_provider, name="Renamed Provider"
        )
    )
    await fresh.send(world.told[already:])
    page = await fresh.page(made.north)
    assert len(page["rows"]) == 3
    assert {(r["school"], r["urn"], r["lead_provider"]) for r in page["rows"]} == {
        ("Renamed School", "199999", "Renamed Provider")
    }
    assert await fresh.names(made.north, q="renamed zoe") == ["Zoë O’Connor"]
    answer = await fresh.get(f"/participants/{made.people['jose']}", made.north)
    assert answer.status_code == 404


async def test_a_removed_participant_vanishes(fresh: Participants) -> None:
    made = hub()
    await fresh.send(made.world.told)
    zoe = made.people["zoe"]
    removed = made.world.tell(m.ParticipantRemoved(participant_id=zoe))
    await fresh.send([removed])
    assert "Zoë O’Connor" not in await fresh.names(made.north)
    left = await fresh.rows(f"SELECT 1 FROM status_history WHERE participant_id = '{zoe}'")  # noqa: S608
    assert left == []


async def test_a_first_mentee_changes_the_mentor(fresh: Participants) -> None:
    made = hub()
    world, mia = made.world, made.people["mia"]
    await fresh.send(world.told)
    before = (await fresh.get(f"/participants/{mia}", made.north)).json()
    already = len(world.told)
    world.participant("Mentored Person", made.oak, made.oak_partnership, trn="1111111", mentor=mia)
    await fresh.send(world.told[already:])
    after = (await fresh.get(f"/participants/{mia}", made.north)).json()
    assert before["participant"]["reason"] != after["participant"]["reason"]
    assert len(after["history"]) == len(before["history"]) + 1


def change(**changes: object) -> Callable[[Json], None]:
    return lambda event: event.update(changes)


def change_data(**changes: object) -> Callable[[Json], None]:
    return lambda event: event["data"].update(changes)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (change(type="manage-ects.school-painted.v1"), "no contract is known"),
        (change(type="manage-ects.school-opened.v2"), "no contract is known"),
        (change(type="access.grant-given.v1"), "only events of Manage ECTs"),
        (change(source="/elsewhere"), "source:"),
        (change(subject=str(uuid4())), "subject:"),
        (change(subject=""), "subject:"),
        (change(specversion="0.3"), "specversion:"),
        (change(time="yesterday"), "time:"),
        (change(time="2025-09-01T09:00:00"), "time:"),
        (change(time="1066-10-14T09:00:00Z"), "time:"),
        (change(sequence="9" * 19), "sequence:"),
        (change(sequence="-1"), "sequence:"),
        (change(data="text"), "data:"),
        (change_data(urn="12345"), "urn:"),
        (change_data(name=""), "name:"),
        (change_data(name="a\x00b"), "NUL"),
        (change_data(note="a\x00b"), "NUL"),
        (change_data(school_id="1"), "school_id:"),
    ],
)
async def test_a_bad_event_is_parked_with_its_reason_and_the_others_are_in(
    fresh: Participants, spoil: Callable[[Json], None], reason: str
) -> None:
    world = World()
    world.school("First School")
    world.school("Second School")
    world.school("Third School")
    batch = as_json(world.told)
    spoil(batch[1])
    body = (await fresh.post(batch)).json()
    assert outcomes(body) == ["accepted", "parked", "accepted"]
    assert reason in body["answers"][1]["reason"]
    assert await fresh.scalar("SELECT count(*) FROM received_events") == 2
    async with fresh.engine.connect() as connection:
        parked = await list_parked(connection, "participants")
    assert [(p.reason, p.event["id"]) for p in parked] == [(body["answers"][1]["reason"], batch[1]["id"])]
    again = (await fresh.post(batch)).json()
    assert outcomes(again) == ["duplicate", "parked", "duplicate"]
    assert await fresh.scalar("SELECT count(*) FROM parked_events") == 1


@pytest.mark.parametrize("year", [2019, 2027, 10**12])
async def test_an_academic_year_out_of_range_is_parked(fresh: Participants, year: int) -> None:
    made = hub()
    batch = as_json(made.world.told)
    spoilt = next(event for event in batch if event["type"] == m.InductionRecordOpened.type)
    spoilt["data"]["academic_year"] = year
    answer = (await fresh.post([spoilt])).json()
    assert outcomes(answer) == ["parked"]
    assert "academic_year" in answer["answers"][0]["reason"]


async def test_what_follows_of_the_subject_waits_behind_the_bad_event(fresh: Participants) -> None:
    made = hub()
    batch = as_json(made.world.told)
    zoe = [event for event in batch if event["subject"] == str(made.people["zoe"])]
    zoe[1]["data"]["induction_status"] = "on holiday"
    assert (await fresh.post(batch)).status_code == 200
    await fresh.is_up_to_date()
    assert "Zoë O’Connor" not in await fresh.names(made.north)
    assert "Adam Smith" in await fresh.names(made.north)
    async with fresh.engine.connect() as connection:
        parked = await list_parked(connection, "participants")
    assert [p.event["id"] for p in parked] == [event["id"] for event in zoe[1:]]
    assert "induction_status" in parked[0].reason
    assert all("waits behind" in p.reason for p in parked[1:])


@pytest.mark.parametrize(
    "raw", [None, 7, "text", [], {}, {"subject": 5, "id": {"a": 1}}, "\ud800", {"\x00": "\x00"}]
)
async def test_what_is_no_event_at_all_is_parked_too(fresh: Participants, raw: object) -> None:
    world = World()
    world.school("A School")
    body = (await fresh.post([raw, *as_json(world.told)])).json()
    assert outcomes(body) == ["parked", "accepted"]
    assert body["answers"][0]["reason"]
    assert await fresh.scalar("SELECT count(*) FROM parked_events") == 1


@pytest.mark.parametrize("body", [{}, {"events": []}, "text", [], [1] * (MOST_EVENTS + 1)])
async def test_a_body_that_is_no_batch_is_refused(participants: Participants, body: object) -> None:
    answer = await participants.post(body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_only_manage_ects_may_send_events(participants: Participants) -> None:
    for token in (participants.issuer.service("gateway"), participants.issuer.service("export")):
        answer = await participants.http.post(
            "/events", json=[{}], headers={"authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 403
    assert (await participants.http.post("/events", json=[{}])).status_code == 401


async def test_events_on_the_bus_become_rows_and_a_bad_one_is_parked(
    fresh: Participants, redis: Redis
) -> None:
    made = hub()
    batch = as_json(made.world.told)
    spoilt = deepcopy(next(e for e in batch if e["subject"] == str(made.people["adam"])))
    batch[batch.index(next(e for e in batch if e["id"] == spoilt["id"]))]["data"]["role"] = "head teacher"
    batch.insert(0, {**deepcopy(batch[0]), "id": str(uuid4()), "type": "other.thing.v1", "subject": "other"})
    for number, event in enumerate(batch, 1):
        event["sequence"], event["previous"] = str(number), str(number - 1)
        await redis.xadd(bus_stream("manage_ects", 0), {"__data__": orjson.dumps(event)}, f"{number}-0")
    await fresh.becomes("SELECT max(position) FROM checkpoints", len(batch))
    await fresh.is_up_to_date()
    assert await fresh.names(made.north) == [
        "José Álvarez",
        "Mia Smith-Jones",
        "Percy 100%_Sure",
        "Zoë O’Connor",
    ]
    async with fresh.engine.connect() as connection:
        parked = await list_parked(connection, "participants")
    assert {p.subject for p in parked} == {str(made.people["adam"])}
    assert "role" in parked[0].reason
