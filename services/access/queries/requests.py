"""Requests: whose are seen by whom, as a list and one by one."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.events import Step
from services.access.domain.refusals import NothingThere
from services.access.domain.request import AccessRequest, RequestState
from services.access.domain.vocabulary import Actor, OrganisationId, PersonId, RequestId, Role
from services.access.queries.paging import PAGE_SIZE, offset_of, pages_of, there
from services.access.tables import asked_by_themself, organisations, people, requests
from shared.contracts import access as told
from shared.contracts.roles import Role as ToldRole

subjects, makers = people.alias("subjects"), people.alias("makers")
lead_providers = organisations.alias("lead_providers")

_SELECT: Final = (
    select(
        requests,
        subjects.c.full_name.label("registered_name"),
        subjects.c.email.label("registered_email"),
        makers.c.full_name.label("made_by_name"),
        organisations.c.name.label("organisation_name"),
        lead_providers.c.name.label("lead_provider_name"),
    )
    .join(subjects, subjects.c.person_id == requests.c.person_id)
    .join(organisations, organisations.c.organisation_id == requests.c.organisation_id)
    .outerjoin(makers, makers.c.person_id == requests.c.made_by)
    .outerjoin(lead_providers, lead_providers.c.organisation_id == requests.c.lead_provider_id)
)


def visible_to(by: Actor) -> ColumnElement[bool]:
    """Which requests exist for this person: the condition of every query and every command."""
    if by.role.is_staff:
        return true()
    if by.organisation_id is None:
        return false()
    if by.role is Role.LEAD_PROVIDER:
        return requests.c.lead_provider_id == by.organisation_id
    of_their_own = (requests.c.organisation_id == by.organisation_id) & (requests.c.role == by.role.value)
    # Anybody can name any organisation as theirs: who did is shown to those who look into it only.
    return of_their_own & ~asked_by_themself


async def request_row(connection: AsyncConnection, request_id: UUID, by: Actor) -> Row[Any]:
    """Raises NothingThere, also for what this person may not see."""
    row = (
        await connection.execute(_SELECT.where(requests.c.request_id == request_id, visible_to(by)))
    ).first()
    if row is None:
        raise NothingThere
    return row


def _found_by(words: str, by: Actor) -> ColumnElement[bool]:
    """Requests in which each of the words is part of the name, email address or organisation.

    Users search what was written only: that a registered name matches would say that the person is known.
    """
    searched = [requests.c.name_given, requests.c.email_given, organisations.c.name]
    if by.role.is_staff:
        searched += [subjects.c.full_name, subjects.c.email, lead_providers.c.name]
    return and_(
        true(),
        *(or_(*(text.icontains(word, autoescape=True) for text in searched)) for word in words.split()),
    )


async def list_requests(
    connection: AsyncConnection, by: Actor, state: told.RequestState | None, page: int, words: str = ""
) -> told.RequestPage:
    """Newest first; a queue (one open state) oldest first. words: searched for; the counts are of what is
    found.
    """
    found = _SELECT.where(visible_to(by), _found_by(words, by))
    each = found.subquery()
    counts = await connection.execute(
        select(each.c.state, func.count().label("number")).group_by(each.c.state)
    )
    by_state = dict.fromkeys(told.RequestState, 0)
    by_state |= {told.RequestState(row.state): row.number for row in counts}
    query = found
    if state is not None:
        query = query.where(requests.c.state == state.value)
    total = sum(by_state.values()) if state is None else by_state[state]
    page = there(page, total)
    rows = await connection.execute(
        _ordered(query, oldest_first=state is not None and state.is_open)
        .limit(PAGE_SIZE)
        .offset(offset_of(page))
    )
    return told.RequestPage(
        requests=[told_request(row, by) for row in rows],
        total=total,
        page=page,
        pages=pages_of(total),
        by_state=by_state,
    )


async def list_confirmations(connection: AsyncConnection, by: Actor) -> Sequence[told.AccessRequest]:
    """What waits for this contact's lead provider, oldest first."""
    query = _SELECT.where(visible_to(by), requests.c.state == RequestState.AWAITING_LEAD_PROVIDER.value)
    rows = await connection.execute(_ordered(query, oldest_first=True))
    return [told_request(row, by) for row in rows]


def told_request(row: Row[Any], by: Actor) -> told.AccessRequest:
    """A request as this person may see it, without its steps and check.

    Users are not told which member of staff did what, and a lead provider contact gets what is needed to
    say "yes, a valid user" or "no". Neither learns by which name an address is registered: it would say
    that the person is known here, and who they are.
    """
    contact = by.role is Role.LEAD_PROVIDER
    own_side = not contact and (by.role.is_staff or row.made_as == by.role.value)
    return told.AccessRequest(
        request_id=row.request_id,
        person_id=row.person_id,
        full_name=row.name_given or (row.registered_name if by.role.is_staff else row.registered_email),
        email=row.email_given or row.registered_email,
        registered_name=_other_name(row) if by.role.is_staff else None,
        role=ToldRole(row.role),
        organisation_id=row.organisation_id,
        organisation_name=row.organisation_name,
        reason=row.reason,
        state=told.RequestState(row.state),
        submitted_at=row.submitted_at,
        asked_by_themself=by.role.is_staff and request_of(row).by_themself,
        submitted_by_name=row.made_by_name if own_side else None,
        lead_provider_id=row.lead_provider_id,
        lead_provider_name=row.lead_provider_name,
        outcome_reason=None if contact else row.outcome_reason,
        outcome_kind=None if contact or row.outcome_kind is None else told.DeclineKind(row.outcome_kind),
        waiting_since=row.waiting_since,
        may=request_of(row).open_to(by),
    )


def _other_name(row: Row[Any]) -> str | None:
    given, registered = row.name_given, row.registered_name
    return registered if given and given.casefold() != registered.casefold() else None


def request_of(row: Row[Any]) -> AccessRequest:
    """The same state as the request's stream gives."""
    return AccessRequest(
        request_id=RequestId(row.request_id),
        person_id=PersonId(row.person_id),
        role=Role(row.role),
        organisation_id=OrganisationId(row.organisation_id),
        made_by=PersonId(row.made_by),
        made_as=Role(row.made_as),
        state=RequestState(row.state),
        decided_by=frozenset(PersonId(person) for person in row.decided_by),
        lead_provider_id=row.lead_provider_id and OrganisationId(row.lead_provider_id),
        against_advice=row.against_advice,
        waiting_since=row.waiting_since,
        informed_by=frozenset(PersonId(person) for person in row.informed_by),
        returned_from=row.returned_from and Step(row.returned_from),
        reminded=row.reminded_at is not None,
    )


def _ordered(query: Select[Any], *, oldest_first: bool) -> Select[Any]:
    when = requests.c.submitted_at
    return query.order_by(when if oldest_first else when.desc(), requests.c.request_id)
