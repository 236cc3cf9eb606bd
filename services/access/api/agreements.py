"""The agreement register."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends

from services.access.api.desk import AtDesk, Reading, actor
from services.access.api.doors import Door
from services.access.handlers import end_agreement_early, record_agreement
from services.access.handlers.imports import ImportedLine, import_agreements
from services.access.permissions import Action
from services.access.queries.register import list_agreements, told_agreement
from services.access.queries.register_changes import agreement_changes
from shared.contracts import access as told
from shared.web.caller import PersonCaller

router = APIRouter(prefix="/agreements", tags=["agreements"])

Staff = Annotated[PersonCaller, Depends(Door(Action.SEE_AGREEMENTS))]
Policy = Annotated[PersonCaller, Depends(Door(Action.KEEP_AGREEMENTS))]


@router.get("")
async def agreements(desk: AtDesk, _caller: Staff, connection: Reading) -> list[told.Agreement]:
    """By delivery partner and start."""
    return list(await list_agreements(connection, desk.today()))


@router.post("", status_code=201)
async def record(desk: AtDesk, caller: Policy, body: told.RecordAgreement) -> told.Agreement:
    """409 `already-recorded` for the same organisations, reference and start."""
    agreement_id = await record_agreement(
        desk.store,
        by=actor(caller),
        at=desk.now(),
        delivery_partner_id=body.delivery_partner_id,
        lead_provider_id=body.lead_provider_id,
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        reference=body.reference,
    )
    async with desk.reading() as connection:
        return await told_agreement(connection, agreement_id, desk.today())


@router.post("/import")
async def take_in(desk: AtDesk, caller: Policy, body: told.ImportAgreements) -> list[told.ImportLine]:
    """What came of each line. 422 `not-understood` for what is no such file at all."""
    lines = await import_agreements(
        desk.store, body.csv, by=actor(caller), at=desk.now(), dry_run=body.dry_run
    )
    return [told_line(line) for line in lines]


@router.get("/{agreement_id}/changes")
async def changes(desk: AtDesk, _caller: Staff, agreement_id: UUID) -> list[told.AgreementChange]:
    """Who changed what, when and why."""
    return await agreement_changes(desk.store, agreement_id)


@router.post("/{agreement_id}/end")
async def end(desk: AtDesk, caller: Policy, agreement_id: UUID, body: told.EndAgreement) -> told.Agreement:
    """From `ended_early_on` on it is not in force. When nothing else covers the partner, grants end."""
    await end_agreement_early(
        desk.store,
        agreement_id,
        by=actor(caller),
        at=desk.now(),
        ended_early_on=body.ended_early_on,
        reason=body.reason,
    )
    async with desk.reading() as connection:
        return await told_agreement(connection, agreement_id, desk.today())


def told_line(line: ImportedLine) -> told.ImportLine:
    return told.ImportLine(
        number=line.number,
        about=line.about,
        outcome=told.LineOutcome(line.outcome),
        sentence=line.sentence,
    )
