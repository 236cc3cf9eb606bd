"""Who is looking at a page: the person of the session, in the role of the session."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request

from services.gateway.backend import Refusal
from services.gateway.backends import Access, Backends, Exports, Participants, backends_of
from services.gateway.language import gettext
from services.gateway.session import cookies_of
from services.gateway.warning import SessionWarning, session_warning
from shared.clock import system_clock
from shared.contracts.auth import RoleChoice, SessionInForce
from shared.contracts.roles import Role

HOME = {
    Role.DELIVERY_PARTNER: "/participants",
    Role.APPROPRIATE_BODY: "/participants",
    Role.LEAD_PROVIDER: "/lead-provider/confirmations",
    Role.SUPPORT: "/staff/access-requests",
    Role.POLICY: "/staff/access-requests",
    Role.AUDITOR: "/staff/audit",
    Role.ADMINISTRATOR: "/staff/people",
}
"""Where a role begins its work."""


Audiences = tuple[str, ...] | Callable[[Request], tuple[str, ...]]
"""Services, or which ones for this request."""


class NotSignedIn(Exception):
    """There is no session, or it is over."""


class SecondFactorMissing(Exception):
    """Signed in by a link, but the code of the authenticator app is not given yet."""


class RoleNotChosen(Exception):
    """Signed in, but the role of the session is not chosen yet."""


class WrongRole(Exception):
    """The page is not for the role of the session."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Speaks to the services with the person's own tokens."""

    session: SessionInForce
    choice: RoleChoice
    backends: Backends

    @property
    def role(self) -> Role:
        return self.choice.role

    @property
    def warning(self) -> SessionWarning:
        return session_warning(self.session.idle_until, self.session.absolute_until, system_clock())

    @property
    def organisation_name(self) -> str:
        return self.choice.organisation_name or gettext("Department for Education")

    @property
    def access(self) -> Access:
        return Access(self.backends.access, self.session.tokens["access"])

    @property
    def participants(self) -> Participants:
        return Participants(self.backends.participants, self.session.tokens["participants"])

    @property
    def may_call_export(self) -> bool:
        return "export" in self.session.tokens

    @property
    def exports(self) -> Exports:
        return Exports(self.backends.export, self.session.tokens["export"])


def visiting(*roles: Role, calls: str, and_calls: Audiences = ()) -> Callable[[Request], Awaitable[Visitor]]:
    """A dependency: the visitor, in one of these roles, with tokens for the services that the page calls.

    Raises NotSignedIn, SecondFactorMissing, RoleNotChosen, WrongRole and BackendDown; each has its page.
    """
    allowed = frozenset(roles)

    async def dependency(request: Request) -> Visitor:
        also = and_calls(request) if callable(and_calls) else and_calls
        visitor = await present_visitor(request, [calls, *also])
        if visitor.role not in allowed:
            raise WrongRole
        return visitor

    return dependency


async def present_visitor(request: Request, audiences: list[str]) -> Visitor:
    """The visitor in any role. From then on pages, also error pages, show role and organisation."""
    session = cookies_of(request).session_of(request)
    if session is None:
        raise NotSignedIn
    backends = backends_of(request)
    try:
        in_force = await backends.auth.exchange(session, audiences)
    except Refusal as refusal:
        if refusal.status == 401:
            raise NotSignedIn from None
        raise
    if in_force.second_factor_missing:
        raise SecondFactorMissing
    if in_force.chosen is None:
        raise RoleNotChosen
    visitor = Visitor(in_force, in_force.chosen, backends)
    request.state.visitor = visitor
    return visitor
