"""What was searched for may name somebody: it is in no event, and is forgotten after its time."""

from datetime import timedelta

import orjson

from services.export.rows import forget_words
from tests.integration.export.conftest import Asker, ExportService, eventually
from tests.integration.export.test_following import since_last

NAME = "Wilhelmina Zoubek"


async def log_of(service: ExportService) -> str:
    return str(await service.sql("SELECT coalesce(string_agg(data::text, ' '), '') FROM events"))


async def forget(service: ExportService) -> int:
    """As if all were older than what is kept."""
    async with service.engine.begin() as connection:
        return await forget_words(connection, service.clock() + timedelta(minutes=1))


async def is_deleted(service: ExportService) -> None:
    async def expired() -> bool:
        return await service.sql("SELECT state FROM exports") == ["expired"]

    await eventually(expired)


async def taken(service: ExportService, asker: Asker, **query: str) -> str:
    """A file that was downloaded, and whose time is over."""
    export_id = await service.asked(asker, **query)
    await service.until(asker, export_id, "ready")
    assert (await service.file(asker, export_id)).status_code == 200
    return export_id


async def test_the_log_holds_no_words_and_the_file_is_of_them(service: ExportService, asker: Asker) -> None:
    export_id = await taken(service, asker, q=NAME)
    assert dict(service.neighbours.queries[-1])["q"] == NAME
    assert (await service.export(asker, export_id))["query"]["q"] == NAME
    log = await log_of(service)
    assert NAME.split(maxsplit=1)[0] not in log
    (searched,) = await service.sql("SELECT data ->> 'searched' FROM events WHERE type = 'ExportRequested'")
    assert searched == "true"


async def test_words_are_forgotten_once_nobody_needs_them(service: ExportService, asker: Asker) -> None:
    export_id = await taken(service, asker, q=NAME)
    assert await forget(service) == 0, "the file is offered still"
    service.clock.ahead += timedelta(hours=25)
    await is_deleted(service)
    assert await forget(service) == 1
    assert await forget(service) == 0
    assert (await service.export(asker, export_id))["query"]["q"] == ""
    (rows,) = await service.sql("SELECT string_agg(e::text, ' ') FROM exports e")
    assert NAME.split(maxsplit=1)[0] not in orjson.dumps(rows).decode()


async def test_a_forgotten_search_is_not_taken_for_a_file_of_the_whole_list(
    service: ExportService, asker: Asker
) -> None:
    await taken(service, asker, q=NAME)
    service.clock.ahead += timedelta(hours=25)
    await is_deleted(service)
    assert await forget(service) == 1
    assert await since_last(service, asker) == ""
