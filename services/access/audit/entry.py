"""Published events → entries of the audit: who, what about, in which role. No names, only IDs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from shared.contracts import access, auth, export, participants
from shared.contracts.envelope import Catalogue, CloudEvent, PublishedEvent

CATALOGUES: Final[Mapping[str, Catalogue]] = {
    "auth": auth.CATALOGUE,
    "access": access.CATALOGUE,
    "participants": participants.CATALOGUE,
    "export": export.CATALOGUE,
}
NOT_ABOUT_PEOPLE: Final = frozenset({access.OrganisationNamed.type})
"""What the audit leaves out: nobody did it, and it concerns nobody's data."""

IN_COLUMNS: Final = frozenset({"participant_id", "participant_ids"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One fact. person_id: who did it. about_id: the person with access whom it concerns, if one.

    participant_ids: whose records were seen. data: what else the event carries, personal data left out.
    """

    event_id: UUID
    at: datetime
    kind: str
    person_id: UUID | None
    about_id: UUID | None
    role: str | None
    organisation_id: UUID | None
    participant_ids: tuple[UUID, ...]
    data: dict[str, JsonValue]


def entry_of(publisher: str, event: CloudEvent) -> Entry | None:
    """Return the event's entry; None for what the audit leaves out.

    Raises UnknownEventType, pydantic's ValidationError, or ValueError when the event's ID is not a UUID.
    """
    told = CATALOGUES[publisher].read(event)
    if told.type in NOT_ABOUT_PEOPLE:
        return None
    person_id, about_id = _people(told)
    withheld = IN_COLUMNS | _personal_fields(type(told))
    carried = told.model_dump(mode="json")
    return Entry(
        event_id=UUID(event.id),
        at=event.time,
        kind=told.type,
        person_id=person_id,
        about_id=about_id,
        role=getattr(told, "role", None),
        organisation_id=getattr(told, "organisation_id", None),
        participant_ids=_participants(told),
        data={name: value for name, value in carried.items() if name not in withheld},
    )


@cache
def _personal_fields(contract: type[PublishedEvent]) -> frozenset[str]:
    """Fields that the contract marks as personal data."""
    properties = contract.model_json_schema().get("properties", {})
    return frozenset(name for name, schema in properties.items() if "personalData" in json.dumps(schema))


def _people(told: PublishedEvent) -> tuple[UUID | None, UUID | None]:
    """Who did it, and whom with access it is about."""
    match told:
        case auth.SecondFactorReset() | auth.SignedOutByStaff():
            return told.by, told.person_id
        case access.GrantGiven():
            return told.given_by, told.person_id
        case access.GrantEnded():
            return told.ended_by, told.person_id
        case access.GrantSuspended():
            return None, told.person_id
        case access.GrantRestored():
            return told.restored_by, told.person_id
        case access.GrantReviewed():
            return told.reviewed_by, told.person_id
        case access.ReviewOpened():
            return told.by, None
        case access.RequestProgressed():
            return told.by, told.person_id
        case access.AgreementChanged():
            return told.by, None
        case access.PersonRegistered() | access.PersonErased():
            return None, told.person_id
        case _:
            return getattr(told, "person_id", None), None


def _participants(told: PublishedEvent) -> tuple[UUID, ...]:
    match told:
        case participants.ListViewed():
            return tuple(told.participant_ids)
        case participants.ParticipantViewed():
            return (told.participant_id,)
        case _:
            return ()
