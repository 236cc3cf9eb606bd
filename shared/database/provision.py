"""Databases and roles on a server of one's own: development, tests, a first installation.

Each service has a database, an owner of its tables (migrations) and a login role that owns nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.database.engine import create_engine

EXTRA_ROLES: Mapping[str, tuple[str, ...]] = {"participants": ("participants_reader",)}
"""Roles beside owner and service. participants_reader sees rows of one organisation only."""


@dataclass(frozen=True, slots=True)
class ServiceDatabase:
    """One service's database: its name, and its URLs by role."""

    name: str
    owner_url: str
    service_url: str
    extra_urls: Mapping[str, str]


async def provision(admin_url: str, service: str, name: str, password: str) -> ServiceDatabase:
    """Create the database `name` and the service's roles where they are missing. Idempotent.

    admin_url: a superuser's. password: of all roles of this service (a server that trusts local
    sockets ignores it).
    """
    roles = _roles(service)
    engine = create_engine(admin_url, pool_size=1)
    try:
        async with engine.connect() as raw:
            connection = await raw.execution_options(isolation_level="AUTOCOMMIT")
            for role in roles:
                await _ensure_role(connection, role, password)
            if not await connection.scalar(
                text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}
            ):
                await _create_database(connection, name, owner=roles[0])
            for statement in only_for(service, name):
                await connection.execute(text(statement))
    finally:
        await engine.dispose()
    return addressed(admin_url, service, name, password)


def only_for(service: str, name: str) -> tuple[str, ...]:
    """Statements after which nobody but the service's roles connects to the database."""
    return (
        f"REVOKE CONNECT, TEMPORARY ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {name} TO {', '.join(_roles(service))}",
    )


def addressed(server_url: str, service: str, name: str, password: str) -> ServiceDatabase:
    """Where the service's database is, or will be, on a server."""

    def url(role: str) -> str:
        return (
            make_url(server_url)
            .set(username=role, password=password, database=name)
            .render_as_string(hide_password=False)
        )

    owner, own, *extra = _roles(service)
    return ServiceDatabase(
        name=name, owner_url=url(owner), service_url=url(own), extra_urls={role: url(role) for role in extra}
    )


def _roles(service: str) -> tuple[str, ...]:
    return (f"{service}_owner", f"{service}_service", *EXTRA_ROLES.get(service, ()))


async def _create_database(connection: AsyncConnection, name: str, owner: str) -> None:
    # Characters are told apart as in Unicode (trigram search needs it), and ordered the same everywhere.
    version = int(await connection.scalar(text("SHOW server_version_num")) or 0)
    builtin = "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
    locale = builtin if version >= 170000 else "LOCALE 'C.UTF-8'"
    await connection.execute(
        text(f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8' {locale}")
    )


async def _ensure_role(connection: AsyncConnection, role: str, password: str) -> None:
    known = await connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    verb = "ALTER" if known else "CREATE"
    quoted = password.replace("'", "''")
    await connection.execute(text(f"{verb} ROLE {role} LOGIN NOSUPERUSER PASSWORD '{quoted}'"))
