"""Headers that every answer carries, whatever made it."""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; object-src 'none'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
TWO_YEARS: Final = 63_072_000


def security_headers(script_hashes: tuple[str, ...], *, tls: bool) -> Mapping[str, str]:
    """script_hashes: of the scripts that the page template itself holds, as a CSP names them.

    Pages are never stored: they are about people. Assets say otherwise for themselves.
    """
    scripts = "".join(f" '{h}'" for h in script_hashes)
    headers = {
        "content-security-policy": POLICY.format(scripts=scripts),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "x-robots-tag": "noindex, nofollow",
        "cache-control": "no-store",
    }
    if tls:
        headers["strict-transport-security"] = f"max-age={TWO_YEARS}; includeSubDomains"
    return headers


class SecurityHeaders:
    """ASGI middleware. Does not change what an answer says for itself."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self.app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)
