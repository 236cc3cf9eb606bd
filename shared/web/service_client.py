"""How a service calls another one: with a token of its own, its trace, and limits of time."""

import time
from collections.abc import AsyncGenerator
from typing import Final

import httpx

from shared.contracts.auth import IssuedToken, OnBehalfOf, TokenRequest
from shared.tracing import outgoing_headers

RENEW_BEFORE_SECONDS: Final = 15


class ServiceTokens:
    """Tokens that auth issues to this service, kept until shortly before they expire."""

    def __init__(self, service: str, secret: str, auth_url: str, http: httpx.AsyncClient) -> None:
        self._credentials = httpx.BasicAuth(service, secret)
        self._url = f"{auth_url}/tokens"
        self._http = http
        self._kept: dict[str, tuple[str, float]] = {}

    async def own(self, audience: str) -> str:
        """The service's own token. Raises httpx.HTTPError when auth does not answer or refuses."""
        token, good_until = self._kept.get(audience, ("", 0.0))
        if time.monotonic() >= good_until:
            issued = await self._ask(TokenRequest(audience=audience))
            token = issued.token
            self._kept[audience] = (token, time.monotonic() + issued.expires_in - RENEW_BEFORE_SECONDS)
        return token

    async def on_behalf_of(self, person: OnBehalfOf, audience: str) -> str:
        """A token to finish what a person asked for. Raises httpx.HTTPStatusError (403) when not allowed."""
        return (await self._ask(TokenRequest(audience=audience, on_behalf_of=person))).token

    async def _ask(self, request: TokenRequest) -> IssuedToken:
        answer = await self._http.post(
            self._url,
            json=request.model_dump(mode="json"),
            auth=self._credentials,
            headers=outgoing_headers(),
        )
        answer.raise_for_status()
        return IssuedToken.model_validate_json(answer.content)


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
