"""Which token a call carries."""

import httpx
import pytest

from shared.web.service_client import OwnToken, ServiceTokens


class _Tokens(ServiceTokens):
    def __init__(self) -> None:
        pass

    async def own(self, audience: str) -> str:
        return f"own-for-{audience}"


@pytest.mark.parametrize(
    ("headers", "sent"), [({}, "Bearer own-for-auth"), ({"authorization": "Bearer person"}, "Bearer person")]
)
async def test_a_persons_token_is_not_replaced_by_the_services_own(
    headers: dict[str, str], sent: str
) -> None:
    request = httpx.Request("POST", "http://auth/", headers=headers)
    flow = OwnToken(_Tokens(), "auth").async_auth_flow(request)
    assert (await anext(flow)).headers["authorization"] == sent
    await flow.aclose()
