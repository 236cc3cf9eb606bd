"""Access: where its parts meet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from services.access.api import ROUTERS, asking
from services.access.api.desk import Desk
from services.access.api.problems import answer_refusals
from services.access.audit import PUBLISHERS, Recorder
from services.access.bank_holidays import is_bank_holiday
from services.access.consumers import Organisations
from services.access.erased_addressees import NotToTheErased
from services.access.handlers import lapse_due
from services.access.handlers.deadlines import DeadlineJobs, set_deadlines
from services.access.handlers.reviews import ReviewJobs, open_review_of_the_month
from services.access.publishing import CODEC, PUBLICATION
from services.access.ready_emails import ReadyEmails, ReadyFiles
from services.access.request_gauges import MEASURE_SECONDS, measure_requests
from services.access.review_emails import ReviewEmails
from services.access.settings import AccessSettings
from services.access.waiting_emails import WaitingEmails
from services.access.workers import Emails
from shared.backbone import Backbone, open_backbone
from shared.bus.feed import feed_router
from shared.clock import Clock, system_clock
from shared.email import open_mailer
from shared.web.app import create_app
from shared.web.tokens import Keys, PublishedKeys, TokenVerifier
from shared.web.withdrawals import Withdrawals


def create(settings: AccessSettings, *, keys: Keys | None = None, clock: Clock = system_clock) -> FastAPI:
    """keys: which tokens are believed; those that auth publishes, unless a test brings its own."""
    http = httpx.AsyncClient(timeout=5)
    withdrawals = Withdrawals()
    verifier = TokenVerifier("access", keys or PublishedKeys(settings.auth_url, http), withdrawals)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with http, open_backbone("access", settings, CODEC, clock) as backbone:
            app.state.backbone = backbone
            app.state.store = backbone.store
            app.state.desk = Desk(backbone.store, clock)
            backbone.heed(withdrawals)
            backbone.publish(PUBLICATION)
            await backbone.follow(Organisations(clock))
            for publisher in PUBLISHERS:
                await backbone.follow(Recorder(publisher))
            await backbone.follow(ReadyFiles())
            mailer = open_mailer(backbone, settings.email, development=settings.development)
            to_known = NotToTheErased(mailer)
            emails = Emails(backbone.engine, to_known, settings.public_url).handlers
            waiting = WaitingEmails(backbone.store, to_known, settings.public_url).handlers
            backbone.work(
                emails
                | waiting
                | ReadyEmails(backbone.engine, to_known, settings.public_url).handlers
                | ReviewEmails(backbone.engine, to_known, settings.public_url).handlers
                | DeadlineJobs(backbone.store, clock).handlers
                | ReviewJobs(backbone.store, clock).handlers
            )

            async def lapse() -> None:
                await lapse_due(backbone.store, clock())

            async def deadlines() -> None:
                await set_deadlines(backbone.store, settings.deadlines, is_bank_holiday)

            async def review() -> None:
                days = settings.review_working_days
                await open_review_of_the_month(backbone.store, clock(), days, is_bank_holiday)

            async def requests() -> None:
                await measure_requests(backbone.engine, clock())

            backbone.repeat("requests by state", MEASURE_SECONDS, requests)
            backbone.repeat("review", settings.lapse_seconds, review)
            backbone.repeat("lapse", settings.lapse_seconds, lapse)
            backbone.repeat("deadlines", settings.deadline_seconds, deadlines)
            yield

    async def database_ready() -> None:
        backbone: Backbone[object] = app.state.backbone
        await backbone.check_database()

    app = create_app(
        "access",
        routers=[asking.router, *ROUTERS, feed_router(PUBLICATION, "auth", "access")],
        lifespan=lifespan,
        ready={"database": database_ready},
        verifier=verifier,
    )
    answer_refusals(app)
    return app
