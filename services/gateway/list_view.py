"""The list of participants as its URL describes it, and the links that change the view."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from shared.contracts.export import ListQuery

PATH = "/participants"
SEARCH_AND_FILTERS = ("q", "role", "academic_year", "status", "changed_since")
OF_A_FILE = (*SEARCH_AND_FILTERS, "sort")
"""What a file takes over from the list: all but the page."""


@dataclass(frozen=True, slots=True)
class ListView:
    """parameters: names and values in the order of the URL, each pair once, none empty."""

    parameters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "ListView":
        return cls(tuple(dict.fromkeys((name, value) for name, value in pairs if value.strip())))

    @classmethod
    def read(cls, query: str) -> "ListView":
        """From a query string; what is not search, filter, order or page is left out."""
        known = (*OF_A_FILE, "page")
        try:
            pairs = parse_qsl(query, max_num_fields=100)
        except ValueError:
            return cls()
        return cls.of((name, value) for name, value in pairs if name in known)

    def values(self, name: str) -> list[str]:
        return [value for other, value in self.parameters if other == name]

    @property
    def search(self) -> str:
        return " ".join(self.values("q"))

    @property
    def filtered(self) -> bool:
        return any(name in SEARCH_AND_FILTERS for name, _ in self.parameters)

    @property
    def query(self) -> str:
        return urlencode(self.parameters)

    @property
    def url(self) -> str:
        return f"{PATH}?{self.query}" if self.parameters else PATH

    def at_page(self, number: int) -> "ListView":
        rest = tuple(p for p in self.parameters if p[0] != "page")
        return ListView(rest if number == 1 else (*rest, ("page", str(number))))

    def without(self, name: str, value: str) -> "ListView":
        """Fewer filters; back on the first page."""
        return ListView(tuple(p for p in self.at_page(1).parameters if p != (name, value)))

    def only(self, name: str, value: str | None) -> "ListView":
        """This one value of a filter, or with None no such filter; back on the first page."""
        rest = tuple(p for p in self.at_page(1).parameters if p[0] != name)
        return ListView(rest if value is None else (*rest, (name, value)))

    def as_list_query(self) -> ListQuery:
        """For an export. Raises pydantic's ValidationError when a value cannot be one."""
        return ListQuery.model_validate(
            {
                "q": self.search,
                "role": self.values("role"),
                "academic_year": self.values("academic_year"),
                "status": self.values("status"),
                "changed_since": next(iter(self.values("changed_since")), ""),
                "sort": next(iter(self.values("sort")), ""),
            }
        )

    @classmethod
    def of_list_query(cls, query: ListQuery) -> "ListView":
        """The view that an export was asked for on."""
        return cls.of(
            [
                ("q", query.q),
                *(("role", role) for role in query.role),
                *(("academic_year", str(year)) for year in query.academic_year),
                *(("status", status) for status in query.status),
                ("changed_since", query.changed_since),
                ("sort", query.sort),
            ]
        )
