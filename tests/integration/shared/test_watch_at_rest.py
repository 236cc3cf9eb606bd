"""What the watch over the suite looks at when all is done, shown to find. Each thing is removed again."""

import json
from uuid import UUID

import asyncpg
import pytest
from redis.asyncio import Redis

from services.auth.domain.events import LinkId
from services.auth.domain.link_token import link_token
from services.auth.totp import new_secret
from services.manage_ects.domain.names import trn
from shared.bus.stream import BODY
from shared.database.provision import ServiceDatabase
from tests.security.canaries import Finding, of_bus, of_database
from tests.servers import Servers, databases_of
from tests.watch import ALIKE

LINK = link_token(LinkId(UUID(int=7)), b"k" * 32)


@pytest.mark.parametrize("kind", ["text", "bytea", "jsonb"])
@pytest.mark.parametrize("token", [LINK, new_secret()], ids=["link", "secret of an app"])
async def test_a_token_in_any_column_of_any_table_is_found(
    plain_database: ServiceDatabase, kind: str, token: str
) -> None:
    connection = await asyncpg.connect(plain_database.owner_url)
    said = json.dumps({"said": token})
    await connection.execute(f"CREATE TABLE planted (it {kind})")
    await connection.execute(
        f"INSERT INTO planted VALUES (convert_from($1, 'UTF8')::{kind})",  # noqa: S608
        said.encode(),
    )
    found = await of_database("plain", plain_database.owner_url, ALIKE)
    await connection.execute("DROP TABLE planted")
    await connection.close()
    assert found == [Finding("plain.planted", token)]


async def test_every_database_of_the_tests_is_looked_at(
    servers: Servers, plain_database: ServiceDatabase, redis_url: str
) -> None:
    assert plain_database.name in {name for name, _ in await databases_of(servers)}
    assert redis_url in servers.redis_urls


async def test_somebody_on_the_bus_is_found_where_no_contract_allows_it(redis: Redis) -> None:
    name, address = "Marcus " + "Bell", "m.b" + "@" + "example.org"
    registered = {"person_id": str(UUID(int=1)), "full_name": name, "email": address}
    for data, found in (
        (registered, set()),
        ({**registered, "note": name}, {"marcus " + "bell"}),
        ({**registered, "full_name": LINK}, {LINK}),
        ({"person_id": trn(1)}, {trn(1)}),
    ):
        event = {"type": "access.person-registered.v1", "data": data}
        await redis.xadd("planted", {BODY: json.dumps(event)})
        assert {finding.canary for finding in await of_bus(redis, ALIKE, "planted")} == found
        await redis.delete("planted")


@pytest.mark.parametrize("entry", [{"of": LINK}, {BODY: f"not JSON, {LINK}"}, {BODY: json.dumps([LINK])}])
async def test_what_is_no_event_at_all_is_looked_at_too(redis: Redis, entry: dict[str, str]) -> None:
    await redis.xadd("planted", entry)  # type: ignore[arg-type]
    found = await of_bus(redis, ALIKE, "planted")
    await redis.delete("planted")
    assert found == [Finding("planted", LINK)]
