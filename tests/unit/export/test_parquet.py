"""A Parquet file holds what the CSV would: read back by another program's reader."""

import csv
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fastparquet import ParquetFile as Read
from hypothesis import given, settings
from hypothesis import strategies as st

from services.export.parquet import NotMade, ParquetFile, parquet
from services.export.parquet_writer import ROWS_IN_A_GROUP
from tests.unit.export.test_reading_back import CELLS

COLUMNS = ("full_name", "trn", "academic_year")
YEARS = st.integers(2000, 2100)


def records(rows: list[list[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


async def written(data: bytes, cut: int = 1 << 20, columns: tuple[str, ...] = COLUMNS) -> bytes:
    async with parquet(columns) as file:
        for start in range(0, len(data), cut):
            await file.write(data[start : start + cut])
        return b"".join([piece async for piece in file.finished()])


def read(data: bytes) -> tuple[list[str], list[list[object]]]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "people.parquet"
        path.write_bytes(data)
        frame = Read(str(path)).to_pandas()
    return [str(kind) for kind in frame.dtypes], frame.astype(object).to_numpy().tolist()


@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(CELLS, CELLS, YEARS), min_size=1, max_size=30), st.integers(1, 50))
async def test_values_are_read_back_as_they_were(rows: list[tuple[str, str, int]], cut: int) -> None:
    """Empty text is null; the year is a number, and a TRN with zeros in front is text."""
    kinds, found = read(await written(records([list(row) for row in rows]), cut))
    assert found == [[name or None, trn or None, year] for name, trn, year in rows]
    assert kinds[2] == "int32"


async def test_a_list_of_nobody_has_its_columns() -> None:
    data = await written(b"")
    assert data.startswith(b"PAR1")
    assert data.endswith(b"PAR1")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "people.parquet"
        path.write_bytes(data)
        assert tuple(Read(str(path)).columns) == COLUMNS


async def test_rows_are_written_group_by_group() -> None:
    """So that as many are in memory as one group has."""
    rows = ROWS_IN_A_GROUP * 2 + 1
    data = await written(records([[f"Person {n}", f"{n:07}", 2024] for n in range(rows)]))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "people.parquet"
        path.write_bytes(data)
        assert [group.num_rows for group in Read(str(path)).row_groups] == [ROWS_IN_A_GROUP] * 2 + [1]


async def test_what_is_no_record_makes_no_file() -> None:
    with pytest.raises(NotMade) as refused:
        await written(b"Zo\xc3\xab,0012345,not a year\r\n")
    assert not refused.value.full


async def written_and_finished(file: ParquetFile, times: int = 1) -> None:
    for _ in range(times):
        await file.write(b"Ada,0012345,2024\r\n" * 1_000)
    _ = [piece async for piece in file.finished()]


@pytest.mark.parametrize("times", [0, 1, 10_000])
async def test_a_process_that_dies_makes_no_file(times: int) -> None:
    async with parquet(COLUMNS) as file:
        file._process.kill()
        with pytest.raises(NotMade) as refused:
            await written_and_finished(file, times)
    assert not refused.value.full


async def test_a_full_disk_is_told_as_one() -> None:
    async with parquet(COLUMNS) as file:
        file._path.symlink_to("/dev/full")
        with pytest.raises(NotMade) as refused:
            await written_and_finished(file)
    assert refused.value.full


async def test_who_leaves_in_the_middle_leaves_neither_process_nor_file() -> None:
    async with parquet(COLUMNS) as file:
        await file.write(b"Ada,0012345,2024\r\n")
        process, folder = file._process, file._path.parent
        assert folder.exists()
    assert process.returncode is not None
    assert not folder.exists()
