"""Composition root of auth."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from services.auth import asking_api, second_factor_api, staff_api
from services.auth.api import OPEN_PATHS, router
from services.auth.application import Auth
from services.auth.asking import EMAIL_ASKING_LINK, SEND_ASKING_LINK, Asking, AskingRules
from services.auth.consumers import AccessFollower
from services.auth.devices import NEW_DEVICE, DeviceNotices, forget_old
from services.auth.limits import Counting, LinkLimits, Throttle
from services.auth.links import CONFIRMATION_LINK, EMAIL_LINK, SEND_LINK, LinkRules, Links
from services.auth.own_sessions import OwnSessions
from services.auth.problems import PROBLEMS, problem_of
from services.auth.publishing import CODEC, PUBLICATION
from services.auth.retention import forget_what_is_over
from services.auth.second_factors import TELL_OF_SECOND_FACTOR, SecondFactors
from services.auth.session_lookup import SessionLookup
from services.auth.sessions import Limits, Sessions
from services.auth.settings import AuthSettings
from services.auth.signing import SigningKeys, TokenIssuer
from services.auth.signing_out import SigningOut
from services.auth.vault import Vault
from shared.backbone import open_backbone
from shared.bus.feed import feed_router
from shared.clock import Clock, system_clock
from shared.database.pool import open_pool
from shared.email import open_mailer
from shared.web.app import create_app
from shared.web.tokens import Keys, TokenVerifier
from shared.web.withdrawals import Withdrawals

SWEEP_SECONDS = 30.0
FORGET_SECONDS = 3600.0


def create(settings: AuthSettings, *, keys: Keys | None = None, clock: Clock = system_clock) -> FastAPI:
    """keys: whose tokens are trusted; auth's own, but for tests."""
    signing = SigningKeys([key.get_secret_value() for key in settings.signing_keys])

    withdrawals = Withdrawals()
    vault = Vault([key.get_secret_value() for key in settings.second_factor_keys])

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            aclosing(Counting(settings.redis_url.get_secret_value())) as counting,
            open_backbone("auth", settings, CODEC, clock) as backbone,
            open_pool(settings.database_url.get_secret_value(), settings.database_pool_size) as pool,
        ):
            mailer = open_mailer(backbone, settings.email, development=settings.development)
            links = Links(backbone.store, clock, mailer, _rules(settings))
            asking = app.state.asking = Asking(backbone.store, clock, mailer, _asking_rules(settings))
            notices = DeviceNotices(backbone.engine, mailer, settings.public_url)
            factors = SecondFactors(backbone.store, clock, vault, mailer, settings.shown_codes)
            app.state.second_factors = factors
            sessions = Sessions(backbone.store, clock, *_limits(settings))
            lookup = SessionLookup(pool, clock, *_limits(settings))
            app.state.backbone = backbone
            app.state.store = backbone.store
            issuer = TokenIssuer(signing, clock, timedelta(seconds=settings.token_seconds))
            own = OwnSessions(backbone.store, clock)
            throttle = _throttle(settings, counting)
            signing_out = SigningOut(backbone.store, clock)
            app.state.auth = Auth(
                settings,
                backbone.engine,
                links,
                throttle,
                sessions,
                lookup,
                own,
                signing_out,
                signing,
                issuer,
            )
            backbone.heed(withdrawals)
            backbone.publish(PUBLICATION)

            async def forget_old_browsers() -> None:
                await forget_old(backbone.engine, clock() - timedelta(days=settings.device_days))

            async def forget_old_links() -> None:
                await forget_what_is_over(backbone.engine, clock() - timedelta(days=settings.retention_days))

            await backbone.follow(AccessFollower(clock))
            backbone.work(
                {
                    SEND_LINK: links.send_link,
                    CONFIRMATION_LINK: links.confirmation_link,
                    EMAIL_LINK: links.email_link,
                    SEND_ASKING_LINK: asking.send,
                    EMAIL_ASKING_LINK: asking.email,
                    NEW_DEVICE: notices.tell,
                    TELL_OF_SECOND_FACTOR: factors.tell,
                }
            )
            backbone.repeat("end expired sessions", SWEEP_SECONDS, sessions.end_expired)
            backbone.repeat("forget old browsers", FORGET_SECONDS, forget_old_browsers)
            backbone.repeat("forget links and sessions", FORGET_SECONDS, forget_old_links)
            backbone.repeat("forget old asking links", FORGET_SECONDS, asking.forget_old)
            backbone.repeat("renew second factors", FORGET_SECONDS, factors.renew)
            yield

    async def database() -> None:
        await app.state.backbone.check_database()

    app = create_app(
        "Auth",
        routers=[
            router,
            asking_api.router,
            second_factor_api.router,
            staff_api.router,
            feed_router(PUBLICATION, "access"),
        ],
        lifespan=lifespan,
        ready={"database": database},
        verifier=TokenVerifier("auth", keys or signing, withdrawals),
        open_paths=OPEN_PATHS,
    )
    for error in PROBLEMS:
        app.add_exception_handler(error, _refused)
    return app


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    return problem_of(error).response()


def _rules(settings: AuthSettings) -> LinkRules:
    return LinkRules(
        lifetime=settings.link_lifetime,
        confirmation_lifetime=settings.confirmation_lifetime,
        per_person=settings.links_per_address,
        public_url=settings.public_url,
        key=settings.link_keys[0].get_secret_value().encode(),
        bits=settings.link_bits,
    )


def _asking_rules(settings: AuthSettings) -> AskingRules:
    return AskingRules(
        lifetime=timedelta(hours=settings.asking_link_hours),
        at_once=settings.asking_links_per_address,
        public_url=settings.public_url,
        keys=[key.get_secret_value().encode() for key in settings.link_keys],
        bits=settings.link_bits,
    )


def _throttle(settings: AuthSettings, counting: Counting) -> Throttle:
    limits = LinkLimits(
        settings.link_limits_network,
        settings.link_limits_address,
        settings.link_limits_everybody,
        settings.link_limits_device,
    )
    key = settings.link_keys[0].get_secret_value().encode()
    return Throttle(counting, limits, key)


def _limits(settings: AuthSettings) -> tuple[Limits, Limits]:
    return (
        Limits(timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.absolute_hours)),
        Limits(
            timedelta(minutes=settings.staff_idle_minutes), timedelta(hours=settings.staff_absolute_hours)
        ),
    )
