"""From which network address a request comes, behind as many proxies as the settings say."""

from fastapi import Request

from services.gateway.settings import GatewaySettings

LONGEST = 100


def network_address(request: Request) -> str | None:
    """The address that the outermost trusted proxy saw.

    Each proxy adds at the right end of X-Forwarded-For whom it was called by; what is further left was sent
    by the caller and may be anything.
    """
    settings: GatewaySettings = request.app.state.settings
    seen = request.client.host if request.client else None
    if settings.trusted_proxies:
        forwarded = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        if len(forwarded) >= settings.trusted_proxies:
            seen = forwarded[-settings.trusted_proxies].strip() or seen
    return seen[:LONGEST] if seen else None
