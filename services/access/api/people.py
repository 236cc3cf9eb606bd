"""People and their grants, for staff; and for users, those of their own organisation."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.access.api.desk import AtDesk, Page, Reading, actor
from services.access.api.doors import Door
from services.access.handlers import (
    add_lead_provider_contact,
    mark_leaver,
    restore_grant,
    revoke_grant,
)
from services.access.permissions import Action
from services.access.queries.people import list_colleagues, list_people, list_suspended, told_person
from services.access.queries.why import why_access
from shared.contracts import access as told
from shared.web.caller import PersonCaller

router = APIRouter(tags=["people"])

Staff = Annotated[PersonCaller, Depends(Door(Action.SEE_PEOPLE))]
Revoker = Annotated[PersonCaller, Depends(Door(Action.REVOKE))]
Policy = Annotated[PersonCaller, Depends(Door(Action.RESTORE))]
User = Annotated[PersonCaller, Depends(Door(Action.KEEP_COLLEAGUES))]
KeeperOfContacts = Annotated[PersonCaller, Depends(Door(Action.KEEP_CONTACTS))]


@router.get("/people")
async def people(
    _caller: Staff,
    connection: Reading,
    q: Annotated[str, Query(max_length=320)] = "",
    page: Page = 1,
) -> told.PersonPage:
    """By name; q: part of a name or email address."""
    return await list_people(connection, q, page)


@router.get("/people/{person_id}")
async def one_person(_caller: Staff, connection: Reading, person_id: UUID) -> told.Person:
    return await told_person(connection, person_id)


@router.get("/people/{person_id}/why")
async def why(desk: AtDesk, caller: Staff, person_id: UUID) -> told.WhyAccess:
    """From the request to the agreement, for each grant."""
    return await why_access(desk.store, person_id, actor(caller), desk.today())


@router.post("/grants/{grant_id}/revoke")
async def revoke(desk: AtDesk, caller: Revoker, grant_id: UUID, body: told.RevokeGrant) -> told.Person:
    """409 `already-ended`. Grants of staff are ended by administrators only (403)."""
    person_id = await revoke_grant(desk.store, grant_id, by=actor(caller), at=desk.now(), words=body.reason)
    async with desk.reading() as connection:
        return await told_person(connection, person_id)


@router.get("/grants/suspended")
async def suspended(_caller: Staff, connection: Reading) -> list[told.Person]:
    """Longest suspended first."""
    return await list_suspended(connection)


@router.post("/grants/{grant_id}/restore")
async def restore(desk: AtDesk, caller: Policy, grant_id: UUID, body: told.RestoreGrant) -> told.Person:
    """409 `not-covered` while no agreement covers the delivery partner."""
    person_id = await restore_grant(desk.store, grant_id, by=actor(caller), at=desk.now(), words=body.reason)
    async with desk.reading() as connection:
        return await told_person(connection, person_id)


@router.get("/colleagues")
async def colleagues(caller: User, connection: Reading) -> list[told.Colleague]:
    """By name."""
    return await list_colleagues(connection, actor(caller))


@router.post("/colleagues/{grant_id}/left")
async def left(desk: AtDesk, caller: User, grant_id: UUID, body: told.ColleagueLeft) -> list[told.Colleague]:
    """The access ends at once. 404 for a grant of another organisation or role."""
    await mark_leaver(desk.store, grant_id, by=actor(caller), at=desk.now(), words=body.reason)
    async with desk.reading() as connection:
        return await list_colleagues(connection, actor(caller))


@router.post("/lead-provider-contacts", status_code=201)
async def add_contact(desk: AtDesk, caller: KeeperOfContacts, body: told.AddContact) -> told.Person:
    """409 `already-granted` when they answer for this lead provider already."""
    person_id = await add_lead_provider_contact(
        desk.store,
        by=actor(caller),
        at=desk.now(),
        name=body.full_name,
        email=body.email,
        lead_provider_id=body.lead_provider_id,
    )
    async with desk.reading() as connection:
        return await told_person(connection, person_id)
