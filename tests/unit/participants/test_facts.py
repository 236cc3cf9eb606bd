"""What is known is the fold of a subject's events; every event of the catalogue has its place in it."""

from datetime import UTC, datetime

import pytest

from services.participants.domain.evolution import evolve_participant
from services.participants.domain.facts import (
    Organisation,
    Participant,
    School,
    evolve_partnership,
    organisation_of,
    school_of,
)
from services.participants.domain.received import Event, OrganisationEvent, PartnershipEvent, SchoolEvent
from services.participants.domain.standing import decide_for
from shared.contracts import manage_ects as events
from shared.contracts.manage_ects import InductionStatus, OrganisationKind, ParticipantEvent, TrainingStatus
from tests.unit.participants.stories import (
    ALDER,
    BODY,
    ECT,
    FIRST,
    HILL_HIGH,
    MENTOR,
    NORTH,
    NORTH_AT_HILL,
    SECOND,
    challenged,
    closed,
    completed,
    confirmed,
    deferred,
    details_received,
    eligible,
    mentor_assigned,
    opened,
    registered,
    removed,
    reported,
    requested,
    resumed,
    unchallenged,
    validated,
    withdrawn,
)

PARTICIPANT_EVENTS: list[ParticipantEvent] = [
    registered(),
    opened(),
    events.ParticipantDetailsChanged(participant_id=ECT, full_name="Zoë Smith", email="z@example.org"),
    requested("delivered"),
    details_received(),
    validated(),
    eligible(),
    events.InductionStartRecorded(participant_id=ECT, induction_start_date=None),
    mentor_assigned(MENTOR),
    events.AppropriateBodyAssigned(participant_id=ECT, induction_record_id=FIRST, appropriate_body_id=BODY),
    events.PreferredEmailChanged(
        participant_id=ECT, induction_record_id=FIRST, preferred_email="z@example.org"
    ),
    deferred(),
    withdrawn(),
    resumed(),
    closed("leaving", "2025-01-31"),
    completed("2025-02-01"),
    removed(),
]
PARTNERSHIP_EVENTS: list[PartnershipEvent] = [
    reported(),
    confirmed(),
    challenged(),
    unchallenged(),
    events.PartnershipProvidersChanged(partnership_id=NORTH_AT_HILL, lead_provider_id=ALDER),
]
ORGANISATION_EVENTS: list[OrganisationEvent] = [
    events.LeadProviderRegistered(lead_provider_id=ALDER, name="Alder"),
    events.DeliveryPartnerRegistered(delivery_partner_id=NORTH, name="North"),
    events.AppropriateBodyRegistered(appropriate_body_id=BODY, name="Body"),
    events.OrganisationRenamed(kind=OrganisationKind.DELIVERY_PARTNER, organisation_id=NORTH, name="N."),
]
SCHOOL_EVENTS: list[SchoolEvent] = [
    events.SchoolOpened(school_id=HILL_HIGH, urn="012345", name="Hill High"),
    events.SchoolChanged(school_id=HILL_HIGH, urn="012345", name="Hill High School"),
]


def known_of(*told: ParticipantEvent) -> Participant:
    participant = None
    for event in told:
        participant = evolve_participant(participant, event)
    assert participant is not None
    return participant


def test_every_event_of_the_catalogue_has_a_fold() -> None:
    folded: list[Event] = [*PARTICIPANT_EVENTS, *PARTNERSHIP_EVENTS, *ORGANISATION_EVENTS, *SCHOOL_EVENTS]
    assert {event.type for event in folded} == {contract.type for contract in events.CATALOGUE}
    known_of(*PARTICIPANT_EVENTS)


def test_an_event_that_nothing_was_said_about_is_a_bug_and_not_silence() -> None:
    class ParticipantPromoted(ParticipantEvent):
        type = "manage-ects.participant-promoted.v1"

    with pytest.raises(TypeError, match="ParticipantPromoted"):
        known_of(registered(), ParticipantPromoted(participant_id=ECT))


def test_what_comes_before_the_registration_is_kept() -> None:
    known = known_of(validated(), eligible(), opened(), requested("failed"))
    assert known.registration is None
    assert (known.trn, known.details_request, list(known.records)) == ("0123456", "failed", [FIRST])
    assert known_of(validated(), registered()).trn == "0123456"


def test_a_name_changed_before_the_registration_is_what_the_registration_says() -> None:
    changed = events.ParticipantDetailsChanged(participant_id=ECT, full_name="Old", email="old@example.org")
    known = known_of(changed, registered())
    assert known.registration is not None
    assert known.registration.full_name == "Zoë O’Brien"


def test_a_second_registration_replaces_the_first_and_leaves_the_rest() -> None:
    known = known_of(
        registered(induction_start_date="2024-09-01"),
        opened(),
        validated(),
        registered(full_name="Zoë Smith", role="mentor"),
    )
    assert known.registration is not None
    assert (known.registration.full_name, known.registration.role) == ("Zoë Smith", "mentor")
    assert known.induction_start_date is None
    assert (known.trn, list(known.records)) == ("0123456", [FIRST])


def test_an_event_about_a_record_that_is_not_open_waits_for_nothing_since_the_opening_states_all() -> None:
    known = known_of(registered(), deferred(), closed("leaving", "2025-01-31"), mentor_assigned(MENTOR))
    assert known.records == {}
    assert known_of(registered(), deferred(), opened()).records[FIRST].training_status == "active"


def test_an_event_changes_the_record_that_it_names_and_no_other() -> None:
    known = known_of(registered(), opened(FIRST), opened(SECOND), deferred(FIRST))
    assert known.records[FIRST].training_status is TrainingStatus.DEFERRED
    assert known.records[SECOND].training_status is TrainingStatus.ACTIVE


def test_closing_states_the_end_and_completing_keeps_it_open() -> None:
    ended = known_of(registered(), opened(end_date="2026-07-31"), closed("changed")).records[FIRST]
    assert (ended.induction_status, ended.end_date) == (InductionStatus.CHANGED, None)
    finished = known_of(registered(), opened(), completed("2025-02-01"))
    assert finished.records[FIRST].induction_status is InductionStatus.COMPLETED
    assert str(finished.induction_completed_on) == "2025-02-01"


def test_of_who_is_removed_nothing_is_kept_but_that_they_were() -> None:
    assert known_of(*PARTICIPANT_EVENTS) == Participant(ECT, removed=True)
    assert known_of(registered(), removed(), registered()) == Participant(ECT, removed=True)


def test_who_is_not_registered_has_no_status() -> None:
    known = known_of(opened())
    with pytest.raises(ValueError, match="not registered"):
        decide_for(known, known.records[FIRST], {}, [], at=datetime(2025, 1, 1, tzinfo=UTC))


def test_nothing_is_known_of_a_partnership_before_it_is_reported() -> None:
    assert evolve_partnership(None, challenged()) is None


def test_a_report_anew_replaces_the_partnership_with_its_challenge() -> None:
    disputed = evolve_partnership(evolve_partnership(None, reported()), challenged())
    assert disputed is not None
    assert not disputed.active
    anew = evolve_partnership(disputed, reported(pending=True))
    assert anew is not None
    assert (anew.challenged, anew.pending, anew.active) == (None, True, False)


def test_a_challenge_and_a_pending_report_are_lifted_separately() -> None:
    partnership = evolve_partnership(evolve_partnership(None, reported(pending=True)), challenged())
    confirmed_only = evolve_partnership(partnership, confirmed())
    both = evolve_partnership(confirmed_only, unchallenged())
    assert confirmed_only is not None
    assert both is not None
    assert (confirmed_only.active, both.active) == (False, True)


def test_schools_and_organisations_are_as_the_event_says() -> None:
    assert [school_of(event) for event in SCHOOL_EVENTS] == [
        School(HILL_HIGH, "012345", "Hill High"),
        School(HILL_HIGH, "012345", "Hill High School"),
    ]
    assert [organisation_of(event) for event in ORGANISATION_EVENTS] == [
        Organisation(OrganisationKind.LEAD_PROVIDER, ALDER, "Alder"),
        Organisation(OrganisationKind.DELIVERY_PARTNER, NORTH, "North"),
        Organisation(OrganisationKind.APPROPRIATE_BODY, BODY, "Body"),
        Organisation(OrganisationKind.DELIVERY_PARTNER, NORTH, "N."),
    ]
