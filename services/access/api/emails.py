"""Emails that did not arrive, for those who are asked why."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.access.api.desk import AtDesk
from services.access.api.doors import Door
from services.access.permissions import Action
from shared.contracts.emails import UndeliveredEmail
from shared.email import undelivered
from shared.web.caller import PersonCaller

router = APIRouter(tags=["emails"])


@router.get("/emails/undelivered")
async def undelivered_emails(
    desk: AtDesk, _caller: Annotated[PersonCaller, Depends(Door(Action.SEE_UNDELIVERED))]
) -> list[UndeliveredEmail]:
    """About requests and grants, newest first."""
    return await undelivered(desk.store.engine)
