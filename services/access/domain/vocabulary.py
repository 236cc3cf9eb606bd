"""The words of access: identifiers, roles, kinds of organisation, and who acts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType
from uuid import UUID

PersonId = NewType("PersonId", UUID)
OrganisationId = NewType("OrganisationId", UUID)
RequestId = NewType("RequestId", UUID)
AgreementId = NewType("AgreementId", UUID)
GrantId = NewType("GrantId", UUID)
CampaignId = NewType("CampaignId", UUID)


class Role(StrEnum):
    """The same words as in the contract; a test holds the two together."""

    DELIVERY_PARTNER = "delivery_partner"
    APPROPRIATE_BODY = "appropriate_body"
    LEAD_PROVIDER = "lead_provider"
    SUPPORT = "support"
    POLICY = "policy"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"

    @property
    def is_staff(self) -> bool:
        return self not in (Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY, Role.LEAD_PROVIDER)


REQUESTABLE = (Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY)
"""Roles that a request can ask for. The others are given by staff or at installation."""


class OrganisationKind(StrEnum):
    LEAD_PROVIDER = "lead_provider"
    DELIVERY_PARTNER = "delivery_partner"
    APPROPRIATE_BODY = "appropriate_body"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person in the role and organisation of the session in which they act."""

    person_id: PersonId
    role: Role
    organisation_id: OrganisationId | None
