"""Generates docs/reference from the code: OpenAPI of each service, AsyncAPI of the bus.

`make docs` writes it; tests/contract/test_reference.py says when it is stale.
"""

import base64
import functools
import json
import operator
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from fastapi import FastAPI
from faststream.redis import RedisBroker
from faststream.specification import AsyncAPI
from pydantic import BaseModel, SecretStr, create_model

from docs.access_states import state_diagram
from docs.permissions import permission_tables
from services.access.app import create as create_access
from services.access.settings import AccessSettings
from services.auth.app import create as create_auth
from services.auth.settings import AuthSettings
from services.export.app import create as create_export
from services.export.settings import ExportSettings
from services.manage_ects.app import create as create_manage_ects
from services.manage_ects.settings import ManageEctsSettings
from services.participants.app import create as create_participants
from services.participants.settings import ParticipantsSettings
from shared.bus.publication import bus_stream
from shared.contracts import access, auth, export, manage_ects, participants
from shared.contracts.envelope import Catalogue, CloudEvent, PublishedEvent

FOLDER = Path(__file__).parent / "reference"

CATALOGUES: Mapping[str, Catalogue] = {
    "manage_ects": manage_ects.CATALOGUE,
    "auth": auth.CATALOGUE,
    "access": access.CATALOGUE,
    "participants": participants.CATALOGUE,
    "export": export.CATALOGUE,
}


def documents() -> dict[str, str]:
    """What docs/reference should hold, by file name."""
    made = {f"openapi-{name}.json": app.openapi() for name, app in applications().items()}
    made["asyncapi.json"] = _asyncapi()
    texts = {name: json.dumps(document, indent=1, sort_keys=True) + "\n" for name, document in made.items()}
    return texts | {
        "access-request-states.md": state_diagram(),
        "permissions.md": permission_tables(),
    }


def applications() -> dict[str, FastAPI]:
    """Each service's, with settings of the right shape only: nothing is opened."""
    nowhere: dict[str, Any] = {
        "database_url": SecretStr("postgresql://nowhere/nothing"),
        "redis_url": SecretStr("redis://nowhere"),
        "environment": "development",
    }
    key = SecretStr("not-a-secret-but-long-enough-for-one")
    return {
        "manage_ects": create_manage_ects(ManageEctsSettings(**nowhere)),
        "auth": create_auth(
            AuthSettings(
                **nowhere,
                link_keys=[key],
                second_factor_keys=[SecretStr(base64.urlsafe_b64encode(bytes(32)).decode())],
                signing_keys=[SecretStr(base64.b64encode(bytes(32)).decode())],
                service_secrets={"gateway": key},
            )
        ),
        "access": create_access(AccessSettings(**nowhere)),
        "participants": create_participants(
            ParticipantsSettings(**nowhere, reader_database_url=nowhere["database_url"])
        ),
        "export": create_export(ExportSettings(**nowhere)),
    }


def _asyncapi() -> Any:
    broker = RedisBroker()
    for publisher, catalogue in CATALOGUES.items():
        broker.publisher(
            stream=bus_stream(publisher, 0),
            title=publisher,
            description=f"Events that {publisher} publishes, in order, with the position as ID.",
            schema=functools.reduce(operator.or_, map(_envelope, catalogue)),
            include_in_schema=True,
        )
    specification = AsyncAPI(
        broker,
        title="Check data for delivery partners: the bus",
        description="CloudEvents 1.0 on Redis Streams: one JSON document, in the field `__data__`.",
        version="1",
    )
    return json.loads(specification.to_specification().to_json())


def _envelope(contract: type[PublishedEvent]) -> type[BaseModel]:
    return create_model(
        f"{contract.__module__.rsplit('.', 1)[-1].title().replace('_', '')}{contract.__name__}",
        __base__=CloudEvent,
        __doc__=contract.__doc__,
        type=(_only(contract.type), ...),
        data=(contract, ...),
    )


def _only(text: str) -> Any:
    return Literal[text]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, text in documents().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
