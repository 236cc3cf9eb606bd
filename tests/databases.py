"""Databases for tests: one is migrated for each service, and copied for each test that wants it."""

import uuid

import asyncpg

from shared.database.migrate import migrate
from shared.database.provision import ServiceDatabase, addressed, only_for, provision
from tests.servers import Servers

PASSWORD = "not-a-secret"
LET_IN = "ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}"
SEND_AWAY = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1"


class Databases:
    def __init__(self, servers: Servers) -> None:
        self._admin_url = servers.postgres_admin_url
        self._migrated: dict[str, str] = {}

    async def new(self, service: str) -> ServiceDatabase:
        """An empty, migrated database of the service."""
        if service not in self._migrated:
            name = _name(service)
            database = await provision(self._admin_url, service, name, PASSWORD)
            await migrate(service, database.owner_url)
            self._migrated[service] = name
        return await self.copy(service, self._migrated[service])

    async def copy(self, service: str, source: str) -> ServiceDatabase:
        """A database that holds what `source` holds. Whoever is still connected to `source` is sent away.

        A service that is stopped while it opens a connection may leave one behind, or open it again.
        """
        name = _name(service)
        # The driver alone: most tests begin with a copy, and an engine asks a server about itself first.
        connection = await asyncpg.connect(self._admin_url)
        try:
            await connection.execute(LET_IN.format(source, "false"))
            try:
                await connection.execute(SEND_AWAY, source)
                await connection.execute(f"CREATE DATABASE {name} OWNER {service}_owner TEMPLATE {source}")
            finally:  # later tests want it, too
                await connection.execute(LET_IN.format(source, "true"))
            for statement in only_for(service, name):
                await connection.execute(statement)
        finally:
            await connection.close()
        return addressed(self._admin_url, service, name, PASSWORD)


def _name(service: str) -> str:
    return f"test_{service}_{uuid.uuid4().hex[:8]}"
