"""Somebody's sessions, for staff: whether there are any, and the end of them. The access goes on."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.backend import Refusal
from services.gateway.pages.errors import cannot_be_done
from services.gateway.pages.staff_people import PATH
from services.gateway.rendering import page, see_other
from services.gateway.visitor import Visitor, visiting
from shared.contracts.roles import Role

router = APIRouter()

Ender = Annotated[
    Visitor, Depends(visiting(Role.SUPPORT, Role.ADMINISTRATOR, calls="access", and_calls=("auth",)))
]


@router.get(PATH + "/{person_id}/sessions")
async def sessions_of(request: Request, ender: Ender, person_id: UUID) -> Response:
    person = await ender.access.person(person_id)
    found = await ender.backends.auth.sessions_of(person_id, ender.session.tokens["auth"])
    return page(request, "staff_people/sign_out.html", person=person, found=found)


@router.post(PATH + "/{person_id}/sessions")
async def sign_out(request: Request, ender: Ender, person_id: UUID) -> Response:
    try:
        await ender.backends.auth.sign_out(person_id, ender.session.tokens["auth"])
    except Refusal as refusal:
        return cannot_be_done(request, refusal.status, refusal.detail)
    return see_other(f"{PATH}/{person_id}", done="person-signed-out")
