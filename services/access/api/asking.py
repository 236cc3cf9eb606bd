"""For people without access: the gateway asks for them, once it knows that the email address is theirs."""

from typing import Annotated

from fastapi import APIRouter, Depends

from services.access.api.desk import AtDesk, Reading
from services.access.domain.vocabulary import Role
from services.access.handlers.requests import Nomination, ask_for_oneself
from services.access.queries.organisations import list_organisations
from shared.contracts import access as told
from shared.web.caller import ServiceCaller, service

router = APIRouter(prefix="/requests/own", tags=["requests"])

Gateway = Annotated[ServiceCaller, Depends(service("gateway"))]


@router.get("/organisations")
async def organisations(_caller: Gateway, connection: Reading) -> list[told.Organisation]:
    """All that there are, by name: it says nothing about who has access."""
    return list(await list_organisations(connection, None, None))


@router.post("", status_code=204)
async def ask(desk: AtDesk, _caller: Gateway, body: told.AskForOneself) -> None:
    """The request comes into support's queue."""
    nomination = Nomination(body.full_name, body.email, Role(body.role), body.organisation_id, body.reason)
    await ask_for_oneself(desk.store, nomination, at=desk.now())
