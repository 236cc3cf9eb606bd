"""What may be asked of access: each one transaction of events, the rows they change, and the work to do.

Every function takes the moment `at` (UTC) and raises a Refused of the domain.
"""

from services.access.handlers.agreements import end_agreement_early, lapse_due, record_agreement
from services.access.handlers.first_staff import bootstrap_staff
from services.access.handlers.grants import mark_leaver, restore_grant, revoke_grant
from services.access.handlers.people import add_lead_provider_contact
from services.access.handlers.requests import (
    Answer,
    Verdict,
    decide_request,
    give_information,
    submit_request,
    withdraw_request,
)

__all__ = [
    "Answer",
    "Verdict",
    "add_lead_provider_contact",
    "bootstrap_staff",
    "decide_request",
    "end_agreement_early",
    "give_information",
    "lapse_due",
    "mark_leaver",
    "record_agreement",
    "restore_grant",
    "revoke_grant",
    "submit_request",
    "withdraw_request",
]
