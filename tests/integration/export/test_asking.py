"""Asking for a file: once for each wish, within limits, and for the eyes of the one who asked."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from shared.contracts.roles import Role
from tests.integration.export.conftest import Asker, ExportService, eventually


async def test_what_was_asked_for_is_shown_as_it_was_asked(service: ExportService, asker: Asker) -> None:
    query = {
        "q": "brook",
        "role": ["ect"],
        "academic_year": [2024, 2025],
        "status": ["checking_qts"],
        "changed_since": "2025-09-01",
        "sort": "-changed",
    }
    export_id = await service.asked(asker, **query)
    export = await service.export(asker, export_id)
    assert export["query"] == query
    assert export["file_name"].startswith("participants-2")
    assert export["file_name"].endswith(".csv")


async def test_a_double_click_makes_one_file(service: ExportService, asker: Asker) -> None:
    key = uuid4()
    answers = await asyncio.gather(*(service.ask(asker, key) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["export_id"] for answer in answers}) == 1
    listed = await service.call(asker, "GET", "/exports")
    assert len(listed.json()) == 1
    assert await service.sql("SELECT count(*) FROM work") == [1]


async def test_the_key_of_one_person_is_not_the_key_of_another(service: ExportService) -> None:
    key, one, other = uuid4(), Asker(), Asker()
    first, second = await service.ask(one, key), await service.ask(other, key)
    assert first.json()["export_id"] != second.json()["export_id"]


async def test_exports_are_listed_newest_first(service: ExportService, asker: Asker) -> None:
    asked = [await service.asked(asker) for _ in range(3)]
    listed = (await service.call(asker, "GET", "/exports")).json()
    assert [export["export_id"] for export in listed] == asked[::-1]


async def test_asking_at_once_for_too_many_files_gives_five(service: ExportService, asker: Asker) -> None:
    service.neighbours.stop_after = 1
    answers = await asyncio.gather(*(service.ask(asker) for _ in range(9)))
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(refused) == 4
    assert {answer.status_code for answer in refused} == {409}
    assert refused[0].json()["type"].endswith(":too-many-exports")
    assert "Wait until one is ready" in refused[0].json()["detail"]
    assert (await service.ask(Asker())).status_code == 201


async def test_finished_files_leave_room_for_new_ones(service: ExportService, asker: Asker) -> None:
    for _ in range(7):
        await service.until(asker, await service.asked(asker), "ready")


@pytest.mark.parametrize(
    "query",
    [
        {"role": ["Ada Brook"]},
        {"status": ["ada@example.org"]},
        {"academic_year": [1234567]},
        {"changed_since": "Ada"},
        {"sort": "Ada Brook"},
        {"rolle": []},
    ],
    ids=[
        "name as role",
        "email as status",
        "TRN as year",
        "name as date",
        "name as order",
        "misspelt filter",
    ],
)
async def test_nothing_but_filters_passes_for_a_filter(
    service: ExportService, asker: Asker, query: dict[str, Any]
) -> None:
    """Filters are published to the audit; so a name that got into one must not get through."""
    answer = await service.ask(asker, **query)
    assert answer.status_code == 422
    assert await service.sql("SELECT count(*) FROM events") == [0]


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.POLICY, Role.LEAD_PROVIDER, Role.AUDITOR])
async def test_only_roles_that_see_participants_take_them_away(service: ExportService, role: Role) -> None:
    assert (await service.ask(Asker(role=role))).status_code == 403


async def test_audit_reads_who_asked_and_not_for_which_name(service: ExportService, asker: Asker) -> None:
    export_id = await service.asked(asker, q="Ada Brook", role=["mentor"])
    await service.until(asker, export_id, "ready")
    headers = {"authorization": f"Bearer {service.issuer.service('access')}"}

    async def told() -> list[dict[str, Any]]:
        page = await service.http.get("/events", headers=headers)
        return list(page.json()["events"])

    async def numbered() -> bool:
        return bool(await told())

    await eventually(numbered)
    requested = (await told())[0]
    assert requested["type"] == "export.requested.v1"
    assert requested["data"] == {
        "export_id": export_id,
        "person_id": str(asker.person_id),
        "role": "delivery_partner",
        "organisation_id": str(asker.organisation_id),
        "searched": True,
        "filters": {"role": ["mentor"]},
    }


async def test_nobody_but_the_audit_reads_the_feed(service: ExportService) -> None:
    headers = {"authorization": f"Bearer {service.issuer.service('participants')}"}
    assert (await service.http.get("/events", headers=headers)).status_code == 403
