"""The coverage check: what the agreement register says about access to a delivery partner. Advice only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.access.domain.vocabulary import AgreementId, OrganisationId

NOT_NEEDED = (
    "Access for an appropriate body does not rest on a data-sharing agreement, and no lead provider is asked."
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an agreement says. Both days are days in force (Europe/London)."""

    delivery_partner_id: OrganisationId
    lead_provider_id: OrganisationId
    starts_on: date
    ends_on: date
    reference: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """ended_early_on: the first day on which it was no longer in force. lapsed: its end has been acted on."""

    agreement_id: AgreementId
    terms: Terms
    ended_early_on: date | None = None
    lapsed: bool = False

    @property
    def last_day(self) -> date:
        """The last day in force; before starts_on when it never was."""
        if self.ended_early_on is None:
            return self.terms.ends_on
        return min(self.terms.ends_on, self.ended_early_on - timedelta(days=1))

    def in_force(self, day: date) -> bool:
        return self.terms.starts_on <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class Cover:
    """An agreement in force on the day of the check. until: its last day."""

    agreement_id: AgreementId
    lead_provider_id: OrganisationId
    until: date


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the register said on a day. needed: whether this kind of access rests on an agreement at all."""

    on: date
    needed: bool
    covers: tuple[Cover, ...]
    explanation: str

    @property
    def covered(self) -> bool:
        return bool(self.covers) or not self.needed

    def by(self, lead_provider_id: OrganisationId) -> tuple[AgreementId, ...]:
        """The covering agreements with this lead provider."""
        return tuple(c.agreement_id for c in self.covers if c.lead_provider_id == lead_provider_id)


def not_needed(today: date) -> Coverage:
    return Coverage(today, needed=False, covers=(), explanation=NOT_NEEDED)


def check_coverage(
    agreements: Sequence[Agreement], names: Mapping[OrganisationId, str], today: date
) -> Coverage:
    """Say which agreements of one delivery partner are in force, and until when.

    names: of the lead providers. today: date in Europe/London. Raises nothing: a person decides.
    """
    in_force = sorted((a for a in agreements if a.in_force(today)), key=lambda a: a.last_day, reverse=True)
    covers = tuple(Cover(a.agreement_id, a.terms.lead_provider_id, a.last_day) for a in in_force)

    def named(agreement: Agreement) -> str:
        return f"with {names[agreement.terms.lead_provider_id]} (reference {agreement.terms.reference})"

    if in_force:
        each = "; ".join(f"{named(a)} until {in_words(a.last_day)}" for a in in_force)
        count = "an agreement" if len(in_force) == 1 else f"{len(in_force)} agreements"
        return Coverage(today, needed=True, covers=covers, explanation=f"Covered today by {count}: {each}.")
    sentences = ["No agreement of this delivery partner is in force today."]
    if not agreements:
        sentences = ["The register holds no agreement of this delivery partner."]
    if past := [a for a in agreements if a.last_day < today and a.terms.starts_on <= a.last_day]:
        last = max(past, key=lambda a: a.last_day)
        sentences.append(f"The last one, {named(last)}, ended on {in_words(last.last_day)}.")
    if future := [a for a in agreements if today < a.terms.starts_on <= a.last_day]:
        first = min(future, key=lambda a: a.terms.starts_on)
        sentences.append(f"The next one, {named(first)}, starts on {in_words(first.terms.starts_on)}.")
    return Coverage(today, needed=True, covers=(), explanation=" ".join(sentences))


def in_words(day: date) -> str:
    """As GOV.UK writes dates: 5 July 2026."""
    return f"{day.day} {day:%B %Y}"
