"""Entries of the audit in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from services.access.domain.coverage import in_words
from shared.contracts.roles import Role

STEPS: Final = {
    "submitted": "asked for access for {about}",
    "triage_passed": "passed on the request about {about}",
    "policy_check_passed": "passed the policy check of the request about {about}",
    "policy_check_passed_against_advice": (
        "passed the policy check of the request about {about}, against what the agreement register says"
    ),
    "confirmed_by_lead_provider": "confirmed for the lead provider that {about} is a valid user",
    "granted": "The request about {about} was granted",
    "declined_at_triage": "declined the request about {about}",
    "declined_at_policy_check": "declined the request about {about} at the policy check",
    "declined_at_policy_check_against_advice": (
        "declined the request about {about} at the policy check, though an agreement covers it"
    ),
    "refused_by_lead_provider": "said for the lead provider that {about} is not a valid user",
    "returned_at_triage": "sent back the request about {about} for information",
    "returned_at_policy_check": "sent back the request about {about} for information",
    "information_given": "gave the information that the request about {about} waited for",
    "reminded": "Whoever the request about {about} waits for was reminded",
    "expired": "The request about {about} expired: nobody answered in time",
    "withdrawn": "withdrew the request about {about}",
}
FORMATS: Final = {"csv": "a CSV file", "xlsx": "an Excel workbook", "parquet": "a Parquet file"}
SESSION_ENDS: Final = {
    "signed_out": "signed out",
    "signed_out_elsewhere": "signed out of a session on another browser",
    "signed_out_by_staff": "was signed out by DfE staff",
    "wrong_codes": "was signed out: too many wrong codes of the authenticator app",
    "second_factor_reset": "was signed out: the authenticator app was reset",
    "expired": "was signed out: the session had expired",
    "grant_ended": "was signed out: the access had ended",
}
GRANT_ENDS: Final = {"agreement_ended": "the last agreement that covered it ended"}
SUSPENDED: Final = GRANT_ENDS | {"not_reviewed": "nobody answered in its review in time"}


@dataclass(frozen=True, slots=True)
class Names:
    """Of the people and organisations that the entries of a page mention."""

    people: Mapping[UUID, str]
    organisations: Mapping[UUID, str]

    def person(self, person_id: UUID | None) -> str:
        return "Nobody" if person_id is None else self.people.get(person_id, f"person {person_id}")

    def organisation(self, organisation_id: UUID | str | None) -> str:
        if organisation_id is None:
            return "DfE"
        known = UUID(str(organisation_id))
        return self.organisations.get(known, f"organisation {known}")


def sentence(row: Row[Any], names: Names) -> str:
    """Who did what, ending with a full stop. Any kind of entry gets one."""
    data: Mapping[str, Any] = row.data
    who, about = names.person(row.person_id), names.person(row.about_id)
    where = names.organisation(row.organisation_id)
    role = Role(row.role).label if row.role else ""
    match row.kind:
        case "auth.link-issued.v1":
            said = f"A sign-in link was emailed to {who}"
        case "auth.signed-in.v1":
            said = f"{who} signed in"
        case "auth.second-factor-passed.v1":
            said = f"{who} gave a right code of the authenticator app"
        case "auth.second-factor-enrolled.v1":
            said = f"{who} set up an authenticator app"
        case "auth.second-factor-reset.v1":
            said = f"{who} reset the authenticator app of {about}"
        case "auth.role-chosen.v1":
            said = f"{who} went on as {role}, {where}"
        case "auth.session-ended.v1":
            said = f"{who} {SESSION_ENDS.get(data['reason'], 'was signed out')}"
        case "auth.signed-out-by-staff.v1":
            said = f"{who} signed out {about} everywhere"
        case "access.person-registered.v1":
            said = f"{about} was registered, or their details changed"
        case "access.person-erased.v1":
            said = f"Name and address of {about} were erased"
        case "access.grant-given.v1" if row.person_id is None:
            said = f"{about} was given access as {role}, {where}, at installation"
        case "access.grant-given.v1":
            said = f"{who} gave {about} access as {role}, {where}"
        case "access.grant-ended.v1" if row.person_id is None:
            why = GRANT_ENDS.get(data["reason"], data["reason"])
            said = f"The access of {about} as {role}, {where}, ended: {why}"
        case "access.grant-ended.v1":
            left = ", who has left" if data["reason"] == "left" else ""
            said = f"{who} ended the access of {about} as {role}, {where}{left}"
        case "access.grant-suspended.v1":
            why = SUSPENDED.get(data["reason"], data["reason"])
            said = f"The access of {about} as {role}, {where}, was suspended: {why}"
        case "access.grant-restored.v1":
            said = f"{who} restored the access of {about} as {role}, {where}"
        case "access.grant-reviewed.v1":
            said = f"{who} confirmed in a review that {about} needs the access as {role}, {where}"
        case "access.review-opened.v1":
            opener = who if row.person_id else "The scheduler"
            until = in_words(date.fromisoformat(data["answer_by"]))
            said = f"{opener} opened a review of access, to be answered by {until}"
        case "access.confirmation-requested.v1":
            said = f"{names.organisation(data['lead_provider_id'])} was asked to confirm a user"
        case "access.request-progressed.v1":
            said = _progress(data["step"], who, about)
        case "access.agreement-changed.v1":
            said = _agreement(data, who, names)
        case "participants.list-viewed.v1":
            shown = f"{len(row.participant_ids)} of {data['total']} participants"
            said = f"{who} saw page {data['page']} of the list of {where}: {shown}{_found(data)}"
        case "participants.participant-viewed.v1":
            said = f"{who} saw the record of participant {row.participant_ids[0]} for {where}"
        case "export.requested.v1":
            said = f"{who} asked for a file of participants of {where}{_found(data)}"
        case "export.written.v1":
            said = f"The file that {who} asked for was written: {data['rows']} participants of {where}"
        case "export.downloaded.v1":
            kind = FORMATS[data.get("format", "csv")]
            said = f"{who} downloaded {kind} of {data['rows']} participants of {where}{_found(data)}"
        case "export.failed.v1":
            said = f"The file that {who} asked for could not be written"
        case "export.cancelled.v1":
            said = f"{who} cancelled a file of participants of {where}"
        case "export.expired.v1":
            said = f"The file that {who} asked for was deleted"
        case _:
            said = f"{row.kind}, by {who}"
    return said + "."


def _found(data: Mapping[str, Any]) -> str:
    """How the participants were chosen. The words of a search are told to nobody."""
    filters = sorted((data.get("filters") or {}).items())
    chosen = [f"{name} {' or '.join(values)}".replace("_", " ") for name, values in filters if values]
    searched = ", found by a search" if data.get("searched") else ""
    return searched + (f", filtered by {', '.join(chosen)}" if chosen else "")


def _progress(step: str, who: str, about: str) -> str:
    words = STEPS.get(step, f"took the step {step} on the request about {{about}}").format(about=about)
    return words if words[0].isupper() else f"{who} {words}"


def _agreement(data: Mapping[str, Any], who: str, names: Names) -> str:
    between = (
        f"{names.organisation(data['delivery_partner_id'])} and "
        f"{names.organisation(data['lead_provider_id'])} (reference {data['reference']})"
    )
    if data["ended_early_on"]:
        day = in_words(date.fromisoformat(data["ended_early_on"]))
        return f"{who} ended the agreement between {between} early, on {day}"
    return f"{who} recorded the agreement between {between}"


def mentioned_organisations(row: Row[Any]) -> set[UUID]:
    """Whose names the sentence needs."""
    keys = ("delivery_partner_id", "lead_provider_id")
    found = {UUID(row.data[key]) for key in keys if row.data.get(key)}
    return found | ({row.organisation_id} if row.organisation_id else set())
