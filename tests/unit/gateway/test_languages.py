"""Pages in the language that somebody chose, and the catalogues of their words."""

import re
from collections.abc import Iterator
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from fastapi import FastAPI
from pydantic import ValidationError

from services.gateway.app import create
from services.gateway.catalogues import CATALOGUE, LOCALES, PSEUDO, language
from services.gateway.extraction import POT, collected, merged, sentences
from services.gateway.language import gettext, ngettext, speaking
from shared.settings import Environment
from tests.unit.gateway.test_pages import PUBLIC, browser, settings
from tests.untranslated import forms, untranslated

TAGS = re.compile(r"<[^>]*>")
VALUES = re.compile(r"%\((\w+)\)s")
CATALOGUES = sorted(LOCALES.glob(f"*/{CATALOGUE}"))


def offering(folder: Path, *tags: str, environment: Environment = Environment.PRODUCTION) -> FastAPI:
    (folder / "assets").mkdir(exist_ok=True)
    (folder / "assets" / "manifest.json").write_text('{"state": "x", "files": {}}')
    return create(settings(folder, environment).model_copy(update={"languages": list(tags)}))


def catalogue(file: Path) -> Catalog:
    with file.open("rb") as source:
        return read_po(source, locale=file.parents[1].name)


def translated(file: Path) -> Iterator[tuple[str, list[str]]]:
    """The English, as it is for many, and what is said for it."""
    for message in catalogue(file):
        said = forms(message.string)
        if message.id and any(said):
            yield forms(message.id)[-1], said


def all_sentences() -> Iterator[str]:
    for message in read_po(BytesIO(POT.read_bytes())):
        yield from forms(message.id)


def test_the_file_of_all_words_is_what_the_code_says() -> None:
    assert POT.read_bytes() == collected(), "run `make words`"


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.parents[1].name)
class TestEachCatalogue:
    def test_it_has_all_sentences_and_no_others(self, file: Path) -> None:
        tag = file.parents[1].name
        assert file.read_bytes() == merged(POT.read_bytes(), file.read_bytes(), tag), "run `make words`"

    def test_a_translation_has_the_tags_and_values_of_the_sentence(self, file: Path) -> None:
        """They become part of a page as they are: nothing comes in by a translation, and nothing is lost."""
        for english, translations in translated(file):
            for each in translations:
                assert sorted(TAGS.findall(each)) == sorted(TAGS.findall(english)), each
                assert set(VALUES.findall(each)) == set(VALUES.findall(english)), each
                if "%" in english or "%" in each:
                    assert each % dict.fromkeys(VALUES.findall(each), "") is not None  # a bare % would raise


async def test_a_link_on_the_page_changes_its_language_and_stays_there(tmp_path: Path) -> None:
    async with browser(offering(tmp_path, "en", "cy")) as visitor:
        english = await visitor.get("/sign-in?return_to=/participants?page=2%26role=ect")
        assert '<html lang="en"' in english.text
        link = re.search(r'<a [^>]*href="([^"]+)" hreflang="cy" lang="cy"', english.text)
        assert link
        answer = await visitor.get(unescape(link[1]))
        assert answer.status_code == 303
        assert "lang" not in answer.headers["location"]
        welsh = await visitor.get(answer.headers["location"])
        assert '<html lang="cy"' in welsh.text
        assert "Mewngofnodi" in welsh.text
        assert 'value="/participants?page=2&amp;role=ect"' in welsh.text
        assert (await visitor.get("/nowhere")).text.count("Heb ddod o hyd") > 0


async def test_what_is_not_translated_is_said_in_english(tmp_path: Path) -> None:
    async with browser(offering(tmp_path, "cy", "en")) as visitor:
        page = await visitor.get("/privacy")
    assert "Hysbysiad preifatrwydd" in page.text
    assert "Your rights" in page.text


async def test_errors_are_in_the_language_of_the_form_and_keep_what_was_typed(tmp_path: Path) -> None:
    async with browser(offering(tmp_path, "en", "cy")) as visitor:
        visitor.cookies.set("__Host-language", "cy")
        form = await visitor.get("/sign-in")
        proof = re.search(r'name="form_proof" value="([^"]+)"', form.text)
        assert proof
        answer = await visitor.post("/sign-in", data={"form_proof": proof[1], "email": "nobody"})
    assert "Gwall:" in answer.text
    assert "Rhowch gyfeiriad e-bost yn y fformat cywir" in answer.text
    assert 'value="nobody"' in answer.text
    assert "app-languages" not in answer.text


async def test_a_bug_is_told_in_the_language_too(tmp_path: Path) -> None:
    app = offering(tmp_path, "en", "cy")

    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError

    async with browser(app) as visitor:
        visitor.cookies.set("__Host-language", "cy")
        assert '<html lang="cy"' in (await visitor.get("/boom")).text


async def test_one_language_is_no_choice(tmp_path: Path) -> None:
    async with browser(offering(tmp_path, "en")) as visitor:
        visitor.cookies.set("__Host-language", "cy")
        page = await visitor.get("/cookies?lang=cy")
    assert page.status_code == 200
    assert '<html lang="en"' in page.text
    assert "app-languages" not in page.text
    assert "__Host-language" not in page.text


async def test_the_cookies_page_names_the_cookie_when_there_is_a_choice(tmp_path: Path) -> None:
    async with browser(offering(tmp_path, "en", "cy")) as visitor:
        assert "__Host-language" in (await visitor.get("/cookies")).text


async def test_the_choice_leads_to_no_other_site(tmp_path: Path) -> None:
    async with browser(offering(tmp_path, "en", "cy")) as visitor:
        for path in ("//elsewhere.example/", "/%5Celsewhere.example/", "///elsewhere.example/"):
            answer = await visitor.get(f"https://check-data.example{path}?lang=cy")
            assert re.match(r"/[^/\\]", answer.headers["location"]), path


@pytest.mark.parametrize("tags", [["xx"], ["en", "en"], [], [PSEUDO]])
def test_only_languages_that_there_are_can_be_offered(tmp_path: Path, tags: list[str]) -> None:
    known = settings(tmp_path).model_dump()
    with pytest.raises(ValidationError):
        type(settings(tmp_path)).model_validate(known | {"languages": tags})


@pytest.fixture(scope="module")
def in_brackets(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """Whose sentences stand in brackets where a catalogue has them. Templates are read once."""
    return offering(tmp_path_factory.mktemp("in-brackets"), PSEUDO, environment=Environment.DEVELOPMENT)


@pytest.mark.parametrize("path", [*PUBLIC, "/nowhere", "/participants"])
async def test_pages_for_everybody_say_nothing_outside_the_catalogue(in_brackets: FastAPI, path: str) -> None:
    async with browser(in_brackets) as visitor:
        visitor.cookies.set("session", "x")
        page = await visitor.get(path)
    assert "⟦" in page.text
    assert untranslated(page.text, set(all_sentences())) == []


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<p>⟦Sign in⟧</p>", []),
        ("<p>⟦Go <a href='/x'>back</a> to ⟦Leeds⟧⟧ now</p>", ["now"]),
        ("<p>Ada Lovelace of Leeds, ada@example.org</p>", []),
        ("<p>Since Monday</p>", []),
        ("<p>Not known</p>", ["Not known"]),
        ("<p>None</p>", ["None"]),
        ('<p aria-label="your session">⟦x⟧</p>', ["your session"]),
        ('<p lang="en">as it was <b>said</b></p><p>and this</p>', ["and this"]),
        ('<p class="app-own-lines">as they wrote<br>it</p>', []),
    ],
)
def test_the_reader_of_brackets_finds_what_is_outside(html: str, found: list[str]) -> None:
    assert [text for text in untranslated(html, {"None"}) if text] == found


def test_sentences_of_other_services_are_found_in_their_code_without_running_it() -> None:
    source = (
        b'"""Not this."""\nX = {"a": "This, to people."}\nname = NewType("Name", str)\nf"Nor {name} this"\n'
    )
    assert list(sentences(BytesIO(source))) == ["This, to people."]


def test_plurals_go_by_the_language() -> None:
    one, many = (
        "You have tried too many times. Try again in %(num)s minute.",
        "You have tried too many times. Try again in %(num)s minutes.",
    )
    assert "1 minute." in ngettext(one, many, 1)
    with speaking(language("cy")):
        assert "2 funud" in ngettext(one, many, 2)
        assert "5 munud" in ngettext(one, many, 5)
        assert gettext("Sign in") == "Mewngofnodi"
    assert gettext("Sign in") == "Sign in"
