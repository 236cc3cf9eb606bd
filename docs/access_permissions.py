"""The table of permissions of access, as a document."""

from typing import Final

from services.access.permissions import PERMISSIONS
from shared.contracts.roles import Role

HEAD: Final = """\
# Who may do what

Generated from `services/access/permissions.py` by `make docs`; the doors of the API are made of the same
table, and a test knocks at each with each role. The last column is what the domain adds.

"""


def permission_table() -> str:
    heads = ["", *(role.label for role in Role), "limits"]
    rows = [
        [action.value, *("yes" if role in allowed.roles else "" for role in Role), allowed.limit]
        for action, allowed in PERMISSIONS.items()
    ]
    lines = [heads, ["---"] * len(heads), *rows]
    return HEAD + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
