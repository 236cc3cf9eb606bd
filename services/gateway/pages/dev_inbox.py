"""The emails that were sent, in development only: there they go into a folder."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Final

import pyotp
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
    codes = await asyncio.to_thread(_codes, settings.email.inbox_folder / "second-factors", time.time())
    return page(request, "dev_inbox.html", emails=emails[:MOST_SHOWN], total=len(emails), to=to, codes=codes)


class AuthenticatorApp(BaseModel):
    """As auth writes it, in development only."""

    email: str
    secret: str
    last_step: int


@dataclass(frozen=True, slots=True)
class Code:
    """What an authenticator app would show. seconds: until it can be used, if it cannot yet."""

    email: str
    code: str
    seconds: int


def _codes(folder: Path, now: float) -> list[Code]:
    codes = [_code(AuthenticatorApp.model_validate_json(file.read_bytes()), now) for file in _apps(folder)]
    return sorted(codes, key=lambda code: code.email)


def _apps(folder: Path) -> list[Path]:
    return list(folder.glob("*.json"))


def _code(app: AuthenticatorApp, now: float) -> Code:
    """The first code that was not used: auth takes the next one, too, a step before its time."""
    totp = pyotp.TOTP(app.secret)
    present = int(now) // totp.interval
    step = max(present, app.last_step + 1)
    wait = (step - 1) * totp.interval - now
    return Code(app.email, totp.generate_otp(step), max(0, ceil(wait)))


def _read(folder: Path, to: str) -> list[Email]:
    emails = [email for file in folder.glob("*.json") if (email := _email(file)) is not None]
    found = [email for email in emails if to in email.to.casefold()]
    return sorted(found, key=lambda email: email.sent_at, reverse=True)


def _email(file: Path) -> Email | None:
    try:
        return Email.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None  # being written or removed at this moment
