"""The tables of permissions, as a document."""

from collections.abc import Mapping
from typing import Final

from services.access.permissions import PERMISSIONS as ACCESS
from services.auth.permissions import PERMISSIONS as AUTH
from shared.contracts.roles import Role
from shared.web.permissions import Action, Permission

HEAD: Final = """\
# Who may do what

Generated from `services/access/permissions.py` and `services/auth/permissions.py` by `make docs`; the doors
of the APIs are made of the same tables, and a test knocks at each with each role. The last column is what
the domain adds.
"""


def permission_tables() -> str:
    return (
        f"{HEAD}\n## Access\n\n{_table(ACCESS)}\n"
        f"## Sign-in\n\nOf others. What is one's own needs no permission.\n\n{_table(AUTH)}"
    )


def _table(permissions: Mapping[Action, Permission]) -> str:
    heads = ["", *(role.label for role in Role), "limits"]
    rows = [
        [action.value, *("yes" if role in allowed.roles else "" for role in Role), allowed.limit]
        for action, allowed in permissions.items()
    ]
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
