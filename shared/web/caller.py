"""Who calls: a service, or a person through the gateway. Proven by an internal token of auth.

Dependencies are coroutines, here and in the services: FastAPI runs a plain function in a thread, which takes
longer than all that it does.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from shared.contracts.roles import Role
from shared.web.problems import Problem


@dataclass(frozen=True, slots=True)
class PersonCaller:
    """A person in the role and organisation of the session."""

    person_id: UUID
    role: Role
    organisation_id: UUID | None
    session_id: UUID | None
    """None when a worker finishes what the person asked for."""


@dataclass(frozen=True, slots=True)
class ServiceCaller:
    """Another service, for itself."""

    service: str


Caller = PersonCaller | ServiceCaller


async def caller_of(request: Request) -> Caller:
    """The caller, as the Authenticate middleware left it."""
    caller = request.scope.get("caller")
    if not isinstance(caller, PersonCaller | ServiceCaller):
        raise Problem(401, "no-token", "This call carries no token of a known caller.")
    return caller


def person(*roles: Role) -> Callable[[Request], Awaitable[PersonCaller]]:
    """A dependency: the caller is a person in one of these roles."""
    allowed = frozenset(roles)

    async def dependency(request: Request) -> PersonCaller:
        caller = await caller_of(request)
        if isinstance(caller, PersonCaller) and caller.role in allowed:
            return caller
        raise Problem(403, "not-your-role", "The role of this session does not include this.")

    return dependency


def service(*names: str) -> Callable[[Request], Awaitable[ServiceCaller]]:
    """A dependency: the caller is one of these services."""
    allowed = frozenset(names)

    async def dependency(request: Request) -> ServiceCaller:
        caller = await caller_of(request)
        if isinstance(caller, ServiceCaller) and caller.service in allowed:
            return caller
        raise Problem(403, "not-your-call", "This is not for this caller.")

    return dependency


AnyCaller = Annotated[Caller, Depends(caller_of)]
