"""The made-up world is realistic, complete, and always the same."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from io import StringIO
from itertools import islice
from uuid import UUID

import pytest

from services.manage_ects import ndjson
from services.manage_ects.domain import world
from services.manage_ects.domain.history import Happening, history, trickle
from shared.contracts import manage_ects as m
from shared.contracts.envelope import CloudEvent, PublishedEvent

SEED, TODAY = 7, date(2026, 11, 25)
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def told() -> list[Happening]:
    return list(history(SEED, 1200, TODAY))


def test_the_same_seed_tells_the_same_history(told: list[Happening]) -> None:
    assert told == list(history(SEED, 1200, TODAY))
    assert told[500:] != list(islice(history(SEED + 1, 1200, TODAY), 500, None))


def test_there_are_as_many_participants_as_asked_for(told: list[Happening]) -> None:
    registered = {h.event.subject for h in told if isinstance(h.event, m.ParticipantRegistered)}
    assert len(registered) == 1200


def test_every_event_fits_its_contract_and_has_its_own_id(told: list[Happening]) -> None:
    out = StringIO()
    assert ndjson.write(told, out) == len(told)
    for line in out.getvalue().splitlines():
        event = CloudEvent.model_validate_json(line)
        assert m.CATALOGUE.read(event).subject == event.subject
    assert len({h.event_id for h in told}) == len(told)


def test_within_a_subject_time_goes_on_and_nothing_is_told_before_it_happens(told: list[Happening]) -> None:
    latest: dict[str, datetime] = {}
    for happening in told:
        subject = happening.event.subject
        assert happening.time >= latest.get(subject, happening.time)
        latest[subject] = happening.time
        assert happening.time <= datetime(2026, 11, 25, 6, tzinfo=UTC)


def test_whatever_is_referred_to_exists(told: list[Happening]) -> None:
    subjects = {UUID(h.event.subject) for h in told}
    records = defaultdict(set)
    for h in told:
        event = h.event
        if isinstance(event, m.InductionRecordOpened):
            records[event.participant_id].add(event.induction_record_id)
            assert event.school_id in subjects
            assert event.partnership_id in subjects
            assert event.appropriate_body_id in {None, *subjects}
        elif (record := getattr(event, "induction_record_id", None)) and isinstance(
            event, m.ParticipantEvent
        ):
            assert record in records[event.participant_id]
    mentors = {
        h.event.participant_id
        for h in told
        if isinstance(h.event, m.ParticipantRegistered) and h.event.role is m.ParticipantRole.MENTOR
    }
    named = {h.event.mentor_participant_id for h in told if isinstance(h.event, m.InductionRecordOpened)} - {
        None
    }
    assert named <= mentors
    assert mentors - named, "some mentors have nobody to mentor"


def test_all_that_the_catalogue_knows_happens_but_for_the_rarest(told: list[Happening]) -> None:
    rare: set[type[PublishedEvent]] = {
        m.OrganisationRenamed,
        m.SchoolChanged,
        m.PartnershipProvidersChanged,
        m.ParticipantDetailsChanged,
        m.InductionStartRecorded,
        m.AppropriateBodyAssigned,
        m.ParticipantRemoved,
    }
    assert {type(h.event) for h in told} == set(m.CATALOGUE) - rare
    pairs = {
        (h.event.status.value, h.event.reason.value)
        for h in told
        if isinstance(h.event, m.EligibilityDetermined)
    }
    assert len(pairs) >= 10
    assert ("ineligible", "previous_participation") in pairs


def test_one_person_may_be_an_ect_first_and_a_mentor_later(told: list[Happening]) -> None:
    roles = defaultdict(set)
    for h in told:
        if isinstance(h.event, m.ParticipantRegistered):
            roles[h.event.person_id].add(h.event.role)
    assert {m.ParticipantRole.ECT, m.ParticipantRole.MENTOR} in roles.values()


def test_the_demo_partner_has_more_than_others(told: list[Happening]) -> None:
    demo = world.demo_organisations(SEED)
    counts = Counter(h.event.delivery_partner_id for h in told if isinstance(h.event, m.PartnershipReported))
    assert counts[demo.delivery_partner.id] == max(counts.values())
    assert demo.second_delivery_partner.id in counts
    assert demo.appropriate_body.name == demo.delivery_partner.name


@pytest.mark.parametrize("participants", [1, 2, 35, 36, 37, 100])
def test_any_number_of_participants_can_be_had(participants: int) -> None:
    told = list(history(SEED, participants, TODAY))
    assert sum(isinstance(h.event, m.ParticipantRegistered) for h in told) == participants


def test_half_a_million_participants_stream() -> None:
    first = list(islice(history(SEED, 500_000, TODAY), 3000))
    assert len(first) == 3000


def test_the_trickle_goes_on_with_new_people_and_repeats_nothing(told: list[Happening]) -> None:
    steps = [trickle(SEED, 1200, TODAY, step, NOW) for step in range(12)]
    assert all(steps)
    assert steps[3] == trickle(SEED, 1200, TODAY, 3, NOW)
    ids = {h.event_id for step in steps for h in step}
    assert len(ids) == sum(map(len, steps))
    assert not ids & {h.event_id for h in told}
    assert all(h.time.date() == TODAY for step in steps for h in step)


def test_newcomers_come_to_many_schools_and_most_go_on_training() -> None:
    told = [h.event for step in range(160) for h in trickle(SEED, 1200, TODAY, step, NOW)]
    schools = {event.school_id for event in told if isinstance(event, m.InductionRecordOpened)}
    gone = sum(isinstance(event, m.TrainingDeferred | m.TrainingWithdrawn) for event in told)
    assert len(schools) > 20
    assert 0 < gone < 20
