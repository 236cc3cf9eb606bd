"""The audit, for those who look after it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from services.access.api.desk import Page, Reading
from services.access.api.doors import Door
from services.access.audit import list_entries
from services.access.permissions import Action
from shared.contracts.access import AuditPage
from shared.web.caller import PersonCaller

router = APIRouter(tags=["audit"])


@router.get("/audit")
async def audit(
    _caller: Annotated[PersonCaller, Depends(Door(Action.SEE_AUDIT))],
    connection: Reading,
    person_id: UUID | None = None,
    participant_id: UUID | None = None,
    kind: Annotated[str | None, Query(max_length=200)] = None,
    page: Page = 1,
) -> AuditPage:
    """Newest first. person_id: who did it or whom it is about. participant_id: whose record was seen."""
    return await list_entries(
        connection, person_id=person_id, participant_id=participant_id, kind=kind, page=page
    )
