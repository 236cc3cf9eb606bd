"""What answers a request is made of coroutines: FastAPI runs a plain function in a thread, at a cost."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from docs.generate import applications
from services.gateway.app import create as create_gateway
from services.gateway.settings import GatewaySettings


@pytest.mark.parametrize("name", [*applications(), "gateway"])
def test_endpoints_and_dependencies_are_coroutines(name: str) -> None:
    app = (applications() | {"gateway": create_gateway(GatewaySettings(environment="development"))})[name]
    called = [call for route in _routes(app) for call in _calls(route.dependant)]
    assert len(called) > len({route.path for route in _routes(app)}), "no dependency was seen"
    assert [call for call in called if not _is_coroutine(call)] == []


def _routes(app: FastAPI) -> list[Any]:
    return [one for one in iter_route_contexts(app.routes) if getattr(one, "dependant", None)]


def _calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for dependency in dependant.dependencies:
        yield from _calls(dependency)


def _is_coroutine(call: Any) -> bool:
    made = call if inspect.isroutine(call) else call.__call__
    return inspect.iscoroutinefunction(made) or inspect.isasyncgenfunction(made)
