"""A development installation: servers, databases, and what each service is told."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from services.cli.catalogue import SERVICES, WITH_DATABASE
from services.cli.home import Home
from services.cli.told import database_name, told_each
from shared.database.migrate import migrate
from shared.database.provision import ServiceDatabase, provision
from shared.embedded.ports import free_ports
from shared.embedded.postgres import start_postgres
from shared.embedded.valkey import start_valkey


@dataclass(frozen=True, slots=True)
class Servers:
    admin_database_url: str
    redis_url: str


def start_servers(home: Home, stack: ExitStack) -> Servers:
    """The servers that settings name, embedded ones otherwise. The stack stops what was started.

    CHECK_DATA_ADMIN_DATABASE_URL: a superuser's URL of a Postgres. CHECK_DATA_REDIS_URL: a Redis or Valkey.
    """
    database = os.environ.get("CHECK_DATA_ADMIN_DATABASE_URL") or start_postgres(home.postgres)
    redis = os.environ.get("CHECK_DATA_REDIS_URL")
    if not redis:
        valkey = start_valkey(home.valkey)
        stack.callback(valkey.stop)
        redis = f"redis://127.0.0.1:{valkey.port}/0"
    return Servers(database, redis)


async def prepare_databases(home: Home, servers: Servers) -> Mapping[str, ServiceDatabase]:
    """Make and migrate each service's database."""
    password = home.secrets()["database_password"]
    databases = {}
    for service in WITH_DATABASE:
        databases[service] = await provision(
            servers.admin_database_url, service, database_name(service), password
        )
        await migrate(service, databases[service].owner_url)
    return databases


def environments(
    home: Home, servers: Servers, databases: Mapping[str, ServiceDatabase], gateway_port: int
) -> Mapping[str, dict[str, str]]:
    """What each service is told, by service."""
    free = iter(free_ports(len(WITH_DATABASE) + len(SERVICES)))
    ports = {service: next(free) for service in WITH_DATABASE} | {"gateway": gateway_port}
    metrics = {service: next(free) for service in SERVICES}
    urls = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
    told = told_each(home.secrets(), urls, servers.redis_url, databases)
    for service, own in told.items():
        own |= {
            "CHECK_DATA_HOME": str(home.folder),
            "CHECK_DATA_PUBLIC_URL": urls["gateway"],
            "CHECK_DATA_EMAIL_VIA": os.environ.get("CHECK_DATA_EMAIL_VIA", "inbox"),
            "CHECK_DATA_EMAIL_INBOX_FOLDER": str(home.inbox),
            "CHECK_DATA_PORT": str(ports[service]),
            "CHECK_DATA_METRICS_PORT": str(metrics[service]),
        }
    told["export"]["CHECK_DATA_EXPORT_STORE"] = home.exports.as_uri()
    told["gateway"]["CHECK_DATA_ASSETS_FOLDER"] = str(home.assets)
    return told
