"""What the log says of some participants → the rows that show them.

Nothing here waits for a database: it may run in another process, and what goes in and comes out is made to
travel.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from services.participants.domain.facts import School, organisation_of, school_of
from services.participants.domain.mentoring import Naming, namings
from services.participants.domain.received import Received, SchoolEvent, in_order
from services.participants.domain.view import Names, ParticipantView, derive, searchable
from services.participants.incoming import from_log
from services.participants.received_log import Bears
from services.participants.tables import participant_views


class Given(NamedTuple):
    """All that bears on some participants.

    due: they, with the generation of their mark. named: the namings of them as mentors. day: in England.
    """

    due: Mapping[UUID, int]
    log: Bears
    named: Sequence[Naming]
    day: date


class Made(NamedTuple):
    """Rows of three tables, each a JSON array of objects with every column."""

    views: str
    histories: str
    namings: str


def rows_of(given: Given) -> Made:
    """Derive everybody who is due. Raises what `from_log` does, when the log holds what no check let in."""
    own = _read(given.log.own)
    around = _read(given.log.around)
    names = Names(lead_providers=_organisation_names(_read(given.log.above)), schools=_schools(around))
    named: dict[UUID, list[Naming]] = {}
    for naming in given.named:
        named.setdefault(naming.mentor_participant_id, []).append(naming)
    views: list[ParticipantView] = []
    said: list[Naming] = []
    for participant_id in given.due:
        events = own.get(participant_id, [])
        views += derive(events, around, names, named.get(participant_id, ()), given.day)
        said += namings(events)
    return Made(
        views=_json(_view_row(view) for view in views),
        histories=_json(row for view in views for row in _history_rows(view)),
        namings=_json(_naming_rows(said)),
    )


Known = dict[UUID, list[Received[Any]]]
"""Events by their subject, all of one subject of one kind."""


def _read(log: str) -> Known:
    by_subject: dict[str, list[Received[Any]]] = {}
    for row in orjson.loads(log):
        received = Received(
            row["event_id"],
            datetime.fromisoformat(row["time"]),
            row["sequence"],
            datetime.fromisoformat(row["received_at"]),
            from_log(row["type"], row["data"]),
        )
        by_subject.setdefault(row["subject"], []).append(received)
    return {UUID(subject): events for subject, events in by_subject.items()}


def _schools(known: Known) -> dict[UUID, School]:
    return {
        id_: school_of(in_order(events)[-1][1].event)
        for id_, events in known.items()
        if isinstance(events[0].event, SchoolEvent)
    }


def _organisation_names(known: Known) -> dict[UUID, str]:
    return {id_: organisation_of(in_order(events)[-1][1].event).name for id_, events in known.items()}


_VIEW_COLUMNS = [str(c.name) for c in participant_views.columns if c.name != "sort_name"]


def _view_row(view: ParticipantView) -> dict[str, object]:
    row = {name: getattr(view, name) for name in _VIEW_COLUMNS}
    return {**row, "sort_name": searchable(view.full_name)}


def _history_rows(view: ParticipantView) -> Iterator[dict[str, object]]:
    for number, change in enumerate(view.history):
        yield {
            "participant_id": view.participant_id,
            "organisation_id": view.organisation_id,
            "organisation_kind": view.organisation_kind,
            "number": number,
            "since": change.since,
            "status": change.status,
            "state": change.state,
            "received_at": change.received_at,
        }


def _naming_rows(said: Sequence[Naming]) -> Iterator[dict[str, object]]:
    counted: dict[tuple[UUID, UUID], int] = {}
    for naming in said:
        pair = naming.participant_id, naming.mentor_participant_id
        counted[pair] = number = counted.get(pair, 0) + 1
        yield {**{field.name: getattr(naming, field.name) for field in fields(naming)}, "number": number}


def _json(rows: Iterable[Mapping[str, object]]) -> str:
    return orjson.dumps(list(rows)).decode()
