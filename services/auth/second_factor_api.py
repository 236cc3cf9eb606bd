"""The second factor over HTTP. Bodies: shared/contracts/auth.py."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from services.auth.domain.events import PersonId
from services.auth.domain.second_factor import AlreadyEnrolled
from services.auth.opened import Gateway, opened
from services.auth.permissions import Action, Door
from services.auth.second_factors import SecondFactors
from shared.contracts import auth as contract
from shared.web.caller import PersonCaller

router = APIRouter(tags=["second factor"])


async def _factors(request: Request) -> SecondFactors:
    factors: SecondFactors = request.app.state.second_factors
    return factors


Factors = Annotated[SecondFactors, Depends(_factors)]
Seer = Annotated[PersonCaller, Depends(Door(Action.SEE_SECOND_FACTOR))]
Resetter = Annotated[PersonCaller, Depends(Door(Action.RESET_SECOND_FACTOR))]


@router.post("/second-factor")
async def second_factor_step(
    body: contract.SessionRef, factors: Factors, _caller: Gateway
) -> contract.SecondFactorStep:
    """What the session has to do: give a code, or set an app up with what is answered here."""
    try:
        offered = await factors.offer(body.session)
    except AlreadyEnrolled:
        return contract.SecondFactorStep(enrol=False, secret=None, uri=None)
    return contract.SecondFactorStep(enrol=True, secret=offered.secret, uri=offered.uri)


@router.post("/second-factor/check")
async def check_code(
    body: contract.SecondFactorCode, factors: Factors, _caller: Gateway
) -> contract.SessionOpened:
    """A code of the app. The session goes on under a new value."""
    return opened(await factors.check(body.session, body.code))


@router.get("/second-factor/{person_id}")
async def second_factor_state(person_id: UUID, factors: Factors, _caller: Seer) -> contract.SecondFactorState:
    return contract.SecondFactorState(enrolled_at=await factors.enrolled_at(PersonId(person_id)))


@router.post("/second-factor/{person_id}/reset", status_code=204)
async def reset_second_factor(person_id: UUID, factors: Factors, caller: Resetter) -> None:
    """The person sets up another app at the next sign-in. 403 `not-yourself`, 409 `nothing-to-reset`."""
    await factors.reset(PersonId(person_id), PersonId(caller.person_id))
