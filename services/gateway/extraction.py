"""`python -m services.gateway.extraction`: collects all that the pages say into locales/messages.pot.

It is the one place where all words can be read, and what translators begin with. The catalogues get what is
new, and keep what is translated. Sentences come from templates, from this service's code, and from modules of
the others that hold sentences for people: `told` says those, and none is imported for it.
"""

import ast
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po, write_po

from services.gateway.catalogues import CATALOGUE, LOCALES

ROOT: Final = Path(__file__).parents[2]
POT: Final = LOCALES / "messages.pot"
NOT_OF_THE_SERVICE: Final = frozenset({"dev_inbox.html", "dev_inbox.py"})
"""Exist in development only."""
TOLD: Final = (
    "services/access/api/problems.py",
    "services/access/domain/look_alikes.py",
    "services/access/domain/person_details.py",
    "services/access/domain/refusals.py",
    "services/access/domain/request/state.py",
    "services/access/handlers/imports.py",
    "services/access/queries/people.py",
    "services/access/queries/register_changes.py",
    "services/access/queries/time_line.py",
    "services/access/queries/why.py",
    "services/auth/problems.py",
    "services/export/api.py",
    "services/export/workers.py",
    "services/participants/domain/explanations.py",
    "services/participants/list_query.py",
    "shared/contracts/access.py",
    "shared/contracts/roles.py",
    "shared/web/problems.py",
)
"""Whose sentences pages show as they are."""
NOT_FOR_PEOPLE: Final = frozenset({"TypeVar", "NewType", "Counter", "Histogram", "Gauge", "get", "Header"})
"""Calls whose words are for programs or operators."""
TEMPLATE_OPTIONS: Final = {"newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}


def collected() -> bytes:
    """The template of all catalogues, the same for the same sources."""
    catalogue = Catalog(project="Check data for delivery partners", charset="utf-8")
    catalogue.header_comment = "# All words of the service. Made by `make words`."
    for name, message in sorted(_messages(), key=lambda found: (found[0], str(found[1]))):
        catalogue.add(message, locations=[(name, 0)], flags=_flags(message))
    return _written(catalogue)


def merged(template: bytes, translated: bytes, tag: str) -> bytes:
    """A language's catalogue with what is new, and without what is not said any more."""
    catalogue = read_po(BytesIO(translated), locale=tag)
    catalogue.update(read_po(BytesIO(template)), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    return _written(catalogue)


def _messages() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    gateway = Path(__file__).parent
    for file in gateway.rglob("*"):
        method = {".py": "python", ".html": "jinja2.ext:babel_extract"}.get(file.suffix)
        if method is None or file.name in NOT_OF_THE_SERVICE:
            continue
        options = TEMPLATE_OPTIONS if file.suffix == ".html" else None
        with file.open("rb") as source:
            for _, message, _, _ in extract(method, source, DEFAULT_KEYWORDS, options=options):
                yield str(file.relative_to(ROOT)), message
    for name in TOLD:
        with (ROOT / name).open("rb") as source:
            yield from ((name, sentence) for sentence in sentences(source))


def sentences(source: BinaryIO) -> Iterator[str]:
    """What a module holds for people: text that begins with a capital and has no values in it."""
    tree = ast.parse(source.read())
    skipped = {id(each) for node in ast.walk(tree) for each in _not_for_people(node)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str() as text) if id(node) not in skipped and _for_people(text):
                yield text


def _not_for_people(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Expr(value=documentation):
            yield documentation
        case ast.JoinedStr(values=parts):
            yield from parts
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments) if (
            name in NOT_FOR_PEOPLE
        ):
            yield from arguments
        case ast.Subscript() | ast.AnnAssign(annotation=ast.Constant()):
            yield from ast.walk(node)


def _for_people(text: str) -> bool:
    return text[:1].isupper() and not text.isupper() and not set(text) & set("_{}\n")


def _flags(message: str | tuple[str, ...]) -> list[str]:
    return ["python-format"] if "%(" in str(message) else []


def _written(catalogue: Catalog) -> bytes:
    """Without the moments and names that would differ each time."""
    file = BytesIO()
    write_po(file, catalogue, width=110, omit_header=False, include_lineno=False)
    kept = [line for line in file.getvalue().splitlines(keepends=True) if not line.startswith(CHANGING)]
    return b"".join(kept)


CHANGING: Final = tuple(
    f'"{header}'.encode()
    for header in (
        "POT-Creation-Date",
        "PO-Revision-Date",
        "Last-Translator",
        "Language-Team",
        "Generated-By",
        "Report-Msgid",
        "Project-Id",
    )
)


def main() -> None:
    template = collected()
    POT.write_bytes(template)
    for file in LOCALES.glob(f"*/{CATALOGUE}"):
        file.write_bytes(merged(template, file.read_bytes(), file.parents[1].name))


if __name__ == "__main__":
    main()
