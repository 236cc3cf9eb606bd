"""A page worked with a keyboard alone: what Tab reaches, and whether one sees where one is."""

from typing import Final

from playwright.async_api import Page

MOST_STEPS: Final = 200
TO_BE_REACHED: Final = """() => {
  const inMain = [...document.querySelectorAll('main :is(input, select, textarea, button, summary)')];
  const visible = inMain.filter(e => e.type !== 'hidden' && e.getClientRects().length && !e.disabled);
  const names = new Set(visible.map(e => e.name || e.textContent.trim()));
  return [...names];
}"""
FOCUSED: Final = """() => {
  const e = document.activeElement, style = getComputedStyle(e);
  const label = e.labels && e.labels[0] ? getComputedStyle(e.labels[0], '::before') : null;
  const shown = s => s && ((s.outlineStyle !== 'none' && s.outlineWidth !== '0px') || s.boxShadow !== 'none');
  return {
    name: e.name || e.textContent.trim(),
    inMain: Boolean(e.closest('main')),
    seen: Boolean(shown(style) || shown(label)),
    ended: e === document.body,
  };
}"""


class Keyboard:
    def __init__(self, page: Page) -> None:
        self.page = page

    async def walk(self) -> tuple[list[str], list[str]]:
        """From the top to the end by Tab: what was reached in main, and where no focus was to be seen."""
        reached: list[str] = []
        unseen: list[str] = []
        for _ in range(MOST_STEPS):
            await self.page.keyboard.press("Tab")
            there = await self.page.evaluate(FOCUSED)
            if there["ended"] or (reached and not there["inMain"]):
                break
            if there["inMain"]:
                reached.append(there["name"])
            if not there["seen"]:
                unseen.append(there["name"])
        return reached, unseen

    async def tab_to(self, selector: str) -> None:
        for _ in range(MOST_STEPS):
            await self.page.keyboard.press("Tab")
            if await self.page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"Tab never reaches {selector}")
