"""The rows that the pages show: one for each organisation that is shown a participant, ready to be shown."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.participants.domain.facts import InductionRecord, Participant, Partnership, Registration, School
from services.participants.domain.london import end_of
from services.participants.domain.mentoring import Naming
from services.participants.domain.standing import decide_for
from services.participants.domain.status import State, Status
from services.participants.domain.timeline import (
    OwnEvents,
    PartnershipEvents,
    StatusChange,
    Timeline,
    next_due,
    timeline,
)
from services.participants.domain.visibility import Viewer, shown_records
from shared.contracts.manage_ects import (
    InductionStatus,
    OrganisationKind,
    ParticipantRole,
    TrainingStatus,
)


@dataclass(frozen=True, slots=True)
class Names:
    """What the schools and lead providers that are known so far are called."""

    lead_providers: Mapping[UUID, str]
    schools: Mapping[UUID, School]


@dataclass(frozen=True, slots=True)
class ParticipantView:
    """What one organisation is shown of one participant, by the record that it is shown.

    trn: a validated one only. lead_provider, school, urn: None while not known. email: the record's preferred
    one, else the person's. academic_year: start year. school_left_on: the end date of a record that is
    leaving, past or to come. status_since: since when the status (not the reason for it) has been this one.
    next_due: the day on which this row has to be derived again, though nothing happens.
    search_text: what a search looks through, as `searchable` makes it, a field on each line.
    history: oldest first; its last entry is the present one.
    """

    organisation_kind: OrganisationKind
    organisation_id: UUID
    participant_id: UUID
    induction_record_id: UUID
    full_name: str
    email: str
    trn: str | None
    role: ParticipantRole
    lead_provider: str | None
    school: str | None
    urn: str | None
    academic_year: int
    training_status: TrainingStatus
    status: Status
    state: State
    rule: str
    status_since: datetime
    induction_completed_on: date | None
    school_left_on: date | None
    search_text: str
    next_due: date | None
    history: tuple[StatusChange, ...]


def derive(
    own: OwnEvents, partnerships: PartnershipEvents, names: Names, named: Sequence[Naming], today: date
) -> list[ParticipantView]:
    """Return every row that shows this participant, in a fixed order; none when it is shown to nobody.

    own: all its events. partnerships, names: at least what its records refer to, as far as known.
    named: all namings of it as a mentor (`mentoring.namings` of the participants whom it mentors).
    today: the day in England. The same events in any order of arrival give the same rows. Raises nothing.
    """
    told = timeline(own, partnerships, named, today)
    if told.participant is None or told.participant.registration is None:
        return []
    shown = shown_records(told.participant, told.partnerships)
    return [
        _view(told, told.participant, told.participant.registration, viewer, record, names, named, today)
        for viewer, record in sorted(shown.items())
    ]


def searchable(*texts: str | None) -> str:
    """Return texts in the form in which they are compared: without case and accents, one to a line.

    Words that somebody searches for have to go through here too. Missing texts are left out.
    """
    return "\n".join(_folded(text) for text in texts if text)


def _view(
    told: Timeline,
    participant: Participant,
    registration: Registration,
    viewer: Viewer,
    record: InductionRecord,
    names: Names,
    named: Sequence[Naming],
    today: date,
) -> ParticipantView:
    decision = decide_for(participant, record, told.partnerships, named, end_of(today))
    history = told.histories[viewer]
    email = record.preferred_email or registration.email
    lead_provider = _lead_provider(record, told.partnerships, names)
    school = names.schools.get(record.school_id)
    school_name, urn = (school.name, school.urn) if school else (None, None)
    return ParticipantView(
        organisation_kind=viewer.kind,
        organisation_id=viewer.organisation_id,
        participant_id=participant.participant_id,
        induction_record_id=record.induction_record_id,
        full_name=registration.full_name,
        email=email,
        trn=participant.trn,
        role=registration.role,
        lead_provider=lead_provider,
        school=school_name,
        urn=urn,
        academic_year=record.academic_year,
        training_status=record.training_status,
        status=decision.status,
        state=decision.state,
        rule=decision.rule,
        status_since=_since(history),
        induction_completed_on=participant.induction_completed_on,
        school_left_on=record.end_date if record.induction_status is InductionStatus.LEAVING else None,
        search_text=searchable(
            registration.full_name, school_name, participant.trn, email, lead_provider, urn
        ),
        next_due=next_due(told, record, named, today),
        history=history,
    )


def _lead_provider(
    record: InductionRecord, partnerships: Mapping[UUID, Partnership], names: Names
) -> str | None:
    partnership = None if record.partnership_id is None else partnerships.get(record.partnership_id)
    return None if partnership is None else names.lead_providers.get(partnership.lead_provider_id)


def _since(history: Sequence[StatusChange]) -> datetime:
    since = history[-1]
    for change in reversed(history):
        if change.status is not since.status:
            break
        since = change
    return since.since


def _folded(text: str) -> str:
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(text.casefold().split())
