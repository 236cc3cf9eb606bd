"""How the gateway gets tokens of its own, for what it asks of services for itself."""

import aiohttp

from services.gateway.client import BROKEN
from shared.contracts.auth import IssuedToken, TokenRequest
from shared.tracing import outgoing_headers
from shared.web.service_client import AskAuth


def asking_auth(secret: str, auth_url: str, http: aiohttp.ClientSession) -> AskAuth:
    """What it returns raises aiohttp.ClientError when auth does not answer or refuses.

    A connection that broke is worth a second try: being given a token twice does no harm.
    """
    url = f"{auth_url.rstrip('/')}/tokens"
    credentials = aiohttp.encode_basic_auth("gateway", secret)

    async def ask(request: TokenRequest) -> IssuedToken:
        try:
            return await once(request)
        except BROKEN:
            return await once(request)

    async def once(request: TokenRequest) -> IssuedToken:
        headers = {
            **outgoing_headers(),
            "authorization": credentials,
            "content-type": "application/json",
        }
        async with http.post(
            url,
            data=request.model_dump_json().encode(),
            headers=headers,
            allow_redirects=False,
            raise_for_status=True,
        ) as answer:
            return IssuedToken.model_validate_json(await answer.read())

    return ask
