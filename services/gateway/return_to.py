"""Where to go after sign-in: one of our own pages, and never another site's."""

from urllib.parse import urlencode, urlsplit

from fastapi import Request

LONGEST = 500
NOT_BACK_TO = ("/sign-in", "/sign-out", "/choose-role")
"""Pages that would lead round in a circle."""


def local_path(text: str | None) -> str | None:
    """The path (with its query) when it is a page of ours, else None.

    Browsers read `//host`, `/\\host` and paths with tabs or line ends in them as other sites' addresses.
    """
    if not text or len(text) > LONGEST or not text.startswith("/"):
        return None
    if text.startswith("//") or "\\" in text or any(ord(c) <= 32 or ord(c) == 127 for c in text):
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    if parts.scheme or parts.netloc or parts.path.startswith("//"):
        return None
    if any(parts.path == page or parts.path.startswith(f"{page}/") for page in NOT_BACK_TO):
        return None
    return text


def present_path(request: Request) -> str | None:
    """Where the person is, to come back to. Only pages that were looked at: a form is not sent twice."""
    if request.method != "GET":
        return None
    query = request.url.query
    return local_path(request.url.path + (f"?{query}" if query else ""))


def with_return_to(page: str, return_to: str | None) -> str:
    """The page's address, with where to go on afterwards."""
    return f"{page}?{urlencode({'return_to': return_to})}" if return_to else page
