"""Folders for files that are made on disk before they go to the object store."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

READ_BYTES = 256 * 1024
FOLDERS = "check-data-export-"
LEFT_BEHIND_SECONDS = 6 * 3600.0


@asynccontextmanager
async def scratch_folder() -> AsyncIterator[Path]:
    """A folder that only this service's user reads, and that is gone after the block."""
    _remove_left_behind()
    folder = Path(tempfile.mkdtemp(prefix=FOLDERS))
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def pieces_of(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, READ_BYTES):
            yield piece


def _remove_left_behind() -> None:
    """Of processes that were killed while they wrote."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*"):
        with suppress(OSError):  # somebody else removed it
            if time.time() - folder.stat().st_mtime > LEFT_BEHIND_SECONDS:
                shutil.rmtree(folder)
