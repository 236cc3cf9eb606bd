"""How the gateway gets tokens of its own, for what it asks of services for itself."""

import aiohttp

from shared.contracts.auth import IssuedToken, TokenRequest
from shared.tracing import outgoing_headers
from shared.web.service_client import AskAuth


def asking_auth(secret: str, auth_url: str, http: aiohttp.ClientSession) -> AskAuth:
    """What it returns raises aiohttp.ClientError when auth does not answer or refuses."""
    credentials = aiohttp.encode_basic_auth("gateway", secret)

    async def ask(request: TokenRequest) -> IssuedToken:
        headers = {
            **outgoing_headers(),
            "authorization": credentials,
            "content-type": "application/json",
        }
        async with http.post(
            f"{auth_url}/tokens",
            data=request.model_dump_json().encode(),
            headers=headers,
            allow_redirects=False,
            raise_for_status=True,
        ) as answer:
            return IssuedToken.model_validate_json(await answer.read())

    return ask
