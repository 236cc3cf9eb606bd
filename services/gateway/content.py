"""Words that more than one page needs, and closed lists of words, in the language of the page."""

from dataclasses import dataclass
from typing import Final, Protocol

from services.gateway.language import N_, Sentences, gettext, told
from shared.contracts.access import DeclineKind, LineOutcome, RequestState
from shared.contracts.emails import WhyUndelivered
from shared.contracts.export import ExportFormat, ExportState
from shared.contracts.roles import Role

SERVICE_NAME: Final = N_("Check data for delivery partners")


@dataclass(frozen=True, slots=True)
class Tag:
    """A word and its colour. The colour alone never says anything."""

    message: str
    colour: str

    @property
    def text(self) -> str:
        return gettext(self.message)


STATUSES: Final = {
    "contacted_for_information": Tag(N_("Contacted for information"), "yellow"),
    "dfe_checking_eligibility": Tag(N_("DfE checking eligibility"), "teal"),
    "not_eligible_for_funded_training": Tag(N_("Not eligible for funded training"), "red"),
    "checking_qts": Tag(N_("Checking QTS"), "purple"),
    "training_or_eligible_for_training": Tag(N_("Training or eligible for training"), "green"),
    "participant_deferred": Tag(N_("Participant deferred"), "orange"),
    "no_longer_being_trained": Tag(N_("No longer being trained"), "grey"),
    "induction_completed": Tag(N_("Induction completed"), "blue"),
}
"""By slug."""

WHAT_TO_DO: Final = Sentences(
    {
        "contacted_for_information": N_(
            "Ask this person to look for DfE’s email, also among their spam, and to answer it. If the email "
            "address below is wrong, ask their school to correct it."
        ),
        "dfe_checking_eligibility": N_(
            "Mostly nothing: the status changes by itself when the check is done. If the reason above names "
            "somebody who has to act, you can remind them."
        ),
        "not_eligible_for_funded_training": N_(
            "If you train this person, agree with the lead provider and the school how that is paid: DfE "
            "does not fund it. If you think that the decision is wrong, tell the lead provider."
        ),
        "checking_qts": N_(
            "Nothing, unless you know that this person has QTS: then ask their school to have it recorded "
            "with the TRA."
        ),
        "training_or_eligible_for_training": N_(
            "Train this person, or plan their start. If they are not with you, tell the lead provider."
        ),
        "participant_deferred": N_(
            "Nothing until the training goes on. If it goes on already, tell the lead provider, who reports "
            "it."
        ),
        "no_longer_being_trained": N_(
            "If this person is still in training with you, tell the lead provider. If not, you may take them "
            "off your own list."
        ),
        "induction_completed": N_(
            "Nothing more is needed. You may close this person’s record on your own list."
        ),
    }
)
"""By slug: what somebody who reads a status may do about it. In this service nothing can be changed."""

PARTICIPANT_ROLES: Final = Sentences({"ect": N_("Early career teacher"), "mentor": N_("Mentor")})
TRAINING_STATUSES: Final = Sentences(
    {"active": N_("Active"), "deferred": N_("Deferred"), "withdrawn": N_("Withdrawn")}
)

NOT_IN_THE_LIST: Final = Sentences(
    {
        "role": N_("Select a role that is in the filter"),
        "academic_year": N_("Select an academic year that is in the filter"),
        "status": N_("Select a status that is in the filter"),
        "changed_since": N_("Select since when the status changed from those in the filter"),
    }
)
"""For addresses that somebody wrote by hand, or that are older than the filter."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    message: str
    media_type: str

    @property
    def text(self) -> str:
        return gettext(self.message)


EXPORT_FORMATS: Final = {
    ExportFormat.CSV: FileFormat(N_("CSV, for most programs"), "text/csv"),
    ExportFormat.XLSX: FileFormat(
        N_("Excel workbook (XLSX)"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ),
    ExportFormat.PARQUET: FileFormat(N_("Parquet, for data tools"), "application/vnd.apache.parquet"),
}

EXPORT_STATES: Final = {
    ExportState.WAITING: Tag(N_("Waiting"), "yellow"),
    ExportState.WRITING: Tag(N_("Being made"), "teal"),
    ExportState.READY: Tag(N_("Ready"), "green"),
    ExportState.FAILED: Tag(N_("Failed"), "red"),
    ExportState.EXPIRED: Tag(N_("Deleted"), "grey"),
    ExportState.CANCELLED: Tag(N_("Cancelled"), "grey"),
}

REQUEST_STATES: Final = {
    state: Tag(state.label, colour)
    for state, colour in {
        RequestState.SUBMITTED: "yellow",
        RequestState.POLICY_CHECK: "teal",
        RequestState.AWAITING_LEAD_PROVIDER: "purple",
        RequestState.RETURNED: "orange",
        RequestState.GRANTED: "green",
        RequestState.DECLINED: "red",
        RequestState.WITHDRAWN: "grey",
        RequestState.EXPIRED: "grey",
    }.items()
}

IMPORT_OUTCOMES: Final = {
    LineOutcome.NEW: Tag(N_("New"), "green"),
    LineOutcome.KNOWN: Tag(N_("Known already"), "grey"),
    LineOutcome.REFUSED: Tag(N_("Cannot be imported"), "red"),
}


def decline_kinds() -> list[dict[str, str]]:
    """To choose from."""
    return [{"value": kind.value, "text": told(kind.label)} for kind in DeclineKind]


DONE: Final = Sentences(
    {
        "signed-out": N_("You have signed out."),
        "signed-out-everywhere": N_("You have signed out everywhere."),
        "session-ended": N_("That session has ended."),
        "request-made": N_("Your request has been sent. DfE support looks at it first."),
        "request-entered": N_("The request has been entered. A colleague has to look at it first."),
        "request-withdrawn": N_("The request has been withdrawn."),
        "information-given": N_("Your information has been sent."),
        "decided": N_("Your decision has been recorded."),
        "confirmed": N_("You confirmed this person. They get an email that says how to sign in."),
        "refused": N_("You refused this person. They do not get access."),
        "agreement-recorded": N_("The agreement has been recorded."),
        "agreement-ended": N_("The agreement ends on the date that you gave."),
        "person-signed-out": N_("This person has been signed out everywhere."),
        "second-factor-reset": N_("The authenticator app has been reset."),
        "decided-several": N_("Your decisions have been recorded."),
        "imported": N_("The lines have been imported."),
        "review-opened": N_("The review has been opened. Those who can answer get an email."),
        "review-confirmed": N_("You confirmed that this person still needs access."),
        "review-ended": N_("This person’s access has been ended."),
        "access-restored": N_("The access has been restored. The person gets an email that says so."),
        "colleague-left": N_("Your colleague’s access has been ended."),
        "access-ended": N_("The access has been ended."),
        "contact-added": N_("The contact has been added. They get an email when somebody waits for them."),
    }
)
"""What a page says after something was done, by the word in its URL: never text from the URL itself."""

PARTS: Final = Sentences(
    {
        "auth": N_(
            "Signing in, and every page that needs it, cannot be used at the moment. The pages behind the "
            "links at the bottom should go on working."
        ),
        "participants": N_(
            "The list of participants cannot be used at the moment. Downloads that you asked for before, and "
            "access requests, should go on working."
        ),
        "export": N_(
            "Downloading cannot be used at the moment. The list of participants, and access requests, should "
            "go on working."
        ),
        "access": N_(
            "Access requests, agreements, people and audit cannot be used at the moment. The list of "
            "participants, and downloads, should go on working."
        ),
    }
)
"""What is away with a service, and what is not."""

WHY_UNDELIVERED: Final = Sentences(
    {
        WhyUndelivered.REFUSED: N_("The address was refused. Check how it is written."),
        WhyUndelivered.PERMANENT_FAILURE: N_(
            "The address does not exist, or takes no email from us. Check it."
        ),
        WhyUndelivered.TEMPORARY_FAILURE: N_(
            "The mailbox was full or away for days. The person can ask again."
        ),
        WhyUndelivered.TECHNICAL_FAILURE: N_("GOV.UK Notify could not send it. The person can ask again."),
    }
)

STAFF: Final = (Role.SUPPORT, Role.POLICY, Role.AUDITOR, Role.ADMINISTRATOR)
USERS: Final = (Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY)


@dataclass(frozen=True, slots=True)
class NavigationItem:
    message: str
    href: str
    roles: tuple[Role, ...]

    @property
    def text(self) -> str:
        return gettext(self.message)


ORDERS: Final = Sentences({"name": N_("name"), "-changed": N_("latest change of status")})
"""Ways to sort the list that its page offers; the first unless chosen."""

EXPORT_COLUMNS: Final = Sentences(
    {
        "full_name": N_("Full name"),
        "email_address": N_("Email address"),
        "trn": N_("TRN"),
        "role": N_("Role"),
        "lead_provider": N_("Lead provider"),
        "school": N_("School"),
        "school_unique_reference_number": N_("School unique reference number"),
        "academic_year": N_("Academic year"),
        "training_status": N_("Training status"),
        "status": N_("Status"),
    }
)
"""Columns of a file, in its order."""

NAVIGATION: Final = (
    NavigationItem(N_("Participants"), "/participants", USERS),
    NavigationItem(N_("At a glance"), "/summary", USERS),
    NavigationItem(N_("Downloads"), "/exports", USERS),
    NavigationItem(N_("Access requests"), "/access-requests", USERS),
    NavigationItem(N_("Confirmations"), "/lead-provider/confirmations", (Role.LEAD_PROVIDER,)),
    NavigationItem(N_("Access requests"), "/staff/access-requests", STAFF),
    NavigationItem(N_("Agreements"), "/staff/agreements", STAFF),
    NavigationItem(N_("People"), "/staff/people", STAFF),
    NavigationItem(N_("Emails"), "/staff/emails", (Role.SUPPORT, Role.ADMINISTRATOR)),
    NavigationItem(N_("Audit"), "/staff/audit", (Role.AUDITOR, Role.ADMINISTRATOR)),
)

AUDIT_KINDS: Final = Sentences(
    {
        "auth.link-issued.v1": N_("Sign-in link emailed"),
        "auth.signed-in.v1": N_("Signed in"),
        "auth.second-factor-enrolled.v1": N_("Set up an authenticator app"),
        "auth.second-factor-passed.v1": N_("Gave a right code of the authenticator app"),
        "auth.second-factor-reset.v1": N_("Reset somebody’s authenticator app"),
        "auth.role-chosen.v1": N_("Went on in a role"),
        "auth.session-ended.v1": N_("Signed out, or was signed out"),
        "auth.signed-out-by-staff.v1": N_("Signed out somebody else everywhere"),
        "participants.list-viewed.v1": N_("Saw a list of participants"),
        "participants.participant-viewed.v1": N_("Saw the record of a participant"),
        "export.requested.v1": N_("Asked for a file"),
        "export.written.v1": N_("File written"),
        "export.downloaded.v1": N_("Downloaded a file"),
        "export.failed.v1": N_("File could not be written"),
        "export.cancelled.v1": N_("Cancelled a file"),
        "export.expired.v1": N_("File deleted"),
        "access.request-progressed.v1": N_("Step of a request for access"),
        "access.confirmation-requested.v1": N_("Lead provider was asked to confirm a user"),
        "access.grant-given.v1": N_("Access given"),
        "access.grant-suspended.v1": N_("Access suspended"),
        "access.grant-restored.v1": N_("Access restored"),
        "access.grant-ended.v1": N_("Access ended"),
        "access.review-opened.v1": N_("Review of access opened"),
        "access.grant-reviewed.v1": N_("Access confirmed in a review"),
        "access.agreement-changed.v1": N_("Agreement recorded, or ended early"),
        "access.person-registered.v1": N_("Person registered, or their details changed"),
        "access.person-erased.v1": N_("Name and address erased"),
    }
)
"""Kinds of entries that an audit can hold, in the words of the entries themselves, by what they are about."""


def labels_of_statuses() -> dict[str, str]:
    """By slug."""
    return {slug: tag.text for slug, tag in STATUSES.items()}


def headings_of_the_list() -> list[str]:
    """Its columns: those of a file, but for the training status, which the page of a person has."""
    return [text for name, text in EXPORT_COLUMNS.items() if name != "training_status"]


class Access(Protocol):
    """What somebody may act as, and for whom."""

    @property
    def role(self) -> Role: ...

    @property
    def organisation_name(self) -> str | None: ...


def service_name() -> str:
    return gettext(SERVICE_NAME)


def by_key(sentences: Sentences[str]) -> dict[str, str]:
    """All at once, for what reads them again and again."""
    return dict(sentences)


def access_as(access: Access) -> str:
    """Delivery partner, Fernhill Teaching School Hub."""
    role: str = told(access.role.label)
    return f"{role}, {access.organisation_name}" if access.organisation_name else role


def audit_kind_in_words(kind: str) -> str:
    """Also of one that a newer service publishes."""
    return AUDIT_KINDS.get(kind, kind)
