"""Why a person has access, from a shell."""

from uuid import UUID

import typer
from sqlalchemy import select

from services.access.domain.events import Event
from services.access.domain.person_details import email_key
from services.access.domain.vocabulary import Actor, PersonId, Role
from services.access.queries.why import why_access
from services.access.tables import people
from services.cli.opening import opened
from shared.clock import london_day, system_clock
from shared.contracts.access import GrantEvidence, RequestStep
from shared.event_store import EventStore

OPERATOR = Actor(PersonId(UUID(int=0)), Role.AUDITOR, None)
"""Reads as an auditor does, and decides nothing."""


async def why(email: str, *, as_json: bool) -> None:
    """Ends with code 1 when nobody has this address."""
    async with opened("access") as access:
        await say_why(access.store, email, as_json=as_json)


async def say_why(store: EventStore[Event], email: str, *, as_json: bool) -> None:
    query = select(people.c.person_id).where(people.c.email_key == email_key(email.strip()))
    async with store.engine.connect() as connection:
        person_id: UUID | None = await connection.scalar(query)
    if person_id is None:
        typer.echo("Error: nobody is registered with this address.", err=True)
        raise typer.Exit(1)
    found = await why_access(store, person_id, OPERATOR, london_day(system_clock()))
    if as_json:
        typer.echo(found.model_dump_json(indent=1))
        return
    typer.echo(f"{found.full_name} <{found.email}>, on {found.on}")
    for grant in found.grants:
        _say(grant)
    if not found.grants:
        typer.echo("  has never had access")


def _say(evidence: GrantEvidence) -> None:
    grant, request = evidence.grant, evidence.request
    state = "ended" if grant.ended_at else "suspended" if grant.suspended_at else "in force"
    where = f", {grant.organisation_name}" if grant.organisation_name else ""
    typer.echo(f"\n{grant.role.label}{where}: {state}")
    for step in [*(request.steps if request else []), *evidence.history]:
        typer.echo(f"  {_in_words(step)}")
    if request and request.check:
        typer.echo(f"  The register said: {request.check.explanation}")
    for agreement in evidence.agreements:
        until = agreement.ended_early_on or agreement.ends_on
        typer.echo(
            f"  Agreement {agreement.reference} with {agreement.lead_provider_name}, "
            f"{agreement.starts_on} to {until}"
        )
    if evidence.cover_today and not grant.ended_at:
        typer.echo(f"  Today: {evidence.cover_today.explanation}")


def _in_words(step: RequestStep) -> str:
    who = f", by {step.by_name}" if step.by_name else ""
    why = f": {step.reason}" if step.reason else ""
    return f"{step.at:%Y-%m-%d %H:%M} {step.step}{who}{why}"
