"""HEAD is answered like GET, without the content: for link checkers, monitors and download managers."""

from typing import Final

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ASKED: Final = "check_data.head"


class AnswerHead:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        ended = False

        async def send_without_content(message: Message) -> None:
            nonlocal ended
            if message["type"] != "http.response.body":
                await send(message)
            elif not ended:
                ended = True
                await send({"type": "http.response.body", "body": b""})

        # A scope of its own: the server goes by the first one, and expects no content after HEAD.
        await self.app({**scope, "method": "GET", ASKED: True}, receive, send_without_content)


def only_head(request: Request) -> bool:
    """Whether nobody gets the content, for what should then not be fetched."""
    return ASKED in request.scope
