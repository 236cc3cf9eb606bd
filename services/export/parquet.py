"""CSV records → a Parquet file, made on disk by a process of its own: memory does not grow with rows."""

import asyncio
import errno
import sys
from asyncio import StreamWriter
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import cast

from services.export.scratch import pieces_of, scratch_folder

WRITER = "services.export.parquet_writer"
"""Not imported here: its library would be in this process then."""


class NotMade(Exception):
    """The process that makes the file ended without one. full: for want of space."""

    def __init__(self, status: int) -> None:
        super().__init__(f"exit status {status}")
        self.full = status == errno.ENOSPC


class ParquetFile:
    """write: CSV records that end with CR LF, cut anywhere. Both methods raise NotMade."""

    def __init__(self, process: Process, records: StreamWriter, path: Path) -> None:
        self._process = process
        self._records = records
        self._path = path

    async def write(self, data: bytes) -> None:
        try:
            self._records.write(data)
            await self._records.drain()
        except ConnectionError:
            raise NotMade(await self._process.wait()) from None

    async def finished(self) -> AsyncIterator[bytes]:
        """The file, piece by piece."""
        self._records.close()
        if status := await self._process.wait():
            raise NotMade(status)
        async for piece in pieces_of(self._path):
            yield piece


@asynccontextmanager
async def parquet(columns: Sequence[str]) -> AsyncIterator[ParquetFile]:
    async with scratch_folder() as folder:
        path = folder / "participants.parquet"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", WRITER, path, *columns, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL
        )
        try:
            yield ParquetFile(process, cast("StreamWriter", process.stdin), path)
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):  # it ended just now
                    process.kill()
                await process.wait()
