"""What a service that sends emails tells staff of them."""

from datetime import datetime
from enum import StrEnum

from shared.contracts.body import Body
from shared.contracts.envelope import PersonalText


class WhyUndelivered(StrEnum):
    """REFUSED: by the mail server, when it was handed over. The others: as GOV.UK Notify calls them.

    Source: https://docs.notifications.service.gov.uk/rest-api.html#status-descriptions
    """

    REFUSED = "refused"
    PERMANENT_FAILURE = "permanent-failure"
    TEMPORARY_FAILURE = "temporary-failure"
    TECHNICAL_FAILURE = "technical-failure"


class UndeliveredEmail(Body):
    """An email that did not arrive, as far as is known."""

    address: PersonalText
    subject: str
    sent_at: datetime
    why: WhyUndelivered
