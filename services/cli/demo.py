"""The made-up people and data of a development installation."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.demo import DEMO_PEOPLE, DemoOrganisations, seed_demo
from services.cli.opening import Opened, opened
from services.manage_ects.domain import world
from services.manage_ects.settings import ManageEctsSettings
from services.manage_ects.writing import write_history
from shared.clock import system_clock

Say = Callable[[str], None]

CATCH_UP_SECONDS = 240.0
SAY_EVERY_SECONDS = 2.0
SAY_EVERY_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class SignIn:
    email: str
    may: str


def demo_people() -> list[SignIn]:
    """Who can sign in, with what they may do."""
    people = DEMO_PEOPLE
    return [
        SignIn(people.lead.email, "sees the participants of a delivery partner, and of an appropriate body"),
        SignIn(people.second_user.email, "sees the participants of another delivery partner"),
        SignIn(people.support.email, "DfE support: takes in requests, passes them on"),
        SignIn(people.second_support.email, "DfE support: a second pair of eyes"),
        SignIn(people.policy.email, "DfE policy: checks requests against the agreements"),
        SignIn(people.contact.email, "a lead provider’s contact: confirms or refuses"),
        SignIn(people.administrator.email, "DfE administrator: people, grants, audit"),
        SignIn(people.auditor.email, "auditor: who saw and allowed what"),
    ]


def usual_seed() -> int:
    """Which world the stand-in for Manage ECTs makes up when it is told nothing else."""
    return int(ManageEctsSettings.model_fields["seed"].default)


async def make_up_history(say: Say) -> None:
    """Write the history of Manage ECTs, unless it is there. Needs its database only."""

    def wrote(events: int) -> None:
        if events % SAY_EVERY_EVENTS == 0:
            say(f"Made up {events:,} events")

    async with opened("manage_ects") as upstream:
        events = await write_history(upstream.store, upstream.settings, system_clock, wrote)
    say(f"Manage ECTs tells of {events:,} events")


async def let_demo_people_in(say: Say) -> None:
    """Wait until the history can be seen, then put in the demo people. Needs the services running."""
    async with opened("manage_ects") as upstream, opened("participants") as participants:
        await _wait_for_participants(upstream, participants, say)
        seed = upstream.settings.seed
    await let_people_in(seed, say)


async def let_people_in(seed: int, say: Say) -> None:
    """Put in the demo people of a made-up world. Needs access, and that it hears of the world."""
    demo = world.demo_organisations(seed)
    async with opened("access") as access:
        await seed_demo(
            access.store,
            DemoOrganisations(
                delivery_partner=demo.delivery_partner.id,
                second_delivery_partner=demo.second_delivery_partner.id,
                lead_provider=demo.lead_provider.id,
                appropriate_body=demo.appropriate_body.id,
            ),
        )
    say("The demo people are in")


async def _wait_for_participants(upstream: Opened, participants: Opened, say: Say) -> None:
    """Until everything that happened upstream is in the read model."""
    async with asyncio.timeout(CATCH_UP_SECONDS):
        while True:
            async with upstream.engine.connect() as connection:
                made = await _count(connection, "SELECT count(*) FROM events")
            async with participants.engine.connect() as connection:
                read = await _count(
                    connection,
                    "SELECT coalesce(sum(position), 0) FROM checkpoints WHERE projection = 'participants'",
                )
                due = await _count(connection, "SELECT count(*) FROM derivations_due WHERE failure IS NULL")
            if read >= made and not due:
                return
            say(f"Read {read:,} of {made:,} events; {due:,} participants wait for their status")
            await asyncio.sleep(SAY_EVERY_SECONDS)


async def _count(connection: AsyncConnection, query: str) -> int:
    return int(await connection.scalar(text(query)) or 0)
