"""A file that its owner wants no more is not made, and holds no place among the unfinished ones."""

from uuid import uuid4

from tests.integration.export.conftest import Asker, ExportService, eventually
from tests.integration.export.neighbours import row


async def test_a_file_that_is_being_written_is_cancelled_and_leaves_nothing(
    service: ExportService, asker: Asker
) -> None:
    service.neighbours.rows = [row(n) for n in range(40_000)]
    service.neighbours.stop_after = 39_000
    export_id = await service.asked(asker)
    await service.until(asker, export_id, "writing")
    cancelled = await service.call(asker, "POST", f"/exports/{export_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    service.neighbours.go_on.set()

    async def worker_is_done() -> bool:
        return not await service.sql("SELECT 1 FROM work WHERE state = 'due'")

    await eventually(worker_is_done)
    assert service.files() == []
    assert (await service.export(asker, export_id))["state"] == "cancelled"
    file = await service.file(asker, export_id)
    assert file.status_code == 410
    assert file.json()["type"].endswith(":export-cancelled")
    assert (await service.events(export_id))[-1] == "ExportCancelled"


async def test_a_cancelled_file_makes_room_for_another(service: ExportService, asker: Asker) -> None:
    service.neighbours.rows_status = 503
    asked = [await service.asked(asker) for _ in range(service.settings.export_limit)]
    assert (await service.ask(asker)).status_code == 409
    await service.call(asker, "POST", f"/exports/{asked[0]}/cancel")
    assert (await service.ask(asker)).status_code == 201


async def test_nobody_else_cancels_it_and_a_ready_one_stays(service: ExportService, asker: Asker) -> None:
    export_id = await service.asked(asker)
    await service.until(asker, export_id, "ready")
    assert (await service.call(Asker(), "POST", f"/exports/{export_id}/cancel")).status_code == 404
    assert (await service.call(asker, "POST", f"/exports/{uuid4()}/cancel")).status_code == 404
    late = await service.call(asker, "POST", f"/exports/{export_id}/cancel")
    assert (late.status_code, late.json()["type"].rsplit(":", 1)[-1]) == (409, "export-over")
    assert (await service.file(asker, export_id)).status_code == 200
