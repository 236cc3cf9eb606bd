"""Serve one service in this process."""

import importlib
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

import typer
import uvicorn
from prometheus_client import start_http_server

from services.cli.catalogue import create_service
from services.cli.configuration import EXIT_CODE, settings_told_by_name
from shared import tasks
from shared.keys import guessable, too_short
from shared.logging import configure_logging
from shared.settings import CommonSettings
from shared.web.idle_connections import CLOSED_AFTER_SECONDS

DRAIN_SECONDS = 10


def _must_prove_itself(settings: CommonSettings) -> None:
    """Outside development: a service whose secret is missing or can be guessed does not start."""
    secret = settings.service_secret.get_secret_value()
    if not settings.development and (too_short(secret) or guessable(secret)):
        typer.echo("Setting CHECK_DATA_SERVICE_SECRET: is missing, short, or can be guessed", err=True)
        raise typer.Exit(EXIT_CODE)


def serve(service: str) -> None:
    """Its HTTP interface, and its metrics on a port of their own.

    Blocks until SIGTERM or SIGINT, then lets requests under way end (10 s at most), and jobs (5 s at most).
    Ends with 0, or with 1 after a bug in a background task.
    """
    with settings_told_by_name():
        app, settings = create_service(service)
    _must_prove_itself(settings)
    configure_logging(service, settings.log_level)
    if settings.metrics_port:
        start_http_server(settings.metrics_port, settings.host)
    tell_the_rest = _told_traces(service, settings)
    # When all is closed, uvicorn raises the signal once more, for whoever was there before it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    try:
        uvicorn.run(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the gateway counts its proxies itself: services.gateway.network
            timeout_keep_alive=CLOSED_AFTER_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    finally:
        tell_the_rest()


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(1 if tasks.failed else 0)


def _told_traces(service: str, settings: CommonSettings) -> Callable[[], None]:
    """Returns what to call at the end. OpenTelemetry is loaded only where it is asked for."""
    if not settings.traces_to:
        return lambda: None
    end: Callable[[], None] = importlib.import_module("shared.otlp").tell_collector(
        service, settings.traces_to, settings.traces_share
    )
    return end
