"""The stylesheets, scripts, fonts and images that `services.gateway.assets` made, as they are served."""

import json
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fastapi import APIRouter, HTTPException, Request, Response

MANIFEST: Final = "manifest.json"
FOR_EVER: Final = "public, max-age=31536000, immutable"
"""The name holds a hash of the content: another content has another name."""
TYPES: Final = {".woff2": "font/woff2", ".woff": "font/woff", ".webmanifest": "application/manifest+json"}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class AssetFile:
    media_type: str
    content: bytes
    gzipped: bytes | None


class Assets:
    """All of them, held in memory: a few hundred kilobytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: dict[str, str] = {}
        self._files: dict[str, AssetFile] = {}
        self.load()

    def load(self) -> None:
        """Read what is there. Nothing is, before the first build."""
        manifest = self._folder / MANIFEST
        if manifest.exists():
            self._names = json.loads(manifest.read_text()).get("files", {})
            self._files = {name: _read(self._folder / name) for name in self._names.values()}

    def url(self, name: str) -> str:
        """The address of an asset by its plain name, such as `check-data.css`."""
        return f"/assets/{self._names.get(name, name)}"

    def file(self, name: str) -> AssetFile | None:
        return self._files.get(name)

    async def check(self) -> None:
        """Raises when there are no assets, although they may have been built after the start."""
        if not self._files:
            self.load()
        if not self._files:
            raise FileNotFoundError("assets are not built: run python -m services.gateway.assets")


def _read(file: Path) -> AssetFile:
    gzipped = file.with_name(f"{file.name}.gz")
    return AssetFile(
        TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        file.read_bytes(),
        gzipped.read_bytes() if gzipped.exists() else None,
    )


@router.get("/assets/{name}")
async def asset(request: Request, name: str) -> Response:
    assets: Assets = request.app.state.assets
    found = assets.file(name)
    if found is None:
        raise HTTPException(404)
    headers = {"cache-control": FOR_EVER, "vary": "accept-encoding"}
    content = found.content
    if found.gzipped is not None and accepts_gzip(request):
        content = found.gzipped
        headers["content-encoding"] = "gzip"
    return Response(content, headers=headers, media_type=found.media_type)


def accepts_gzip(request: Request) -> bool:
    offers = [offer.strip().lower() for offer in request.headers.get("accept-encoding", "").split(",")]
    return any(offer == "gzip" or (offer.startswith("gzip;") and "q=0" not in offer) for offer in offers)
