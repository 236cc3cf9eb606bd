"""How a service calls another one: with a token of its own, its trace, and limits of time."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

import httpx

from shared.contracts.auth import IssuedToken, OnBehalfOf, TokenRequest
from shared.tracing import outgoing_headers

RENEW_BEFORE_SECONDS: Final = 15
AskAuth = Callable[[TokenRequest], Awaitable[IssuedToken]]
"""How a service asks auth for a token, proving itself."""


def asking_auth(service: str, secret: str, auth_url: str, http: httpx.AsyncClient) -> AskAuth:
    """By httpx. What it returns raises httpx.HTTPError when auth does not answer or refuses."""
    credentials = httpx.BasicAuth(service, secret)

    async def ask(request: TokenRequest) -> IssuedToken:
        answer = await http.post(
            f"{auth_url}/tokens",
            json=request.model_dump(mode="json"),
            auth=credentials,
            headers=outgoing_headers(),
        )
        answer.raise_for_status()
        return IssuedToken.model_validate_json(answer.content)

    return ask


class ServiceTokens:
    """Tokens that auth issues to this service, kept until shortly before they expire."""

    def __init__(self, ask: AskAuth) -> None:
        self._ask = ask
        self._kept: dict[str, tuple[str, float]] = {}

    async def own(self, audience: str) -> str:
        """The service's own token. Raises what asking raises."""
        token, good_until = self._kept.get(audience, ("", 0.0))
        if time.monotonic() >= good_until:
            issued = await self._ask(TokenRequest(audience=audience))
            token = issued.token
            self._kept[audience] = (token, time.monotonic() + issued.expires_in - RENEW_BEFORE_SECONDS)
        return token

    async def on_behalf_of(self, person: OnBehalfOf, audience: str) -> str:
        """A token to finish what a person asked for. Raises what asking raises, such as a 403."""
        return (await self._ask(TokenRequest(audience=audience, on_behalf_of=person))).token


class OwnToken(httpx.Auth):
    """Signs each request of an httpx client with the service's own token for one audience.

    A request that carries a person's token goes with that.
    """

    def __init__(self, tokens: ServiceTokens, audience: str) -> None:
        self._tokens = tokens
        self._audience = audience

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if "authorization" not in request.headers:
            request.headers["authorization"] = f"Bearer {await self._tokens.own(self._audience)}"
        for name, value in outgoing_headers().items():
            request.headers[name] = value
        yield request
