"""Settings of access. Environment variables, prefix `CHECK_DATA_`."""

from pydantic import Field

from services.access.domain.deadlines import Deadline, Deadlines
from services.access.domain.request import RequestState
from shared.settings import EmailSettings, ServiceSettings


class AccessSettings(ServiceSettings):
    email: EmailSettings = Field(default_factory=EmailSettings)
    """How people are told (prefix `CHECK_DATA_EMAIL_`)."""
    lapse_seconds: float = Field(default=300.0, gt=0)
    """How often the register is looked through for agreements whose last day is past."""
    deadline_seconds: float = Field(default=60.0, gt=0)
    """How often new requests are looked for, to set their deadlines."""
    support_reminder_days: int | None = Field(default=2, ge=1)
    """Working days (England and Wales) after which support is reminded of a request; empty: never."""
    policy_reminder_days: int | None = Field(default=5, ge=1)
    """The same for the policy check."""
    lead_provider_reminder_days: int | None = Field(default=5, ge=1)
    """The same for the contacts of the lead provider that was asked."""
    information_reminder_days: int | None = Field(default=5, ge=1)
    """The same for those who asked, when the request was sent back to them."""
    dfe_expiry_days: int | None = Field(default=60, ge=1)
    """Working days after which a request expires that waits for support or policy; empty: never."""
    lead_provider_expiry_days: int | None = Field(default=20, ge=1)
    """The same for one that waits for the lead provider."""
    information_expiry_days: int | None = Field(default=20, ge=1)
    """The same for one that waits for those who asked."""

    review_working_days: int = Field(default=20, ge=5)
    """How long those who are asked in the review of a month have to answer."""

    @property
    def deadlines(self) -> Deadlines:
        return {
            RequestState.SUBMITTED: Deadline(self.support_reminder_days, self.dfe_expiry_days),
            RequestState.POLICY_CHECK: Deadline(self.policy_reminder_days, self.dfe_expiry_days),
            RequestState.AWAITING_LEAD_PROVIDER: Deadline(
                self.lead_provider_reminder_days, self.lead_provider_expiry_days
            ),
            RequestState.RETURNED: Deadline(self.information_reminder_days, self.information_expiry_days),
        }


Settings = AccessSettings
