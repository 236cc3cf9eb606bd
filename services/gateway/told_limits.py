"""What limits files have, as export says them: asked once a minute, since every list page tells them."""

import asyncio
from dataclasses import dataclass
from typing import Final

from services.gateway.backend import BackendDown, Refusal
from services.gateway.backends import Exports
from shared.contracts.export import ExportLimits

KEPT_SECONDS: Final = 60.0
AGAIN_SECONDS: Final = 5.0
MOMENT_SECONDS: Final = 0.3


@dataclass
class ToldLimits:
    """Only what is the same for everybody may be read from what is kept."""

    _kept: ExportLimits | None = None
    _due: float = 0.0
    _asking: "asyncio.Task[None] | None" = None

    @property
    def due(self) -> bool:
        """Whether export is to be asked again."""
        return self._asking is None and asyncio.get_running_loop().time() >= self._due

    async def of(self, exports: Exports | None) -> ExportLimits | None:
        """None when export did not say them yet: the list is shown all the same.

        exports: None when they were not due, so that no token was asked for.

        Of all who look while export hangs, one waits, and for a moment only.
        """
        if exports is not None and self.due:
            self._due = asyncio.get_running_loop().time() + AGAIN_SECONDS
            self._asking = asyncio.create_task(self._ask(exports))
            await asyncio.wait({self._asking}, timeout=MOMENT_SECONDS)
        return self._kept

    async def _ask(self, exports: Exports) -> None:
        try:
            self._kept = await exports.limits()
            self._due = asyncio.get_running_loop().time() + KEPT_SECONDS
        except (BackendDown, Refusal):
            pass  # what is kept is told on, and it is asked again soon
        finally:
            self._asking = None
