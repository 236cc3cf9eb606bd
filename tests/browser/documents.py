"""What the tests look at in a page's HTML."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

FILLED_IN: Final = frozenset({"input", "select", "textarea"})


@dataclass(frozen=True, slots=True)
class Form:
    action: str
    method: str
    hidden: tuple[tuple[str, str], ...] = ()
    asked: frozenset[str] = frozenset()
    """Names of what people fill in or choose."""


@dataclass(slots=True)
class Document:
    title: str = ""
    headings: list[str] = field(default_factory=list)
    """Of the first level."""
    links: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    components: set[str] = field(default_factory=set)
    """First class of each element inside main: what the page is built of."""
    forms: list[Form] = field(default_factory=list)

    @property
    def frame(self) -> frozenset[str]:
        return frozenset(self.components)

    @property
    def fields(self) -> frozenset[str]:
        return frozenset().union(*(form.asked for form in self.forms))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.document = Document()
        self._text_of = ""
        self._in_main = False
        self._form: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.document.ids.add(found["id"])
        if self._in_main and found.get("class"):
            self.document.components.add(found["class"].split()[0])
        if tag == "a" and "href" in found:
            self.document.links.append(found["href"])
        elif tag == "main":
            self._in_main = True
        elif tag == "form":
            self._form = Form(found.get("action", ""), found.get("method", "get"))
        elif tag in FILLED_IN:
            self._field(found)
        elif tag == "h1":
            self.document.headings.append("")
        if tag == "h1" or (tag == "title" and not self.document.title):  # not those of pictures
            self._text_of = tag

    def _field(self, found: dict[str, str]) -> None:
        form, name = self._form, found.get("name", "")
        if form is None:
            return
        if found.get("type") == "hidden":
            hidden = (*form.hidden, (name, found.get("value", "")))
            self._form = Form(form.action, form.method, hidden, form.asked)
        else:
            self._form = Form(form.action, form.method, form.hidden, form.asked | {name})

    def handle_endtag(self, tag: str) -> None:
        if tag == self._text_of:
            self._text_of = ""
        if tag == "main":
            self._in_main = False
        elif tag == "form" and self._form is not None:
            self.document.forms.append(self._form)
            self._form = None

    def handle_data(self, data: str) -> None:
        if self._text_of == "title":
            self.document.title = " ".join(f"{self.document.title} {data}".split())
        elif self._text_of == "h1":
            self.document.headings[-1] = " ".join(f"{self.document.headings[-1]} {data}".split())


def read(html: str) -> Document:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.document
