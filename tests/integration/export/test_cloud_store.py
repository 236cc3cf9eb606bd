"""Files in an S3 bucket, of a server that speaks S3 over HTTP and is started here; told by settings only."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from moto.server import ThreadedMotoServer

from services.export.object_store import PART_BYTES, ObjectFiles, StoreAway
from shared.embedded.ports import free_ports
from tests.integration.export.conftest import Asker, ExportService

MOMENT = timedelta(seconds=5)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_ports(1)[0], verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty bucket's folder; the environment says where S3 is, as it would in production."""
    name = f"exports-{uuid4().hex}"
    httpx.put(f"{s3}/{name}").raise_for_status()
    for variable, value in {
        "AWS_ENDPOINT_URL": s3,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
    }.items():
        monkeypatch.setenv(variable, value)
    return f"s3://{name}/files"


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


async def test_a_bucket_that_is_not_there_is_a_store_that_is_away(files: ObjectFiles, s3: str) -> None:
    with pytest.raises(StoreAway):
        async with ObjectFiles(f"s3://nothing-{uuid4().hex}/files", plain_http=True).writing(
            "one.csv"
        ) as file:
            await file.write(b"a\r\n")


async def test_an_export_is_written_to_s3_taken_in_ranges_and_deleted_when_its_time_is_over(
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
