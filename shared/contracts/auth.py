"""What auth publishes, and the bodies of its HTTP interface."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.contracts.body import Body
from shared.contracts.envelope import Catalogue, PersonalText, PublishedEvent
from shared.contracts.roles import Role

# --- events ---------------------------------------------------------------------------------------


class LinkIssued(PublishedEvent):
    """A sign-in link was emailed to a person. The link itself is nowhere in it."""

    type: ClassVar[str] = "auth.link-issued.v1"
    subject_field: ClassVar[str] = "person_id"
    link_id: UUID
    person_id: UUID
    expires_at: datetime


class SignedIn(PublishedEvent):
    type: ClassVar[str] = "auth.signed-in.v1"
    subject_field: ClassVar[str] = "person_id"
    session_id: UUID
    person_id: UUID
    link_id: UUID


class RoleChosen(PublishedEvent):
    type: ClassVar[str] = "auth.role-chosen.v1"
    subject_field: ClassVar[str] = "person_id"
    session_id: UUID
    person_id: UUID
    grant_id: UUID
    role: Role
    organisation_id: UUID | None


class SessionEnded(PublishedEvent):
    type: ClassVar[str] = "auth.session-ended.v1"
    subject_field: ClassVar[str] = "person_id"
    session_id: UUID
    person_id: UUID
    reason: str
    """`signed_out`, `signed_out_elsewhere`, `signed_out_by_staff`, `expired`, `grant_ended`, `wrong_codes` or
    `second_factor_reset`."""


class SignedOutByStaff(PublishedEvent):
    """by: of staff, who ended every session of the person. The access goes on."""

    type: ClassVar[str] = "auth.signed-out-by-staff.v1"
    subject_field: ClassVar[str] = "person_id"
    person_id: UUID
    by: UUID


class SecondFactorEnrolled(PublishedEvent):
    type: ClassVar[str] = "auth.second-factor-enrolled.v1"
    subject_field: ClassVar[str] = "person_id"
    person_id: UUID


class SecondFactorPassed(PublishedEvent):
    """A session of staff proved a second time who it is."""

    type: ClassVar[str] = "auth.second-factor-passed.v1"
    subject_field: ClassVar[str] = "person_id"
    session_id: UUID
    person_id: UUID


class SecondFactorReset(PublishedEvent):
    """by: the administrator. The person sets up another one."""

    type: ClassVar[str] = "auth.second-factor-reset.v1"
    subject_field: ClassVar[str] = "person_id"
    person_id: UUID
    by: UUID


CATALOGUE = Catalogue(
    LinkIssued,
    SignedIn,
    SecondFactorEnrolled,
    SecondFactorPassed,
    SecondFactorReset,
    RoleChosen,
    SessionEnded,
    SignedOutByStaff,
)

# --- HTTP -----------------------------------------------------------------------------------------


class AskForLink(Body):
    """POST /links → 202, the same for known and unknown addresses.

    429 problem `too-many-requests`, with `Retry-After`, when somebody asks too often.
    """

    email: Annotated[PersonalText, StringConstraints(strip_whitespace=True, max_length=320)]
    return_to: str | None = Field(default=None, max_length=500)
    """Where to go after sign-in: a path of the gateway, such as `/access-requests/…`."""
    network: Annotated[str | None, Field(max_length=100)] = None
    """The network address of who asks. Counted, never kept."""
    device: Annotated[str | None, Field(max_length=100)] = None
    """What the browser keeps of an earlier sign-in: such a one is not held up by what strangers do."""


class LinkLifetime(Body):
    """Answer of POST /links."""

    minutes: int


class AskForAccess(Body):
    """POST /asking-links → 202, the same for known and unknown addresses. 429 as for links.

    Who may sign in is sent a sign-in link, who may not the link to a form.
    """

    email: Annotated[PersonalText, StringConstraints(strip_whitespace=True, max_length=320)]
    network: Annotated[str | None, Field(max_length=100)] = None
    device: Annotated[str | None, Field(max_length=100)] = None


class AskingToken(Body):
    """POST /asking-links/read → AskingLink, or 410 `link-not-usable`; POST /asking-links/use → 204."""

    token: Annotated[str, Field(max_length=200)]


class AskingLink(Body):
    """email: proven to be theirs who followed the link."""

    email: PersonalText


class RedeemLink(Body):
    """POST /links/redeem → SessionOpened, or 410 problem `link-not-usable`."""

    token: str = Field(max_length=500)
    device: Annotated[str | None, Field(max_length=100)] = None
    """What the browser keeps of an earlier sign-in."""
    browser: Annotated[str | None, Field(max_length=60)] = None
    """Its kind, in words for the list of one's sessions, such as `Firefox on Windows`."""


class RoleChoice(Body):
    """One grant the person holds."""

    grant_id: UUID
    role: Role
    organisation_id: UUID | None
    organisation_name: str | None


class SessionOpened(Body):
    """Answer of POST /links/redeem and POST /sessions/role. `session` goes into the cookie only."""

    session: str
    choices: list[RoleChoice]
    chosen: RoleChoice | None
    return_to: str | None = None
    device: str | None = None
    """For a cookie that stays: by it the browser is known again. Only after a link."""
    second_factor_missing: bool = False
    """Then the session is good for nothing but POST /second-factor/…."""


class SecondFactorStep(Body):
    """Answer of POST /second-factor (SessionRef). enrol: whether an app is to be set up first."""

    enrol: bool
    secret: str | None
    """With enrol: to be typed into an authenticator app."""
    uri: str | None
    """With enrol: the same for a QR code."""


class SecondFactorCode(Body):
    """POST /second-factor/check → SessionOpened; the first right code sets the app up.

    403 problem `code-not-right`; 429 `too-many-requests`; 401 when there were too many in this session.
    """

    session: str = Field(max_length=500)
    code: str = Field(max_length=20)


class SecondFactorState(Body):
    """GET /second-factor/{person_id}, for administrators."""

    enrolled_at: datetime | None


class SessionsOfSomebody(Body):
    """GET /people/{person_id}/sessions, for support and administrators. seen_at: the last use of any."""

    count: int
    seen_at: datetime | None


class OwnSession(Body):
    """One session of a person, as they see it."""

    session_id: UUID
    started_at: datetime | None
    seen_at: datetime
    browser: str | None
    role: Role | None
    organisation_name: str | None
    present: bool
    """The one that asks."""


class EndOwnSession(Body):
    """POST /sessions/own/end → 204. session_id None: every session of the person, also this one."""

    session: str = Field(max_length=500)
    session_id: UUID | None


class SessionRef(Body):
    """POST /sessions/choices → SessionChoices; POST /sessions/end → 204."""

    session: str = Field(max_length=500)


class SessionChoices(Body):
    choices: list[RoleChoice]
    chosen: RoleChoice | None


class ChooseRole(Body):
    """POST /sessions/role → SessionOpened (a new `session`: the old one is no longer valid)."""

    session: str = Field(max_length=500)
    grant_id: UUID


class ExchangeSession(Body):
    """POST /sessions/exchange → SessionInForce, or 401 problem `session-not-valid`."""

    session: str = Field(max_length=500)
    audiences: list[str] = Field(max_length=4)
    """Services the page is about to call: one internal token for each. Empty: only who it is."""


class SessionInForce(Body):
    person_id: UUID
    full_name: PersonalText
    chosen: RoleChoice | None
    several_choices: bool
    tokens: dict[str, str]
    """Internal token by audience. Empty while no role is chosen."""
    idle_until: datetime
    absolute_until: datetime
    second_factor_missing: bool = False
    """Then there are no tokens."""


class TokenRequest(Body):
    """POST /tokens → IssuedToken. The caller is a service, by HTTP Basic (service name, its secret)."""

    audience: str
    on_behalf_of: "OnBehalfOf | None" = None
    """Set by workers that finish what a person asked for; refused when that grant is no longer held."""


class OnBehalfOf(Body):
    person_id: UUID
    role: Role
    organisation_id: UUID | None


class IssuedToken(Body):
    token: str
    expires_in: int
    """Seconds."""


TokenRequest.model_rebuild()
