"""What leaves the service of what happens to an export."""

from datetime import UTC, datetime
from functools import reduce
from uuid import UUID

import orjson
import pytest

from services.export.domain.events import (
    Downloaded,
    Event,
    ExportCancelled,
    ExportExpired,
    ExportFailed,
    ExportId,
    ExportRequested,
    ExportWritten,
    FileShape,
    Format,
    ListQuery,
    OrganisationId,
    Owner,
    PersonId,
    WritingStarted,
)
from services.export.domain.export_job import Download, decide, evolve
from services.export.publishing import CODEC, publish
from shared.contracts.export import CATALOGUE

ID = ExportId(UUID(int=1))
OWNER = Owner(PersonId(UUID(int=2)), "appropriate_body", OrganisationId(UUID(int=3)))
QUERY = ListQuery("Ada Brook", ("ect", "mentor"), (2024,), ())
EVENTS: list[Event] = [
    ExportRequested(ID, OWNER, QUERY, "participants.csv"),
    WritingStarted(ID, OWNER, 3),
    ExportWritten(ID, OWNER, 3, 300, "ab", "place", datetime(2026, 11, 25, tzinfo=UTC)),
    ExportFailed(ID, OWNER, "Why."),
    Downloaded(ID, OWNER, 3),
    ExportExpired(ID, OWNER),
    ExportCancelled(ID, OWNER),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_survive_being_stored(event: Event) -> None:
    name = CODEC.name(event)
    assert CODEC.decode(name, 1, CODEC.encode(event)) == event


def test_a_request_from_before_there_was_a_choice_is_for_every_column() -> None:
    old = orjson.loads(CODEC.encode(EVENTS[0]))
    del old["shape"]
    assert CODEC.decode("ExportRequested", 1, orjson.dumps(old).decode()) == EVENTS[0]


def test_search_words_stay_at_home_and_filters_are_told() -> None:
    published = publish(EVENTS[0])
    assert published is not None
    assert "Ada" not in published.model_dump_json()
    data = published.model_dump()
    assert data["searched"] is True
    assert data["filters"] == {"role": ["ect", "mentor"], "academic_year": ["2024"]}


def test_a_download_is_told_with_its_filters_and_rows_and_without_the_search() -> None:
    asked = ExportRequested(ID, OWNER, QUERY, "people.xlsx", FileShape(format=Format.XLSX))
    job = reduce(evolve, [asked, *EVENTS[1:3]], None)
    (taken,) = decide(Download(OWNER, datetime(2026, 11, 24, tzinfo=UTC)), job)
    published = publish(taken)
    assert published is not None
    told = published.model_dump(mode="json")
    assert (told["rows"], told["searched"], told["format"]) == (3, True, "xlsx")
    assert told["filters"] == {"role": ["ect", "mentor"], "academic_year": ["2024"]}
    assert "Ada" not in published.model_dump_json()


def test_a_download_from_before_filters_were_kept_is_read() -> None:
    old = orjson.loads(CODEC.encode(EVENTS[4]))
    for name in ("searched", "filters", "format"):
        del old[name]
    assert CODEC.decode("Downloaded", 1, orjson.dumps(old).decode()) == EVENTS[4]


def test_audit_learns_of_all_but_the_tries() -> None:
    told = [published for event in EVENTS if (published := publish(event))]
    assert {type(published) for published in told} == set(CATALOGUE)
    for published in told:
        assert (
            published.model_dump(mode="json").items()
            >= {
                "export_id": str(ID),
                "person_id": str(OWNER.person_id),
                "role": "appropriate_body",
                "organisation_id": str(OWNER.organisation_id),
            }.items()
        )


def test_the_place_of_the_file_is_nobodys_business() -> None:
    for event in EVENTS:
        published = publish(event)
        assert published is None or "place" not in published.model_dump_json()
