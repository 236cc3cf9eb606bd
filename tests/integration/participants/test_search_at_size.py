"""However many a search finds, and whatever its words are: the rows, the counts and the pages are right."""

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.participants.domain.status import Status
from services.participants.domain.view import searchable
from services.participants.list_query import ListQuery, Paging, Sort
from services.participants.scope import Scope, ask, open_readers
from shared.contracts.manage_ects import OrganisationKind, ParticipantRole
from tests.integration.participants.many import BEGAN, Filled, Row

ORDERS: dict[Sort, Any] = {
    Sort.NAME: lambda row: (searchable(row.name), row.participant_id),
    Sort.CHANGED: lambda row: (row.since, row.participant_id),
}


def expected(rows: list[Row], query: ListQuery) -> tuple[Counter[str], list[UUID]]:
    since = query.changed_since
    found = [
        row
        for row in rows
        if all(word in row.text for word in query.words)
        and (not query.roles or row.role in query.roles)
        and (not query.academic_years or row.year in query.academic_years)
        and (not isinstance(since, datetime) or row.since >= since)
    ]
    shown = [row for row in found if not query.statuses or row.status in query.statuses]
    down = query.sort.value.startswith("-")
    ordered = sorted(shown, key=ORDERS[Sort(query.sort.value.removeprefix("-"))], reverse=down)
    return Counter(row.status for row in found), [row.participant_id for row in ordered]


WORDS = (
    ["zh"], ["school"], ["z"], ["li"], ["7"], ["99"], ["zh", "school"], ["zhang", "0"], ["ł"], ["zł"],
    ["ed zh"], ["x" * 200], ["_"], ["%"], ["(a"], ["d)"], ["nobody"], ["🜨"], ["ng"], ["ed"], ["o’"], ["a_"],
    ["\\"],
)  # fmt: skip


@pytest.mark.parametrize("words", WORDS, ids=lambda words: " ".join(words)[:20])
async def test_a_search_finds_what_holds_its_words_among_few_and_many(
    lists: Filled, words: list[str]
) -> None:
    random_ = random.Random(str(words))
    for organisation, rows in lists.rows.items():
        for sort in Sort:
            query = ListQuery(
                words=tuple(words),
                roles=random_.choice([(), (ParticipantRole.MENTOR,)]),
                academic_years=random_.choice([(), (2024,), (2024, 2025)]),
                statuses=random_.choice([(), (Status.CHECKING_QTS,)]),
                changed_since=random_.choice([None, BEGAN + timedelta(hours=400)]),
                sort=sort,
            )
            counts, order = expected(rows, query)
            size = 50
            pages = max(1, -(-len(order) // size))
            for page in {1, pages, (pages + 1) // 2}:
                scope = Scope(OrganisationKind.DELIVERY_PARTNER, organisation)
                found = await lists.queries.page(scope, query, Paging(page, size))
                assert +Counter(found.body["by_status"]) == counts
                assert found.participant_ids == order[(page - 1) * size : page * size]


async def test_another_organisations_rows_are_never_found(lists: Filled) -> None:
    scope = Scope(OrganisationKind.DELIVERY_PARTNER, uuid4())
    found = await lists.queries.page(scope, ListQuery(words=("zh",)), Paging(1, 50))
    assert (found.total, found.participant_ids) == (0, [])


async def test_a_question_that_forgets_the_organisation_sees_the_one_it_was_asked_for(lists: Filled) -> None:
    """And what one question said does not outlive it, on the same connection."""
    forgetful = "SELECT DISTINCT organisation_id FROM participant_views"
    async with open_readers(lists.database.extra_urls["participants_reader"], 1) as readers:
        for organisation in lists.rows:
            assert await ask(readers, forgetful, [organisation, "delivery_partner"]) == [(organisation,)]
            assert await ask(readers, forgetful, [organisation, "appropriate_body"]) == []
            assert await readers.fetch(forgetful) == []


async def test_a_question_is_asked_for_whom_it_says_whatever_was_asked_before(lists: Filled) -> None:
    """Many at once on few connections, whose statements are prepared."""
    query, scopes = ListQuery(), [Scope(OrganisationKind.DELIVERY_PARTNER, each) for each in lists.rows]

    async def look(scope: Scope) -> tuple[UUID, int]:
        return scope.organisation_id, (await lists.queries.page(scope, query, Paging(1, 10))).total

    seen = await asyncio.gather(*(look(scope) for scope in scopes * 40))
    assert set(seen) == {(organisation, len(rows)) for organisation, rows in lists.rows.items()}
