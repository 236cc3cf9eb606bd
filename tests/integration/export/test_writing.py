"""Writing a file: whole or absent, whatever fails on the way."""

import asyncio
import csv
import io
import os
import shutil
import sys
from uuid import uuid4

from services.export.domain.events import FileShape, ListQuery, OrganisationId, Owner, PersonId
from services.export.domain.export_job import Limits
from services.export.handlers import Exports, Wish
from services.export.publishing import CODEC
from services.export.workers import (
    ACCESS_ENDED,
    NOT_UNDERSTOOD,
    OUR_FAULT,
    ROWS_AWAY,
    STORE_AWAY,
    TRIES,
)
from shared.contracts.participants import EXPORT_COLUMNS
from shared.contracts.roles import Role
from shared.event_store import EventStore
from tests.integration.export.conftest import Asker, ExportService, eventually
from tests.integration.export.neighbours import Rows, row


def expected(rows: Rows) -> list[list[str]]:
    return [list(EXPORT_COLUMNS), *([str(cell) for cell in row] for row in rows)]


def records(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


async def test_the_file_holds_the_list_as_participants_tells_it(service: ExportService, asker: Asker) -> None:
    service.neighbours.rows = [row(7), row(3, 'The "Old" School,\nAnnexe'), row(5)]
    export_id = await service.asked(
        asker,
        q="school",
        role=["ect", "mentor"],
        academic_year=[2024],
        changed_since="2025-09-01",
        sort="-name",
    )
    export = await service.until(asker, export_id, "ready")
    file = await service.file(asker, export_id)
    assert records(file.content) == expected(service.neighbours.rows)
    assert (export["rows_written"], export["rows_total"], export["bytes"]) == (3, 3, len(file.content))
    assert service.neighbours.queries == [
        [
            ("q", "school"),
            ("role", "ect"),
            ("role", "mentor"),
            ("academic_year", "2024"),
            ("changed_since", "2025-09-01"),
            ("sort", "-name"),
        ]
    ]


async def test_it_is_read_on_behalf_of_who_asked(service: ExportService) -> None:
    asker = Asker(role=Role.APPROPRIATE_BODY)
    await service.until(asker, await service.asked(asker), "ready")
    (person,) = service.neighbours.on_behalf_of
    assert person is not None
    assert (person.person_id, person.role, person.organisation_id) == (
        asker.person_id,
        asker.role,
        asker.organisation_id,
    )


async def test_a_file_without_rows_has_its_header(service: ExportService, asker: Asker) -> None:
    service.neighbours.rows = []
    export_id = await service.asked(asker)
    await service.until(asker, export_id, "ready")
    assert records((await service.file(asker, export_id)).content) == [list(EXPORT_COLUMNS)]


async def test_columns_and_a_mark_for_excel_are_as_chosen(service: ExportService, asker: Asker) -> None:
    service.neighbours.rows = [["Zoë", "active"]]
    shape = {"columns": ["training_status", "full_name"], "byte_order_mark": True}
    answer = await service.ask(asker, shape=shape)
    export = await service.until(asker, answer.json()["export_id"], "ready")
    assert (export["columns"], export["byte_order_mark"]) == (["full_name", "training_status"], True)
    file = await service.file(asker, export["export_id"])
    assert file.content == "\ufefffull_name,training_status\r\nZoë,active\r\n".encode()
    (query,) = service.neighbours.queries
    assert [value for name, value in query if name == "column"] == ["full_name", "training_status"]


async def test_a_column_that_no_file_has_is_refused(service: ExportService, asker: Asker) -> None:
    answer = await service.ask(asker, shape={"columns": ["shoe_size"]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "columns"


async def test_progress_is_told_while_it_is_written(service: ExportService, asker: Asker) -> None:
    service.neighbours.rows = [row(n) for n in range(40_000)]
    service.neighbours.stop_after = 39_000
    export_id = await service.asked(asker)

    async def told() -> bool:
        export = await service.export(asker, export_id)
        return bool(export["state"] == "writing" and 0 < export["rows_written"] < export["rows_total"])

    await eventually(told)
    service.neighbours.go_on.set()
    assert (await service.until(asker, export_id, "ready"))["rows_written"] == 40_000


async def test_a_stream_that_breaks_off_is_never_a_file_and_is_tried_again(
    service: ExportService, asker: Asker
) -> None:
    service.neighbours.cut_off_after = 2
    export_id = await service.asked(asker)
    await eventually(lambda: tried(service, 1))
    assert (await service.file(asker, export_id)).status_code == 409
    assert service.files() == []
    service.neighbours.cut_off_after = None
    await service.until(asker, export_id, "ready")
    assert records((await service.file(asker, export_id)).content) == expected(service.neighbours.rows)


async def tried(service: ExportService, times: int) -> bool:
    return await service.sql("SELECT tries FROM work WHERE last_error IS NOT NULL") >= [times]


async def last_try(service: ExportService, asker: Asker, export_id: str) -> str:
    """Let the last try come, and return what the person is told."""
    await eventually(lambda: tried(service, 1))
    await service.lease_is_over(tries=TRIES - 1)
    export = await service.until(asker, export_id, "failed")
    assert service.files() == []
    assert (await service.file(asker, export_id)).json()["detail"] == export["failure"]
    return str(export["failure"])


async def test_after_the_last_try_the_person_is_told_that_the_list_could_not_be_read(
    service: ExportService, asker: Asker
) -> None:
    service.neighbours.rows_status = 503
    assert await last_try(service, asker, await service.asked(asker)) == ROWS_AWAY


async def test_after_the_last_try_the_person_is_told_that_the_place_for_files_is_away(
    service: ExportService, asker: Asker
) -> None:
    shutil.rmtree(service.folder)
    service.folder.write_text("not a folder")
    assert await last_try(service, asker, await service.asked(asker)) == STORE_AWAY


async def test_a_job_whose_last_try_took_the_process_with_it_is_not_stuck(
    stopped: ExportService, asker: Asker
) -> None:
    export_id = str(await ask_without_worker(stopped, asker))
    await stopped.lease_is_over(tries=TRIES)
    async with stopped.running():
        assert (await stopped.until(asker, export_id, "failed"))["failure"] == OUR_FAULT
    assert stopped.neighbours.queries == []


async def test_who_lost_access_meanwhile_gets_no_file_and_is_told(
    service: ExportService, asker: Asker
) -> None:
    service.neighbours.has_access = False
    export = await service.until(asker, await service.asked(asker), "failed")
    assert export["failure"] == ACCESS_ENDED
    assert service.neighbours.queries == []
    assert await service.sql("SELECT tries FROM work") == [1]


async def test_who_is_refused_by_participants_is_told_too(service: ExportService, asker: Asker) -> None:
    service.neighbours.rows_status = 403
    export = await service.until(asker, await service.asked(asker), "failed")
    assert export["failure"] == ACCESS_ENDED


async def test_a_filter_that_participants_does_not_know_is_not_tried_again(
    service: ExportService, asker: Asker
) -> None:
    service.neighbours.rows_status = 422
    export = await service.until(asker, await service.asked(asker, status=["unheard_of"]), "failed")
    assert export["failure"] == NOT_UNDERSTOOD
    assert await service.sql("SELECT tries FROM work") == [1]


async def ask_without_worker(service: ExportService, asker: Asker) -> str:
    exports = Exports(
        EventStore(service.engine, CODEC, service.clock), service.clock, Limits(5, 20, 60, 1_000_000)
    )
    owner = Owner(PersonId(asker.person_id), asker.role.value, OrganisationId(asker.organisation_id))
    return str(await exports.ask(owner, Wish(ListQuery("", (), (), ()), FileShape()), uuid4()))


async def test_a_killed_workers_job_is_taken_up_by_another_and_the_file_is_whole(
    stopped: ExportService, asker: Asker
) -> None:
    """A process of its own is killed (SIGKILL) with more than a part of the file sent to the store."""
    stopped.neighbours.rows = [row(n, "School " + "x" * 1000) for n in range(8_000)]
    stopped.neighbours.stop_after = 7_500
    export_id = await ask_without_worker(stopped, asker)
    settings = stopped.settings
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import uvicorn; from services.export import app, settings;"
        "uvicorn.run(app.create(settings.Settings()), port=0, log_level='error')",
        env={
            **os.environ,
            "CHECK_DATA_DATABASE_URL": settings.database_url.get_secret_value(),
            "CHECK_DATA_REDIS_URL": settings.redis_url.get_secret_value(),
            "CHECK_DATA_AUTH_URL": settings.auth_url,
            "CHECK_DATA_PARTICIPANTS_URL": settings.participants_url,
            "CHECK_DATA_EXPORT_STORE": settings.export_store,
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:

        async def half_written() -> bool:
            return bool(list(stopped.folder.glob("*#*")))

        await eventually(half_written, seconds=30)
    finally:
        process.kill()
        await process.wait()
    assert stopped.files() == []
    await stopped.lease_is_over()
    stopped.neighbours.go_on.set()
    async with stopped.running():
        await stopped.until(asker, export_id, "ready")
        file = await stopped.file(asker, export_id)
    assert records(file.content) == expected(stopped.neighbours.rows)
    assert len(stopped.files()) == 1
    assert await stopped.events(export_id) == [
        "ExportRequested",
        "WritingStarted",
        "WritingStarted",
        "ExportWritten",
        "Downloaded",
    ]


async def test_one_organisations_long_files_do_not_hold_up_anothers(
    service: ExportService, asker: Asker
) -> None:
    service.neighbours.stop_after = 1
    long = [await service.asked(asker) for _ in range(5)]
    await service.until(asker, long[0], "writing")
    await service.until(asker, long[1], "writing")
    service.neighbours.stop_after = None
    other = Asker()
    await service.until(other, await service.asked(other), "ready")
    states = [(await service.export(asker, one))["state"] for one in long]
    assert states == ["writing", "writing", "waiting", "waiting", "waiting"]
    service.neighbours.go_on.set()
    for one in long:
        await service.until(asker, one, "ready")


async def test_a_worker_that_was_taken_for_dead_changes_nothing_when_it_ends(
    service: ExportService, asker: Asker
) -> None:
    service.neighbours.stop_after = 1
    export_id = await service.asked(asker)
    await service.until(asker, export_id, "writing")
    service.neighbours.stop_after = None
    await service.lease_is_over()
    await service.until(asker, export_id, "ready")
    offered = service.files()
    service.neighbours.go_on.set()
    await asyncio.sleep(0.5)
    assert service.files() == offered
    assert (await service.events(export_id)).count("ExportWritten") == 1
    assert (await service.file(asker, export_id)).status_code == 200
