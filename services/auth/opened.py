"""Sessions as auth tells the gateway of them."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends

from services.auth.people import HeldGrant
from services.auth.sessions import OpenSession
from shared.contracts import auth as contract
from shared.contracts.roles import Role
from shared.web.caller import ServiceCaller, service

Gateway = Annotated[ServiceCaller, Depends(service("gateway"))]


def opened(session: OpenSession) -> contract.SessionOpened:
    return contract.SessionOpened(
        session=session.secret,
        choices=choices(session.grants),
        chosen=choice(session.chosen),
        return_to=session.return_to,
        device=session.device,
        second_factor_missing=session.second_factor_missing,
    )


def choices(held: Sequence[HeldGrant]) -> list[contract.RoleChoice]:
    return [found for grant in held if (found := choice(grant))]


def choice(grant: HeldGrant | None) -> contract.RoleChoice | None:
    if grant is None:
        return None
    return contract.RoleChoice(
        grant_id=grant.grant_id,
        role=Role(grant.role),
        organisation_id=grant.organisation_id,
        organisation_name=grant.organisation_name,
    )
