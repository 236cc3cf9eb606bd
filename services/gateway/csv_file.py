"""A CSV file for an import: uploaded, or its lines pasted."""

from typing import Final

from services.gateway.forms import LONGEST_CSV, Form
from services.gateway.language import gettext

UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")


def csv_of(form: Form) -> tuple[str, bool]:
    """The text, and whether it is to be tried only.

    A file goes before what is pasted, and into the box of the lines, so that the button that imports sends
    what was checked. What came just now as a file was not checked yet. What is wrong is in form.errors.
    """
    uploaded = form.files.get("file")
    if uploaded is not None:
        try:
            form.values = {**form.values, "csv": _text(uploaded)}
        except _NotText as error:
            form.errors["file"] = str(error)
            return "", True
        if not form.values["csv"]:
            form.errors["file"] = gettext("The file is empty")
            return "", True
    text = form.text("csv", gettext("Select a file, or paste its lines"), LONGEST_CSV)
    return text, uploaded is not None or form.values.get("action") != "import"


class _NotText(Exception):
    """Says what is wrong with the file."""


def _text(raw: bytes) -> str:
    """Without the byte-order mark. Raises _NotText."""
    if raw.startswith(UTF_16):
        raise _NotText(
            gettext("The file is not in UTF-8. In Excel, save the file as “CSV UTF-8 (comma delimited)”.")
        )
    try:
        return raw.decode("utf-8-sig").rstrip()
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise _NotText(
            gettext(
                "Line %(line)s of the file is not in UTF-8. In Excel, save the file as "
                "“CSV UTF-8 (comma delimited)”.",
                line=line,
            )
        ) from None
