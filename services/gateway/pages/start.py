"""The start page."""

from fastapi import APIRouter, Request, Response

from services.gateway.rendering import page

router = APIRouter()


@router.get("/")
async def start(request: Request) -> Response:
    return page(request, "start.html")
