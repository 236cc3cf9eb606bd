"""What staff see and do about people's sign-in. Bodies: shared/contracts/auth.py."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from services.auth.application import Here
from services.auth.domain.events import PersonId
from services.auth.permissions import Action, Door
from shared.contracts import auth as contract
from shared.contracts.emails import UndeliveredEmail
from shared.contracts.roles import Role
from shared.email import undelivered
from shared.web.caller import PersonCaller

router = APIRouter(tags=["staff"])


@router.get("/people/{person_id}/sessions")
async def sessions_of_somebody(
    person_id: UUID, auth: Here, _caller: Annotated[PersonCaller, Depends(Door(Action.SEE_SIGNED_IN))]
) -> contract.SessionsOfSomebody:
    """Whether somebody is signed in. Nothing is found for who is not known."""
    found = await auth.signing_out.sessions_of(PersonId(person_id))
    return contract.SessionsOfSomebody(count=found.count, seen_at=found.seen_at)


@router.post("/people/{person_id}/sessions/end", status_code=204)
async def sign_out(
    person_id: UUID, auth: Here, caller: Annotated[PersonCaller, Depends(Door(Action.SIGN_OUT))]
) -> None:
    """End every session of somebody, whose access goes on. 403 `for-administrators`, 409 `not-signed-in`."""
    await auth.signing_out.sign_out(
        PersonId(person_id),
        PersonId(caller.person_id),
        as_administrator=caller.role is Role.ADMINISTRATOR,
    )


@router.get("/emails/undelivered")
async def undelivered_emails(
    request: Request, _caller: Annotated[PersonCaller, Depends(Door(Action.SEE_UNDELIVERED))]
) -> list[UndeliveredEmail]:
    """Emails with links and notices that did not arrive, newest first."""
    return await undelivered(request.app.state.store.engine)
