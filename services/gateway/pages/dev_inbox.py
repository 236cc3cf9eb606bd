"""The emails that were sent, in development only: there they go into a folder."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, ValidationError

from services.gateway.rendering import page
from services.gateway.settings import GatewaySettings

router = APIRouter()

MOST_SHOWN: Final = 100


class Email(BaseModel):
    """As shared.email writes it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    sent_at: datetime
    to: str
    subject: str
    body: str


@router.get("/dev/inbox")
async def inbox(request: Request) -> Response:
    """Newest first. Query: to, a part of the address."""
    settings: GatewaySettings = request.app.state.settings
    to = request.query_params.get("to", "").strip()
    emails = await asyncio.to_thread(_read, settings.email.inbox_folder, to.casefold())
    return page(request, "dev_inbox.html", emails=emails[:MOST_SHOWN], total=len(emails), to=to)


def _read(folder: Path, to: str) -> list[Email]:
    emails = [email for file in folder.glob("*.json") if (email := _email(file)) is not None]
    found = [email for email in emails if to in email.to.casefold()]
    return sorted(found, key=lambda email: email.sent_at, reverse=True)


def _email(file: Path) -> Email | None:
    try:
        return Email.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None  # being written or removed at this moment
