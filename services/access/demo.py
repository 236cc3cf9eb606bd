"""Made-up people, agreements and requests, put in through the real commands. For `check-data seed`."""

import asyncio
import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.events import Event, Step
from services.access.domain.refusals import AlreadyGranted, AlreadyRecorded
from services.access.domain.vocabulary import Actor, OrganisationId, PersonId, Role
from services.access.handlers import (
    Answer,
    Verdict,
    add_lead_provider_contact,
    bootstrap_staff,
    decide_request,
    record_agreement,
    submit_request,
)
from services.access.tables import organisations, people, requests
from shared.clock import Clock, london_day, system_clock
from shared.contracts.roles import Role as ToldRole
from shared.event_store import EventStore

WAIT_SECONDS: Final = 60.0
LOOK_EVERY_SECONDS: Final = 0.2
CALLED_BACK: Final = "The organisation confirmed by telephone that it asked for this."


@dataclass(frozen=True, slots=True)
class DemoOrganisations:
    """IDs of four organisations that Manage ECTs tells of."""

    delivery_partner: UUID
    second_delivery_partner: UUID
    lead_provider: UUID
    appropriate_body: UUID


@dataclass(frozen=True, slots=True)
class DemoPerson:
    full_name: str

    @property
    def email(self) -> str:
        return f"{self.full_name.lower().replace(' ', '.')}@example.org"


@dataclass(frozen=True, slots=True)
class DemoPeople:
    """Two of support: four eyes want a second pair for what the first enters."""

    support: DemoPerson = DemoPerson("Sam Okoro")
    second_support: DemoPerson = DemoPerson("Tess Lindqvist")
    policy: DemoPerson = DemoPerson("Priya Raman")
    administrator: DemoPerson = DemoPerson("Alex Brandt")
    auditor: DemoPerson = DemoPerson("Audrey Lin")
    contact: DemoPerson = DemoPerson("Lena Fischer")
    lead: DemoPerson = DemoPerson("Dana Whitfield")
    second_user: DemoPerson = DemoPerson("Marcus Bell")
    waits_for_support: DemoPerson = DemoPerson("Ravi Menon")
    waits_for_policy: DemoPerson = DemoPerson("Grace Adeyemi")
    waits_for_lead_provider: DemoPerson = DemoPerson("Tom Ellery")


DEMO_PEOPLE: Final = DemoPeople()


async def seed_demo(
    store: EventStore[Event],
    organisations: DemoOrganisations,
    people: DemoPeople = DEMO_PEOPLE,
    *,
    clock: Clock = system_clock,
    wait_seconds: float = WAIT_SECONDS,
) -> None:
    """Put in staff, agreements, grants, and an open request at each stage. Again, it changes nothing.

    Waits until the organisations have arrived over the bus; raises TimeoutError when they do not.
    """
    await _organisations_arrived(store, organisations, wait_seconds)
    demo = _Demo(store, organisations, people, clock)
    await demo.staff()
    await demo.agreements()
    await demo.grants()
    await demo.open_requests()


@dataclass(frozen=True, slots=True)
class _Demo:
    store: EventStore[Event]
    organisations: DemoOrganisations
    people: DemoPeople
    clock: Clock

    async def staff(self) -> None:
        for person, role in (
            (self.people.support, ToldRole.SUPPORT),
            (self.people.second_support, ToldRole.SUPPORT),
            (self.people.policy, ToldRole.POLICY),
            (self.people.administrator, ToldRole.ADMINISTRATOR),
            (self.people.auditor, ToldRole.AUDITOR),
        ):
            await bootstrap_staff(
                self.store, full_name=person.full_name, email=person.email, role=role, clock=self.clock
            )

    async def agreements(self) -> None:
        """Each partner has one in force; the first also has one of the years before."""
        policy = await self._actor(self.people.policy, Role.POLICY)
        at = self.clock()
        year = london_day(at - timedelta(days=243)).year  # the academic year's first, from September on
        for partner, number, first_year, years in (
            (self.organisations.delivery_partner, 1, year - 3, 3),
            (self.organisations.delivery_partner, 2, year, 3),
            (self.organisations.second_delivery_partner, 3, year, 2),
        ):
            start = datetime(first_year, 9, 1, tzinfo=at.tzinfo).date()
            try:
                await record_agreement(
                    self.store,
                    by=policy,
                    at=at,
                    delivery_partner_id=partner,
                    lead_provider_id=self.organisations.lead_provider,
                    starts_on=start,
                    ends_on=start.replace(year=start.year + years) - timedelta(days=1),
                    reference=f"DSA-{first_year}-{number:03}",
                )
            except AlreadyRecorded:
                continue

    async def grants(self) -> None:
        policy = await self._actor(self.people.policy, Role.POLICY)
        contact = self.people.contact
        with contextlib.suppress(AlreadyGranted):
            await add_lead_provider_contact(
                self.store,
                by=policy,
                at=self.clock(),
                name=contact.full_name,
                email=contact.email,
                lead_provider_id=self.organisations.lead_provider,
            )
        support = await self._actor(self.people.support, Role.SUPPORT)
        partner, second = self.organisations.delivery_partner, self.organisations.second_delivery_partner
        body = self.organisations.appropriate_body
        why = "Leads the programme, nominated by email."
        await self._request(support, self.people.lead, Role.DELIVERY_PARTNER, partner, why, steps=3)
        await self._request(support, self.people.lead, Role.APPROPRIATE_BODY, body, why, steps=2)
        await self._request(support, self.people.second_user, Role.DELIVERY_PARTNER, second, why, steps=3)

    async def open_requests(self) -> None:
        partner = self.organisations.delivery_partner
        lead = await self._actor(self.people.lead, Role.DELIVERY_PARTNER, partner)
        for person, reason, steps in (
            (self.people.waits_for_support, "Joined our data team this term.", 0),
            (self.people.waits_for_policy, "Covers for a colleague on leave.", 1),
            (self.people.waits_for_lead_provider, "Runs our mentor training.", 2),
        ):
            await self._request(lead, person, Role.DELIVERY_PARTNER, partner, reason, steps=steps)

    async def _request(
        self, by: Actor, person: DemoPerson, role: Role, organisation: UUID, reason: str, *, steps: int
    ) -> None:
        """Ask, and take so many steps on it; nothing when the same was ever asked before."""
        async with self.store.engine.connect() as connection:
            if await _was_asked(connection, person, role, organisation):
                return
        request_id = await submit_request(
            self.store,
            by=by,
            at=self.clock(),
            name=person.full_name,
            email=person.email,
            role=role,
            organisation_id=organisation,
            reason=reason,
        )
        provider = self.organisations.lead_provider
        for step, decider, decider_role, of, why in (
            (Step.TRIAGE, self.people.second_support, Role.SUPPORT, None, CALLED_BACK),
            (Step.POLICY_CHECK, self.people.policy, Role.POLICY, None, "Checked against the register."),
            (Step.CONFIRMATION, self.people.contact, Role.LEAD_PROVIDER, provider, "A valid user."),
        )[:steps]:
            await decide_request(
                self.store,
                request_id,
                step,
                Answer(Verdict.APPROVE, why, lead_provider_id=provider),
                by=await self._actor(decider, decider_role, of),
                at=self.clock(),
            )

    async def _actor(self, person: DemoPerson, role: Role, organisation: UUID | None = None) -> Actor:
        query = select(people.c.person_id).where(people.c.email_key == person.email)
        async with self.store.engine.connect() as connection:
            person_id: UUID = (await connection.execute(query)).scalar_one()
        return Actor(
            PersonId(person_id), role, None if organisation is None else OrganisationId(organisation)
        )


async def _was_asked(connection: AsyncConnection, person: DemoPerson, role: Role, organisation: UUID) -> bool:
    query = (
        select(func.count())
        .select_from(requests.join(people, people.c.person_id == requests.c.person_id))
        .where(
            people.c.email_key == person.email,
            requests.c.role == role.value,
            requests.c.organisation_id == organisation,
        )
    )
    return bool(await connection.scalar(query))


async def _organisations_arrived(
    store: EventStore[Event], expected: DemoOrganisations, seconds: float
) -> None:
    ids = {
        expected.delivery_partner,
        expected.second_delivery_partner,
        expected.lead_provider,
        expected.appropriate_body,
    }
    query = select(func.count()).where(organisations.c.organisation_id.in_(ids))
    try:
        async with asyncio.timeout(seconds):
            while True:
                async with store.engine.connect() as connection:
                    if await connection.scalar(query) == len(ids):
                        return
                await asyncio.sleep(LOOK_EVERY_SECONDS)
    except TimeoutError:
        raise TimeoutError(
            "The demo organisations have not arrived from Manage ECTs: is it running, and seeded?"
        ) from None
