"""A running auth, with a person who holds one grant."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from services.auth.app import create
from services.auth.keys import second_factor_key
from services.auth.settings import AuthSettings
from shared.contracts import access
from shared.contracts.manage_ects import OrganisationKind
from shared.contracts.roles import Role
from shared.database.provision import ServiceDatabase
from shared.settings import EmailSettings, Environment
from tests.conftest import NewDatabase
from tests.integration.auth.running import (
    GRANT,
    PARTNER,
    PERSON,
    SECRET,
    Clock,
    Running,
    granted,
    signing_key,
)


@pytest.fixture
async def database(new_database: NewDatabase) -> ServiceDatabase:
    return await new_database("auth")


@pytest.fixture
def settings(database: ServiceDatabase, redis_url: str, tmp_path: Path) -> AuthSettings:
    return AuthSettings(
        environment=Environment.DEVELOPMENT,
        database_url=SecretStr(database.service_url),
        redis_url=SecretStr(redis_url),
        feed_urls={"access": "http://127.0.0.1:9"},
        auth_url="http://auth",
        link_keys=[SecretStr("k" * 32)],
        signing_keys=[SecretStr(signing_key())],
        second_factor_keys=[SecretStr(second_factor_key())],
        service_secrets={name: SecretStr(SECRET + name) for name in ("gateway", "export", "access")},
        token_seconds=300,  # longer than any test, on any machine
        email=EmailSettings(via="inbox", inbox_folder=tmp_path),
    )


@pytest.fixture
async def auth(database: ServiceDatabase, settings: AuthSettings, tmp_path: Path) -> AsyncIterator[Running]:
    clock = Clock()
    app = create(settings, clock=clock)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://auth") as http,
    ):
        token = await http.post("/tokens", json={"audience": "auth"}, auth=("gateway", SECRET + "gateway"))
        http.headers["authorization"] = f"Bearer {token.json()['token']}"
        running = Running(app, http, clock, tmp_path, database.owner_url)
        await running.tell(
            access.PersonRegistered(person_id=PERSON, full_name="Dana Whitfield", email="Dana@Example.org"),
            access.OrganisationNamed(
                kind=OrganisationKind.DELIVERY_PARTNER, organisation_id=PARTNER, name="Fernhill"
            ),
            granted(GRANT, Role.DELIVERY_PARTNER),
        )
        yield running
