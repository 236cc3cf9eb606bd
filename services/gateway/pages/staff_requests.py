"""Staff look at access requests: enter, triage, check against the agreements, decide."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.gateway import content
from services.gateway.backend import Refusal
from services.gateway.csv_file import csv_of
from services.gateway.forms import LONGEST_REASON, Form, Sent
from services.gateway.language import N_, gettext, told
from services.gateway.pages.request_queue import queue
from services.gateway.pages.several import decide_several
from services.gateway.rendering import page, see_other
from services.gateway.visitor import Visitor, visiting
from shared.contracts.access import (
    AccessRequest,
    Decide,
    Decision,
    DeclineKind,
    ImportUsers,
    Organisation,
    RequestState,
    SubmitRequest,
)
from shared.contracts.manage_ects import OrganisationKind
from shared.contracts.roles import Role

router = APIRouter()

Staff = Annotated[Visitor, Depends(visiting(*content.STAFF, calls="access"))]
Support = Annotated[Visitor, Depends(visiting(Role.SUPPORT, calls="access"))]
Policy = Annotated[Visitor, Depends(visiting(Role.POLICY, calls="access"))]

PATH: Final = "/staff/access-requests"
FIELDS: Final = ("full_name", "email", "organisation", "reason")
WHAT: Final = N_("Select what you decide")
WHY: Final = N_("Enter the reason for your decision")


@router.get(PATH)
async def requests(request: Request, staff: Staff) -> Response:
    return page(request, "staff_requests/list.html", **await queue(request, staff, PATH))


@router.get(PATH + "/new")
async def new(request: Request, support: Support) -> Response:
    return await _new_form(request, support, Form())


@router.post(PATH + "/new")
async def enter(request: Request, support: Support, form: Sent) -> Response:
    """A request that reached support by email or telephone. The organisation says which access it is."""
    full_name = form.text("full_name", gettext("Enter the person’s full name"))
    email = form.email("email", gettext("Enter the person’s email address"))
    chosen = chosen_organisation(form, gettext("Select the organisation"))
    reason = form.text(
        "reason", gettext("Enter who asked, when, and why the person needs access"), LONGEST_REASON
    )
    if form.errors or chosen is None:
        return await _new_form(request, support, form)
    role, organisation_id = chosen
    body = SubmitRequest(
        full_name=full_name, email=email, role=role, organisation_id=organisation_id, reason=reason
    )
    try:
        made = await support.access.submit(body)
    except Refusal as refusal:
        form.refused(refusal, FIELDS)
        return await _new_form(request, support, form)
    return see_other(f"{PATH}/{made.request_id}", done="request-entered")


@router.get(PATH + "/import")
async def ask_for_csv(request: Request, _support: Support) -> Response:
    return page(request, "staff_requests/import.html", form=Form(), lines=None)


@router.post(PATH + "/import")
async def take_in(request: Request, support: Support, form: Sent) -> Response:
    """First a dry run that shows each line's outcome; then, by the other button, for good."""
    text, dry_run = csv_of(form)
    reason = form.text("reason", gettext("Enter whose list it is, and when it came"), LONGEST_REASON)
    lines = None
    if not form.errors:
        try:
            body = ImportUsers(csv=text, reason=reason, dry_run=dry_run)
            lines = await support.access.import_users(body)
        except Refusal as refusal:
            form.refused(refusal, ["csv", "reason"])
    return page(
        request,
        "staff_requests/import.html",
        400 if form.errors else 200,
        form=form,
        lines=lines,
        dry_run=dry_run,
    )


@router.get(PATH + "/several")
async def several(request: Request, support: Support) -> Response:
    return await _several(request, support, Form(), [])


@router.post(PATH + "/several")
async def triage_several(request: Request, support: Support, form: Sent) -> Response:
    """Triage is safe to do for several at once: policy and the lead provider look at each after it."""
    waiting = (await support.access.requests(RequestState.SUBMITTED, 1)).requests
    names = {each.request_id: each.full_name for each in waiting}
    not_done = await decide_several(support, form, "/requests/triage", names)
    if not_done == []:
        return see_other(f"{PATH}?state={RequestState.SUBMITTED.value}", done="decided-several")
    return await _several(request, support, form if not_done is None else Form(), not_done or [])


@router.get(PATH + "/{request_id}")
async def one(request: Request, staff: Staff, request_id: UUID) -> Response:
    return await _one(request, staff, request_id, Form())


@router.post(PATH + "/{request_id}/triage")
async def triage(request: Request, support: Support, request_id: UUID, form: Sent) -> Response:
    return await _decide(request, support, request_id, "triage", form)


@router.post(PATH + "/{request_id}/policy-check")
async def policy_check(request: Request, policy: Policy, request_id: UUID, form: Sent) -> Response:
    return await _decide(request, policy, request_id, "policy-check", form)


@router.post(PATH + "/{request_id}/information")
async def inform(request: Request, support: Support, request_id: UUID, form: Sent) -> Response:
    """For a request that support entered: what those who wrote to support say."""
    information = form.text(
        "information", gettext("Enter the information that was asked for"), LONGEST_REASON
    )
    if not form.errors:
        try:
            await support.access.inform(request_id, information)
        except Refusal as refusal:
            form.refused(refusal, ["information"])
        else:
            return see_other(f"{PATH}/{request_id}", done="information-given")
    return await _one(request, support, request_id, form)


@router.post(PATH + "/{request_id}/withdraw")
async def withdraw(request: Request, staff: Staff, request_id: UUID, form: Sent) -> Response:
    reason = form.text("withdraw_reason", gettext("Enter why the request is withdrawn"), LONGEST_REASON)
    if not form.errors:
        try:
            await staff.access.withdraw(request_id, reason)
        except Refusal as refusal:
            form.refused(refusal, ["withdraw_reason"])
        else:
            return see_other(f"{PATH}/{request_id}", done="request-withdrawn")
    return await _one(request, staff, request_id, form)


async def _several(request: Request, support: Visitor, form: Form, not_done: list[str]) -> Response:
    waiting = (await support.access.requests(RequestState.SUBMITTED, 1)).requests
    people = [
        {"value": str(each.request_id), "text": f"{each.full_name}, {each.email}, {each.organisation_name}"}
        for each in waiting
        if "triage" in each.may
    ]
    status = 400 if form.errors else 200
    return page(request, "staff_requests/several.html", status, people=people, form=form, not_done=not_done)


async def _decide(request: Request, visitor: Visitor, request_id: UUID, step: str, form: Form) -> Response:
    decision = form.choice("decision", Decision, gettext(WHAT))
    reason = form.text("reason", gettext(WHY), LONGEST_REASON)
    asked = None
    if decision is Decision.APPROVE and form.values.get("lead_provider_id"):
        asked = form.identity("lead_provider_id", gettext("Select a lead provider"))
    if decision is not None and not form.errors:
        body = Decide(
            decision=decision,
            reason=reason,
            decline_kind=form.chosen("decline_kind", DeclineKind) if decision is Decision.DECLINE else None,
            lead_provider_id=asked,
        )
        try:
            await visitor.access.decide(request_id, step, body)
        except Refusal as refusal:
            form.refused(refusal, ["decision", "reason", "decline_kind", "lead_provider_id"])
        else:
            return see_other(f"{PATH}/{request_id}", done="decided")
    return await _one(request, visitor, request_id, form)


async def _one(request: Request, visitor: Visitor, request_id: UUID, form: Form) -> Response:
    found = await visitor.access.request(request_id)
    return page(
        request,
        "staff_requests/one.html",
        400 if form.errors else 200,
        asked=found,
        form=form,
        path=PATH,
        lead_providers=await _lead_providers(visitor, found),
    )


async def _lead_providers(visitor: Visitor, asked: AccessRequest) -> list[dict[str, str]]:
    """Whom policy can ask: those of the covering agreements; where none covers, any (against the advice)."""
    if "policy_check" not in asked.may or asked.role is not Role.DELIVERY_PARTNER:
        return []
    covering = asked.check.covering if asked.check else []
    if covering:
        found = {str(a.lead_provider_id): a.lead_provider_name for a in covering}
    else:
        everyone = await visitor.access.organisations(OrganisationKind.LEAD_PROVIDER)
        found = {str(o.organisation_id): o.name for o in everyone}
    return [{"value": value, "text": name} for value, name in found.items()]


def chosen_organisation(form: Form, missing: str) -> tuple[Role, UUID] | None:
    """One that was `offered`, with the role that goes with it."""
    kind, _, identity = form.values.get("organisation", "").partition(":")
    try:
        return Role(OrganisationKind(kind).value), UUID(identity)
    except ValueError:
        form.errors["organisation"] = missing
        return None


async def _new_form(request: Request, support: Visitor, form: Form) -> Response:
    partners = await support.access.organisations(OrganisationKind.DELIVERY_PARTNER)
    bodies = await support.access.organisations(OrganisationKind.APPROPRIATE_BODY)
    return page(
        request,
        "staff_requests/new.html",
        400 if form.errors else 200,
        form=form,
        organisations=[offered(o) for o in sorted([*partners, *bodies], key=lambda o: o.name.casefold())],
    )


def offered(organisation: Organisation) -> dict[str, str]:
    kind = told(Role(organisation.kind.value).label).lower()
    return {
        "value": f"{organisation.kind.value}:{organisation.organisation_id}",
        "text": f"{organisation.name} ({kind})",
    }
