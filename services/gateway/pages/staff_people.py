"""People, what they may do, and the end of it."""

from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.gateway import content
from services.gateway.backend import Refusal
from services.gateway.forms import LONGEST_EMAIL, LONGEST_REASON, Form, Sent
from services.gateway.language import gettext
from services.gateway.pages.errors import cannot_be_done, not_found
from services.gateway.pages.request_queue import number_of
from services.gateway.paging import pagination
from services.gateway.rendering import page, see_other
from services.gateway.visitor import Visitor, visiting
from shared.contracts.access import AddContact
from shared.contracts.manage_ects import OrganisationKind
from shared.contracts.roles import Role

router = APIRouter()

Staff = Annotated[Visitor, Depends(visiting(*content.STAFF, calls="access"))]
Administrator = Annotated[Visitor, Depends(visiting(Role.ADMINISTRATOR, calls="access", and_calls=("auth",)))]
Revoker = Annotated[Visitor, Depends(visiting(Role.SUPPORT, Role.ADMINISTRATOR, calls="access"))]
Policy = Annotated[Visitor, Depends(visiting(Role.POLICY, calls="access"))]
KeeperOfContacts = Annotated[Visitor, Depends(visiting(Role.POLICY, Role.ADMINISTRATOR, calls="access"))]

PATH: Final = "/staff/people"


@router.get(PATH)
async def people(request: Request, staff: Staff) -> Response:
    q = request.query_params.get("q", "").strip()[:LONGEST_EMAIL].replace("\x00", "")
    found = await staff.access.people(q, number_of(request.query_params.get("page")))

    def href(number: int) -> str:
        return f"{PATH}?{urlencode({'q': q, 'page': number})}"

    return page(
        request,
        "staff_people/list.html",
        found=found,
        q=q,
        pagination=pagination(found.page, found.pages, href),
        may_add_contact=staff.role in (Role.POLICY, Role.ADMINISTRATOR),
    )


@router.get(PATH + "/new-contact")
async def new_contact(request: Request, keeper: KeeperOfContacts) -> Response:
    return await _contact_form(request, keeper, Form())


@router.post(PATH + "/new-contact")
async def add_contact(request: Request, keeper: KeeperOfContacts, form: Sent) -> Response:
    full_name = form.text("full_name", gettext("Enter the contact’s full name"))
    email = form.email("email", gettext("Enter the contact’s email address"))
    provider = form.identity(
        "lead_provider_id", gettext("Select the lead provider that the contact answers for")
    )
    if form.errors or provider is None:
        return await _contact_form(request, keeper, form)
    body = AddContact(full_name=full_name, email=email, lead_provider_id=provider)
    try:
        person = await keeper.access.add_contact(body)
    except Refusal as refusal:
        form.refused(refusal, ["full_name", "email", "lead_provider_id"])
        return await _contact_form(request, keeper, form)
    return see_other(f"{PATH}/{person.person_id}", done="contact-added")


@router.get(PATH + "/{person_id}/second-factor")
async def ask_to_reset(request: Request, administrator: Administrator, person_id: UUID) -> Response:
    found = await administrator.access.person(person_id)
    return page(request, "staff_people/reset_second_factor.html", person=found)


@router.post(PATH + "/{person_id}/second-factor")
async def reset_second_factor(request: Request, administrator: Administrator, person_id: UUID) -> Response:
    token = administrator.session.tokens["auth"]
    try:
        await administrator.backends.auth.reset_second_factor(person_id, token)
    except Refusal as refusal:
        return cannot_be_done(request, refusal.status, refusal.detail)
    return see_other(f"{PATH}/{person_id}", done="second-factor-reset")


@router.get(PATH + "/suspended")
async def suspended(request: Request, staff: Staff) -> Response:
    return page(request, "staff_people/suspended.html", people=await staff.access.suspended())


@router.get(PATH + "/{person_id}")
async def person(request: Request, staff: Staff, person_id: UUID) -> Response:
    found = await staff.access.person(person_id)
    is_staff = any(grant.role.is_staff and grant.ended_at is None for grant in found.grants)
    may_reset = staff.role is Role.ADMINISTRATOR and person_id != staff.session.person_id
    return page(
        request,
        "staff_people/one.html",
        person=found,
        may_revoke=[grant.grant_id for grant in found.grants if _may_revoke(staff.role, grant.role)],
        may_reset=is_staff and may_reset,
        may_sign_out=_may_sign_out(staff.role, is_staff=is_staff),
        may_restore=staff.role is Role.POLICY,
        may_audit=staff.role in (Role.AUDITOR, Role.ADMINISTRATOR),
    )


@router.get(PATH + "/{person_id}/why")
async def why(request: Request, staff: Staff, person_id: UUID) -> Response:
    """Why does this person have access? On one page."""
    return page(request, "staff_people/why.html", why=await staff.access.why(person_id))


@router.get(PATH + "/{person_id}/why/download")
async def why_as_a_file(staff: Staff, person_id: UUID) -> Response:
    """The same to take along."""
    found = await staff.access.why(person_id)
    name = f"access-of-{person_id}-on-{found.on.isoformat()}.json"
    return Response(
        found.model_dump_json(indent=1),
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@router.get(PATH + "/{person_id}/grants/{grant_id}/end")
async def ask_to_revoke(request: Request, revoker: Revoker, person_id: UUID, grant_id: UUID) -> Response:
    return await _grant_form(request, revoker, "end_access", person_id, grant_id, Form())


@router.post(PATH + "/{person_id}/grants/{grant_id}/end")
async def revoke(request: Request, revoker: Revoker, person_id: UUID, grant_id: UUID, form: Sent) -> Response:
    reason = form.text("reason", gettext("Enter why the access ends"), LONGEST_REASON)
    if form.errors:
        return await _grant_form(request, revoker, "end_access", person_id, grant_id, form)
    try:
        await revoker.access.revoke(grant_id, reason)
    except Refusal as refusal:
        form.refused(refusal, ["reason"])
        return await _grant_form(request, revoker, "end_access", person_id, grant_id, form)
    return see_other(f"{PATH}/{person_id}", done="access-ended")


@router.get(PATH + "/{person_id}/grants/{grant_id}/restore")
async def ask_to_restore(request: Request, policy: Policy, person_id: UUID, grant_id: UUID) -> Response:
    return await _grant_form(request, policy, "restore", person_id, grant_id, Form())


@router.post(PATH + "/{person_id}/grants/{grant_id}/restore")
async def restore(request: Request, policy: Policy, person_id: UUID, grant_id: UUID, form: Sent) -> Response:
    reason = form.text("reason", gettext("Enter why the access is restored"), LONGEST_REASON)
    if not form.errors:
        try:
            await policy.access.restore(grant_id, reason)
        except Refusal as refusal:
            form.refused(refusal, ["reason"])
        else:
            return see_other(f"{PATH}/{person_id}", done="access-restored")
    return await _grant_form(request, policy, "restore", person_id, grant_id, form)


def _may_revoke(by: Role, role: Role) -> bool:
    """Only an administrator ends the access of staff. The access service decides; this hides dead links."""
    return by is Role.ADMINISTRATOR or (by is Role.SUPPORT and not role.is_staff)


def _may_sign_out(by: Role, *, is_staff: bool) -> bool:
    """Likewise: the auth service decides."""
    return by is Role.ADMINISTRATOR or (by is Role.SUPPORT and not is_staff)


async def _contact_form(request: Request, keeper: Visitor, form: Form) -> Response:
    providers = await keeper.access.organisations(OrganisationKind.LEAD_PROVIDER)
    return page(
        request,
        "staff_people/new_contact.html",
        400 if form.errors else 200,
        form=form,
        lead_providers=[{"value": str(p.organisation_id), "text": p.name} for p in providers],
    )


async def _grant_form(
    request: Request, staff: Visitor, template: str, person_id: UUID, grant_id: UUID, form: Form
) -> Response:
    found = await staff.access.person(person_id)
    grant = next((grant for grant in found.grants if grant.grant_id == grant_id), None)
    if grant is None:
        return not_found(request)
    status = 400 if form.errors else 200
    return page(request, f"staff_people/{template}.html", status, form=form, person=found, grant=grant)
