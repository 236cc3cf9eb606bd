"""What `deploy/compose.yaml` reads: files of settings and fresh secrets, a few for each container."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import typer

from services.cli.catalogue import SERVICES, WITH_DATABASE
from services.cli.home import new_secrets
from services.cli.told import database_name, told_each
from shared.database.provision import addressed

POSTGRES = "postgresql://postgres:{}@postgres:5432/postgres"
REDIS = "redis://redis:6379/0"
OWNER = "CHECK_DATA_OWNER_DATABASE_URL"
BUCKET = "exports"


def write_environments(folder: Path, public_url: str) -> None:
    """SERVICE.env for its processes, SERVICE.owner.env for its migration, servers.env for the servers.

    Ends the command when there are some already: new secrets would not fit what is in the databases.
    """
    if any(folder.glob("*.env")):
        raise typer.BadParameter(f"{folder} holds such files already")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made, of_postgres, of_store = new_secrets(), secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    admin_url = POSTGRES.format(of_postgres)
    databases = {
        service: addressed(admin_url, service, database_name(service), made["database_password"])
        for service in WITH_DATABASE
    }
    urls = {service: f"http://{service.replace('_', '-')}:8000" for service in SERVICES}
    for service, told in told_each(made, urls, REDIS, databases).items():
        if OWNER in told:
            _write(folder / f"{service}.owner.env", {OWNER: told.pop(OWNER)})
        told["CHECK_DATA_PUBLIC_URL"] = public_url
        _write(folder / f"{service}.env", told | (_store(of_store) if service == "export" else {}))
    _write(
        folder / "provision.env",
        {
            "CHECK_DATA_ADMIN_DATABASE_URL": admin_url,
            "CHECK_DATA_DATABASE_PASSWORD": made["database_password"],
        },
    )
    _write(
        folder / "servers.env",
        {
            "POSTGRES_PASSWORD": of_postgres,
            "MINIO_ROOT_USER": "check-data",
            "MINIO_ROOT_PASSWORD": of_store,
        },
    )


def _store(password: str) -> dict[str, str]:
    return {
        "CHECK_DATA_EXPORT_STORE": f"s3://{BUCKET}",
        "CHECK_DATA_EXPORT_STORE_PLAIN_HTTP": "true",
        "AWS_ENDPOINT_URL": "http://store:9000",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "check-data",
        "AWS_SECRET_ACCESS_KEY": password,
    }


def _write(file: Path, settings: Mapping[str, str]) -> None:
    """Nothing in it needs quoting: it is read as it stands, line by line."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.writelines(f"{name}={value}\n" for name, value in settings.items())
