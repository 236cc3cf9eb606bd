"""The query of a list as it comes in a URL → what it means, or a problem that names what is wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TypeVar

from starlette.datastructures import QueryParams

from services.participants.domain.status import Status
from services.participants.domain.view import searchable
from shared.contracts.manage_ects import ParticipantRole
from shared.web.problems import Problem

LONGEST_SEARCH = 500
MOST_WORDS = 20
FIRST_YEAR, LAST_YEAR = 2000, 2100
PAGE_SIZE, LARGEST_PAGE = 50, 200
LAST_PAGE = 10_000_000
"""Beyond any list; larger numbers are not even asked about."""

FILTERS = frozenset({"q", "role", "academic_year", "status", "changed_since", "sort"})
PAGING = frozenset({"page", "size"})


class Sort(StrEnum):
    """By name, or by when the status last changed; with a minus from the end."""

    NAME = "name"
    NAME_DOWN = "-name"
    CHANGED = "changed"
    CHANGED_DOWN = "-changed"


Value = TypeVar("Value")


class LastVisit(StrEnum):
    """In place of a date: what changed since the person was last here."""

    LAST_VISIT = "last-visit"


@dataclass(frozen=True, slots=True)
class ListQuery:
    """words: all are required, in any order; in the form of `searchable`. No values: no such filter.

    changed_since: a day in England, from which on a change of the status counts (the page says since when).
    Or a moment, after which a change counts or became known. LAST_VISIT has to be resolved to one.
    """

    words: tuple[str, ...] = ()
    roles: tuple[ParticipantRole, ...] = ()
    academic_years: tuple[int, ...] = ()
    statuses: tuple[Status, ...] = ()
    changed_since: date | datetime | LastVisit | None = None
    sort: Sort = Sort.NAME

    @property
    def filters(self) -> dict[str, list[str]]:
        """The filters that are set, as in a URL."""
        given = {
            "role": [role.value for role in self.roles],
            "academic_year": [str(year) for year in self.academic_years],
            "status": [status.value for status in self.statuses],
            "changed_since": [_as_in_a_url(self.changed_since)] if self.changed_since else [],
        }
        return {name: values for name, values in given.items() if values}


@dataclass(frozen=True, slots=True)
class Paging:
    page: int
    size: int


@dataclass(slots=True)
class Reading:
    """Reads parameters and collects what is wrong with them. An empty value is as good as none."""

    parameters: QueryParams
    errors: list[dict[str, str]] = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        return list(dict.fromkeys(value for value in self.parameters.getlist(name) if value.strip()))

    def each(self, name: str, read: Callable[[str], Value], allowed: str) -> tuple[Value, ...]:
        try:
            return tuple(read(value) for value in self.values(name))
        except ValueError:
            self.refuse(name, f"Use {allowed}.")
            return ()

    def one(self, name: str, read: Callable[[str], Value], default: Value, allowed: str) -> Value:
        found = self.each(name, read, allowed)
        if len(found) > 1:
            self.refuse(name, "Give one value only.")
        return found[0] if found else default

    def words(self) -> tuple[str, ...]:
        searches = self.parameters.getlist("q")
        text = " ".join(searches)
        words = tuple(dict.fromkeys(searchable(text).split()))
        if sum(map(len, searches)) > LONGEST_SEARCH:
            self.refuse("q", f"Search with at most {LONGEST_SEARCH} characters.")
        elif len(words) > MOST_WORDS:
            self.refuse("q", f"Search for at most {MOST_WORDS} words at once.")
        elif "\x00" in text:
            self.refuse("q", "Search for letters and numbers: this holds a control character.")
        return words

    def known_only(self, names: frozenset[str]) -> None:
        for name in dict.fromkeys(self.parameters.keys()):
            if name not in names:
                self.refuse(name[:50], f"There is no such parameter: use {_either(sorted(names))}.")

    def refuse(self, name: str, message: str) -> None:
        self.errors.append({"field": name, "message": message})

    def finish(self) -> None:
        if self.errors:
            raise Problem(
                422,
                "query-not-understood",
                "Some of the search or filters is not understood. Change what is listed, or clear it.",
                self.errors,
            )


def read_page_query(parameters: QueryParams) -> tuple[ListQuery, Paging]:
    """Read search, filters and page. Raises Problem 422 `query-not-understood`."""
    reading = Reading(parameters)
    reading.known_only(FILTERS | PAGING)
    query = read_query(reading)
    page = reading.one("page", _number_from(1), 1, "a whole number from 1")
    size = reading.one("size", _number_from(1, LARGEST_PAGE), PAGE_SIZE, f"a number from 1 to {LARGEST_PAGE}")
    reading.finish()
    return query, Paging(min(page, LAST_PAGE), size)


def read_query(reading: Reading) -> ListQuery:
    """Search and filters; what is wrong with them is collected by the reading."""
    return ListQuery(
        words=reading.words(),
        roles=reading.each("role", ParticipantRole, _either([role.value for role in ParticipantRole])),
        academic_years=reading.each(
            "academic_year",
            _number_from(FIRST_YEAR, LAST_YEAR),
            "the year in which an academic year starts, such as 2024",
        ),
        statuses=reading.each("status", Status, _either([status.value for status in Status])),
        changed_since=reading.one(
            "changed_since", _since, None, f"a date such as 2025-09-01, or {LastVisit.LAST_VISIT}"
        ),
        sort=reading.one("sort", Sort, Sort.NAME, _either([sort.value for sort in Sort])),
    )


def _since(value: str) -> date | datetime | LastVisit | None:
    if value == LastVisit.LAST_VISIT:
        return LastVisit.LAST_VISIT
    if not value.isascii():
        raise ValueError(value)
    if len(value) == len("2025-09-01"):
        return date.fromisoformat(value)
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment.astimezone(UTC)


def _as_in_a_url(since: date | datetime | LastVisit) -> str:
    return since.value if isinstance(since, LastVisit) else since.isoformat()


def _number_from(lowest: int, highest: int | None = None) -> Callable[[str], int]:
    def read(value: str) -> int:
        if not (value.isascii() and value.isdigit() and len(value) <= 100):
            raise ValueError(value)
        number = int(value)
        if number < lowest or (highest is not None and number > highest):
            raise ValueError(value)
        return number

    return read


def _either(values: Sequence[str]) -> str:
    return f"{', '.join(values[:-1])} or {values[-1]}"
