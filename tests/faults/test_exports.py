"""The short form of `make faults-export`, and its judge."""

from tests.faults.exports import campaign, rows_of


async def test_no_kill_makes_a_half_file_or_a_wrong_count() -> None:
    outcome = await campaign("short form", 6, (200, 20_000))
    assert outcome.kills.total() == 6
    assert (outcome.half, outcome.wrong) == ([], [])
    assert outcome.states["ready"] == outcome.states.total() > 0


def test_the_judge_knows_a_half_file() -> None:
    assert rows_of(b"a,b\r\n1,2\r\n") == 1
    assert rows_of(b'a,b\r\n1,"2\r\n') == -1
    assert rows_of(b"a,b\r\n1,") == -1
    assert rows_of(b"PK half a workbook") == -1
    assert rows_of(b"PAR1 half a file of columns") == -1
