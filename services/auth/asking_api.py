"""Links to the form on which people without access ask for it. Bodies: shared/contracts/auth.py."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from services.auth.application import Here
from services.auth.asking import Asking
from services.auth.opened import Gateway
from shared.contracts import auth as contract

router = APIRouter(prefix="/asking-links")


async def _asking(request: Request) -> Asking:
    asking: Asking = request.app.state.asking
    return asking


Asked = Annotated[Asking, Depends(_asking)]


@router.post("", status_code=202)
async def ask(body: contract.AskForAccess, auth: Here, asking: Asked, _caller: Gateway) -> None:
    """The same answer for every address, under the limits of sign-in links; 429 who asks too often."""
    await auth.admit(body)
    await asking.ask(body.email)


@router.post("/read")
async def read(body: contract.AskingToken, asking: Asked, _caller: Gateway) -> contract.AskingLink:
    """410 `link-not-usable` when it is used, old or false."""
    return contract.AskingLink(email=await asking.read(body.token))


@router.post("/use", status_code=204)
async def use(body: contract.AskingToken, asking: Asked, _caller: Gateway) -> None:
    """The request that was written on the form has arrived."""
    await asking.use(body.token)
