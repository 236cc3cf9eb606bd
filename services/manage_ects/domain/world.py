"""The made-up world: organisations, schools, and which partnership each school has in each year.

Everything follows from the seed and an index, so any school can be made alone, without the others.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random
from uuid import UUID, uuid5

from services.manage_ects.domain import names

FIRST_YEAR = 2021
DELIVERY_PARTNERS = 50
OTHER_BODIES = 6
SHARED_BY_ALL = 3
"""So many delivery partners work with every lead provider."""
DEMO_WEIGHT = 3
"""The first delivery partner has so many times the schools of another."""
SCHOOL_SIZES = (3, 9, 4, 8, 6, 6)
"""Participants of one school after the other, over and over."""
WORLD = UUID("6e9f2c1a-0d53-4b7c-9a55-3c8d3f6d0a11")


@dataclass(frozen=True, slots=True)
class Organisation:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Partnership:
    """challenged_at: then replaced_by takes its participants, if there is one."""

    id: UUID
    academic_year: int
    lead_provider: UUID
    delivery_partner: UUID
    reported_at: datetime
    pending: bool
    challenged_at: datetime | None = None
    replaced_by: "Partnership | None" = None


@dataclass(frozen=True, slots=True)
class School:
    index: int
    id: UUID
    urn: str
    name: str
    size: int
    partnerships: dict[int, Partnership]
    appropriate_body: UUID


@dataclass(frozen=True, slots=True)
class DemoOrganisations:
    """Those that the demo people act for."""

    delivery_partner: Organisation
    second_delivery_partner: Organisation
    lead_provider: Organisation
    appropriate_body: Organisation


def identity(seed: int, kind: str, *parts: object) -> UUID:
    """An ID that is always the same for the same thing of the same world."""
    return uuid5(WORLD, ":".join(map(str, (seed, kind, *parts))))


def random_of(seed: int, kind: str, *parts: object) -> Random:
    """A generator of its own for one thing, the same whenever that thing is made."""
    return Random(identity(seed, f"random-{kind}", *parts).int)


@lru_cache(maxsize=4)
def lead_providers(seed: int) -> tuple[Organisation, ...]:
    return tuple(
        Organisation(identity(seed, "lead-provider", i), name) for i, name in enumerate(names.LEAD_PROVIDERS)
    )


@lru_cache(maxsize=4)
def delivery_partners(seed: int) -> tuple[Organisation, ...]:
    return tuple(
        Organisation(identity(seed, "delivery-partner", i), names.delivery_partner(i))
        for i in range(DELIVERY_PARTNERS)
    )


@lru_cache(maxsize=4)
def appropriate_bodies(seed: int) -> tuple[Organisation, ...]:
    """The first two are delivery partners too, under the same name."""
    both = names.DEMO_PARTNERS
    others = tuple(f"{town} Appropriate Body" for town in names.TOWNS[:OTHER_BODIES])
    return tuple(
        Organisation(identity(seed, "appropriate-body", i), name) for i, name in enumerate((*both, *others))
    )


def demo_organisations(seed: int) -> DemoOrganisations:
    partners = delivery_partners(seed)
    return DemoOrganisations(partners[0], partners[1], lead_providers(seed)[0], appropriate_bodies(seed)[0])


def schools_for(participants: int) -> int:
    """How many schools so many participants have."""
    whole, rest = divmod(participants, sum(SCHOOL_SIZES))
    count = whole * len(SCHOOL_SIZES)
    for size in SCHOOL_SIZES:
        if rest <= 0:
            break
        rest -= size
        count += 1
    return count


def current_year(today: date) -> int:
    """The academic year for which schools register: the next one from June on."""
    return today.year if today.month >= 6 else today.year - 1


@lru_cache(maxsize=512)
def school(seed: int, participants: int, index: int, today: date) -> School:
    """The school with this index in a world of so many participants."""
    rng = random_of(seed, "school", index)
    size = SCHOOL_SIZES[index % len(SCHOOL_SIZES)]
    if index == schools_for(participants) - 1:
        size = participants - sum(SCHOOL_SIZES[i % len(SCHOOL_SIZES)] for i in range(index))
    bodies = appropriate_bodies(seed)
    partnerships = _partnerships(seed, index, rng, current_year(today))
    return School(
        index=index,
        id=identity(seed, "school", index),
        urn=f"{100_000 + index:06d}" if index % 40 else f"{index:06d}",
        name=names.school(rng),
        size=size,
        partnerships=partnerships,
        appropriate_body=bodies[0].id if rng.random() < 0.15 else rng.choice(bodies).id,
    )


def _partnerships(seed: int, index: int, rng: Random, last_year: int) -> dict[int, Partnership]:
    """One for each year; most schools stay with the partner they have."""
    partner = index if index < len(names.DEMO_PARTNERS) else _draw_partner(rng)
    made: dict[int, Partnership] = {}
    for year in range(FIRST_YEAR, last_year + 1):
        if index >= len(names.DEMO_PARTNERS) and rng.random() < 0.2:
            partner = _draw_partner(rng)
        reported_at = datetime(year, 5, 1, 8, tzinfo=UTC) + timedelta(
            days=rng.randrange(40), seconds=rng.randrange(36_000)
        )
        fate = rng.random()
        replacement, challenged_at = None, None
        if fate < 0.04 and index >= len(names.DEMO_PARTNERS):
            challenged_at = reported_at + timedelta(days=rng.randrange(60, 200))
            if fate < 0.02:
                replacement = _partnership(
                    seed, index, year, "second", _draw_partner(rng), rng, challenged_at + timedelta(hours=2)
                )
        pending = fate > 0.98 and index >= len(names.DEMO_PARTNERS)
        made[year] = _partnership(
            seed, index, year, "first", partner, rng, reported_at, pending, challenged_at, replacement
        )
    return made


def _partnership(
    seed: int,
    school_index: int,
    year: int,
    which: str,
    partner: int,
    rng: Random,
    reported_at: datetime,
    pending: bool = False,
    challenged_at: datetime | None = None,
    replaced_by: Partnership | None = None,
) -> Partnership:
    return Partnership(
        id=identity(seed, "partnership", school_index, year, which),
        academic_year=year,
        lead_provider=rng.choice(_lead_providers_of(seed, partner)).id,
        delivery_partner=delivery_partners(seed)[partner].id,
        reported_at=reported_at,
        pending=pending,
        challenged_at=challenged_at,
        replaced_by=replaced_by,
    )


def _draw_partner(rng: Random) -> int:
    drawn = rng.randrange(DELIVERY_PARTNERS + DEMO_WEIGHT - 1)
    return max(0, drawn - (DEMO_WEIGHT - 1))


def _lead_providers_of(seed: int, partner: int) -> tuple[Organisation, ...]:
    providers = lead_providers(seed)
    if partner == 0:
        return providers[:2]
    if partner <= SHARED_BY_ALL:
        return providers
    return (providers[partner % len(providers)],)
