"""What the routes of auth work with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncEngine

from services.auth.devices import is_known
from services.auth.limits import Throttle
from services.auth.links import Links
from services.auth.own_sessions import OwnSessions
from services.auth.session_lookup import SessionLookup
from services.auth.sessions import Sessions
from services.auth.settings import AuthSettings
from services.auth.signing import SigningKeys, TokenIssuer
from services.auth.signing_out import SigningOut
from shared.contracts import auth as contract


@dataclass(frozen=True, slots=True)
class Auth:
    """The application's state holds it as `auth`."""

    settings: AuthSettings
    engine: AsyncEngine
    links: Links
    throttle: Throttle
    sessions: Sessions
    lookup: SessionLookup
    own_sessions: OwnSessions
    signing_out: SigningOut
    keys: SigningKeys
    issuer: TokenIssuer

    async def admit(self, asked: contract.AskForLink | contract.AskForAccess) -> None:
        """Count a request for a link, of either kind: they have their limits together.

        A browser that somebody signed in from before has a limit of its own, and is not held up by what
        strangers do; what only says that it is one counts as a stranger's. Raises TooManyRequests.
        """
        known = await is_known(self.engine, asked.device)
        await self.throttle.admit(asked.email, asked.network, asked.device if known else None)


async def _auth(request: Request) -> Auth:
    auth: Auth = request.app.state.auth
    return auth


Here = Annotated[Auth, Depends(_auth)]
