"""The doors of the API: each lets in the roles that the table of permissions names for an action."""

from fastapi import Request

from services.access.permissions import PERMISSIONS, Action
from shared.web.caller import PersonCaller, person


class Door:
    """A dependency: the caller, who may do this. 403 for everybody else."""

    def __init__(self, action: Action) -> None:
        self.action = action
        self._let_in = person(*PERMISSIONS[action].roles)

    def __call__(self, request: Request) -> PersonCaller:
        return self._let_in(request)
