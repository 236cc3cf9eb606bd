"""Who may do what in a service, as a table: its doors are made of it, and docs/reference shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from fastapi import Request

from shared.contracts.roles import Role
from shared.web.caller import PersonCaller, person


@dataclass(frozen=True, slots=True)
class Permission:
    """limit: what the domain adds, for people to read."""

    roles: tuple[Role, ...]
    limit: str = ""


Action = TypeVar("Action", bound=StrEnum)


class Door(Generic[Action]):
    """A dependency: the caller, whose role the table names for this action. 403 for everybody else."""

    def __init__(self, permissions: Mapping[Action, Permission], action: Action) -> None:
        self.action = action
        self._let_in = person(*permissions[action].roles)

    async def __call__(self, request: Request) -> PersonCaller:
        return await self._let_in(request)
