"""Events in, lists out: search, filters, counts, orders, pages, one person, and who looked."""

import asyncio
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.participants.events import ListViewed, ParticipantViewed, Viewed
from shared.contracts import manage_ects as m
from shared.contracts.participants import ParticipantDetail, ParticipantPage
from shared.contracts.roles import Role
from tests.integration.participants.conftest import Participants
from tests.integration.participants.world import Hub, World

BY_NAME = ["Adam Smith", "José Álvarez", "Mia Smith-Jones", "Percy 100%_Sure", "Zoë O’Connor"]


async def test_a_partner_sees_its_participants_by_name(participants: Participants, north: Hub) -> None:
    page = await participants.page(north.north)
    assert [row["full_name"] for row in page["rows"]] == BY_NAME
    assert (page["total"], page["page"], page["pages"], page["size"]) == (5, 1, 1, 50)
    assert page["academic_years"] == [2024, 2025]


async def test_a_row_is_ready_to_be_shown(participants: Participants, north: Hub) -> None:
    row = (await participants.page(north.north, q="0012345"))["rows"][0]
    assert row["participant_id"] == str(north.people["zoe"])
    assert (row["trn"], row["role"], row["school"], row["urn"]) == (
        "0012345",
        "ect",
        "Oakfield Primary School",
        "100001",
    )
    assert row["lead_provider"] == "Brightwater Teacher Development"
    assert (row["academic_year"], row["training_status"]) == (2025, "active")
    assert row["status"] == "training_or_eligible_for_training"
    assert row["status_label"] == "Training or eligible for training"
    assert row["status_explanation"].endswith(".")
    assert row["reason"].endswith(".")


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("zoe", ["Zoë O’Connor"]),
        ("ZOË", ["Zoë O’Connor"]),
        ("ecole", ["José Álvarez", "Percy 100%_Sure"]),
        ("smith oakfield", ["Adam Smith", "Mia Smith-Jones"]),
        ("OAKFIELD   smith", ["Adam Smith", "Mia Smith-Jones"]),
        ("alvarez jose", ["José Álvarez"]),
        ("7654", ["José Álvarez"]),
        ("100002", ["José Álvarez", "Percy 100%_Sure"]),
        ("chateau", ["José Álvarez", "Percy 100%_Sure"]),
        ("BRIGHTwater", ["Adam Smith", "Mia Smith-Jones", "Zoë O’Connor"]),
        ("example.org elm", ["José Álvarez", "Percy 100%_Sure"]),
        ("smith zoe", []),
        ("100%_", ["Percy 100%_Sure"]),
        ("%", ["Percy 100%_Sure"]),
        ("_", ["Percy 100%_Sure"]),
        ("\\", []),
        ("ia", ["Mia Smith-Jones"]),
        ("   ", BY_NAME),
    ],
)
async def test_search_wants_every_word_in_any_order_whatever_case_and_accents(
    participants: Participants, north: Hub, q: str, names: list[str]
) -> None:
    assert await participants.names(north.north, q=q) == names


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"role": "mentor"}, ["Mia Smith-Jones"]),
        ({"role": ["mentor", "ect"]}, BY_NAME),
        ({"academic_year": "2024"}, ["José Álvarez", "Percy 100%_Sure"]),
        ({"academic_year": "2030"}, []),
        ({"status": "participant_deferred"}, ["José Álvarez"]),
        (
            {"status": ["participant_deferred", "contacted_for_information"]},
            ["Adam Smith", "José Álvarez"],
        ),
        ({"status": "", "role": "", "academic_year": "", "page": ""}, BY_NAME),
        ({"role": "ect", "academic_year": "2025", "q": "smith"}, ["Adam Smith"]),
    ],
)
async def test_filters_combine(
    participants: Participants, north: Hub, params: dict[str, Any], names: list[str]
) -> None:
    assert await participants.names(north.north, **params) == names


async def test_counts_by_status_are_of_what_is_found_before_the_status_filter(
    participants: Participants, north: Hub
) -> None:
    page = await participants.page(north.north, role="ect", status="participant_deferred")
    assert page["total"] == 1
    assert {status: n for status, n in page["by_status"].items() if n} == {
        "contacted_for_information": 1,
        "participant_deferred": 1,
        "training_or_eligible_for_training": 2,
    }


async def test_lists_sort_by_name_and_by_change_from_either_end(
    participants: Participants, north: Hub
) -> None:
    by_change = await participants.names(north.north, sort="changed")
    assert sorted(by_change) == BY_NAME
    assert await participants.names(north.north, sort="-changed") == by_change[::-1]
    assert await participants.names(north.north, sort="-name") == BY_NAME[::-1]
    assert await participants.names(north.north, sort="-name", q="smith") == ["Mia Smith-Jones", "Adam Smith"]
    since = [row["status_since"] for row in (await participants.page(north.north, sort="changed"))["rows"]]
    assert since == sorted(since)


async def test_answers_are_those_of_the_contract(participants: Participants, north: Hub) -> None:
    page = await participants.get("/participants", north.north)
    assert ParticipantPage.model_validate_json(page.content).model_dump(mode="json") == page.json()
    for who in north.people["jose"], north.people["zoe"]:
        one = await participants.get(f"/participants/{who}", north.north)
        told = ParticipantDetail.model_validate_json(one.content)
        assert told.participant in ParticipantPage.model_validate_json(page.content).rows


async def test_counts_kept_are_those_of_the_rows(fresh: Participants) -> None:
    world = World()
    provider, partner, school = world.lead_provider("L"), world.delivery_partner("P"), world.school("S")
    partnership = world.partnership(school, provider, partner)
    people = [world.participant(f"Person {n}", school, partnership, trn=f"000000{n}") for n in range(5)]
    await fresh.send(world.told)
    world.close(people[0], m.InductionStatus.WITHDRAWN)
    world.close(people[1])
    world.open(people[1], school, world.partnership(school, provider, uuid4()), start=date(2025, 9, 2))
    await fresh.send(world.told)
    counted = await fresh.rows(
        "SELECT organisation_id, organisation_kind, academic_year, role, status, count(*)"
        " FROM participant_views GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"
    )
    assert counted == await fresh.rows(
        "SELECT organisation_id, organisation_kind, academic_year, role, status, participants"
        " FROM participant_counts WHERE participants <> 0 ORDER BY 1, 2, 3, 4, 5"
    )
    assert len({row[0] for row in counted}) > 1


async def test_pages_keep_their_order_while_statuses_change(fresh: Participants) -> None:
    world = World()
    provider, partner, school = world.lead_provider("L"), world.delivery_partner("P"), world.school("S")
    partnership = world.partnership(school, provider, partner)
    people = [world.participant(f"Person {n}", school, partnership, trn=f"000000{n}") for n in range(6)]
    await fresh.send(world.told)
    seen = []
    for page in (1, 2, 3):
        seen += await fresh.names(partner, size=2, page=page)
        for number in (page, 6 - page):
            world.close(people[number], m.InductionStatus.WITHDRAWN)
        await fresh.send(world.told)
    assert seen == [f"Person {n}" for n in range(6)]


async def test_a_completed_induction_shows_its_day_and_nobody_else_has_one(fresh: Participants) -> None:
    world = World()
    provider, partner, school = world.lead_provider("L"), world.delivery_partner("P"), world.school("S")
    partnership = world.partnership(school, provider, partner)
    done = world.participant("Done", school, partnership, trn="0000001")
    world.participant("Going On", school, partnership, trn="0000002")
    record = world.record_of(done)
    world.tell(
        m.InductionCompleted(participant_id=done, induction_record_id=record, completed_on=date(2025, 9, 30))
    )
    await fresh.send(world.told)
    rows = (await fresh.page(partner))["rows"]
    assert [(row["status"], row["induction_completed_on"]) for row in rows] == [
        ("induction_completed", "2025-09-30"),
        ("training_or_eligible_for_training", None),
    ]


async def test_pages_neither_repeat_nor_miss_anybody(participants: Participants, north: Hub) -> None:
    seen = []
    for page in (1, 2, 3):
        answer = await participants.page(north.north, size=2, page=page)
        assert answer["pages"] == 3
        seen += [row["full_name"] for row in answer["rows"]]
    assert seen == BY_NAME


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({"role": "teacher"}, ["role"]),
        ({"status": "fine"}, ["status"]),
        ({"academic_year": "soon"}, ["academic_year"]),
        ({"page": "0"}, ["page"]),
        ({"page": "-1"}, ["page"]),
        ({"page": "1.5", "size": "201"}, ["page", "size"]),
        ({"size": "0"}, ["size"]),
        ({"sort": "trn"}, ["sort"]),
        ({"sort": ["name", "-name"]}, ["sort"]),
        ({"q": "x" * 501}, ["q"]),
        ({"q": "x" * 10_000}, ["q"]),
        ({"q": " ".join(map(str, range(100, 121)))}, ["q"]),
        ({"q": "a\x00b"}, ["q"]),
        ({"organisation_id": str(uuid4())}, ["organisation_id"]),
    ],
)
async def test_what_is_not_understood_is_named(
    participants: Participants, north: Hub, params: dict[str, str], fields: list[str]
) -> None:
    for path in ("/participants", "/participants/rows"):
        answer = await participants.get(path, north.north, params)
        assert answer.status_code == 422
        body = answer.json()
        assert body["type"] == "urn:check-data:problem:query-not-understood"
        if path == "/participants":
            assert [error["field"] for error in body["errors"]] == fields
    assert await views_of(participants, ListViewed) == []


async def test_an_unknown_filter_value_is_answered_with_those_that_there_are(
    participants: Participants, north: Hub
) -> None:
    answer = await participants.get("/participants", north.north, {"role": "teacher"})
    assert answer.json()["errors"] == [{"field": "role", "message": "Use ect or mentor."}]


@pytest.mark.parametrize("page", ["2", "9" * 90])
async def test_a_page_past_the_end_says_how_many_there_are(
    participants: Participants, north: Hub, page: str
) -> None:
    answer = await participants.get("/participants", north.north, {"page": page})
    assert answer.status_code == 404
    assert answer.json()["type"].endswith("page-past-the-end")
    assert "There is 1 page." in answer.json()["detail"]


async def test_one_participant_has_the_history_of_the_status(participants: Participants, north: Hub) -> None:
    answer = await participants.get(f"/participants/{north.people['jose']}", north.north)
    assert answer.status_code == 200
    body = answer.json()
    assert body["participant"]["status"] == "participant_deferred"
    history = body["history"]
    statuses = [change["status"] for change in history]
    assert statuses[0] == "contacted_for_information"
    assert statuses[-1] == "participant_deferred"
    assert [change["since"] for change in history] == sorted(change["since"] for change in history)
    assert all(change["received_at"] for change in history)
    assert body["participant"]["status_since"] == history[-1]["since"]


@pytest.mark.parametrize("who", ["864d7b68-d50d-4179-b4c5-2d755f4262fa", "not-an-id"])
async def test_nobody_is_there_under_another_id(participants: Participants, north: Hub, who: str) -> None:
    assert (await participants.get(f"/participants/{who}", north.north)).status_code == 404


async def test_an_appropriate_body_sees_whom_the_latest_record_names(fresh: Participants) -> None:
    world, body = World(), uuid4()
    world.tell(m.AppropriateBodyRegistered(appropriate_body_id=body, name="Body"))
    school = world.school("Oakfield Primary School")
    world.participant("Named Person", school, None, trn="0000001", body=body)
    world.participant("Other Person", school, None, trn="0000002", body=uuid4())
    await fresh.send(world.told)
    answer = await fresh.get("/participants", body, role=Role.APPROPRIATE_BODY)
    assert [row["full_name"] for row in answer.json()["rows"]] == ["Named Person"]
    assert (await fresh.get("/participants", body)).json()["total"] == 0


@pytest.mark.parametrize("role", [r for r in Role if not r.sees_participants])
async def test_other_roles_see_nothing(participants: Participants, north: Hub, role: Role) -> None:
    for path in ("/participants", "/participants/rows", f"/participants/{north.people['zoe']}"):
        assert (await participants.get(path, north.north, role=role)).status_code == 403


async def test_a_list_that_was_seen_is_recorded_with_those_on_it(
    participants: Participants, north: Hub
) -> None:
    await participants.page(north.north, q="smith", role="ect", page="1")
    viewed = await views_of(participants, ListViewed)
    assert viewed == [
        ListViewed(
            person_id=participants.person_id,
            role=Role.DELIVERY_PARTNER,
            organisation_id=north.north,
            searched=True,
            filters={"role": ["ect"]},
            page=1,
            total=1,
            participant_ids=[north.people["adam"]],
        )
    ]


async def test_a_person_who_was_seen_is_recorded_and_one_who_was_not_there_is_not(
    participants: Participants, north: Hub
) -> None:
    await participants.get(f"/participants/{north.people['sam']}", north.north)
    await participants.get(f"/participants/{north.people['zoe']}", north.north)
    viewed = await views_of(participants, ParticipantViewed)
    assert [event.participant_id for event in viewed] == [north.people["zoe"]]


async def test_views_are_told_to_the_audit_without_the_words_searched_for(
    participants: Participants, north: Hub
) -> None:
    await participants.page(north.north, q="smith")
    headers = {"authorization": f"Bearer {participants.issuer.service('access')}"}
    async with asyncio.timeout(60):
        events: list[dict[str, Any]] = []
        while not events:
            answer = await participants.http.get("/events", params={"limit": 5000}, headers=headers)
            events = [e for e in answer.json()["events"] if e["subject"] == str(participants.person_id)]
            await asyncio.sleep(0.05)
    assert [event["type"] for event in events] == ["participants.list-viewed.v1"]
    assert "smith" not in str(events).lower()


async def views_of(participants: Participants, kind: type[Viewed]) -> list[Any]:
    streams = await participants.rows("SELECT stream FROM events WHERE stream LIKE 'view-%' ORDER BY id")
    store = participants.app.state.store
    recorded = [event for (stream,) in streams for event in await store.read_stream(stream)]
    return [
        one.event
        for one in recorded
        if isinstance(one.event, kind) and one.event.person_id == participants.person_id
    ]


async def test_two_people_of_one_name_have_a_fixed_order(fresh: Participants) -> None:
    world = World()
    provider, partner, school = world.lead_provider("L"), world.delivery_partner("P"), world.school("S")
    partnership = world.partnership(school, provider, partner)
    people = [world.participant("Same Name", school, partnership) for _ in range(7)]
    await fresh.send(world.told)
    seen = [
        UUID(row["participant_id"])
        for page in range(1, 5)
        for row in (await fresh.page(partner, size=2, page=page))["rows"]
    ]
    assert seen == sorted(people)


async def test_a_summary_counts_what_the_lists_show(participants: Participants, north: Hub) -> None:
    page = await participants.page(north.north)
    answer = await participants.get("/participants/summary", north.north)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["total"], body["by_status"]) == (page["total"], page["by_status"])
    assert body["by_academic_year"] == [
        {"academic_year": 2024, "ects": 2, "mentors": 0},
        {"academic_year": 2025, "ects": 2, "mentors": 1},
    ]


async def test_the_weeks_of_a_summary_hold_each_change_of_the_histories_once(
    participants: Participants, north: Hub
) -> None:
    body = (await participants.get("/participants/summary", north.north)).json()
    mondays = [week["monday"] for week in body["weeks"]]
    assert len(mondays) == 12
    assert mondays == sorted(mondays)
    assert mondays[-1] == "2026-03-02"
    histories = [
        (await participants.get(f"/participants/{row['participant_id']}", north.north)).json()["history"]
        for row in (await participants.page(north.north))["rows"]
    ]
    of_these_weeks = [
        number
        for history in histories
        for number, change in enumerate(history)
        if mondays[0] <= change["since"] < "2026-03-09"
    ]
    assert sum(week["registered"] for week in body["weeks"]) == of_these_weeks.count(0)
    assert sum(week["registered"] + week["changed"] for week in body["weeks"]) == len(of_these_weeks)


async def test_a_summary_is_of_the_own_organisation(participants: Participants, north: Hub) -> None:
    body = (await participants.get("/participants/summary", north.south)).json()
    assert body["total"] == 1
    other = await participants.get("/participants/summary", uuid4())
    assert (other.json()["total"], other.json()["by_academic_year"]) == (0, [])
