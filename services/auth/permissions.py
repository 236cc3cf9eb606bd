"""What staff may do in auth, as one table. Who may choose a role of their own needs no line here."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from shared.contracts.roles import Role
from shared.web import permissions
from shared.web.permissions import Permission

SUPPORT, ADMINISTRATOR = Role.SUPPORT, Role.ADMINISTRATOR


class Action(StrEnum):
    """What can be done, in the words of the table."""

    SEE_SIGNED_IN = "See whether somebody is signed in"
    SIGN_OUT = "Sign somebody out everywhere"
    SEE_SECOND_FACTOR = "See whether somebody has set up an authenticator app"
    RESET_SECOND_FACTOR = "Reset somebody's authenticator app"
    SEE_UNDELIVERED = "See sign-in emails that did not arrive"


PERMISSIONS: Final[Mapping[Action, Permission]] = {
    Action.SEE_SIGNED_IN: Permission((SUPPORT, ADMINISTRATOR)),
    Action.SIGN_OUT: Permission((SUPPORT, ADMINISTRATOR), "of staff: administrators only"),
    Action.SEE_SECOND_FACTOR: Permission((ADMINISTRATOR,)),
    Action.RESET_SECOND_FACTOR: Permission((ADMINISTRATOR,), "never one's own"),
    Action.SEE_UNDELIVERED: Permission((SUPPORT, ADMINISTRATOR)),
}


class Door(permissions.Door[Action]):
    def __init__(self, action: Action) -> None:
        super().__init__(PERMISSIONS, action)
