"""Emails that did not arrive, for those who are asked why."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.access.api.desk import AtDesk
from shared.contracts.emails import UndeliveredEmail
from shared.contracts.roles import Role
from shared.email import undelivered
from shared.web.caller import PersonCaller, person

router = APIRouter(tags=["emails"])


@router.get("/emails/undelivered")
async def undelivered_emails(
    desk: AtDesk, _caller: Annotated[PersonCaller, Depends(person(Role.SUPPORT, Role.ADMINISTRATOR))]
) -> list[UndeliveredEmail]:
    """About requests and grants, newest first."""
    return await undelivered(desk.store.engine)
