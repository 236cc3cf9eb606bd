"""Whose participant it is, and by which of its induction records.

Source: docs/domain.md, section "The record that a delivery partner sees".
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple
from uuid import UUID

from services.participants.domain.facts import InductionRecord, Participant, Partnership
from shared.contracts.manage_ects import OrganisationKind


class Viewer(NamedTuple):
    """An organisation that is shown participants: a delivery partner or an appropriate body."""

    kind: OrganisationKind
    organisation_id: UUID


def shown_records(
    participant: Participant, partnerships: Mapping[UUID, Partnership]
) -> dict[Viewer, InductionRecord]:
    """Return every organisation that is shown this participant, each with the record that it is shown.

    A delivery partner: the latest among the records whose partnership is active and names it; so one whom
    the participant left goes on seeing its own last record, and a challenge hides the participant at once.
    An appropriate body: the latest of all records, when that one names it.
    Latest: no end date before any end date, then the latest start date, then the latest opened.
    A partnership that is not known yet shows nobody. Nobody sees a participant who is not registered (or was
    removed).
    """
    if participant.registration is None:
        return {}
    shown: dict[Viewer, InductionRecord] = {}
    latest: InductionRecord | None = None
    for record in participant.records.values():
        if latest is None or _lateness(record) >= _lateness(latest):
            latest = record
        viewer = _delivery_partner(record, partnerships)
        if viewer is not None:
            rival = shown.get(viewer)
            if rival is None or _lateness(record) >= _lateness(rival):
                shown[viewer] = record
    if latest is not None and latest.appropriate_body_id is not None:
        shown[Viewer(OrganisationKind.APPROPRIATE_BODY, latest.appropriate_body_id)] = latest
    return shown


def _lateness(record: InductionRecord) -> tuple[bool, date]:
    return record.end_date is None, record.start_date


def _delivery_partner(record: InductionRecord, partnerships: Mapping[UUID, Partnership]) -> Viewer | None:
    if record.partnership_id is None:
        return None
    partnership = partnerships.get(record.partnership_id)
    if partnership is None or partnership.delivery_partner_id is None or not partnership.active:
        return None
    return Viewer(OrganisationKind.DELIVERY_PARTNER, partnership.delivery_partner_id)
