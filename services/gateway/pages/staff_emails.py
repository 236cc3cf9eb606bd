"""Emails that did not arrive: who asks why nothing came, gets an answer."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.gateway.rendering import page
from services.gateway.visitor import Visitor, visiting
from shared.contracts.roles import Role

router = APIRouter()

Helper = Annotated[
    Visitor, Depends(visiting(Role.SUPPORT, Role.ADMINISTRATOR, calls="access", and_calls=("auth",)))
]


@router.get("/staff/emails")
async def undelivered(request: Request, helper: Helper) -> Response:
    links, others = await asyncio.gather(
        helper.backends.auth.undelivered_emails(helper.session.tokens["auth"]),
        helper.access.undelivered_emails(),
    )
    found = sorted([*links, *others], key=lambda email: email.sent_at, reverse=True)
    return page(request, "staff_emails/list.html", found=found)
