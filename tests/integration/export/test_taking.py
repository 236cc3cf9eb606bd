"""Taking a file: only its owner, only in its time, and never unrecorded."""

import base64
import hashlib
import os
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from shared.contracts.roles import Role
from tests.integration.export.conftest import Asker, ExportService, eventually
from tests.integration.export.neighbours import row
from tests.integration.participants.test_withdrawals import tells

DAY = timedelta(hours=24)


async def ready(service: ExportService, asker: Asker) -> str:
    export_id = await service.asked(asker)
    await service.until(asker, export_id, "ready")
    return export_id


async def test_the_file_comes_as_an_attachment_of_known_size_and_digest(
    service: ExportService, asker: Asker
) -> None:
    export_id = await ready(service, asker)
    file = await service.file(asker, export_id)
    name = (await service.export(asker, export_id))["file_name"]
    assert file.status_code == 200
    assert file.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert file.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert file.headers["content-length"] == str(len(file.content))
    assert file.headers["cache-control"] == "no-store"
    digest = base64.b64encode(hashlib.sha256(file.content).digest()).decode()
    assert file.headers["repr-digest"] == f"sha-256=:{digest}:"


async def test_each_download_is_recorded_with_who_took_it(service: ExportService, asker: Asker) -> None:
    export_id = await ready(service, asker)
    for _ in range(2):
        await service.file(asker, export_id)
    assert (await service.events(export_id))[-2:] == ["Downloaded", "Downloaded"]
    actors = await service.sql("SELECT metadata->>'actor' FROM events WHERE type = 'Downloaded'")
    assert actors == [str(asker.person_id)] * 2


@pytest.mark.parametrize("other", ["person", "role", "organisation"])
async def test_for_anybody_else_there_is_no_such_export(
    service: ExportService, asker: Asker, other: str
) -> None:
    export_id = await ready(service, asker)
    somebody = {
        "person": replace(asker, person_id=uuid4()),
        "role": replace(asker, role=Role.APPROPRIATE_BODY),
        "organisation": replace(asker, organisation_id=uuid4()),
    }[other]
    unknown = await service.file(somebody, str(uuid4()))
    foreign = await service.file(somebody, export_id)
    assert (foreign.status_code, foreign.json()) == (404, unknown.json())
    assert (await service.call(somebody, "GET", f"/exports/{export_id}")).status_code == 404
    assert (await service.call(somebody, "GET", "/exports")).json() == []
    assert "Downloaded" not in await service.events(export_id)


async def test_a_file_that_is_not_ready_cannot_be_taken(service: ExportService, asker: Asker) -> None:
    service.neighbours.stop_after = 1
    export_id = await service.asked(asker)
    file = await service.file(asker, export_id)
    assert file.status_code == 409
    assert file.json()["type"].endswith(":export-not-ready")


async def test_after_its_time_the_file_is_deleted_and_that_is_shown(
    service: ExportService, asker: Asker
) -> None:
    export_id = await ready(service, asker)
    service.clock.ahead = DAY
    file = await service.file(asker, export_id)
    assert file.status_code == 410
    assert file.json()["type"].endswith(":export-expired")
    assert (await service.export(asker, export_id))["state"] == "expired"

    async def deleted() -> bool:
        return service.files() == [] and (await service.events(export_id))[-1] == "ExportExpired"

    await eventually(deleted)
    assert (await service.file(asker, export_id)).status_code == 410


async def test_before_its_time_the_file_stays(service: ExportService, asker: Asker) -> None:
    export_id = await ready(service, asker)
    service.clock.ahead = DAY - timedelta(minutes=1)
    other = await ready(service, asker)
    assert (await service.file(asker, export_id)).status_code == 200
    assert (await service.export(asker, other))["state"] == "ready"


async def test_a_broken_download_goes_on_where_it_stopped(service: ExportService, asker: Asker) -> None:
    service.neighbours.rows = [row(n) for n in range(2_000)]
    export_id = await ready(service, asker)
    whole = await service.file(asker, export_id)
    etag = whole.headers["etag"]
    rest = await service.file(asker, export_id, range="bytes=1000-", **{"if-range": etag})
    assert rest.status_code == 206
    assert rest.content == whole.content[1000:]
    size = len(whole.content)
    assert rest.headers["content-range"] == f"bytes 1000-{size - 1}/{size}"
    assert rest.headers["content-length"] == str(size - 1000)


async def test_a_part_outside_the_file_is_refused_and_not_recorded(
    service: ExportService, asker: Asker
) -> None:
    export_id = await ready(service, asker)
    part = await service.file(asker, export_id, range="bytes=1000000-")
    assert part.status_code == 416
    assert part.headers["content-range"].startswith("bytes */")
    assert "Downloaded" not in await service.events(export_id)


async def test_a_file_that_the_store_lost_is_not_given_and_not_recorded(
    service: ExportService, asker: Asker
) -> None:
    export_id = await ready(service, asker)
    service.files()[0].unlink()
    assert (await service.file(asker, export_id)).status_code == 503
    assert "Downloaded" not in await service.events(export_id)


async def test_a_file_that_the_store_cut_short_is_not_given(service: ExportService, asker: Asker) -> None:
    export_id = await ready(service, asker)
    path = service.files()[0]
    path.write_bytes(path.read_bytes()[:-10])
    assert (await service.file(asker, export_id)).status_code == 503


async def test_what_dead_workers_left_is_deleted_and_nothing_else(
    stopped: ExportService, asker: Asker
) -> None:
    """The first look after a start deletes strays; other people's files in the same place stay."""
    stopped.folder.mkdir()
    stray = aged(stopped.folder / f"{uuid4()}.{uuid4()}.csv")
    half = aged(stopped.folder / f"{uuid4()}.{uuid4()}.csv#1")
    foreign = aged(stopped.folder / "accounts.csv")
    young = stopped.folder / f"{uuid4()}.{uuid4()}.csv"
    young.touch()
    async with stopped.running():
        export_id = await ready(stopped, asker)

        async def swept() -> bool:
            return not stray.exists() and not half.exists()

        await eventually(swept)
        assert foreign.exists()
        assert young.exists()
        assert (await stopped.file(asker, export_id)).status_code == 200


def aged(path: Path) -> Path:
    path.touch()
    two_days_ago = time.time() - 2 * DAY.total_seconds()
    os.utime(path, (two_days_ago, two_days_ago))
    return path


async def test_only_this_services_user_may_look_into_the_folder(service: ExportService) -> None:
    assert service.folder.stat().st_mode & 0o077 == 0


async def test_a_file_is_refused_as_soon_as_the_access_is_suspended_and_given_again_when_it_is_back(
    stopped: ExportService, redis: Redis, asker: Asker
) -> None:
    """Though the token that the person's session was given is good for a while yet."""
    stopped.settings = stopped.settings.model_copy(update={"bus_partitions": 2})
    async with stopped.running():
        export_id = await ready(stopped, asker)

        async def answers(status: int) -> bool:
            return (await stopped.file(asker, export_id)).status_code == status

        for what, status in (("suspended", 401), ("restored", 200)):
            told = {
                "grant_id": uuid4(),
                "person_id": asker.person_id,
                "role": asker.role.value,
                "organisation_id": asker.organisation_id,
                "reason": "no agreement covers it",
                "restored_by": uuid4(),
                "review_on": None,
            }
            await tells(redis, "access", f"access.grant-{what}.v1", asker.person_id, told)
            await eventually(partial(answers, status), seconds=5)
        assert (await stopped.events(export_id)).count("Downloaded") >= 1
