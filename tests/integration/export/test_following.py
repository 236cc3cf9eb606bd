"""Following a file that is being made, being told when it is ready, and the file of what changed since."""

import asyncio
import zipfile
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from fastparquet import ParquetFile

from tests.integration.export.conftest import Asker, ExportService, eventually
from tests.integration.export.neighbours import row


async def test_rows_of_total_and_the_time_left_are_told(service: ExportService, asker: Asker) -> None:
    service.neighbours.rows = [row(number) for number in range(3_000)]
    service.neighbours.stop_after = 1_000
    export_id = await service.asked(asker)

    async def noted() -> bool:
        if (await service.export(asker, export_id))["state"] == "writing":
            await service.sql("UPDATE exports SET rows_written = 1000, started_at = now() - interval '10 s'")
            return True
        return False

    await eventually(noted)
    export = await service.export(asker, export_id)
    assert (export["rows_written"], export["rows_total"]) == (1_000, 3_000)
    assert 20 <= export["seconds_left"] <= 25
    service.neighbours.go_on.set()
    assert (await service.until(asker, export_id, "ready"))["seconds_left"] is None


async def test_the_wish_to_be_told_is_published_when_the_file_is_ready(service: ExportService) -> None:
    told, untold = Asker(), Asker()
    wished = (await service.ask(told, shape={"email_when_ready": True})).json()["export_id"]
    await service.until(told, wished, "ready")
    await service.until(untold, await service.asked(untold), "ready")
    headers = {"authorization": f"Bearer {service.issuer.service('access')}"}

    async def written() -> dict[str, bool]:
        page = (await service.http.get("/events", headers=headers)).json()["events"]
        return {
            event["data"]["person_id"]: event["data"]["email_wished"]
            for event in page
            if event["type"] == "export.written.v1"
        }

    async def both() -> bool:
        return len(await written()) == 2

    await eventually(both)
    assert await written() == {str(told.person_id): True, str(untold.person_id): False}


async def since_last(service: ExportService, asker: Asker, **query: Any) -> str:
    """What `changed_since` became of it."""
    answer = await service.ask(asker, shape={"since_last_download": True}, **query)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["query"]["changed_since"])


async def taken(service: ExportService, asker: Asker, **query: Any) -> datetime:
    """Have a file made and download it. Returns when it was asked for."""
    export_id = await service.asked(asker, **query)
    export = await service.until(asker, export_id, "ready")
    assert (await service.file(asker, export_id)).status_code == 200
    return datetime.fromisoformat(export["asked_at"])


async def test_without_a_download_everybody_is_in_the_file(service: ExportService, asker: Asker) -> None:
    await service.until(asker, await service.asked(asker), "ready")  # made, and never fetched
    assert await since_last(service, asker) == ""


async def test_only_what_changed_since_the_last_download_of_this_kind(
    service: ExportService, asker: Asker
) -> None:
    """From ten minutes before it was asked for: rather somebody twice than somebody never."""
    asked_at = await taken(service, asker, role=["ect"])
    await asyncio.sleep(1)
    await taken(service, asker, role=["mentor"])  # of another kind
    await taken(service, Asker(organisation_id=asker.organisation_id), role=["ect"])  # somebody else's
    since = datetime.fromisoformat(await since_last(service, asker, role=["ect"], sort="-changed"))
    assert abs(since - (asked_at - timedelta(minutes=10))) < timedelta(seconds=1)
    assert dict(service.neighbours.queries[-1] or {}).get("role") in ("ect", "mentor")


async def test_a_parquet_file_is_offered_as_one(service: ExportService, asker: Asker, tmp_path: Path) -> None:
    service.neighbours.rows = [[f"Zoë {number}", f"{number:07}", 2024] for number in range(1_200)]
    shape = {"format": "parquet", "columns": ["full_name", "trn", "academic_year"], "byte_order_mark": True}
    answer = await service.ask(asker, shape=shape)
    export = await service.until(asker, answer.json()["export_id"], "ready")
    assert (export["rows_written"], export["byte_order_mark"]) == (1_200, False)
    assert export["file_name"].endswith(".parquet")
    file = await service.file(asker, export["export_id"])
    assert file.headers["content-type"] == "application/vnd.apache.parquet"
    (tmp_path / "people.parquet").write_bytes(file.content)
    people = ParquetFile(str(tmp_path / "people.parquet")).to_pandas()
    assert people.to_numpy().tolist() == service.neighbours.rows


async def test_a_workbook_is_offered_as_one(service: ExportService, asker: Asker) -> None:
    service.neighbours.rows = [row(number) for number in range(1_200)]
    answer = await service.ask(asker, shape={"format": "xlsx", "columns": ["full_name", "trn"]})
    export = await service.until(asker, answer.json()["export_id"], "ready")
    assert export["rows_written"] == 1_200
    assert export["file_name"].endswith(".xlsx")
    file = await service.file(asker, export["export_id"])
    assert file.headers["content-type"].endswith("spreadsheetml.sheet")
    assert file.headers["content-length"] == str(export["bytes"])
    with zipfile.ZipFile(BytesIO(file.content)) as book:
        assert book.read("xl/worksheets/sheet1.xml").count(b"<row ") == 1_201
