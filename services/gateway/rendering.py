"""Pages from templates."""

import base64
import gzip
import hashlib
import re
import secrets
from collections.abc import Hashable, Sequence
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader, Template
from markupsafe import Markup

from services.gateway import content, dates
from services.gateway.asset_files import Assets, accepts_gzip
from services.gateway.csrf import FormTokens
from services.gateway.forms import PROOF_FIELD
from services.gateway.language import ENGLISH, Language, present_language, speaking, told
from services.gateway.language_choice import choices
from services.gateway.session import Cookies
from services.gateway.translated_templates import TranslatedTemplates
from services.gateway.visitor import HOME, Visitor
from shared.contracts.roles import Role

NOBODYS_HOME: Final = "/"
FRONTEND: Final = "govuk_frontend_jinja"
NONCE_CONDITION: Final = re.compile(r"\{%-? if cspNonce %\}.*?\{% endif %\}")
INLINE_SCRIPT: Final = re.compile(r"<script\s*>([^<]+)</script>")
COMPRESSION: Final = 3
"""5 takes twice the time and saves four hundredths."""
WORTH_COMPRESSING: Final = 1_000
"""Bytes."""
FRAMES: Final = 500
"""How many parts of the frame are kept: more than all roles have at all their places, in all languages."""


class Renderer:
    """Holds the templates, and what all of them need."""

    def __init__(
        self,
        assets: Assets,
        cookies: Cookies,
        form_tokens: FormTokens,
        support_email: str,
        languages: Sequence[Language] = (ENGLISH,),
    ) -> None:
        self._languages = languages
        self._cookies = cookies
        self._form_tokens = form_tokens
        self._loader = ChoiceLoader(
            [PackageLoader("services.gateway"), PrefixLoader({FRONTEND: PackageLoader(FRONTEND)})]
        )
        self._filters = {
            "day": dates.day,
            "moment": dates.moment,
            "spaced": lambda text: " ".join(text[at : at + 4] for at in range(0, len(text), 4)),
            "clock_time": dates.clock_time,
            "academic_year": dates.academic_year,
            "audit_kind": content.audit_kind_in_words,
            "number": dates.number,
            "since": dates.since_when,
            "told": told,
        }
        self._globals = {
            "asset": assets.url,
            "words": content,
            "support_email": support_email,
            "cookies": cookies,
            "languages_offered": [language.name for language in languages],
            "frame": self._frame,
        }
        templates = self._templates_in(ENGLISH)
        source, _, _ = self._loader.get_source(templates, f"{FRONTEND}/template.html")
        self.script_hashes = _script_hashes(source)

    @cache  # noqa: B019  (there is one renderer, for as long as the process lives)
    def _templates_in(self, language: Language) -> TranslatedTemplates:
        templates = TranslatedTemplates(
            language, loader=self._loader, trim_blocks=True, lstrip_blocks=True, auto_reload=False
        )
        templates.filters |= self._filters
        templates.globals |= self._globals | {"language": language}
        return templates

    def _template(self, name: str) -> Template:
        return self._templates_in(present_language()).get_template(name)

    def _frame(self, part: str, **values: Hashable) -> Markup:
        """What is the same on every page, or for every value of a few. Never what is about a person."""
        return self._frame_in(present_language(), part, **values)

    @lru_cache(FRAMES)  # noqa: B019
    def _frame_in(self, language: Language, part: str, **values: Hashable) -> Markup:
        template = self._templates_in(language).get_template(f"frame/{part}.html")
        return Markup(template.render(values))  # noqa: S704

    def page(self, request: Request, template: str, status: int, **context: Any) -> Response:
        visitor: Visitor | None = getattr(request.state, "visitor", None)
        visit: str | None = None

        def form_token() -> Markup:
            """A hidden field. Before sign-in it is bound to a visit, which begins with the first form."""
            nonlocal visit
            binding = self._cookies.session_of(request) or self._cookies.visit_of(request)
            if binding is None:
                binding = visit = visit or secrets.token_urlsafe(16)
            token = self._form_tokens.issue(binding)
            return Markup('<input type="hidden" name="{}" value="{}">').format(PROOF_FIELD, token)

        html = self._template(template).render(
            visitor=visitor,
            home=HOME[visitor.role] if visitor else NOBODYS_HOME,
            navigation=navigation(visitor.role if visitor else None, request.url.path),
            languages=choices(request, self._languages),
            done=content.DONE.get(request.query_params.get("done", "")) if status == 200 else None,
            form_token=form_token,
            **context,
        )
        response = _answer(request, html, status)
        if visit is not None:
            self._cookies.keep_visit(response, visit)
        return response

    def for_anybody(self, template: str) -> bytes:
        """A page without a form that is the same for every request, in English and UTF-8."""
        with speaking(ENGLISH):
            return self._template(template).render(home=NOBODYS_HOME).encode()


def page(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """Render a page for this request, with the header of its visitor."""
    renderer: Renderer = request.app.state.renderer
    return renderer.page(request, template, status, **context)


def see_other(path: str, done: str | None = None) -> RedirectResponse:
    """After a POST: go and look there. done: a word of content.DONE, which the page then says."""
    if done is not None:
        path += ("&" if "?" in path else "?") + urlencode({"done": done})
    return RedirectResponse(path, 303)


def _answer(request: Request, html: str, status: int) -> HTMLResponse:
    document = html.encode()
    headers = {"vary": "accept-encoding, cookie"}
    if len(document) >= WORTH_COMPRESSING and accepts_gzip(request):
        document = gzip.compress(document, COMPRESSION, mtime=0)  # with a time, Python sums it up once more
        headers["content-encoding"] = "gzip"
    return HTMLResponse(document, status, headers)


class Place(NamedTuple):
    """A part of the service, as the navigation shows it. active: one is below it."""

    text: str
    href: str
    current: bool
    active: bool


def navigation(role: Role | None, path: str) -> tuple[Place, ...]:
    """What a role may go to, seen from where it is. Without a role, nowhere."""
    return tuple(
        Place(item.text, item.href, path == item.href, path.startswith(f"{item.href}/"))
        for item in content.NAVIGATION
        if role in item.roles
    )


def _script_hashes(template: str) -> tuple[str, ...]:
    """What a CSP calls the one script that GOV.UK's page template holds: it says that scripts run."""
    scripts = INLINE_SCRIPT.findall(NONCE_CONDITION.sub("", template))
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return tuple(f"sha256-{base64.b64encode(digest).decode()}" for digest in digests)
