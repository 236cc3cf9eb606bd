"""The whole made-up history, and what goes on happening after it. The same for the same arguments."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import takewhile
from random import Random
from uuid import UUID

from services.manage_ects.domain import names, stories, world
from services.manage_ects.domain.stories import Person, Placement, Story
from shared.contracts import manage_ects as m
from shared.contracts.envelope import PublishedEvent

OPENING = datetime(2021, 4, 1, 9, tzinfo=UTC)
"""When the world begins."""
CHAPTERS = 4
FIRST_NEWCOMER = 5_000_000
"""Numbers of newcomers begin beyond those of the history."""
LOOKED_AT = 200
"""So many schools, when one of the first delivery partner is wanted."""


@dataclass(frozen=True, slots=True)
class Happening:
    event_id: UUID
    time: datetime
    event: PublishedEvent


def history(seed: int, participants: int, today: date) -> Iterator[Happening]:
    """Everything up to the morning of `today`: organisations first, then school by school.

    Streams: memory does not grow with the number of participants.
    """
    until = datetime.combine(today, time(6), tzinfo=UTC)
    yield from _numbered(seed, "organisations", _organisations(seed))
    for index in range(world.schools_for(participants)):
        school = world.school(seed, participants, index, today)
        yield from _numbered(seed, f"school-{index}", _school(school, until))
        for slot in range(school.size):
            told = _participant(seed, participants, school, slot, today)
            happened = takewhile(lambda one: one[0] <= until, told.happenings)
            yield from _numbered(seed, f"participant-{index}-{slot}", happened)


def trickle(seed: int, participants: int, today: date, step: int, now: datetime) -> list[Happening]:
    """The step-th small change after the history: four steps tell of one newcomer.

    Every other newcomer comes to a school of the first delivery partner. today: as of the history, since
    it says which partnerships there are. now: when it happens.
    """
    number, chapter = divmod(step, CHAPTERS)
    told = _newcomer(seed, participants, today, number, now)
    first = sum(len(part) for part in told[:chapter])
    return [
        Happening(
            world.identity(seed, "event", "newcomer", number, first + place),
            now + timedelta(milliseconds=place),
            event,
        )
        for place, event in enumerate(told[chapter])
    ]


def _newcomer(
    seed: int, participants: int, today: date, number: int, now: datetime
) -> list[list[PublishedEvent]]:
    """The newcomer's story in its chapters."""
    rng = world.random_of(seed, "newcomer", number)
    ours = _schools_of_the_first_partner(seed, participants, today)
    index = rng.choice(ours) if number % 2 == 0 else rng.randrange(world.schools_for(participants))
    school = world.school(seed, participants, index, today)
    year = max(school.partnerships)
    person = _person(seed, FIRST_NEWCOMER + number)
    story = Story(seed, world.identity(seed, "newcomer", number), now)
    place = Placement(school, school.partnerships[year], year, m.Programme.FULL)
    ends = []
    record = stories.register(story, rng, person, m.ParticipantRole.ECT, place, date(year, 9, 1))
    ends.append(len(story.happenings))
    stories.check(story, rng, person, m.ParticipantRole.ECT)
    ends.append(len(story.happenings))
    address = names.email(f"new {person.name}", person.number)
    record = stories.prefer_email(story, record, story.now, address)
    ends.append(len(story.happenings))
    _last_chapter(story, rng, record, person)
    ends.append(len(story.happenings))
    events = [event for _, event in story.happenings]
    return [events[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@lru_cache(maxsize=8)
def _schools_of_the_first_partner(seed: int, participants: int, today: date) -> tuple[int, ...]:
    """Some of them, by index: those it has this year."""
    first = world.delivery_partners(seed)[0].id
    return tuple(
        index
        for index in range(min(LOOKED_AT, world.schools_for(participants)))
        for partnerships in [world.school(seed, participants, index, today).partnerships]
        if partnerships[max(partnerships)].delivery_partner == first
    )


def _last_chapter(story: Story, rng: Random, record: m.InductionRecordOpened, person: Person) -> None:
    """Most go on training."""
    fate = rng.random()
    if fate < 0.15:
        stories.defer(story, rng, record, story.now)
    elif fate < 0.25:
        stories.withdraw(story, rng, record, story.now)
    else:
        stories.prefer_email(story, record, story.now, names.email(f"newer {person.name}", person.number))


def _numbered(seed: int, about: str, told: Iterator[tuple[datetime, PublishedEvent]]) -> Iterator[Happening]:
    for number, (at, event) in enumerate(told):
        yield Happening(world.identity(seed, "event", about, number), at, event)


def _organisations(seed: int) -> Iterator[tuple[datetime, PublishedEvent]]:
    for provider in world.lead_providers(seed):
        yield OPENING, m.LeadProviderRegistered(lead_provider_id=provider.id, name=provider.name)
    for partner in world.delivery_partners(seed):
        yield OPENING, m.DeliveryPartnerRegistered(delivery_partner_id=partner.id, name=partner.name)
    for body in world.appropriate_bodies(seed):
        yield OPENING, m.AppropriateBodyRegistered(appropriate_body_id=body.id, name=body.name)


def _school(school: world.School, until: datetime) -> Iterator[tuple[datetime, PublishedEvent]]:
    yield OPENING, m.SchoolOpened(school_id=school.id, urn=school.urn, name=school.name)
    for partnership in school.partnerships.values():
        told = list(_partnership(school, partnership))
        if partnership.replaced_by:
            told += _partnership(school, partnership.replaced_by)
        yield from (one for one in told if one[0] <= until)


def _partnership(
    school: world.School, partnership: world.Partnership
) -> Iterator[tuple[datetime, PublishedEvent]]:
    yield (
        partnership.reported_at,
        m.PartnershipReported(
            partnership_id=partnership.id,
            school_id=school.id,
            lead_provider_id=partnership.lead_provider,
            delivery_partner_id=partnership.delivery_partner,
            academic_year=partnership.academic_year,
            pending=partnership.pending,
        ),
    )
    if partnership.pending and partnership.id.int % 2:
        yield (
            partnership.reported_at + timedelta(days=30),
            m.PartnershipConfirmed(partnership_id=partnership.id),
        )
    if partnership.challenged_at:
        reason = list(m.ChallengeReason)[partnership.id.int % len(m.ChallengeReason)]
        yield (
            partnership.challenged_at,
            m.PartnershipChallenged(partnership_id=partnership.id, reason=reason),
        )
        if partnership.replaced_by is None:
            yield (
                partnership.challenged_at + timedelta(days=9),
                m.PartnershipUnchallenged(partnership_id=partnership.id),
            )


def _mentors_of(school: world.School) -> int:
    return max(1, school.size // 4)


def _number(school: world.School, slot: int) -> int:
    return school.index * max(world.SCHOOL_SIZES) + slot


def _participant_id(seed: int, school: world.School, slot: int) -> UUID:
    return world.identity(seed, "participant", school.index, slot)


def _person(seed: int, number: int) -> Person:
    name = names.person(world.random_of(seed, "person", number))
    return Person(world.identity(seed, "person", number), name, number)


def _participant(seed: int, participants: int, school: world.School, slot: int, today: date) -> Story:
    """The slot-th participant of a school: mentors come first, then ECTs."""
    rng = world.random_of(seed, "participant", school.index, slot)
    years = list(school.partnerships)
    year = rng.choices(years, range(2, 2 + len(years)))[0]
    person = _person(seed, _number(school, slot))
    if slot == 1 and _mentors_of(school) == 2 and school.index % 5 == 0:
        # Was an ECT here before: the same person with another, later registration.
        person, year = _person(seed, _number(school, 2)), years[-1]
    registered = stories.a_moment(rng, date(year, 6, 15) + timedelta(days=rng.randrange(110)))
    story = Story(seed, _participant_id(seed, school, slot), registered)
    if slot < _mentors_of(school):
        _mentor(story, rng, person, school, year)
    else:
        mentor = _mentor_for(seed, school, rng)
        _ect(story, rng, person, school, year, mentor, participants, today)
    return story


def _mentor_for(seed: int, school: world.School, rng: Random) -> UUID | None:
    """Most ECTs have a mentor; the last mentor of a larger school has nobody."""
    if rng.random() < 0.05:
        return None
    choices = max(1, _mentors_of(school) - 1)
    return _participant_id(seed, school, rng.randrange(choices))


def _mentor(story: Story, rng: Random, person: Person, school: world.School, year: int) -> None:
    place = Placement(school, school.partnerships[year], year, _programme(rng))
    record = stories.register(story, rng, person, m.ParticipantRole.MENTOR, place, story.now.date())
    stories.check(story, rng, person, m.ParticipantRole.MENTOR, took_part_before=rng.random() < 0.1)
    record = _follow_replacement(story, record, place)
    fate = rng.random()
    later = story.now + timedelta(days=rng.randrange(100, 700))
    if fate < 0.06:
        stories.withdraw(story, rng, record, later)
    elif fate < 0.12:
        story.wait_until(later)
        leaves = story.now.date() + timedelta(days=rng.randrange(5, 60))
        story.tell(
            m.InductionRecordClosed(
                participant_id=story.participant_id,
                induction_record_id=record.induction_record_id,
                induction_status=m.InductionStatus.LEAVING,
                end_date=leaves,
            )
        )


def _ect(
    story: Story,
    rng: Random,
    person: Person,
    school: world.School,
    year: int,
    mentor: UUID | None,
    participants: int,
    today: date,
) -> None:
    place = Placement(school, school.partnerships[year], year, _programme(rng), mentor)
    starts = date(year, 9, 1) if rng.random() < 0.8 else date(year + 1, 1, 6)
    record = stories.register(story, rng, person, m.ParticipantRole.ECT, place, starts)
    fine = stories.check(story, rng, person, m.ParticipantRole.ECT)
    record = _follow_replacement(story, record, place)
    if not fine:
        return
    if rng.random() < 0.1:
        record = stories.prefer_email(
            story, record, story.now + timedelta(days=3), names.email(f"{person.name} work", person.number)
        )
    later = datetime.combine(starts, time(10), tzinfo=UTC) + timedelta(days=rng.randrange(40, 500))
    end = datetime.combine(date(starts.year + 2, 7, 10), time(15), tzinfo=UTC) + timedelta(
        days=rng.randrange(20)
    )
    fate = rng.random()
    if fate < 0.08:
        record = stories.defer(story, rng, record, later)
        if fate < 0.04:
            record = stories.resume(story, record, later + timedelta(days=rng.randrange(60, 240)))
        else:
            return
    elif fate < 0.14:
        stories.withdraw(story, rng, record, later)
        return
    elif fate < 0.16:
        stories.remove_by_school(story, record, later)
        return
    elif fate < 0.24:
        record = _move(story, rng, record, school, year, later, participants, today)
    elif fate < 0.30 and mentor:
        other = _participant_id(story.seed, school, 0)
        record = stories.assign_mentor(story, record, later, other)
    if rng.random() < 0.9:
        stories.complete(story, record, end)


def _move(
    story: Story,
    rng: Random,
    record: m.InductionRecordOpened,
    school: world.School,
    year: int,
    at: datetime,
    participants: int,
    today: date,
) -> m.InductionRecordOpened:
    """To the next school of the world, whose partnership of the same year takes over."""
    index = (school.index + 1) % world.schools_for(participants)
    to = world.school(story.seed, participants, index, today)
    story.wait_until(at)
    joins = story.now.date() + timedelta(days=rng.randrange(10, 60))
    place = Placement(to, to.partnerships[year], year, m.Programme.FULL, _participant_id(story.seed, to, 0))
    return stories.transfer(story, record, at, place, joins)


def _follow_replacement(
    story: Story, record: m.InductionRecordOpened, place: Placement
) -> m.InductionRecordOpened:
    """When the school's partnership was challenged and replaced, the participant goes under the new one."""
    partnership = place.partnership
    if partnership is None or partnership.replaced_by is None:
        return record
    at = partnership.replaced_by.reported_at + timedelta(minutes=5)
    return stories.succeed(story, record, at, partnership_id=partnership.replaced_by.id)


def _programme(rng: Random) -> m.Programme:
    return rng.choices(
        [m.Programme.FULL, m.Programme.CORE, m.Programme.DESIGN_OUR_OWN, m.Programme.SCHOOL_FUNDED],
        [90, 5, 3, 2],
    )[0]
