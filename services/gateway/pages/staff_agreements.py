"""The register of data-sharing agreements."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.gateway import content
from services.gateway.backend import Refusal
from services.gateway.csv_file import csv_of
from services.gateway.forms import LONGEST_REASON, Form, Sent
from services.gateway.language import N_, gettext
from services.gateway.pages.errors import cannot_be_done, not_found
from services.gateway.rendering import page, see_other
from services.gateway.visitor import Visitor, visiting
from shared.clock import london_day, system_clock
from shared.contracts.access import (
    Agreement,
    EndAgreement,
    ImportAgreements,
    Organisation,
    RecordAgreement,
)
from shared.contracts.manage_ects import OrganisationKind
from shared.contracts.roles import Role

router = APIRouter()

Staff = Annotated[Visitor, Depends(visiting(*content.STAFF, calls="access"))]
Policy = Annotated[Visitor, Depends(visiting(Role.POLICY, calls="access"))]

PATH: Final = "/staff/agreements"
FIELDS: Final = ("delivery_partner_id", "lead_provider_id", "starts_on", "ends_on", "reference")
LONGEST_REFERENCE: Final = 200
NOT_TO_BE_ENDED: Final = N_("This agreement has ended, or its early end is recorded already.")


@router.get(PATH)
async def agreements(request: Request, staff: Staff) -> Response:
    found = await staff.access.agreements()
    ordered = sorted(found, key=lambda a: (not a.in_force, a.delivery_partner_name.casefold(), a.starts_on))
    return page(request, "staff_agreements/list.html", agreements=ordered, may_end=_may_end)


@router.get(PATH + "/new")
async def new(request: Request, policy: Policy) -> Response:
    return await _new_form(request, policy, Form())


@router.post(PATH + "/new")
async def record(request: Request, policy: Policy, form: Sent) -> Response:
    partner = form.identity("delivery_partner_id", gettext("Select the delivery partner"))
    provider = form.identity("lead_provider_id", gettext("Select the lead provider"))
    reference = form.text("reference", gettext("Enter the reference of the document"), LONGEST_REFERENCE)
    starts_on = form.day(
        "starts_on",
        gettext("Enter the date that the agreement starts"),
        gettext("The date that the agreement starts"),
    )
    ends_on = form.day(
        "ends_on",
        gettext("Enter the date that the agreement ends"),
        gettext("The date that the agreement ends"),
    )
    if form.errors or not (partner and provider and starts_on and ends_on):
        return await _new_form(request, policy, form)
    body = RecordAgreement(
        delivery_partner_id=partner,
        lead_provider_id=provider,
        starts_on=starts_on,
        ends_on=ends_on,
        reference=reference,
    )
    try:
        await policy.access.record_agreement(body)
    except Refusal as refusal:
        form.refused(refusal, FIELDS)
        return await _new_form(request, policy, form)
    return see_other(PATH, done="agreement-recorded")


@router.get(PATH + "/import")
async def ask_for_csv(request: Request, _policy: Policy) -> Response:
    return page(request, "staff_agreements/import.html", form=Form(), lines=None)


@router.post(PATH + "/import")
async def take_in(request: Request, policy: Policy, form: Sent) -> Response:
    """First a dry run that shows each line's outcome; then, by the other button, for good."""
    text, dry_run = csv_of(form)
    lines = None
    if not form.errors:
        try:
            lines = await policy.access.import_agreements(ImportAgreements(csv=text, dry_run=dry_run))
        except Refusal as refusal:
            form.refused(refusal, ["csv"])
    return page(
        request,
        "staff_agreements/import.html",
        400 if form.errors else 200,
        form=form,
        lines=lines,
        dry_run=dry_run,
    )


@router.get(PATH + "/{agreement_id}")
async def changes(request: Request, staff: Staff, agreement_id: UUID) -> Response:
    """The register's diff: what each change made of the agreement."""
    agreement = _one(await staff.access.agreements(), agreement_id)
    if agreement is None:
        return not_found(request)
    found = await staff.access.agreement_changes(agreement_id)
    return page(request, "staff_agreements/changes.html", agreement=agreement, changes=found)


@router.get(PATH + "/{agreement_id}/end")
async def ask_to_end(request: Request, policy: Policy, agreement_id: UUID) -> Response:
    return await _end_form(request, policy, agreement_id, Form())


@router.post(PATH + "/{agreement_id}/end")
async def end(request: Request, policy: Policy, agreement_id: UUID, form: Sent) -> Response:
    ended_on = form.day(
        "ended_early_on",
        gettext("Enter the first day that the agreement is no longer in force"),
        gettext("The first day that the agreement is no longer in force"),
    )
    reason = form.text("reason", gettext("Enter why the agreement ends early"), LONGEST_REASON)
    if form.errors or ended_on is None:
        return await _end_form(request, policy, agreement_id, form)
    try:
        await policy.access.end_agreement(agreement_id, EndAgreement(ended_early_on=ended_on, reason=reason))
    except Refusal as refusal:
        form.refused(refusal, ["ended_early_on", "reason"])
        return await _end_form(request, policy, agreement_id, form)
    return see_other(PATH, done="agreement-ended")


async def _new_form(request: Request, policy: Visitor, form: Form) -> Response:
    partners = await policy.access.organisations(OrganisationKind.DELIVERY_PARTNER)
    providers = await policy.access.organisations(OrganisationKind.LEAD_PROVIDER)
    return page(
        request,
        "staff_agreements/new.html",
        400 if form.errors else 200,
        form=form,
        delivery_partners=_offered(partners),
        lead_providers=_offered(providers),
    )


async def _end_form(request: Request, policy: Visitor, agreement_id: UUID, form: Form) -> Response:
    agreement = _one(await policy.access.agreements(), agreement_id)
    if agreement is None:
        return not_found(request)
    if not _may_end(agreement):
        return cannot_be_done(request, 409, gettext(NOT_TO_BE_ENDED))
    status = 400 if form.errors else 200
    return page(request, "staff_agreements/end.html", status, form=form, agreement=agreement)


def _may_end(agreement: Agreement) -> bool:
    """There is something left to end early. The access service decides; this hides dead links."""
    return agreement.ended_early_on is None and london_day(system_clock()) <= agreement.ends_on


def _one(agreements: list[Agreement], agreement_id: UUID) -> Agreement | None:
    return next((a for a in agreements if a.agreement_id == agreement_id), None)


def _offered(organisations: list[Organisation]) -> list[dict[str, str]]:
    return [{"value": str(o.organisation_id), "text": o.name} for o in organisations]
