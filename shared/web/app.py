"""The frame of every service's HTTP interface."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, FastAPI

from shared.web.health import HEALTH_PATHS, Check, health_router
from shared.web.middleware import Observe
from shared.web.problems import answer_problems
from shared.web.tokens import Authenticate, TokenVerifier

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(
    title: str,
    *,
    routers: list[APIRouter],
    lifespan: Lifespan,
    ready: Mapping[str, Check],
    verifier: TokenVerifier | None,
    open_paths: frozenset[str] = frozenset(),
) -> FastAPI:
    """A FastAPI application with problem documents, tracing, metrics and health, and these routers.

    ready: what /health/ready asks, by name. verifier: checks the token of every call; None for the gateway,
    whose callers are people. open_paths: what is answered without a token, besides health.
    """
    app = FastAPI(
        title=title,
        version="1",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # docs/reference has it
        redirect_slashes=False,  # it would redirect to whatever host the caller names
    )
    if verifier is not None:
        app.add_middleware(Authenticate, verifier=verifier, open_paths=open_paths | HEALTH_PATHS)
    app.add_middleware(Observe)
    answer_problems(app)
    app.include_router(health_router(ready))
    for router in routers:
        app.include_router(router)
    return app
