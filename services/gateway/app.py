"""Composition root of the gateway."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from fastapi import APIRouter, Depends, FastAPI

from services.gateway import asset_files, catalogues
from services.gateway.asset_files import Assets
from services.gateway.backend import Backend, OwnToken
from services.gateway.backends import Auth, Backends
from services.gateway.circuit import Circuit
from services.gateway.client import open_client
from services.gateway.csrf import FormTokens
from services.gateway.forms import no_forgery
from services.gateway.head import AnswerHead
from services.gateway.language import ENGLISH
from services.gateway.language_choice import ChooseLanguage
from services.gateway.own_token import asking_auth
from services.gateway.pages import dev_inbox
from services.gateway.pages.errors import answer_with_pages
from services.gateway.rendering import Renderer
from services.gateway.routes import PAGES
from services.gateway.security_headers import SecurityHeaders, security_headers
from services.gateway.session import Cookies
from services.gateway.settings import GatewaySettings
from services.gateway.shedding import ShedLoad
from services.gateway.told_limits import ToldLimits
from shared.web.app import create_app
from shared.web.service_client import ServiceTokens


def create(settings: GatewaySettings) -> FastAPI:
    cookies = Cookies(secure=not settings.development)
    form_tokens = FormTokens(settings.form_keys())
    assets = Assets(settings.assets_folder)
    languages = [catalogues.language(tag) for tag in settings.languages]
    renderer = Renderer(assets, cookies, form_tokens, settings.support_email, languages)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.backends = await _backends(settings, stack)
            yield

    # Every page is behind the guard: a form that a new page adds cannot forget it.
    pages = APIRouter(dependencies=[Depends(no_forgery)], include_in_schema=False)
    for router in PAGES if not settings.development else (*PAGES, dev_inbox.router):
        pages.include_router(router)
    app = create_app(
        "Gateway",
        routers=[asset_files.router, pages],
        lifespan=lifespan,
        ready={"assets": assets.check},
        verifier=None,
    )
    app.state.settings = settings
    app.state.told_limits = ToldLimits()
    app.state.cookies = cookies
    app.state.form_tokens = form_tokens
    app.state.assets = assets
    app.state.renderer = renderer
    headers = security_headers(renderer.script_hashes, tls=not settings.development)
    # The last one added is the first one to see a request.
    app.add_middleware(
        ShedLoad,
        at_once=settings.requests_at_once,
        sorry=lambda: renderer.for_anybody("errors/busy.html"),
    )
    if languages != [ENGLISH]:
        app.add_middleware(ChooseLanguage, languages=languages, cookies=cookies)
    app.add_middleware(AnswerHead)
    app.add_middleware(SecurityHeaders, headers=headers)
    answer_with_pages(app, headers)
    return app


async def _backends(settings: GatewaySettings, stack: AsyncExitStack) -> Backends:
    async def backend(name: str, url: str, own_token: OwnToken | None = None) -> Backend:
        circuit = Circuit(
            name,
            failures=settings.circuit_failures,
            pause_seconds=settings.circuit_pause_seconds,
            calls_at_once=settings.calls_at_once,
        )
        return Backend(
            name,
            url,
            await stack.enter_async_context(open_client(settings.answer_seconds)),
            circuit,
            answer_seconds=settings.answer_seconds,
            own_token=own_token,
        )

    secret = settings.service_secret.get_secret_value()
    asking = await stack.enter_async_context(open_client(settings.answer_seconds))
    tokens = ServiceTokens(asking_auth(secret, settings.auth_url, asking))
    return Backends(
        auth=Auth(await backend("auth", settings.auth_url, partial(tokens.own, "auth"))),
        access=await backend("access", settings.access_url, partial(tokens.own, "access")),
        participants=await backend("participants", settings.participants_url),
        export=await backend("export", settings.export_url),
    )
