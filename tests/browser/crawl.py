"""All pages that each role can reach by following links, and what they say to a form without its answers."""

import asyncio
import re
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

import httpx

from tests.browser.documents import Document, Form, read
from tests.running import RunningSystem, Visitor

PEOPLE: Final = {
    "nobody": ("", ""),
    "delivery partner": ("dana.whitfield@example.org", "Delivery partner"),
    "appropriate body": ("dana.whitfield@example.org", "Appropriate body"),
    "lead provider": ("lena.fischer@example.org", ""),
    "support": ("sam.okoro@example.org", ""),
    "policy": ("priya.raman@example.org", ""),
    "administrator": ("alex.brandt@example.org", ""),
    "auditor": ("audrey.lin@example.org", ""),
}
"""Whom the site is read as: an address, and which of several roles."""

STARTS: Final = (
    "/",
    "/sign-in",
    "/sign-out",
    "/sign-in/check-your-email",
    f"/sign-in/check-your-email?until={int(time.time()) + 1800}",
    "/sign-in/link/x",
    "/ask-for-access",
    "/ask-for-access/check-your-email",
    "/ask-for-access/sent",
    "/ask-for-access/form/x",
    "/choose-role",
)
BESIDE_THE_WAY: Final = {
    "nobody": ["/nowhere"],
    "delivery partner": [
        "/staff/audit",
        "/participants?q=zzzzzz",
        "/participants?status=happy",
        "/participants?page=99999",
    ],
}
"""Pages to which no link leads: those that say no, and those that have nothing to show."""
OF_EACH_SHAPE: Final = 2
"""A list has a link for each of its rows; these many of them are followed."""
SOME_ID: Final = re.compile(r"/[0-9a-f]{8}-[0-9a-f-]{27}")
A_TRN: Final = re.compile(r">([0-9]{7})<")
NOT_A_PAGE: Final = re.compile(r"^/(assets/|dev/|(sign-in/link|ask-for-access/form)/.{20})|/download$")
"""Assets have tests of their own; the inbox is not part of the service; a file is no page."""


def shape(url: str) -> str:
    """What all pages of one kind have in common: `/participants/{id}`, `/participants?page&status`."""
    parts = urlsplit(url)
    names = sorted({name for name, _ in parse_qsl(parts.query)})
    return SOME_ID.sub("/{id}", parts.path) + (f"?{'&'.join(names)}" if names else "")


@dataclass(frozen=True, slots=True)
class CrawledPage:
    role: str
    url: str
    status: int
    html: str
    document: Document
    found_on: str
    sent: Form | None = None
    """The form that was sent from `url` without its answers, if that is how the page came about."""

    @property
    def shape(self) -> str:
        return shape(self.url)

    def __str__(self) -> str:
        sent = f", {self.sent.action} sent without answers" if self.sent else ""
        return f"{self.url}{sent}, as {self.role}"


@dataclass(slots=True)
class Site:
    """Pages by role, what is linked outside, and the sessions in which all that was seen."""

    url: str
    pages: list[CrawledPage] = field(default_factory=list)
    """By links."""
    others: list[CrawledPage] = field(default_factory=list)
    """BESIDE_THE_WAY, and answers to forms."""
    outside: Counter[str] = field(default_factory=Counter)
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    def of_each_kind(self, *, in_every_state: bool) -> list[CrawledPage]:
        """A page for each address pattern; in every state: and for each way in which it is built.

        Roles mostly see the same; what only one of them sees is built otherwise, as are empty and full lists.
        """
        found: dict[tuple[object, ...], CrawledPage] = {}
        for page in (*self.pages, *self.others):
            sent = shape(urljoin(page.url, page.sent.action)) if page.sent else ""
            kind: tuple[object, ...] = (page.shape.partition("?")[0], page.status, sent)
            if in_every_state:
                kind += (page.document.frame, page.document.fields)
            found.setdefault(kind, page)
        return list(found.values())


async def crawl(system: RunningSystem) -> Site:
    site = Site(system.url)
    visitors: dict[str, Visitor] = {}
    for role in PEOPLE:
        visitors[role] = await signed_in(system, role)
        site.cookies[role] = dict(visitors[role].http.cookies)
    await asyncio.gather(*(_read_all(site, role, visitor) for role, visitor in visitors.items()))
    for role, visitor in visitors.items():
        for path in (*BESIDE_THE_WAY.get(role, ()), *_only_one(site, role)):
            site.others.append(_page(role, await visitor.http.get(path), "nowhere"))
        await _send_forms_without_answers(site, role, visitor)
        await visitor.close()
    return site


def _only_one(site: Site, role: str) -> list[str]:
    """The list with one person on it."""
    lists = [page for page in site.pages if page.role == role and page.url == "/participants"]
    found = [trn for page in lists for trn in A_TRN.findall(page.html)]
    return [f"/participants?q={found[0]}"] if found else []


async def signed_in(system: RunningSystem, role: str) -> Visitor:
    address, which = PEOPLE[role]
    visitor = Visitor(system.url)
    if address:
        page = await visitor.sign_in(address)
        if page.path == "/choose-role":
            choices = re.findall(
                r'(?s)name="grant_id"[^>]*value="([^"]+)".*?<div[^>]*hint[^>]*>\s*(.*?)\s*</div>',
                page.response.text,
            )
            grant = next(value for value, hint in choices if hint == which)
            await visitor.submit(page, "/choose-role", grant_id=grant)
    return visitor


async def _read_all(site: Site, role: str, visitor: Visitor) -> None:
    """Breadth first, so that pages near the start are seen before the many behind them."""
    waiting = deque((path, "the start") for path in STARTS)
    seen: set[str] = set()
    followed: Counter[str] = Counter()
    while waiting:
        link, found_on = waiting.popleft()
        path = urldefrag(link).url
        if path in seen or NOT_A_PAGE.search(path) or followed[shape(path)] >= OF_EACH_SHAPE:
            continue
        seen.add(path)
        followed[shape(path)] += 1
        answer = await visitor.http.get(path)
        page = _page(role, answer, found_on)
        if page.url != path and page.url in seen:
            continue
        seen.add(page.url)
        site.pages.append(page)
        for link in page.document.links:
            target = urljoin(str(answer.url), link)
            if target.startswith(f"{site.url}/"):
                waiting.append((target.removeprefix(site.url), page.url))
            elif not link.startswith("#"):
                site.outside[link] += 1


ASK_NOTHING = frozenset({"/exports"})
"""Forms whose questions may all be left out."""


async def _send_forms_without_answers(site: Site, role: str, visitor: Visitor) -> None:
    """Each kind of form that asks something, once. Nothing happens: what is asked has to be answered."""
    sent: set[tuple[str, frozenset[str]]] = set()
    for page in [page for page in site.pages if page.role == role]:
        for form in page.document.forms:
            kind = (shape(urljoin(page.url, form.action)), form.asked)
            asks = form.asked and form.action not in ASK_NOTHING
            if form.method == "post" and asks and kind not in sent:
                sent.add(kind)
                answer = await visitor.http.post(form.action, data=dict(form.hidden))
                found = read(answer.text)
                site.others.append(
                    CrawledPage(role, page.url, answer.status_code, answer.text, found, page.url, form)
                )


def _page(role: str, answer: httpx.Response, found_on: str) -> CrawledPage:
    url = answer.url.raw_path.decode()
    return CrawledPage(role, url, answer.status_code, answer.text, read(answer.text), found_on)


def shapes_by_role(pages: list[CrawledPage]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for page in pages:
        found.setdefault(page.role, set()).add(page.shape)
    return found
