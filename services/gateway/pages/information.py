"""The pages behind the links of the footer."""

from fastapi import APIRouter, Request, Response

from services.gateway.rendering import page

router = APIRouter()


@router.get("/cookies")
async def cookies(request: Request) -> Response:
    return page(request, "information/cookies.html")


@router.get("/accessibility")
async def accessibility(request: Request) -> Response:
    return page(request, "information/accessibility.html")


@router.get("/privacy")
async def privacy(request: Request) -> Response:
    return page(request, "information/privacy.html")


@router.get("/contact")
async def contact(request: Request) -> Response:
    return page(request, "information/contact.html")
