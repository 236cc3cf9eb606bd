"""Two lists long enough that it matters how they are read, with texts that are hard to search."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg

from services.participants.domain.status import Status
from services.participants.domain.view import searchable
from services.participants.precedence import Precedence
from services.participants.queries import ParticipantQueries
from services.participants.scope import open_readers
from shared.database.provision import ServiceDatabase
from tests.databases import Databases

NAMES = ("Zhang", "Szhe", "Smith", "Ng", "Li", "Ana_Zh", "Gazh")
ODD_NAMES = ("Zoë", "Łukasz", "O’Zh", "Müller", "zhł", "x" * 255)
SCHOOLS = ("Brook School", "Oak (Aided) School", "100% Zh", None)
ODD_SCHOOLS = ("Château Zh", "🜨" * 450 + " School")
ODD = 0.1
"""The share of texts that are not plain, or longer than an index may hold."""
STATUSES = (Status.CHECKING_QTS, Status.PARTICIPANT_DEFERRED, Status.TRAINING_OR_ELIGIBLE_FOR_TRAINING)
BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
MANY, FEW = 6_000, 900
"""So many that most searches find more than is looked at one by one; and so few that none does."""


@dataclass(frozen=True)
class Row:
    participant_id: UUID
    name: str
    role: str
    year: int
    status: Status
    since: datetime
    text: str


@dataclass(frozen=True)
class Filled:
    database: ServiceDatabase
    queries: ParticipantQueries
    rows: dict[UUID, list[Row]]


def made(number: int, random_: random.Random) -> Row:
    odd = random_.random() < ODD
    name = " ".join(random_.choices(ODD_NAMES if odd else NAMES, k=2))
    school = random_.choice(ODD_SCHOOLS if odd else SCHOOLS)
    text = searchable(name, school, f"{random_.randrange(10**7):07}", "Ed Zh" if number % 2 else "Ed Qx")
    role = random_.choice(["ect", "mentor"])
    since = BEGAN + timedelta(hours=random_.randrange(500))
    return Row(
        UUID(int=number), name, role, random_.choice([2024, 2025]), random_.choice(STATUSES), since, text
    )


COLUMNS = (
    "participant_id", "organisation_id", "organisation_kind", "full_name", "sort_name", "email", "role",
    "academic_year", "training_status", "status", "state", "status_since", "search_text",
)  # fmt: skip


async def write(database: ServiceDatabase, organisation: UUID, rows: list[Row]) -> None:
    """As the tables' owner, who may COPY."""
    connection = await asyncpg.connect(database.owner_url)
    records = [
        (
            row.participant_id, organisation, "delivery_partner", row.name, searchable(row.name),
            "a@b.example", row.role, row.year, "active", row.status,
            "checks_not_complete", row.since, row.text,
        )
        for row in rows
    ]  # fmt: skip
    await connection.copy_records_to_table("participant_views", records=records, columns=COLUMNS)
    await connection.execute("VACUUM (ANALYZE) participant_views")
    await connection.close()


@asynccontextmanager
async def filled(databases: Databases) -> AsyncIterator[Filled]:
    database = await databases.new("participants")
    random_ = random.Random(5)
    rows = {uuid4(): [made(n, random_) for n in range(size)] for size in (MANY, FEW)}
    for organisation, theirs in rows.items():
        assert any(len(row.text.encode()) > 2_000 for row in theirs), "none that an index could not hold"
        await write(database, organisation, theirs)
    async with open_readers(database.extra_urls["participants_reader"], 5) as readers:
        yield Filled(database, ParticipantQueries(readers, Precedence()), rows)
