"""Limits: kept, and told before one runs into them."""

from uuid import uuid4

from services.export.domain.export_job import Limits
from services.export.workers import TOO_LONG
from tests.integration.export.conftest import Asker, ExportService
from tests.integration.export.neighbours import row


async def limits(service: ExportService, asker: Asker) -> dict[str, int]:
    answer = await service.call(asker, "GET", "/exports/limits")
    assert answer.status_code == 200, answer.text
    told: dict[str, int] = answer.json()
    return told


async def test_limits_are_told_with_what_is_used_of_them(service: ExportService) -> None:
    organisation = uuid4()
    asker, colleague = Asker(organisation_id=organisation), Asker(organisation_id=organisation)
    service.neighbours.stop_after = 1
    await service.asked(asker)
    await service.asked(colleague)
    assert await limits(service, asker) == {
        "person": 5,
        "person_used": 1,
        "organisation": 20,
        "organisation_used": 2,
        "person_in_an_hour": 60,
        "person_in_an_hour_used": 1,
        "rows": 1_000_000,
    }
    assert (await limits(service, Asker()))["organisation_used"] == 0


async def test_an_organisation_has_a_limit_of_its_own(service: ExportService) -> None:
    service.neighbours.stop_after = 1
    organisation = uuid4()
    service.exports().limits = Limits(person=5, organisation=2, person_in_an_hour=60, rows=10)
    for _ in range(2):
        await service.asked(Asker(organisation_id=organisation))
    refused = await service.ask(Asker(organisation_id=organisation))
    assert refused.status_code == 409
    assert "People of your organisation have 2 files" in refused.json()["detail"]
    assert (await service.ask(Asker())).status_code == 201


async def test_a_person_asks_for_so_many_in_an_hour(service: ExportService, asker: Asker) -> None:
    service.exports().limits = Limits(person=5, organisation=20, person_in_an_hour=2, rows=10)
    for _ in range(2):
        await service.until(asker, await service.asked(asker), "ready")
    refused = await service.ask(asker)
    assert refused.status_code == 409
    assert "in the last hour" in refused.json()["detail"]
    await service.sql("UPDATE exports SET asked_at = asked_at - interval '1 hour'")
    assert (await service.ask(asker)).status_code == 201


async def test_a_list_that_is_too_long_is_refused_with_a_sentence(
    service: ExportService, asker: Asker
) -> None:
    service.exports().limits = Limits(person=5, organisation=20, person_in_an_hour=60, rows=3)
    service.neighbours.rows = [row(number) for number in range(4)]
    export = await service.until(asker, await service.asked(asker), "failed")
    assert export["failure"] == TOO_LONG.format(limit=3)
    assert service.files() == []
