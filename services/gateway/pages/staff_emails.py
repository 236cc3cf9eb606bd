"""Emails that did not arrive: who asks why nothing came, gets an answer."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.backends import backends_of
from services.gateway.rendering import page
from services.gateway.session import cookies_of
from services.gateway.visitor import NotSignedIn, Visitor, visiting
from shared.contracts.roles import Role

router = APIRouter()

Helper = Annotated[Visitor, Depends(visiting(Role.SUPPORT, Role.ADMINISTRATOR, calls="access"))]


@router.get("/staff/emails")
async def undelivered(request: Request, helper: Helper) -> Response:
    session = cookies_of(request).session_of(request)
    if session is None:
        raise NotSignedIn
    links, others = await asyncio.gather(
        backends_of(request).auth.undelivered_emails(session), helper.access.undelivered_emails()
    )
    found = sorted([*links, *others], key=lambda email: email.sent_at, reverse=True)
    return page(request, "staff_emails/list.html", found=found)
