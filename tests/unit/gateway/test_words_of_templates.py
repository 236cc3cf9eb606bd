"""All that templates say is marked for translation."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from services import gateway

TEMPLATES = Path(gateway.__file__).parent / "templates"
NOT_OF_THE_SERVICE = {"dev_inbox.html"}
"""Exists in development only."""
FILES = sorted(p for p in TEMPLATES.rglob("*.html") if p.name not in NOT_OF_THE_SERVICE)
SPOKEN = frozenset({"aria-label", "alt", "title", "placeholder"})
"""Attributes that people hear or see."""
A_WORD = re.compile(r"[A-Za-z]{2}")
BRAND = "– GOV.UK"
A_KEY = re.compile(r"[a-z][A-Za-z_]*")
A_CLASS = re.compile(r"[a-z0-9!_.,:/#?=&-]*[-/?.][a-z0-9!_.,:/#?=&-]*")
"""Of CSS, or an address. Words for people begin with a capital, or there are several."""
SOMETHING = "\x00"


class _Reader(HTMLParser):
    """Finds words of text and of attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in SPOKEN:
                self.handle_data(value or "")

    def handle_data(self, data: str) -> None:
        words = " ".join(data.replace(SOMETHING, " ").split())
        if A_WORD.search(words) and words != BRAND:
            self.words.append(words)


def unmarked(source: str) -> list[str]:
    """What a template says in English, whatever the language."""
    template = Environment(extensions=["jinja2.ext.i18n"]).parse(source)  # noqa: S701 (nothing is rendered)
    reader = _Reader()
    reader.feed(SOMETHING.join(part.data for part in template.find_all(nodes.TemplateData)))
    reader.close()
    literals = [text for text in _literals(template) if A_WORD.search(text) and not _for_programs(text)]
    return reader.words + literals


def _for_programs(text: str) -> bool:
    return bool(A_KEY.fullmatch(text)) or all(A_CLASS.fullmatch(part) for part in text.split())


def _literals(node: nodes.Node) -> Iterator[str]:
    match node:
        case nodes.Call(node=nodes.Name(name="_" | "gettext" | "ngettext"), kwargs=values):
            for value in values:
                yield from _literals(value)
        case nodes.Extends() | nodes.FromImport() | nodes.Include():
            return
        case nodes.Const(value=str() as text):
            yield text
        case _:
            for child in node.iter_child_nodes():
                yield from _literals(child)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_a_template_says_nothing_that_cannot_be_translated(file: Path) -> None:
    assert unmarked(file.read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('<p class="a">Sign in</p>', ["Sign in"]),
        ("<p>{% trans %}Sign in{% endtrans %}</p>", []),
        ('<p>{% trans %}<a href="{{ home }}">Go</a>{% endtrans %}</p>', []),
        ('<nav aria-label="Back"></nav>', ["Back"]),
        ('{{ send("Sign out", "govuk-button--secondary app-x") }}', ["Sign out"]),
        ('{{ send(_("Sign out")) }}', []),
        ('{{ "one person" if x else _("People") }}', ["one person"]),
        ('{% trans a="Some words" %}{{ a }}{% endtrans %}', ["Some words"]),
        ("{% if x %}None{% endif %}", ["None"]),
    ],
)
def test_the_check_finds_words_wherever_they_stand(source: str, found: list[str]) -> None:
    assert unmarked(source) == found
