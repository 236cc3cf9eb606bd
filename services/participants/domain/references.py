"""What an event makes its subject depend on: whom to derive anew when something else changes."""

from typing import Final
from uuid import UUID

from services.participants.domain.received import Event
from shared.contracts.manage_ects import (
    InductionRecordOpened,
    PartnershipProvidersChanged,
    PartnershipReported,
)

REFERRING: Final = (InductionRecordOpened, PartnershipReported, PartnershipProvidersChanged)
"""The only events that refer to other subjects."""


def refers_to(event: Event) -> tuple[UUID, ...]:
    """Return the other subjects whose events bear on what is shown of this event's subject.

    A participant refers to the partnerships and schools of its records, a partnership to its lead provider.
    So an event of subject S concerns every participant that refers to S, or to a partnership that refers to
    S. References only grow: one that no longer holds costs a derivation, and never a wrong row.
    Mentors are not here: one is concerned when a participant's namings of it change (see `mentoring`).
    """
    match event:
        case InductionRecordOpened(partnership_id=partnership_id, school_id=school_id):
            return (school_id,) if partnership_id is None else (partnership_id, school_id)
        case PartnershipReported(lead_provider_id=lead_provider_id):
            return (lead_provider_id,)
        case PartnershipProvidersChanged(lead_provider_id=lead_provider_id):
            return (lead_provider_id,)
        case _:
            return ()
