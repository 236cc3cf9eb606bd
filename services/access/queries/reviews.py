"""Review campaigns with their progress, and what somebody may answer."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.access.domain.refusals import NothingThere
from services.access.domain.vocabulary import Actor, OrganisationId, Role
from services.access.queries.register import agreements_of
from services.access.tables import (
    agreements,
    grants,
    organisations,
    people,
    requests,
    review_campaigns,
    reviews,
)
from shared.contracts import access as told
from shared.contracts.roles import Role as ToldRole

OUTCOMES = ("open", "confirmed", "ended", "suspended")


async def list_reviews(connection: AsyncConnection) -> list[told.Review]:
    """Newest first, each with how far it is."""
    counts = [func.count().filter(reviews.c.outcome == outcome).label(outcome) for outcome in OUTCOMES]
    query = (
        select(review_campaigns, people.c.full_name, *counts)
        .join(reviews, reviews.c.campaign_id == review_campaigns.c.campaign_id)
        .outerjoin(people, people.c.person_id == review_campaigns.c.opened_by)
        .group_by(review_campaigns.c.campaign_id, people.c.full_name)
        .order_by(review_campaigns.c.opened_at.desc(), review_campaigns.c.campaign_id)
    )
    return [
        told.Review(
            campaign_id=row.campaign_id,
            opened_at=row.opened_at,
            opened_by_name=row.full_name,
            due_until=row.due_until,
            answer_by=row.answer_by,
            open=row.open,
            confirmed=row.confirmed,
            ended=row.ended,
            suspended=row.suspended,
        )
        for row in await connection.execute(query)
    ]


async def told_review(connection: AsyncConnection, campaign_id: UUID) -> told.Review:
    """Raises NothingThere."""
    for review in await list_reviews(connection):
        if review.campaign_id == campaign_id:
            return review
    raise NothingThere


async def list_review_items(connection: AsyncConnection, by: Actor, today: date) -> list[told.ReviewItem]:
    """What waits for an answer that this person may give, soonest due first."""
    name = func.coalesce(requests.c.name_given, people.c.full_name)
    query = (
        select(
            grants.c.grant_id,
            name.label("full_name"),
            people.c.email,
            grants.c.role,
            organisations.c.name.label("organisation_name"),
            grants.c.given_at,
            reviews.c.answer_by,
        )
        .select_from(reviews)
        .join(grants, grants.c.grant_id == reviews.c.grant_id)
        .join(people, people.c.person_id == grants.c.person_id)
        .outerjoin(requests, requests.c.request_id == grants.c.request_id)
        .outerjoin(organisations, organisations.c.organisation_id == grants.c.organisation_id)
        .where(reviews.c.outcome == "open", grants.c.person_id != by.person_id, _concerns(by, today))
        .order_by(reviews.c.answer_by, organisations.c.name, name, grants.c.grant_id)
    )
    return [
        told.ReviewItem(
            grant_id=row.grant_id,
            full_name=row.full_name,
            email=row.email,
            role=ToldRole(row.role),
            organisation_name=row.organisation_name,
            given_at=row.given_at,
            answer_by=row.answer_by,
        )
        for row in await connection.execute(query)
    ]


def _concerns(by: Actor, today: date) -> ColumnElement[bool]:
    if by.role is Role.LEAD_PROVIDER:
        return (grants.c.role == Role.DELIVERY_PARTNER.value) & grants.c.organisation_id.in_(
            _partners_of(by.organisation_id, today)
        )
    return (grants.c.role == by.role.value) & (grants.c.organisation_id == by.organisation_id)


def _partners_of(lead_provider_id: OrganisationId | None, today: date) -> Select[Any]:
    ended = func.coalesce(agreements.c.ended_early_on <= today, False)
    return select(agreements.c.delivery_partner_id).where(
        agreements.c.lead_provider_id == lead_provider_id,
        agreements.c.starts_on <= today,
        agreements.c.ends_on >= today,
        ~ended,
    )


async def lead_providers_of(
    connection: AsyncConnection, delivery_partner_id: UUID, today: date
) -> Sequence[OrganisationId]:
    """Those with an agreement in force."""
    found = await agreements_of(connection, delivery_partner_id)
    return sorted({a.terms.lead_provider_id for a in found if a.in_force(today)})
