"""What limits files have, as export says them: asked once a minute, since every list page tells them."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from services.gateway.backend import BackendDown, Refusal
from services.gateway.backends import Exports
from shared.contracts.export import ExportLimits

KEPT_SECONDS: Final = 60.0


@dataclass
class ToldLimits:
    """Only what is the same for everybody may be read from what is kept."""

    _kept: ExportLimits | None = None
    _asked_at: float = field(default=-KEPT_SECONDS)

    async def of(self, exports: Exports) -> ExportLimits | None:
        """None when export did not say them yet: the list is shown all the same."""
        now = asyncio.get_running_loop().time()
        if now - self._asked_at >= KEPT_SECONDS:
            self._asked_at = now
            try:
                self._kept = await exports.limits()
            except (BackendDown, Refusal):
                self._asked_at = now - KEPT_SECONDS + 5  # not at each page
        return self._kept
