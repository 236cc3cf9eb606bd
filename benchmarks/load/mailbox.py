"""People's mailboxes: the folder that emails go to in development, looked at by one for all.

Asking the page of the development inbox, as a browser in a test does, would read every email at each look: a
hundred people who wait for theirs would be the load.
"""

import asyncio
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Final

LOOK_SECONDS: Final = 0.1
LINK: Final = re.compile(r"/sign-in/link/\S+")


class Mailbox:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[str] = set()
        self._links: dict[str, asyncio.Queue[str]] = defaultdict(asyncio.Queue)

    async def watch(self) -> None:
        """Never returns; is cancelled."""
        while True:
            for address, link in await asyncio.to_thread(self._new):
                self._links[address].put_nowait(link)
            await asyncio.sleep(LOOK_SECONDS)

    async def link(self, address: str) -> str:
        """The path of the next sign-in link that comes, or has come and was not taken yet."""
        return await self._links[address].get()

    def _new(self) -> list[tuple[str, str]]:
        found = []
        for file in sorted(self._folder.glob("link-*.json")):
            if file.name not in self._seen:
                self._seen.add(file.name)
                email = json.loads(file.read_bytes())
                found += [(email["to"], link) for link in LINK.findall(email["body"])[:1]]
        return found
