"""Auth as its tests drive it: over HTTP, with what access told it and a clock of the test's own."""

import asyncio
import base64
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI
from sqlalchemy import text

from services.auth.consumers import AccessFollower
from shared.contracts import access
from shared.contracts.auth import SessionOpened
from shared.contracts.envelope import CloudEvent, PublishedEvent
from shared.contracts.roles import Role

SECRET = "s" * 40
PERSON, GRANT, SECOND_GRANT, PARTNER = uuid4(), uuid4(), uuid4(), uuid4()
EMAIL = "dana@example.org"


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Running:
    app: FastAPI
    http: httpx.AsyncClient
    clock: Clock
    inbox: Path
    owner_url: str
    told: int = 0

    async def tell(self, *events: PublishedEvent) -> None:
        """Access published this."""
        follower = AccessFollower(self.clock)
        async with self.app.state.backbone.engine.begin() as connection:
            for event in events:
                self.told += 1
                envelope = CloudEvent(
                    id=str(uuid4()),
                    source="/access",
                    type=event.type,
                    subject=event.subject,
                    time=self.clock.now,
                    data=event.model_dump(mode="json"),
                    sequence=str(self.told),
                )
                await follower.apply(connection, [envelope])

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.http.post(path, json=body)

    async def emails(self, count: int, of: str = "*.json") -> list[dict[str, str]]:
        """Wait until so many emails were sent."""
        async with asyncio.timeout(60):
            while len(files := sorted(self.inbox.glob(of))) < count:
                await asyncio.sleep(0.05)
        sent = [json.loads(file.read_text()) for file in files]
        return sorted(sent, key=lambda email: str(email["sent_at"]))

    async def link(self, email: str = EMAIL) -> str:
        """Ask for a link and read its token in the email."""
        before = len(list(self.inbox.glob("link-*.json")))
        assert (await self.post("/links", email=email)).status_code == 202
        self.clock.now += timedelta(milliseconds=1)
        newest = (await self.emails(before + 1, "link-*.json"))[-1]
        return re.search(r"/sign-in/link/(\S+)", newest["body"])[1]  # type: ignore[index]

    async def session(self) -> SessionOpened:
        answer = await self.post("/links/redeem", token=await self.link())
        assert answer.status_code == 200, answer.text
        return SessionOpened.model_validate_json(answer.content)


def signing_key() -> str:
    raw = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return base64.b64encode(raw).decode()


def granted(grant: UUID, role: Role) -> access.GrantGiven:
    return access.GrantGiven(
        grant_id=grant,
        person_id=PERSON,
        role=role,
        organisation_id=PARTNER,
        request_id=None,
        given_by=None,
        review_on=None,
    )


def grant_ended(grant: UUID) -> access.GrantEnded:
    return access.GrantEnded(
        grant_id=grant,
        person_id=PERSON,
        role=Role.DELIVERY_PARTNER,
        organisation_id=PARTNER,
        ended_by=None,
        reason="revoked",
    )


async def work_is_done(auth: Running) -> None:
    async with asyncio.timeout(60):
        while await count(auth, "SELECT count(*) FROM work WHERE state = 'due'"):
            await asyncio.sleep(0.05)


async def count(auth: Running, query: str) -> int:
    async with auth.app.state.backbone.engine.connect() as connection:
        return int(await connection.scalar(text(query)))
