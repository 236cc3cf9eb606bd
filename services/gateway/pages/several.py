"""One decision on several requests at once, each taken by itself."""

from collections.abc import Mapping
from uuid import UUID

from services.gateway.backend import Refusal
from services.gateway.forms import LONGEST_REASON, Form
from services.gateway.language import gettext, told
from services.gateway.visitor import Visitor
from shared.contracts.access import DecideSeveral, Decision, DeclineKind

FIELDS = ("request_ids", "decision", "decline_kind", "reason")


async def decide_several(
    visitor: Visitor, form: Form, path: str, names: Mapping[UUID, str]
) -> list[str] | None:
    """Decide on the ticked requests. Returns a sentence for each that could not be decided.

    None, and errors in the form, when nothing was decided. path: of the service's call. names: of the people
    that the page shows.
    """
    ticked = form.identities("request_ids", gettext("Select at least one person"))
    decision = form.choice("decision", Decision, gettext("Select what you decide"))
    reason = form.text("reason", gettext("Enter the reason for your decision"), LONGEST_REASON)
    kind = form.chosen("decline_kind", DeclineKind) if decision is Decision.DECLINE else None
    if form.errors or decision is None:
        return None
    body = DecideSeveral(request_ids=ticked, decision=decision, reason=reason, decline_kind=kind)
    try:
        outcomes = await visitor.access.decide_several(path, body)
    except Refusal as refusal:
        form.refused(refusal, FIELDS)
        return None
    somebody = gettext("A person")
    return [f"{names.get(o.request_id, somebody)}: {told(o.why_not)}" for o in outcomes if not o.done]
