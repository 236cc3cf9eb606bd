"""Where a grant stands, and when it is to be reviewed."""

import calendar
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.access.domain.events import SuspendReason
from services.access.domain.vocabulary import CampaignId, GrantId, OrganisationId, PersonId, Role

REVIEW_AFTER_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Grant:
    """in_review: the campaign that asks about it, until somebody answers."""

    grant_id: GrantId
    person_id: PersonId
    role: Role
    organisation_id: OrganisationId | None
    suspended: SuspendReason | None = None
    in_review: CampaignId | None = None
    ended: bool = False


def review_day(role: Role, today: date) -> date | None:
    """Staff and lead provider contacts are looked after by staff; what organisations hold is reviewed."""
    if role not in (Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY):
        return None
    return months_later(today, REVIEW_AFTER_MONTHS)


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
