"""The doors of the API: each lets in the roles that the table of permissions names for an action."""

from services.access.permissions import PERMISSIONS, Action
from shared.web import permissions


class Door(permissions.Door[Action]):
    def __init__(self, action: Action) -> None:
        super().__init__(PERMISSIONS, action)
