"""Which services there are. The CLI knows them by name only and loads them when asked."""

import importlib
from typing import Any

from fastapi import FastAPI

WITH_DATABASE = ("manage_ects", "auth", "access", "participants", "export")
"""In the order in which they are started: who is called first comes first."""
SERVICES = (*WITH_DATABASE, "gateway")


def create_service(service: str) -> tuple[FastAPI, Any]:
    """The service's application and its settings, read from the environment.

    Raises pydantic's ValidationError when a setting is missing or malformed.
    """
    settings = importlib.import_module(f"services.{service}.settings").Settings()
    app: FastAPI = importlib.import_module(f"services.{service}.app").create(settings)
    return app, settings
