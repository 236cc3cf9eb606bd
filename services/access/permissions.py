"""Who may do what, as one table: the doors of the API are made of it, and docs/reference shows it.

It is the first of two guards. The second is in the domain: whose request, which lead provider, four eyes.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from shared.contracts.roles import Role
from shared.web.permissions import Permission

DELIVERY_PARTNER, APPROPRIATE_BODY = Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY
LEAD_PROVIDER, SUPPORT, POLICY = Role.LEAD_PROVIDER, Role.SUPPORT, Role.POLICY
AUDITOR, ADMINISTRATOR = Role.AUDITOR, Role.ADMINISTRATOR
USERS: Final = (DELIVERY_PARTNER, APPROPRIATE_BODY)
STAFF: Final = (SUPPORT, POLICY, AUDITOR, ADMINISTRATOR)


class Action(StrEnum):
    """What can be done, in the words of the table."""

    SEE_ORGANISATIONS = "See organisations"
    ASK = "Ask for access"
    SEE_REQUESTS = "See access requests"
    TRIAGE = "Triage requests, one or several"
    CHECK_POLICY = "Do the policy check"
    SEE_CONFIRMATIONS = "See who waits to be confirmed"
    CONFIRM = "Confirm or refuse users, one or several"
    GO_ON = "Give information, withdraw"
    IMPORT_USERS = "Import first users from a list"
    SEE_AGREEMENTS = "See the agreement register"
    KEEP_AGREEMENTS = "Record, import and end agreements"
    SEE_PEOPLE = "See people, their access, and why they have it"
    REVOKE = "End somebody's access"
    RESTORE = "Restore suspended access"
    KEEP_COLLEAGUES = "See colleagues with access, say who has left"
    KEEP_CONTACTS = "Add lead provider contacts"
    SEE_REVIEWS = "See how far reviews are"
    OPEN_REVIEW = "Open a review"
    ANSWER_REVIEW = "Say in a review who still needs access"
    SEE_AUDIT = "Read the audit"
    SEE_UNDELIVERED = "See emails that did not arrive"


PERMISSIONS: Final[Mapping[Action, Permission]] = {
    Action.SEE_ORGANISATIONS: Permission(tuple(Role), "others than staff: their own"),
    Action.ASK: Permission((*USERS, SUPPORT), "users: for their own organisation, in their role"),
    Action.SEE_REQUESTS: Permission((*USERS, *STAFF), "users: their organisation's, in their role"),
    Action.TRIAGE: Permission((SUPPORT,), "four eyes"),
    Action.CHECK_POLICY: Permission((POLICY,), "four eyes"),
    Action.SEE_CONFIRMATIONS: Permission((LEAD_PROVIDER,), "those asked of their lead provider"),
    Action.CONFIRM: Permission((LEAD_PROVIDER,), "those asked of their lead provider; four eyes"),
    Action.GO_ON: Permission((*USERS, SUPPORT), "the side that asked"),
    Action.IMPORT_USERS: Permission((SUPPORT,), "each becomes a request"),
    Action.SEE_AGREEMENTS: Permission(STAFF),
    Action.KEEP_AGREEMENTS: Permission((POLICY,)),
    Action.SEE_PEOPLE: Permission(STAFF),
    Action.REVOKE: Permission((SUPPORT, ADMINISTRATOR), "of staff: administrators only"),
    Action.RESTORE: Permission((POLICY,), "covered by an agreement; never one's own"),
    Action.KEEP_COLLEAGUES: Permission(USERS, "the same organisation and role"),
    Action.KEEP_CONTACTS: Permission((POLICY, ADMINISTRATOR)),
    Action.SEE_REVIEWS: Permission(STAFF),
    Action.OPEN_REVIEW: Permission((POLICY, ADMINISTRATOR)),
    Action.ANSWER_REVIEW: Permission(
        (*USERS, LEAD_PROVIDER), "their own organisation's, or their partners'; never one's own"
    ),
    Action.SEE_AUDIT: Permission((AUDITOR, ADMINISTRATOR)),
    Action.SEE_UNDELIVERED: Permission((SUPPORT, ADMINISTRATOR)),
}
