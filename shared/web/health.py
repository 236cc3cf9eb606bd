"""Live: the process answers. Ready: what it needs is there."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog
from fastapi import APIRouter, Response

log = structlog.get_logger(__name__)

Check = Callable[[], Awaitable[None]]
"""Raises when what it checks is not there."""

CHECK_SECONDS = 2.0
HEALTH_PATHS = frozenset({"/health/live", "/health/ready"})


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    router = APIRouter(prefix="/health", include_in_schema=False)

    @router.get("/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @router.get("/ready")
    async def ready(response: Response) -> dict[str, str]:
        answers = dict(zip(checks, await asyncio.gather(*map(_ask, checks.items())), strict=True))
        if any(answer != "ready" for answer in answers.values()):
            response.status_code = 503
        return answers

    return router


async def _ask(named_check: tuple[str, Check]) -> str:
    name, check = named_check
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception as error:  # whatever the reason, the answer is "not ready", and the log says why
        log.warning("not_ready", needs=name, error=type(error).__name__)
        return "not ready"
    return "ready"
