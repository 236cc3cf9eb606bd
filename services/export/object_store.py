"""Where the files are kept: a local folder, S3, Azure or Google Cloud, by URL."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, from_url

if TYPE_CHECKING:
    from obstore import AsyncWritableFile
    from obstore.store import ObjectStore

PART_BYTES = 5 * 1024 * 1024
"""The least that S3 takes as a part of an upload that is not the last one."""
LOCAL_BYTES = 1024 * 1024
"""A folder takes parts of any size; three files at a time should not hold tens of megabytes."""
PARTS_AT_A_TIME = 2
READ_BYTES = 256 * 1024
CLOUD_TIMEOUT = "10 minutes"
"""For one request, the reading of a whole file included."""


class StoreAway(Exception):
    """The object store cannot be reached, is full, or does not have what was put into it."""


class StoreNotUnderstood(Exception):
    """The settings name no store, or not all that it needs. It says which; it holds no secret."""


class WritingFile:
    """A file that does not exist yet. bytes and sha256: of what is written so far."""

    def __init__(self, writer: "AsyncWritableFile") -> None:
        self._writer = writer
        self._hash = hashlib.sha256()
        self.bytes = 0

    async def write(self, data: bytes) -> None:
        """Raises StoreAway."""
        with _store_errors():
            await self._writer.write(data)
        self._hash.update(data)
        self.bytes += len(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


class ObjectFiles:
    """Files by location. Every method raises StoreAway, and the making StoreNotUnderstood.

    plain_http: lets a cloud be spoken to without TLS. Said here, since what is said of the client here hides
    what the cloud's environment variables say of it.
    """

    def __init__(self, url: str, *, plain_http: bool = False) -> None:
        self._folder: Path | None = None
        if urlsplit(url).scheme == "file":
            self._folder = Path(url2pathname(urlsplit(url).path))
            # The files are personal data: no other user of the machine reads them.
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._store: ObjectStore = LocalStore(self._folder)
        else:
            self._store = _cloud(url, plain_http)

    @asynccontextmanager
    async def writing(self, location: str) -> AsyncIterator[WritingFile]:
        """Write a file part by part. It appears whole when the block ends, and not at all when it raises."""
        writer = obstore.open_writer_async(
            self._store,
            location,
            buffer_size=PART_BYTES if self._folder is None else LOCAL_BYTES,
            max_concurrency=PARTS_AT_A_TIME,
        )
        try:
            yield WritingFile(writer)
        except BaseException as error:
            with suppress(BaseError, OSError):  # the reason to stop is what the caller hears of
                await writer.__aexit__(type(error), error, error.__traceback__)  # drops the parts sent
            raise
        with _store_errors():
            await writer.close()

    async def read(self, location: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Bytes from `start` to before `end`, as a stream that is opened already."""
        with _store_errors():
            result = await obstore.get_async(self._store, location, options={"range": (start, end)})
        if result.range != (start, end):
            raise StoreAway("the file is shorter than it was")
        return aiter(result.stream(min_chunk_size=READ_BYTES))

    async def delete(self, location: str) -> None:
        """Delete the file if it is there."""
        with _store_errors():
            try:
                await obstore.delete_async(self._store, location)
            except FileNotFoundError:
                return

    async def older_than(self, moment: datetime) -> list[str]:
        """Locations of files last written before the moment."""
        with _store_errors():
            return [
                one["path"]
                async for page in obstore.list(self._store)
                for one in page
                if one["last_modified"] < moment
            ]

    async def delete_unfinished(self, before: datetime) -> None:
        """Delete what a killed process left of files it was writing, when that is older than the moment.

        For a local folder. In the clouds, a lifecycle rule of the bucket does it.
        """
        if self._folder is not None:
            with _store_errors():
                await asyncio.to_thread(_delete_staged, self._folder, before)


def _cloud(url: str, plain_http: bool) -> "ObjectStore":
    """Raises StoreNotUnderstood. Whether the store is there is seen when it is written to."""
    try:
        return from_url(url, client_options={"timeout": CLOUD_TIMEOUT, "allow_http": plain_http})
    except BaseError as error:
        said = str(error).splitlines()[0]
        raise StoreNotUnderstood(f"CHECK_DATA_EXPORT_STORE: {said}") from None


def _delete_staged(folder: Path, before: datetime) -> None:
    for path in folder.glob("*#*"):  # the name under which obstore writes before it renames
        if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
            path.unlink(missing_ok=True)


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        raise StoreAway(type(error).__name__) from error
