"""Privileges given in migrations: table by table, to the roles of the service, and no more."""

from alembic import context, op


def service_role() -> str:
    """The login role of the service's processes, which owns nothing."""
    return str(context.config.attributes["service_role"])


def grant(privileges: str, *tables: str, role: str | None = None) -> None:
    """GRANT privileges ON tables TO the service's role (or another role that exists)."""
    op.execute(f"GRANT {privileges} ON {', '.join(tables)} TO {role or service_role()}")
