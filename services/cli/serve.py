"""Serve one service in this process."""

import uvicorn
from prometheus_client import start_http_server

from services.cli.catalogue import create_service
from services.cli.configuration import settings_told_by_name
from shared.logging import configure_logging

DRAIN_SECONDS = 10


def serve(service: str) -> None:
    """Its HTTP interface, and its metrics on a port of their own.

    Blocks until SIGTERM or SIGINT, then lets requests under way end (10 s at most).
    """
    with settings_told_by_name():
        app, settings = create_service(service)
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
        proxy_headers=False,  # the gateway counts its proxies itself: services.gateway.network
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
