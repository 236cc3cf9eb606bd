"""Serve one service in this process."""

import typer
import uvicorn
from prometheus_client import start_http_server
from pydantic import ValidationError

from services.cli.catalogue import create_service
from shared.logging import configure_logging

DRAIN_SECONDS = 10


def serve(service: str) -> None:
    """Its HTTP interface, and its metrics on a port of their own.

    Blocks until SIGTERM or SIGINT, then lets requests under way end (10 s at most).
    """
    try:
        app, settings = create_service(service)
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"])
            typer.echo(f"Setting CHECK_DATA_{name.upper()}: {problem['msg']}", err=True)
        raise typer.Exit(2) from None
    configure_logging(service, settings.log_level)
    if settings.metrics_port:
        start_http_server(settings.metrics_port, settings.host)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
