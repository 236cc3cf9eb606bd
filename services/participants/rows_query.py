"""The query of the rows for a file: that of the list, and how the file wants them."""

from dataclasses import dataclass

from starlette.datastructures import QueryParams

from services.participants.list_query import FILTERS, ListQuery, Reading, read_query
from shared.contracts.participants import EXPORT_COLUMNS, Formulas

SHAPE = frozenset({"column", "formulas"})


@dataclass(frozen=True, slots=True)
class RowsQuery:
    """columns: of EXPORT_COLUMNS, in their order. formulas: whether text that could run is made harmless."""

    found: ListQuery
    columns: tuple[str, ...] = EXPORT_COLUMNS
    formulas: Formulas = Formulas.HARMLESS


def read_rows_query(parameters: QueryParams) -> RowsQuery:
    """Raises Problem 422 `query-not-understood`: it names each wrong parameter."""
    reading = Reading(parameters)
    reading.known_only(FILTERS | SHAPE)
    found = read_query(reading)
    chosen = reading.each("column", _column, f"one of {', '.join(EXPORT_COLUMNS)}")
    formulas = reading.each("formulas", Formulas, " or ".join(Formulas))
    reading.finish()
    columns = tuple(column for column in EXPORT_COLUMNS if column in chosen) or EXPORT_COLUMNS
    return RowsQuery(found, columns, formulas[-1] if formulas else Formulas.HARMLESS)


def _column(name: str) -> str:
    if name not in EXPORT_COLUMNS:
        raise ValueError(name)
    return name
