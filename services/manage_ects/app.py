"""Composition root of the stand-in for Manage ECTs. Never deployed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from services.manage_ects.publishing import CODEC, PUBLICATION
from services.manage_ects.settings import ManageEctsSettings
from services.manage_ects.writing import keep_trickling
from shared.backbone import open_backbone
from shared.bus.feed import feed_router
from shared.clock import Clock, system_clock
from shared.web.app import create_app
from shared.web.tokens import Keys, PublishedKeys, TokenVerifier


def create(settings: ManageEctsSettings, *, keys: Keys | None = None, clock: Clock = system_clock) -> FastAPI:
    http = httpx.AsyncClient(timeout=5)
    verifier = TokenVerifier("manage_ects", keys or PublishedKeys(settings.auth_url, http))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with http, open_backbone("manage_ects", settings, CODEC, clock) as backbone:
            app.state.store = backbone.store
            app.state.backbone = backbone
            backbone.publish(PUBLICATION)
            if settings.trickle_seconds:
                backbone.keep_running("trickle", lambda: keep_trickling(backbone.store, settings, clock))
            yield

    async def database() -> None:
        await app.state.backbone.check_database()

    app = create_app(
        "Manage ECTs (stand-in)",
        routers=[feed_router(PUBLICATION, "participants", "access")],
        lifespan=lifespan,
        ready={"database": database},
        verifier=verifier,
    )
    return app
