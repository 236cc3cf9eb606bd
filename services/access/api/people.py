"""People and their grants, for staff."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.access.api.desk import STAFF, AtDesk, Page, Reading, actor
from services.access.handlers import add_lead_provider_contact, revoke_grant
from services.access.queries.people import list_people, told_person
from shared.contracts import access as told
from shared.contracts.roles import Role
from shared.web.caller import PersonCaller, person

router = APIRouter(tags=["people"])

Staff = Annotated[PersonCaller, Depends(person(*STAFF))]
Revoker = Annotated[PersonCaller, Depends(person(Role.SUPPORT, Role.ADMINISTRATOR))]
KeeperOfContacts = Annotated[PersonCaller, Depends(person(Role.POLICY, Role.ADMINISTRATOR))]


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


@router.post("/grants/{grant_id}/revoke")
async def revoke(desk: AtDesk, caller: Revoker, grant_id: UUID, body: told.RevokeGrant) -> told.Person:
    """409 `already-ended`. Grants of staff are ended by administrators only (403)."""
    person_id = await revoke_grant(desk.store, grant_id, by=actor(caller), at=desk.now(), words=body.reason)
    async with desk.reading() as connection:
        return await told_person(connection, person_id)


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
