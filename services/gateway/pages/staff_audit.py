"""Who saw what, who took what away, and who allowed it."""

from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.gateway import content
from services.gateway.forms import Form
from services.gateway.language import N_, gettext
from services.gateway.pages.request_queue import number_of
from services.gateway.paging import pagination
from services.gateway.rendering import page
from services.gateway.visitor import Visitor, visiting
from shared.contracts.roles import Role

router = APIRouter()

Keeper = Annotated[Visitor, Depends(visiting(Role.AUDITOR, Role.ADMINISTRATOR, calls="access"))]

PATH: Final = "/staff/audit"
IDENTITIES: Final = ("person_id", "participant_id")
NO_IDENTITY: Final = N_("Enter a whole ID, such as 0190a1b2-0000-7000-8000-000000000000")


@router.get(PATH)
async def audit(request: Request, keeper: Keeper) -> Response:
    asked = {name: request.query_params.get(name, "").strip() for name in (*IDENTITIES, "kind")}
    form = Form(asked)
    for name in IDENTITIES:
        if asked[name]:
            form.identity(name, gettext(NO_IDENTITY))
    if asked["kind"] and asked["kind"] not in content.AUDIT_KINDS:
        form.errors["kind"] = gettext("Select a kind from the list")
    if form.errors:
        return page(request, "staff_audit/list.html", 400, form=form, found=None)
    filters = {name: _normal(name, value) for name, value in asked.items() if value}
    number = number_of(request.query_params.get("page"))
    found = await keeper.access.audit([*filters.items(), ("page", str(number))])

    def href(number: int) -> str:
        return f"{PATH}?{urlencode({**filters, 'page': number})}"

    return page(
        request,
        "staff_audit/list.html",
        form=form,
        found=found,
        pagination=pagination(found.page, found.pages, href),
    )


def _normal(name: str, value: str) -> str:
    return str(UUID(value)) if name in IDENTITIES else value
