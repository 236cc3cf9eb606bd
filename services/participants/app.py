"""Composition root of participants."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import httpx
from fastapi import FastAPI

from services.participants.api import router
from services.participants.consumers import ManageEcts
from services.participants.days import begin_day, keep_days
from services.participants.derivation import Derivation
from services.participants.precedence import PeopleFirst, Precedence
from services.participants.publishing import CODEC, PUBLICATION
from services.participants.queries import ParticipantQueries
from services.participants.replica import open_replica
from services.participants.scope import open_readers
from services.participants.settings import ParticipantsSettings
from services.participants.visits import Visits
from shared.backbone import open_backbone
from shared.bus.feed import feed_router
from shared.clock import Clock, system_clock
from shared.web.app import create_app
from shared.web.tokens import Keys, PublishedKeys, TokenVerifier
from shared.web.withdrawals import Withdrawals

FORGET_SECONDS = 3600.0


def create(
    settings: ParticipantsSettings, *, keys: Keys | None = None, clock: Clock = system_clock
) -> FastAPI:
    """The application. keys, clock: for tests; else those that auth publishes, and the system's."""
    http = httpx.AsyncClient(timeout=5)
    withdrawals = Withdrawals()
    precedence = Precedence()
    verifier = TokenVerifier("participants", keys or PublishedKeys(settings.auth_url, http), withdrawals)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        url = settings.reader_database_url.get_secret_value()
        async with (
            http,
            open_backbone("participants", settings, CODEC, clock) as backbone,
            open_readers(url, settings.reader_pool_size) as readers,
            open_replica(settings) as replica,
        ):
            derivation = Derivation(backbone.engine, settings.derivation_batch)
            app.state.backbone = backbone
            app.state.store = backbone.store
            app.state.clock = clock
            app.state.queries = ParticipantQueries(readers, precedence, replica)
            visits = Visits(backbone.engine)
            app.state.visits = visits
            app.state.derivation = derivation

            async def forget_old_visits() -> None:
                await visits.forget(clock() - timedelta(days=settings.visit_days))

            await begin_day(backbone.store, clock)
            backbone.heed(withdrawals)
            backbone.publish(PUBLICATION)
            await backbone.follow(ManageEcts(derivation.wake))
            backbone.keep_running("derivation", derivation.run)
            if replica is not None:
                backbone.keep_running("replica", partial(replica.keep_looking, backbone.engine))
            backbone.repeat("forget old visits", FORGET_SECONDS, forget_old_visits)
            backbone.keep_running("days", lambda: keep_days(backbone.store, clock, derivation.wake))
            yield

    async def database() -> None:
        await app.state.backbone.check_database()

    async def reader() -> None:
        await app.state.queries.check()

    app = create_app(
        "Participants",
        routers=[router, feed_router(PUBLICATION, "access", "participants")],
        lifespan=lifespan,
        ready={"database": database, "reader": reader},
        verifier=verifier,
    )
    app.add_middleware(PeopleFirst, precedence=precedence)
    return app
