"""Deletes files whose time is over, and says so.

Several processes may do it at once: a file is deleted once, and the stream takes one ExportExpired.
"""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.export.handlers import Exports
from services.export.object_store import ObjectFiles, StoreAway
from services.export.rows import exports_to_expire, locations_in_use
from shared.clock import Clock

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 3600.0
IN_ONE_QUESTION = 1000


class Expiry:
    """lifetime: of a file. While the store is away, nothing is deleted, and nothing is said to be."""

    def __init__(
        self, exports: Exports, files: ObjectFiles, engine: AsyncEngine, clock: Clock, lifetime: timedelta
    ) -> None:
        self._exports = exports
        self._files = files
        self._engine = engine
        self._clock = clock
        self._lifetime = lifetime

    async def expire(self) -> None:
        """Delete first, record then: `expired` is said of files that are gone, also after a crash between."""
        async with self._engine.connect() as connection:
            over = await exports_to_expire(connection, self._clock())
        try:
            for export_id, location in over:
                await self._files.delete(location)
                await self._exports.expire(export_id)
                log.info("export_expired", export=str(export_id))
        except StoreAway as error:
            log.warning("expiry_delayed", error=str(error))

    async def sweep(self) -> None:
        """Delete files that no export offers: of tries that died between the writing and the recording."""
        oldest = self._clock() - self._lifetime
        try:
            await self._files.delete_unfinished(oldest)
            old = [location for location in await self._files.older_than(oldest) if is_ours(location)]
            for start in range(0, len(old), IN_ONE_QUESTION):
                await self._delete_strays(old[start : start + IN_ONE_QUESTION])
        except StoreAway as error:
            log.warning("sweep_delayed", error=str(error))

    async def _delete_strays(self, locations: list[str]) -> None:
        async with self._engine.connect() as connection:
            in_use = await locations_in_use(connection, locations)
        for location in locations:
            if location not in in_use:
                await self._files.delete(location)
                log.info("stray_file_deleted", location=location)


def is_ours(location: str) -> bool:
    """Whether the name is one that the worker gives. Anything else in the store is left alone."""
    match location.split("."):
        case [export, lease, "csv" | "xlsx" | "parquet"]:
            return _is_uuid(export) and _is_uuid(lease)
        case _:
            return False


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
