"""Export: take it with you. The only place where its parts meet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
from fastapi import FastAPI

from services.export.api import answer_refusals, router
from services.export.domain.export_job import Limits
from services.export.expiry import SWEEP_SECONDS, Expiry
from services.export.handlers import WRITE_EXPORT, Exports
from services.export.object_store import ObjectFiles
from services.export.participant_rows import ROWS_TIMEOUT, ParticipantsService
from services.export.publishing import CODEC, PUBLICATION
from services.export.rows import forget_words
from services.export.settings import ExportSettings
from services.export.turns import Turns
from services.export.workers import ExportWriter
from shared.backbone import HTTP_SECONDS, open_backbone
from shared.bus.feed import feed_router
from shared.clock import Clock, system_clock
from shared.web.app import create_app
from shared.web.tokens import Keys, PublishedKeys, TokenVerifier
from shared.web.withdrawals import Withdrawals

FORGET_SECONDS = 3600.0
JOBS_HELD = 64
"""Jobs taken from the queue by one process: most of them wait for their organisation's turn."""


def create(settings: ExportSettings, *, keys: Keys | None = None, clock: Clock = system_clock) -> FastAPI:
    http = httpx.AsyncClient(timeout=HTTP_SECONDS)
    withdrawals = Withdrawals()
    verifier = TokenVerifier("export", keys or PublishedKeys(settings.auth_url, http), withdrawals)
    lifetime = timedelta(hours=settings.export_lifetime_hours)
    limits = Limits(
        person=settings.export_limit,
        organisation=settings.export_limit_organisation,
        person_in_an_hour=settings.export_limit_hour,
        rows=settings.export_limit_rows,
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            http,
            httpx.AsyncClient(timeout=ROWS_TIMEOUT) as rows_http,
            open_backbone("export", settings, CODEC, clock) as backbone,
        ):
            engine, files = (
                backbone.engine,
                ObjectFiles(settings.export_store, plain_http=settings.export_store_plain_http),
            )
            exports = Exports(backbone.store, clock, limits)
            participants = ParticipantsService(settings.participants_url, rows_http, backbone.tokens)
            turns = Turns(settings.export_places, settings.export_places_each)
            writer = ExportWriter(exports, participants, files, engine, clock, lifetime, turns)
            expiry = Expiry(exports, files, engine, clock, lifetime)
            app.state.backbone, app.state.store = backbone, backbone.store
            app.state.exports, app.state.files = exports, files
            backbone.heed(withdrawals)
            backbone.publish(PUBLICATION)
            backbone.work({WRITE_EXPORT: writer.write_export}, concurrency=JOBS_HELD)
            backbone.repeat("expiry", settings.export_expiry_seconds, expiry.expire)
            backbone.repeat("sweep", SWEEP_SECONDS, expiry.sweep)

            async def forget_old_words() -> None:
                async with engine.begin() as connection:
                    await forget_words(connection, clock() - timedelta(days=settings.retention_days))

            backbone.repeat("forget search words", FORGET_SECONDS, forget_old_words)
            yield

    async def database() -> None:
        await app.state.backbone.check_database()

    app = create_app(
        "export",
        routers=[router, feed_router(PUBLICATION, "access")],
        lifespan=lifespan,
        ready={"database": database},
        verifier=verifier,
    )
    answer_refusals(app)
    return app
