"""The people, organisations and moments of the tests."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid5

from services.access.domain.vocabulary import (
    Actor,
    AgreementId,
    GrantId,
    OrganisationId,
    PersonId,
    RequestId,
    Role,
)

_SPACE = UUID("6f0c5b5e-8a50-4d53-9a0e-0d6f4f1f7a11")
AT = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 25)


def _id(name: str) -> UUID:
    return uuid5(_SPACE, name)


PARTNER = OrganisationId(_id("partner"))
OTHER_PARTNER = OrganisationId(_id("other partner"))
PROVIDER = OrganisationId(_id("provider"))
OTHER_PROVIDER = OrganisationId(_id("other provider"))
BODY = OrganisationId(_id("body"))

REQUEST = RequestId(_id("request"))
GRANT = GrantId(_id("grant"))
AGREEMENT = AgreementId(_id("agreement"))


def person(name: str) -> PersonId:
    return PersonId(_id(name))


COLLEAGUE = person("colleague")
USER = Actor(person("user"), Role.DELIVERY_PARTNER, PARTNER)
BODY_USER = Actor(person("body user"), Role.APPROPRIATE_BODY, BODY)
SUPPORT = Actor(person("support"), Role.SUPPORT, None)
OTHER_SUPPORT = Actor(person("other support"), Role.SUPPORT, None)
POLICY = Actor(person("policy"), Role.POLICY, None)
ADMINISTRATOR = Actor(person("administrator"), Role.ADMINISTRATOR, None)
AUDITOR = Actor(person("auditor"), Role.AUDITOR, None)
CONTACT = Actor(person("contact"), Role.LEAD_PROVIDER, PROVIDER)
OTHER_CONTACT = Actor(person("other contact"), Role.LEAD_PROVIDER, OTHER_PROVIDER)
