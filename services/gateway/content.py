"""Words that more than one page needs, and closed lists of words: in one place, to be translated."""

from dataclasses import dataclass
from typing import Final

from shared.contracts import access, auth, export, participants
from shared.contracts.access import DeclineKind, LineOutcome, RequestState
from shared.contracts.emails import WhyUndelivered
from shared.contracts.export import ExportFormat, ExportState
from shared.contracts.roles import Role

SERVICE_NAME: Final = "Check data for delivery partners"


@dataclass(frozen=True, slots=True)
class Tag:
    """A word and its colour. The colour alone never says anything."""

    text: str
    colour: str


@dataclass(frozen=True, slots=True)
class Part:
    """Of the service, as the subject of a sentence: what cannot be used now, and what can."""

    away: str
    there: str


STATUSES: Final = {
    "contacted_for_information": Tag("Contacted for information", "yellow"),
    "dfe_checking_eligibility": Tag("DfE checking eligibility", "teal"),
    "not_eligible_for_funded_training": Tag("Not eligible for funded training", "red"),
    "checking_qts": Tag("Checking QTS", "purple"),
    "training_or_eligible_for_training": Tag("Training or eligible for training", "green"),
    "participant_deferred": Tag("Participant deferred", "orange"),
    "no_longer_being_trained": Tag("No longer being trained", "grey"),
    "induction_completed": Tag("Induction completed", "blue"),
}
"""By slug. Labels of rows come from the participants service; these are for the filter."""

WHAT_TO_DO: Final = {
    "contacted_for_information": (
        "Ask this person to look for DfE’s email, also among their spam, and to answer it. If the email "
        "address below is wrong, ask their school to correct it."
    ),
    "dfe_checking_eligibility": (
        "Mostly nothing: the status changes by itself when the check is done. If the reason above names "
        "somebody who has to act, you can remind them."
    ),
    "not_eligible_for_funded_training": (
        "If you train this person, agree with the lead provider and the school how that is paid: DfE does "
        "not fund it. If you think that the decision is wrong, tell the lead provider."
    ),
    "checking_qts": (
        "Nothing, unless you know that this person has QTS: then ask their school to have it recorded with "
        "the TRA."
    ),
    "training_or_eligible_for_training": (
        "Train this person, or plan their start. If they are not with you, tell the lead provider."
    ),
    "participant_deferred": (
        "Nothing until the training goes on. If it goes on already, tell the lead provider, who reports it."
    ),
    "no_longer_being_trained": (
        "If this person is still in training with you, tell the lead provider. If not, you may take them off "
        "your own list."
    ),
    "induction_completed": "Nothing more is needed. You may close this person’s record on your own list.",
}
"""By slug: what somebody who reads a status may do about it. In this service nothing can be changed."""

PARTICIPANT_ROLES: Final = {"ect": "Early career teacher", "mentor": "Mentor"}
TRAINING_STATUSES: Final = {"active": "Active", "deferred": "Deferred", "withdrawn": "Withdrawn"}

NOT_IN_THE_LIST: Final = {
    "role": "Select a role that is in the filter",
    "academic_year": "Select an academic year that is in the filter",
    "status": "Select a status that is in the filter",
    "changed_since": "Select since when the status changed from those in the filter",
}
"""For addresses that somebody wrote by hand, or that are older than the filter."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    text: str
    media_type: str


EXPORT_FORMATS: Final = {
    ExportFormat.CSV: FileFormat("CSV, for most programs", "text/csv"),
    ExportFormat.XLSX: FileFormat(
        "Excel workbook (XLSX)", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ),
    ExportFormat.PARQUET: FileFormat("Parquet, for data tools", "application/vnd.apache.parquet"),
}

EXPORT_STATES: Final = {
    ExportState.WAITING: Tag("Waiting", "yellow"),
    ExportState.WRITING: Tag("Being made", "teal"),
    ExportState.READY: Tag("Ready", "green"),
    ExportState.FAILED: Tag("Failed", "red"),
    ExportState.EXPIRED: Tag("Deleted", "grey"),
    ExportState.CANCELLED: Tag("Cancelled", "grey"),
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
    LineOutcome.NEW: Tag("New", "green"),
    LineOutcome.KNOWN: Tag("Known already", "grey"),
    LineOutcome.REFUSED: Tag("Cannot be imported", "red"),
}
DECLINE_KINDS: Final = [{"value": kind.value, "text": kind.label} for kind in DeclineKind]

DONE: Final = {
    "signed-out": "You have signed out.",
    "signed-out-everywhere": "You have signed out everywhere.",
    "session-ended": "That session has ended.",
    "request-made": "Your request has been sent. DfE support looks at it first.",
    "request-entered": "The request has been entered. A colleague has to look at it first.",
    "request-withdrawn": "The request has been withdrawn.",
    "information-given": "Your information has been sent.",
    "decided": "Your decision has been recorded.",
    "confirmed": "You confirmed this person. They get an email that says how to sign in.",
    "refused": "You refused this person. They do not get access.",
    "agreement-recorded": "The agreement has been recorded.",
    "agreement-ended": "The agreement ends on the date that you gave.",
    "person-signed-out": "This person has been signed out everywhere.",
    "second-factor-reset": "The authenticator app has been reset.",
    "decided-several": "Your decisions have been recorded.",
    "imported": "The lines have been imported.",
    "review-opened": "The review has been opened. Those who can answer get an email.",
    "review-confirmed": "You confirmed that this person still needs access.",
    "review-ended": "This person’s access has been ended.",
    "access-restored": "The access has been restored. The person gets an email that says so.",
    "colleague-left": "Your colleague’s access has been ended.",
    "access-ended": "The access has been ended.",
    "contact-added": "The contact has been added. They get an email when somebody waits for them.",
}
"""What a page says after something was done, by the word in its URL: never text from the URL itself."""

PARTS: Final = {
    "auth": Part("Signing in, and every page that needs it,", "The pages behind the links at the bottom"),
    "participants": Part(
        "The list of participants", "Downloads that you asked for before, and access requests,"
    ),
    "export": Part("Downloading", "The list of participants, and access requests,"),
    "access": Part(
        "Access requests, agreements, people and audit", "The list of participants, and downloads,"
    ),
}
"""What is away with a service, and what is not."""

WHY_UNDELIVERED: Final = {
    WhyUndelivered.REFUSED: "The address was refused. Check how it is written.",
    WhyUndelivered.PERMANENT_FAILURE: "The address does not exist, or takes no email from us. Check it.",
    WhyUndelivered.TEMPORARY_FAILURE: "The mailbox was full or away for days. The person can ask again.",
    WhyUndelivered.TECHNICAL_FAILURE: "GOV.UK Notify could not send it. The person can ask again.",
}

STAFF: Final = (Role.SUPPORT, Role.POLICY, Role.AUDITOR, Role.ADMINISTRATOR)
USERS: Final = (Role.DELIVERY_PARTNER, Role.APPROPRIATE_BODY)


@dataclass(frozen=True, slots=True)
class NavigationItem:
    text: str
    href: str
    roles: tuple[Role, ...]


ORDERS: Final = {"name": "name", "-changed": "latest change of status"}
"""Ways to sort the list that its page offers; the first unless chosen."""

EXPORT_COLUMNS: Final = {
    "full_name": "Full name",
    "email_address": "Email address",
    "trn": "TRN",
    "role": "Role",
    "lead_provider": "Lead provider",
    "school": "School",
    "school_unique_reference_number": "School unique reference number",
    "academic_year": "Academic year",
    "training_status": "Training status",
    "status": "Status",
}
"""Columns of a file, in its order."""

NAVIGATION: Final = (
    NavigationItem("Participants", "/participants", USERS),
    NavigationItem("At a glance", "/summary", USERS),
    NavigationItem("Downloads", "/exports", USERS),
    NavigationItem("Access requests", "/access-requests", USERS),
    NavigationItem("Confirmations", "/lead-provider/confirmations", (Role.LEAD_PROVIDER,)),
    NavigationItem("Access requests", "/staff/access-requests", STAFF),
    NavigationItem("Agreements", "/staff/agreements", STAFF),
    NavigationItem("People", "/staff/people", STAFF),
    NavigationItem("Emails", "/staff/emails", (Role.SUPPORT, Role.ADMINISTRATOR)),
    NavigationItem("Audit", "/staff/audit", (Role.AUDITOR, Role.ADMINISTRATOR)),
)

AUDIT_KINDS: Final = sorted(
    contract.type
    for catalogue in (auth.CATALOGUE, access.CATALOGUE, participants.CATALOGUE, export.CATALOGUE)
    for contract in catalogue
)
"""Kinds of entries that an audit can hold: the published events of all services."""


def audit_kind_in_words(kind: str) -> str:
    """`auth.signed-in.v1` → "Signed in"."""
    publisher, _, rest = kind.partition(".")
    words = rest.partition(".")[0].replace("-", " ") or kind
    said = f"export {words}" if publisher == "export" else words
    return said[:1].upper() + said[1:]
