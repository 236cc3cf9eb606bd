"""Users of every delivery partner, let in through the real commands."""

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select

from services.access.demo import DEMO_PEOPLE, DemoPerson
from services.access.domain.events import Step
from services.access.domain.refusals import AlreadyRecorded
from services.access.domain.vocabulary import Actor, OrganisationId, PersonId, Role
from services.access.handlers import Answer, Verdict, decide_request, record_agreement, submit_request
from services.access.tables import people
from services.cli.opening import Opened, opened
from services.manage_ects.domain import world
from shared.clock import london_day, system_clock

WHY = "Plays a user in a test under load."


async def let_in(count: int) -> list[str]:
    """So many people, spread over the delivery partners in turn. Returns their addresses.

    Works on the installation of the home folder; the demo people must be in.
    """
    async with opened("manage_ects") as upstream:
        seed = upstream.settings.seed
    partners = [partner.id for partner in world.delivery_partners(seed)]
    provider = world.demo_organisations(seed).lead_provider.id
    async with opened("access") as access:
        for partner in partners[:count]:
            await _agreement(access, partner, provider)
        return [
            await _user(access, f"User {_letters(number)}", partners[number % len(partners)], provider)
            for number in range(count)
        ]


async def _agreement(access: Opened, partner: UUID, provider: UUID) -> None:
    at = system_clock()
    start = date(london_day(at).year - 1, 9, 1)
    try:
        await record_agreement(
            access.store,
            by=await _actor(access, DEMO_PEOPLE.policy, Role.POLICY),
            at=at,
            delivery_partner_id=partner,
            lead_provider_id=provider,
            starts_on=start,
            ends_on=start + timedelta(days=3 * 365),
            reference=f"LOAD-{partner.hex[:8]}",
        )
    except AlreadyRecorded:
        return


async def _user(access: Opened, name: str, partner: UUID, provider: UUID) -> str:
    person = DemoPerson(name)
    request_id = await submit_request(
        access.store,
        by=await _actor(access, DEMO_PEOPLE.support, Role.SUPPORT),
        at=system_clock(),
        name=person.full_name,
        email=person.email,
        role=Role.DELIVERY_PARTNER,
        organisation_id=partner,
        reason=WHY,
    )
    for step, decider, role, of in (
        (Step.TRIAGE, DEMO_PEOPLE.second_support, Role.SUPPORT, None),
        (Step.POLICY_CHECK, DEMO_PEOPLE.policy, Role.POLICY, None),
        (Step.CONFIRMATION, DEMO_PEOPLE.contact, Role.LEAD_PROVIDER, provider),
    ):
        await decide_request(
            access.store,
            request_id,
            step,
            Answer(Verdict.APPROVE, WHY, lead_provider_id=provider),
            by=await _actor(access, decider, role, of),
            at=system_clock(),
        )
    return person.email


async def _actor(access: Opened, person: DemoPerson, role: Role, of: UUID | None = None) -> Actor:
    async with access.engine.connect() as connection:
        query = select(people.c.person_id).where(people.c.email_key == person.email)
        person_id = (await connection.execute(query)).scalar_one()
    return Actor(PersonId(person_id), role, None if of is None else OrganisationId(of))


def _letters(number: int) -> str:
    """0 → "Aaa": a name has no digits."""
    return "".join(chr(ord("a") + number // 26**place % 26) for place in (2, 1, 0)).capitalize()
