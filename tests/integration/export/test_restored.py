"""Export from a backup: what was asked for is there, and a file that was kept can be taken."""

from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

from shared.database.engine import create_engine
from shared.database.provision import ServiceDatabase
from tests.integration.export.conftest import Asker, ExportService
from tests.integration.export.test_taking import ready
from tests.restoring import content, restored
from tests.servers import Servers


async def test_a_restored_export_offers_the_files_that_it_made(
    stopped: ExportService, asker: Asker, database: ServiceDatabase, servers: Servers, tmp_path: Path
) -> None:
    async with stopped.running():
        export_id = await ready(stopped, asker)
        taken = await stopped.file(asker, export_id)
    folder = tmp_path / "backup"
    folder.mkdir()
    again = await restored(servers, "export", database, folder)
    assert await content(again) == await content(database)
    settings = stopped.settings.model_copy(update={"database_url": SecretStr(again.service_url)})
    restarted = replace(stopped, settings=settings, engine=create_engine(again.service_url, pool_size=2))
    async with restarted.running():
        assert (await restarted.file(asker, export_id)).content == taken.content
    await restarted.engine.dispose()
