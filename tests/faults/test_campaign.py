"""The short form of the campaign (`make faults` is the long one), and its judge."""

import time

from sqlalchemy import text

from tests.faults.campaign import plan, run
from tests.faults.injection import FAULTS, KILLS, OTHERS, SPREAD_OTHERS
from tests.faults.rehearsal import EMAILS, write_line
from tests.faults.world import running_world

ROUND = [
    "kill -9 of one reader",
    "FLUSHALL while the feed is away",
    "kill -9 of one sender",
    "kill -9 of one publisher",
    "XTRIM to nothing",
    "kill -9 of Valkey, back empty",
    "kill -9 of Postgres, restarted",
]


async def test_every_event_and_every_effect_survives_a_round_of_faults() -> None:
    done = await run("short form", 4, ROUND)
    assert done.wrong == ""
    assert done.verdict is not None
    assert done.verdict.events > 200
    assert done.kills.total() == 3


ROUND_OF_SEVERAL = [
    "kill -9 of one publisher",
    "kill -9 of one cluster node, back empty",
    "kill -9 of one reader",
    "FLUSHALL while the feed is away",
    "kill -9 of the primary, its replica promoted",
    "kill -9 of one sender",
]


async def test_they_survive_it_on_a_cluster_that_loses_a_node_and_a_replica_that_is_promoted() -> None:
    done = await run("short form", 4, ROUND_OF_SEVERAL, spread=True)
    assert done.wrong == ""
    assert done.verdict is not None
    assert done.verdict.events > 200
    assert done.kills.total() == 3


async def test_the_judge_sees_what_was_lost_applied_twice_and_sent_again() -> None:
    async with running_world("judge", 1) as world:
        await world.settled()
        assert (await world.judge()).wrong == []
        async with world.reader_engine.begin() as connection:
            await connection.execute(
                text(
                    "INSERT INTO seen (event_id, subject, number, position)"
                    " SELECT event_id, subject, number, position FROM seen ORDER BY id LIMIT 1"
                )
            )
            await connection.execute(
                text("UPDATE seen SET event_id = 'other' WHERE position = (SELECT max(position) FROM seen)")
            )
        emails = world.folder / EMAILS
        write_line(emails, emails.read_text().split()[0], time.time() + 1, "somebody else")
        verdict = await world.judge()
    assert (verdict.lost, verdict.doubled, verdict.emails_after_recorded) == (1, 1, 1)
    assert len(verdict.wrong) >= 3


def test_a_plan_has_the_kills_asked_for_and_each_other_fault() -> None:
    names = plan("any", 60)
    assert sum(name in KILLS for name in names) == 60
    assert set(OTHERS) <= set(names) <= set(FAULTS)
    assert names == plan("any", 60)
    assert set(SPREAD_OTHERS) | set(OTHERS) | set(KILLS) == set(FAULTS)
