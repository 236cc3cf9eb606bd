"""Files in a bucket of S3, Azure or Google Cloud; told by settings only.

Servers of the clouds' protocols are started here: moto for S3, Azurite for Azure where it is installed, and
moto again for Google's XML protocol, whose requests for files are those of S3.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.export.object_store import PART_BYTES, ObjectFiles, StoreAway
from shared.embedded.ports import free_ports
from tests.integration.export.clouds import AZURITE, S3, Azure, Google, azurite, speaking_s3, speaking_xml
from tests.integration.export.conftest import Asker, ExportService

MOMENT = timedelta(seconds=5)
Cloud = S3 | Azure
NO_AZURITE = pytest.mark.skipif(AZURITE is None, reason="Azurite (npm install --global azurite) is not here")


@pytest.fixture(scope="module", params=["s3", "google", pytest.param("azure", marks=NO_AZURITE)])
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    if request.param == "azure":
        with azurite(tmp_path_factory.mktemp("azurite")) as url:
            yield Azure(url)
    elif request.param == "google":
        with speaking_xml() as url:
            yield Google(url)
    else:
        with speaking_s3() as url:
            yield S3(url)


@pytest.fixture
def bucket(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty bucket's folder; the environment says where it is, as it would in production."""
    for variable, value in cloud.environment.items():
        monkeypatch.setenv(variable, value)
    return cloud.new_bucket(f"exports-{uuid4().hex}")


@pytest.fixture
def files(bucket: str) -> ObjectFiles:
    return ObjectFiles(bucket, plain_http=True)


async def read(stream: AsyncIterator[bytes]) -> bytes:
    return b"".join([bytes(chunk) async for chunk in stream])


async def test_a_file_of_several_parts_is_read_back_whole_and_in_ranges(files: ObjectFiles) -> None:
    chunk = bytes(range(256)) * 4096  # 1 MiB
    async with files.writing("one.csv") as file:
        for _ in range(2 * PART_BYTES // len(chunk) + 1):
            await file.write(chunk)
    data = await read(await files.read("one.csv", 0, file.bytes))
    assert len(data) == file.bytes > 2 * PART_BYTES
    assert hashlib.sha256(data).hexdigest() == file.sha256
    start, end = PART_BYTES - 3, PART_BYTES + 7
    assert await read(await files.read("one.csv", start, end)) == data[start:end]


async def test_writing_that_breaks_off_leaves_nothing_to_read_or_list(files: ObjectFiles) -> None:
    async def break_off() -> None:
        async with files.writing("half.csv") as file:
            await file.write(b"x" * (PART_BYTES + 1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await break_off()
    with pytest.raises(StoreAway):
        await files.read("half.csv", 0, 1)
    assert await files.older_than(datetime.now(UTC) + MOMENT) == []


async def test_files_are_listed_by_age_and_deleted_also_twice(files: ObjectFiles) -> None:
    async with files.writing("old.csv") as file:
        await file.write(b"a\r\n")
    assert await files.older_than(datetime.now(UTC) - MOMENT) == []
    assert await files.older_than(datetime.now(UTC) + MOMENT) == ["old.csv"]
    await files.delete("old.csv")
    await files.delete("old.csv")
    assert await files.older_than(datetime.now(UTC) + MOMENT) == []


async def test_a_bucket_that_is_not_there_is_a_store_that_is_away(bucket: str) -> None:
    elsewhere = bucket.replace("exports-", "nothing-")
    with pytest.raises(StoreAway):
        async with ObjectFiles(elsewhere, plain_http=True).writing("one.csv") as file:
            await file.write(b"a\r\n")


async def test_a_store_that_nobody_answers_at_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = S3(f"http://127.0.0.1:{free_ports(1)[0]}")
    for variable, value in nobody.environment.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(StoreAway):
        async with (
            asyncio.timeout(60),
            ObjectFiles("s3://exports", plain_http=True).writing("one.csv") as file,
        ):
            await file.write(b"a\r\n")


async def test_an_export_is_written_there_taken_in_ranges_and_deleted_when_its_time_is_over(
    stopped: ExportService, bucket: str, files: ObjectFiles, asker: Asker
) -> None:
    stopped.settings = stopped.settings.model_copy(
        update={"export_store": bucket, "export_store_plain_http": True}
    )
    async with stopped.running():
        export_id = await stopped.asked(asker)
        export = await stopped.until(asker, export_id, "ready")
        whole = await stopped.file(asker, export_id)
        part = await stopped.file(asker, export_id, Range="bytes=5-")
        assert len(whole.content) == export["bytes"]
        assert (part.status_code, part.content) == (206, whole.content[5:])
        stopped.clock.ahead = timedelta(hours=25)
        await stopped.until(asker, export_id, "expired")
        async with asyncio.timeout(10):
            while await files.older_than(datetime.now(UTC) + MOMENT):
                await asyncio.sleep(0.05)
    assert stopped.folder.exists() is False
