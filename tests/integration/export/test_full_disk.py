"""A disk that is full: a file system of 256 KB, which only root may mount."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.export.workers import STORE_AWAY
from tests.integration.export.conftest import Asker, ExportService, eventually
from tests.integration.export.neighbours import row
from tests.integration.export.test_writing import last_try, tried

KILOBYTES = 256
TOO_MANY = 10_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", f"size={KILOBYTES}k", "none", str(folder)]
    if subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def service_on_it(stopped: ExportService, small_disk: Path) -> ExportService:
    stopped.settings = stopped.settings.model_copy(update={"export_store": (small_disk / "files").as_uri()})
    stopped.folder = small_disk / "files"
    return stopped


async def test_a_file_that_the_disk_has_no_room_for_fails_with_a_sentence(
    service_on_it: ExportService, asker: Asker
) -> None:
    service = service_on_it
    service.neighbours.rows = [row(n) for n in range(TOO_MANY)]
    async with service.running():
        assert await last_try(service, asker, await service.asked(asker)) == STORE_AWAY


async def test_when_there_is_room_again_the_file_is_made(
    service_on_it: ExportService, small_disk: Path, asker: Asker
) -> None:
    service = service_on_it
    (small_disk / "other").write_bytes(b"x" * (KILOBYTES - 16) * 1024)
    service.neighbours.rows = [row(n) for n in range(500)]
    async with service.running():
        export_id = await service.asked(asker)
        await eventually(lambda: tried(service, 1))
        (small_disk / "other").unlink()
        await service.lease_is_over()
        assert (await service.until(asker, export_id, "ready"))["rows_written"] == 500
    assert len(service.files()) == 1
