"""Hands for the tests of access: people who call, organisations that exist, emails that arrive."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.access.bank_holidays import is_bank_holiday
from services.access.consumers import Organisations
from services.access.domain.events import Event
from services.access.handlers import bootstrap_staff
from services.access.handlers.deadlines import set_deadlines
from services.access.settings import AccessSettings
from shared.clock import LONDON, london_day, system_clock
from shared.contracts import manage_ects
from shared.contracts.envelope import CloudEvent, PublishedEvent
from shared.contracts.roles import Role
from shared.database.provision import ServiceDatabase
from shared.event_store import EventStore
from tests.tokens import TestIssuer

PARTNER, OTHER_PARTNER = UUID(int=1), UUID(int=2)
PROVIDER, OTHER_PROVIDER = UUID(int=11), UUID(int=12)
BODY = UUID(int=21)

ORGANISATIONS: Sequence[PublishedEvent] = (
    manage_ects.DeliveryPartnerRegistered(delivery_partner_id=PARTNER, name="Northwick Teaching School Hub"),
    manage_ects.DeliveryPartnerRegistered(delivery_partner_id=OTHER_PARTNER, name="Harbour Education Group"),
    manage_ects.LeadProviderRegistered(lead_provider_id=PROVIDER, name="Ambit Learning"),
    manage_ects.LeadProviderRegistered(lead_provider_id=OTHER_PROVIDER, name="Beacon Training"),
    manage_ects.AppropriateBodyRegistered(appropriate_body_id=BODY, name="Northwick Appropriate Body"),
)

Json = dict[str, Any]


class MovableClock:
    """The system's clock, with days of England's calendar added: some have 23 hours, some 25."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return (system_clock().astimezone(LONDON) + self.ahead).astimezone(UTC)


@dataclass(frozen=True)
class Session:
    person_id: UUID
    role: Role
    organisation_id: UUID | None = None


@dataclass
class Office:
    app: FastAPI
    issuer: TestIssuer
    database: ServiceDatabase
    inbox: Path
    clock: MovableClock
    settings: AccessSettings
    positions: dict[str, int] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        transport = httpx.ASGITransport(self.app)
        self.http = await httpx.AsyncClient(transport=transport, base_url="http://access").__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    @property
    def store(self) -> EventStore[Event]:
        store: EventStore[Event] = self.app.state.store
        return store

    @property
    def engine(self) -> AsyncEngine:
        return self.store.engine

    @property
    def today(self) -> date:
        return london_day(self.clock())

    # --- calls ------------------------------------------------------------------------------------

    async def get(self, path: str, by: Session, **query: object) -> httpx.Response:
        parameters = {name: str(value) for name, value in query.items()}
        return await self.http.get(path, headers=self._signed(by), params=parameters)

    async def post(self, path: str, by: Session, **body: object) -> httpx.Response:
        return await self.http.post(path, headers=self._signed(by), content=json.dumps(body, default=str))

    def _signed(self, by: Session) -> dict[str, str]:
        token = self.issuer.person(by.person_id, by.role, by.organisation_id)
        return {"authorization": f"Bearer {token}", "content-type": "application/json"}

    # --- what others tell -------------------------------------------------------------------------

    def envelope(self, event: PublishedEvent, source: str = "/manage-ects") -> CloudEvent:
        position = self.positions[source] = self.positions.get(source, 0) + 1
        return CloudEvent(
            id=str(uuid4()),
            source=source,
            type=event.type,
            subject=event.subject,
            time=self.clock(),
            data=event.model_dump(mode="json"),
            sequence=str(position),
        )

    async def hear(self, *events: PublishedEvent) -> None:
        """Apply events of Manage ECTs as the projection does."""
        async with self.engine.begin() as connection:
            await Organisations(self.clock).apply(connection, [self.envelope(event) for event in events])

    # --- people -----------------------------------------------------------------------------------

    async def staff(self, name: str, role: Role) -> Session:
        email = f"{name.lower().replace(' ', '.')}@example.org"
        person_id = await bootstrap_staff(
            self.store, full_name=name, email=email, role=role, clock=self.clock
        )
        return Session(person_id, role)

    async def submit(
        self,
        by: Session,
        name: str = "Ravi Menon",
        role: Role = Role.DELIVERY_PARTNER,
        organisation: UUID = PARTNER,
    ) -> httpx.Response:
        return await self.post(
            "/requests",
            by,
            full_name=name,
            email=f"{name.lower().replace(' ', '.')}@example.org",
            role=role.value,
            organisation_id=organisation,
            reason="Joined the team.",
        )

    async def decide(
        self, step: str, request_id: str, by: Session, decision: str = "approve", **more: object
    ) -> httpx.Response:
        reason = "Looked at, and found right."
        if decision == "decline":
            more = {"decline_kind": "other", **more}
        return await self.post(f"/requests/{request_id}/{step}", by, decision=decision, reason=reason, **more)

    # --- time -------------------------------------------------------------------------------------

    async def pass_days(self, days: int) -> None:
        """Go so many days ahead, with everything that is due by then becoming due now."""
        await set_deadlines(self.store, self.settings.deadlines, is_bank_holiday)
        self.clock.ahead += timedelta(days=days)
        due = text(
            "UPDATE work SET due_at = clock_timestamp() "
            "WHERE kind IN ('request-deadline', 'review-deadline', 'review-reminder') "
            "AND state = 'due' AND due_at <= :now"
        )
        async with self.engine.begin() as connection:
            await connection.execute(due, {"now": self.clock()})

    # --- what follows -----------------------------------------------------------------------------

    async def emails(self, to: str, subject: str) -> list[Json]:
        """Those that have arrived; waits for the first."""
        await eventually(lambda: self._arrived(to, subject))
        return self.arrived(to, subject)

    async def _arrived(self, to: str, subject: str) -> bool:
        return bool(self.arrived(to, subject))

    def arrived(self, to: str, subject: str) -> list[Json]:
        """Emails that have arrived by now."""
        found = [json.loads(file.read_text()) for file in self.inbox.glob("*.json")]
        return [email for email in found if (email["to"], email["subject"]) == (to, subject)]


@dataclass(frozen=True)
class Cast:
    """Staff, contacts of both lead providers, and a user of each delivery partner and of the body."""

    support: Session
    other_support: Session
    policy: Session
    administrator: Session
    auditor: Session
    contact: Session
    other_contact: Session
    user: Session
    other_user: Session
    body_user: Session
    agreement_id: str


async def gather_cast(office: Office) -> Cast:
    """Through the real commands, each step over HTTP."""
    support = await office.staff("Sam Okoro", Role.SUPPORT)
    other_support = await office.staff("Tess Lindqvist", Role.SUPPORT)
    policy = await office.staff("Priya Raman", Role.POLICY)
    contacts = [
        Session(UUID(await _contact(office, policy, name, provider)), Role.LEAD_PROVIDER, provider)
        for name, provider in (("Lena Fischer", PROVIDER), ("Omar Haddad", OTHER_PROVIDER))
    ]
    agreement_id = await record(office, policy, PARTNER, PROVIDER)
    await record(office, policy, OTHER_PARTNER, OTHER_PROVIDER)
    users = []
    for name, role, organisation, contact in (
        ("Dana Whitfield", Role.DELIVERY_PARTNER, PARTNER, contacts[0]),
        ("Marcus Bell", Role.DELIVERY_PARTNER, OTHER_PARTNER, contacts[1]),
        ("Dana Whitfield", Role.APPROPRIATE_BODY, BODY, None),
    ):
        request = created(await office.submit(support, name, role, organisation))
        request_id = request["request_id"]
        ok(await office.decide("triage", request_id, other_support))
        asked = contact.organisation_id if contact else None
        ok(await office.decide("policy-check", request_id, policy, lead_provider_id=asked))
        if contact:
            ok(await office.decide("confirmation", request_id, contact))
        users.append(Session(UUID(request["person_id"]), role, organisation))
    return Cast(
        support=support,
        other_support=other_support,
        policy=policy,
        administrator=await office.staff("Alex Brandt", Role.ADMINISTRATOR),
        auditor=await office.staff("Audrey Lin", Role.AUDITOR),
        contact=contacts[0],
        other_contact=contacts[1],
        user=users[0],
        other_user=users[1],
        body_user=users[2],
        agreement_id=agreement_id,
    )


async def _contact(office: Office, policy: Session, name: str, provider: UUID) -> str:
    email = f"{name.lower().replace(' ', '.')}@example.org"
    body = {"full_name": name, "email": email, "lead_provider_id": provider}
    return str(created(await office.post("/lead-provider-contacts", policy, **body))["person_id"])


async def record(
    office: Office,
    policy: Session,
    partner: UUID,
    provider: UUID,
    *,
    reference: str = "DSA-1",
    days: int = 300,
) -> str:
    """An agreement in force since 30 days, for so many days more."""
    answer = await office.post(
        "/agreements",
        policy,
        delivery_partner_id=partner,
        lead_provider_id=provider,
        starts_on=office.today - timedelta(days=30),
        ends_on=office.today + timedelta(days=days),
        reference=reference,
    )
    return str(created(answer)["agreement_id"])


def ok(answer: httpx.Response) -> Json:
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    return body


def created(answer: httpx.Response) -> Json:
    assert answer.status_code == 201, answer.text
    body: Json = answer.json()
    return body


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a problem document, which has a sentence for people."""
    document = answer.json()
    assert document["detail"].endswith("."), document
    return answer.status_code, document["type"].rpartition(":")[2]


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.05)
