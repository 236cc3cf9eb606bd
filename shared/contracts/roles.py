"""Roles a person may hold, the words for them, and what the role of a session is about."""

from enum import StrEnum


class Role(StrEnum):
    """What a person may act as. The first three belong to an organisation, the others to DfE."""

    DELIVERY_PARTNER = "delivery_partner"
    APPROPRIATE_BODY = "appropriate_body"
    LEAD_PROVIDER = "lead_provider"
    SUPPORT = "support"
    POLICY = "policy"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def of_an_organisation(self) -> bool:
        return self in ORGANISATION_ROLES

    @property
    def sees_participants(self) -> bool:
        return self in (Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY)

    @property
    def is_staff(self) -> bool:
        return not self.of_an_organisation


ORGANISATION_ROLES = frozenset({Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY, Role.LEAD_PROVIDER})
_LABELS = {
    Role.DELIVERY_PARTNER: "Delivery partner",
    Role.APPROPRIATE_BODY: "Appropriate body",
    Role.LEAD_PROVIDER: "Lead provider",
    Role.SUPPORT: "DfE support",
    Role.POLICY: "DfE policy",
    Role.AUDITOR: "Auditor",
    Role.ADMINISTRATOR: "DfE administrator",
}
