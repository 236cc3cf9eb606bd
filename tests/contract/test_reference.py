"""The generated references in docs/reference are those of the code."""

import json

from docs.generate import CATALOGUES, FOLDER, documents


def test_the_references_are_up_to_date() -> None:
    stored = {file.name: file.read_text() for file in FOLDER.iterdir()}
    assert stored == documents(), "run `make docs` and commit what it writes"


def test_every_published_event_is_in_the_reference_of_the_bus() -> None:
    text = json.dumps(json.loads(documents()["asyncapi.json"]))
    for catalogue in CATALOGUES.values():
        for contract in catalogue:
            assert contract.type in text
